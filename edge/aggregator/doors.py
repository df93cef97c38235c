"""Several doors of one site: whose a tag is that more than one of them hears. Pure: time is an argument.

Doors side by side hear each other's loads, some 10 to 20 dB weaker. What a gate is about to judge is held against what
the other gates have read of the same tags in the same time. A tag belongs to the door that reads it more strongly on
both of its sides: one that was put down beside the next door is read strongly there, but on one side alone. Readers
and antennas differ, so powers are counted from what each gate usually reads of loads of its own, as far as it has
learned that. The tags of one load vote: they were all carried through the same door.

Overlap in time is what counts: a tag that goes out by one door and, later, in by another belongs to each in its turn.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Protocol

import msgspec
import numpy as np

from edge.aggregator.passage import Member
from edge.aggregator.paths import sigmoid
from edge.aggregator.slices import Bools, Floats, Ints, Slice, summed
from wire.events import Direction

TOP = 3  # of a tag's strongest reads on a side tell how near it came: one alone may be a reflection
UNHEARD_DBM = -76.0  # a read that did not come would have been weaker: readers hear down to -75 or so
# One door's tags are read 14 dB (5 to 20) weaker at the next in a room with echoes (simulators/doors, doors 4 m
# apart): log-likelihood ratios of about 1 a dB, were reads independent and echoes unlike.
ODDS_PER_DB = 0.35
MOST_ODDS = 5.0  # of one tag: 150 to 1
UNHEARD_ODDS = 2.0  # of one that only one of them has read, however weakly
CLEAR = 4.0  # so sure of its door, a tag takes no advice from its load
VOTE_S = 2.5  # so far apart are the middles of the reads of one load's tags (standard deviation)
SHY = 2.0  # votes that a vote must outweigh
ELSEWHERE = -1.0  # log-odds below which it belongs to the other door, and
CLOSE = 1.0  # above which to this: between the two a person decides
# What a gate reads of its own loads: an average over as many as this, trusted by halves from as many as that.
USUAL_OVER, USUAL_TRUST = 20, 3.0
USUAL_MOST_DB = 8.0  # readers differ by so much, at most
WEAKER_DB = 7.0  # half-way between one's own loads and those of the next door, from the usual
# A door whose reader is away cannot say how strongly it would have read a tag. It matters only where the two have
# heard the same tags before.
SHARED_LEAST, SHARED_MOST = 3, 100
ASKED_MS = 15_000  # somebody was asked about a tag at one door: the next, if no surer, does not ask again
# Soon after a tag was said at one door, what another still hears of it is more probably what is left of that.
SAID_ODDS, SAID_MS, SAID_FORGET_MS = 3.0, 4_000, 60_000


@dataclass(frozen=True, slots=True, eq=False)
class Heard:
    """What a gate has read of n tags in a while."""

    reads: Floats  # (n,)
    dbm: Floats  # (n,) of the strongest, over its sides; UNHEARD_DBM where they were not read
    sums_ms: Floats  # (n,) of their times, from the beginning of the while


def heard(reads: Slice, inner: Bools, rows: Ints, from_ms: Ints, to_ms: int, zero_ms: int) -> Heard:
    """How a gate read tags.

    Args:
        reads: of any tags.
        inner: of each antenna by index, whether it looks inside.
        rows: of the tags, -1 of one that the gate does not know, (n,).
        from_ms: earlier reads of each tag do not count, (n,).
    """
    n = len(rows)
    number = np.full(int(max(rows.max(initial=-1), reads.tag.max(initial=-1))) + 2, -1)
    number[rows] = np.arange(n)
    number[-1] = -1  # where unknown rows have written
    tag = number[reads.tag]
    mine = (tag >= 0) & (reads.ms < to_ms)
    mine[mine] &= reads.ms[mine] >= from_ms[tag[mine]]
    tag, dbm, side = tag[mine], reads.dbm[mine], inner[reads.antenna[mine]].astype(np.int64)
    cell = 2 * tag + side
    order = np.lexsort((-dbm, cell))
    first = np.searchsorted(cell[order], cell[order])
    best = order[np.arange(len(order)) - first < TOP]
    floor = min(UNHEARD_DBM, float(reads.dbm.min(initial=0.0)))
    above = summed(cell[best], dbm[best] - floor, 2 * n).reshape(n, 2) / TOP
    sides = np.unique(inner.astype(np.int64))
    return Heard(
        np.bincount(tag, minlength=n).astype(float),
        floor + above[:, sides].mean(axis=1),
        summed(tag, (reads.ms[mine] - zero_ms).astype(float), n),
    )


class Door(Protocol):
    """What a gate tells the others. Rows are of its own field."""

    @property
    def name(self) -> str: ...

    def hears(self, epcs: Sequence[str], from_ms: Ints, to_ms: int, zero_ms: int) -> Heard: ...

    def stirred(self) -> list[str]:
        """The tags that move in its open passage."""

    def away(self, at_ms: int) -> bool:
        """Its reader was not connected then."""

    def said_elsewhere(self, epcs: Iterable[str], at_ms: int) -> None:
        """What it has read of these tags until then was said of another door."""


class Usual(msgspec.Struct, array_like=True):
    """How strongly a gate reads tags of its own loads."""

    dbm: float
    loads: int


class State(msgspec.Struct, array_like=True):
    usual: dict[str, Usual]
    shared: dict[str, int]  # tags of a gate that another heard too, by both names
    said: dict[str, tuple[str, int]]  # where a tag was said to cross, and when
    left: dict[str, tuple[str, int]]  # by which gate a tag was left to the others, and when
    asked: dict[str, tuple[str, int]]  # at which gate somebody was asked about a tag, and when


class Doors:
    """The gates of an agent, as far as they share tags."""

    def __init__(self) -> None:
        self._doors: list[Door] = []
        self._state = State({}, {}, {}, {}, {})
        self.changed = False

    def join(self, door: Door) -> None:
        self._doors.append(door)

    def claims(self, door: Door, epcs: Sequence[str], from_ms: Ints, at_ms: int) -> tuple[Floats, Bools]:
        """Whose tags are, as read from a time on.

        Returns:
            Log-odds that each is of that door and not of another, (n,): infinite where no other has heard of it. And
            whether another, whose reader is there to tell, is to have it.
        """
        others = [other for other in self._doors if other is not door]
        found, beside_away = np.full(len(epcs), np.inf), np.full(len(epcs), np.inf)
        if not others or not len(epcs):
            return found, np.zeros(len(epcs), bool)
        zero_ms = int(from_ms.min())
        mine = self._levelled(door, door.hears(epcs, from_ms, at_ms, zero_ms))
        for other in others:
            if other.away(at_ms) and self._share(door, other):
                beside_away = np.minimum(beside_away, self._beside_one_away(door, mine.dbm))
            theirs = self._levelled(other, other.hears(epcs, from_ms, at_ms, zero_ms))
            if theirs.reads.any():
                found = np.minimum(found, self._odds(door, other, list(epcs), mine, theirs, zero_ms, at_ms))
        found -= self._said_odds(door, epcs, at_ms)
        # What another left to this one is not left back, lest nobody says anything.
        left = [self._state.left.get(epc, (door.name, 0))[0] != door.name for epc in epcs]
        found = np.where(left, np.maximum(found, 0.0), found)
        return np.minimum(found, beside_away), found < ELSEWHERE

    def _odds(
        self, door: Door, other: Door, epcs: list[str], mine: Heard, theirs: Heard, zero_ms: int, at_ms: int
    ) -> Floats:
        """Of each tag alone, and by the vote of those that move at either door."""
        n, known = len(epcs), set(epcs)
        moving = set(door.stirred()) | set(other.stirred())
        more = sorted(moving - known)
        odds, middle = _alone(mine, theirs)
        voters = np.array([epc in moving for epc in epcs])
        if more:
            since = np.full(len(more), zero_ms)
            odds_more, middle_more = _alone(
                self._levelled(door, door.hears(more, since, at_ms, zero_ms)),
                self._levelled(other, other.hears(more, since, at_ms, zero_ms)),
            )
            odds, middle = np.concatenate([odds, odds_more]), np.concatenate([middle, middle_more])
            voters = np.concatenate([voters, np.ones(len(more), bool)])
        near = np.exp(-0.5 * ((middle[:n, None] - middle) / 1000.0 / VOTE_S) ** 2) * voters
        near[np.arange(n), np.arange(n)] = 0.0
        vote = near @ odds / (near.sum(axis=1) + SHY)
        own: Floats = odds[:n]
        voted: Floats = own + vote * np.maximum(0.0, 1.0 - np.abs(own) / CLEAR)
        return voted

    def _levelled(self, door: Door, found: Heard) -> Heard:
        """With powers that can be compared between gates."""
        usual = self._state.usual.get(door.name)
        if usual is None or len(self._state.usual) < 2:
            return found
        mean = sum(each.dbm for each in self._state.usual.values()) / len(self._state.usual)
        apart = np.clip(usual.dbm - mean, -USUAL_MOST_DB, USUAL_MOST_DB)
        trust = min(each.loads / (each.loads + USUAL_TRUST) for each in self._state.usual.values())
        return Heard(found.reads, found.dbm - trust * apart, found.sums_ms)

    def _beside_one_away(self, door: Door, dbm: Floats) -> Floats:
        """As if the other had heard them half-way between its own loads and this door's."""
        usual = self._state.usual.get(door.name)
        if usual is None:
            return np.full(len(dbm), np.inf)
        level = self._levelled(door, Heard(dbm, np.full(1, usual.dbm), dbm)).dbm[0]
        odds: Floats = np.clip(2 * ODDS_PER_DB * (dbm - level + WEAKER_DB), -MOST_ODDS, MOST_ODDS)
        return odds

    def _said_odds(self, door: Door, epcs: Sequence[str], at_ms: int) -> Floats:
        found = np.zeros(len(epcs))
        for index, epc in enumerate(epcs):
            gate, said_ms = self._state.said.get(epc, (door.name, 0))
            if gate != door.name:
                found[index] = SAID_ODDS * np.exp(-max(0, at_ms - said_ms) / SAID_MS)
        return found

    def _share(self, door: Door, other: Door) -> bool:
        return self._state.shared.get(_pair(door.name, other.name), 0) >= SHARED_LEAST

    def settle(
        self, door: Door, members: Sequence[Member], claims: Floats, from_ms: Ints, at_ms: int
    ) -> list[Member]:
        """What may be said of tags that are decided at a door; and tell the others that it was said.

        Args:
            claims: of each member.
            from_ms: from when each was judged.
        """
        settled = [
            self._settled(door, member, claim, at_ms)
            for member, claim in zip(members, claims.tolist(), strict=True)
        ]
        crossed = np.array([each.verdict.outcome in _CROSSED for each in settled], bool)
        mine = [
            each.epc for each, claim in zip(settled, claims.tolist(), strict=True)
            if each.verdict.outcome in _CROSSED
            or (each.verdict.outcome is Direction.UNDECIDED and claim >= CLOSE)
        ]  # fmt: skip
        if mine:
            for epc in mine:
                self._state.said[epc] = (door.name, at_ms)
                self._state.left.pop(epc, None)
            for other in self._doors:
                if other is not door:
                    other.said_elsewhere(mine, at_ms)
            sure = np.flatnonzero(crossed & (claims >= CLEAR))
            self._learn(door, [settled[index].epc for index in sure.tolist()], from_ms[sure], at_ms)
            self.changed = True
        self._forget(at_ms - SAID_FORGET_MS)
        return settled

    def _settled(self, door: Door, member: Member, claim: float, at_ms: int) -> Member:
        verdict = member.verdict
        if verdict.outcome is None or claim == np.inf:
            return member
        sure = float(sigmoid(np.array([claim]))[0])
        if claim >= CLOSE:
            return replace(member, verdict=replace(verdict, confidence=verdict.confidence * sure))
        if verdict.outcome is Direction.TURNED_BACK or (claim < 0 and self._leaves(door, member.epc, at_ms)):
            return replace(member, verdict=replace(verdict, outcome=None))
        if not self._asks(door, member.epc, at_ms):
            return replace(member, verdict=replace(verdict, outcome=None))
        return replace(
            member,
            verdict=replace(verdict, outcome=Direction.UNDECIDED, confidence=verdict.confidence * sure),
        )

    def _leaves(self, door: Door, epc: str, at_ms: int) -> bool:
        """Whether another, which may be the better one, will say something of the tag."""
        for other in self._doors:
            if other is not door and not other.away(at_ms) and epc in other.stirred():
                self._state.left[epc] = (door.name, at_ms)
                self.changed = True
                return True
        return False

    def _asks(self, door: Door, epc: str, at_ms: int) -> bool:
        """Whether somebody is to be asked about a tag that may be another's: once, whoever asks first."""
        gate, asked_ms = self._state.asked.get(epc, (door.name, at_ms))
        if gate != door.name and at_ms - asked_ms < ASKED_MS:
            return False
        self._state.asked[epc] = (door.name, at_ms)
        self.changed = True
        return True

    def _learn(self, door: Door, epcs: Sequence[str], from_ms: Ints, at_ms: int) -> None:
        if not epcs:
            return
        zero_ms = int(from_ms.min())
        dbm = float(np.median(door.hears(epcs, from_ms, at_ms, zero_ms).dbm))
        usual = self._state.usual.setdefault(door.name, Usual(dbm, 0))
        usual.loads += 1
        usual.dbm += (dbm - usual.dbm) / min(usual.loads, USUAL_OVER)
        for other in self._doors:
            if other is not door:
                shared = int((other.hears(epcs, from_ms, at_ms, zero_ms).reads > 0).sum())
                pair = _pair(door.name, other.name)
                self._state.shared[pair] = min(SHARED_MOST, self._state.shared.get(pair, 0) + shared)

    def _forget(self, before_ms: int) -> None:
        for told in (self._state.said, self._state.left, self._state.asked):
            for epc in [epc for epc, (_, at_ms) in told.items() if at_ms < before_ms]:
                del told[epc]

    def save(self) -> bytes:
        self.changed = False
        return _ENCODER.encode(self._state)

    def restore(self, blob: bytes) -> None:
        self._state = _DECODER.decode(blob)


_CROSSED = (Direction.IN, Direction.OUT)


def _alone(mine: Heard, theirs: Heard) -> tuple[Floats, Floats]:
    """Of each tag by itself: log-odds that it is `mine`, and the middle of its reads in ms."""
    odds = ODDS_PER_DB * (mine.dbm - theirs.dbm)
    odds = np.where(theirs.reads == 0, np.maximum(odds, UNHEARD_ODDS), odds)
    odds = np.where(mine.reads == 0, np.minimum(odds, -UNHEARD_ODDS), odds)
    reads = np.maximum(mine.reads + theirs.reads, 1.0)
    return np.clip(odds, -MOST_ODDS, MOST_ODDS), (mine.sums_ms + theirs.sums_ms) / reads


def _pair(one: str, other: str) -> str:
    return f"{one} {other}" if one < other else f"{other} {one}"


_ENCODER = msgspec.msgpack.Encoder()
_DECODER = msgspec.msgpack.Decoder(State)
