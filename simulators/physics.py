"""What a load cell under a shelf feels: goods, hands, ringing, drift and noise. Grams and seconds.

A load cell with its shelf is an underdamped second-order system, so a unit lifted off leaves it ringing. The
frequency and damping are assumed (no published figure for shop shelves was found): 9 to 14 Hz, 8 to 14 % of
critical, which rings for most of a second.
"""

import math
from dataclasses import dataclass, field
from random import Random

RINGING_S = 3.0  # by then the slowest ringing (9 Hz, 8 %) is below 0.01 % of its step
WINDOW_S = 0.2  # an indicator's filter averages about this long
WINDOW_SAMPLES = 10
DRIFT_GRAMS = 0.3  # zero against temperature, 0.02 %FS/10 K of a 15 kg cell over a tenth of a kelvin
DRIFT_PERIOD_S = 900.0
NOISE_GRAMS = 0.05  # of a 15 kg cell on a good indicator, one standard deviation after its filter


@dataclass(frozen=True, slots=True)
class Step:
    """Mass put on (or, negative, taken off) at an instant."""

    at_s: float
    grams: float


@dataclass(frozen=True, slots=True)
class Hand:
    """A hand or a crate that presses while it works; gone without a trace afterwards."""

    from_s: float
    to_s: float
    grams: float

    def force(self, at_s: float) -> float:
        if not self.from_s < at_s < self.to_s:
            return 0.0
        return self.grams * math.sin(math.pi * (at_s - self.from_s) / (self.to_s - self.from_s))


@dataclass
class Cell:
    """One load cell. Times asked of it must not go backwards by more than the ringing."""

    resting_grams: float
    rng: Random
    noise_grams: float = NOISE_GRAMS
    frequency_hz: float = 0.0
    damping: float = 0.0
    _steps: list[Step] = field(default_factory=list)
    _hands: list[Hand] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.frequency_hz = self.frequency_hz or self.rng.uniform(9.0, 14.0)
        self.damping = self.damping or self.rng.uniform(0.08, 0.14)
        self._phase = self.rng.uniform(0.0, 2 * math.pi)

    def put(self, *steps: Step) -> None:
        self._steps.extend(steps)

    def press(self, *hands: Hand) -> None:
        self._hands.extend(hands)

    def grams(self, at_s: float) -> float:
        """What an indicator's filter makes of the cell just now: noisy, not rounded, neither zeroed nor tared."""
        self._forget(at_s)
        gap = WINDOW_S / WINDOW_SAMPLES
        mean = sum(self._true(at_s - gap * back) for back in range(WINDOW_SAMPLES)) / WINDOW_SAMPLES
        return mean + self.rng.gauss(0.0, self.noise_grams)

    def _true(self, at_s: float) -> float:
        drift = DRIFT_GRAMS * math.sin(2 * math.pi * at_s / DRIFT_PERIOD_S + self._phase)
        moving = sum(step.grams * self._response(at_s - step.at_s) for step in self._steps)
        return self.resting_grams + drift + moving + sum(hand.force(at_s) for hand in self._hands)

    def _response(self, since_s: float) -> float:
        """The step response of the damped cell: 0 before, 1 long after."""
        if since_s <= 0:
            return 0.0
        omega = 2 * math.pi * self.frequency_hz
        root = math.sqrt(1 - self.damping**2)
        decay = math.exp(-self.damping * omega * since_s)
        angle = omega * root * since_s
        return 1 - decay * (math.cos(angle) + self.damping / root * math.sin(angle))

    def _forget(self, at_s: float) -> None:
        """What has rung out becomes part of what rests there."""
        still = [step for step in self._steps if step.at_s > at_s - RINGING_S]
        if len(still) < len(self._steps):
            self.resting_grams += sum(step.grams for step in self._steps if step.at_s <= at_s - RINGING_S)
            self._steps = still
        self._hands = [hand for hand in self._hands if hand.to_s > at_s - RINGING_S]
