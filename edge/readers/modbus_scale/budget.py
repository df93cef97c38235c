"""How long a question and its answer take on a serial line. Pure.

Source: MODBUS over Serial Line 1.02, section 2.5.1: characters of 11 bits (10 without parity and with one stop bit, as
most devices are set), at least 3.5 characters of silence before each frame and, above 19200 baud, 1.75 ms.
"""

from collections.abc import Iterable
from dataclasses import dataclass

from edge.readers.modbus_scale.registers import Query

_REQUEST = 8  # bytes: unit, function, address, count, checksum
_AROUND = 5  # bytes of an answer beyond its registers
# From the end of a question to the beginning of its answer. Assumed: makers promise 1 to 20 ms.
TURNAROUND_S = 0.005


@dataclass(frozen=True, slots=True)
class Line:
    baud: int
    bits: int = 8
    parity: bool = False
    stop: int = 1

    @property
    def character_s(self) -> float:
        return (1 + self.bits + self.parity + self.stop) / self.baud

    @property
    def gap_s(self) -> float:
        """Silence between two frames."""
        return 1.75e-3 if self.baud > 19_200 else 3.5 * self.character_s

    def wire_s(self, query: Query) -> float:
        """A question and its answer, without silence."""
        return (_REQUEST + _AROUND + 2 * query.count) * self.character_s


def round_s(line: Line, asked: Iterable[Query]) -> float:
    """All these questions to one unit, one after the other."""
    return sum(line.wire_s(query) + 2 * line.gap_s + TURNAROUND_S for query in asked)
