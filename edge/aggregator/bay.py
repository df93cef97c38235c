"""One bay of a shelf, from plateau to plateau.

What counts is the difference between two times of rest, whatever happened in between. The anchor, which is what the
bay weighed at its last rest, follows creep and temperature, slowly, and is kept over restarts; a bay is never tared.
What was put stays provisional until it has lasted, because a hand or a bag that rests there is taken away again.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from math import hypot

from edge.aggregator.channels import Floats
from edge.aggregator.fill import fills
from edge.aggregator.goods import Goods
from edge.aggregator.hypotheses import Answer, Around, Item, Taken, contents, explain, weighed
from edge.aggregator.kept import Kept
from edge.aggregator.moments import Stamp
from edge.aggregator.neighbours import Part, together
from edge.aggregator.said import bay_state, shelf_changes
from edge.aggregator.steps import Reading, Step, understand
from edge.aggregator.suspicion import Expected, Suspicion, suspicion
from edge.aggregator.taken import TakenLately
from wire.events import Change, Condition, Event

# Below this share of the lightest unit, and below 2 g in any case, a difference is drift, creep or dust.
DEAD_SHARE = 0.35
DEAD_GRAMS = 2.0
DUST_SHARE = 0.08
DUST_OF_LOAD = 0.0015  # hysteresis and creep of a cell after a load, or a hand, has gone
DEAD_SIGMAS = 5.0
HELD_MS = 15_000  # what was put, or cannot be explained, is said only when it has lasted so long
BACK_MS = 1_000  # unless it is what was taken from here moments before
OFF_GRAMS, OFF_SHARE = 3.0, 0.001  # zero and span may have moved so far while nobody weighed, one sigma
CONFLICT_UNITS, CONFLICT_SIGMAS = 0.75, 4.0
OWN_SURE = 0.9  # of single units that goods are learned from


@dataclass(frozen=True, slots=True, kw_only=True)
class Bay:
    """A place of a shelf: the cells that carry it together, what belongs on it, and what it weighs when empty."""

    name: str
    cells: tuple[int, ...]
    items: tuple[Item, ...]
    capacity: int | None = None
    tare_grams: float = 0.0
    facings: int | None = None
    low: int | None = None  # fewer units are few; None: a quarter of the capacity


@dataclass(frozen=True, slots=True)
class Shared:
    """The next change of a bay is one with a neighbour's: `grams` in all for its `owner`, of which so many `beside`."""

    grams: float
    owner: bool
    beside: float
    sure: bool


@dataclass(frozen=True, slots=True)
class Rest:
    """A bay at rest: what each cell weighs, since when, and until when its last rest had lasted.

    `noise` is the standard deviation of a difference of two rests. `beside` is what shows here of what was `loaded` on
    the cells next to it meanwhile, and how well that is known.
    """

    cells: Sequence[float]
    at_ms: int
    since_ms: int
    before_ms: int
    offset_us: int
    noise: float
    beside: float = 0.0
    beside_spread: float = 0.0
    loaded: float = 0.0
    peak: float = 0.0  # how far it went between the two

    @property
    def grams(self) -> float:
        return sum(self.cells)

    def us(self, at_ms: int) -> int:
        return at_ms * 1000 + self.offset_us


