"""What a scale says, whatever the dialect."""

from collections.abc import Iterator
from dataclasses import dataclass
from enum import Enum
from typing import Protocol


@dataclass(frozen=True, slots=True)
class Weight:
    """In grams, whatever unit the scale shows, neither zeroed nor rounded: below zero is real.

    Attributes:
        stable: the scale's own opinion.
        net: the scale says that a tare is taken off it, and not which.
    """

    grams: float
    stable: bool
    net: bool = False


@dataclass(frozen=True, slots=True)
class Fault:
    """It cannot weigh: "overload", "underload", or "device_error: " and its own words."""

    what: str


@dataclass(frozen=True, slots=True)
class NotUnderstood:
    """It did not take our question."""

    text: str


class Nothing(Enum):
    NO_WEIGHT = "it answers, and has no weight to give that can be believed"
    OTHERS = "another scale on the same wires"


Answer = Weight | Fault | NotUnderstood | Nothing


class Dialect(Protocol):
    """One connection's bytes, in one dialect."""

    def receive(self, data: bytes) -> None:
        """Take bytes as they came off the wire, in any pieces."""

    def frames(self) -> Iterator[bytes]:
        """Yield each line or block now whole, oldest first; what is none is yielded too, for `parse` to refuse."""

    def parse(self, frame: bytes) -> Answer:
        """What it says.

        Raises:
            ProtocolError: not a line of this dialect, or a unit that is no mass.
        """
