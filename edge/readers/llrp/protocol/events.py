"""What a reader tells unasked, apart from tags. Source: LLRP 1.1, sections 17.1.34 and 17.2.7.5."""

import struct
from dataclasses import dataclass, field
from enum import IntEnum

from edge.readers.llrp.protocol.params import Param, long_params, unpack, words

_ROSPEC_EVENT = struct.Struct("!BII")
_U8 = struct.Struct("!B")
_U16 = struct.Struct("!H")
_U64 = struct.Struct("!Q")
_GPI = struct.Struct("!HB")
_ANTENNA = struct.Struct("!BH")


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


def event(body: bytes) -> Event:
    """What a READER_EVENT_NOTIFICATION tells; what we have no use for is passed over. Raises ProtocolError."""
    told: dict[str, object] = {}
    exceptions: list[str] = []
    for data in long_params(body, 0, len(body)):
        if data.type != 246:  # ReaderEventNotificationData
            continue
        for param in long_params(body, data.start, data.end):
            if param.type == 252:  # ReaderExceptionEvent
                (size,) = unpack(_U16, body, param)
                exceptions.append(words(body, param.start + _U16.size, size, param.end))
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
