"""MT-SICS without I/O and without a clock: lines in, weights out.

Source: METTLER TOLEDO, MT-SICS reference manual, commands S, SI, SIR and I4 (levels 0 and 1); KERN KCP and Ohaus'
industrial scales answer the same. Other makers copy the protocol but not its columns, so fields are found by the
spaces between them.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from enum import Enum

from edge.errors import ProtocolError
from edge.readers.masses import grams

SEND_REPEATEDLY = b"SIR\r\n"  # the weight now, and again and again
SEND_ONCE = b"SI\r\n"  # the weight now
WHO_ARE_YOU = b"I4\r\n"  # serial number; what a scale also says by itself when it was switched on

# The longest line of the commands above is under 40 characters. Without a line end in this many, the port's speed or
# parity is wrong, or it is no scale.
MAX_LINE = 256

# The sign may stand apart from its number; what follows the number is the unit, whatever it is.
_WEIGHED = re.compile(r"(?:S|SI|SIR)\s+([SD])\s+([+-]?\s*[\d.]+)\s*(\S.*)", re.ASCII)
_BEGINS = re.compile(rb"(?:S|SI|SIR) +(?:[SD] |[-+IL]$)|I4 +A|E[STL]$")  # a line whose beginning is noise
_OTHERS = re.compile(r"\d{0,3}(ST|US|OL|UL|QT),")  # A&D, Dini Argeo and their like
_ERRORS = {"ES": "syntax error", "ET": "transmission error", "EL": "logical error"}


class Busy(Enum):
    """The scale answers and has no weight to give."""

    NOW = "I"  # busy, or not at rest in time
    OVERLOAD = "+"
    UNDERLOAD = "-"


@dataclass(frozen=True, slots=True)
class Weight:
    grams: float
    stable: bool


@dataclass(frozen=True, slots=True)
class NotUnderstood:
    """The scale did not take our command. `garbled`: it came damaged, and may be sent again."""

    text: str
    garbled: bool


@dataclass(frozen=True, slots=True)
class Serial:
    """Its serial number, asked for or told after it was switched on: whatever it was sending, it sends no more."""

    number: str


Answer = Weight | Busy | NotUnderstood | Serial


class Lines:
    """Cuts a byte stream into lines."""

    def __init__(self) -> None:
        self._buffer = bytearray()

    def receive(self, data: bytes) -> None:
        """Take bytes as they came off the wire, in any pieces."""
        self._buffer += data

    def lines(self) -> Iterator[bytes]:
        """Yield each line now complete, without its end, oldest first; empty ones are passed over.

        Raises:
            ProtocolError: there is no line end where one should be.
        """
        while (end := self._buffer.find(b"\n", 0, MAX_LINE + 1)) >= 0:
            # A NUL at the end is a character whose parity was wrong: of "ozt" it would leave "oz".
            line = bytes(self._buffer[:end]).lstrip(b"\0 ").rstrip(b"\r ")
            del self._buffer[: end + 1]
            if line:
                yield line
        if len(self._buffer) > MAX_LINE:
            raise ProtocolError(
                f"no line end in {len(self._buffer)} bytes beginning {bytes(self._buffer[:20])!r}"
            )


def parse(line: bytes) -> Answer:
    """Read one line of a scale.

    Args:
        line: without its end: b"S S     100.00 g" at rest, b"S D ..." while moving.

    Returns:
        The weight in grams, whatever unit the scale shows, and whether the scale itself calls it stable. Neither
        zeroed nor rounded: below zero is real. Busy when the scale has no weight to give.

    Raises:
        ProtocolError: not a line of this protocol, or a unit that is not a mass.
    """
    text = line.decode("ascii", "replace")
    words = text.split()
    if weighed := _WEIGHED.fullmatch(text.strip()):
        return Weight(grams(weighed[2], weighed[3]), weighed[1] == "S")
    match words:
        case ["S" | "SI" | "SIR", "I" | "+" | "-" as state]:
            return Busy(state)
        case ["S" | "SI" | "SIR", "L"]:
            return NotUnderstood("wrong parameter", garbled=False)
        case ["ES" | "ET" | "EL" as error]:
            return NotUnderstood(_ERRORS[error], garbled=error == "ET")
        case ["I4" | "@", "A", *_] if line.count(b'"') == 2:
            return Serial("".join(c if c.isprintable() else "?" for c in text.split('"')[1]))
        case ["I4", *_]:
            return NotUnderstood("keeps its serial number to itself", garbled=False)
        case ["S" | "SI" | "SIR", "A"]:
            raise ProtocolError("the scale answers 'S A' first, as RADWAG's do, whose lines are other ones")
        case _:
            other = "; it looks like one for the driver ascii_scale" if _OTHERS.match(text) else ""
            raise ProtocolError(f"not a line of an MT-SICS scale: {line[:40]!r}{other}")


def behind_noise(line: bytes) -> bytes | None:
    """The line that begins within a damaged one, behind noise or half of another; None when there is none."""
    for found in reversed(list(_BEGINS.finditer(line))):
        if found.start():
            return line[found.start() :]
    return None
