"""What a person or the cloud may order of a shelf. Plain values; `Aggregator.order` carries them out.

An order is carried out at once or not at all: `OrderError` says in words why it does not fit. What follows from it is
said in events, and kept over a restart. Times are of the steady clock.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field

from edge.aggregator.hypotheses import Item
from edge.aggregator.place import Part
from edge.errors import EdgeError


class OrderError(EdgeError):
    """An order does not fit the shelf; its words are for whoever gave it. Nothing has changed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Serve:
    """People work at a bay (cleaning, facing, a change of planogram): nothing is said until `Resume` or `until_ms`."""

    shelf: str
    bay: str
    until_ms: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Resume:
    """The work is done: what the bay weighs at its next rest is what stands there."""

    shelf: str
    bay: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Assign:
    """What stands on a bay from now on. What is there is told by its weight, and is uncertain where that cannot be.

    Goods of the same weights as stood there keep their count. Without `tare_grams` the bay's tare stays as it is;
    without `low`, it is a quarter of the capacity. `parts`, by GTIN, as in `Bay`.
    """

    shelf: str
    bay: str
    items: tuple[Item, ...]
    capacity: int | None = None
    facings: int | None = None
    low: int | None = None
    tare_grams: float | None = None
    parts: Mapping[str, Part] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Confirm:
    """A person says how many of each item stand there now, by GTIN; items of the bay that are left out stand not."""

    shelf: str
    bay: str
    counts: Mapping[str, int]


@dataclass(frozen=True, slots=True, kw_only=True)
class Zero:
    """The bay is empty now: what it weighs at rest is its tare."""

    shelf: str
    bay: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Calibrate:
    """A cell was calibrated: grams are `factor` times what the device says, plus `offset_grams`.

    `serial` and `calibration` are those that the device said then, "" where it says none.
    """

    shelf: str
    cell: int
    factor: float
    offset_grams: float
    serial: str = ""
    calibration: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Crosstalk:
    """How much of a load on one cell shows on another: {(cell loaded, cell that shows it): share}."""

    shelf: str
    matrix: Mapping[tuple[int, int], float]


Order = Serve | Resume | Assign | Confirm | Zero | Calibrate | Crosstalk
