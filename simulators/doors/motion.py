"""Ways through, past and up to a door: where a load is at a time. Pure.

A way is a list of knots (second, x, y) that is walked along straight lines; before the first and after the last it
stays where they are.
"""

from bisect import bisect, bisect_left
from collections.abc import Sequence
from itertools import pairwise
from random import Random

import numpy as np

from simulators.doors.radio import Floats

FAR_M = 7.0  # from the sill: nothing is read there
Knot = tuple[float, float, float]


class Way:
    """Knots as columns; `t` rises."""

    def __init__(self, knots: Sequence[Knot]) -> None:
        self.t, self.x, self.y = (np.array(column, dtype=np.float64) for column in zip(*knots, strict=True))
        self._times: list[float] = self.t.tolist()
        self._moves: list[bool] = [a[1:] != b[1:] for a, b in pairwise(knots)]

    def at(self, seconds: Floats) -> tuple[Floats, Floats]:
        return np.interp(seconds, self.t, self.x), np.interp(seconds, self.t, self.y)

    @property
    def begins_s(self) -> float:
        return self._times[0]

    @property
    def ends_s(self) -> float:
        return self._times[-1]

    def moves_between(self, from_s: float, to_s: float) -> bool:
        """Whether it is anywhere else at some time of these."""
        return any(self._moves[max(0, bisect(self._times, from_s) - 1) : bisect_left(self._times, to_s)])

    def knot(self, at_s: float) -> int:
        """The number of the last knot before a time: while it rests, where it rests."""
        return bisect(self._times, at_s)

    def crossings(self, ahead_m: float) -> list[tuple[float, str]]:
        """When a tag so far ahead of its load's middle crossed the sill, and which way."""
        y = self.y + ahead_m
        found = []
        for i in range(len(y) - 1):
            if (y[i] < 0.0) != (y[i + 1] < 0.0):
                share = -y[i] / (y[i + 1] - y[i])
                at_s = float(self.t[i] + share * (self.t[i + 1] - self.t[i]))
                found.append((at_s, "in" if y[i] < 0.0 else "out"))
        return found


def along(from_s: float, points: Sequence[tuple[float, float]], speed: float, rng: Random) -> list[Knot]:
    """Knots along points at about a speed, m/s: nobody keeps one exactly, each half metre has its own."""
    knots: list[Knot] = [(from_s, *points[0])]
    for x, y in points[1:]:
        at_s, x0, y0 = knots[-1]
        length = float(np.hypot(x - x0, y - y0))
        parts = max(1, round(length / 0.5))
        for part in range(1, parts + 1):
            at_s += length / parts / (speed * rng.uniform(0.8, 1.2))
            share = part / parts
            knots.append((at_s, x0 + share * (x - x0), y0 + share * (y - y0)))
    return knots


def through(
    from_s: float, *, inwards: bool, speed: float, rng: Random, x: float = 0.0, stop_s: float = 0.0,
    stop_y: float = 0.0,
) -> Way:  # fmt: skip
    """Through the door whose middle is at `x`, with a stop at `stop_y` if it lasts."""
    sign = 1.0 if inwards else -1.0
    drift = rng.uniform(-0.3, 0.3)
    begin, end = (x + rng.uniform(-1.5, 1.5), -sign * FAR_M), (x + rng.uniform(-1.5, 1.5), sign * FAR_M)
    points = [begin, (x + drift, -sign * 2.0), (x + drift, stop_y)]
    knots = along(from_s, points, speed, rng)
    if stop_s:
        knots.append((knots[-1][0] + stop_s, knots[-1][1], knots[-1][2]))
    rest = along(knots[-1][0], [(x + drift, stop_y), (x + drift, sign * 2.0), end], speed, rng)
    return Way([*knots, *rest[1:]])


def turning(
    from_s: float, *, inside: bool, to_y: float, pause_s: float, speed: float, rng: Random, x: float = 0.0
) -> Way:
    """Up to `to_y` from outside (or inside), a pause, and back where it came from."""
    sign = 1.0 if inside else -1.0
    drift = rng.uniform(-0.3, 0.3)
    there = along(from_s, [(x + rng.uniform(-1.5, 1.5), sign * FAR_M), (x + drift, to_y)], speed, rng)
    at_s = there[-1][0] + pause_s
    back = along(at_s, [(x + drift, to_y), (x + rng.uniform(-1.5, 1.5), sign * FAR_M)], speed, rng)
    return Way([*there, *back])


def past(from_s: float, *, y: float, leftwards: bool, speed: float, rng: Random, x: float = 0.0) -> Way:
    """Across before the door, at `y`, without going through."""
    sign = -1.0 if leftwards else 1.0
    points = [(x - sign * FAR_M, y), (x, y + rng.uniform(-0.3, 0.3)), (x + sign * FAR_M, y)]
    return Way(along(from_s, points, speed, rng))


def resting(x: float, y: float, from_s: float, to_s: float) -> Way:
    return Way([(from_s, x, y), (to_s, x, y)])
