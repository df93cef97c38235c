"""What a TagReportData looks like: which of its bytes say what is where, and which are values."""

import struct
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from edge.errors import ProtocolError
from edge.readers.llrp.protocol.params import IMPINJ, TLV_HEADER, VENDOR, Param, unpack

EPC_DATA = 241
EPC_96 = 13
CUSTOM = 1023

_BITS = struct.Struct("!H")
_WORDS = struct.Struct("!H")
# Gen2 gives an EPC's length in 5 bits of 16-bit words (PC word, bits 10h to 14h).
_MAX_EPC_BITS = 31 * 16

Values = list[object]  # one for each field of Tags

EPC, TID = 0, 11
# Short type -> which field of Tags its value is, and how it is written.
_SHORT = {
    EPC_96: (EPC, "12s"),
    1: (1, "H"),
    6: (2, "b"),
    7: (3, "H"),
    2: (4, "Q"),
    4: (5, "Q"),
    3: (6, "Q"),
    5: (7, "Q"),
    8: (8, "H"),
}
# The same by the subtype of Impinj's own parameters: peak RSSI in hundredths of a dBm, RF phase angle.
_IMPINJ = {57: (9, "h"), 56: (10, "H")}
_IMPINJ_TID = 55  # a count of 16-bit words, then the words

CARRIED = tuple(field < 9 for field in range(12))  # from one tag to the next; the EPC is always said


@dataclass(frozen=True, slots=True)
class Layout:
    size: int
    signs: tuple[
        tuple[int, bytes], ...
    ]  # place and content of the bytes that must be just so: each by itself,
    pieces: tuple[tuple[int, bytes], ...]  # and the same with neighbours together
    values: Callable[[bytes], Iterator[tuple[object, ...]]]  # of all tags in a run
    fields: tuple[tuple[int, int | None], ...]  # each field, and its place among the values, if it has one
    carries: tuple[tuple[int, int], ...]  # those of them that the next tag may leave out

    def run(self, body: bytes, at: int, count: int) -> int:
        """How many of `count` tags from `at` on look like this, before the first that does not."""
        if count == 1:
            for place, piece in self.pieces:
                if not body.startswith(piece, at + place):
                    return 0
            return 1
        for place, sign in self.signs:
            column = body[at + place : at + count * self.size : self.size]
            if column != sign * count:
                count -= len(column.lstrip(sign))
        return count


def read(body: bytes, inside: list[Param], last: Values) -> Values:
    """One TagReportData from its parameters; `last` has what may be left out.

    Raises:
        ProtocolError: it has no EPC, or one that cannot be.
    """
    values = [*last]
    values[EPC] = None
    for param in inside:
        if (value := _value(body, param)) is not None:
            field, place, code = value
            (values[field],) = struct.unpack_from(f"!{code}", body, place)
    if values[EPC] is None:
        raise ProtocolError(f"LLRP tag report without an EPC: parameters {[param.type for param in inside]}")
    return values


def learn(body: bytes, start: int, end: int, inside: list[Param]) -> Layout | None:
    """How to read all reports that look like this one; None where a field is said twice."""
    origin = start - TLV_HEADER.size
    signs = [*range(origin, start)]
    order: list[int] = []
    form, at = "!", origin
    for param in inside:
        value = _value(body, param)
        signs += _signs(param, value)
        if value is not None:
            field, place, code = value
            order.append(field)
            form += f"{place - at}x{code}"
            at = place + struct.calcsize(f"!{code}")
    if len(set(order)) != len(order):
        return None
    form += f"{end - at}x"
    offsets = [place - origin for place in signs]
    places = {field: place for place, field in enumerate(order)}
    return Layout(
        size=end - origin,
        signs=tuple((place, body[origin + place : origin + place + 1]) for place in offsets),
        pieces=tuple(_pieces(body[origin:end], offsets)),
        values=struct.Struct(form).iter_unpack,
        fields=tuple((field, places.get(field)) for field in range(len(CARRIED))),
        carries=tuple((field, place) for field, place in places.items() if CARRIED[field]),
    )


def _pieces(tag: bytes, places: list[int]) -> Iterator[tuple[int, bytes]]:
    """Places that follow each other as one, each with its bytes."""
    begins = [place for place in places if place - 1 not in places]
    ends = [place + 1 for place in places if place + 1 not in places]
    return ((begin, tag[begin:end]) for begin, end in zip(begins, ends, strict=True))


def _signs(param: Param, value: tuple[int, int, str] | None) -> range:
    """Where the bytes are that say what this parameter is, and how long what is in it."""
    if param.tv:
        return range(param.start - 1, param.start)
    header = param.start - TLV_HEADER.size
    if value is not None:
        return range(header, value[1])
    vendor = VENDOR.size if param.type == CUSTOM else 0
    return range(header, min(param.start + vendor, param.end))


def _value(body: bytes, param: Param) -> tuple[int, int, str] | None:
    """The field that this parameter gives, where its value is, and how it is written; None if we have no use for it.

    Raises:
        ProtocolError: an EPC that cannot be.
    """
    if param.tv:
        known = _SHORT.get(param.type)
        return known and (known[0], param.start, known[1])
    if param.type == EPC_DATA:
        (bits,) = unpack(_BITS, body, param)
        size = (bits + 7) // 8
        if bits > _MAX_EPC_BITS or param.start + _BITS.size + size > param.end:
            raise ProtocolError(f"LLRP EPC of {bits} bits in {param.end - param.start - _BITS.size} bytes")
        return EPC, param.start + _BITS.size, f"{size}s"
    if param.type == CUSTOM and param.end - param.start >= VENDOR.size:
        vendor, subtype = VENDOR.unpack_from(body, param.start)
        return _impinj(body, subtype, param.start + VENDOR.size, param.end) if vendor == IMPINJ else None
    return None


def _impinj(body: bytes, subtype: int, start: int, end: int) -> tuple[int, int, str] | None:
    """As `_value`; one that is not as long as it should be is passed over, like any that we do not know."""
    if subtype == _IMPINJ_TID and end - start >= _WORDS.size:
        (words,) = _WORDS.unpack_from(body, start)
        return (TID, start + 2, f"{2 * words}s") if end - start == 2 + 2 * words and words else None
    known = _IMPINJ.get(subtype)
    return (known[0], start, known[1]) if known and end - start == struct.calcsize(known[1]) else None
