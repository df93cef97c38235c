"""RO_ACCESS_REPORT: what the reader saw. Source: LLRP 1.1, sections 14.2.3 and 17.2.7.

A reader may leave out an optional parameter that has the value it had the last time it was sent (14.2.3, ii). So a
decoder belongs to one connection, and carries the last report forward.

The walker reads any report there can be. Reports of one reader all look alike, though, so the walker's findings are
kept as a pair of `struct.Struct`: one takes the bytes that say *what* is where, which must be just as before, and the
other the values. Whatever looks different goes to the walker.
"""

import struct
from collections.abc import Callable
from functools import partial
from operator import itemgetter
from typing import NamedTuple, cast

from edge.errors import ProtocolError
from edge.readers.llrp.protocol.params import TLV_HEADER, TV_SIZES, Param, unpack, walk

TAG_REPORT_DATA = 240
EPC_DATA = 241
EPC_96 = 13

_BITS = struct.Struct("!H")
# Gen2 gives an EPC's length in 5 bits of 16-bit words (PC word, bits 10h to 14h).
_MAX_EPC_BITS = 31 * 16

# Layouts remembered at once. A reader has one or two for each length of EPC that passes; past this it is playing games.
_MAX_LAYOUTS = 64


class TagReport(NamedTuple):
    """One TagReportData, what was left out filled in. Times are the reader's own, in microseconds.

    `utc` counts from 1970, `uptime` from the reader's start; `rssi_dbm` is the peak of `reads` reads.
    None is what this reader never said.
    """

    epc: bytes  # whole bytes: a length that is not a multiple of 8 bits is padded with zeros
    antenna: int | None = None
    rssi_dbm: int | None = None
    channel: int | None = None
    first_utc: int | None = None
    last_utc: int | None = None
    first_uptime: int | None = None
    last_uptime: int | None = None
    reads: int | None = None


# Short type -> where its value goes in a TagReport, and how it is written.
_FIELDS = {
    EPC_96: (0, "12s"),
    1: (1, "H"),
    6: (2, "b"),
    7: (3, "H"),
    2: (4, "Q"),
    4: (5, "Q"),
    3: (6, "Q"),
    5: (7, "Q"),
    8: (8, "H"),
}
_VALUES = {type: struct.Struct(f"!{code}") for type, (_, code) in _FIELDS.items()}
_NOTHING = TagReport(epc=b"")


Values = tuple[object, ...]


class _Layout(NamedTuple):
    """Where everything is in reports that look alike."""

    size: int
    signs: Callable[[bytes, int], Values]  # the bytes that must be just so,
    expected: Values  # and what they must be
    values: Callable[[bytes, int], Values]
    carry: Callable[[Values], Values]  # of the last report, what this one leaves out
    arrange: Callable[[Values], Values]  # values and what is carried forward, into a TagReport's order


class ReportDecoder:
    """Decodes the reports of one connection."""

    def __init__(self) -> None:
        self._last = _NOTHING
        self._layouts: dict[int, _Layout] = {}  # by size: a reader seldom has two of one size
        self._layout: _Layout | None = None  # the one that was right last time

    def decode(self, body: bytes) -> list[TagReport]:
        """The tags in one RO_ACCESS_REPORT's body, in its order; surveys and vendors' parameters are passed over.

        Raises:
            ProtocolError: the body is not a report. Nothing of it is to be used.
        """
        reports: list[TagReport] = []
        at, end = 0, len(body)
        while at < end:
            if self._layout is None:
                at = self._walk(body, at, reports)
                continue
            size, signs, expected, values, carry, arrange = self._layout
            carried, last = carry(self._last), end - size
            start = at
            while at <= last and signs(body, at) == expected:
                reports.append(_report(arrange(values(body, at) + carried)))
                at += size
            if at > start:
                self._last = reports[-1]
            if at < end:
                self._layout = self._known(body, at)
        return reports

    def _known(self, body: bytes, at: int) -> _Layout | None:
        """The remembered layout that fits here, if one does."""
        if at + TLV_HEADER.size > len(body):
            return None
        layout = self._layouts.get(TLV_HEADER.unpack_from(body, at)[1])
        if layout is None or at + layout.size > len(body) or layout.signs(body, at) != layout.expected:
            return None
        return layout

    def _walk(self, body: bytes, at: int, reports: list[TagReport]) -> int:
        """Take the one parameter here whatever it looks like; return where it ends."""
        param = next(walk(body, at, len(body)))
        if param.type != TAG_REPORT_DATA or param.tv:
            return param.end
        inside = [*walk(body, param.start, param.end)]
        report = read(body, inside, self._last)
        reports.append(report)
        self._last = report
        if layout := _learn(body, param, inside):
            if len(self._layouts) >= _MAX_LAYOUTS:
                self._layouts.clear()
            self._layouts[layout.size] = self._layout = layout
        return param.end


