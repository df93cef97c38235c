"""What a change of mass may have been: so many units of an item, or of two items at once, or something else.

Each hypothesis has a likelihood from the spread of unit weights and a prior from what people do at shelves. Units are
never forced: where no hypothesis fits the answer is unknown, and where several fit it is a list.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import combinations
from math import exp, hypot, pi, sqrt

from wire.events import Candidate, Change, ItemUnits

# A delivered batch weighs more or less than the one whose weight was noted: one standard deviation of its mean.
BATCH_BIAS = 0.01
FIT_SIGMAS = 3.0
SURE = 0.8  # a runner-up is at least four times less likely
NOT_SURE_MORE = 0.995
# Priors, against one unit of one item: each further unit; two items in one move, and each further unit of that; one
# kind taken for another put, which is a customer who changes their mind: seldom of more than one unit each.
MORE_UNITS = 0.9
TWO_ITEMS, MORE_OF_TWO = 0.05, 0.8
SWAP, MORE_SWAPPED = 0.02, 0.5
IMPOSSIBLE = 1e-4  # more taken than was there, or put than fits: counts can be wrong too
# Something else altogether, of any mass up to 5 kg.
FOREIGN = 0.01 / 5000.0
MOST_PAIRED = 12  # units of either item in one move of two kinds
MOST_LISTED = 8


@dataclass(frozen=True, slots=True, kw_only=True)
class Item:
    """A kind of goods on a bay. `unit_cv` is the spread of single units (standard deviation over mean)."""

    gtin: str
    unit_grams: float
    unit_cv: float
    unit_tare_grams: float = 0.0  # of a tray or hanger that comes and goes with each unit


@dataclass(frozen=True, slots=True)
class Answer:
    """`changes` is empty unless the outcome is `ok`."""

    outcome: Change
    confidence: float
    changes: tuple[ItemUnits, ...] = ()
    candidates: tuple[Candidate, ...] = ()


@dataclass(frozen=True, slots=True)
class _Hypothesis:
    units: tuple[tuple[Item, int], ...]
    weight: float  # likelihood, times prior where there is one
    fits: bool


def explain(
    grams: float, noise: float, items: Sequence[Item], held: Mapping[str, int] | None, capacity: int | None
) -> Answer:
    """Explain a signed change of mass.

    Args:
        grams: the change; `noise` is its standard deviation as measured.
        held: units of each item before it, by GTIN; None where not known.
        capacity: units that fit, of all items together; None where not known.
    """
    most = min(capacity or MOST_PAIRED, MOST_PAIRED)
    likely = (_likely(grams, noise, units) for units in _all(grams, items, most))
    found = [replace(h, weight=h.weight * _prior(h.units, held, capacity)) for h in likely]
    found.sort(key=lambda h: -h.weight)
    total = FOREIGN + sum(h.weight for h in found)
    if not found or not found[0].fits:
        return Answer(Change.UNKNOWN_MASS, 1.0 - sum(h.weight for h in found if h.fits) / total)
    odds = found[0].weight / total
    if odds >= SURE:
        return Answer(Change.OK, min(odds, NOT_SURE_MORE), _said(found[0]))
    listed = [h for h in found if h.fits and h.weight > 0.01 * total][:MOST_LISTED]
    candidates = tuple(Candidate(changes=_said(h), odds=round(h.weight / total, 3)) for h in listed)
    return Answer(Change.AMBIGUOUS, odds, candidates=candidates)


def contents(
    grams: float, noise: float, items: Sequence[Item], capacity: int | None
) -> dict[str, int] | None:
    """What stands on a bay of so much net mass, by GTIN; None where it cannot be told.

    Goods were put there in many moves, so every mix is as probable as any other. Three kinds and more fit everything.
    """
    empty = dict.fromkeys((item.gtin for item in items), 0)
    if not items or abs(grams) < max(2.0, 0.35 * min(item.unit_grams for item in items)):
        return empty
    if len(items) > 2:
        return None
    most = capacity or max(round(grams / item.unit_grams) + 1 for item in items)
    mixes = (
        units
        for units in _all(grams, items, most)
        if min(n for _, n in units) > 0 and sum(n for _, n in units) <= most
    )
    found = sorted((_likely(grams, noise, units) for units in mixes), key=lambda h: -h.weight)
    if not found or not found[0].fits or found[0].weight < SURE * sum(h.weight for h in found):
        return None
    return empty | {item.gtin: n for item, n in found[0].units}


def _said(hypothesis: _Hypothesis) -> tuple[ItemUnits, ...]:
    return tuple(ItemUnits(item=item.gtin, units=n) for item, n in hypothesis.units)


def _all(grams: float, items: Sequence[Item], most: int) -> Iterator[tuple[tuple[Item, int], ...]]:
    for item in items:
        nearest = round(grams / item.unit_grams)
        yield from (((item, n),) for n in (nearest - 1, nearest, nearest + 1) if n)
    for one, other in combinations(items, 2):
        for n in range(-most, most + 1):
            m = round((grams - n * one.unit_grams) / other.unit_grams)
            if n and m and abs(m) <= most:
                yield ((one, n), (other, m))


def _likely(grams: float, noise: float, units: tuple[tuple[Item, int], ...]) -> _Hypothesis:
    left = grams - sum(n * item.unit_grams for item, n in units)
    spread = hypot(
        noise,
        *(sqrt(abs(n)) * item.unit_cv * item.unit_grams for item, n in units),
        *(n * BATCH_BIAS * item.unit_grams for item, n in units),
    )
    off = left / spread
    return _Hypothesis(units, exp(-0.5 * off * off) / (spread * sqrt(2 * pi)), abs(off) <= FIT_SIGMAS)


def _prior(
    units: tuple[tuple[Item, int], ...], held: Mapping[str, int] | None, capacity: int | None
) -> float:
    moved = sum(abs(n) for _, n in units)
    if len(units) == 1:
        prior = MORE_UNITS ** (moved - 1)
    elif units[0][1] * units[1][1] > 0:
        prior = TWO_ITEMS * MORE_OF_TWO ** (moved - 2)
    else:
        prior = SWAP * MORE_SWAPPED ** (moved - 2)
    if held is not None and any(held.get(item.gtin, 0) + n < 0 for item, n in units):
        prior *= IMPOSSIBLE
    put = sum(n for _, n in units)
    if capacity is not None and put > 0 and put + (sum(held.values()) if held else 0) > capacity:
        prior *= IMPOSSIBLE
    return prior
