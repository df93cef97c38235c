"""Holds what was said of a shelf against what happened there.

Happenings and answers of a bay that overlap in time belong together, for nobody can tell apart what was never at rest
between; their sums are compared. *Right*: the same units, by item. *Wrong*: units were said, without a doubt, and other
ones moved. *Abstained*: it was said that something changed, and that it could not be told what. *Missed*: nothing
was said. What is no goods (a hand, a bag) should be answered by silence or, if it stays, by saying that it is unknown.

What is *decidable* is a matter of weights alone: the units that moved are, by everything that is known of the goods,
further than six standard deviations (three on either side) from every other likely answer.
"""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import combinations
from math import hypot, sqrt

from benchmarks.shelf_play import Answer, State, Told
from simulators.shelves.goods import Goods
from simulators.shelves.site import Place
from simulators.shelves.world import Happened, World
from wire.events import Condition

APART_S = (
    0.35  # a hand's end and a plateau's beginning may be so far apart, and two periods of the device more
)
SIGMAS = 6.0
BATCH = 0.01  # by how much deliveries differ, one standard deviation
UNKNOWN_SHARE = 0.015  # of a neighbour's load, where nobody has measured it: about half of what boards share
KNOWN_SHARE = 0.1  # of the share measured, by which it may be off
WEIGHED = 8  # units that the noted weight comes from
WARNED_S = 20.0  # that a bay is uncertain is said so long after what made it so, at most
NOT_COUNTING = (Condition.NEEDS_CHECK, Condition.BLIND)
Units = Mapping[str, int]


@dataclass(slots=True)
class Score:
    """Counts of moves: what happened to goods, or pretended to."""

    moves: int = 0
    right: int = 0
    wrong: int = 0
    abstained: int = 0
    missed: int = 0
    decidable: int = 0
    decided: int = 0  # of the decidable ones, right
    bays: int = 0
    level_right: int = 0
    level_unknown: int = 0
    level_error: float = 0.0  # units, of bays whose level is said
    balance_error: float = 0.0  # units, of all bays: what stood there first and what was booked since
    delays_s: list[float] = field(default_factory=list)
    sure: list[tuple[float, bool]] = field(default_factory=list)
    details: list[str] = field(default_factory=list)

    def __iadd__(self, other: "Score") -> "Score":
        for name in Score.__slots__:
            setattr(self, name, getattr(self, name) + getattr(other, name))
        return self


@dataclass(slots=True)
class Cluster:
    """Happenings and answers of one bay that cannot be told apart in time."""

    happened: list[Happened] = field(default_factory=list)
    answers: list[Answer] = field(default_factory=list)
    warned: bool = False  # it was said then that the bay does not count

    @property
    def moves(self) -> list[Happened]:
        return [each for each in self.happened if any(each.units.values())]

    def truth(self) -> dict[str, int]:
        return summed(each.units for each in self.happened)

    def said(self) -> dict[str, int]:
        return summed(each.units or {} for each in self.answers if each.sure)

    @property
    def asks(self) -> bool:
        return any(not each.sure for each in self.answers)

    @property
    def foreign(self) -> bool:
        """Something that is no goods came or went."""
        return any(each.foreign for each in self.happened)

    @property
    def span(self) -> tuple[float, float]:
        every: list[Happened | Answer] = [*self.happened, *self.answers]
        return min(each.from_s for each in every), max(each.to_s for each in every)


def summed(every: Iterable[Units]) -> dict[str, int]:
    found: Counter[str] = Counter()
    for units in every:
        for gtin, n in units.items():
            found[gtin] += n
    return {gtin: n for gtin, n in found.items() if n}


def clusters(
    happened: Sequence[Happened], answers: Sequence[Answer], apart_s: float = APART_S
) -> list[Cluster]:
    """Of one bay, in order of time."""
    spans: list[tuple[float, float, Happened | Answer]] = [(e.from_s, e.to_s, e) for e in happened]
    spans += [(min(a.from_s, a.to_s), max(a.from_s, a.to_s), a) for a in answers]
    found: list[Cluster] = []
    until = float("-inf")
    for from_s, to_s, each in sorted(spans, key=lambda span: span[:2]):
        if from_s > until + apart_s:
            found.append(Cluster())
        until = max(until, to_s)
        if isinstance(each, Happened):
            found[-1].happened.append(each)
        else:
            found[-1].answers.append(each)
    return found


