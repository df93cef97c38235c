"""What stands on a bay: counted on from change to change, and held against the weight."""

from collections.abc import Mapping, Sequence
from math import hypot

import msgspec

from edge.aggregator.goods import Goods
from edge.aggregator.hypotheses import Item, Lying, Taken, contents, lasts, same_mass, weighed
from edge.aggregator.steps import Step
from edge.aggregator.taken import TakenLately
from wire.events import Change, ItemUnits

CONFLICT_UNITS, CONFLICT_SIGMAS = 0.75, 4.0
ANEW_UNITS = 0.25  # of the lightest: by less, a figure in a doubt need not be brought up to date
SAME_GRAMS, SAME_SIGMAS = 2.0, 4.0  # a thing that is no goods and is taken away is known by its mass
MOST_OPEN = 8
OWN_SURE = 0.9  # of single units that goods are learned from
MORE_THAN_THERE = "more was taken than was counted there"
NOT_TOLD = "its weight does not tell how many stand there"
NEIGHBOURS = f"{NOT_TOLD}, nor is known how much of the load beside it shows here: count them"
UNEXPLAINED = "its last change could not be explained"


class Thing(msgspec.Struct, array_like=True):
    """Something that was put here and not counted: its mass, when, and how probably it is goods all the same.

    Where it was left `open` what it is, `counts` are what stands there besides (None where not known). Goods that
    belong elsewhere are `units` of `item`.
    """

    grams: float
    put_ms: int
    goods: float = 0.0
    open: bool = False
    counts: dict[str, int] | None = None
    item: str | None = None
    units: int = 0

    def known(self, at_ms: int) -> Lying:
        """What is known of it by now: who sets down a bag takes it along again; strays are taken home."""
        lasts_on = 1.0 if self.item else lasts(at_ms - self.put_ms)
        return Lying(self.grams, (1.0 - self.goods) * lasts_on, self.item, self.units)

    def stayed(self, at_ms: int) -> bool:
        """Whether it must be goods, as it has lain there for so long."""
        other = (1.0 - self.goods) * lasts(at_ms - self.put_ms)
        return self.open and self.item is None and self.goods >= OWN_SURE * (self.goods + other)


