"""One bay of a shelf, from plateau to plateau.

What counts is the difference between two times of rest, whatever happened in between. The anchor, which is what the
bay weighed at its last rest, follows creep and temperature, slowly, and is kept over restarts; a bay is never tared.
What was put stays provisional until it has lasted, because a hand or a bag that rests there is taken away again.
"""

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from math import hypot

from edge.aggregator.channels import Floats
from edge.aggregator.conditions import Conditions
from edge.aggregator.fill import fills
from edge.aggregator.goods import Goods
from edge.aggregator.hypotheses import Answer, Around, Item, explain
from edge.aggregator.moments import Stamp
from edge.aggregator.place import Bay, Rest, Shared, Sure
from edge.aggregator.said import bay_state, shelf_changes
from edge.aggregator.standing import Standing
from edge.aggregator.steps import NO_ANSWER, Step, patience, understand
from edge.aggregator.suspicion import Suspicion, expected, senseless, suspicion
from edge.aggregator.taken import TakenLately
from wire.events import Change, Event

# Below this share of the lightest unit, and below 2 g in any case, a difference is drift, creep or dust.
DEAD_SHARE = 0.35
DEAD_GRAMS = 2.0
DUST_SHARE = 0.08
DUST_OF_LOAD = 0.0015  # hysteresis and creep of a cell after a load, or a hand, has gone
PRESSED, MOST_PRESSED = 0.0005, 10_000.0  # of what pressed on it meanwhile, creep leaves so much, one sigma
DEAD_SIGMAS = 3.5
OFF_GRAMS, OFF_SHARE = 3.0, 0.001  # zero and span may have moved so far while nobody weighed, one sigma
NOT_TOLD = "its weight does not tell how many stand there"
NEIGHBOURS = f"{NOT_TOLD}, nor is known how much of the load beside it shows here: count them"
# Of the lightest unit: less that no goods explain is not said, as nobody could do anything, until it adds up.
SLIGHT_SHARE, MUCH_SLIGHT = 0.2, 0.4
FILLING_MS, LONG_AGO_MS = 30_000, -(10**15)  # who puts goods puts more of them
NEVER_US = 1 << 62
BACK_SHARE = 0.5  # of a jump that no goods explain: so far it must come back


