"""An event with its identity. `(edge, run, seq)` names one event for ever."""

from dataclasses import dataclass
from typing import Literal, NamedTuple

from wire.events import Event, UnknownEvent

VERSION: Literal[1] = 1


class Key(NamedTuple):
    edge: str
    run: str
    seq: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Envelope:
    """What travels. `run` is drawn at random at every start of an agent; `seq` counts from 1 in it, without a gap."""

    v: Literal[1] = VERSION
    edge: str
    run: str
    seq: int
    event: Event | UnknownEvent

    @property
    def key(self) -> Key:
        return Key(self.edge, self.run, self.seq)
