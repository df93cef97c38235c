"""One gate: reads in, tag movements and passages out. Pure: time is an argument.

A passage opens when a tag is seen to move and ends when movement has died down for `quiet_s`. Movement is weighed:
a load of a hundred tags that comes to rest beside the door is still read, a little, by each of them, and the strays
around it never stop. So the passage keeps a smoothed sum of the evidence that its reads bring, and is alive while
that is a fair share of what it was at its height.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

import msgspec

from edge.aggregator.judge import Verdict, judge
from edge.aggregator.load import Load
from edge.aggregator.moments import Stamp, compact, moment
from edge.aggregator.tag import MOVING, RATE_S, Tag
from edge.reads import TagRead, Trigger
from wire.events import Direction, Event, Passage, TagMovement

# A load's tags are read at least every 0.3 s while it moves through (95 % of gaps between reads of one tag are below
# 0.27 s in recordings of 12-tag loads, and a load has many tags), and two loads seldom follow within 2 s.
QUIET_S = 2.0
# Reads may arrive so much later than they were made (readers report in batches) without changing any result.
LATE_MS = 500
# After a reader has come back, what it had buffered comes within this time.
CATCH_UP_MS = 1_000
# How long a passage waits for a reader that went away in its middle.
HELD_MS = 120_000
# A passage of an unbroken stream of loads is cut here, between tags and not through one.
LONGEST_MS = 60_000
# Movement below this share of the passage's height is what remains of a load at rest.
# Big loads hum: a hundred tags at rest are surprising now and then, so more is asked where there was more.
ALIVE = 0.15
ALIVE_BIG = 0.5
BIG = 10.0  # the two meet at 14, about what a load of 5 to 10 tags stirs up
ENERGY_S = (
    1.0  # over which movement is smoothed: a load's reads come in bursts as its tags turn to the antennas
)
# A tag not read for so long is forgotten, but for what the next read will tell: its rates would have faded to nothing.
FORGET_MS = 600_000


# When a gate is first switched on, everything around it is new, and most of it stands still. For so long, rates of rest
# are learned quickly, and a tag that is new has not come just now.
START_MS = 5_000
START_RATE_S = 5.0
LEAST_NEWS = 1.0  # what a change of sides that no single read gave away counts
# Reads of a tag so soon after it was said belong to what was said, and tell how it is read where it stands now.
TAIL_MS = 3_000
SETTLING_RATE_S = 3.0
# Reads of a tag that has not moved so far, so far apart, do not belong to one movement.
APART_MS = 2_500
# A tag not read for so long has come anew; what is read of it in its first seconds belongs together.
AWAY_MS = 10_000
FRESH_MS = 12_000
ANCHOR_MS = 4_000  # at rest, what a tag is compared with is so old at most


class Side(StrEnum):
    """Where an antenna of a gate looks."""

    OUTSIDE = "outside"
    INSIDE = "inside"


@dataclass(frozen=True, slots=True, kw_only=True)
class Gate:
    """What the aggregator knows of a gate: which antenna looks where, and how long a silence ends a passage."""

    name: str
    antennas: Mapping[int, Side]
    quiet_s: float = QUIET_S


class Open(msgspec.Struct, array_like=True):
    """A passage under way."""

    began_ms: int
    began_us: int
    active_ms: int  # the last movement
    active_us: int
    energy: float = 0.0
    height: float = 0.0
    members: list[str] = []  # tags read since it opened
    healthy: bool = True
    trigger: str | None = None


class State(msgspec.Struct, array_like=True):
    """Everything that outlives a restart."""

    tags: dict[str, Tag] = {}
    epoch: int = 0  # counts passages that were said
    passages: int = 0  # counts all that were opened
    open: Open | None = None
    swept_ms: int = 0
    began_ms: int = 0  # the first read ever
    load: Load = msgspec.field(default_factory=Load)


def _least(height: float) -> float:
    """The movement below which a passage dies down, after it was so high."""
    return max(ALIVE * height, ALIVE_BIG * (height - BIG))


class GateWatch:
    """Follows one gate. Starts as down: `up` before the first `advance`."""

    def __init__(self, gate: Gate) -> None:
        self.gate = gate
        self.changed = False
        self._sides = {antenna: int(side is Side.INSIDE) for antenna, side in gate.antennas.items()}
        self._quiet_ms = round(gate.quiet_s * 1000)
        self._state = State()
        self._up_ms: int | None = None
        self._down_ms: int | None = None

    def observe(self, read: TagRead, at_ms: int, stamp: Stamp) -> list[Event]:
        side = self._sides.get(read.antenna)
        if side is None:
            return []
        self.changed = True
        state = self._state
        events = self._close_before(at_ms, stamp) if state.open else []
        if not state.began_ms:
            state.began_ms = at_ms
        starting = at_ms < state.began_ms + START_MS
        tag = self._approached(read, at_ms, starting)
        settling = at_ms < tag.settled_ms
        rate_s = SETTLING_RATE_S if settling else START_RATE_S if starting else RATE_S
        news = tag.see(side, at_ms, read.at_us, read.rssi_dbm, rate_s)
        if settling:
            return events
        if tag.g >= MOVING and news > 0.0:
            self._stir(tag, at_ms, read.at_us, news)
            state.load.see(side, at_ms)
        elif state.open is None and tag.changed_sides():
            self._stir(tag, at_ms, read.at_us, LEAST_NEWS)
            state.load.see(side, at_ms)
        if state.open and tag.member != state.passages:
            tag.member = state.passages
            state.open.members.append(read.epc)
        return events

    def trigger(self, read: Trigger) -> None:
        """A photo-eye or button names what opened a passage that is under way."""
        if read.on and self._state.open and self._state.open.trigger is None:
            self._state.open.trigger = f"input {read.input}"
            self.changed = True

    def advance(self, now_ms: int, stamp: Stamp) -> list[Event]:
        current = self._state.open
        if current is None:
            return []
        if self._up_ms is None:
            if self._down_ms is None:
                self._down_ms = now_ms
            if now_ms - self._down_ms < HELD_MS:
                return []
            current.healthy = False
        elif now_ms < self._up_ms + CATCH_UP_MS:
            return []
        return self._close_before(now_ms - LATE_MS, stamp)

    def up(self, now_ms: int) -> None:
        self._up_ms, self._down_ms = now_ms, None

    def down(self, now_ms: int) -> None:
        self._up_ms, self._down_ms = None, now_ms
        if self._state.open:
            self._state.open.healthy = False
            self.changed = True

    def save(self) -> bytes:
        self.changed = False
        return _ENCODER.encode(self._state)

    def restore(self, blob: bytes) -> None:
        self._state = _DECODER.decode(blob)

    def _approached(self, read: TagRead, at_ms: int, starting: bool) -> Tag:
        """The tag that is read, what is known of it brought up to now."""
        state = self._state
        tag = state.tags.get(read.epc)
        if tag is None:
            tag = state.tags[read.epc] = Tag(at_ms, read.at_us, came_ms=at_ms, level_dbm=read.rssi_dbm)
            anew = True
        else:
            tag.fade(at_ms)
            came = at_ms > tag.last_ms + AWAY_MS
            if came:
                tag.came_ms = at_ms
            anew = tag.epoch != state.epoch or self._at_rest(tag, at_ms, came)
        if anew:
            tag.begin(at_ms, read.at_us, read.rssi_dbm, state.epoch, known=not starting)
        if read.tid:
            tag.tid = read.tid
        return tag

    def _at_rest(self, tag: Tag, at_ms: int, came: bool) -> bool:
        """Whether what was read of a tag so far has nothing to do with what is read now."""
        current = self._state.open
        if current is None:
            still = at_ms > max(tag.since_ms + ANCHOR_MS, tag.came_ms + FRESH_MS)
            return came or (still and tag.g <= 0.0)
        before = tag.since_ms < current.began_ms and at_ms > tag.last_ms + APART_MS
        return before and tag.g <= 0.0 and tag.most_g < MOVING

    def _stir(self, tag: Tag, at_ms: int, at_us: int, news: float) -> None:
        current = self._state.open
        if current is None:
            current = Open(tag.since_ms, tag.since_us, at_ms, at_us, members=[])
            self._state.open = current
            self._state.passages += 1
        x = max(0, at_ms - current.active_ms) / 1000 / ENERGY_S
        current.energy = current.energy / (1.0 + x + 0.5 * x * x) + news
        if current.energy > current.height:
            current.height = current.energy
        if current.energy >= _least(current.height) and at_ms > current.active_ms:
            current.active_ms, current.active_us = at_ms, at_us

    def _close_before(self, at_ms: int, stamp: Stamp) -> list[Event]:
        current = self._state.open
        if current is None:
            return []
        if at_ms > current.active_ms + self._quiet_ms:
            return self._close(current, stamp, carried=[])
        if at_ms > current.began_ms + LONGEST_MS:
            tags = self._state.tags
            cut_ms = current.active_ms - self._quiet_ms
            carried = [
                epc
                for epc in current.members
                if tags[epc].last_ms > cut_ms and tags[epc].since_ms >= current.began_ms - self._quiet_ms
            ]
            return self._close(current, stamp, carried=carried)
        return []

    def _close(self, current: Open, stamp: Stamp, carried: list[str]) -> list[Event]:
        state = self._state
        staying = set(carried)
        epcs = [epc for epc in current.members if epc not in staying]
        tags = [state.tags[epc] for epc in epcs]
        seconds = (current.active_ms - current.began_ms) / 1000
        verdicts = judge(tags, state.load, current.began_ms, seconds, current.active_ms + self._quiet_ms)
        events = self._events(current, list(zip(epcs, tags, verdicts, strict=True)), stamp)
        state.open = None
        self._forget(current.active_ms)
        if not events:  # nothing came of it: what is known of each tag goes on
            return []
        state.epoch += 1
        for tag, verdict in zip(tags, verdicts, strict=True):
            tag.g = 0.0
            tag.move_away(verdict.crossed)
            if verdict.outcome in (Direction.IN, Direction.OUT):
                tag.settled_ms = current.active_ms + self._quiet_ms + TAIL_MS
        if carried:
            self._carry(current, carried)
        return events

    def _carry(self, current: Open, carried: list[str]) -> None:
        """Begin the next passage with the tags that are still in the middle of theirs."""
        self._state.passages += 1
        tags = [self._state.tags[epc] for epc in carried]
        first = min(tags, key=lambda tag: tag.since_ms)
        for tag in tags:
            tag.epoch, tag.member = self._state.epoch, self._state.passages
        self._state.open = Open(
            current.active_ms, first.last_us, current.active_ms, current.active_us, energy=current.energy,
            height=current.height, members=carried, healthy=current.healthy, trigger=current.trigger,
        )  # fmt: skip

    def _forget(self, now_ms: int) -> None:
        """Bounds the memory; once a minute at most, so that the cost a read stays flat."""
        state = self._state
        if now_ms < state.swept_ms + 60_000:
            return
        state.swept_ms = now_ms
        state.load.forget(now_ms - 2 * LONGEST_MS)
        limit = now_ms - FORGET_MS
        for epc in [epc for epc, tag in state.tags.items() if tag.last_ms < limit]:
            del state.tags[epc]

    def _events(self, current: Open, judged: list[tuple[str, Tag, Verdict]], stamp: Stamp) -> list[Event]:
        counts = dict.fromkeys(Direction, 0)
        passage = f"{self.gate.name}-{compact(current.began_us)}"
        decided_us = current.active_us + 1000 * self._quiet_ms
        events: list[Event] = []
        for epc, tag, verdict in judged:
            if verdict.outcome is None:
                continue
            counts[verdict.outcome] += 1
            events.append(
                TagMovement(
                    at=moment(tag.last_us - 1000 * (tag.last_ms - verdict.at_ms)),
                    clock=stamp.clock,
                    boot=stamp.boot,
                    mono_ms=verdict.at_ms,
                    gate=self.gate.name,
                    epc=epc,
                    tid=tag.tid,
                    outcome=verdict.outcome,
                    confidence=round(verdict.confidence, 3),
                    passage=passage,
                    reads=tag.reads,
                    decided_at=moment(decided_us),
                )
            )
        if not events:
            return []
        events.append(
            Passage(
                at=moment(current.active_us),
                clock=stamp.clock,
                boot=stamp.boot,
                mono_ms=current.active_ms,
                gate=self.gate.name,
                passage=passage,
                load=passage,
                began_at=moment(current.began_us),
                ended_at=moment(current.active_us),
                ins=counts[Direction.IN],
                outs=counts[Direction.OUT],
                turned_back=counts[Direction.TURNED_BACK],
                undecided=counts[Direction.UNDECIDED],
                strays=len(judged) - len(events),
                trigger=current.trigger,
                healthy=current.healthy,
            )
        )
        return events


_ENCODER = msgspec.msgpack.Encoder()
_DECODER = msgspec.msgpack.Decoder(State)
