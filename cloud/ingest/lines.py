"""From a delivery to its lines, each told apart: readable, broken but with an identity, or good for nothing."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from wire.codec import decode, split
from wire.envelope import Key
from wire.errors import DecodeError
from wire.events import Event, UnknownEvent

SAID = 3  # problems of one delivery that are put into words; the rest are only counted


@dataclass(frozen=True, slots=True)
class Delivery:
    """One payload of the events topic of `edge`, as it came."""

    edge: str
    payload: bytes
    received_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """One line with a readable identity. Without an event, `problem` says why."""

    key: Key
    text: bytes
    event: Event | UnknownEvent | None
    problem: str = ""
    received_at: datetime


@dataclass(slots=True)
class Read:
    """What deliveries held. `problems` has the first few in words."""

    lines: list[Line]
    unreadable: int = 0
    foreign: int = 0  # said on one edge's topic in the name of another
    problems: list[str] | None = None

    def _say(self, problem: str) -> None:
        self.problems = self.problems or []
        if len(self.problems) < SAID:
            self.problems.append(problem)


def read(deliveries: Sequence[Delivery]) -> Read:
    """Decode every line. Hostile payloads cost no more than their length, and harm no other line."""
    found = Read([])
    for delivery in deliveries:
        try:
            texts = list(split(delivery.payload))
        except DecodeError as error:
            found.unreadable += 1
            found._say(f"{delivery.edge}: {error}")
            continue
        for text in texts:
            _read_line(found, delivery, text)
    return found


def _read_line(found: Read, delivery: Delivery, text: bytes) -> None:
    event: Event | UnknownEvent | None = None
    problem = ""
    try:
        envelope = decode(text)
        key, event = envelope.key, envelope.event
    except DecodeError as error:
        if error.key is None:
            found.unreadable += 1
            found._say(f"{delivery.edge}: {error}")
            return
        key, problem = error.key, str(error)
    if key.edge != delivery.edge:
        found.foreign += 1
        found._say(f"{delivery.edge}: said an event in the name of {key.edge!r}")
        return
    found.lines.append(
        Line(key=key, text=text, event=event, problem=problem, received_at=delivery.received_at)
    )
