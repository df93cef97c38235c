"""Text lines of a microcontroller that reads load cells, without I/O and without a clock: lines in, weights out.

There is no standard. Sources: what the examples of HX711 libraries for Arduino print (bogde/HX711, olkal/HX711_ADC),
SparkFun's OpenScale firmware 1.2 (columns, banner, trailing comma), and HX711's data sheet (24 bits, two's
complement, saturated at 7FFFFFh and 800000h).
"""

import math
import re
from collections.abc import Iterator
from dataclasses import dataclass

from edge.errors import ProtocolError
from edge.readers.masses import GRAMS

# Longer than any line of numbers; a microcontroller's boot loader at another speed sends more than this without an end.
MAX_LINE = 256

SEPARATORS = {",": b",", ";": b";", "tab": b"\t", "space": None}  # None: any run of blanks

_NUMBER = re.compile(rb"([+-]?(?:\d{1,12}(?:\.\d{0,9})?|\.\d{1,9})(?:[eE][+-]?\d{1,2})?) ?([A-Za-z]{0,3})")
_NO_NUMBER = {
    b"nan",
    b"inf",
    b"ovf",
    b"infinity",
}  # as C, Arduino (from 4294967040 on) and MicroPython print them

_BITS = 1 << 24
_MOST = (1 << 23) - 1  # 7FFFFFh
_LEAST = -(1 << 23)  # 800000h
_MIDDLE = 1 << 23  # zero, where a library turns the sign bit over instead of extending it
# A converter without power or cable reads as ones alone, and so does a program that waited for it in vain.
NO_ANSWER = "device_error: the converter does not answer (-1)"


@dataclass(frozen=True, slots=True)
class Cell:
    """How the counts of one cell become grams."""

    counts_per_gram: float
    zero_counts: float


@dataclass(frozen=True, slots=True)
class Layout:
    """What stands in each column of a line.

    Attributes:
        columns: "weight", "counts", "offset_counts", "unit" or "-", in the order of the line.
        separator: a key of SEPARATORS.
        unit: of weights that say none.
        prefix: what a line of weights begins with, and others do not.
        cells: by cell, for counts.
    """

    columns: tuple[str, ...]
    separator: str = ","
    unit: str = "g"
    prefix: bytes = b""
    cells: tuple[Cell, ...] = ()


@dataclass(frozen=True, slots=True)
class Grams:
    cell: int
    grams: float


@dataclass(frozen=True, slots=True)
class Fault:
    """The cell cannot weigh: what `edge.reads.WeightFault` calls it."""

    cell: int
    fault: str


class Lines:
    """Cuts a byte stream into lines.

    Whoever connects does so in the middle of a line, and half a number is a number: what comes before the first end
    is dropped. So is what was given up, together with all up to the next end: a board that is reset in the middle of
    a line leaves its first digits, and goes on with its banner.
    """

    def __init__(self) -> None:
        self._buffer = bytearray()
        self._dropped = 0
        self._whole = False  # whether the buffer begins where a line does

    def receive(self, data: bytes) -> None:
        """Take bytes as they came off the wire, in any pieces."""
        self._buffer += data

    @property
    def waiting(self) -> int | None:
        """Where in the stream the line began whose end has not come; None when nothing is begun. After `frames`."""
        return self._dropped if self._buffer else None

    def frames(self) -> Iterator[bytes]:
        """Yield each line now complete, without its end, oldest first; empty ones are passed over."""
        while (end := self._buffer.find(b"\n")) >= 0:
            whole, line = self._whole and end <= MAX_LINE, bytes(self._buffer[:end])
            self._drop(end + 1)
            self._whole = True
            if whole and (line := line.strip()):
                yield line
        if len(self._buffer) > MAX_LINE:
            self.give_up()

    def give_up(self) -> None:
        """The rest of this line does not come: neither it nor what is glued to it is one."""
        self._drop(len(self._buffer))
        self._whole = False

    def _drop(self, count: int) -> None:
        self._dropped += count
        del self._buffer[:count]


def parse(line: bytes, layout: Layout) -> list[Grams | Fault]:
    """Read one line, without its end: a weight or a fault for each of its cells.

    Raises:
        ProtocolError: not a line of this layout: a banner, a half one, noise.
    """
    if not line.startswith(layout.prefix):
        raise ProtocolError(f"does not begin with {layout.prefix!r}: {line[:60]!r}")
    columns = line[len(layout.prefix) :].strip().split(SEPARATORS[layout.separator])
    if len(columns) == len(layout.columns) + 1 and not columns[-1].strip():
        del columns[-1]  # a comma after the last one too, as OpenScale sends
    if len(columns) != len(layout.columns):
        raise ProtocolError(f"{len(columns)} columns, not {len(layout.columns)}: {line[:60]!r}")
    factor = GRAMS[layout.unit]
    for kind, column in zip(layout.columns, columns, strict=True):
        if kind == "unit":
            factor = _factor(column.strip().decode("ascii", "replace"), line)
    found: list[Grams | Fault] = []
    for kind, column in zip(layout.columns, columns, strict=True):
        if kind == "weight":
            found.append(_weight(len(found), column.strip(), factor, line))
        elif kind in ("counts", "offset_counts"):
            found.append(_counted(len(found), kind, column.strip(), layout, line))
    return found


def _weight(cell: int, column: bytes, factor: float, line: bytes) -> Grams | Fault:
    number, unit = _number(column, line)
    if number is None:
        return Fault(cell, "not_a_number")
    if number in (
        _MOST,
        _LEAST,
        _MIDDLE,
    ):  # eight tonnes, to the count: the program does not divide, and is saturated
        return Fault(cell, "saturated")
    return Grams(cell, number * (_factor(unit, line) if unit else factor))


def _counted(cell: int, kind: str, column: bytes, layout: Layout, line: bytes) -> Grams | Fault:
    counts, unit = _number(column, line)
    if unit:
        raise ProtocolError(f"{unit!r} behind counts, which have no unit: {line[:60]!r}")
    if counts is None:
        return Fault(cell, "not_a_number")
    if not _LEAST <= counts < _BITS:
        raise ProtocolError(f"{counts:.0f} is more than the 24 bits of a converter: {line[:60]!r}")
    if kind == "offset_counts":
        counts -= _MIDDLE
    else:
        if counts > _MOST:
            counts -= _BITS  # a library that does not extend the sign
        if counts == -1:
            return Fault(cell, NO_ANSWER)
    if counts in (_MOST, _LEAST):
        return Fault(cell, "saturated")
    how = layout.cells[cell]
    return Grams(cell, (counts - how.zero_counts) / how.counts_per_gram)


def _number(column: bytes, line: bytes) -> tuple[float | None, str]:
    """The number of a column and the unit behind it, if any; None where the board itself says that it has none."""
    match = _NUMBER.fullmatch(column)
    if match is None:
        if column.lstrip(b"+-").lower() in _NO_NUMBER:
            return None, ""
        raise ProtocolError(f"{column[:20]!r} is no number: {line[:60]!r}")
    number = float(match[1])
    return (number if math.isfinite(number) else None), match[2].decode("ascii")


def _factor(unit: str, line: bytes) -> float:
    unit = unit.lower()
    factor = GRAMS.get("lb" if unit == "lbs" else unit)
    if factor is None:
        raise ProtocolError(f"{unit[:10]!r} is no unit of mass: {line[:60]!r}")
    return factor
