"""Finds rest in weights: samples in, plateaus out. Constant memory; time as it comes, never counted in samples.

Boards and scales send 1 to 80 samples a second, some of them irregularly, so everything here is by time.
"""

from statistics import median

BLOCK_MS = 100  # samples of one block become their median, which kills spikes
WINDOW_MS = 800  # at rest, weights stay together for so long …
CONFIRM_MS = 500  # … and go on to: a hand that pauses in the middle of a pick takes longer than both
LEAST_TICKS = 3  # for devices slower than the window
LEAST_RANGE_GRAMS = 1.2  # even a noiseless scale flickers by a division
RANGE_SIGMAS = 8.0  # the range of 8 samples of noise is below 4.5 sigma in 99 % of cases; slow drift adds
SIGMA_GRAMS = (0.02, 5.0)  # bounds of the noise believed
SIGMA_RATE = 0.005  # a tick; a third of that in motion, where only small differences count
GAP_PERIODS = 3.0


class Block:
    """Samples of one cell within one block of time."""

    __slots__ = ("grams", "number", "samples", "steady", "us")

    def __init__(self) -> None:
        self.number = -1
        self.us = 0
        self.samples: list[float] = []
        self.steady = True
        self.grams: float | None = None

    def add(
        self, at_ms: int, at_us: int, grams: float, steady: bool
    ) -> "tuple[int, int, float, bool] | None":
        """Take a sample; returns the block that it ended: time (steady, wall), median, and whether it was steady."""
        number = at_ms // BLOCK_MS
        if number < self.number:
            return None  # out of order by more than a block
        ended = None
        if number > self.number:
            if self.samples:
                ended = (self.number * BLOCK_MS, self.us, median(self.samples), self.steady)
            self.number, self.samples, self.steady = number, [], True
        self.us = at_us - 1000 * (at_ms - number * BLOCK_MS)
        self.samples.append(grams)
        self.steady &= steady
        return ended


class Plateau:
    """Weights have been at rest since `from_ms`; `grams` is their mean over the last window."""

    __slots__ = ("at_ms", "at_us", "from_ms", "from_us", "grams")

    def __init__(self, grams: float, first: tuple[int, int], now: tuple[int, int]) -> None:
        self.grams = grams
        self.from_ms, self.from_us = first
        self.at_ms, self.at_us = now


class Settling:
    """Tells rest from motion."""

    def __init__(self, sigma: float = 0.1) -> None:
        self.sigma = sigma
        self.grams: float | None = None
        self.at_rest = False
        self._window: list[tuple[int, int, float]] = []
        self._since: tuple[int, int] | None = None
        self._since_now_ms = 0
        self._period_ms = 100.0
        self._steady_from_ms = 0

    def tick(self, at_ms: int, at_us: int, grams: float, steady: bool) -> Plateau | None:
        """Take one block; returns a plateau on every tick at rest."""
        window = self._window
        if window:
            gap = at_ms - window[-1][0]
            if gap > GAP_PERIODS * self._period_ms and gap > WINDOW_MS:
                window.clear()
                self._since = None
            else:
                self._period_ms += 0.05 * (gap - self._period_ms)
                self._learn(abs(grams - window[-1][2]))
        self.grams = grams
        window.append((at_ms, at_us, grams))
        while len(window) > LEAST_TICKS and window[0][0] <= at_ms - WINDOW_MS:
            del window[0]
        if not steady:
            self._steady_from_ms = at_ms + 1
        self.at_rest = False
        if not self._together():
            self._since = None
            return None
        if self._since is None:
            self._since, self._since_now_ms = window[0][:2], at_ms
        if at_ms - self._since_now_ms < CONFIRM_MS or self._steady_from_ms > at_ms - CONFIRM_MS:
            return None
        self.at_rest = True
        mean = sum(tick[2] for tick in window) / len(window)
        return Plateau(mean, self._since, (at_ms, at_us))

    def _together(self) -> bool:
        window = self._window
        if len(window) < LEAST_TICKS or window[-1][0] - window[0][0] < 0.6 * WINDOW_MS:
            return False
        weights = [tick[2] for tick in window]
        return max(weights) - min(weights) < max(RANGE_SIGMAS * self.sigma, LEAST_RANGE_GRAMS)

    def _learn(self, difference: float) -> None:
        rate = SIGMA_RATE if self.at_rest else SIGMA_RATE / 3
        sigma = (
            min(difference, 4.0 * self.sigma + 0.5) / 1.128
        )  # mean difference of two normal values, over sigma
        self.sigma = min(SIGMA_GRAMS[1], max(SIGMA_GRAMS[0], self.sigma + rate * (sigma - self.sigma)))
