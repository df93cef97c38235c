"""The M100 family without I/O and without a clock: bytes in, frames and tags out; commands to bytes.

Source: "M100 & QM100 firmware command manual" as M5Stack publishes it for the JRD-4035 (Unit-RFID-UHF-Protocol-EN),
chapters 1 to 4; headers AA and DD: R200 boards' example programs, and M5Unit-RFID (MIT), jrd4035_frame.hpp. EPC Gen2:
PC, XPC and PacketCRC.
"""

import binascii
import struct
from enum import Enum, IntEnum
from typing import NamedTuple

from edge.errors import ProtocolError
from edge.readers.frame_buffer import FrameBuffer

# The longest answer that we ask for is a tag of 62 bytes; a length that needs its upper byte is a false start.
MOST_PARAMS = 0xFF
_AROUND = 7  # header, type, command, length (2), checksum, end
_RESPONSE, _NOTICE = 1, 2  # what a module sends; 0 is a command


class Framing(Enum):
    """The bytes around a frame: all that differs between boards."""

    BB = (0xBB, 0x7E)
    AA = (0xAA, 0xDD)


class Command(IntEnum):
    INFORMATION = 0x03
    SET_REGION = 0x07
    GET_REGION = 0x08
    SELECT = 0x0C
    GET_QUERY = 0x0D
    SET_QUERY = 0x0E
    SELECT_MODE = 0x12
    READ_ONCE = 0x22
    READ_MANY = 0x27
    STOP = 0x28
    SET_POWER = 0xB6
    GET_POWER = 0xB7
    ERROR = 0xFF  # in place of the command that failed


REGIONS = {"cn900": 1, "us": 2, "eu": 3, "cn800": 4, "kr": 6}
NO_TAG = 0x15
_ERRORS = {
    NO_TAG: "no tag answered",
    0x16: "access password",
    0x17: "it does not know the command, or not so",
    0x20: "no free channel found in time",
}
HARDWARE, SOFTWARE = 0, 1  # what INFORMATION is asked for
MOST_ROUNDS = 0xFFFF
SUCCESS = b"\x00"


class Frame(NamedTuple):
    notice: bool  # said unasked: a tag
    command: int
    params: bytes


class Tag(NamedTuple):
    epc: bytes
    rssi_dbm: int


def command(framing: Framing, number: int, params: bytes = b"") -> bytes:
    """A command as it goes to the module."""
    header, end = framing.value
    body = struct.pack("!BBH", 0, number, len(params)) + params
    return bytes([header]) + body + bytes([sum(body) & 0xFF, end])


class Framer(FrameBuffer[Frame]):
    """A frame is one whose type, length, checksum and end are right."""

    def __init__(self, framing: Framing) -> None:
        header, self._end = framing.value
        super().__init__(header)

    def _size(self, at: int) -> int | None:
        buffer, left = self._buffer, len(self._buffer) - at
        if left > 1 and buffer[at + 1] not in (_RESPONSE, _NOTICE):
            return 0
        if left > 3 and buffer[at + 3]:  # longer than MOST_PARAMS
            return 0
        if left < 5 or left < buffer[at + 4] + _AROUND:
            return None
        end = at + buffer[at + 4] + _AROUND
        good = buffer[end - 1] == self._end and sum(buffer[at + 1 : end - 2]) & 0xFF == buffer[end - 2]
        return end - at if good else 0

    def _frame(self, whole: bytes) -> Frame:
        return Frame(whole[1] == _NOTICE, whole[2], whole[5:-2])


def tag(params: bytes) -> Tag:
    """Read a notice of a tag: RSSI, PC, EPC and the CRC that the tag sent.

    Raises:
        ProtocolError: it is none, or was damaged between the tag and the frame.
    """
    sent = params[1:]
    # Polynomial 1021h, preset FFFFh, complemented, over PC, extended PC and EPC (Gen2, PacketCRC).
    if len(sent) < 4 or binascii.crc_hqx(sent[:-2], 0xFFFF) ^ 0xFFFF != int.from_bytes(sent[-2:], "big"):
        raise ProtocolError(f"a damaged tag: {params.hex()}")
    begins = 2
    if sent[0] & 0x02:  # an extended PC word follows
        begins += 2
        if sent[2] & 0x80:  # and a second one
            begins += 2
    epc = sent[begins:-2]
    # The PC's own count of words, which some tags make with their extended PC.
    if 2 * (sent[0] >> 3) not in (len(epc), len(sent) - 4):
        raise ProtocolError(f"a tag of {len(epc)} bytes whose PC says {2 * (sent[0] >> 3)}: {params.hex()}")
    return Tag(epc, struct.unpack("!b", params[:1])[0])


def text(params: bytes) -> str:
    """What an answer to INFORMATION says, behind the number of what was asked."""
    return "".join(chr(byte) if 32 <= byte < 127 else "?" for byte in params[1:]).strip()


def with_query(query: bytes, session: int | None, q: int | None) -> bytes:
    """The Query's two bytes with another session or Q, asking all tags; the rest as it was.

    DR (1 bit), M (2), TRext (1), Sel (2), Session (2), Target (1), Q (4), 3 bits unused.
    """
    (bits,) = struct.unpack("!H", query)
    bits &= ~0x0C00
    if session is not None:
        bits = bits & ~0x0300 | session << 8
    if q is not None:
        bits = bits & ~0x0078 | q << 3
    return struct.pack("!H", bits)


def words(code: int) -> str:
    """An error as a sentence, with its number."""
    return f"{_ERRORS.get(code, 'it does not say why')} (error {code:02X}h)"


def region_name(code: int) -> str:
    return next((name for name, known in REGIONS.items() if known == code), f"number {code}")