# As TagReport._make, at half the price: how many values there are is known.
_report = cast(Callable[[Values], TagReport], partial(tuple.__new__, TagReport))


def read(body: bytes, inside: list[Param], last: TagReport) -> TagReport:
    """One TagReportData from its parameters; `last` is the report before it.

    Raises:
        ProtocolError: it has no EPC, or one that cannot be.
    """
    values = list(last)
    values[0] = None
    for param in inside:
        if param.tv and param.type in _FIELDS:
            values[_FIELDS[param.type][0]] = _VALUES[param.type].unpack_from(body, param.start)[0]
        elif param.type == EPC_DATA and not param.tv:
            start, size = _epc_data(body, param)
            values[0] = body[start : start + size]
    if values[0] is None:
        raise ProtocolError(f"LLRP tag report without an EPC: parameters {[param.type for param in inside]}")
    return _report(tuple(values))


def _epc_data(body: bytes, param: Param) -> tuple[int, int]:
    """Where the EPC's bytes are, and how many: its length is given in bits."""
    (bits,) = unpack(_BITS, body, param)
    size = (bits + 7) // 8
    if bits > _MAX_EPC_BITS or param.start + _BITS.size + size > param.end:
        raise ProtocolError(f"LLRP EPC of {bits} bits in {param.end - param.start - _BITS.size} bytes")
    return param.start + _BITS.size, size


def _learn(body: bytes, whole: Param, inside: list[Param]) -> _Layout | None:
    """How to read all reports that look like this one; None where a parameter comes twice."""
    signs, values = "!HH", "!4x"
    expected = list(TLV_HEADER.unpack_from(body, whole.start - TLV_HEADER.size))
    order: list[int] = []
    for param in inside:
        size = param.end - param.start
        if param.tv:
            signs += f"B{size}x"
            expected.append(0x80 | param.type)
            field, code = _FIELDS.get(param.type, (None, f"{TV_SIZES[param.type]}x"))
            values += f"x{code}"
        else:
            signs += "HH"
            expected += TLV_HEADER.unpack_from(body, param.start - TLV_HEADER.size)
            field = None
            if param.type == EPC_DATA:
                start, length = _epc_data(body, param)
                signs += f"H{size - 2}x"
                expected += _BITS.unpack_from(body, param.start)
                values += f"6x{length}s{param.end - start - length}x"
                field = 0
            else:
                signs += f"{size}x"
                values += f"{4 + size}x"
        if field is not None:
            order.append(field)
    if len(set(order)) != len(order):
        return None
    missing = tuple(field for field in range(len(TagReport._fields)) if field not in order)
    given = (*order, *missing)
    return _Layout(
        size=whole.end - whole.start + TLV_HEADER.size,
        signs=struct.Struct(signs).unpack_from,
        expected=tuple(expected),
        values=struct.Struct(values).unpack_from,
        carry=_pick(missing),
        arrange=_pick(tuple(given.index(field) for field in range(len(given)))),
    )


def _pick(fields: tuple[int, ...]) -> Callable[[Values], Values]:
    """Takes these fields of a tuple, as a tuple: itemgetter gives one field bare, and knows no way to take none."""
    if len(fields) > 1:
        return itemgetter(*fields)
    return lambda values: tuple(values[field] for field in fields)
