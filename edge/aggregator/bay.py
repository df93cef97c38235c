"""One bay of a shelf, from plateau to plateau.

What counts is the difference between two times of rest, whatever happened in between. The anchor, which is what the
bay weighed at its last rest, follows creep and temperature, slowly, and is kept over restarts; a bay is never tared.
What was put stays provisional until it has lasted, because a hand or a bag that rests there is taken away again.
"""

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from math import hypot

from edge.aggregator import accuracy, doubting
from edge.aggregator.channels import Floats
from edge.aggregator.conditions import Conditions
from edge.aggregator.explaining import MUCH_SLIGHT, explain_again, explain_change, is_slight
from edge.aggregator.fill import fills
from edge.aggregator.goods import Goods
from edge.aggregator.hypotheses import Answer, Item
from edge.aggregator.moments import Stamp
from edge.aggregator.place import Bay, Rest, Shared, Sure
from edge.aggregator.said import bay_state, shelf_changes
from edge.aggregator.span import Moves
from edge.aggregator.standing import NEIGHBOURS, NOT_TOLD, Standing
from edge.aggregator.steps import NO_ANSWER, Step, patience, understand
from edge.aggregator.suspicion import expected, senseless
from edge.aggregator.taken import TakenLately
from wire.events import Change, Condition, Event

