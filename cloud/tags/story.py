"""What a tag's crossings mean, one after the other. Pure: the same crossings give the same moves, however they came.

A crossing is judged by its direction *and* by where the tag stood. Moves are in tags: whoever books them multiplies
by what the tag stands for.
"""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum
from typing import NamedTuple

# Doors of two agents may hear one load, and neither knows of the other. Their clocks and what they take for the moment
# of crossing differ by seconds; nothing goes out by one door and in by the next in less.
RIVALS = timedelta(seconds=10)
EXTERNAL = frozenset({"dock", "exit"})  # roles of a gate whose far side is not ours


class State(StrEnum):
    UNKNOWN = "unknown"  # never judged
    INSIDE = "inside"
    LEFT = "left"  # went out unexpectedly; in transit until somebody says where to
    SHIPPED = "shipped"
    RETURNED = "returned"  # came back; not sellable until a person has looked
    IGNORED = "ignored"  # never stock


class Verdict(StrEnum):
    RECEIVED = "received"
    MOVED = "moved"
    LEFT = "left"
    RETURNED = "returned"
    MISSED_EXIT = "missed_exit"
    MISSED_ENTRY = "missed_entry"
    HELD = "held"
    OTHER_DOOR = "other_door"  # another agent's gate saw the same crossing, and was surer
    DUPLICATE_ENCODING = "duplicate_encoding"
    # Not counted: no part of the story.
    UNDECIDED = "undecided"
    TURNED_BACK = "turned_back"
    IGNORED = "ignored"
    # Counted, and judged once it is known what the tag stands for.
    UNCLAIMED = "unclaimed"
    AWAITED = "awaited"  # a logistic unit whose passage has not ended


@dataclass(frozen=True, slots=True, kw_only=True)
class Crossing:
    """One sure crossing of one tag, with the gate as it was then."""

    at: datetime
    edge: str
    passage: str
    inward: bool
    role: str
    site_id: int
    outside_id: int
    inside_id: int
    tid: str | None = None
    confidence: float = 1.0

    @property
    def order(self) -> tuple[datetime, str, str]:
        """Time, and for equal times something that does not depend on arrival."""
        return self.at, self.edge, self.passage


def rivals(one: Crossing, other: Crossing) -> bool:
    """Whether two agents of one site say of a tag what can only have happened once."""
    return one.edge != other.edge and one.site_id == other.site_id and abs(one.at - other.at) <= RIVALS


def beaten(crossings: Sequence[Crossing]) -> set[int]:
    """Those, by index, that a surer rival beats. What has lost beats nobody; of equals, the first in order wins."""
    if len({crossing.edge for crossing in crossings}) < 2:
        return set()
    lost: set[int] = set()
    won: list[Crossing] = []
    for index in sorted(range(len(crossings)), key=lambda i: (-crossings[i].confidence, crossings[i].order)):
        if any(rivals(crossings[index], other) for other in won):
            lost.add(index)
        else:
            won.append(crossings[index])
    return lost


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """Where a tag stands between two crossings."""

    state: State = State.UNKNOWN
    site_id: int | None = None
    location_id: int | None = None
    tid: str | None = None


class Move(NamedTuple):
    """One tag's worth from one location of a site to another."""

    site_id: int
    src_id: int
    dst_id: int
    kind: str


@dataclass(frozen=True, slots=True)
class Judged:
    standing: Standing  # after it
    verdict: Verdict
    moves: tuple[Move, ...] = ()


Given = Mapping[int, Mapping[str, int]]  # site id -> usage -> location id, of the places that every site has


def step(given: Given, before: Standing, crossing: Crossing) -> Judged:
    """Judge one crossing of a tag that stood as `before`."""
    tid = before.tid or crossing.tid
    if crossing.tid and tid != crossing.tid:
        return Judged(before, Verdict.DUPLICATE_ENCODING)
    before = replace(before, tid=tid)
    if crossing.role not in EXTERNAL:
        return _within(given, before, crossing)
    return _enter(given, before, crossing) if crossing.inward else _leave(given, before, crossing)


