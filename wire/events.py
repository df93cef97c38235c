"""What an edge can say. Frozen values; times are aware datetimes in UTC, units are in the names.

Every event carries `at` (when it happened), `clock` (whether the edge's wall clock was synchronised then),
`boot` (which start of the machine or agent) and `mono_ms` (the edge's steady clock, which a step of the wall
clock does not move). An event is never revised: what turns out otherwise is a new event.

New event types and new optional fields may come; nothing here may change or go (tests/wire/golden).
"""

from dataclasses import dataclass
from enum import StrEnum
from typing import Annotated, Literal

from annotated_types import Ge, Le, Len

from wire.limits import (
    At,
    Confidence,
    Count,
    EpcHex,
    Grams,
    Gtin14,
    Id,
    Milliseconds,
    Name,
    RunId,
    Seq,
    TidHex,
    Units,
    Words,
)


class Clock(StrEnum):
    SYNCED = "synced"
    NOT_SYNCED = "not"


class Direction(StrEnum):
    """How a tag's passage through a gate ended."""

    IN = "in"
    OUT = "out"
    TURNED_BACK = "turned_back"
    UNDECIDED = "undecided"


class Change(StrEnum):
    """How sure a shelf is of what changed."""

    OK = "ok"
    AMBIGUOUS = "ambiguous"  # several hypotheses fit; see candidates
    UNKNOWN_MASS = "unknown_mass"  # none fits
    OFFLINE_CHANGE = "offline_change"  # happened while nobody was weighing


@dataclass(frozen=True, slots=True, kw_only=True)
class Stamped:
    at: At
    clock: Clock
    boot: Id
    mono_ms: Milliseconds


@dataclass(frozen=True, slots=True, kw_only=True)
class RunStarted(Stamped):
    """The first event of every run: shows a lost outbox, an old image, or two edges under one name."""

    type: Literal["run_started"] = "run_started"
    previous_run: RunId | None = None
    previous_last_seq: Seq | None = None
    versions: dict[str, Words]
    config_hash: Annotated[str, Len(1, 128)]


@dataclass(frozen=True, slots=True, kw_only=True)
class TagMovement(Stamped):
    """One tag's passage through a gate. `at` is when it crossed, or was last seen if it did not.

    `reads` is how many reads of the tag the decision rests on.
    """

    type: Literal["tag_movement"] = "tag_movement"
    gate: Name
    epc: EpcHex
    tid: TidHex | None = None
    outcome: Direction
    confidence: Confidence
    passage: Id
    reads: Count
    decided_at: At


@dataclass(frozen=True, slots=True, kw_only=True)
class Passage(Stamped):
    """A time in which a gate saw something go through: comes after the movements of its tags. `at` is its end."""

    type: Literal["passage"] = "passage"
    gate: Name
    passage: Id
    load: Id  # passages of one load share it
    began_at: At
    ended_at: At
    ins: Count
    outs: Count
    turned_back: Count
    undecided: Count
    strays: Count
    trigger: Words | None = None  # what opened it, where a photo-eye or button is wired
    healthy: bool  # reader and antennas answered throughout


@dataclass(frozen=True, slots=True, kw_only=True)
class ItemUnits:
    item: Gtin14
    units: Units


@dataclass(frozen=True, slots=True, kw_only=True)
class Candidate:
    """One hypothesis about a change of mass; the odds of all listed need not reach 1."""

    changes: Annotated[tuple[ItemUnits, ...], Len(1, 8)]
    odds: Confidence


@dataclass(frozen=True, slots=True, kw_only=True)
class ShelfChange(Stamped):
    """A bay's content changed between two times of rest. `at` is the middle of the transition.

    `grams` is signed: taken away is negative. `units` is absent when it cannot be told. Two kinds of goods moved
    at once are two events with the same `from_at` and `to_at`.
    """

    type: Literal["shelf_change"] = "shelf_change"
    shelf: Name
    bay: Name
    outcome: Change
    item: Gtin14 | None = None
    units: Units | None = None
    grams: Grams
    confidence: Confidence
    candidates: Annotated[tuple[Candidate, ...], Len(0, 8)] = ()
    from_at: At
    to_at: At
    level_units: Units | None = None  # of `item`, after the change, as the bay's weight says
    level_grams: Grams
    decided_at: At
    confirm: bool | None = (
        None  # true: one weighing cannot count so many; a person should say which candidate it was
    )
    from_shelf: Name | None = None  # where goods that do not belong here had been taken from moments before
    from_bay: Name | None = None


class Condition(StrEnum):
    """Whether a bay counts."""

    OK = "ok"
    UNCERTAIN = "uncertain"  # something could not be told: what stands there should be counted by a person
    SERVICE = "service"  # people are working at it; nothing is booked
    NEEDS_CHECK = "needs_check"  # the scale is not the one that was calibrated, or does not weigh right
    BLIND = "blind"  # its cells do not weigh now


class Fill(StrEnum):
    FULL = "full"
    OK = "ok"
    LOW = "low"
    OUT = "out"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True, kw_only=True)
class BayState(Stamped):
    """A bay counts from now on, or does not, and why. `until` is when service mode ends by itself."""

    type: Literal["bay_state"] = "bay_state"
    shelf: Name
    bay: Name
    state: Condition
    reason: Words = ""
    until: At | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class BayFill(Stamped):
    """How full a bay is came to be another. `units`, `capacity` and `facings` are of `item`, absent where not known.

    `fraction` is units over capacity. `low` begins below the bay's limit and `full` at its capacity.
    """

    type: Literal["bay_fill"] = "bay_fill"
    shelf: Name
    bay: Name
    item: Gtin14 | None = None
    units: Units | None = None
    capacity: Units | None = None
    facings: Units | None = None
    fraction: Annotated[float, Ge(0.0), Le(1000.0)] | None = None
    state: Fill


@dataclass(frozen=True, slots=True, kw_only=True)
class DeviceUp(Stamped):
    type: Literal["device_up"] = "device_up"
    device: Name
    detail: Words = ""  # model, firmware, address: for a person


@dataclass(frozen=True, slots=True, kw_only=True)
class DeviceDown(Stamped):
    type: Literal["device_down"] = "device_down"
    device: Name
    reason: Words


@dataclass(frozen=True, slots=True, kw_only=True)
class Blind(Stamped):
    """A device could not see between two times, whatever the cause; what happened then is not known."""

    type: Literal["blind"] = "blind"
    device: Name
    from_at: At
    to_at: At
    reason: Words


@dataclass(frozen=True, slots=True, kw_only=True)
class Missing(Stamped):
    """Events of a run that this edge no longer holds, or cannot deliver: the cloud steps over them."""

    type: Literal["missing"] = "missing"
    run: RunId
    from_seq: Seq
    to_seq: Seq
    reason: Words


@dataclass(frozen=True, slots=True, kw_only=True)
class Watermark(Stamped):
    """Complete up to a time: nothing older is to come from this edge."""

    type: Literal["watermark"] = "watermark"
    complete_to: At


Event = (
    RunStarted
    | TagMovement
    | Passage
    | ShelfChange
    | BayState
    | BayFill
    | DeviceUp
    | DeviceDown
    | Blind
    | Missing
    | Watermark
)


@dataclass(frozen=True, slots=True, kw_only=True)
class UnknownEvent:
    """An event of a type that this version does not know: stored as it came, booked by nobody."""

    type: str