def score(world: World, told: Told) -> Score:
    result = Score()
    apart_s = APART_S + 2.0 * world.device.period_s
    for place in world.places:
        happened = [each for each in world.happened if each.bay == place.name]
        answers = [each for each in told.answers if each.bay == place.name]
        states = [each for each in told.states if each.bay == place.name]
        for cluster in clusters(happened, answers, apart_s):
            cluster.warned = warned(states, *cluster.span)
            _count(result, world, place, cluster)
        _level(result, world, place, told)
    return result


def warned(states: Sequence[State], from_s: float, to_s: float) -> bool:
    """Whether it was said that a bay does not count at a time, or is uncertain because of what happened then."""
    in_force = [state for state in states if state.at_s <= to_s][-1:]
    said = [state for state in states if from_s - 1.0 <= state.at_s <= to_s + WARNED_S]
    asks = any(state.condition in (Condition.UNCERTAIN, *NOT_COUNTING) for state in said)
    return asks or any(state.condition in NOT_COUNTING for state in in_force)


def _count(result: Score, world: World, place: Place, cluster: Cluster) -> None:
    truth, said, moves = cluster.truth(), cluster.said(), cluster.moves
    number = len(moves) or len(cluster.happened) or 1  # something said out of nothing counts as a move, too
    wrong, abstained, missed = _judged(cluster)
    right = max(0, number - wrong - abstained - missed)
    result.moves += number
    result.right += right
    result.wrong += wrong
    result.abstained += abstained
    result.missed += missed
    hidden = cluster.foreign or any(each.hidden for each in cluster.happened)
    fine = not hidden and decidable(place, truth, hypot(noise(world), beside(world, place, cluster)))
    result.decidable += number if fine else 0
    result.decided += right if fine else 0
    result.sure += [(each.confidence, not wrong) for each in cluster.answers if each.sure]
    if not wrong and truth and cluster.answers and said:
        end_s = max(each.to_s for each in moves)
        result.delays_s.append(max(each.decided_s for each in cluster.answers if each.sure) - end_s)
    if wrong or abstained or missed:
        result.details.append(_words(world, place, cluster, "decidable" if fine else "not decidable",
                                     "WRONG" if wrong else "missed" if missed else "abstained"))  # fmt: skip


def _judged(cluster: Cluster) -> tuple[int, int, int]:
    """How many moves were answered wrongly, with a doubt, and not at all; the others are right."""
    truth, said, moves = cluster.truth(), cluster.said(), cluster.moves
    if not moves:
        if said:
            return 1, 0, 0
        if cluster.asks:
            return 0, int(not cluster.foreign), 0
        return 0, 0, int(any(each.stays for each in cluster.happened) and not cluster.warned)
    if cluster.asks:
        claims = [n for gtin, n in said.items() if n * truth.get(gtin, 0) <= 0 or abs(n) > abs(truth[gtin])]
        return (1, len(moves) - 1, 0) if claims else (0, len(moves), 0)
    if said == truth:
        return 0, 0, 0
    if not said:
        return (0, len(moves), 0) if cluster.warned else (0, 0, len(moves))
    off = sum(abs(truth.get(gtin, 0) - said.get(gtin, 0)) for gtin in truth.keys() | said.keys())
    return min(len(moves), off), 0, 0


def _level(result: Score, world: World, place: Place, told: Told) -> None:
    closing = world.closing[place.name]
    levels = told.levels.get(place.name, {})
    kinds = [kind.gtin for kind in place.kinds]
    result.bays += 1
    booked = summed(
        [world.opening[place.name], *(a.units or {} for a in told.answers if a.sure and a.bay == place.name)]
    )
    result.balance_error += sum(
        abs(booked.get(gtin, 0) - closing.get(gtin, 0)) for gtin in booked.keys() | closing.keys()
    )
    known = [levels.get(gtin) for gtin in kinds]
    if any(n is None for n in known) or place.name in told.uncertain:
        result.level_unknown += 1
        return
    off = sum(abs((levels.get(gtin) or 0) - closing.get(gtin, 0)) for gtin in kinds)
    result.level_right += off == 0
    result.level_error += off
    if off:
        result.details.append(f"{world.name} {world.seed} {place.name}: level {levels}, really {closing}")