def tell(given: Given, crossings: Iterable[Crossing]) -> tuple[Standing, list[Judged]]:
    """The whole story, in order of time, from a tag nobody has seen."""
    standing = Standing()
    judged = []
    in_order = sorted(crossings, key=lambda one: one.order)
    lost = beaten(in_order)
    for index, crossing in enumerate(in_order):
        if index in lost:
            judged.append(Judged(standing, Verdict.OTHER_DOOR))
            continue
        judged.append(step(given, standing, crossing))
        standing = judged[-1].standing
    return standing, judged


def net(judged: Iterable[Judged]) -> Counter[tuple[int, int]]:
    """What all these moves come to: (site, location) -> tags gained; places that come to nothing are left out."""
    gained: Counter[tuple[int, int]] = Counter()
    for one in judged:
        for move in one.moves:
            gained[move.site_id, move.src_id] -= 1
            gained[move.site_id, move.dst_id] += 1
    return Counter({place: count for place, count in gained.items() if count})


def _stand(before: Standing, state: State, site_id: int, location_id: int) -> Standing:
    return replace(before, state=state, site_id=site_id, location_id=location_id)


def _enter(given: Given, before: Standing, crossing: Crossing) -> Judged:
    here, inside = crossing.site_id, crossing.inside_id
    match before.state:
        case State.UNKNOWN | State.IGNORED:
            move = Move(here, given[here]["supplier"], inside, "receipt")
            return Judged(_stand(before, State.INSIDE, here, inside), Verdict.RECEIVED, (move,))
        case State.INSIDE:
            # It went out unseen. It is now where this gate leads, and its stock with it.
            after = _stand(before, State.INSIDE, here, inside)
            return Judged(after, Verdict.MISSED_EXIT, _carry(given, before, here, inside, "found"))
        case State.RETURNED:
            return Judged(before, Verdict.MISSED_EXIT)
        case State.LEFT | State.SHIPPED:
            return _hold(given, before, here)


def _leave(given: Given, before: Standing, crossing: Crossing) -> Judged:
    here, transit = crossing.site_id, given[crossing.site_id]["transit"]
    after = _stand(before, State.LEFT, here, transit)
    match before.state:
        case State.UNKNOWN | State.IGNORED:
            # Here before we were: part of the opening stock, so it is stock that leaves.
            move = Move(here, crossing.inside_id, transit, "exit")
            return Judged(after, Verdict.LEFT, (move,))
        case State.INSIDE | State.RETURNED:
            return Judged(after, Verdict.LEFT, _carry(given, before, here, transit, "exit"))
        case State.LEFT | State.SHIPPED:
            return Judged(before, Verdict.MISSED_ENTRY)


def _within(given: Given, before: Standing, crossing: Crossing) -> Judged:
    """A gate between two places of our own."""
    here = crossing.site_id
    ends = (crossing.outside_id, crossing.inside_id)
    origin, goal = ends if crossing.inward else ends[::-1]
    after = _stand(before, State.INSIDE, here, goal)
    match before.state:
        case State.UNKNOWN | State.IGNORED:
            return Judged(after, Verdict.MOVED, (Move(here, origin, goal, "transfer"),))
        case State.INSIDE:
            moves = _carry(given, before, here, goal, "transfer")
            seen_to_come = before.location_id == origin
            return Judged(after, Verdict.MOVED if seen_to_come else Verdict.MISSED_EXIT, moves)
        case State.RETURNED:
            return Judged(before, Verdict.HELD)
        case State.LEFT | State.SHIPPED:
            return _hold(given, before, here)


def _hold(given: Given, before: Standing, here: int) -> Judged:
    hold = given[here]["returns_hold"]
    after = _stand(before, State.RETURNED, here, hold)
    return Judged(after, Verdict.RETURNED, _carry(given, before, here, hold, "return"))


def _carry(given: Given, before: Standing, here: int, goal: int, kind: str) -> tuple[Move, ...]:
    """From where the tag stands to `goal`; between sites by way of both transits, as a move belongs to one site."""
    assert before.site_id is not None
    assert before.location_id is not None
    if before.site_id == here:
        return () if before.location_id == goal else (Move(here, before.location_id, goal, kind),)
    there = given[before.site_id]["transit"]
    arrival = (Move(here, given[here]["transit"], goal, kind),) if given[here]["transit"] != goal else ()
    if before.location_id == there:
        return arrival
    return (Move(before.site_id, before.location_id, there, kind), *arrival)
