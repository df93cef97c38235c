"""What the module says: who it is, which tags it has read, and what ails it.

Source: ThingMagic's MercuryAPI (MIT), serial_reader_l3.c, `TMR_SR_parseMetadataFromMessage`; serial_reader.c,
`TMR_SR_hasMoreTags`. EPC Gen2: PC, XPC and PacketCRC.
"""

import binascii
from typing import NamedTuple

from edge.errors import ProtocolError

_TAG, _STATUS, _END = 1, 2, 0  # kinds of answer while a search streams
# Metadata by its flag, in the order in which it comes, with its size. DATA has a length of its own.
_READS, _RSSI, _ANTENNA, _FREQUENCY, _TIME, _PHASE, _PROTOCOL, _DATA = (1 << bit for bit in range(8))
_SIZES = {
    _READS: 1, _RSSI: 1, _ANTENNA: 1, _FREQUENCY: 3, _TIME: 4, _PHASE: 2, _PROTOCOL: 1, _DATA: 2,
    0x0100: 1,                            # GPIO
    0x0200: 1, 0x0400: 1, 0x0800: 1,      # Gen2: Q, link frequency, target
}  # fmt: skip
_KNOWN = 0x0FFF
_DATA_FAILED = 0x8000  # in place of the data's length in bits; the reason follows, in two bytes


class Tag(NamedTuple):
    """One tag as a search reports it. None is what this search was not asked for."""

    epc: bytes
    antenna: int
    rssi_dbm: int | None = None
    reads: int = 1
    khz: int | None = None
    ms: int | None = None  # since the search began, of those that follow one another
    phase_deg: int | None = None
    data: bytes = b""  # read along with the EPC, if that was asked for


class Version(NamedTuple):
    """As the module writes it: four numbers each, and a day."""

    hardware: str
    firmware: str
    built: str

    def __str__(self) -> str:
        return f"ThingMagic hardware {self.hardware}, firmware {self.firmware} of {self.built}"


def version(data: bytes) -> Version:
    """Raises ProtocolError: it is shorter than a version."""
    if len(data) < 20:
        raise ProtocolError(f"a version of {len(data)} bytes, expected 20: {data.hex()}")
    built = f"{data[8:10].hex()}-{data[10:11].hex()}-{data[11:12].hex()}"
    return Version(data[4:8].hex("."), data[12:16].hex("."), built)


def antennas(data: bytes) -> dict[int, bool]:
    """Which ports there are, and whether the module detects an antenna there (an answer to DETECT_ANTENNAS)."""
    return {data[at]: data[at + 1] == 1 for at in range(1, len(data) - 1, 2)}


def tag(data: bytes) -> Tag | None:
    """Read one answer of a search; None for one that brings no tag (its end, a report of its own state).

    Raises:
        ProtocolError: it is no such answer, or what the tag sent was damaged before the module framed it.
    """
    at = 1 if data[:1] == b"\x88" else 0  # a prefix of newer firmware: searches may have several filters
    if len(data) < at + 6:
        raise ProtocolError(f"an answer of {len(data)} bytes to a search, expected at least 6: {data.hex()}")
    kind = data[at + 5]
    if kind in (_STATUS, _END):
        return None
    flags = int.from_bytes(data[at + 3 : at + 5], "big")
    if kind != _TAG or flags & ~_KNOWN:
        raise ProtocolError(f"an answer of kind {kind} with metadata {flags:04X}h to a search: {data.hex()}")
    found, at = _metadata(data, at + 6, flags)
    for embedded in _embedded(found.get(_DATA)):
        if (read := _epc(data, at, embedded, tail=_after_data(flags))) is not None:
            epc, extra = read
            return _tag(found, epc, extra)
    raise ProtocolError(f"a damaged tag in {data.hex()}")


def _metadata(data: bytes, at: int, flags: int) -> tuple[dict[int, int], int]:
    """The values before the data that was read along, and where that begins."""
    found = {}
    for flag, size in _SIZES.items():
        if flags & flag and flag <= _DATA:
            if at + size > len(data):
                raise ProtocolError(f"an answer that ends within its metadata: {data.hex()}")
            found[flag] = int.from_bytes(data[at : at + size], "big")
            at += size
    return found, at


def _embedded(bits: int | None) -> tuple[tuple[int, bool], ...]:
    """How many bytes were read along and whether they are any good, the likelier first."""
    if bits is None:
        return ((0, False),)
    if bits == _DATA_FAILED:
        return ((2, False), (0, False))  # firmwares differ; the tag's own CRC tells
    return (((bits + 7) // 8, True),)


def _after_data(flags: int) -> int:
    return sum(size for flag, size in _SIZES.items() if flag > _DATA and flags & flag)


def _epc(data: bytes, at: int, embedded: tuple[int, bool], tail: int) -> tuple[bytes, bytes] | None:
    """The EPC at the end, and what was read along; None if that is not what is there, or the tag's CRC is wrong."""
    count, good = embedded
    extra = data[at : at + count] if good else b""
    at += count + tail
    size = (int.from_bytes(data[at : at + 2], "big") + 7) // 8
    sent = data[at + 2 :]
    if len(sent) != size or size < 4:
        return None
    # PC, extended PC, EPC and the CRC over them, as the tag sent them (Gen2, PacketCRC): polynomial 1021h, preset
    # FFFFh, complemented.
    if binascii.crc_hqx(sent[:-2], 0xFFFF) ^ 0xFFFF != int.from_bytes(sent[-2:], "big"):
        return None
    begins = 2
    if sent[0] & 0x02:  # an extended PC word follows
        begins += 2
        if len(sent) > 2 and sent[2] & 0x80:  # and a second one
            begins += 2
    epc = sent[begins:-2]
    # The PC's own count of words, which some tags make with their extended PC.
    if 2 * (sent[0] >> 3) not in (len(epc), len(sent) - 4):
        return None
    return epc, extra


def _tag(found: dict[int, int], epc: bytes, extra: bytes) -> Tag:
    port = found.get(_ANTENNA, 0) >> 4
    rssi = found.get(_RSSI)
    return Tag(
        epc=epc,
        antenna=port or 16,  # four bits: 16 is written as 0
        rssi_dbm=None if rssi is None else rssi - 256 if rssi > 127 else rssi,
        reads=found.get(_READS) or 1,
        khz=found.get(_FREQUENCY),
        ms=found.get(_TIME),
        phase_deg=found.get(_PHASE),
        data=extra,
    )
