"""What a reader answers, and what it tells unasked apart from tags. Source: LLRP 1.1, sections 17.1 and 17.2."""

import struct
from collections.abc import Iterator
from dataclasses import dataclass, field
from enum import IntEnum

from edge.errors import ProtocolError
from edge.readers.llrp.protocol.params import Param, unpack, walk

_STATUS = struct.Struct("!HH")
_DEVICE = struct.Struct("!HHIIH")
_ROSPEC = struct.Struct("!IBB")
_ROSPEC_EVENT = struct.Struct("!BII")
_U8 = struct.Struct("!B")
_U16 = struct.Struct("!H")
_U64 = struct.Struct("!Q")
_GPI = struct.Struct("!HB")
_ANTENNA = struct.Struct("!BH")

# Manufacturers by IANA private enterprise number.
_MAKERS = {161: "Motorola", 10642: "Zebra", 25882: "Impinj"}
_LONGEST_WORDS = 200  # what we hand on of a text that a device wrote


@dataclass(frozen=True, slots=True)
class Status:
    """LLRPStatus: 0 is success; the text is the reader's own."""

    code: int
    text: str

    @property
    def ok(self) -> bool:
        return self.code == 0

    def __str__(self) -> str:
        return f"status {self.code}" + (f", {self.text!r}" if self.text else "")


@dataclass(frozen=True, slots=True)
class Capabilities:
    detail: str = ""  # maker, model and firmware, in words
    gpis: int = 0
    holds: bool = False  # can keep reports while no client is connected
    frequencies_khz: tuple[int, ...] = ()  # by channel index, which counts from 1


class RoSpecState(IntEnum):
    DISABLED = 0
    INACTIVE = 1
    ACTIVE = 2


class Attempt(IntEnum):
    """ConnectionAttemptEvent (section 17.2.7.5.14)."""

    SUCCESS = 0
    READER_INITIATED_EXISTS = 1
    CLIENT_INITIATED_EXISTS = 2
    FAILED = 3
    ANOTHER_ATTEMPTED = 4


@dataclass(frozen=True, slots=True)
class Event:
    """One READER_EVENT_NOTIFICATION. Times are the reader's own, in microseconds."""

    utc: int | None = None
    uptime: int | None = None
    attempt: int | None = None  # an Attempt, or a number that is none
    closing: bool = False
    gpi: tuple[int, bool] | None = None  # port, high
    antenna: tuple[int, bool] | None = None  # number, connected
    buffer_percent: int | None = None  # how full the report buffer is
    ended: int | None = None  # number of an ROSpec that is no longer active
    overflow: bool = False  # the report buffer was full: reports are lost
    exceptions: tuple[str, ...] = field(default=())


def status(body: bytes) -> Status:
    """The LLRPStatus of an answer.

    Raises:
        ProtocolError: it has none.
    """
    for param in _long(body, 0, len(body)):
        if param.type == 287:
            code, size = unpack(_STATUS, body, param)
            return Status(code, _words(body, param.start + _STATUS.size, size, param.end))
    raise ProtocolError(f"LLRP answer without a status: {body[:40].hex()}")


def capabilities(body: bytes) -> Capabilities:
    """What a GET_READER_CAPABILITIES_RESPONSE says, as far as we use it. Raises ProtocolError."""
    detail, gpis, holds, frequencies = "", 0, False, tuple[int, ...]()
    for param in _long(body, 0, len(body)):
        match param.type:
            case 137:  # GeneralDeviceCapabilities
                detail, gpis = _device(body, param)
            case 142:  # LLRPCapabilities
                holds = bool(unpack(_U8, body, param)[0] & 0x08)  # SupportsEventAndReportHolding
            case 143:  # RegulatoryCapabilities: country, standard, then the bands
                for band in _long(body, param.start + 4, param.end):
                    if band.type == 144:
                        frequencies = frequencies or _frequencies(body, band)
    return Capabilities(detail, gpis, holds, frequencies)


