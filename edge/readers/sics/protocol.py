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

SEND_REPEATEDLY = b"SIR\r\n"  # the weight now, and again and again
SEND_ONCE = b"SI\r\n"  # the weight now
WHO_ARE_YOU = b"I4\r\n"  # serial number; what a scale also says by itself when it was switched on

# The longest line of the commands above is under 40 characters. Without a line end in this many, the port's speed or
# parity is wrong, or it is no scale.
MAX_LINE = 256

_GRAMS = {
    "mg": 0.001,
    "g": 1.0,
    "kg": 1000.0,
    "t": 1_000_000.0,
    "ct": 0.2,  # metric carat, exact
    "lb": 453.59237,  # international pound, exact since 1959
    "oz": 28.349523125,  # a sixteenth of it
    "ozt": 31.1034768,  # troy ounce, exact
}
_NUMBER = re.compile(r"[+-]?(?:\d{1,12}(?:\.\d{0,9})?|\.\d{1,9})", re.ASCII)
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
            line = bytes(self._buffer[:end]).strip(b"\r\0 ")
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
    words = line.decode("ascii", "replace").split()
    match words:
        case ["S" | "SI" | "SIR", "S" | "D" as rest, number, unit]:
            return Weight(_grams(number, unit, line), rest == "S")
        case ["S" | "SI" | "SIR", "I" | "+" | "-" as state]:
            return Busy(state)
        case ["S" | "SI" | "SIR", "L"]:
            return NotUnderstood("wrong parameter", garbled=False)
        case ["ES" | "ET" | "EL" as error]:
            return NotUnderstood(_ERRORS[error], garbled=error == "ET")
        case ["I4", "A", *_] if line.count(b'"') == 2:
            return Serial(
                "".join(c if c.isprintable() else "?" for c in line.decode("ascii", "replace").split('"')[1])
            )
        case ["I4", *_]:
            return NotUnderstood("keeps its serial number to itself", garbled=False)
        case _:
            raise ProtocolError(f"not a line of an MT-SICS scale: {line[:40]!r}")


def _grams(number: str, unit: str, line: bytes) -> float:
    if not _NUMBER.fullmatch(number):
        raise ProtocolError(f"{number!r} is no weight, in {line[:40]!r}")
    factor = _GRAMS.get(unit)
    if factor is None:
        raise ProtocolError(
            f"the scale shows {unit!r}, which is no mass; set it to one of {', '.join(_GRAMS)}"
        )
    return float(number) * factor
