"""Tag reports: reads of one tag gathered while the client does not want each, then written as the selector says.

What one TagReportData may sum up: reads of the same EPC with the same values of all enabled fields but RSSI,
times and count; PeakRSSI is then the strongest, first and last seen the span (LLRP 1.1, section 14.2.3).
"""

from dataclasses import dataclass
from typing import NamedTuple

from simulators.llrp.impinj import said
from simulators.llrp.layout import Param, Tv, tlv, tv
from simulators.llrp.rospec import Field, Report, ReportSpec

PC_96 = 0x3000  # protocol control word of a 96-bit EPC: six words (Gen2, PC bits 10h-14h)
MAX_COUNT = 0xFFFF  # what TagSeenCount can say


class Read(NamedTuple):
    """One read of one tag, as the radio gives it."""

    epc: bytes
    antenna: int
    rssi_dbm: float
    channel: int
    at_us: int  # by the reader's own clock, microseconds


class Source(NamedTuple):
    """Which part of which ROSpec was at work."""

    rospec_id: int
    spec_index: int
    inventory_spec_id: int


@dataclass(slots=True)
class _Gathered:
    source: Source
    first: Read
    last_us: int
    peak_dbm: float
    count: int = 1


class Gatherer:
    """Gathers the reads of one ROSpec until its trigger says that they are to be reported."""

    def __init__(self, spec: ReportSpec, *, has_utc: bool = True) -> None:
        self.spec = spec
        self._has_utc = has_utc
        self._tags: dict[tuple[object, ...], _Gathered] = {}

    def take(self, read: Read, source: Source) -> list[bytes]:
        """Return the TagReportData parameters that are due with this read."""
        key = self._key(read, source)
        if (tag := self._tags.get(key)) is not None and tag.count < MAX_COUNT:
            tag.last_us = max(tag.last_us, read.at_us)
            tag.peak_dbm = max(tag.peak_dbm, read.rssi_dbm)
            tag.count += 1
        else:
            self._tags[key] = _Gathered(source, read, read.at_us, read.rssi_dbm)
        due = self.spec.trigger is not Report.NEVER and 0 < self.spec.tags <= len(self._tags)
        return self.all() if due else []

    def all(self) -> list[bytes]:
        """Everything gathered, which is then forgotten."""
        data = [encode(tag, self.spec, has_utc=self._has_utc) for tag in self._tags.values()]
        self._tags.clear()
        return data

    def _key(self, read: Read, source: Source) -> tuple[object, ...]:
        fields = self.spec.fields
        return (
            read.epc,
            read.antenna if fields & Field.ANTENNA_ID else None,
            read.channel if fields & Field.CHANNEL_INDEX else None,
            source,
        )


def encode(tag: _Gathered, spec: ReportSpec, *, has_utc: bool) -> bytes:
    """One TagReportData parameter."""
    first = Tv.FIRST_SEEN_UTC if has_utc else Tv.FIRST_SEEN_UPTIME
    last = Tv.LAST_SEEN_UTC if has_utc else Tv.LAST_SEEN_UPTIME
    read, source = tag.first, tag.source
    parts = [_epc(read.epc)]
    for bit, part in (
        (Field.ROSPEC_ID, tv(Tv.ROSPEC_ID, "I", source.rospec_id)),
        (Field.SPEC_INDEX, tv(Tv.SPEC_INDEX, "H", source.spec_index)),
        (
            Field.INVENTORY_PARAMETER_SPEC_ID,
            tv(Tv.INVENTORY_PARAMETER_SPEC_ID, "H", source.inventory_spec_id),
        ),
        (Field.ANTENNA_ID, tv(Tv.ANTENNA_ID, "H", read.antenna)),
        (Field.PEAK_RSSI, tv(Tv.PEAK_RSSI, "b", round(tag.peak_dbm))),
        (Field.CHANNEL_INDEX, tv(Tv.CHANNEL_INDEX, "H", read.channel)),
        (Field.FIRST_SEEN, tv(first, "Q", read.at_us)),
        (Field.LAST_SEEN, tv(last, "Q", tag.last_us)),
        (Field.TAG_SEEN_COUNT, tv(Tv.TAG_SEEN_COUNT, "H", tag.count)),
    ):
        if spec.fields & bit:
            parts.append(part)
    pc = len(read.epc) // 2 << 11
    if spec.pc:
        parts.append(tv(Tv.C1G2_PC, "H", pc))
    if spec.crc:
        parts.append(tv(Tv.C1G2_CRC, "H", crc_16(pc.to_bytes(2, "big") + read.epc)))
    if spec.fields & Field.ACCESS_SPEC_ID:
        parts.append(tv(Tv.ACCESS_SPEC_ID, "I", 0))
    for extra in sorted(spec.extras):
        parts.append(said(extra, read.epc, read.antenna, read.channel, tag.peak_dbm))
    return tlv(Param.TAG_REPORT_DATA, b"".join(parts))


def _epc(epc: bytes) -> bytes:
    if len(epc) == 12:
        return tv(Tv.EPC_96, "12s", epc)
    return tlv(Param.EPC_DATA, (8 * len(epc)).to_bytes(2, "big") + epc)


def crc_16(data: bytes) -> int:
    """The CRC that a Gen2 tag keeps of its PC and EPC: polynomial 1021h, preset FFFFh, complemented."""
    crc = 0xFFFF
    for byte in data:
        crc ^= byte << 8
        for _ in range(8):
            crc = (crc << 1 ^ 0x1021 if crc & 0x8000 else crc << 1) & 0xFFFF
    return crc ^ 0xFFFF
