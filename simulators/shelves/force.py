"""What presses on a cell, and how a plate on a spring answers it. Grams and seconds.

Every push is a broken line: goods and hands come and go in ramps. A plate on its cell is an underdamped oscillator of
the second order; its answer to a change of slope is known in closed form, so it is computed at the times that are
asked for and nowhere between, however irregular they are.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from itertools import pairwise

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]
Knots = Sequence[tuple[float, float]]  # (second, grams): nothing changes before the first and after the last

GONE = 12.0  # time constants: e**-12 of a kilogram is 6 mg
MOVEMENT_S = 3.0  # bends that are further apart belong to different movements
TONES = 14  # sinusoids that make up a shake
SOFT_S = 0.25  # in which a shake begins and ends


@dataclass(frozen=True, slots=True)
class Plate:
    """Resonance with what stood on it at first, and damping as a share of the critical one."""

    hertz: float
    damping: float
    own_grams: float  # of the plate itself: more goods make it slower

    def omega(self, load: float, at_first: float) -> float:
        heavier = (self.own_grams + max(0.0, load)) / (self.own_grams + max(0.0, at_first))
        return float(2.0 * np.pi * self.hertz / np.sqrt(max(heavier, 0.2)))


@dataclass(frozen=True, slots=True)
class Shake:
    """Something trembles: random, between two frequencies, of a standard deviation in grams."""

    from_s: float
    to_s: float
    grams: float
    low_hertz: float
    high_hertz: float
    seed: int

    def at(self, times: Floats) -> Floats:
        rng = np.random.default_rng(self.seed)
        hertz = rng.uniform(self.low_hertz, self.high_hertz, TONES)
        phases = rng.uniform(0.0, 2.0 * np.pi, TONES)
        sizes = rng.rayleigh(1.0, TONES)
        sizes *= self.grams / np.sqrt(np.sum(sizes**2) / 2.0)
        found = np.zeros_like(times)
        for f, phase, size in zip(hertz, phases, sizes, strict=True):
            found += size * np.sin(2.0 * np.pi * f * times + phase)
        soft = min(SOFT_S, (self.to_s - self.from_s) / 2.0)
        return found * np.clip(np.minimum(times - self.from_s, self.to_s - times) / soft, 0.0, 1.0)


@dataclass(slots=True)
class Load:
    """All that presses on one cell."""

    at_first: float = 0.0  # grams that stood there before the beginning
    pushes: list[Knots] = field(default_factory=list)
    shakes: list[Shake] = field(default_factory=list)

    def add(self, knots: Iterable[tuple[float, float]], share: float = 1.0) -> None:
        """Grams beyond those that stood there at first; the last value stays."""
        line = [(at_s, share * grams) for at_s, grams in knots]
        if any(b[0] <= a[0] for a, b in pairwise(line)):
            raise ValueError(f"times of a push must rise: {line}")
        if line[0][1] != 0.0:
            raise ValueError(f"a push begins with 0 g, not with {line[0][1]}")
        self.pushes.append(line)

    def bends(self) -> tuple[Floats, Floats, Floats]:
        """Times where the force bends, the force at them, and its slope from them on."""
        times = [np.array([at_s for at_s, _ in line]) for line in self.pushes]
        slopes = [
            np.diff([grams for _, grams in line]) / np.diff(t)
            for line, t in zip(self.pushes, times, strict=True)
        ]
        if not times:
            return np.zeros(1), np.array([self.at_first]), np.zeros(1)
        at = np.concatenate(times)
        bend = np.concatenate([np.diff(np.concatenate([[0.0], slope, [0.0]])) for slope in slopes])
        order = np.argsort(at, kind="stable")
        at, slope = at[order], np.cumsum(bend[order])
        slope[np.abs(slope) < 1e-7] = 0.0  # what rounding leaves would grow over hours
        force = self.at_first + np.concatenate([[0.0], np.cumsum(slope[:-1] * np.diff(at))])
        return at, force, slope

    def felt(self, times: Floats, plate: Plate) -> Floats:
        """The force on the cell at rising times, ringing included."""
        at, force, slope = self.bends()
        omega = self._omegas(at, force, plate)
        here = np.searchsorted(at, times, side="right") - 1
        lag = np.where(here >= 0, (2.0 * plate.damping * slope / omega)[np.maximum(here, 0)], 0.0)
        found = np.interp(times, at, force) - lag
        for k, (bend_s, change) in enumerate(zip(at, np.diff(np.concatenate([[0.0], slope])), strict=True)):
            if change:
                self._ring(found, times, float(bend_s), float(change), plate.damping, float(omega[k]))
        for shake in self.shakes:
            first, last = np.searchsorted(times, [shake.from_s, shake.to_s])
            found[first:last] += shake.at(times[first:last])
        return found

    def _omegas(self, at: Floats, force: Floats, plate: Plate) -> Floats:
        """Of each bend: by what stands there when all is done, for in one movement it must not change."""
        begins = np.concatenate([[0], np.flatnonzero(np.diff(at) > MOVEMENT_S) + 1, [len(at)]])
        found = np.empty_like(at)
        for first, last in pairwise(begins.tolist()):
            found[first:last] = plate.omega(float(force[last - 1]), self.at_first)
        return found

    @staticmethod
    def _ring(found: Floats, times: Floats, bend_s: float, change: float, zeta: float, omega: float) -> None:
        """Add what fades of the answer to a ramp that begins: m x'' + c x' + k x = k t, from rest."""
        first, last = np.searchsorted(times, [bend_s, bend_s + GONE / (zeta * omega)])
        since = times[first:last] - bend_s
        damped = omega * np.sqrt(1.0 - zeta * zeta)
        swing = (2.0 * zeta / omega) * np.cos(damped * since) + ((2.0 * zeta * zeta - 1.0) / damped) * np.sin(
            damped * since
        )
        found[first:last] += change * np.exp(-zeta * omega * since) * swing

    def still(self, times: Floats) -> Floats:
        """The force without ringing and shaking."""
        at, force, _ = self.bends()
        return np.interp(times, at, force)
