"""One gate: reads in, tag movements and passages out. Pure: time is an argument.

Reads gather in slices of FOLD_MS and are folded into the field (edge/aggregator/field.py) when a slice is complete. A
passage opens when a tag is seen to move and ends when its load has left or has come to rest
(edge/aggregator/under_way.py). Then all its reads are judged together (edge/aggregator/looking.py).
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from itertools import compress

import msgspec
import numpy as np

from edge.aggregator.doors import Doors, Heard, heard
from edge.aggregator.eyes import Eyes
from edge.aggregator.eyes import Saved as SavedEyes
from edge.aggregator.field import FORGET_MS, Field, Saved
from edge.aggregator.found import Decided, Found, Recorder
from edge.aggregator.inbox import FOLD_MS, LATE_MS, Inbox, slice_end
from edge.aggregator.lessons import TAIL_MS, learn, stood
from edge.aggregator.link import Link
from edge.aggregator.looking import LEAD_MS, Looking
from edge.aggregator.model import DEFAULT, Model
from edge.aggregator.moments import Stamp
from edge.aggregator.passage import events_of
from edge.aggregator.slices import Bools, Floats, Ints, Slice, decode, join
from edge.aggregator.under_way import LONG_MS, LOOK_EVERY_MS, QUIET_S, Open, Pace
from edge.aggregator.verdict import POSSIBLE
from edge.reads import TagRead, Trigger
from wire.events import Direction, Event, Passage

STRAY = 0.3  # less probably moving
LONGEST_MS = 60_000  # in an unbroken stream, of what came before no more is remembered
CUT_MS = 750  # a passage that opens so soon after its reader came back may have begun before
BEGAN_MS = 3_000  # a tag that is seen to move had begun to so long before, at most
SWEEP_MS = 60_000


class Side(StrEnum):
    """Where an antenna of a gate looks."""

    OUTSIDE = "outside"
    INSIDE = "inside"


@dataclass(frozen=True, slots=True, kw_only=True)
class Gate:
    """What the aggregator knows of a gate: which antenna looks where, and how long a rest ends a passage."""

    name: str
    antennas: Mapping[int, Side]
    quiet_s: float = QUIET_S
    model: Model = DEFAULT
    eyes: tuple[int, int] | None = None  # the inputs of the outer and the inner photo-eye


class State(msgspec.Struct, array_like=True):
    """Everything that outlives a restart."""

    field: Saved
    pending: list[bytes]
    recent: list[bytes]
    open: Open | None
    passages: int
    folded_ms: int
    swept_ms: int
    eyes: SavedEyes | None = None
    unseen_ms: int = 0


class GateWatch:
    """Follows one gate. Starts as down: `up` before the first `advance`."""

    def __init__(self, gate: Gate, recorder: Recorder | None = None, doors: Doors | None = None) -> None:
        self.gate = gate
        self._doors = doors
        if doors:
            doors.join(self)
        self._recorder = recorder
        self.changed = False
        numbers = sorted(gate.antennas)
        self._index = {number: index for index, number in enumerate(numbers)}
        self._inner: Bools = np.array([gate.antennas[number] is Side.INSIDE for number in numbers])
        self._pace = Pace.of(gate.quiet_s)
        self._field = Field(self._inner)
        self._eyes = Eyes(*gate.eyes) if gate.eyes else None
        self._looking = Looking(np.array(numbers, np.int64), self._inner, self._field, self._eyes, gate.model)
        self._inbox = Inbox()
        self._recent: list[Slice] = []
        self._open: Open | None = None
        self._passages = 0
        self._folded_ms = 0
        self._swept_ms = 0
        self._unseen_ms = 0  # loads that came before may have been seen in part
        self.link = Link()

    def observe(self, read: TagRead, at_ms: int, stamp: Stamp) -> list[Event]:
        if read.antenna not in self._index:
            return []
        inbox = self._inbox
        events: list[Event] = []
        if at_ms >= inbox.due_ms:
            self.link.told(at_ms)
            if inbox.ms:
                events = self._fold_before(at_ms - LATE_MS, stamp)
            if not inbox.ms:
                inbox.due_ms = slice_end(at_ms) + LATE_MS
        elif at_ms < inbox.due_ms - FOLD_MS - LATE_MS:  # one from the future does not hold up those of today
            self.link.told(at_ms)
            inbox.due_ms = slice_end(at_ms) + LATE_MS
        self.keep((at_ms,), (read,))
        return events

    def waits(self, first_ms: int, last_ms: int) -> bool:
        """Whether reads of no earlier and no later than that are only kept, and nothing is said because of them."""
        return self._inbox.waits(first_ms, last_ms)

    def keep(self, ms: Sequence[int], reads: Sequence[TagRead]) -> None:
        """The fast path, column by column: these reads wait for their slice of time to be complete."""
        try:
            antennas = [self._index[read.antenna] for read in reads]
        except KeyError:  # not all of them are configured
            known = [read.antenna in self._index for read in reads]
            self.keep(list(compress(ms, known)), list(compress(reads, known)))
            return
        rows = self._field.rows_of([read.epc for read in reads], ms)
        self._inbox.add(ms, reads, rows, antennas)
        tids = [read.tid for read in reads]
        if any(tids):
            self._field.tids.update((row, tid) for row, tid in zip(rows, tids, strict=True) if tid)
        if reads:
            self.changed = True

    def trigger(self, read: Trigger, at_ms: int) -> None:
        """An input changed: a photo-eye's, or one that names what opened a passage that is under way."""
        if self._eyes:
            self._eyes.observe(read.input, read.on, at_ms)
            self.changed = True
        if read.on and self._open and self._open.trigger is None:
            self._open.trigger = f"input {read.input}"
            self.changed = True

    def troubles(self) -> list[str]:
        """What is wrong with its eyes, in words."""
        blocked = self._eyes.blocked(self._folded_ms) if self._eyes else []
        return [
            f"{self.gate.name}: the {eye} photo-eye's beam has been broken for minutes" for eye in blocked
        ]

    def advance_to(self, at_ms: int, stamp: Stamp) -> list[Event]:
        """All reads before a time are known: fold them, and close what had ended by then."""
        return self._fold_before(at_ms, stamp)

    def follows(self, now_ms: int) -> bool:
        """Whether time passes here by itself; see link.py."""
        follows = self.link.follows(now_ms, waits=self._open is not None)
        if follows and self._open and not self.link.is_up:
            self._open.healthy = False
        return follows

    def due_ms(self, until_ms: int) -> int | None:
        """When there is something to do next, as a slice ends; None if not by then."""
        due_ms = self._inbox.due_ms - LATE_MS if self._inbox.ms else until_ms + 1
        if self._open:
            due_ms = min(due_ms, slice_end(min(self._open.look_ms, self._open.part_ms) - 1))
        return due_ms if due_ms <= until_ms else None

    @property
    def name(self) -> str:
        return self.gate.name

    def hears(self, epcs: Sequence[str], from_ms: Ints, to_ms: int, zero_ms: int) -> Heard:
        reads = join([*self._recent, self._inbox.all()])
        rows = np.array([self._field.row_of.get(epc, -1) for epc in epcs], np.int64)
        return heard(reads, self._inner, rows, from_ms, to_ms, zero_ms)

    def stirred(self) -> list[str]:
        if self._open is None:
            return []
        rows = self._field.rows["stirred"][: len(self._field.epcs)]
        return self._field.named(np.flatnonzero(rows == self._open.number).tolist())

    def away(self, at_ms: int) -> bool:
        return self.link.away(at_ms)

    def said_elsewhere(self, epcs: Iterable[str], at_ms: int) -> None:
        rows = [row for epc in epcs if (row := self._field.row_of.get(epc)) is not None]
        if rows:
            self._field.rows["since_ms"][rows] = at_ms
            self._leave(np.array(rows), at_ms + TAIL_MS)

    def _leave(self, rows: Ints, until_ms: int) -> None:
        """These tags are another door's: until then they stir nothing here."""
        known = self._field.rows
        known["stirred"][rows] = 0
        known["settled_ms"][rows] = np.maximum(known["settled_ms"][rows], until_ms)
        if current := self._open:  # nor do they keep it open
            mine = known["stirred"] == current.number
            current.read_ms = min(current.read_ms, int(known["last_ms"][mine].max(initial=current.began_ms)))
        self.changed = True

    def up(self, now_ms: int) -> None:
        self.link.up(now_ms, waits=self._open is not None)

    def down(self, now_ms: int) -> None:
        self.link.down(now_ms)
        if self._open:
            self._open.healthy = False
            self.changed = True

    def unseen(self, from_ms: int, to_ms: int) -> None:
        """Nobody knows what went through between two times: a load may have been cut by either."""
        self._unseen_ms = max(self._unseen_ms, to_ms + CUT_MS)
        if self._open and self._open.active_ms >= from_ms - LEAD_MS:
            self._open.healthy = False
        self.changed = True

    def undecided_since_us(self) -> int | None:
        """Wall time before which all is decided, where a passage is open: nothing older will be said."""
        return None if self._open is None else self._open.began_us - 1000 * LEAD_MS

    def save(self) -> bytes:
        self.changed = False
        return _ENCODER.encode(
            State(
                self._field.save(), self._inbox.all().encode(), join(self._recent).encode(), self._open,
                self._passages, self._folded_ms, self._swept_ms, self._eyes.save() if self._eyes else None,
                self._unseen_ms,
            )
        )  # fmt: skip

    def restore(self, blob: bytes) -> None:
        state = _DECODER.decode(blob)
        if not self._field.restore(state.field):
            return
        self._inbox.keep(decode(state.pending))
        self._recent = [reads] if len(reads := decode(state.recent)) else []
        self._open, self._passages = state.open, state.passages
        self._folded_ms, self._swept_ms = state.folded_ms, state.swept_ms
        self._unseen_ms = state.unseen_ms
        if self._eyes and state.eyes:
            self._eyes.restore(state.eyes)

    def _fold_before(self, ready_ms: int, stamp: Stamp) -> list[Event]:
        """Fold every slice that was complete by a time, and close what had ended meanwhile."""
        ready_ms -= ready_ms % FOLD_MS
        events: list[Event] = []
        for reads, end_ms in self._inbox.complete(ready_ms):
            events += self._close_before(end_ms - FOLD_MS, stamp)
            self._fold(reads, max(end_ms, self._folded_ms))
            self.changed = True
        events += self._close_before(ready_ms, stamp)
        self._forget(ready_ms)
        return events

    def _fold(self, reads: Slice, end_ms: int) -> None:
        folded = self._field.fold(reads, end_ms, quiet=self._open is None)
        self._folded_ms = end_ms
        self._recent.append(reads)
        if folded.stirring.any():
            self._stir(reads, folded.rows[folded.stirring], folded.news[folded.stirring], end_ms)
        current = self._open
        if current is None:
            while self._recent and self._recent[0].ms[-1] < end_ms - BEGAN_MS - LEAD_MS:
                self._recent.pop(0)
            return
        moves = self._field.rows["stirred"][folded.rows] == current.number
        current.stepped(float(folded.steps[moves].sum()), float(folded.told[moves].sum()), end_ms, self._pace)
        mine = reads.ms[self._field.rows["stirred"][reads.tag] == current.number]
        if len(mine):
            current.read(int(mine[-1]), self._pace)

    def _stir(self, reads: Slice, rows: Ints, news: Floats, end_ms: int) -> None:
        mine = reads.where(self._field.among(reads.tag, rows))
        last = len(mine) - 1
        if self._open is None:
            self._passages += 1
            known = self._field.take(rows)
            began_ms = int(max(end_ms - BEGAN_MS, np.maximum(known["came_ms"], known["since_ms"]).min()))
            began_ms = min(began_ms, int(mine.ms[0]))  # reads that were held come long after their time
            self._open = Open(
                number=self._passages, began_ms=began_ms,
                began_us=int(mine.us[0]) - 1000 * (int(mine.ms[0]) - began_ms),
                active_ms=int(mine.ms[last]), active_us=int(mine.us[last]), read_ms=int(mine.ms[last]),
                folded_ms=end_ms, rested_ms=end_ms, part_ms=slice_end(began_ms + LONG_MS),
                healthy=began_ms >= self._unseen_ms,
            )  # fmt: skip
            self._field.rest(began_ms)
        self._field.rows["stirred"][rows] = self._open.number
        self._open.stirred(float(news.sum()), int(mine.ms[last]), int(mine.us[last]), end_ms)

    def _close_before(self, at_ms: int, stamp: Stamp) -> list[Event]:
        events: list[Event] = []
        while (current := self._open) and min(current.look_ms, current.part_ms) <= at_ms:
            if current.part_ms < current.look_ms:
                events += self._part(current, current.part_ms, stamp)
                continue
            found = self._look(current, current.look_ms)
            split_ms = found.crossed_until_ms(self._pace.far_ms / 1000) if found else None
            if split_ms is not None and (before := self._look(current, split_ms)):
                # It crossed, and has moved on since: what comes after is another passage.
                events += self._say(
                    current, before, split_ms, stamp, before.there_by(split_ms - self._pace.far_ms // 2)
                )
                current.began_ms, current.began_us = split_ms, before.wall_us(split_ms)
                found = self._look(current, current.look_ms)
            if found and not self._over(current, found):
                # A stray that somebody walked past does not keep the passage open.
                strays = found.rows[found.judgement.moved < STRAY]
                self._field.rows["stirred"][strays] = 0
                self._field.rows["evidence"][strays] = 0.0
                current.looked(self._pace)
                continue
            self._open = None
            events += self._say(current, found, current.look_ms, stamp) if found else []
        return events

    def _over(self, current: Open, found: Found) -> bool:
        """Whether a passage that is looked at has ended."""
        if current.left(self._pace):
            return True
        if self._eyes and self._eyes.in_the_door(current.look_ms):
            return False
        return current.rests(self._pace) and not (self._looking.sided and found.in_the_door())

    def _part(self, current: Open, at_ms: int, stamp: Stamp) -> list[Event]:
        """Say what became of tags that have left a passage in which others go on."""
        current.part_ms = at_ms + self._pace.long_gone_ms
        found = self._look(current, at_ms)
        if found is None:
            return []
        rows = self._field.rows
        left = (rows["last_ms"][found.rows] < at_ms - self._pace.long_gone_ms) & (
            rows["stirred"][found.rows] == current.number
        )
        if not left.any():
            return []
        events = self._say(current, found, at_ms, stamp, left)
        if events:  # what comes later is said as a passage of its own
            current.began_us = found.wall_us(at_ms)
        current.began_ms = max(current.began_ms, at_ms - LONGEST_MS)
        self._recent = [each for each in self._recent if each.ms[-1] >= current.began_ms - LEAD_MS]
        return events

    def _look(self, current: Open, at_ms: int) -> Found | None:
        """Judge all that was read in a passage so far; None if all of it has been judged before."""
        return self._looking.look(
            join(self._recent), current.began_ms, at_ms, lambda rows: self._claims(current, rows, at_ms)
        )

    def _claims(self, current: Open, rows: Ints, at_ms: int) -> tuple[Floats, Bools]:
        """How far tags are this door's, and which are another's: they say nothing here."""
        if not self._doors:
            return np.full(len(rows), np.inf), np.zeros(len(rows), bool)
        from_ms = np.maximum(current.began_ms, self._field.rows["since_ms"][rows])
        claims, elsewhere = self._doors.claims(self, self._field.named(rows.tolist()), from_ms, at_ms)
        if elsewhere.any():
            self._leave(rows[elsewhere], at_ms + LOOK_EVERY_MS)
        return claims, elsewhere

    def _say(
        self, current: Open, found: Found, at_ms: int, stamp: Stamp, chosen: Bools | None = None
    ) -> list[Event]:
        """Say what was found of the chosen tags, or of all; and learn from it."""
        members = found.members(self._field, healthy=current.healthy)
        mine = np.arange(len(members)) if chosen is None else np.flatnonzero(chosen)
        members = [members[index] for index in mine.tolist()]
        if self._doors:
            from_ms = np.maximum(current.began_ms, self._field.rows["since_ms"][found.rows[mine]])
            members = self._doors.settle(self, members, found.claims[mine], from_ms, at_ms)
        events = events_of(current.ended(self.gate.name, int(found.wall_us(at_ms))), members, stamp)
        if found.elsewhere and events and isinstance(passage := events[-1], Passage):
            events[-1] = replace(passage, strays=passage.strays + found.elsewhere)
        if self._recorder:
            epcs = [self._field.epcs[row] or "" for row in found.rows.tolist()]
            self._recorder(Decided(self.gate.name, current.began_ms, at_ms, found, epcs, mine, events))
        self._learn(found, at_ms, mine, [member.verdict.outcome for member in members])
        return events

    def _learn(self, found: Found, at_ms: int, mine: Ints, outcomes: Sequence[Direction | None]) -> None:
        """Where something went through, of all its tags; else of those that somebody is asked about, once."""
        asked = np.array([outcome is not None for outcome in outcomes], bool)
        sure = any(outcome not in (None, Direction.UNDECIDED) for outcome in outcomes)
        if not (sure or (found.crossed()[mine] >= POSSIBLE).any()):
            stood(self._field, np.delete(found.rows, mine[asked]))
            mine = mine[asked]
        learn(self._field, found, at_ms, mine)

    def _forget(self, now_ms: int) -> None:
        """Bounds the memory; once a minute at most, so that the cost a read stays flat."""
        if now_ms >= self._swept_ms + SWEEP_MS:
            self._swept_ms = now_ms
            waiting = {*self._inbox.tag, *join(self._recent).tag.tolist()}
            self._field.forget(now_ms - FORGET_MS, waiting)


_ENCODER = msgspec.msgpack.Encoder()
_DECODER = msgspec.msgpack.Decoder(State)
