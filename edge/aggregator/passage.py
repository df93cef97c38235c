"""What a passage says: one event for each tag that moved, and one for all."""

from collections.abc import Sequence
from dataclasses import dataclass

from edge.aggregator.moments import Stamp, compact, moment
from edge.aggregator.verdict import Verdict
from wire.events import Direction, Event, Passage, TagMovement


@dataclass(frozen=True, slots=True, kw_only=True)
class Ended:
    """A passage that is over; wall times in microseconds, and the steady time of its last movement."""

    gate: str
    began_us: int
    active_us: int
    active_ms: int
    decided_us: int
    trigger: str | None
    healthy: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Member:
    """A tag that was read in it, and when what is said of it happened."""

    epc: str
    tid: str | None
    reads: int
    verdict: Verdict
    at_us: int
    at_ms: int


def events_of(ended: Ended, members: Sequence[Member], stamp: Stamp) -> list[Event]:
    """A movement for each member that is not at rest, then the passage; nothing if all are."""
    moved = [(member, member.verdict.outcome) for member in members if member.verdict.outcome is not None]
    if not moved:
        return []
    counts = dict.fromkeys(Direction, 0)
    passage = f"{ended.gate}-{compact(ended.began_us)}"
    decided_at = moment(ended.decided_us)
    events: list[Event] = []
    for member, outcome in moved:
        counts[outcome] += 1
        events.append(
            TagMovement(
                at=moment(member.at_us),
                clock=stamp.clock,
                boot=stamp.boot,
                mono_ms=member.at_ms,
                gate=ended.gate,
                epc=member.epc,
                tid=member.tid,
                outcome=outcome,
                confidence=round(member.verdict.confidence, 3),
                passage=passage,
                reads=member.reads,
                decided_at=decided_at,
            )
        )
    events.append(
        Passage(
            at=moment(ended.active_us),
            clock=stamp.clock,
            boot=stamp.boot,
            mono_ms=ended.active_ms,
            gate=ended.gate,
            passage=passage,
            load=passage,
            began_at=moment(ended.began_us),
            ended_at=moment(ended.active_us),
            ins=counts[Direction.IN],
            outs=counts[Direction.OUT],
            turned_back=counts[Direction.TURNED_BACK],
            undecided=counts[Direction.UNDECIDED],
            strays=len(members) - len(moved),
            trigger=ended.trigger,
            healthy=ended.healthy,
        )
    )
    return events
