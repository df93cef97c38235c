"""What stands on a bay: counted on from change to change, and held against the weight."""

from collections.abc import Mapping

import msgspec

from edge.aggregator.goods import Goods
from edge.aggregator.hypotheses import Item, Taken, contents, same_mass, weighed
from edge.aggregator.steps import Step
from edge.aggregator.taken import TakenLately
from wire.events import Change, ItemUnits

CONFLICT_UNITS, CONFLICT_SIGMAS = 0.75, 4.0
SAME_GRAMS, SAME_SIGMAS = 2.0, 4.0  # a thing that is no goods and is taken away is known by its mass
MOST_OPEN = 8
OWN_SURE = 0.9  # of single units that goods are learned from
MORE_THAN_THERE = "more was taken than was counted there"
UNEXPLAINED = "its last change could not be explained"


class Open(msgspec.Struct, array_like=True):
    """Something that was put and left unexplained: its mass, and what stands there besides (None where not known)."""

    grams: float
    counts: dict[str, int] | None


class Standing:
    """`counts` by GTIN, None where not known; `foreign`, the masses of what is no goods; `open`, what may be goods.

    `overhang` is the mass of goods that belong here and do not press on these cells, as they stand across two bays,
    with its sign turned; `doubt`, why a person should count.
    """

    def __init__(self, goods: Goods, taken: TakenLately) -> None:
        self.counts: dict[str, int] | None = None
        self.foreign: list[float] = []
        self.open: list[Open] = []
        self.overhang = 0.0
        self.doubt = ""
        self._goods, self._taken = goods, taken

    def forget(self) -> None:
        self.counts, self.overhang, self.doubt = None, 0.0, ""
        self.foreign.clear()
        self.open.clear()

    @property
    def unexplained(self) -> list[float]:
        """The masses of all that lies there and may go as it came."""
        return [*self.foreign, *(each.grams for each in self.open)]

    def count(self, step: Step, own: Mapping[str, Item], shelf: str, bay: str) -> None:
        """Take a change over that is being said. `own`: the bay's items as they were noted, by GTIN."""
        match step.answer.outcome:
            case Change.OK:
                self._count_units(step, own)
                self._remember(step, own, shelf, bay)
            case Change.UNKNOWN_MASS if step.grams > 0:
                self.foreign.append(step.grams)
            case Change.UNKNOWN_MASS if self._took_foreign(step):
                pass
            case _:
                if step.grams > 0 and not step.offline:
                    self.open = [*self.open[1 - MOST_OPEN :], Open(step.grams, self.counts)]
                self.counts, self.doubt = None, UNEXPLAINED

    def _count_units(self, step: Step, own: Mapping[str, Item]) -> None:
        for change in step.answer.changes:
            if change.item not in own:
                self.foreign.append(step.grams)  # it stands here, and does not belong here
                continue
            if self.counts is not None:
                self.counts = _plus(self.counts, change)
            for each in self.open:
                each.counts = None if each.counts is None else _plus(each.counts, change)
            if change.units > 1:
                self._goods.restocked(own[change.item])
        if self.counts is not None and min(self.counts.values(), default=0) < 0:
            self.counts, self.doubt = None, MORE_THAN_THERE

    def _remember(self, step: Step, own: Mapping[str, Item], shelf: str, bay: str) -> None:
        """What was taken may come back; what a single unit weighs is learned."""
        answer = step.answer
        for each in (answer.taken, answer.returned):
            if each is not None:
                self._taken.back(each)
        if step.offline or len(answer.changes) != 1:
            return
        (change,) = answer.changes
        if change.units < 0:
            self._taken.took(Taken(shelf, bay, change.item, -change.units, -step.grams, step.to_ms))
        single = abs(change.units) == 1 and change.item in own and answer.taken is None
        if single and answer.confidence >= OWN_SURE:
            self._goods.weigh(own[change.item], abs(step.grams), step.noise)

    def _took_foreign(self, step: Step) -> bool:
        """Whether what left is a thing that had come; where nobody knew what it was, all is as it was before."""
        if not self.unexplained:
            return False
        slack = max(SAME_SIGMAS * same_mass(step.noise, step.grams), SAME_GRAMS)
        nearest = min(self.unexplained, key=lambda mass: abs(step.grams + mass))
        if abs(step.grams + nearest) >= slack:
            return False
        if nearest in self.foreign:
            self.foreign.remove(nearest)
            return True
        found = next(each for each in self.open if each.grams == nearest)
        self.open.remove(found)
        if self.counts is None and found.counts is not None and not self.open:
            self.counts, self.doubt = found.counts, ""
        return True

    def net(self, grams: float) -> float:
        """Of what lies there, without the fixtures, the goods of this bay."""
        return grams - sum(self.foreign) - self.overhang

    def weigh(self, grams: float, noise: float, items: list[Item], capacity: int | None) -> None:
        """Hold the count against what lies there; where there is none, take it from that."""
        net = self.net(grams)
        if self.counts is None and not self.open:
            self.counts = contents(net, noise, items, capacity)
            if self.counts is not None:
                self.doubt = ""
        if self.counts is None or len(items) != 1:
            return
        (item,) = items
        n, sigma = weighed(net, noise, item)
        if abs(n - self.counts[item.gtin]) > max(CONFLICT_UNITS, CONFLICT_SIGMAS * sigma):
            self.doubt = f"{self.counts[item.gtin]} were counted, and it weighs as much as {n:.1f}"
        elif self.doubt:
            self.doubt = ""

    def confirm(self, counts: Mapping[str, int], grams: float, items: list[Item]) -> None:
        """A person says how many stand there, which settles what weights could not."""
        self.forget()
        self.counts = {item.gtin: counts.get(item.gtin, 0) for item in items}
        self.overhang = grams - sum(item.gross_grams * self.counts[item.gtin] for item in items)


def _plus(counts: Mapping[str, int], change: ItemUnits) -> dict[str, int]:
    return {**counts, change.item: counts.get(change.item, 0) + change.units}