class BayWatch:
    """Follows one bay. `row` is its part of the column of all cells' anchors, which follow drift by themselves.

    `rested_us`: when it was last at rest since this start, by the wall's clock.
    """

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
        self.anew = False  # the next rest is believed as it is
        self.confirmed: dict[str, int] | None = None  # what a person says that stands there at the next rest
        self.offline = True  # nobody weighed since the anchor
        self.stood = False  # when it was last asked, nothing had happened
        self.steps: list[Step] = []
        self.shared: Shared | None = None  # the next change belongs together with a neighbour's
        self.standing = Standing(goods, taken)
        self.conditions = Conditions()
        self.said_fill: dict[str, str] = {}
        self._row, self._goods, self._taken = row, goods, taken
        self.kept_us, self._rested_us = 0, rested_us
        self.sure: Sure | None = None  # what was before the scale had to be looked at
        self._noise_now = 0.5
        self._unsaid_us = NEVER_US  # when the first change came that was dropped before it was said
        self._put_ms, self._slight = LONG_AGO_MS, 0.0

    # What is asked of it

    @property
    def counts(self) -> dict[str, int] | None:
        return self.standing.counts

    @property
    def anchor(self) -> list[float]:
        """What each of its cells weighed at its last rest."""
        return [float(grams) for grams in self._row]

    @property
    def anchored_us(self) -> int:
        """When it was last at rest with all that is said by now, by the wall's clock."""
        rested_us = self._rested_us()
        last_us = self.kept_us if rested_us is None else rested_us
        return min(last_us, self._unsaid_us, *(step.from_us for step in self.steps))

    @property
    def begins(self) -> bool:
        """The next rest is believed as it is: there is none that it could be compared with."""
        return not self.anchored or self.anew

    @property
    def items(self) -> list[Item]:
        return self._goods.known(self.bay.items)

    @property
    def lightest(self) -> float:
        return min((item.gross_grams for item in self.bay.items), default=0.0)

    @property
    def due_ms(self) -> int | None:
        """When something is to be said or done though nothing changes."""
        due = [step.due_ms for step in self.steps]
        if self.conditions.until_ms is not None:
            due.append(self.conditions.until_ms)
        return min(due, default=None)

    def dead(self, moved: float, sigma: float) -> float:
        """Differences below this are no load that was placed. `moved`: what lay there, or was put and taken between."""
        dust = max(DUST_SHARE * self.lightest, DUST_OF_LOAD * moved)
        return max(min(dust, DEAD_SHARE * self.lightest), DEAD_GRAMS, DEAD_SIGMAS * sigma)

    def off(self, rest: Rest) -> float:
        """How far from its last rest."""
        return rest.grams - sum(self.anchor) - rest.beside.shown

    def changes_alone(self, rest: Rest) -> bool:
        """Whether there is a change that is to be counted, and nothing that is not said yet."""
        plain = self.anchored and not (self.anew or self.offline or self.conditions.unsure or self.steps)
        return plain and not self.conditions.in_service and abs(self.off(rest)) >= self._dead(rest)

    def read(self, grams: float, whole: float, rest: Rest) -> tuple[float, Answer, Answer]:
        """The noise, and the explanations of a change by itself and together with a neighbour's."""
        noise = self._noise(rest)
        return noise, self._explain(grams, rest.at_ms), self._explain(whole, rest.at_ms)

    # What happens to it

    def settled(self, rest: Rest, stamp: Stamp) -> list[Event]:
        """It has come to rest after something moved, or rests elsewhere than it did."""
        shared, self.shared = self.shared, None
        self.stood = False
        self.conditions.blind = ""
        if self.conditions.in_service:
            return []
        if self.begins or self._sound_again(rest):
            return self._begin(rest, stamp)
        self._as_before(rest)
        said = self._settled(rest, shared, stamp)
        return [*said, *self.state(rest.at_ms, rest.us(rest.at_ms), stamp)]

    def passed(self, now_ms: int, offset_us: int, stamp: Stamp, gross: float) -> list[Event]:
        """Time has passed while it rests: what was provisional has lasted."""
        events: list[Event] = []
        for step in [step for step in self.steps if step.due_ms <= now_ms]:
            self.steps.remove(step)
            # By now, more is known of what was taken elsewhere.
            answer = self._explain(step.grams, step.to_ms)
            step.answer = answer.doubted() if step.doubtful else answer
            if self._is_slight(step):
                self._slight += step.grams
                if abs(self._slight) < MUCH_SLIGHT * self.lightest:
                    continue
                step.grams, self._slight = self._slight, 0.0
            at_ms = max(step.due_ms, step.to_ms)
            events += self._say(step, gross, at_ms, at_ms * 1000 + offset_us, stamp)
        until_ms = self.conditions.until_ms
        if until_ms is not None and until_ms <= now_ms:
            self.resume()
        return [*events, *self.state(now_ms, now_ms * 1000 + offset_us, stamp)]

    def hurried(self, now_ms: int, offset_us: int, stamp: Stamp) -> list[Event]:
        """Somebody is about to change it: what has lasted so far is said now."""
        for step in self.steps:
            step.due_ms = min(step.due_ms, now_ms)
        return self.passed(now_ms, offset_us, stamp, sum(self.anchor))

    def interrupted(self) -> None:
        """Nobody weighed for a while: the next rest is compared with the last one that was said."""
        if self.anchored:
            self._unsaid_us = self.anchored_us
            self.set_anchor(self.kept_anchor())
        self.steps.clear()
        self.offline = True

    # What is ordered

    def serve(self, until_ms: int) -> None:
        self.interrupted()
        self.conditions.until_ms, self.changed = until_ms, True

    def resume(self) -> None:
        """Service is over: what it weighs next is what stands there."""
        self.conditions.until_ms = None
        self.renew()

    def renew(self) -> None:
        """The next rest is believed as it is."""
        self.steps.clear()
        self.anew = self.changed = True

    def assigned(self) -> None:
        """Other goods stand here from now on."""
        self.standing.forget()
        self.said_fill.clear()
        self.renew()

    def confirm(self, counts: Mapping[str, int], gross: float | None) -> None:
        """A person has counted, and looked at the scale. `gross`: what it weighs now; None where it is not at rest."""
        self.steps.clear()
        self.conditions.believe()
        self.sure, self.changed = None, True
        if gross is None:
            self.confirmed, self.anew = dict(counts), True
        else:
            self.anew = False
            self.standing.confirm(counts, gross - self.bay.tare_grams, self.items)

    def recalibrated(self, anchor: Sequence[float]) -> None:
        """Its cells weigh anew: `anchor` is what its last rest is by the new calibration."""
        self.interrupted()
        if self.anchored:
            self.set_anchor(anchor)
        self.conditions.believe()
        self.sure, self.changed = None, True

    # What is kept

    def kept_anchor(self) -> list[float]:
        """What it weighed at its last rest, without what is not said yet."""
        steps = ([-grams for grams in step.cells] for step in self.steps)
        return [sum(each) for each in zip(self.anchor, *steps, strict=True)]

    def set_anchor(self, cells: Sequence[float]) -> None:
        """Take these weights of its cells for those of its last rest."""
        self._row[:] = cells
        self.anchored = True

    # How it decides

    def _settled(self, rest: Rest, shared: Shared | None, stamp: Stamp) -> Sequence[Event]:
        grams = shared.grams if shared else self.off(rest)
        if shared is None and abs(grams) < self._dead(rest):
            self._quiet(rest)
            return ()
        conditions, found = self.conditions, self._suspicious(rest)
        if found and not conditions.unsure:
            self._suspect(found, grams, rest)
            return ()
        step = self._step(grams, rest)
        self._anchor(rest)
        if conditions.mute:
            return ()
        if shared is not None and not shared.owner:
            self.standing.overhang += step.grams
            return ()
        if shared is not None:
            self.standing.overhang -= shared.beside
        # What is taken off for a neighbour may hide a change, but never makes one that is counted.
        bare = grams if shared is not None else grams + rest.beside.shown
        taken_off = abs(bare) < self._dead(rest) or bare * grams < 0
        step.doubtful = taken_off or conditions.unsure or (shared is not None and not shared.sure)
        return self._change(step, rest, stamp)

    def _begin(self, rest: Rest, stamp: Stamp) -> list[Event]:
        """The first rest ever, or after service: believe the weight, or the count where it agrees with it."""
        before = self.anchored
        same = before and abs(self.off(rest)) < self._dead(rest)
        noise, laden = self._noise(rest), rest.laden
        self._anchor(rest)
        self.steps.clear()
        self.conditions.believe()
        self.sure, self.anew = None, False
        confirmed, self.confirmed = self.confirmed, None
        if confirmed is not None:
            self.standing.confirm(confirmed, rest.grams - self.bay.tare_grams, self.items)
        elif found := senseless(rest.grams, hypot(noise, laden.spread), expected(self.bay)):
            self.standing.forget()
            self.conditions.check, self.conditions.mute = found.words, found.mute
        elif not (same and self.standing.counts is not None):
            self.standing.forget()
            self.standing.overhang, self.standing.overhang_spread = laden.shown, laden.spread
        if not self.conditions.unsure:
            net = rest.grams - self.bay.tare_grams
            self.standing.weigh(net, noise, self.items, self.bay.capacity, rest.at_ms)
            if self.standing.counts is None and self.bay.items:
                beside = laden.spread > max(noise, DUST_SHARE * self.lightest)
                self.standing.doubt = NEIGHBOURS if beside else NOT_TOLD if before else ""
        self.changed = True
        return self.state(rest.at_ms, rest.us(rest.at_ms), stamp)

    def _sound_again(self, rest: Rest) -> bool:
        """It began with a weight that makes no sense, and now weighs what it should: its tray is back."""
        conditions = self.conditions
        if not conditions.check or conditions.alien or self.sure is not None:
            return False
        if conditions.mute:
            return senseless(rest.grams, rest.noise, expected(self.bay)) is None
        return abs(rest.grams - self.bay.tare_grams) < self._dead(rest)

    def _quiet(self, rest: Rest) -> None:
        """It weighs what it did. What was put last is known better now."""
        if self.steps and not self.offline:
            step = self.steps[-1]
            step.grams += self.off(rest)
            step.cells = [
                g + now - was for g, now, was in zip(step.cells, rest.cells, self.anchor, strict=True)
            ]
        self._anchor(rest)
        self.stood = True

    def _anchor(self, rest: Rest) -> None:
        self.set_anchor(rest.cells)
        self.offline, self._unsaid_us = False, NEVER_US

    def _step(self, grams: float, rest: Rest) -> Step:
        offline = self.offline
        return Step(
            grams=grams, cells=[now - before for now, before in zip(rest.cells, self.anchor, strict=True)],
            noise=self._noise(rest), from_us=self.anchored_us if offline else rest.us(rest.before_ms),
            to_us=rest.us(rest.since_ms), to_ms=rest.at_ms, answer=NO_ANSWER, due_ms=0, offline=offline,
        )  # fmt: skip

    def _suspicious(self, rest: Rest) -> Suspicion | None:
        took_ms = None if self.offline else rest.since_ms - rest.before_ms
        return suspicion(sum(self.anchor), rest.grams, rest.noise, took_ms, expected(self.bay))

    def _suspect(self, found: Suspicion, grams: float, rest: Rest) -> None:
        """Such a change is of the scale, so that nothing is said but that a person should look. It may jump back."""
        self.set_anchor(self.kept_anchor())
        self.steps.clear()
        self.conditions.check, self.conditions.mute, self.changed = found.words, found.mute, True
        self.sure = Sure(self.anchor, self.standing.counts, grams)
        self._anchor(rest)
        self.standing.counts = None

    def _as_before(self, rest: Rest) -> None:
        """A scale that had to be looked at jumped back to where it was: go on from there."""
        sure = self.sure
        if sure is None or self.conditions.alien:
            return
        back = self.off(rest)
        if back * sure.jump > 0 or abs(back) < BACK_SHARE * abs(sure.jump):
            return
        grams = rest.grams - sum(sure.cells)
        answer = explain(grams, self._noise(rest), self.items, sure.counts, self.bay.capacity)
        if abs(grams) >= self._dead(rest) and answer.outcome is not Change.OK:
            return
        self.steps.clear()
        self.set_anchor(sure.cells)
        self.standing.counts, self.standing.doubt = sure.counts, ""
        self.conditions.believe()
        self.sure, self.offline, self.changed = None, True, True

    def _change(self, step: Step, rest: Rest, stamp: Stamp) -> Sequence[Event]:
        if not step.offline and self.steps:
            explains = partial(self._explain, at_ms=step.to_ms)
            reading = understand(step.grams, step.noise, self.steps, explains)
            gone = self.steps[len(self.steps) - reading.steps :]
            del self.steps[len(self.steps) - reading.steps :]
            if reading.grams is None:
                return ()
            step.on_top_of(gone, reading)
        answer = self._explain(step.grams, step.to_ms)
        step.answer = answer = answer.doubted() if step.doubtful else answer
        if self.conditions.unsure and not step.offline and answer.outcome is Change.UNKNOWN_MASS:
            return ()
        if wait_ms := patience(answer, step.grams, offline=step.offline):
            step.due_ms = rest.at_ms + wait_ms
            self.steps.append(step)
            return ()
        said = self._proven(answer, rest, stamp)
        return [*said, *self._say(step, rest.grams, rest.at_ms, rest.us(rest.at_ms), stamp)]

    def _proven(self, answer: Answer, rest: Rest, stamp: Stamp) -> list[Event]:
        """Goods that were put a moment ago stood there, if more is taken than did without them."""
        counts = self.standing.counts
        if counts is None or all(counts.get(each.item, 0) + each.units >= 0 for each in answer.changes):
            return []
        events: list[Event] = []
        for step in [step for step in self.steps if step.answer.outcome is Change.OK]:
            self.steps.remove(step)
            events += self._say(step, rest.grams, rest.at_ms, rest.us(rest.at_ms), stamp)
        return events

    def _explain(self, grams: float, at_ms: int) -> Answer:
        here, elsewhere = self._taken.around(self.shelf, self.bay.name, at_ms)
        around = Around(self.standing.lying(at_ms), here, elsewhere, self._being_filled(at_ms))
        return explain(grams, self._noise_now, self.items, self._held(grams), self.bay.capacity, around)

    def _is_slight(self, step: Step) -> bool:
        """Whether it is no goods, and too little to ask anybody, unless more comes."""
        unknown = step.answer.outcome is Change.UNKNOWN_MASS
        return unknown and not step.offline and abs(step.grams) < SLIGHT_SHARE * self.lightest

    def _being_filled(self, at_ms: int) -> bool:
        """Whether goods were surely put here just before, or after."""
        puts = (step.to_ms for step in self.steps if step.grams > 0 and step.answer.outcome is Change.OK)
        return any(abs(at_ms - put_ms) < FILLING_MS for put_ms in (self._put_ms, *puts))

    def _held(self, grams: float) -> Mapping[str, int] | None:
        """What stands there, with what is provisional; by its weight if nobody counted, where more is put."""
        if self.standing.counts is None:
            if grams < 0 or len(self.bay.items) != 1:
                return None
            (item,) = self.items
            net = self.standing.net(sum(self.anchor) - self.bay.tare_grams) - grams
            return {item.gtin: max(0, int(net / item.gross_grams))}
        held = dict(self.standing.counts)
        for change in (change for step in self.steps for change in step.answer.changes):
            held[change.item] = held.get(change.item, 0) + change.units
        return held

    def _noise(self, rest: Rest) -> float:
        noise = rest.noise
        if self.offline:
            noise = hypot(noise, OFF_GRAMS, OFF_SHARE * rest.grams)
        self._noise_now = hypot(noise, rest.beside.spread, PRESSED * min(rest.peak, MOST_PRESSED))
        return self._noise_now

    def _dead(self, rest: Rest) -> float:
        dead = max(self.dead(max(abs(rest.grams), rest.peak), rest.noise), 3.0 * rest.beside.spread)
        if not self.offline:
            return dead
        return max(dead, min(3.0 * self._noise(rest), DEAD_SHARE * self.lightest))

    # What it says

    def _say(self, step: Step, gross: float, at_ms: int, at_us: int, stamp: Stamp) -> Sequence[Event]:
        """Say a change, and go on from there."""
        items, net = self.items, gross - self.bay.tare_grams
        if step.grams > 0 and step.answer.outcome is Change.OK:
            self._put_ms = step.to_ms
        self.standing.count(step, {item.gtin: item for item in self.bay.items}, self.shelf, self.bay.name)
        waiting = sum(step.grams for step in self.steps)
        if not self.conditions.check:  # what such a scale weighs in all tells nothing
            self.standing.weigh(net - waiting, step.noise, items, self.bay.capacity, at_ms)
        self.changed = True
        weights = {item.gtin: item.gross_grams for item in items}
        return shelf_changes(
            self.shelf, self.bay.name, weights, step, self.standing.counts, net, at_ms, at_us, stamp
        )

    def state(self, at_ms: int, at_us: int, stamp: Stamp) -> list[Event]:
        """What is said when its state or its fill has changed."""
        if self.anew:
            return []  # until its next rest nothing is known
        standing, conditions = self.standing, self.conditions
        events: list[Event] = []
        if news := conditions.news(standing.doubt):
            self.changed = True
            until_ms = conditions.until_ms
            until_us = None if until_ms is None else at_us + 1000 * (until_ms - at_ms)
            events.append(bay_state(self.shelf, self.bay.name, *news, until_us, at_ms, at_us, stamp))
        if self.anchored and not conditions.in_service:
            said = fills(self.shelf, self.bay, standing.counts, self.said_fill, at_ms, at_us, stamp)
            self.changed |= bool(said)
            events += said
        return events
