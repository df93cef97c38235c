"""A module's bytes: commands in, answers out.

Source: ThingMagic's MercuryAPI (MIT), serial_reader_l3.c: `TMR_SR_sendMessage`, `TMR_SR_receiveMessage`, `tm_crc`,
`TMR_SR_parseMetadataFromMessage`.
"""

import struct
from typing import NamedTuple

HEADER = 0xFF
MOST_COMMAND = 250
POLYNOMIAL = 0x1021


class Command(NamedTuple):
    opcode: int
    data: bytes


def message_crc(data: bytes) -> int:
    """As the maker's programs compute it: a nibble at a time, new bits coming in below."""
    crc = 0xFFFF
    for byte in data:
        for nibble in (byte >> 4, byte & 15):
            out, crc = crc >> 12, (crc << 4 & 0xFFFF) | nibble
            for bit in range(4):
                if out >> bit & 1:
                    crc ^= POLYNOMIAL << bit
    return crc


def tag_crc(data: bytes) -> int:
    """What a tag sends behind its PC and EPC: Gen2, annex F."""
    crc = 0xFFFF
    for byte in data:
        for bit in range(7, -1, -1):
            top = (crc >> 15) ^ (byte >> bit & 1)
            crc = (crc << 1 & 0xFFFF) ^ (POLYNOMIAL if top else 0)
    return crc ^ 0xFFFF


def answer(opcode: int, data: bytes = b"", status: int = 0) -> bytes:
    inside = struct.pack("!BBH", len(data), opcode, status) + data
    return bytes([HEADER]) + inside + struct.pack("!H", message_crc(inside))


class Ears:
    """Finds commands in what comes. Assumed: what is damaged is passed over without a word."""

    def __init__(self) -> None:
        self._heard = b""

    def hear(self, data: bytes) -> list[Command]:
        self._heard += data
        found: list[Command] = []
        while (start := self._heard.find(HEADER)) >= 0 and len(self._heard) > start + 1:
            end = start + 5 + self._heard[start + 1]
            if self._heard[start + 1] > MOST_COMMAND:
                self._heard = self._heard[start + 1 :]
                continue
            if len(self._heard) < end:
                return found
            body, crc = self._heard[start + 1 : end - 2], self._heard[end - 2 : end]
            if message_crc(body) == int.from_bytes(crc, "big"):
                found.append(Command(body[1], body[2:]))
                self._heard = self._heard[end:]
            else:
                self._heard = self._heard[start + 1 :]
        return found


READ_COUNT, RSSI, ANTENNA, FREQUENCY, TIMESTAMP, PHASE, PROTOCOL, DATA, GPIO = (1 << n for n in range(9))


class Sight(NamedTuple):
    """One tag seen once."""

    epc: bytes
    antenna: int
    rssi_dbm: int
    khz: int
    phase_deg: int
    ms: int


def tag_stream(search: bytes, flags: int, sight: Sight) -> bytes:
    """The answer that streams one tag. `search`: the option and search flags, as they were commanded."""
    port = sight.antenna & 15
    fields = (
        (READ_COUNT, b"\x01"),
        (RSSI, struct.pack("!b", sight.rssi_dbm)),
        (ANTENNA, bytes([port << 4 | port])),
        (FREQUENCY, sight.khz.to_bytes(3, "big")),
        (TIMESTAMP, struct.pack("!I", sight.ms)),
        (PHASE, struct.pack("!H", sight.phase_deg)),
        (PROTOCOL, b"\x05"),
        (DATA, b"\x00\x00"),
        (GPIO, b"\x0f"),
    )
    metadata = b"".join(field for flag, field in fields if flags & flag)
    sent = struct.pack("!H", len(sight.epc) // 2 << 11) + sight.epc
    sent += struct.pack("!H", tag_crc(sent))
    data = search + struct.pack("!HB", flags, 1) + metadata + struct.pack("!H", 8 * len(sent)) + sent
    return answer(0x22, data)
