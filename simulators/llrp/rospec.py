"""ROSpecs: what a client asks the reader to do, taken apart and checked, and the report settings within."""

import struct
from dataclasses import dataclass, replace
from enum import IntEnum

from simulators.llrp.about import AIR_C1G2, About
from simulators.llrp.air import Air, antenna_configuration
from simulators.llrp.impinj import Extra, extras
from simulators.llrp.layout import TLV, Param, Status, tlv
from simulators.llrp.parse import (
    Found,
    Refused,
    field_error,
    known,
    maybe,
    only,
    parameter_error,
    parameters,
    unpack,
)

SELECTOR_KEPT = 0xFFC0  # the ten enable bits; the rest is reserved


class State(IntEnum):
    DISABLED = 0
    INACTIVE = 1
    ACTIVE = 2


class Start(IntEnum):
    NULL = 0
    IMMEDIATE = 1


class Stop(IntEnum):
    """Of a ROSpec: NULL or DURATION. Of an AISpec: also TAG_OBSERVATION."""

    NULL = 0
    DURATION = 1
    TAG_OBSERVATION = 3


class Report(IntEnum):
    """When reports are sent (ROReportTrigger)."""

    NEVER = 0  # only when the client asks
    TAGS_OR_END_OF_AISPEC = 1
    TAGS_OR_END_OF_ROSPEC = 2


class Field(IntEnum):
    """The bits of a TagReportContentSelector."""

    ROSPEC_ID = 0x8000
    SPEC_INDEX = 0x4000
    INVENTORY_PARAMETER_SPEC_ID = 0x2000
    ANTENNA_ID = 0x1000
    CHANNEL_INDEX = 0x0800
    PEAK_RSSI = 0x0400
    FIRST_SEEN = 0x0200
    LAST_SEEN = 0x0100
    TAG_SEEN_COUNT = 0x0080
    ACCESS_SPEC_ID = 0x0040


@dataclass(frozen=True, slots=True)
class ReportSpec:
    """When to report and what to say of each tag. `tags` 0 means no limit."""

    trigger: Report = Report.TAGS_OR_END_OF_ROSPEC
    tags: int = 1
    fields: int = SELECTOR_KEPT  # assumed: as delivered, a reader says all it can
    pc: bool = False
    crc: bool = False
    extras: frozenset[Extra] = frozenset()

    def encoded(self) -> bytes:
        memory = tlv(Param.C1G2_EPC_MEMORY_SELECTOR, bytes([self.crc << 7 | self.pc << 6]))
        selector = tlv(Param.TAG_REPORT_CONTENT_SELECTOR, struct.pack("!H", self.fields) + memory)
        return tlv(Param.RO_REPORT_SPEC, struct.pack("!BH", self.trigger, self.tags) + selector)


@dataclass(frozen=True, slots=True)
class AiSpec:
    """One inventory: on which antennas, until when. No antennas named means all."""

    antennas: frozenset[int]
    stop: Stop
    duration_ms: int
    tags: int  # of a tag observation trigger
    inventory_spec_id: int


@dataclass(frozen=True, slots=True)
class RoSpec:
    id: int
    priority: int
    start: Start
    stop: Stop
    duration_ms: int
    inventories: tuple[AiSpec, ...]
    report: ReportSpec | None  # None: as the reader's configuration says
    raw: bytes  # the parameter as it came
    state: State = State.DISABLED

    def encoded(self) -> bytes:
        """The parameter as it came, with the present state in its place."""
        at = TLV.size + 5  # after the id and the priority
        return self.raw[:at] + bytes([self.state]) + self.raw[at + 1 :]

    def now(self, state: State) -> "RoSpec":
        return replace(self, state=state)


def rospec(found: Found, about: About, *, extended: bool) -> RoSpec:
    """Read a ROSpec parameter; `extended` says whether the maker's extensions are switched on.

    Raises:
        Refused: it is wrong, or asks for what this reader does not do.
    """
    spec_id, priority, state = unpack("IBB", found.body, Param.ROSPEC)
    if spec_id == 0:
        raise field_error(0, Status.INVALID, "ROSpecID 0 stands for all ROSpecs")
    if state != State.DISABLED:
        raise field_error(2, Status.INVALID, f"a ROSpec is added disabled, not in state {state}")
    inner = parameters(found.body[6:])
    known(inner, {Param.RO_BOUNDARY_SPEC, Param.AISPEC, Param.RF_SURVEY_SPEC, Param.RO_REPORT_SPEC}, "ROSpec")
    boundary = parameters(only(inner, Param.RO_BOUNDARY_SPEC, "ROSpec").body)
    start = _start(only(boundary, Param.RO_START_TRIGGER, "ROBoundarySpec"))
    stop, duration_ms = _stop(only(boundary, Param.RO_STOP_TRIGGER, "ROBoundarySpec"))
    if any(each.kind == Param.RF_SURVEY_SPEC for each in inner):
        raise parameter_error(
            Param.RF_SURVEY_SPEC, Status.UNSUPPORTED_PARAMETER, "this reader makes no surveys"
        )
    inventories = tuple(
        _aispec(each, about, extended=extended) for each in inner if each.kind == Param.AISPEC
    )
    if not inventories:
        raise Refused(Status.MISSING_PARAMETER, "ROSpec lacks AISPEC")
    report = maybe(inner, Param.RO_REPORT_SPEC, "ROSpec")
    return RoSpec(
        id=spec_id,
        priority=priority,
        start=start,
        stop=stop,
        duration_ms=duration_ms,
        inventories=inventories,
        report=report_spec(report, extended=extended) if report else None,
        raw=found.raw,
    )


