"""Modbus frames, as a device sees them: questions in, answers out. Written from the specification alone.

Source: MODBUS Application Protocol 1.1b3, sections 4.2, 6 and 7; MODBUS over Serial Line 1.02, section 2.5 and the
checksum of its appendix B; MODBUS Messaging on TCP/IP 1.0b, section 3.1.3.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

ILLEGAL_FUNCTION, ILLEGAL_ADDRESS, ILLEGAL_VALUE = 1, 2, 3
READING = (3, 4)
WRITING = (5, 6, 15, 16, 22, 23)

# Unit and question (function and what follows) in, answer out; None where nobody answers.
Answer = Callable[[int, bytes], bytes | None]


@dataclass(frozen=True, slots=True)
class Reply:
    """What goes back on the line, and to which unit it was asked."""

    unit: int
    frame: bytes


def checksum(data: bytes) -> bytes:
    """CRC-16 with polynomial A001h, low byte first."""
    crc = 0xFFFF
    for byte in data:
        crc ^= byte
        for _ in range(8):
            crc = crc >> 1 ^ (0xA001 if crc & 1 else 0)
    return bytes([crc & 0xFF, crc >> 8])


class RtuFrames:
    """Questions on a serial line. All that we answer have 8 bytes."""

    def __init__(self, answer: Answer) -> None:
        self._answer = answer
        self._buffer = bytearray()

    def receive(self, data: bytes) -> Iterator[Reply]:
        """Take bytes as they came; yields the answers that are due."""
        self._buffer += data
        while len(self._buffer) >= 8:
            frame = bytes(self._buffer[:8])
            if checksum(frame[:6]) != frame[6:]:
                del self._buffer[0]
                continue
            del self._buffer[:8]
            said = self._answer(frame[0], frame[1:6])
            if said is not None and frame[0]:  # unit 0 is all of them, and answered by none
                body = frame[:1] + said
                yield Reply(frame[0], body + checksum(body))


class TcpFrames:
    """Questions by TCP."""

    def __init__(self, answer: Answer) -> None:
        self._answer = answer
        self._buffer = bytearray()

    def receive(self, data: bytes) -> Iterator[Reply]:
        """Take bytes as they came; yields the answers that are due."""
        self._buffer += data
        while len(self._buffer) >= 7:
            size = 6 + int.from_bytes(self._buffer[4:6], "big")
            if len(self._buffer) < size:
                return
            frame = bytes(self._buffer[:size])
            del self._buffer[:size]
            said = self._answer(frame[6], frame[7:])
            if said is not None:
                yield Reply(frame[6], frame[:4] + (len(said) + 1).to_bytes(2, "big") + frame[6:7] + said)


def read(question: bytes, registers: Callable[[int], int | None], function: int, most: int) -> bytes:
    """The answer to a question for registers.

    Args:
        registers: the value at an address, None where there is none.
        function: the one that reads them.
        most: registers that are handed out at once.
    """
    if question[0] != function:
        return bytes([question[0] | 0x80, ILLEGAL_FUNCTION])
    address, count = int.from_bytes(question[1:3], "big"), int.from_bytes(question[3:5], "big")
    if not 1 <= count <= most:
        return bytes([function | 0x80, ILLEGAL_VALUE])
    values = [registers(address + i) for i in range(count)]
    if None in values:
        return bytes([function | 0x80, ILLEGAL_ADDRESS])
    return bytes([function, 2 * count]) + b"".join((value or 0).to_bytes(2, "big") for value in values)
