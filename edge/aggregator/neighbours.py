"""What neighbouring bays have to do with each other: a load on one shows on the next, and goods stand across two.

How much of a load shows next door is learned where nobody has measured it: from changes of a neighbour during which
nothing else happened here.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from math import hypot

import numpy as np

from edge.aggregator.channels import Bools, Floats, Ints
from edge.aggregator.hypotheses import Answer, normal
from wire.events import Change

# Shares of a load that show on the next cell of a common board: between nothing and 3 %. One that was measured and is
# taken off leaves less.
SHARE, SHARE_SPREAD = 0.01, 0.01
MEASURED_SPREAD = 0.003
LEAST_SPREAD = 0.0005
TELLING_GRAMS = 50.0  # a smaller change next door teaches nothing
MOST_SHARE = 0.06  # a greater one is no crosstalk
DEFER_MS = 2_500  # a bay waits so long for its neighbour, which may be part of the same move
ACROSS, SHIFTED = 0.02, 0.02  # goods that stand across two bays; goods pushed from one to the other, partly
SURE_ODDS = 9.0  # of one reading over another


class Neighbours:
    """Of each bay: the bays and cells on either side, on the same shelf, and how much of their load shows here."""

    def __init__(self, shelf_of: Ints, starts: Ints, sizes: Sequence[int], measured: Sequence[bool]) -> None:
        count = len(shelf_of)
        self.shelf_of = shelf_of
        same = np.zeros(count + 1, np.bool_)
        same[1:count] = shelf_of[1:] == shelf_of[:-1]
        bays = np.arange(count)
        self.left: Ints = np.where(same[:count], bays - 1, -1)
        self.right: Ints = np.where(same[1:], bays + 1, -1)
        cells = int(sum(sizes))
        ends = starts + np.array(sizes, np.int64)
        self._left_cell = np.where(self.left >= 0, starts - 1, cells)
        self._right_cell = np.where(self.right >= 0, ends, cells)
        known = np.array(measured, np.bool_)[shelf_of] if count else np.zeros(0, np.bool_)
        self.share: Floats = np.where(known, 0.0, SHARE)
        self.spread: Floats = np.where(known, MEASURED_SPREAD, SHARE_SPREAD)
        self.before: Floats = np.zeros(count)

    def beside(self, level: Floats) -> Floats:
        """What lies on the two cells beside each bay, together."""
        padded = np.append(level, 0.0)
        found: Floats = padded[self._left_cell] + padded[self._right_cell]
        return found

    def either(self, flags: Bools) -> Bools:
        """Of each bay, whether a bay on either side is flagged."""
        padded = np.append(flags, False)
        found: Bools = padded[self.left] | padded[self.right]
        return found

    def learn(self, bay: int, grams: float, beside: float, noise: float) -> None:
        """Nothing happened at a bay, and it changed by `grams` while what lies beside changed by `beside`."""
        if abs(beside) < TELLING_GRAMS or abs(grams) > MOST_SHARE * abs(beside):
            return
        spread, measured = float(self.spread[bay]), noise / abs(beside)
        gain = spread**2 / (spread**2 + measured**2)
        self.share[bay] += gain * (grams / beside - self.share[bay])
        self.spread[bay] = max(LEAST_SPREAD, spread * (1 - gain) ** 0.5)


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
