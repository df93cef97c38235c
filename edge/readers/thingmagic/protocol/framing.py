"""From bytes to whole frames, and from commands to bytes.

Source: ThingMagic's MercuryAPI, serial_reader_l3.c (MIT), "Layout of response in data array"; M7E user guide,
875-0093-01, sections 7.1 to 7.3. A frame is FF, length, opcode, [status, 2 bytes, only from the reader], data, CRC (2).
"""

from typing import NamedTuple

from edge.readers.frame_buffer import FrameBuffer

START = 0xFF
MOST_DATA = 248  # in an answer: M7E user guide, section 7.2
_AROUND = 7  # start, length, opcode, status (2), CRC (2)


class Frame(NamedTuple):
    opcode: int
    status: int
    data: bytes


def _table() -> tuple[int, ...]:
    rows = []
    for top in range(256):
        crc = top << 8
        for _ in range(8):
            crc = (crc << 1 ^ 0x1021 if crc & 0x8000 else crc << 1) & 0xFFFF
        rows.append(crc)
    return tuple(rows)


_TABLE = _table()


def crc(data: bytes | bytearray) -> int:
    """The maker's own CRC-16: polynomial 1021h, preset FFFFh, new bits shifted in at the bottom.

    So it is CRC-CCITT without the sixteen zero bits that others append, and agrees with no catalogued CRC.
    """
    value = 0xFFFF
    for byte in data:
        value = (value << 8 & 0xFF00 | byte) ^ _TABLE[value >> 8]
    return value


def command(opcode: int, data: bytes = b"") -> bytes:
    """A command as it goes to the reader."""
    body = bytes([len(data), opcode]) + data
    return bytes([START]) + body + crc(body).to_bytes(2, "big")


class Framer(FrameBuffer[Frame]):
    """A frame is one whose CRC is right."""

    def __init__(self) -> None:
        super().__init__(START)

    def _size(self, at: int) -> int | None:
        buffer, left = self._buffer, len(self._buffer) - at
        if left < 2:
            return None
        if buffer[at + 1] > MOST_DATA:
            return 0
        size = buffer[at + 1] + _AROUND
        if left < size:
            return None
        end = at + size
        return size if crc(buffer[at + 1 : end - 2]) == int.from_bytes(buffer[end - 2 : end], "big") else 0

    def _frame(self, whole: bytes) -> Frame:
        return Frame(whole[2], int.from_bytes(whole[3:5], "big"), whole[5:-2])
