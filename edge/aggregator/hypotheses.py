"""What a change of mass may have been: so many units of an item, or of two items at once, or something else.

Each hypothesis has a likelihood from the spread of unit weights and a prior from what people do at shelves. Units are
never forced: where something else explains a change better the answer is unknown, and where several hypotheses fit it
is a list. All weights here are densities per gram, so that they can be compared.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import combinations
from math import exp, hypot, log, pi, sqrt

from wire.events import Candidate, Change, ItemUnits

# A delivered batch weighs more or less than the one whose weight was noted: one standard deviation of its mean. Some
# differ by far more, and some goods spread more widely than was noted: that many, and by how much.
BATCH_BIAS = 0.01
WIDE_SHARE, WIDE_NEW_SHARE, WIDE_BATCH = 0.2, 0.1, 0.03
WIDE_CV, MOST_WIDE_CV = 2.5, 0.05
SURE = 0.9  # what is said without a doubt is wrong at most as often as the rest of this
SURE_SWAP = 0.92  # two kinds, one taken and one put: a difference of two weights fits much that is neither
MOST_SURE = 0.995
DOUBTED = 0.5  # whatever the weights say, of a scale that should be looked at
CREEP = 0.0005  # of a change: cells creep by up to 0.05 % in half an hour, most of it at once
# What people do: units taken one at a time, seldom more; put back so too, or filled up by any number.
MORE_TAKEN, ANY_TAKEN = 0.4, 0.03
MORE_PUT, ANY_PUT = 0.4, 0.5
TWO_ITEMS, SWAP = 0.04, 0.04
MORE_SWAPPED = 0.1
TOO_MANY_TAKEN, TOO_MANY_PUT = 2e-3, 1e-4  # more than was there, or than fits: counts can be wrong too
WHILE_FILLING = 0.2  # so much less than else is put that does not belong there
# Something that is no goods of this bay: put, and not gone within seconds; its mass is around so much, by a factor.
FOREIGN_PUT, FOREIGN_GRAMS, FOREIGN_FACTOR = 0.08, 700.0, 1.2
OPENED = 0.02  # goods put back after some of them was used
# A hand that presses on goods, or holds them half lifted, for long enough to look like rest: about up to a unit's mass.
HANDLED, HANDLED_PUT = 0.006, 0.002  # what is put has to last, and hands go
FOREIGN_TAKEN = 0.002 / 5000.0  # something that nobody knows of was there
KNOWN_FOREIGN_GOES = 0.3
PART_GOES = 0.05  # a part of it does, of any mass: the crate that goods came in
# Who sets down a bag takes it along minutes later, if at all: so fast it is expected less, down to a share.
GOES_WITHIN_MS, STAYS_SHARE = 180_000, 0.1
RETURNED = 0.3  # what was taken here moments before is put back
MISPLACED = 0.03  # what was taken elsewhere moments before is put here
SAME_MASS = 0.002  # one mass weighed twice, while a hand was near: one sigma
OTHER_CELL = ((0.7, SAME_MASS), (0.3, 0.01))  # on two cells: how often they agree so well
MOST_PAIRED = 12  # units of either item in one move of two kinds
MOST_LISTED = 8
WEIGHT_LISTED = 0.01


@dataclass(frozen=True, slots=True, kw_only=True)
class Item:
    """A kind of goods on a bay. `unit_cv` is the spread of single units (standard deviation over mean).

    `bias` is how well the mean is known, one standard deviation over the mean; `wide`, how probable it is that batch or
    spread are far from what was noted. Both shrink as the goods are weighed.
    """

    gtin: str
    unit_grams: float
    unit_cv: float
    unit_tare_grams: float = 0.0  # of a tray or hanger that comes and goes with each unit
    bias: float = BATCH_BIAS
    wide: float = WIDE_SHARE

    @property
    def gross_grams(self) -> float:
        return self.unit_grams + self.unit_tare_grams


@dataclass(frozen=True, slots=True)
class Taken:
    """Goods that were taken, somewhere on the site, and not put back yet."""

    shelf: str
    bay: str
    item: str
    units: int
    grams: float
    at_ms: int


@dataclass(frozen=True, slots=True)
class Lying:
    """A thing on the bay that may be no goods of it: its mass, and how probable it is that it has not just stayed.

    `units` of `item`, where it is known to be goods that belong elsewhere. `new`: it has not been said yet, so that it
    is looked at elsewhere whether it goes again.
    """

    grams: float
    goes: float = 1.0
    item: str | None = None
    units: int = 0
    new: bool = False


@dataclass(frozen=True, slots=True)
class Around:
    """What is known beside the weights: things `lying` on the bay, and goods taken lately.

    `lying` are also those that were put and left unexplained. `here` are those taken from this bay, `elsewhere` from
    others. `filling`: goods are being put here.
    """

    lying: Sequence[Lying] = ()
    here: Sequence[Taken] = ()
    elsewhere: Sequence[Taken] = ()
    filling: bool = False


NOTHING = Around()


@dataclass(frozen=True, slots=True)
class Answer:
    """`changes` is empty unless the outcome is `ok`.

    `evidence` is the density of the change under all that was thought of, `foreign` that of its being no goods.
    `taken` is what was put here and comes from elsewhere; `returned`: it comes from here.
    """

    outcome: Change
    confidence: float
    changes: tuple[ItemUnits, ...] = ()
    candidates: tuple[Candidate, ...] = ()
    evidence: float = 0.0
    foreign: float = 0.0
    taken: Taken | None = None
    returned: Taken | None = None

    def doubted(self) -> "Answer":
        """The same, from a scale that is not to be believed."""
        if self.outcome is not Change.OK:
            return self
        candidates = (Candidate(changes=self.changes, odds=round(self.confidence, 3)),)
        return replace(self, outcome=Change.AMBIGUOUS, changes=(), candidates=candidates, confidence=DOUBTED)

    @property
    def confirm(self) -> bool:
        """Whether only the number is open, so that a person can say it at a glance."""
        kinds = {tuple(change.item for change in each.changes) for each in self.candidates}
        return len(self.candidates) > 1 and len(kinds) == 1 and len(next(iter(kinds))) == 1


_Label = tuple[tuple[str, int], ...]


def explain(
    grams: float,
    noise: float,
    items: Sequence[Item],
    held: Mapping[str, int] | None,
    capacity: int | None,
    around: Around = NOTHING,
) -> Answer:
    """Explain a signed change of mass.

    Args:
        grams: the change; `noise` is its standard deviation as measured.
        held: units of each item before it, by GTIN; None where not known.
        capacity: units that fit, of all items together; None where not known.
    """
    noise = hypot(noise, CREEP * grams)
    if grams > 0 and not around.filling:
        items = [_of_any_batch(item) for item in items]
    weights: dict[_Label, float] = {}
    for units in _all(grams, items, min(capacity or MOST_PAIRED, MOST_PAIRED)):
        density = likelihood(grams, noise, units) * _prior(units, held, capacity, len(items))
        label = tuple(sorted((item.gtin, n) for item, n in units))
        weights[label] = weights.get(label, 0.0) + density
    best: dict[_Label, Taken] = {}
    if grams > 0:
        _add_returns(grams, noise, around, weights, best)
    for each in around.lying:
        if grams < 0 and each.item is not None:
            label = ((each.item, -each.units),)
            weights[label] = weights.get(label, 0.0) + _goes(grams, noise, each)
    foreign = _foreign(grams, noise, items, around)
    return _answer(weights, foreign, best, around)


def _of_any_batch(item: Item) -> Item:
    """What is put first may come from another delivery than what was weighed."""
    return replace(item, bias=max(item.bias, BATCH_BIAS), wide=max(item.wide, WIDE_NEW_SHARE))


def _goes(grams: float, noise: float, thing: Lying) -> float:
    """The density of a change if it is that thing going away."""
    return KNOWN_FOREIGN_GOES * thing.goes * normal(grams + thing.grams, same_mass(noise, thing.grams))


def _add_returns(
    grams: float, noise: float, around: Around, weights: dict[_Label, float], best: dict[_Label, Taken]
) -> None:
    misplaced = MISPLACED * (WHILE_FILLING if around.filling else 1.0)
    for taken, share, spans in (
        *((each, RETURNED / len(around.here), ((1.0, SAME_MASS),)) for each in around.here),
        *((each, misplaced / len(around.elsewhere), OTHER_CELL) for each in around.elsewhere),
    ):
        off = grams - taken.grams
        density = share * sum(often * normal(off, hypot(1.4 * noise, by * grams)) for often, by in spans)
        label = ((taken.item, taken.units),)
        if density > 0.5 * weights.get(label, 0.0):
            best[label] = taken
        weights[label] = weights.get(label, 0.0) + density


def _answer(
    weights: Mapping[_Label, float], foreign: float, best: Mapping[_Label, Taken], around: Around
) -> Answer:
    total = foreign + sum(weights.values())
    if not weights or total <= 0.0 or foreign >= 0.5 * total:
        return Answer(
            Change.UNKNOWN_MASS, foreign / total if total > 0 else 1.0, evidence=total, foreign=foreign
        )
    found = sorted(weights.items(), key=lambda each: -each[1])
    label, weight = found[0]
    odds = min(weight / total, MOST_SURE)
    if odds >= (SURE_SWAP if len({n > 0 for _, n in label}) > 1 else SURE):
        taken = best.get(label)
        here = taken is not None and taken in around.here
        return Answer(
            Change.OK, odds, _said(label), evidence=total, foreign=foreign,
            taken=None if here else taken, returned=taken if here else None,
        )  # fmt: skip
    listed = [each for each in found if each[1] > WEIGHT_LISTED * total][:MOST_LISTED]
    candidates = tuple(Candidate(changes=_said(which), odds=round(w / total, 3)) for which, w in listed)
    return Answer(Change.AMBIGUOUS, odds, candidates=candidates, evidence=total, foreign=foreign)


def contents(
    grams: float, noise: float, items: Sequence[Item], capacity: int | None
) -> dict[str, int] | None:
    """What stands on a bay of so much net mass, by GTIN; None where it cannot be told.

    Goods were put there in many moves, so every mix is as probable as any other. Three kinds and more fit everything.
    """
    empty = dict.fromkeys((item.gtin for item in items), 0)
    lightest = min((item.gross_grams for item in items), default=0.0)
    near, nothing = max(2.0, 0.35 * lightest), normal(grams, noise)
    if not items or abs(grams) < near:
        one = normal(lightest - abs(grams), noise)
        return empty if nothing >= SURE * (nothing + one) else None
    if len(items) > 2:
        return None
    most = capacity or max(round(grams / item.gross_grams) + 1 for item in items)
    mixes = {
        tuple(units): likelihood(grams, noise, units)
        for units in _all(grams, items, most)
        if min(n for _, n in units) > 0 and sum(n for _, n in units) <= most
    }
    if not mixes:
        return None
    units, weight = max(mixes.items(), key=lambda each: each[1])
    off = grams - sum(n * item.gross_grams for item, n in units)
    if abs(off) > 3.0 * _spread(noise, units, wide=True) or weight < SURE * (nothing + sum(mixes.values())):
        return None
    return empty | {item.gtin: n for item, n in units}


def weighed(noise: float, units: Sequence[tuple[Item, int]]) -> tuple[float, float]:
    """The mass of so many units of each item, in grams, and the standard deviation of that."""
    known = [(item, max(1, n)) for item, n in units]
    return sum(n * item.gross_grams for item, n in units), _spread(noise, known, wide=True)


def normal(off: float, sigma: float) -> float:
    z = off / sigma
    return exp(-0.5 * z * z) / (sigma * sqrt(2 * pi)) if abs(z) < 38 else 0.0


def lasts(age_ms: int) -> float:
    """How many of the things that somebody sets down lie there still after so long, or will for good."""
    return max(STAYS_SHARE, exp(-max(0, age_ms) / GOES_WITHIN_MS))


def same_mass(noise: float, mass: float) -> float:
    """By how much one mass that was put and goes again differs, one standard deviation."""
    return hypot(1.4 * noise, 2 * SAME_MASS * mass)


def likelihood(grams: float, noise: float, units: Sequence[tuple[Item, int]]) -> float:
    """The density of a mass if it is these units."""
    off = grams - sum(n * item.gross_grams for item, n in units)
    wide = max(item.wide for item, _ in units)
    return (1 - wide) * normal(off, _spread(noise, units, wide=False)) + wide * normal(
        off, _spread(noise, units, wide=True)
    )


def _spread(noise: float, units: Sequence[tuple[Item, int]], *, wide: bool) -> float:
    parts = [noise]
    for item, n in units:
        cv = max(item.unit_cv, min(WIDE_CV * item.unit_cv, MOST_WIDE_CV)) if wide else item.unit_cv
        bias = max(item.bias, WIDE_BATCH) if wide else item.bias
        parts += [sqrt(abs(n)) * cv * item.unit_grams, n * bias * item.unit_grams]
    return hypot(*parts)


def _said(label: _Label) -> tuple[ItemUnits, ...]:
    return tuple(ItemUnits(item=gtin, units=n) for gtin, n in label)


def _all(grams: float, items: Sequence[Item], most: int) -> Iterator[tuple[tuple[Item, int], ...]]:
    for item in items:
        nearest = round(grams / item.gross_grams)
        yield from (((item, n),) for n in range(nearest - 2, nearest + 3) if n * grams > 0)
    for one, other in combinations(items, 2):
        for n in range(-most, most + 1):
            m = round((grams - n * one.gross_grams) / other.gross_grams)
            for k in (m - 1, m, m + 1):
                if n and k and abs(k) <= most:
                    yield ((one, n), (other, k))


def _foreign(grams: float, noise: float, items: Sequence[Item], around: Around) -> float:
    """The density of a change that is no goods of this bay."""
    heaviest = max((item.gross_grams for item in items), default=0.0)
    share = HANDLED if grams < 0 else HANDLED_PUT
    handled = share / heaviest * exp(-abs(grams) / heaviest) if heaviest else 0.0
    if grams < 0:
        known = sum(_goes(grams, noise, each) for each in around.lying if each.item is None and not each.new)
        part = sum(each.goes * PART_GOES / each.grams for each in around.lying if each.grams > -grams)
        return FOREIGN_TAKEN + handled + known + part
    grams = max(grams, 0.1)
    off = log(grams / FOREIGN_GRAMS) / FOREIGN_FACTOR
    put = FOREIGN_PUT * (WHILE_FILLING if around.filling else 1.0)
    anything = put * exp(-0.5 * off * off) / (grams * FOREIGN_FACTOR * sqrt(2 * pi))
    opened = sum(OPENED / each.grams for each in around.here if 0.0 < grams < each.grams)
    return anything + opened + handled


def _prior(
    units: Sequence[tuple[Item, int]], held: Mapping[str, int] | None, capacity: int | None, kinds: int
) -> float:
    if len(units) == 1:
        prior = _one(units[0][1], capacity) / kinds
    elif units[0][1] * units[1][1] > 0:
        prior = TWO_ITEMS * _one(units[0][1], capacity) * _one(units[1][1], capacity)
    else:
        prior = SWAP * MORE_SWAPPED ** (sum(abs(n) for _, n in units) - 2)
    if held is not None and any(held.get(item.gtin, 0) + n < 0 for item, n in units):
        prior *= TOO_MANY_TAKEN
    put = sum(n for _, n in units)
    if capacity is not None and put > 0 and put + (sum(held.values()) if held else 0) > capacity:
        prior *= TOO_MANY_PUT
    return prior


def _one(n: int, capacity: int | None) -> float:
    """How probable it is that so many units of one kind are moved, if any are."""
    more, any_number = (MORE_TAKEN, ANY_TAKEN) if n < 0 else (MORE_PUT, ANY_PUT)
    return float(
        (1 - any_number) * (1 - more) * more ** (abs(n) - 1) + any_number / max(capacity or 24, abs(n))
    )
