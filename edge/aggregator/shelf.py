"""One shelf: weights in, changes of stock out. Pure: time is an argument."""

from dataclasses import dataclass


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
