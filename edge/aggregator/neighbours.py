"""What neighbouring bays have to do with each other: a load on one shows on the next, and goods stand across two.

How much of a load shows next door is learned where nobody has measured it: from changes of a neighbour during which
nothing else happened here.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from math import hypot, isnan

import numpy as np

from edge.aggregator.channels import Bools, Floats, Ints
from edge.aggregator.hypotheses import Answer, normal
from wire.events import Change

# Shares of a load that show on the next cell of a common board: between nothing and 3 %. One that was measured and is
# taken off leaves less.
SHARE, SHARE_SPREAD = 0.01, 0.01
MEASURED_SPREAD = 0.003
LEAST_SPREAD = 0.002  # where on the neighbour's plate a load stands makes so much of a difference
TELLING_GRAMS = 50.0  # a smaller change next door teaches nothing
LEAST_SHARE, MOST_SHARE = -0.005, 0.04  # what is learned stays within what boards share
ODD_SHARE = 0.06  # a greater one is no crosstalk
ONE_SIDED = 0.1  # of a load: a smaller one on the other side does not matter
DEFER_MS = 2_500  # a bay waits so long for its neighbour, which may be part of the same move
ACROSS, SHIFTED = 0.02, 0.02  # goods that stand across two bays; goods pushed from one to the other, partly
SURE_ODDS = 9.0  # of one reading over another


Cells = Sequence[tuple[int, ...]]  # of each bay of a shelf
Learned = tuple[int, int, float, float]  # cell that is loaded, cell on which it shows, share, one sigma


@dataclass(frozen=True, slots=True)
class Beside:
    """What has come to lie on the cells next to a bay (`left`, `right`), and what shows here of it: grams, and how well
    that is known, one sigma."""

    left: float = 0.0
    right: float = 0.0
    shown: float = 0.0
    spread: float = 0.0


class Shares:
    """Of one shelf: how much of what lies beside a bay shows there, and how well that is known, one sigma.

    Both have a row for the left and one for the right, and a column a bay: parts of those of all shelves.
    """

    def __init__(self, share: Floats, spread: Floats) -> None:
        self._share, self._spread = share, spread

    def begin(self, *, measured: bool) -> None:
        """Forget what was learned. `measured`: what shows is taken off from now on, but for a rest of it."""
        self._share[:] = 0.0 if measured else SHARE
        self._spread[:] = MEASURED_SPREAD if measured else SHARE_SPREAD

    def learned(self, cells: Cells) -> list[Learned]:
        return [
            (*pair, float(self._share[at]), float(self._spread[at]))
            for at, pair in _beside(cells)
            if self._spread[at] not in (SHARE_SPREAD, MEASURED_SPREAD)
        ]

    def restore(self, cells: Cells, learned: Iterable[Learned]) -> None:
        """Of cells that are beside each other still."""
        kept = {(loaded, shown): known for loaded, shown, *known in learned}
        for at, pair in _beside(cells):
            if pair in kept:
                self._share[at], self._spread[at] = kept[pair]


def _beside(cells: Cells) -> Iterator[tuple[tuple[int, int], tuple[int, int]]]:
    """Row and column of each side of a bay where another one is, and the cells there: loaded, and shown on."""
    for n, (one, other) in enumerate(pairwise(cells)):
        yield (0, n + 1), (one[-1], other[0])
        yield (1, n), (other[0], one[-1])


class Neighbours:
    """Of each bay: the bays and cells on either side, on the same shelf, and how much of their load shows here.

    Arrays have a row for the left and one for the right.
    """

    def __init__(self, shelf_of: Ints, starts: Ints, sizes: Sequence[int], measured: Sequence[bool]) -> None:
        count = len(shelf_of)
        same = np.zeros(count + 1, np.bool_)
        same[1:count] = shelf_of[1:] == shelf_of[:-1]
        bays = np.arange(count)
        self.sides: Ints = np.array([np.where(same[:count], bays - 1, -1), np.where(same[1:], bays + 1, -1)])
        self.right = self.sides[1]
        ends, none = starts + np.array(sizes, np.int64), int(sum(sizes))
        cells = (starts - 1, ends)
        self._cells = np.array(
            [np.where(side >= 0, cell, none) for side, cell in zip(self.sides, cells, strict=True)]
        )
        known = np.array(measured, np.bool_)[shelf_of] if count else np.zeros(0, np.bool_)
        self._share: Floats = np.tile(np.where(known, 0.0, SHARE), (2, 1))
        self._spread: Floats = np.tile(np.where(known, MEASURED_SPREAD, SHARE_SPREAD), (2, 1))
        self._before: Floats = np.full((2, count), np.nan)

    def stood(self, level: Floats, quiet: Bools) -> None:
        """Bays that are `quiet` carry what they do with what lies beside them now; nan where that is not known."""
        self._before = np.where(quiet, np.append(level, 0.0)[self._cells], self._before)

    def shares(self, bays: slice) -> Shares:
        return Shares(self._share[:, bays], self._spread[:, bays])

    def beside(self, bay: int, level: Floats) -> Beside:
        """What has come beside a bay since it was quiet."""
        cells = self._cells[:, bay]
        left, right = (
            float(level[cell] - was) if cell < len(level) and not isnan(was) else 0.0
            for cell, was in zip(cells, self._before[:, bay], strict=True)
        )
        return self._shown(bay, left, right)

    def laden(self, bay: int, level: Floats) -> Beside:
        """All that lies beside a bay: cells are calibrated each by itself, so that it shows from the beginning."""
        return self._shown(
            bay, *(float(level[cell]) if cell < len(level) else 0.0 for cell in self._cells[:, bay])
        )

    def _shown(self, bay: int, left: float, right: float) -> Beside:
        shares, spreads = self._share[:, bay], self._spread[:, bay]
        shown = left * float(shares[0]) + right * float(shares[1])
        return Beside(left, right, shown, hypot(left * float(spreads[0]), right * float(spreads[1])))

    def either(self, flags: Bools) -> Bools:
        """Of each bay, whether a bay on either side is flagged."""
        padded = np.append(flags, False)
        found: Bools = padded[self.sides[0]] | padded[self.sides[1]]
        return found

    def learn(self, bay: int, grams: float, beside: Beside, noise: float) -> None:
        """Nothing happened at a bay, and it changed by `grams` while something came `beside`."""
        side = 0 if abs(beside.left) > abs(beside.right) else 1
        other, load = sorted((beside.left, beside.right), key=abs)
        if abs(load) < TELLING_GRAMS or abs(other) > ONE_SIDED * abs(load):
            return
        if abs(grams) > ODD_SHARE * abs(load):
            return
        share, spread = float(self._share[side, bay]), float(self._spread[side, bay])
        measured = noise / abs(load)
        gain = spread**2 / (spread**2 + measured**2)
        learned = share + gain * (grams / load - share)
        self._share[side, bay] = min(MOST_SHARE, max(LEAST_SHARE, learned))
        self._spread[side, bay] = max(LEAST_SPREAD, spread * (1 - gain) ** 0.5)


@dataclass(frozen=True, slots=True)
class Part:
    """One of two changes, side by side and at one time: `alone`, what explains it by itself; `whole`, both together."""

    grams: float
    noise: float
    alone: Answer
    whole: Answer


@dataclass(frozen=True, slots=True)
class Together:
    """`owner`: 0 or 1, whose goods stood across; None where goods were only pushed. `sure`: or nothing is."""

    owner: int | None
    sure: bool


def together(one: Part, other: Part) -> Together | None:
    """How two changes at one time belong together; None where each is explained by itself."""
    total = one.grams + other.grams
    apart = one.alone.evidence * other.alone.evidence
    across = [0.0, 0.0]
    if one.grams * other.grams > 0:
        for n, part in enumerate((one, other)):
            if part.whole.outcome is Change.OK:
                across[n] = ACROSS * part.whole.evidence / abs(total) * abs(part.grams / total)
    pushed = 0.0
    if one.grams * other.grams < 0 and Change.OK not in (one.alone.outcome, other.alone.outcome):
        pushed = SHIFTED * normal(total, hypot(one.noise, other.noise, 0.002 * one.grams)) / 1000.0
    best = max(*across, pushed)
    if best * SURE_ODDS < apart:
        return None
    owner = None if best == pushed else across.index(best)
    return Together(owner, best > SURE_ODDS * (apart + sum(across) + pushed - best))
