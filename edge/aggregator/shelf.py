"""One shelf: weights in, changes of stock out. Pure: time is an argument."""

from dataclasses import dataclass

from edge.aggregator.moments import Stamp
from edge.reads import WeightSample
from wire.events import Event
from wire.messages import Level


@dataclass(frozen=True, slots=True, kw_only=True)
class Item:
    """A kind of goods on a bay. `unit_cv` is the spread of single units (standard deviation over mean)."""

    gtin: str
    unit_grams: float
    unit_cv: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Bay:
    """A place of a shelf: the cells that carry it together, what belongs on it, and what it weighs when empty."""

    name: str
    cells: tuple[int, ...]
    items: tuple[Item, ...]
    capacity: int | None = None
    tare_grams: float = 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Shelf:
    name: str
    bays: tuple[Bay, ...]


class ShelfWatch:
    def __init__(self, shelf: Shelf) -> None:
        self.shelf = shelf
        self.changed = False

    def observe(self, read: WeightSample, at_ms: int, stamp: Stamp) -> list[Event]:
        return []

    def advance(self, now_ms: int, stamp: Stamp) -> list[Event]:
        return []

    def up(self, now_ms: int) -> None: ...

    def down(self, now_ms: int) -> None: ...

    def save(self) -> bytes:
        return b""

    def restore(self, blob: bytes) -> None: ...

    def levels(self) -> list[Level]:
        return []