def noise(world: World) -> float:
    """Of a difference of two plateaus of a second each, one standard deviation: grams."""
    samples = max(1.0, 0.8 / world.device.period_s)
    if world.device.kind != "board":  # whose noise is that of a sample, not of a conversion
        samples = max(world.device.averages, samples * world.device.each)
    every = [epoch.cell for epochs in world.epochs.values() for epoch in epochs]
    each = max(cell.noise_grams / sqrt(samples) + 0.5 * cell.flicker_grams for cell in every)
    return hypot(1.4 * each, 0.41 * world.device.division, 0.1)


def beside(world: World, place: Place, cluster: Cluster) -> float:
    """Grams, one standard deviation, by which what neighbours did meanwhile may show in this bay."""
    from_s, to_s = cluster.span
    found = 0.0
    for (source, cell), share in world.crosstalk.items():
        if cell not in place.cells:
            continue
        unsure = KNOWN_SHARE * share if (source, cell) in world.known else UNKNOWN_SHARE
        found += sum(
            unsure * abs(each.grams)
            for other in world.places
            if source in other.cells
            for each in world.happened
            if each.bay == other.name and each.from_s < to_s and each.to_s > from_s
        )
    return found


def decidable(place: Place, truth: Units, noise_grams: float) -> bool:
    """Whether weights alone can tell `truth` from everything else that may well have happened at a bay."""
    kinds = {kind.gtin: kind for kind in place.kinds}
    if any(gtin not in kinds for gtin in truth):
        return False
    moved = sum(map(abs, truth.values()))
    mass = sum(n * kinds[gtin].noted_gross for gtin, n in truth.items())
    spread = spread_of([(kinds[gtin], n) for gtin, n in truth.items()], noise_grams)
    others = (
        sum(n * kind.noted_gross for kind, n in units)
        for units in _likely(list(kinds.values()), moved)
        if {kind.gtin: n for kind, n in units if n} != dict(truth)
    )
    return all(abs(other - mass) > SIGMAS * spread for other in others)


def spread_of(units: Sequence[tuple[Goods, int]], noise_grams: float) -> float:
    """Standard deviation of what so many units weigh beside what is noted, as it was measured."""
    parts = [noise_grams]
    for kind, n in units:
        parts += [sqrt(abs(n)) * kind.cv * kind.grams, n * kind.grams * hypot(kind.cv / sqrt(WEIGHED), BATCH)]
    return hypot(*parts)


def _likely(kinds: Sequence[Goods], moved: int) -> Iterable[tuple[tuple[Goods, int], ...]]:
    most = moved + 1
    for kind in kinds:
        yield from (((kind, n),) for n in range(-most, most + 1))
    for one, other in combinations(kinds, 2):
        for n in range(-most, most + 1):
            for m in range(-(most - abs(n)), most - abs(n) + 1):
                yield ((one, n), (other, m))


def _words(world: World, place: Place, cluster: Cluster, fine: str, verdict: str) -> str:
    happened = "; ".join(
        f"{each.kind} {_units(each.units)} {each.grams:+.1f} g at {each.from_s:.1f}-{each.to_s:.1f} s"
        for each in cluster.happened
    )
    said = "; ".join(
        f"{_units(each.units)} ({each.words}, {each.confidence:.2f}) {each.from_s:.1f}-{each.to_s:.1f}, "
        f"decided {each.decided_s:.1f} s"
        for each in cluster.answers
    )
    goods = ", ".join(
        f"..{k.gtin[-4:]} {k.noted_gross:.1f} g cv {100 * k.noted_cv:.1f} %" for k in place.kinds
    )
    device = f"{world.device.kind} {1 / world.device.period_s:.0f}/s, noise {noise(world):.2f} g"
    return (
        f"{verdict} {world.name} seed {world.seed} {place.name} [{device}; {goods}; {fine}]\n"
        f"    happened: {happened or 'nothing'}\n    said: {said or 'nothing'}"
    )


def _units(units: Units | None) -> str:
    if units is None:
        return "?"
    return " ".join(f"{n:+d} x ..{gtin[-4:]}" for gtin, n in units.items()) or "0"
