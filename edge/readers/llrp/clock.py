"""A device's clock beside ours. Pure: both times come as arguments, in microseconds."""

from collections.abc import Sequence

# Stamps that stay behind for so long, and by the same amount, mean that the device's clock was set back.
WINDOW_US = 5_000_000
# By the same amount: what a reader held back while nobody was connected comes faster than it happened, and so catches
# up by more than this in a window, while delays on a working link stay below it. A clock that differs from what is
# known by more than this was set; one that differs by less has drifted.
STEADY_US = 1_000_000
# No reader's buffer reaches back so far: what seems older was stamped by a clock that has been set since.
OLDEST_US = 30 * 86_400 * 1_000_000


class DeviceClock:
    """Learns the offset of a device's clock from the stamps on what it sends.

    A stamp is made before it arrives, so `stamp - arrival` is the offset less the time on the way: the largest is
    nearest to the truth, and what was held back for hours only shows a smaller one. A smaller one is believed when
    nothing else has been seen for a window, and all of it agrees: then the clock was set back, or drifts. It is
    believed at once when what was held has all come, and it is smaller by more than a link can stall.

    Args:
        stall_us: the longest that a link can stall without being given up.
        before: the offset in the connection before this one, if there was one: what was held may be from then.
        since_us: when that connection ended, by our clock: all that was stamped before has come already.
    """

    def __init__(self, stall_us: int, before: int | None = None, since_us: int | None = None) -> None:
        self.offset_us: int | None = None  # the device's clock minus ours; None before the first stamp
        self._stall_us = stall_us
        self._before = before  # the offset before the clock was last set
        self._horizon_us = since_us
        self._caught_up = False  # what was held back has come
        self._since_us = 0  # when the present window began
        self._low: int | None = None
        self._high = 0

    def observe(self, stamp_us: int, arrival_us: int) -> None:
        """Take one stamp of the device and the time, by our clock, at which it arrived."""
        offset = stamp_us - arrival_us
        known = self.offset_us
        if known is None or offset >= known or (self._caught_up and known - offset > self._stall_us):
            self._set(offset)
        elif self._low is None or arrival_us < self._since_us:
            self._since_us, self._low, self._high = arrival_us, offset, offset
        else:
            self._low, self._high = min(self._low, offset), max(self._high, offset)
            if arrival_us - self._since_us >= WINDOW_US:
                if self._high - self._low <= STEADY_US:
                    self._set(self._high)
                self._low = None

    def moments(self, stamps: Sequence[int], arrival_us: int) -> list[int]:
        """When these were, by our clock: stamps of reads that arrived together, in the order in which they were sent.

        Learns from them first. Those around a moment at which the clock was set are told apart by what is possible.
        """
        before, offset = self.offset_us, self._learn(stamps, arrival_us)
        moments = [stamp - offset for stamp in stamps]
        oldest_us = arrival_us - OLDEST_US
        if self._horizon_us is not None:
            oldest_us = max(oldest_us, self._horizon_us - STEADY_US)
        if before is not None and abs(offset - before) > STEADY_US:
            oldest_us = arrival_us  # set just now: look at each
        if min(moments) < oldest_us or max(moments) > arrival_us + STEADY_US:
            return [self._moment(stamp, offset, arrival_us) for stamp in stamps]
        return moments

    def moment(self, stamp_us: int, arrival_us: int) -> int:
        """When one thing was, by our clock; learns from its stamp first."""
        self.observe(stamp_us, arrival_us)
        return self._moment(stamp_us, self.offset_us or 0, arrival_us)

    def _learn(self, stamps: Sequence[int], arrival_us: int) -> int:
        latest = max(stamps)
        known = self.offset_us
        if known is None:
            self.observe(latest, arrival_us)
            return latest - arrival_us
        # Of before the clock was set back, while nobody was connected?
        if self._caught_up or not self._of_before(latest, arrival_us, known):
            self.observe(latest, arrival_us)
        if latest - stamps[-1] > self._stall_us:
            self.observe(stamps[-1], arrival_us)
        if self.offset_us is None:
            return known
        if abs(stamps[-1] - arrival_us - self.offset_us) <= STEADY_US:
            self._caught_up = True
        return self.offset_us

    def _of_before(self, stamp_us: int, arrival_us: int, known: int) -> bool:
        early = stamp_us - arrival_us > known + STEADY_US
        return early and self._before is not None and stamp_us - self._before <= arrival_us + STEADY_US

    def _moment(self, stamp_us: int, offset: int, arrival_us: int) -> int:
        """The latest moment that can be, of those that the offsets give."""
        offsets = (offset,) if self._before is None else (offset, self._before)
        possible = [at for each in offsets if (at := stamp_us - each) <= arrival_us + STEADY_US]
        at_us = max(possible, default=arrival_us)
        return at_us if at_us >= arrival_us - OLDEST_US else arrival_us

    def _set(self, offset: int) -> None:
        if self.offset_us is not None and abs(offset - self.offset_us) > STEADY_US:
            self._before = self.offset_us
        self.offset_us, self._low = offset, None
