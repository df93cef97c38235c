"""From what one connection says to what the edge knows, on our clock. Pure: times of arrival come as arguments."""

from collections.abc import Sequence
from typing import cast

from edge.readers.llrp.clock import DeviceClock
from edge.readers.llrp.protocol.events import Event
from edge.readers.llrp.protocol.reports import Column, Tags
from edge.reads import TagRead

# For a reader that never says how strong: in the middle of what tags at a gate have (-45 to -75 dBm), so that only
# antenna and time decide.
UNKNOWN_RSSI_DBM = -60.0

_PHASE_UNITS = 4096  # in a turn
# EPCs whose words are remembered; more pass a busy door in some weeks.
_MOST_EPCS = 100_000


class _Words(dict[bytes, str]):
    """An EPC in hexadecimal, the same object for the same tag: made once, and known to later dictionaries."""

    def __missing__(self, epc: bytes) -> str:
        if len(self) >= _MOST_EPCS:
            self.clear()
        words = self[epc] = (epc if len(epc) % 2 == 0 else epc + b"\x00").hex().upper()
        return words


class Converter:
    """`utc` and `uptime` are the reader's clocks: either will do, for uptime tells times apart as well."""

    def __init__(self, gate: str, utc: DeviceClock, uptime: DeviceClock) -> None:
        self._mhz: dict[int | None, float] = {}  # by channel
        self._gate = gate
        self._utc = utc
        self._uptime = uptime
        self._words = _Words()

    def know_channels(self, frequencies_khz: Sequence[int]) -> None:
        """The frequencies of the reader's channels, which count from 1."""
        self._mhz = {channel: khz / 1000 for channel, khz in enumerate(frequencies_khz, start=1)}

    def at(self, told: Event, arrival_us: int) -> int:
        """When an event was, by our clock; learns from its time."""
        for stamp, clock in ((told.utc, self._utc), (told.uptime, self._uptime)):
            if stamp is not None:
                return clock.moment(stamp, arrival_us)
        return arrival_us

    def reads(self, tags: Tags, arrival_us: int) -> list[TagRead]:
        """The reads in a report that arrived at `arrival_us`; a tag with an empty EPC is nobody's."""
        gate, words = self._gate, self._words
        return [
            TagRead(
                at_us=at_us, gate=gate, antenna=antenna or 0, epc=words[epc], rssi_dbm=rssi_dbm, tid=tid,
                phase_deg=phase_deg, channel_mhz=channel_mhz, count=count or 1,
            )
            for at_us, antenna, epc, rssi_dbm, tid, phase_deg, channel_mhz, count in zip(
                self._moments(tags, arrival_us), tags.antenna, tags.epc, _strengths(tags), _tids(tags),
                _phases(tags), self._channels(tags), tags.reads, strict=True,
            )
            if epc
        ]  # fmt: skip

    def _channels(self, tags: Tags) -> Sequence[float | None]:
        known = self._mhz
        return [known.get(channel) for channel in tags.channel]

    def _moments(self, tags: Tags, arrival_us: int) -> Sequence[int]:
        """When each was read, by our clock: as the reader stamped it, else the time of arrival."""
        for last, first, clock in (
            (tags.last_utc, tags.first_utc, self._utc),
            (tags.last_uptime, tags.first_uptime, self._uptime),
        ):
            if (stamps := said(last) or said(first)) is not None:
                return clock.moments(stamps, arrival_us)
        return [arrival_us] * len(tags.epc)


def said(column: Column[int | None]) -> Sequence[int] | None:
    """The column, if its tags have this field: all of a run have, or none."""
    return None if column[0] is None else cast(Sequence[int], column)


def _strengths(tags: Tags) -> Sequence[float]:
    if (fine := said(tags.rssi_centi_dbm)) is not None:
        return [centi_dbm / 100 for centi_dbm in fine]
    if (coarse := said(tags.rssi_dbm)) is not None:
        return [float(rssi_dbm) for rssi_dbm in coarse]
    return [UNKNOWN_RSSI_DBM] * len(tags.epc)


def _phases(tags: Tags) -> Sequence[float | None]:
    if (phases := said(tags.phase)) is not None:
        return [phase * 360 / _PHASE_UNITS for phase in phases]
    return cast(Sequence[None], tags.phase)


def _tids(tags: Tags) -> Sequence[str | None]:
    if tags.tid[0] is None:
        return cast(Sequence[None], tags.tid)
    return [tid.hex().upper() for tid in cast(Sequence[bytes], tags.tid)]
