"""Columns of decoded tags as rows, which are easier to write down."""

from collections.abc import Iterable, Iterator
from typing import NamedTuple

from edge.readers.llrp.protocol.reports import Tags


class Row(NamedTuple):
    """One tag: the fields of Tags, in its order."""

    epc: bytes
    antenna: int | None = None
    rssi_dbm: int | None = None
    channel: int | None = None
    first_utc: int | None = None
    last_utc: int | None = None
    first_uptime: int | None = None
    last_uptime: int | None = None
    reads: int | None = None
    rssi_centi_dbm: int | None = None
    phase: int | None = None
    tid: bytes | None = None


def rows(runs: Iterable[Tags]) -> Iterator[Row]:
    for tags in runs:
        yield from map(Row._make, zip(*tags, strict=True))
