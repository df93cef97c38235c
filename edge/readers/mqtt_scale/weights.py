"""One cell of a scale that publishes: nothing twice, nothing late taken for new, no unit taken for another. Pure."""

import math

from edge.readers.mqtt_scale.protocol import NoWeight, Time, Weight
from edge.readers.published import PublishedClock

# A message that was overtaken is this much behind at most; what is further behind is a clock that was set back, as
# summer time ends for a device that tells local time.
LATE_US = 600_000_000
# Stamps that stay behind for so long are a clock that was set back a little: what is sent again comes all at once.
SET_BACK_US = 5_000_000
# A device whose unit is changed from kg to g shows a thousand times what it showed. So near to a thousand, and so many
# times in a row, that is no pick: a shelf that is emptied down to a thousandth of its load flickers.
FLIP = 1000.0
FLIP_NEAR = 0.005
FLIPS = 5
LEAST_GRAMS = 20.0  # of the larger of the two: below, a thousandth is less than any scale shows


class Cell:
    """What one cell has said. Times in microseconds; `late` and `doubles` count what was passed over."""

    def __init__(self) -> None:
        self.clock = PublishedClock()
        self.late = 0
        self.doubles = 0
        self._stamp_us: int | None = None
        self._grams: float | None = None  # the last that was believed
        self._told: float | None = None  # the last that came with this stamp
        self._behind: tuple[int, int] | None = (
            None  # since when (arrival) stamps are behind, and the last of them
        )
        self._flips = 0

    def take(self, said: Weight, arrival_us: int) -> tuple[int, float] | NoWeight | None:
        """When it was weighed by our clock, and how much; None for what was told before or was overtaken."""
        at_us = self._when(said.time, said.grams, arrival_us)
        if at_us is None:
            return None
        if self._is_flip(said.grams):
            return NoWeight(
                f"device_error: {said.grams:.1f} g after {self._grams:.1f} g is {FLIP:.0f} times "
                f"{'more' if abs(said.grams) > abs(self._grams or 0.0) else 'less'}; was its unit changed?"
            )
        self._grams = said.grams
        return at_us, said.grams

    def _when(self, time: Time | None, grams: float, arrival_us: int) -> int | None:
        if time is None:
            return arrival_us
        if time.relative:
            return (
                min(arrival_us, arrival_us + time.us)
                if self._is_new(arrival_us + time.us, grams, arrival_us)
                else None
            )
        if not self._is_new(time.us, grams, arrival_us):
            return None
        if not time.zoned:
            return arrival_us
        self.clock.observe(time.us, arrival_us)
        return min(arrival_us, self.clock.ours(time.us, arrival_us))

    def _is_new(self, stamp_us: int, grams: float, arrival_us: int) -> bool:
        last = self._stamp_us
        if last is not None and stamp_us == last and grams == self._told:
            self.doubles += 1
            return False
        if last is not None and 0 < last - stamp_us < LATE_US and not self._set_back(stamp_us, arrival_us):
            self.late += 1
            return False
        self._stamp_us, self._told, self._behind = stamp_us, grams, None
        return True

    def _set_back(self, stamp_us: int, arrival_us: int) -> bool:
        """Whether stamps that are behind have gone on, each later than the one before, for long enough."""
        if self._behind is None or stamp_us <= self._behind[1]:
            self._behind = arrival_us, stamp_us
            return False
        self._behind = self._behind[0], stamp_us
        return arrival_us - self._behind[0] >= SET_BACK_US

    def _is_flip(self, grams: float) -> bool:
        before = self._grams
        if before is None or not before or not grams or (before < 0) != (grams < 0):
            self._flips = 0
            return False
        ratio = abs(grams / before)
        if self._flips >= FLIPS:  # believed: until it comes back to where it was
            if abs(math.log(ratio)) > math.log(FLIP) / 2:
                return True
            self._flips = 0
            return False
        near = min(abs(ratio / FLIP - 1), abs(ratio * FLIP - 1)) <= FLIP_NEAR
        if not near or max(abs(grams), abs(before)) < LEAST_GRAMS:
            self._flips = 0
            return False
        self._flips += 1
        return True
