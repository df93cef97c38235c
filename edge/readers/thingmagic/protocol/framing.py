"""From bytes to whole frames, and from commands to bytes.

Source: ThingMagic's MercuryAPI, serial_reader_l3.c (MIT), "Layout of response in data array"; M7E user guide,
875-0093-01, sections 7.1 to 7.3. A frame is FF, length, opcode, [status, 2 bytes, only from the reader], data, CRC (2).
"""

from collections.abc import Iterator
from typing import NamedTuple

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


class Framer:
    """Cuts one connection's byte stream into frames.

    FF also occurs inside frames and in noise, so a frame is one whose CRC is right; where it is not, the search goes on
    at the very next byte, and a good frame behind a false start is found. A frame that is not whole yet holds back what
    follows it: whoever has a clock calls `give_up` when the rest does not come.

    Attributes:
        skipped: bytes so far that belonged to no frame.
    """

    def __init__(self) -> None:
        self.skipped = 0
        self._buffer = bytearray()
        self._dropped = 0

    def receive(self, data: bytes) -> None:
        """Take bytes as they came off the wire, in any pieces."""
        self._buffer += data

    @property
    def waiting(self) -> int | None:
        """Where in the stream the frame began whose end has not come; None when nothing is begun. After `frames`."""
        return self._dropped if self._buffer else None

    def give_up(self) -> None:
        """What looked like the beginning of a frame was none: go on at the next whole frame, if one has come."""
        for at in range(1, len(self._buffer)):
            if self._whole(at):
                self._skip(at)
                return
        if self._buffer:
            self._skip(1)

    def frames(self) -> Iterator[Frame]:
        """Yield each frame now whole, oldest first."""
        buffer = self._buffer
        while buffer:
            if buffer[0] != START:
                start = buffer.find(START)
                self._skip(len(buffer) if start < 0 else start)
                continue
            if len(buffer) < 2:
                return
            if buffer[1] > MOST_DATA:
                self._skip(1)
                continue
            size = buffer[1] + _AROUND
            if len(buffer) < size:
                return
            if not self._whole(0):
                self._skip(1)
                continue
            frame = Frame(buffer[2], int.from_bytes(buffer[3:5], "big"), bytes(buffer[5 : size - 2]))
            self._drop(size)
            yield frame

    def _whole(self, at: int) -> bool:
        """Whether a frame begins here that has come whole and is good."""
        buffer = self._buffer
        if len(buffer) < at + _AROUND or buffer[at] != START or buffer[at + 1] > MOST_DATA:
            return False
        end = at + buffer[at + 1] + _AROUND
        if len(buffer) < end:
            return False
        return crc(buffer[at + 1 : end - 2]) == int.from_bytes(buffer[end - 2 : end], "big")

    def _skip(self, count: int) -> None:
        self.skipped += count
        self._drop(count)

    def _drop(self, count: int) -> None:
        self._dropped += count
        del self._buffer[:count]
