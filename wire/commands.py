"""What the cloud may ask of an edge, and what the edge answers. Frozen values, as events are.

A command is asked once and may be sent many times: its `id` names it for ever, an edge carries it out once, and says
again what it said to a copy. After `expires_at` it is not carried out any more. New orders and new optional fields may
come; an edge refuses an order that it does not know, in words.
"""

from dataclasses import dataclass
from enum import StrEnum
from typing import Annotated, Literal

from annotated_types import Ge, Gt, Le, Len

from wire.limits import At, EdgeName, Gtin14, Id, Name, Words
from wire.messages import Level

MAX_EXPIRY_S = 86_400  # how far ahead a command may expire: an edge remembers for so long what it has done
MIN_SERVICE_S, MAX_SERVICE_S = 10, 43_200  # a shift and a half; who needs longer asks again

Cell = Annotated[int, Ge(0), Le(65_535)]
Mass = Annotated[float, Gt(0.0), Le(1e6)]  # of a weight that a person puts on a plate: up to a tonne
Held = Annotated[int, Ge(0), Le(1_000_000)]  # units that stand somewhere, or fit


@dataclass(frozen=True, slots=True, kw_only=True)
class Zero:
    """The bay is empty now: what it weighs is its tare."""

    type: Literal["zero"] = "zero"
    shelf: Name
    bay: Name


@dataclass(frozen=True, slots=True, kw_only=True)
class AssignedItem:
    """A kind of goods that stands in a bay. `unit_cv` is the spread of one unit's weight over its mean.

    `unit_tare_grams`: a tray or hanger that comes and goes with each unit. `capacity`, `facings` and `low` are of this
    kind alone, where the bay holds several; what is absent is the bay's.
    """

    gtin: Gtin14
    unit_grams: Annotated[float, Gt(0.0), Le(1e6)]
    unit_cv: Annotated[float, Ge(0.0), Le(0.5)] | None = None
    unit_tare_grams: Annotated[float, Ge(0.0), Le(1e6)] = 0.0
    capacity: Annotated[int, Ge(1), Le(1_000_000)] | None = None
    facings: Annotated[int, Ge(1), Le(10_000)] | None = None
    low: Held | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Assign:
    """What stands in a bay from now on: what it holds is worked out by weight, and uncertain until confirmed.

    Where it is what stood there, of the same weights, what was counted there stays. `tare_grams` absent: the tare stays
    as it is.
    """

    type: Literal["assign"] = "assign"
    shelf: Name
    bay: Name
    items: Annotated[tuple[AssignedItem, ...], Len(0, 8)]
    capacity: Annotated[int, Ge(1), Le(1_000_000)] | None = None
    facings: Annotated[int, Ge(1), Le(10_000)] | None = None
    low: Held | None = None
    tare_grams: Annotated[float, Ge(0.0), Le(1e6)] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ItemCount:
    gtin: Gtin14
    units: Held


@dataclass(frozen=True, slots=True, kw_only=True)
class Confirm:
    """A person says how many of each item stand there now. An item that is not named stands there no more."""

    type: Literal["confirm"] = "confirm"
    shelf: Name
    bay: Name
    counts: Annotated[tuple[ItemCount, ...], Len(1, 8)]


@dataclass(frozen=True, slots=True, kw_only=True)
class ServiceBegin:
    """Somebody works at a bay, or at all of a shelf: nothing is booked until it ends, by itself after `timeout_s`."""

    type: Literal["service_begin"] = "service_begin"
    shelf: Name
    bay: Name | None = None
    timeout_s: Annotated[int, Ge(MIN_SERVICE_S), Le(MAX_SERVICE_S)]
    reason: Words = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class ServiceEnd:
    """The work is done: the bay is weighed anew at its next rest, and goes on from there."""

    type: Literal["service_end"] = "service_end"
    shelf: Name
    bay: Name | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ReadLevels:
    """Say what stands in the bays: of one shelf, or of all."""

    type: Literal["read_levels"] = "read_levels"
    shelf: Name | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Reload:
    """Check the configuration file, and go on with it if it is right."""

    type: Literal["reload"] = "reload"


class Step(StrEnum):
    """Of calibrating a shelf, in the order in which they come. `keep` or `cancel` ends it."""

    ZERO = "zero"  # the plate of `cell` is empty
    SPAN = "span"  # `mass_grams` lie on it
    CHECK = "check"  # another known mass lies on it
    CROSSTALK = "crosstalk"  # a mass lies on it, and nothing on its neighbours
    KEEP = "keep"
    CANCEL = "cancel"


@dataclass(frozen=True, slots=True, kw_only=True)
class Calibrate:
    """One step of calibrating a shelf: the answer says what was measured."""

    type: Literal["calibrate"] = "calibrate"
    shelf: Name
    step: Step
    cell: Cell | None = None
    mass_grams: Mass | None = None


Order = Zero | Assign | Confirm | ServiceBegin | ServiceEnd | ReadLevels | Reload | Calibrate


@dataclass(frozen=True, slots=True, kw_only=True)
class Command:
    """`by` is who asked, for the log at the site."""

    v: Literal[1] = 1
    id: Id
    edge: EdgeName
    issued_at: At
    expires_at: At
    by: Annotated[str, Len(0, 80)] = ""
    order: Order


class Outcome(StrEnum):
    DONE = "done"
    REFUSED = "refused"  # it does not fit: asking again will not help
    STALE = "stale"  # it came after its time
    FAILED = "failed"  # it fits, but could not be done now


@dataclass(frozen=True, slots=True, kw_only=True)
class Reply:
    """What became of the command `id`; `words` are for a person."""

    v: Literal[1] = 1
    id: Id
    edge: EdgeName
    at: At
    outcome: Outcome
    words: Words
    levels: Annotated[tuple[Level, ...], Len(0, 1000)] = ()
