"""One bay of a shelf, from plateau to plateau.

What counts is the difference between two times of rest, whatever happened in between. The baseline follows creep and
temperature, slowly, and is kept over restarts; a bay is never tared. What cannot be explained is held back for a
while, because a hand or a bag that rests there is taken away again.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import msgspec

from edge.aggregator.hypotheses import Answer, Item, contents, explain
from edge.aggregator.moments import Stamp, moment
from edge.aggregator.plateau import Block, Plateau, Settling
from edge.reads import WeightSample
from wire.events import Change, Event, ShelfChange
from wire.messages import Level

# Below this share of the lightest unit, and below 2 g in any case, a difference is drift.
DEAD_SHARE = 0.35
DEAD_GRAMS = 2.0
# The baseline follows by a twentieth of the difference each 0.1 s, but never faster than this: drift of a 10 kg cell
# that warms by 10 K in an hour is 0.0014 g/s, and nobody puts down goods that slowly.
FOLLOW_SHARE = 0.05
FOLLOW_GRAMS_S = 0.05
HELD_MS = 15_000  # what cannot be explained is said only when it has lasted so long
PUT_MS = 1_000  # what was put may still be held by the hand that put it
OFFLINE_MS = 10_000  # a gap so long leaves it open when things happened
DRIFT_SAVE_MS = 60_000  # the baseline's drift is worth saving so often


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


class Rest(msgspec.Struct, array_like=True):
    """What is kept of a bay over a restart: the last rest."""

    grams: float
    at_ms: int
    at_us: int
    sigma: float
    counts: dict[str, int] | None


class _Held:
    """A plateau that is not explained yet, or not for long enough."""

    __slots__ = ("first", "grams", "last_ms", "last_us")

    def __init__(self, plateau: Plateau) -> None:
        self.grams = plateau.grams
        self.first = (plateau.from_ms, plateau.from_us)
        self.last_ms, self.last_us = plateau.at_ms, plateau.at_us


class BayWatch:
    """Follows one bay."""

    def __init__(self, shelf: str, bay: Bay) -> None:
        self.bay = bay
        self.changed = False
        self.rest: Rest | None = None
        self.settling = Settling()
        self.offline = True
        self._shelf = shelf
        self._held: _Held | None = None
        self._blocks = {cell: Block() for cell in bay.cells}
        self._ended: dict[int, tuple[int, int, float, bool]] = {}
        self._ticked_ms: int | None = None
        self._saved_ms = 0
        lightest = min((item.unit_grams for item in bay.items), default=0.0)
        self._dead = max(DEAD_SHARE * lightest, DEAD_GRAMS)

    def observe(self, read: WeightSample, at_ms: int, stamp: Stamp) -> list[Event]:
        ended = self._blocks[read.cell].add(at_ms, read.at_us, read.grams, read.stable is not False)
        if ended is None:
            return []
        if len(self._blocks) == 1:
            return self._tick(*ended, stamp)
        self._ended[read.cell] = ended
        if len(self._ended) < len(self._blocks):
            return []
        blocks = list(self._ended.values())
        self._ended.clear()
        newest = max(blocks)
        grams = sum(block[2] for block in blocks)
        return self._tick(newest[0], newest[1], grams, all(block[3] for block in blocks), stamp)

    def restore(self, rest: Rest) -> None:
        self.rest, self.settling = rest, Settling(rest.sigma)
        self.interrupted()

    def interrupted(self) -> None:
        """Nobody weighed for a while: the next rest is compared with the last one before."""
        self.offline, self._held = True, None
        self.settling = Settling(self.settling.sigma)
        self._blocks = {cell: Block() for cell in self.bay.cells}
        self._ended.clear()

    def levels(self) -> list[Level]:
        grams = self.settling.grams
        if grams is None:
            return []
        counts = self.rest.counts if self.rest else None
        units: list[tuple[str | None, int | None]] = [
            (item.gtin, counts.get(item.gtin) if counts else None) for item in self.bay.items
        ]
        return [
            Level(
                shelf=self._shelf, bay=self.bay.name, grams=round(grams - self.bay.tare_grams, 2), item=item,
                units=n, stable=self.settling.at_rest,
            )
            for item, n in units or [(None, None)]
        ]  # fmt: skip

    def _tick(self, at_ms: int, at_us: int, grams: float, steady: bool, stamp: Stamp) -> list[Event]:
        if self._ticked_ms is not None and at_ms - self._ticked_ms > OFFLINE_MS:
            self.interrupted()
        self._ticked_ms = at_ms
        plateau = self.settling.tick(at_ms, at_us, grams, steady)
        if plateau is None:
            return []
        rest = self.rest
        if rest is None:
            self._begin(plateau)
            return []
        if abs(plateau.grams - rest.grams) < self._dead:
            self._follow(rest, plateau)
            return []
        return self._change(rest, plateau, stamp)

    def _begin(self, plateau: Plateau) -> None:
        """The first rest ever: believe the weight."""
        net = plateau.grams - self.bay.tare_grams
        counts = contents(net, self._noise(), self.bay.items, self.bay.capacity)
        self.rest = Rest(plateau.grams, plateau.at_ms, plateau.at_us, self.settling.sigma, counts)
        self.changed, self.offline = True, False

    def _follow(self, rest: Rest, plateau: Plateau) -> None:
        seconds = max(0.0, min(1.0, (plateau.at_ms - rest.at_ms) / 1000))
        most = FOLLOW_GRAMS_S * seconds
        step = FOLLOW_SHARE * 10.0 * seconds * (plateau.grams - rest.grams)
        rest.grams += max(-most, min(most, step))
        rest.at_ms, rest.at_us, rest.sigma = plateau.at_ms, plateau.at_us, self.settling.sigma
        self.offline, self._held = False, None
        if plateau.at_ms - self._saved_ms >= DRIFT_SAVE_MS:
            self._saved_ms, self.changed = plateau.at_ms, True

    def _change(self, rest: Rest, plateau: Plateau, stamp: Stamp) -> list[Event]:
        held = self._held
        answer = self._explain(plateau.grams - rest.grams, rest)
        if held is None or abs(plateau.grams - held.grams) >= self._dead:
            if held is not None and answer.outcome is not Change.OK:
                beside = self._explain(plateau.grams - held.grams, rest)
                if beside.outcome is Change.OK:
                    return self._beside(held, plateau, beside, stamp)
            held = self._held = _Held(plateau)
        held.last_ms, held.last_us = plateau.at_ms, plateau.at_us
        if plateau.at_ms - held.first[0] < self._patience(answer, plateau.grams - rest.grams):
            return []
        return self._settle(answer, (rest.at_us, held.first[1]), rest.grams, plateau, stamp)

    def _beside(self, held: _Held, plateau: Plateau, answer: Answer, stamp: Stamp) -> list[Event]:
        """Goods were moved while something unexplained lay there: it stays unexplained, and held."""
        events = self._settle(answer, (held.last_us, plateau.from_us), held.grams, plateau, stamp)
        held.grams, held.last_ms, held.last_us = plateau.grams, plateau.at_ms, plateau.at_us
        self._held = held
        return events

    def _settle(
        self, answer: Answer, between: tuple[int, int], before: float, plateau: Plateau, stamp: Stamp
    ) -> list[Event]:
        """Say a change from the weight `before`, and go on from there."""
        rest = self.rest
        assert rest is not None
        grams = rest.grams + plateau.grams - before
        counts = self._counts(answer, rest, grams)
        events = self._say(answer, between, plateau, plateau.grams - before, counts, stamp)
        self.rest = Rest(grams, plateau.at_ms, plateau.at_us, self.settling.sigma, counts)
        self.changed, self._saved_ms = True, plateau.at_ms
        self.offline, self._held = False, None
        return events

    def _patience(self, answer: Answer, grams: float) -> int:
        if answer.outcome is Change.UNKNOWN_MASS:
            return HELD_MS
        if grams > 0:
            return PUT_MS if answer.outcome is Change.OK else HELD_MS
        return 0

    def _explain(self, grams: float, rest: Rest) -> Answer:
        return explain(grams, self._noise(), self.bay.items, rest.counts, self.bay.capacity)

    def _noise(self) -> float:
        """Of a difference of two plateaus: of eight samples each, and what creeps between them."""
        return max(0.5, self.settling.sigma)

    def _counts(self, answer: Answer, rest: Rest, grams: float) -> dict[str, int] | None:
        """What stands there after a change: counted on where both were sure, else by weight."""
        if answer.outcome is Change.OK and rest.counts is not None:
            counts = dict(rest.counts)
            for change in answer.changes:
                counts[change.item] = counts.get(change.item, 0) + change.units
            if min(counts.values()) >= 0:
                return counts
        return contents(grams - self.bay.tare_grams, self._noise(), self.bay.items, self.bay.capacity)

    def _say(
        self,
        answer: Answer,
        between: tuple[int, int],
        plateau: Plateau,
        grams: float,
        counts: dict[str, int] | None,
        stamp: Stamp,
    ) -> list[Event]:
        """One event a kind of goods; the mass that is left over is shared between them."""
        changes: Sequence[tuple[str | None, int | None]] = [(c.item, c.units) for c in answer.changes]
        weights = {item.gtin: item.unit_grams for item in self.bay.items}
        expected = [weights[c.item] * c.units for c in answer.changes]
        shares = [mass + (grams - sum(expected)) / len(expected) for mass in expected]
        begin_us, end_us = min(between), max(between)
        middle_us = (begin_us + end_us) // 2
        return [
            ShelfChange(
                at=moment(middle_us),
                clock=stamp.clock,
                boot=stamp.boot,
                mono_ms=max(0, plateau.at_ms - (plateau.at_us - middle_us) // 1000),
                shelf=self._shelf,
                bay=self.bay.name,
                outcome=Change.OFFLINE_CHANGE if self.offline else answer.outcome,
                item=item,
                units=units,
                grams=round(share, 2),
                confidence=round(answer.confidence, 3),
                candidates=answer.candidates,
                from_at=moment(begin_us),
                to_at=moment(end_us),
                level_units=counts.get(item) if counts and item else None,
                level_grams=round(plateau.grams - self.bay.tare_grams, 2),
                decided_at=moment(plateau.at_us),
            )
            for (item, units), share in zip(changes or [(None, None)], shares or [grams], strict=True)
        ]