def _device(body: bytes, param: Param) -> tuple[str, int]:
    _, _, maker, model, size = unpack(_DEVICE, body, param)
    firmware = _words(body, param.start + _DEVICE.size, size, param.end)
    detail = f"{_MAKERS.get(maker, f'maker {maker}')} model {model}, firmware {firmware}"
    gpis = 0
    for inner in _long(body, param.start + _DEVICE.size + size, param.end):
        if inner.type == 141:  # GPIOCapabilities
            gpis = unpack(_U16, body, inner)[0]
    return detail, gpis


def _frequencies(body: bytes, band: Param) -> tuple[int, ...]:
    """The first table of frequencies of a band, in kHz: where a reader has several, nothing says which is in use."""
    for param in _long(body, band.start, band.end):
        if param.type != 146:  # FrequencyInformation
            continue
        for table in _long(body, param.start + 1, param.end):
            if table.type in (
                147,
                148,
            ):  # FrequencyHopTable: its number and a spare byte; FixedFrequencyTable: neither
                at = table.start + (2 if table.type == 147 else 0)
                count = unpack(_U16, body, Param(table.type, at, table.end, False))[0]
                if at + 2 + 4 * count > table.end:
                    raise ProtocolError(f"LLRP table of {count} frequencies in {table.end - at - 2} bytes")
                return struct.unpack_from(f"!{count}I", body, at + 2)
    return ()


def rospecs(body: bytes) -> dict[int, int]:
    """State by number, of the ROSpecs in a GET_ROSPECS_RESPONSE. Raises ProtocolError."""
    found = {}
    for param in _long(body, 0, len(body)):
        if param.type == 177:
            number, _, state = unpack(_ROSPEC, body, param)
            found[number] = state
    return found


def event(body: bytes) -> Event:
    """What a READER_EVENT_NOTIFICATION tells; what we have no use for is passed over. Raises ProtocolError."""
    told: dict[str, object] = {}
    exceptions: list[str] = []
    for data in _long(body, 0, len(body)):
        if data.type != 246:  # ReaderEventNotificationData
            continue
        for param in _long(body, data.start, data.end):
            if param.type == 252:  # ReaderExceptionEvent
                (size,) = unpack(_U16, body, param)
                exceptions.append(_words(body, param.start + _U16.size, size, param.end))
            else:
                told |= _told(body, param)
    return Event(**told, exceptions=tuple(exceptions))  # type: ignore[arg-type]  # _told gives each its own type


def _told(body: bytes, param: Param) -> dict[str, object]:
    match param.type:
        case 128:
            return {"utc": unpack(_U64, body, param)[0]}
        case 129:
            return {"uptime": unpack(_U64, body, param)[0]}
        case 248:
            port, level = unpack(_GPI, body, param)
            return {"gpi": (port, bool(level & 0x80))}
        case 249:
            kind, rospec, _ = unpack(_ROSPEC_EVENT, body, param)
            return {"ended": rospec} if kind else {}  # 0 is started, 1 ended, 2 preempted
        case 250:
            return {"buffer_percent": unpack(_U8, body, param)[0]}
        case 251:
            return {"overflow": True}
        case 255:
            connected, antenna = unpack(_ANTENNA, body, param)
            return {"antenna": (antenna, bool(connected))}
        case 256:
            return {"attempt": unpack(_U16, body, param)[0]}
        case 257:
            return {"closing": True}
        case _:
            return {}


def _long(body: bytes, start: int, end: int) -> Iterator[Param]:
    """The parameters in the long form: where we look for one, a short one of the same number is another thing."""
    return (param for param in walk(body, start, end) if not param.tv)


def _words(body: bytes, start: int, size: int, end: int) -> str:
    """A text that the device wrote, fit for a log: printable, and not longer than anyone reads.

    Raises:
        ProtocolError: it runs over the end of its parameter.
    """
    if start + size > end:
        raise ProtocolError(f"LLRP text of {size} bytes in {end - start}")
    text = body[start : start + size].decode("utf-8", "replace")
    return "".join(c if c.isprintable() else "?" for c in text)[:_LONGEST_WORDS]