class BayWatch:
    """Follows one bay. `row` is its part of the column of all cells' anchors, which follow drift by themselves."""

    def __init__(
        self,
        shelf: str,
        bay: Bay,
        row: Floats,
        rested_us: Callable[[], int | None],
        goods: Goods,
        taken: TakenLately,
    ) -> None:
        self.shelf, self.bay = shelf, bay
        self.changed = False
        self.anchored = False  # until the first rest ever
        self.counts: dict[str, int] | None = None
        self.foreign: list[float] = []  # masses of things that are no goods
        self.steps: list[Step] = []
        self.offline = True  # nobody weighed since the anchor
        self._kept_us = 0
        self._rested_us = rested_us
        self.overhang = (
            0.0  # grams of goods that belong here and stand on the next bay, less the other way round
        )
        self.shared: Shared | None = None  # the next change belongs together with a neighbour's
        self.stood = False  # when it was last asked, nothing had happened
        self.anew = False  # the next rest is believed as it is
        self.mute = False  # not even differences of weight mean anything
        self.doubt = ""
        self.check = ""  # why the scale should be looked at
        self.alien = ""  # it is another scale than the one that was calibrated
        self.blind = ""
        self.until_ms: int | None = None  # of service mode
        self._row, self._goods, self._taken = row, goods, taken
        self._noise_now = 0.5
        self._said_state: tuple[Condition, str] = (Condition.OK, "")
        self.said_fill: dict[str, str] = {}

    # What is asked of it

    @property
    def anchor(self) -> list[float]:
        """What each of its cells weighed at its last rest."""
        return [float(grams) for grams in self._row]

    @property
    def anchored_us(self) -> int:
        """When it was last at rest, by the wall's clock."""
        rested_us = self._rested_us()
        return self._kept_us if rested_us is None else rested_us

    def _set_anchor(self, cells: Sequence[float]) -> None:
        self._row[:] = cells
        self.anchored = True

    @property
    def items(self) -> list[Item]:
        return self._goods.known(self.bay.items)

    @property
    def unsure(self) -> bool:
        """The scale should be looked at: what it says is said with a doubt."""
        return bool(self.alien or self.check)

    @property
    def lightest(self) -> float:
        return min((item.gross_grams for item in self.bay.items), default=0.0)

    def dead(self, moved: float, sigma: float) -> float:
        """Differences below this are no load that was placed. `moved`: what lay there, or was put and taken between."""
        dust = max(DUST_SHARE * self.lightest, DUST_OF_LOAD * moved)
        return max(min(dust, DEAD_SHARE * self.lightest), DEAD_GRAMS, DEAD_SIGMAS * sigma)

    @property
    def due_ms(self) -> int | None:
        return min((step.due_ms for step in self.steps), default=None)

    # What happens to it

    def settled(self, rest: Rest, stamp: Stamp) -> list[Event]:
        """It has come to rest after something moved, or rests elsewhere than it did."""
        shared, self.shared = self.shared, None
        self.stood = False
        if self.until_ms is not None:
            return []
        if not self.anchored or self.anew:
            return self._begin(rest, stamp)
        grams = rest.grams - sum(self.anchor) - rest.beside
        if shared is not None:
            grams = shared.grams
        elif abs(grams) < self._dead(rest):
            return self._quiet(rest, stamp)
        if not self.unsure and (found := self._suspicious(rest)):
            return self._suspect(found, grams, rest, stamp)
        if self.mute and self._suspicious(rest):
            return []
        step = self._step(grams, rest)
        if self.mute:
            self.check, self.mute, self.changed = "", False, True
        self._anchor(rest)
        if shared is not None and not shared.owner:
            self.overhang += step.grams
            return []
        if shared is not None:
            self.overhang -= shared.beside
        events = self._change(step, rest, stamp, doubtful=shared is not None and not shared.sure)
        return [*events, *self.state(rest.at_ms, rest.us(rest.at_ms), stamp)]

    def _step(self, grams: float, rest: Rest) -> Step:
        offline = self.offline or self.mute
        return Step(
            grams=grams, cells=[now - before for now, before in zip(rest.cells, self.anchor, strict=True)],
            noise=self._noise(rest), from_us=self.anchored_us if offline else rest.us(rest.before_ms),
            to_us=rest.us(rest.since_ms), to_ms=rest.at_ms, answer=_NO_ANSWER, due_ms=0, offline=offline,
        )  # fmt: skip

    def off(self, rest: Rest) -> float:
        """How far from its last rest."""
        return rest.grams - sum(self.anchor) - rest.beside

    def changes_alone(self, rest: Rest) -> bool:
        """Whether there is a change that is to be counted, and nothing that is not said yet."""
        counts = self.anchored and not (self.anew or self.offline or self.unsure or self.steps)
        return counts and self.until_ms is None and abs(self.off(rest)) >= self._dead(rest)

    def read(self, grams: float, whole: float, rest: Rest) -> tuple[float, Answer, Answer]:
        """The noise, and the explanations of a change by itself and together with a neighbour's."""
        noise = self._noise(rest)
        return noise, self._explain(grams, rest.at_ms), self._explain(whole, rest.at_ms)

    def passed(self, now_ms: int, offset_us: int, stamp: Stamp, gross: float) -> list[Event]:
        """Time has passed while it rests: what was provisional has lasted."""
        events: list[Event] = []
        due = [step for step in self.steps if step.due_ms <= now_ms]
        for step in due:
            self.steps.remove(step)
            answer = self._explain(
                step.grams, step.to_ms
            )  # by now, more is known of what was taken elsewhere
            step.answer = answer.doubted() if step.doubtful else answer
            at_ms = max(step.due_ms, step.to_ms)
            events += self._say(step, gross, at_ms, at_ms * 1000 + offset_us, stamp)
        if due:
            events += self.state(now_ms, now_ms * 1000 + offset_us, stamp)
        return events

    def interrupted(self) -> None:
        """Nobody weighed for a while: the next rest is compared with the last one that was said."""
        if self.anchored:
            self._set_anchor(self.kept_anchor())
        self.steps.clear()
        self.offline = True

    def kept_anchor(self) -> list[float]:
        """What it weighed at its last rest, without what is not said yet."""
        return [
            sum(each) for each in zip(self.anchor, *([-g for g in s.cells] for s in self.steps), strict=True)
        ]

    def keep(self) -> Kept | None:
        if not self.anchored:
            return None
        return Kept(
            cells=self.kept_anchor(), at_us=self.anchored_us, counts=self.counts, foreign=self.foreign,
            doubt=self.doubt, check=self.check, mute=self.mute, alien=self.alien, until_ms=self.until_ms,
            fill=self.said_fill,
            state=(self._said_state[0].value, self._said_state[1]), overhang=self.overhang, anew=self.anew,
        )  # fmt: skip

    def restore(self, kept: Kept) -> None:
        if len(kept.cells) != len(self.bay.cells):
            return  # it is on other cells now
        self._set_anchor(kept.cells)
        self._kept_us = kept.at_us
        gtins = {item.gtin for item in self.bay.items}
        self.counts = kept.counts if kept.counts is None or set(kept.counts) == gtins else None
        self.foreign, self.doubt, self.check = list(kept.foreign), kept.doubt, kept.check
        self.mute, self.overhang, self.anew = kept.mute, kept.overhang, kept.anew
        self.alien, self.until_ms, self.said_fill = kept.alien, kept.until_ms, dict(kept.fill)
        self._said_state = (Condition(kept.state[0]), kept.state[1])
        self.steps.clear()
        self.offline = True

    def recalibrated(self, anchor: Sequence[float]) -> None:
        """Its cells weigh anew: `anchor` is what its last rest is by the new calibration."""
        if self.anchored:
            self._set_anchor(anchor)
        self.alien = self.check = ""
        self.changed = True

    # How it decides

    def _begin(self, rest: Rest, stamp: Stamp) -> list[Event]:
        """The first rest ever, or after service: believe the weight."""
        self._anchor(rest)
        self.foreign.clear()
        self.steps.clear()
        self.anew = self.mute = False
        self.overhang, self.doubt, self.check = 0.0, "", ""
        self.counts = contents(
            rest.grams - self.bay.tare_grams, self._noise(rest), self.items, self.bay.capacity
        )
        self.changed = True
        return self.state(rest.at_ms, rest.us(rest.at_ms), stamp)

    def _quiet(self, rest: Rest, stamp: Stamp) -> list[Event]:
        """It weighs what it did."""
        self._anchor(rest)
        self.stood = True
        if not self.mute:
            return []
        self.check, self.mute, self.changed = "", False, True
        return self.state(rest.at_ms, rest.us(rest.at_ms), stamp)

    def _anchor(self, rest: Rest) -> None:
        self._set_anchor(rest.cells)
        self.offline = False

    def _suspicious(self, rest: Rest) -> Suspicion | None:
        items = self.bay.items
        heaviest = max((item.gross_grams for item in items), default=0.0)
        full = self.bay.tare_grams + self.bay.capacity * heaviest if self.bay.capacity and items else None
        expected = Expected(self.bay.tare_grams, full, self.lightest)
        return suspicion(sum(self.anchor), rest.grams, rest.noise, rest.since_ms - rest.before_ms, expected)

    def _suspect(self, found: Suspicion, grams: float, rest: Rest, stamp: Stamp) -> list[Event]:
        """Nothing is counted from a scale that is not what it was, until a person has looked or it is as before."""
        step = self._step(grams, rest)
        self._set_anchor(self.kept_anchor())
        self.steps.clear()
        self.check, self.mute, self.changed = found.words, found.mute, True
        if found.mute:
            return self.state(rest.at_ms, rest.us(rest.at_ms), stamp)
        self._anchor(rest)
        self.counts, self.doubt = None, found.words
        said = self._say(step, rest.grams, rest.at_ms, rest.us(rest.at_ms), stamp)
        return [*said, *self.state(rest.at_ms, rest.us(rest.at_ms), stamp)]

    def _change(self, step: Step, rest: Rest, stamp: Stamp, *, doubtful: bool) -> Sequence[Event]:
        if not step.offline and self.steps:
            explains = partial(self._explain, at_ms=step.to_ms)
            step = self._on_top(step, understand(step.grams, step.noise, self.steps, explains))
            if step.grams == 0.0:
                return []
        answer = self._explain(step.grams, step.to_ms)
        step.doubtful = doubtful or self.unsure
        step.answer = answer = answer.doubted() if step.doubtful else answer
        if self.unsure and not step.offline and answer.outcome is Change.UNKNOWN_MASS:
            return []
        if wait_ms := _patience(answer, step.grams):
            step.due_ms = rest.at_ms + wait_ms
            self.steps.append(step)
            return []
        return self._say(step, rest.grams, rest.at_ms, rest.us(rest.at_ms), stamp)

    def _on_top(self, step: Step, reading: Reading) -> Step:
        """Take back the steps that a newer change shows for what they were."""
        if not reading.steps:
            return step
        gone = self.steps[-reading.steps :]
        del self.steps[-reading.steps :]
        if reading.grams is None:
            step.grams = 0.0
            return step
        step.cells = [sum(each) for each in zip(step.cells, *(each.cells for each in gone), strict=True)]
        step.grams = reading.grams
        step.noise = max(step.noise, *(each.noise for each in gone))
        step.offline = gone[0].offline
        if reading.whole or step.offline:
            step.from_us = gone[0].from_us
        return step

    def _explain(self, grams: float, at_ms: int) -> Answer:
        here, elsewhere = self._taken.around(self.shelf, self.bay.name, at_ms)
        around = Around(self.foreign, here, elsewhere)
        return explain(grams, self._noise_now, self.items, self._held(), self.bay.capacity, around)

    def _held(self) -> Mapping[str, int] | None:
        """What stands there, with what is provisional."""
        if self.counts is None:
            return None
        held = dict(self.counts)
        for step in self.steps:
            for change in step.answer.changes:
                held[change.item] = held.get(change.item, 0) + change.units
        return held

    def _noise(self, rest: Rest) -> float:
        noise = rest.noise
        if self.offline:
            noise = hypot(noise, OFF_GRAMS, OFF_SHARE * rest.grams)
        self._noise_now = hypot(noise, rest.beside_spread)
        return self._noise_now

    def _dead(self, rest: Rest) -> float:
        dead = max(self.dead(max(abs(rest.grams), rest.peak), rest.noise), 3.0 * rest.beside_spread)
        if not self.offline:
            return dead
        return max(dead, min(3.0 * self._noise(rest), DEAD_SHARE * self.lightest))

    # What it says

    def _say(self, step: Step, gross: float, at_ms: int, at_us: int, stamp: Stamp) -> Sequence[Event]:
        """Say a change, and go on from there."""
        self._count(step, gross)
        self.changed = True
        return shelf_changes(
            self.shelf, self.bay.name, {item.gtin: item.gross_grams for item in self.items}, step, self.counts,
            gross - self.bay.tare_grams, at_ms, at_us, stamp,
        )  # fmt: skip

    def _count(self, step: Step, gross: float) -> None:
        answer = step.answer
        match answer.outcome:
            case Change.OK:
                self._count_units(step)
            case Change.UNKNOWN_MASS if step.grams > 0:
                self.foreign.append(step.grams)
            case Change.UNKNOWN_MASS if self._took_foreign(step):
                pass
            case _:
                self.counts = None
                self.doubt = "its last change could not be explained"
        self._recount(gross, step.noise)

    def _count_units(self, step: Step) -> None:
        answer = step.answer
        own = {item.gtin: item for item in self.bay.items}
        for change in answer.changes:
            if change.item not in own:
                self.foreign.append(step.grams)  # it stands here, and does not belong here
                continue
            if self.counts is not None:
                self.counts = self.counts | {change.item: self.counts.get(change.item, 0) + change.units}
            if change.units > 1:
                self._goods.restocked(own[change.item])
        if self.counts is not None and min(self.counts.values(), default=0) < 0:
            self.counts, self.doubt = None, "more was taken than was counted there"
        self._remember(step, own)

    def _remember(self, step: Step, own: Mapping[str, Item]) -> None:
        """What was taken may come back; what a single unit weighs is learned."""
        answer = step.answer
        for each in (answer.taken, answer.returned):
            if each is not None:
                self._taken.back(each)
        if step.offline or len(answer.changes) != 1:
            return
        (change,) = answer.changes
        if change.units < 0:
            grams = -step.grams
            self._taken.took(Taken(self.shelf, self.bay.name, change.item, -change.units, grams, step.to_ms))
        if (
            abs(change.units) == 1
            and change.item in own
            and answer.confidence >= OWN_SURE
            and not answer.taken
        ):
            self._goods.weigh(own[change.item], abs(step.grams), step.noise)

    def _took_foreign(self, step: Step) -> bool:
        for mass in self.foreign:
            if abs(step.grams + mass) < max(4.0 * step.noise, DEAD_GRAMS):
                self.foreign.remove(mass)
                return True
        return False

    def _recount(self, gross: float, noise: float) -> None:
        """Hold the count against the weight; where there is none, take it from there."""
        items = self.items
        waiting = sum(step.grams for step in self.steps)
        net = gross - waiting - self.bay.tare_grams - sum(self.foreign) - self.overhang
        if self.counts is None:
            self.counts = contents(net, noise, items, self.bay.capacity)
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

    def state(self, at_ms: int, at_us: int, stamp: Stamp) -> list[Event]:
        """What is said when its state or its fill has changed."""
        now = self._state()
        events: list[Event] = []
        if now[0] is not self._said_state[0] or (now[0] is Condition.NEEDS_CHECK and now != self._said_state):
            self._said_state, self.changed = now, True
            until_us = None if self.until_ms is None else at_us + 1000 * (self.until_ms - at_ms)
            events.append(bay_state(self.shelf, self.bay.name, *now, until_us, at_ms, at_us, stamp))
        if self.anchored and now[0] is not Condition.SERVICE:
            said = fills(self.shelf, self.bay, self.counts, self.said_fill, at_ms, at_us, stamp)
            self.changed |= bool(said)
            events += said
        return events

    def _state(self) -> tuple[Condition, str]:
        if self.until_ms is not None:
            return Condition.SERVICE, ""
        if self.alien or self.check:
            return Condition.NEEDS_CHECK, self.alien or self.check
        if self.blind:
            return Condition.BLIND, self.blind
        if self.bay.items and self.anchored and (self.counts is None or self.doubt):
            return Condition.UNCERTAIN, self.doubt or "its weight does not tell how many stand there"
        return Condition.OK, ""


def belong(one: BayWatch, one_rest: Rest, other: BayWatch, other_rest: Rest) -> None:
    """Two neighbours changed at one time: goods may stand across them, or have been pushed from one to the other."""
    pairs = ((one, one_rest), (other, other_rest))
    if any(bay.shared or not bay.changes_alone(rest) for bay, rest in pairs):
        return
    grams = [bay.off(rest) for bay, rest in pairs]
    parts = [
        Part(own, *bay.read(own, sum(grams), rest)) for (bay, rest), own in zip(pairs, grams, strict=True)
    ]
    found = together(*parts)
    if found is None:
        return
    for n, (bay, _) in enumerate(pairs):
        if not found.sure:
            bay.shared = Shared(grams[n], True, 0.0, False)
        elif found.owner == n:
            bay.shared = Shared(sum(grams), True, grams[1 - n], True)
        else:
            bay.shared = Shared(grams[n], False, 0.0, True)


_NO_ANSWER = Answer(Change.UNKNOWN_MASS, 0.0)


def _patience(answer: Answer, grams: float) -> int:
    """How long a change must last before it is said."""
    if answer.outcome is not Change.OK:
        return HELD_MS
    if grams < 0:
        return 0
    return BACK_MS if answer.returned else HELD_MS