def _start(found: Found) -> Start:
    (kind,) = unpack("B", found.body, Param.RO_START_TRIGGER)
    if kind not in (Start.NULL, Start.IMMEDIATE):
        raise parameter_error(
            Param.RO_START_TRIGGER,
            Status.UNSUPPORTED_PARAMETER,
            f"start trigger {kind}: only null and immediate",
        )
    return Start(kind)


def _stop(found: Found) -> tuple[Stop, int]:
    kind, duration_ms = unpack("BI", found.body, Param.RO_STOP_TRIGGER)
    if kind not in (Stop.NULL, Stop.DURATION):
        raise parameter_error(
            Param.RO_STOP_TRIGGER,
            Status.UNSUPPORTED_PARAMETER,
            f"stop trigger {kind}: only null and duration",
        )
    return Stop(kind), duration_ms


def _aispec(found: Found, about: About, *, extended: bool) -> AiSpec:
    antennas = about.antennas
    (count,) = unpack("H", found.body, Param.AISPEC)
    asked = unpack(f"{count}H", found.body[2:], Param.AISPEC)
    for antenna in asked:
        if antenna != 0 and antenna not in antennas:
            raise parameter_error(
                Param.AISPEC, Status.OUT_OF_RANGE, f"there is no antenna {antenna}, only {sorted(antennas)}"
            )
    inner = parameters(found.body[2 + 2 * count :])
    known(inner, {Param.AI_STOP_TRIGGER, Param.INVENTORY_PARAMETER_SPEC}, "AISpec")
    stop = only(inner, Param.AI_STOP_TRIGGER, "AISpec")
    kind, duration_ms = unpack("BI", stop.body, Param.AI_STOP_TRIGGER)
    tags = 0
    if kind == Stop.TAG_OBSERVATION:
        observation = only(parameters(stop.body[5:]), Param.TAG_OBSERVATION_TRIGGER, "AISpecStopTrigger")
        _, _, tags, _, _, duration_ms = unpack("BBHHHI", observation.body, Param.TAG_OBSERVATION_TRIGGER)
    elif kind not in (Stop.NULL, Stop.DURATION):
        raise parameter_error(
            Param.AI_STOP_TRIGGER,
            Status.UNSUPPORTED_PARAMETER,
            f"AISpec stop trigger {kind} is not supported",
        )
    inventory = next((each for each in inner if each.kind == Param.INVENTORY_PARAMETER_SPEC), None)
    if inventory is None:
        raise Refused(Status.MISSING_PARAMETER, "AISpec lacks INVENTORY_PARAMETER_SPEC")
    inventory_id, air = unpack("HB", inventory.body, Param.INVENTORY_PARAMETER_SPEC)
    if air != AIR_C1G2:
        raise parameter_error(
            Param.INVENTORY_PARAMETER_SPEC, Status.OUT_OF_RANGE, f"air protocol {air}: only Class 1 Gen 2"
        )
    inner = parameters(inventory.body[3:])
    known(inner, {Param.ANTENNA_CONFIGURATION}, "InventoryParameterSpec")
    for each in inner:
        antenna_configuration(each, about, Air(), extended=extended)
    every = frozenset(antennas) if not asked or 0 in asked else frozenset(asked)
    return AiSpec(every, Stop(kind), duration_ms, tags, inventory_id)


def report_spec(found: Found, *, extended: bool = False) -> ReportSpec:
    """Read a ROReportSpec. Raises Refused."""
    trigger, tags = unpack("BH", found.body, Param.RO_REPORT_SPEC)
    if trigger not in tuple(Report):
        raise parameter_error(
            Param.RO_REPORT_SPEC, Status.OUT_OF_RANGE, f"report trigger {trigger}: LLRP 1.0.1 has 0 to 2"
        )
    inner = parameters(found.body[3:])
    more = [each for each in inner if extended and each.kind == Param.CUSTOM]
    known([each for each in inner if each not in more], {Param.TAG_REPORT_CONTENT_SELECTOR}, "ROReportSpec")
    selector = only(inner, Param.TAG_REPORT_CONTENT_SELECTOR, "ROReportSpec")
    (fields,) = unpack("H", selector.body, Param.TAG_REPORT_CONTENT_SELECTOR)
    memory = maybe(parameters(selector.body[2:]), Param.C1G2_EPC_MEMORY_SELECTOR, "TagReportContentSelector")
    bits = unpack("B", memory.body, Param.C1G2_EPC_MEMORY_SELECTOR)[0] if memory else 0
    return ReportSpec(
        Report(trigger),
        tags,
        fields & SELECTOR_KEPT,
        pc=bool(bits & 0x40),
        crc=bool(bits & 0x80),
        extras=extras(more),
    )
