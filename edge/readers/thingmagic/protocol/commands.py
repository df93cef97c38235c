"""What is said to the module, byte by byte.

Source of every opcode and layout: ThingMagic's MercuryAPI (MIT), serial_reader_imp.h, serial_reader_l3.c, tmr_region.h
and tmr_status.h; the read plan's bytes also: SparkFun's Simultaneous RFID Tag Reader Library, `startReading`.
"""

import struct
from collections.abc import Mapping, Sequence
from enum import IntEnum

from edge.readers.thingmagic.protocol.framing import command

GEN2 = 5  # the tag protocol that every UHF tag of today speaks
SEARCH_MS = 1000  # a search lasts so long and is begun again: after each, the module says that it is alive


class Opcode(IntEnum):
    VERSION = 0x03
    BOOT_FIRMWARE = 0x04
    GET_CURRENT_PROGRAM = 0x0C
    READ_TAGS = 0x22
    READ_FOR_EVER = 0x2F
    GET_ANTENNA_PORT = 0x61
    GET_REGION = 0x67
    SET_ANTENNA_PORT = 0x91
    SET_READ_POWER = 0x92
    SET_TAG_PROTOCOL = 0x93
    SET_REGION = 0x97
    SET_READER_PARAM = 0x9A
    SET_PROTOCOL_PARAM = 0x9B


REGIONS = {
    "na": 1, "eu": 2, "kr": 3, "in": 4, "jp": 5, "prc": 6, "eu2": 7, "eu3": 8, "kr2": 9, "prc2": 10, "au": 11, "nz": 12,
    "na2": 13, "na3": 14, "is": 15, "my": 16, "id": 17, "ph": 18, "tw": 19, "mo": 20, "ru": 21, "sg": 22, "vn": 25,
    "th": 26, "ar": 27,
}  # fmt: skip

_WORDS = {
    0x0100: "wrong number of arguments",
    0x0101: "it does not know the command",
    0x0102: "it does not support the command",
    0x0103: "the power is above what it may send",
    0x0105: "a value is outside what it allows",
    0x0106: "the power is below what it can send",
    0x0109: "it does not support this",
    0x010A: "it does not support this serial speed",
    0x010B: "it does not support this region",
    0x0200: "its firmware is damaged (checksum)",
    0x0400: "no tags found",
    0x0401: "no tag protocol is set",
    0x0402: "it does not know the tag protocol",
    0x0405: "its radio is not on, as before a region is set",
    0x0500: "a frequency is outside the region",
    0x0501: "the channel is occupied",
    0x0503: "an antenna is not connected",
    0x0504: "it is too hot",
    0x0505: "high return loss: an antenna is off, broken or not for this band",
    0x0507: "it has no such antenna",
    0x0509: "its supply voltage is outside the limits",
    0x0600: "not so many tags in its buffer",
    0x0601: "its buffer is full",
    0x7F00: "unknown internal error",
    0x7F01: "internal error (assertion)",
}
NO_TAGS = 0x0400
NOT_CONNECTED, TOO_HOT, RETURN_LOSS = 0x0503, 0x0504, 0x0505
BUFFER_FULL = 0x0601
RADIO_OFF = 0x0405
BROKEN = (0x7F00, 0x7F01)


def words(status: int) -> str:
    """A status as a sentence, with its number."""
    return f"{_WORDS.get(status, 'it does not say why')} (status {status:04X}h)"


def region_name(code: int) -> str:
    return next((name for name, known in REGIONS.items() if known == code), f"number {code}")


VERSION = command(Opcode.VERSION)
CURRENT_PROGRAM = command(Opcode.GET_CURRENT_PROGRAM)
BOOT = command(Opcode.BOOT_FIRMWARE)
GET_REGION = command(Opcode.GET_REGION)
DETECT_ANTENNAS = command(Opcode.GET_ANTENNA_PORT, b"\x05")
USE_GEN2 = command(Opcode.SET_TAG_PROTOCOL, struct.pack("!H", GEN2))
# Left on, the module says each tag once and then keeps quiet about it for seconds: no direction could be told.
EVERY_READ = command(Opcode.SET_READER_PARAM, b"\x01\x0c\x00")
STOP = command(Opcode.READ_FOR_EVER, b"\x00\x00\x02")

# Read for ever (option 1): Gen2, as one search after the other of opcode 22h with metadata, on the list of antennas
# that was set (3), streaming each tag (8), for large populations (10h).
_METADATA = 0x01FF  # reads, RSSI, antenna, frequency, time, phase, protocol, data, GPIO
_SEARCH = struct.pack("!BBHHH", Opcode.READ_TAGS, 0x10, 0x0003 | 0x0008 | 0x0010, SEARCH_MS, _METADATA)
START = command(
    Opcode.READ_FOR_EVER, struct.pack("!HBBHBB", 0, 1, Opcode.READ_TAGS, 0, GEN2, len(_SEARCH) - 1) + _SEARCH
)


def set_region(name: str) -> bytes:
    return command(Opcode.SET_REGION, bytes([REGIONS[name]]))


def set_antennas(antennas: Sequence[int]) -> bytes:
    """The list that a search goes through; each sends and receives by the same port."""
    pairs = b"".join(bytes([port, port]) for port in antennas)
    return command(Opcode.SET_ANTENNA_PORT, b"\x02" + pairs)


def set_power(dbm: float) -> bytes:
    return command(Opcode.SET_READ_POWER, struct.pack("!h", round(dbm * 100)))


def set_antenna_power(dbm: Mapping[int, float]) -> bytes:
    """Power of each port: to read with, to write with (the same), and no time to settle."""
    ports = b"".join(
        struct.pack("!BhhH", port, round(power * 100), round(power * 100), 0) for port, power in dbm.items()
    )
    return command(Opcode.SET_ANTENNA_PORT, b"\x04" + ports)


def set_session(session: int) -> bytes:
    return command(Opcode.SET_PROTOCOL_PARAM, bytes([GEN2, 0x00, session]))


def set_q(q: int) -> bytes:
    """A fixed number of slots, 2 to the power of `q`, a round."""
    return command(Opcode.SET_PROTOCOL_PARAM, bytes([GEN2, 0x12, 1, q]))
