"""RO_ACCESS_REPORT: what the reader saw. Source: LLRP 1.1, sections 14.2.3 and 17.2.7; Impinj's parameters by its
Octane LLRP extensions.

A reader may leave out an optional parameter that has the value it had the last time it was sent (14.2.3, ii). So a
decoder belongs to one connection, and carries the last values forward. What only one read can have is not carried:
phase, the tag's own number (TID), and the fine strength, for which the standard's own stands in.

Tag reports of one reader look alike, so whole runs of them are taken at once. The walker reads the first, whatever it
looks like, and notes as a `Layout` which bytes say what is where: a run is what has the same bytes in those places. Its
values come as columns, one for each field: a tag costs no object of its own, and what is done with all strengths or all
times is done in one go.
"""

from collections.abc import Callable, Iterator, Sequence
from functools import partial
from typing import NamedTuple, TypeVar, cast

from edge.readers.llrp.protocol.layout import CARRIED, Layout, Values, learn, read
from edge.readers.llrp.protocol.params import TLV_HEADER, walk

TAG_REPORT_DATA = 240

# Layouts remembered at once. A reader has one or two for each length of EPC that passes; past this it is playing games.
_MAX_LAYOUTS = 64
# Tags taken at once, for the reason of framing's.
_MOST_AT_ONCE = 256

T = TypeVar("T")
Column = Sequence[T]


class Tags(NamedTuple):
    """A run of TagReportData, a column for each field, what was left out filled in. None is what was never said.

    Times are the reader's own, in microseconds: `utc` counts from 1970, `uptime` from the reader's start.
    """

    epc: Column[bytes]  # whole bytes: a length that is not a multiple of 8 bits is padded with zeros
    antenna: Column[int | None]
    rssi_dbm: Column[int | None]  # the peak of `reads` reads
    channel: Column[int | None]  # counts from 1
    first_utc: Column[int | None]
    last_utc: Column[int | None]
    first_uptime: Column[int | None]
    last_uptime: Column[int | None]
    reads: Column[int | None]
    rssi_centi_dbm: Column[int | None]  # finer, of readers that can
    phase: Column[int | None]  # of the tag's answer, in 4096ths of a turn
    tid: Column[bytes | None]


# As Tags._make, at half the price: how many values there are is known.
_tags = cast(Callable[[list[Sequence[object]]], Tags], partial(tuple.__new__, Tags))


class ReportDecoder:
    """Decodes the reports of one connection."""

    def __init__(self) -> None:
        self._last: Values = [None] * len(Tags._fields)  # as of before the runs of `_layout`
        self._layouts: dict[int, Layout] = {}  # by size: a reader seldom has two of one size
        self._layout: Layout | None = None  # of the last run
        self._given: list[tuple[object, ...]] = []  # the columns of the last run

    def decode(self, body: bytes) -> Iterator[Tags]:
        """Yield the tags in the body of RO_ACCESS_REPORTs, in order; surveys and unknown parameters are passed over.

        Raises:
            ProtocolError: what follows is not a report.
        """
        at, end = 0, len(body)
        while at < end:
            layout = self._layouts.get(TLV_HEADER.unpack_from(body, at)[1]) if end - at >= 4 else None
            count = layout.run(body, at, min((end - at) // layout.size, _MOST_AT_ONCE)) if layout else 0
            if layout is None or count == 0:
                param = next(walk(body, at, end))
                if param.type == TAG_REPORT_DATA and not param.tv:
                    yield self._walk(body, param.start, param.end)
                at = param.end
                continue
            start, at = at, at + count * layout.size
            yield self._columns(layout, body[start:at], count)

    def _columns(self, layout: Layout, run: bytes, count: int) -> Tags:
        if layout is not self._layout:
            self._settle()
            self._layout = layout
        self._given = given = list(zip(*layout.values(run), strict=True))
        last = self._last
        return _tags([
            (last[field],) * count if place is None else given[place] for field, place in layout.fields
        ])  # fmt: skip

    def _settle(self) -> None:
        """Bring what may be left out up to date with the last run: among runs of one layout it is not needed."""
        if self._layout is not None:
            for field, place in self._layout.carries:
                self._last[field] = self._given[place][-1]
        self._layout = None

    def _walk(self, body: bytes, start: int, end: int) -> Tags:
        """Take one TagReportData, whatever it looks like, and learn what it looks like."""
        self._settle()
        inside = [*walk(body, start, end)]
        values = read(body, inside, self._last)
        self._last = [value if carried else None for value, carried in zip(values, CARRIED, strict=True)]
        if layout := learn(body, start, end, inside):
            if len(self._layouts) >= _MAX_LAYOUTS:
                self._layouts.clear()
            self._layouts[layout.size] = layout
        return _tags([(value,) for value in values])