class Standing:
    """`counts` by GTIN, None where not known; `things`, what lies there and was not counted.

    `overhang` is the mass of goods that belong here and do not press on these cells, as they stand across two bays,
    with its sign turned, or what loads beside them show here; it is known to `overhang_spread`, one sigma. `doubt`, why
    a person should count.
    """

    def __init__(self, goods: Goods, taken: TakenLately) -> None:
        self.counts: dict[str, int] | None = None
        self.things: list[Thing] = []
        self.overhang = self.overhang_spread = 0.0
        self.doubt = ""
        self._doubted: tuple[dict[str, int], float] | None = (
            None  # the count and the mass that `doubt` speaks of
        )
        self._goods, self._taken = goods, taken

    def forget(self) -> None:
        self.counts, self.overhang, self.overhang_spread, self.doubt = None, 0.0, 0.0, ""
        self.things.clear()

    def lying(self, at_ms: int) -> list[Lying]:
        """All that may go as it came."""
        return [each.known(at_ms) for each in self.things]

    def count(self, step: Step, own: Mapping[str, Item], shelf: str, bay: str) -> None:
        """Take a change over that is being said. `own`: the bay's items as they were noted, by GTIN."""
        match step.answer.outcome:
            case Change.OK:
                self._count_units(step, own)
                self._remember(step, own, shelf, bay)
            case Change.UNKNOWN_MASS if step.grams > 0:
                self._lay(step, own, open=False)
            case Change.UNKNOWN_MASS if self._took_foreign(step):
                pass
            case _:
                if step.grams > 0:
                    self._lay(step, own, open=True)
                self.counts, self.doubt = None, UNEXPLAINED

    def _lay(self, step: Step, own: Mapping[str, Item], *, open: bool) -> None:
        answer = step.answer
        goods = 1.0 - answer.foreign / answer.evidence if answer.evidence > 0 else 0.0
        opened = [each for each in self.things if each.open]
        if open and len(opened) >= MOST_OPEN:
            self.things.remove(opened[0])
        thing = Thing(step.grams, step.to_ms, goods, open, self.counts if open else None)
        for candidate in answer.candidates:
            (first, *others) = candidate.changes
            if not others and first.item not in own and thing.item is None:
                thing.item, thing.units, thing.goods = first.item, first.units, goods - candidate.odds
        self.things.append(thing)

    def _count_units(self, step: Step, own: Mapping[str, Item]) -> None:
        for change in step.answer.changes:
            if change.item not in own:
                self._stray(step, change)
                continue
            if self.counts is not None:
                self.counts = _plus(self.counts, change)
            for each in self.things:
                each.counts = None if each.counts is None else _plus(each.counts, change)
            if change.units > 0 and step.answer.returned is None:
                self._goods.restocked(own[change.item])
        if self.counts is not None and min(self.counts.values(), default=0) < 0:
            self.counts, self.doubt = None, MORE_THAN_THERE

    def _stray(self, step: Step, change: ItemUnits) -> None:
        """Goods that do not belong here have come, or go."""
        if change.units > 0:
            self.things.append(Thing(step.grams, step.to_ms, item=change.item, units=change.units))
            return
        mine = [each for each in self.things if (each.item, each.units) == (change.item, -change.units)]
        self._gone(min(mine, key=lambda each: abs(each.grams + step.grams)))

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
        if not self.things:
            return False
        slack = max(SAME_SIGMAS * same_mass(step.noise, step.grams), SAME_GRAMS)
        found = min(self.things, key=lambda each: abs(step.grams + each.grams))
        if abs(step.grams + found.grams) >= slack:
            return False
        self._gone(found)
        return True

    def _gone(self, thing: Thing) -> None:
        """Where nobody knew what it was, all is as it was before."""
        self.things.remove(thing)
        if self.counts is None and thing.counts is not None and not any(each.open for each in self.things):
            self.counts, self.doubt = thing.counts, ""

    @property
    def besides(self) -> float:
        """The mass of what is no goods of this bay."""
        return sum(each.grams for each in self.things if not each.open) + self.overhang

    def net(self, grams: float) -> float:
        """Of what lies there, without the fixtures, the goods of this bay."""
        return grams - self.besides

    def weigh(self, grams: float, noise: float, items: list[Item], capacity: int | None, at_ms: int) -> None:
        """Hold the count against what lies there; where there is none, take it from that."""
        net, noise = self.net(grams), hypot(noise, self.overhang_spread)
        if self.counts is None:
            self.things = [each for each in self.things if not each.stayed(at_ms)]
        if self.counts is None and not any(each.open for each in self.things):
            self.counts = contents(net, noise, items, capacity)
            if self.counts is not None:
                self.doubt = ""
        self._hold(net, noise, items)

    def look_again(self, grams: float, noise: float, items: list[Item]) -> bool:
        """Nothing was placed, but a count that contradicted the weight may not any more: it may be weighed otherwise
        now. Returns whether something is doubted for another reason, or no more.
        """
        before = self.doubt
        if before and self.counts is not None:
            self._hold(self.net(grams), noise, items)
        return self.doubt != before

    def _hold(self, net: float, noise: float, items: list[Item]) -> None:
        """A doubt is worded anew only where the weight is another: else each hand would change its last digit."""
        if self.counts is None or not items:
            return
        held = [(item, self.counts[item.gtin]) for item in items]
        grams, sigma = weighed(noise, held)
        lightest = min(item.gross_grams for item in items)
        if abs(net - grams) <= max(CONFLICT_UNITS * lightest, CONFLICT_SIGMAS * sigma):
            self.doubt, self._doubted = "", None
            return
        told = self._doubted if self.doubt else None
        if told and told[0] == self.counts and abs(net - told[1]) < ANEW_UNITS * lightest:
            return
        self.doubt, self._doubted = _conflict(held, net), (self.counts, net)

    def confirm(self, counts: Mapping[str, int], grams: float, items: list[Item]) -> None:
        """A person says how many stand there, which settles what weights could not."""
        self.forget()
        self.counts = {item.gtin: counts.get(item.gtin, 0) for item in items}
        self.overhang = grams - sum(item.gross_grams * self.counts[item.gtin] for item in items)


def _conflict(held: Sequence[tuple[Item, int]], net: float) -> str:
    if len(held) == 1:
        ((item, n),) = held
        return f"{n} were counted, and it weighs as much as {net / item.gross_grams:.1f}"
    counted = " and ".join(f"{n} of {item.gtin}" for item, n in held)
    should = sum(n * item.gross_grams for item, n in held)
    return f"{counted} were counted, which should weigh {should:.0f} g, and {net:.0f} g lie there"


def _plus(counts: Mapping[str, int], change: ItemUnits) -> dict[str, int]:
    return {**counts, change.item: counts.get(change.item, 0) + change.units}
