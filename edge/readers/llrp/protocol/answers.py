"""What a reader answers to requests other than for its capabilities. Source: LLRP 1.1, sections 17.1 and 17.2."""

import struct
from dataclasses import dataclass
from enum import IntEnum

from edge.errors import ProtocolError
from edge.readers.llrp.protocol.params import Param, long_params, unpack, walk, words

_STATUS = struct.Struct("!HH")
_ROSPEC = struct.Struct("!IBB")
_U16 = struct.Struct("!H")
_TRANSMITTER = struct.Struct("!HHH")
_RF_CONTROL = struct.Struct("!HH")
_SINGULATION = struct.Struct("!BHI")


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


class RoSpecState(IntEnum):
    DISABLED = 0
    INACTIVE = 1
    ACTIVE = 2


@dataclass(frozen=True, slots=True)
class AirSettings:
    """How an antenna is set to transmit, and to talk to tags: AntennaConfiguration, sections 17.2.6.6 to 17.3.1.2."""

    hop_table: int = 1
    channel: int = 1
    power: int = 0  # an index of the reader's table of powers
    mode: int = 0
    tari_ns: int = 0
    session: int = 0
    population: int = 32
    transit_ms: int = 0


def status(body: bytes) -> Status:
    """The LLRPStatus of an answer.

    Raises:
        ProtocolError: it has none.
    """
    for param in long_params(body, 0, len(body)):
        if param.type == 287:
            code, size = unpack(_STATUS, body, param)
            return Status(code, words(body, param.start + _STATUS.size, size, param.end))
    raise ProtocolError(f"LLRP answer without a status: {body[:40].hex()}")


def rospecs(body: bytes) -> dict[int, int]:
    """State by number, of the ROSpecs in a GET_ROSPECS_RESPONSE. Raises ProtocolError."""
    found = {}
    for param in long_params(body, 0, len(body)):
        if param.type == 177:
            number, _, state = unpack(_ROSPEC, body, param)
            found[number] = state
    return found


def versions(body: bytes) -> tuple[int, int]:
    """The version in use and the newest known, of a GET_SUPPORTED_VERSION_RESPONSE. Raises ProtocolError."""
    if len(body) < 2:
        raise ProtocolError(f"LLRP answer of {len(body)} bytes where two versions should be")
    return body[0], body[1]


def air_settings(body: bytes) -> dict[int, AirSettings]:
    """The settings of each antenna in a GET_READER_CONFIG_RESPONSE, by its number. Raises ProtocolError."""
    found = {}
    for param in long_params(body, 0, len(body)):
        if param.type == 222:
            (antenna,) = unpack(_U16, body, param)
            told: dict[str, int] = {}
            for inner in walk(body, param.start + _U16.size, param.end):
                told |= _air(body, inner)
            found[antenna] = AirSettings(**told)
    return found


def _air(body: bytes, param: Param) -> dict[str, int]:
    match param.type:
        case 224:
            hop_table, channel, power = unpack(_TRANSMITTER, body, param)
            return {"hop_table": hop_table, "channel": channel, "power": power}
        case 335:
            mode, tari_ns = unpack(_RF_CONTROL, body, param)
            return {"mode": mode, "tari_ns": tari_ns}
        case 336:
            flags, population, transit_ms = unpack(_SINGULATION, body, param)
            return {"session": flags >> 6, "population": population, "transit_ms": transit_ms}
        case 330:  # C1G2InventoryCommand: one byte of its own, then parameters
            told: dict[str, int] = {}
            for inner in walk(body, param.start + 1, param.end):
                told |= _air(body, inner)
            return told
        case _:
            return {}
