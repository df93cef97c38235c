"""A device's clock beside ours. Pure: both times come as arguments, in microseconds."""

# Stamps that stay behind for so long, and by the same amount, mean that the device's clock was set back.
WINDOW_US = 5_000_000
# By the same amount: what a reader held back while nobody was connected comes faster than it happened, and so catches
# up by more than this in a window, while delays on a working link stay below it.
STEADY_US = 1_000_000


class DeviceClock:
    """Learns the offset of a device's clock from the stamps on what it sends.

    A stamp is made before it arrives, so `stamp - arrival` is the offset less the time on the way: the largest is
    nearest to the truth, and what was held back for hours only shows a smaller one. A smaller one is believed when
    nothing else has been seen for a window, and all of it agrees: then the clock was set back, or drifts.
    """

    def __init__(self) -> None:
        self.offset_us: int | None = None  # the device's clock minus ours; None before the first stamp
        self._since_us = 0  # when the present window began
        self._low: int | None = None
        self._high = 0

    def observe(self, stamp_us: int, arrival_us: int) -> None:
        """Take one stamp of the device and the time, by our clock, at which it arrived."""
        offset = stamp_us - arrival_us
        if self.offset_us is None or offset >= self.offset_us:
            self.offset_us, self._low = offset, None
        elif self._low is None or arrival_us < self._since_us:
            self._since_us, self._low, self._high = arrival_us, offset, offset
        else:
            self._low, self._high = min(self._low, offset), max(self._high, offset)
            if arrival_us - self._since_us >= WINDOW_US:
                if self._high - self._low <= STEADY_US:
                    self.offset_us = self._high
                self._low = None
