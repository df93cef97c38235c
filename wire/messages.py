"""The messages that are not events: acknowledgements down, telemetry up. Neither has a `seq`."""

from dataclasses import dataclass
from enum import StrEnum
from typing import Annotated, Literal

from annotated_types import Ge, Le, Len

from wire.limits import At, Count, Grams, Id, Name, RunId, Seq, Units, Words


class Presence(StrEnum):
    """The retained payload of the status topic; `offline` is the last will."""

    ONLINE = "online"
    OFFLINE = "offline"


@dataclass(frozen=True, slots=True, kw_only=True)
class Ack:
    """The whole state of one run in one ledger, sent after every delivery, duplicates included.

    Everything up to `through` is settled, and so are the `ranges` (first and last `seq`, ascending, all above
    `through`). A ledger restored from a backup has a higher `generation`, and may have gone back.
    """

    ledger: Id
    generation: Annotated[int, Ge(1)]
    run: RunId
    through: Count
    ranges: Annotated[tuple[tuple[Seq, Seq], ...], Len(0, 1000)] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Level:
    """What a bay weighs now. For display and conflict checks: levels never book."""

    shelf: Name
    bay: Name
    grams: Grams
    item: str | None = None
    units: Units | None = None
    stable: bool
    fraction: Annotated[float, Ge(0), Le(1000)] | None = None  # of its item's capacity, or the bay's


class DeviceState(StrEnum):
    UP = "up"
    DOWN = "down"


@dataclass(frozen=True, slots=True, kw_only=True)
class DeviceHealth:
    device: Name
    state: DeviceState
    since: At
    reason: Words = ""
    reads_per_s: Annotated[float, Ge(0)] = 0.0
    last_read_at: At | None = None
    clock_offset_ms: float | None = None  # device clock minus ours


@dataclass(frozen=True, slots=True, kw_only=True)
class AgentHealth:
    run: RunId
    version: Words
    events_held: Count  # in the outbox, not yet acknowledged
    oldest_held_s: Annotated[float, Ge(0)]
    quarantined: Count
    journal_bytes: Count
    disk_free_bytes: Count
    faults: Annotated[tuple[Words, ...], Len(0, 50)] = ()  # named faults that hold now


@dataclass(frozen=True, slots=True, kw_only=True)
class Telemetry:
    """The newest state of an edge. May be lost; only the newest counts."""

    v: Literal[1] = 1
    edge: str
    at: At
    agent: AgentHealth
    devices: Annotated[tuple[DeviceHealth, ...], Len(0, 500)] = ()
    levels: Annotated[tuple[Level, ...], Len(0, 5000)] = ()