NEVER_US, LONG_AGO_MS = 1 << 62, -(10**15)


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
        self.changed = self.anchored = False  # until the first rest ever
        self.anew = False  # the next rest is believed as it is
        self.confirmed: dict[str, int] | None = None  # what a person says that stands there at the next rest
        self.offline = True  # nobody weighed since the anchor
        self.stood = False  # when it was last asked, nothing had happened
        self.steps: list[Step] = []
        self.shared: Shared | None = None  # the next change belongs together with a neighbour's
        self.standing = Standing(goods, taken)
        self.conditions = Conditions()
        self.moves = Moves()
        self.misfit = ""  # why its new calibration is doubted, should it weigh the same load at its next rest
        self.factor: tuple[float, int] | None = None  # by which it and so many bays beside it changed at once
        self.said_fill: dict[str, str] = {}
        self._row, self.goods, self.taken = row, goods, taken
        self.kept_us, self._rested_us = 0, rested_us
        self.sure: Sure | None = None  # what was before the scale had to be looked at
        self.senseless = False  # it began with a weight that makes no sense
        self._noise_now = 0.5
        self._unsaid_us = NEVER_US  # when the first change came that was dropped before it was said
        self.put_ms, self._slight = LONG_AGO_MS, 0.0

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
        return self.goods.known(self.bay.items)

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

    def off(self, rest: Rest) -> float:
        """How far from its last rest."""
        return rest.grams - sum(self.anchor) - rest.beside.shown

    def placed(self, rest: Rest) -> bool:
        """Whether that is more than drift, creep and dust."""
        return abs(self.off(rest)) >= self._dead(rest)

    def changes_alone(self, rest: Rest) -> bool:
        """Whether there is a change that is to be counted, and nothing that is not said yet."""
        plain = self.anchored and not (self.anew or self.offline or self.conditions.unsure or self.steps)
        return plain and not self.conditions.in_service and self.placed(rest)

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
            return self.state(rest.at_ms, rest.us(rest.at_ms), stamp)
        if self.begins or doubting.sound_again(self, rest, self._dead(rest)):
            return self._begin(rest, stamp)
        doubting.as_before(self, rest)
        said = self._settled(rest, shared, stamp)
        return [*said, *self.state(rest.at_ms, rest.us(rest.at_ms), stamp)]

    def passed(self, now_ms: int, offset_us: int, stamp: Stamp, gross: float) -> list[Event]:
        """Time has passed while it rests: what was provisional has lasted."""
        events: list[Event] = []
        for step in [step for step in self.steps if step.due_ms <= now_ms]:
            self.steps.remove(step)
            explain_again(self, step, self._noise_now)
            if is_slight(step, self.lightest):
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

    def assigned(self, stays: bool) -> None:
        """Other goods stand here from now on; or the same, `stays`, of which other figures are planned."""
        self.moves.forget()
        self.said_fill.clear()
        if not stays:
            self.standing.forget()
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
            self._confirm(counts, gross)

    def recalibrated(self, anchor: Sequence[float]) -> None:
        """Its cells weigh anew: `anchor` is what its last rest is by the new calibration."""
        self.interrupted()
        self.moves.forget()
        self.conditions.believe()
        self.sure, self.changed = None, True
        if self.anchored:
            self.conditions.check = self.misfit = doubting.recalibrated(self, sum(anchor))
            self.set_anchor(anchor)
            self.standing.look_again(sum(anchor) - self.bay.tare_grams, self._noise_now, self.items)

    def _confirm(self, counts: Mapping[str, int], gross: float) -> None:
        net = gross - self.bay.tare_grams
        self.standing.confirm(counts, net, self.items)
        doubting.confirmed(self, net)

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
        conditions, found = self.conditions, doubting.suspicious(self, grams, rest)
        if found and not conditions.unsure:
            step = self._step(grams, rest)
            doubting.suspect(self, found, grams, rest)
            return self._unexplained(step, rest, stamp) if found.told else ()
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
        self.sure, self.anew, self.senseless = None, False, False
        misfit, self.misfit = self.misfit, ""
        confirmed, self.confirmed = self.confirmed, None
        if confirmed is not None:
            self._confirm(confirmed, rest.grams)
        elif found := senseless(rest.grams, hypot(noise, laden.spread), expected(self.bay)):
            self.standing.forget()
            self.conditions.check, self.conditions.mute, self.senseless = found.words, found.mute, True
        elif not (same and self.standing.counts is not None):
            self.standing.forget()
            self.standing.overhang, self.standing.overhang_spread = laden.shown, laden.spread
        if not self.conditions.unsure:
            net = rest.grams - self.bay.tare_grams
            self.standing.weigh(net, noise, self.items, self.bay.capacity, rest.at_ms)
            if self.standing.counts is None and self.bay.items:
                beside = laden.spread > max(noise, accuracy.DUST_SHARE * self.lightest)
                self.standing.doubt = NEIGHBOURS if beside else NOT_TOLD
        if misfit and same and confirmed is None:
            self.conditions.check = misfit
        self.changed = True
        return self.state(rest.at_ms, rest.us(rest.at_ms), stamp)

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
        net = rest.grams - self.bay.tare_grams - sum(step.grams for step in self.steps)
        self.changed |= self.standing.look_again(net, rest.noise, self.items)

    def _anchor(self, rest: Rest) -> None:
        self.set_anchor(rest.cells)
        self.offline, self._unsaid_us = False, NEVER_US

    def _step(self, grams: float, rest: Rest) -> Step:
        offline = self.offline
        return Step(
            grams=grams, cells=[now - before for now, before in zip(rest.cells, self.anchor, strict=True)],
            noise=self._noise(rest), from_us=self.anchored_us if offline else rest.us(rest.before_ms),
            to_us=rest.us(rest.since_ms), to_ms=rest.at_ms, answer=NO_ANSWER, due_ms=0, gross=rest.grams,
            offline=offline,
        )  # fmt: skip

    def _change(self, step: Step, rest: Rest, stamp: Stamp) -> Sequence[Event]:
        if not step.offline and self.steps:
            explains = partial(self._explain, at_ms=step.to_ms)
            reading = understand(step.grams, step.noise, step.to_ms, self.steps, explains)
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
        own = [each for each in answer.changes if counts is not None and each.item in counts]
        if counts is None or all(counts[each.item] + each.units >= 0 for each in own):
            return []
        events: list[Event] = []
        for step in [step for step in self.steps if step.answer.outcome is Change.OK]:
            self.steps.remove(step)
            events += self._say(step, rest.grams, rest.at_ms, rest.us(rest.at_ms), stamp)
        return events

    def _explain(self, grams: float, at_ms: int) -> Answer:
        return explain_change(self, grams, self._noise_now, at_ms)

    def _noise(self, rest: Rest) -> float:
        self._noise_now = accuracy.noise(rest, offline=self.offline)
        return self._noise_now

    def _dead(self, rest: Rest) -> float:
        return accuracy.dead_at(rest, self.lightest, offline=self.offline)

    # What it says

    def _say(self, step: Step, gross: float, at_ms: int, at_us: int, stamp: Stamp) -> Sequence[Event]:
        """Say a change, and go on from there."""
        items, net = self.items, gross - self.bay.tare_grams
        if step.grams > 0 and step.answer.outcome is Change.OK:
            self.put_ms = step.to_ms
        doubting.count(self, step)
        waiting = sum(step.grams for step in self.steps)
        if not self.conditions.check:  # what such a scale weighs in all tells nothing
            self.standing.weigh(net - waiting, step.noise, items, self.bay.capacity, at_ms)
        self.changed = True
        weights = {item.gtin: item.gross_grams for item in items}
        return shelf_changes(
            self.shelf, self.bay.name, weights, step, self.standing.counts, net, at_ms, at_us, stamp
        )

    def _unexplained(self, step: Step, rest: Rest, stamp: Stamp) -> Sequence[Event]:
        """Of a change that may be of the scale, or not: grams, and no units."""
        step.answer, net = self._explain(step.grams, rest.at_ms), rest.grams - self.bay.tare_grams
        at_us = rest.us(rest.at_ms)
        return shelf_changes(self.shelf, self.bay.name, {}, step, None, net, rest.at_ms, at_us, stamp)

    def state(self, at_ms: int, at_us: int, stamp: Stamp) -> list[Event]:
        """What is said when its state or its fill has changed."""
        standing, conditions = self.standing, self.conditions
        if self.anew and not conditions.blind:
            return []  # until its next rest nothing is known
        if not self.anchored and conditions.now(standing.doubt)[0] is Condition.OK:
            return []  # nor before its first
        events: list[Event] = []
        if news := conditions.news(standing.doubt):
            self.changed = True
            until_ms = conditions.until_ms
            until_us = None if until_ms is None else at_us + 1000 * (until_ms - at_ms)
            events.append(bay_state(self.shelf, self.bay.name, *news, until_us, at_ms, at_us, stamp))
        if self.anchored and not (self.anew or conditions.in_service):
            said = fills(self.shelf, self.bay, standing.counts, self.said_fill, at_ms, at_us, stamp)
            self.changed |= bool(said)
            events += said
        return events
