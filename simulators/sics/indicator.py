"""A scale's electronics: takes what the cell feels, makes divisions of it, knows rest, zero, tare and its limits."""

from collections import deque
from dataclasses import dataclass, field
from enum import StrEnum

REST_UPDATES = 6  # at rest: so many values in a row (0.6 s at 10 a second) ...
REST_DIVISIONS = 4  # ... within so many divisions. Assumed; makers let one choose about this much
OVERLOAD_DIVISIONS = 9  # above the largest weight: OIML R76-1, 3.9.1 and 4.2.3
ZERO_RANGE = 0.02  # of the largest weight, either side: OIML R76-1, 4.5.1 (4 % in all)
START_RANGE = 0.10  # and when it is switched on, if it zeroes itself then: OIML R76-1, 4.5.1 (20 % in all)
UNDERLOAD = 0.05  # of the largest weight below zero, the pan is off. Assumed


class Range(StrEnum):
    """Where the load lies."""

    WITHIN = ""
    OVER = "+"
    UNDER = "-"


@dataclass
class Indicator:
    """Grams in, grams out in whole divisions.

    `zeroes`: whether it makes zero of what lies there when it is switched on, as soon as that rests; what is too heavy
    for that stays what it is (assumed: some show an error instead until it is taken off).
    """

    max_grams: float
    division_grams: float = 0.1
    zero_grams: float = 0.0
    tare_grams: float = 0.0
    zeroes: bool = False
    starting: bool = field(init=False)  # it looks for its zero, and shows nothing yet
    _recent: deque[float] = field(default_factory=lambda: deque(maxlen=REST_UPDATES))

    def __post_init__(self) -> None:
        self.starting = self.zeroes

    def update(self, grams: float) -> None:
        """Take the next value of the cell."""
        self._recent.append(round(grams / self.division_grams) * self.division_grams)
        if self.starting and self.at_rest:
            self.starting = False
            if abs(self._recent[-1]) <= START_RANGE * self.max_grams:
                self.zero_grams = self._recent[-1]

    @property
    def gross_grams(self) -> float:
        return self._recent[-1] - self.zero_grams

    @property
    def net_grams(self) -> float:
        return self.gross_grams - self.tare_grams

    @property
    def at_rest(self) -> bool:
        if len(self._recent) < REST_UPDATES:
            return False
        return max(self._recent) - min(self._recent) <= (REST_DIVISIONS + 0.5) * self.division_grams

    @property
    def range(self) -> Range:
        if self.gross_grams > self.max_grams + OVERLOAD_DIVISIONS * self.division_grams:
            return Range.OVER
        if self.gross_grams < -UNDERLOAD * self.max_grams:
            return Range.UNDER
        return Range.WITHIN

    def zero(self) -> Range:
        """Make the present load zero; refused outside the zero-setting range, which counts from how it was adjusted."""
        present = self._recent[-1]
        if abs(present) > ZERO_RANGE * self.max_grams:
            return Range.OVER if present > 0 else Range.UNDER
        self.zero_grams = present
        self.tare_grams = 0.0
        return Range.WITHIN

    def tare(self) -> None:
        self.tare_grams = self.gross_grams

    def reset(self) -> None:
        self.tare_grams = 0.0

    def power_on(self) -> None:
        """After a power cut: it has forgotten what it weighed, and its tare."""
        self.reset()
        while len(self._recent) > 1:
            self._recent.popleft()
        self.starting = self.zeroes
