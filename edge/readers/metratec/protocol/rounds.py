"""What a reader says, once understood, and how the tags of a round are held until its end.

A reader tries one antenna after the other, and names the antenna only when it has done with it. Until then nobody knows
where a tag was seen, so nothing of a round is told before its end; and a round in which a line could not be read is
dropped whole, for that line may have been the end of another antenna's round. A tag at the wrong antenna would be a
wrong direction; a round lost is a twentieth of a second, said as lost.
"""

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from edge.readers.metratec.protocol.lines import Lines

# More tags than this in one round and its end was lost: a round of 50 ms holds some tens (rfid-sdk-python's
# documentation: "a few hundred tags per second").
MOST_IN_ROUND = 2000

# Words of 16 bits, one to 31 of them: Gen2's length field has five bits.
EPC = re.compile(r"(?:[0-9A-Fa-f]{4}){1,31}")

ANTENNA_ERROR = "antenna error"


@dataclass(frozen=True, slots=True)
class Tag:
    """One tag in a round. `rssi` as the reader gave it; `at_us` is when its last line had come."""

    epc: str
    at_us: int
    rssi: int | None = None
    tid: str | None = None


@dataclass(frozen=True, slots=True)
class Round:
    """One antenna was tried. `antenna` by the reader's own count, None where it does not say."""

    antenna: int | None
    tags: tuple[Tag, ...]
    faults: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Damaged:
    """A round that cannot be trusted, with so many tags that could be read in it."""

    tags: int
    why: str


@dataclass(frozen=True, slots=True)
class Input:
    """An input changed; `number` by the reader's own count."""

    number: int
    on: bool


@dataclass(frozen=True, slots=True)
class Beat:
    """The reader is alive."""


@dataclass(frozen=True, slots=True)
class Restarted:
    """The reader was switched off and on: whatever it was told is forgotten."""


@dataclass(frozen=True, slots=True)
class Told:
    """A line that answers a command."""

    text: str


@dataclass(frozen=True, slots=True)
class Noise:
    """A line that says nothing."""

    line: bytes


Event = Round | Damaged | Input | Beat | Restarted | Told | Noise


class Gathering:
    """The tags of the round that goes on."""

    def __init__(self) -> None:
        self.tags: list[Tag] = []
        self.faults: list[str] = []
        self.why = ""  # it cannot be trusted

    def damage(self, why: str) -> None:
        self.why = self.why or why

    def add(self, tag: Tag) -> None:
        if len(self.tags) >= MOST_IN_ROUND:
            self.tags.clear()
            self.damage(f"no end of the round after {MOST_IN_ROUND} tags")
        self.tags.append(tag)

    def fault(self, words: str) -> None:
        if len(self.faults) < MOST_IN_ROUND:
            self.faults.append(words)

    def forget(self) -> None:
        """Nobody will say how this round ended: the reader was told to stop in it."""
        self.tags, self.faults, self.why = [], [], ""

    def end(self, antenna: int | None) -> Round | Damaged:
        """The round is over; the next one begins."""
        tags, faults, why = tuple(self.tags), tuple(self.faults), self.why
        self.forget()
        return Damaged(len(tags), why) if why else Round(antenna, tags, faults)


class Decoder:
    """One connection's bytes to events. A generation is what reads its lines."""

    def __init__(self, line: Callable[[bytes, int], Iterator[Event]]) -> None:
        self._lines = Lines()
        self._line = line
        self._at_us = 0

    def receive(self, data: bytes, at_us: int) -> None:
        """Take bytes that came at this time, by our clock."""
        self._at_us = at_us
        self._lines.receive(data)

    def events(self) -> Iterator[Event]:
        """Yield what is now whole, oldest first.

        Raises:
            ProtocolError: this is no line protocol at all.
        """
        for line in self._lines.lines():
            yield from self._line(line, self._at_us)
