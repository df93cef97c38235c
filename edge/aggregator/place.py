"""A bay as it is planned, and as it is found at rest."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from edge.aggregator.hypotheses import Item
from edge.aggregator.neighbours import Beside

NOTHING_BESIDE = Beside()


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """What is planned of one kind of goods in a bay that holds several; what is absent is the bay's."""

    capacity: int | None = None
    facings: int | None = None
    low: int | None = None


WHOLE = Part()


@dataclass(frozen=True, slots=True, kw_only=True)
class Bay:
    """A place of a shelf: the cells that carry it together, what belongs on it, and what it weighs when empty."""

    name: str
    cells: tuple[int, ...]
    items: tuple[Item, ...]
    capacity: int | None = None
    tare_grams: float = 0.0
    facings: int | None = None
    low: int | None = None  # fewer units are few; None: a quarter of the capacity
    parts: Mapping[str, Part] = field(
        default_factory=dict
    )  # by GTIN, of items that have figures of their own


@dataclass(frozen=True, slots=True)
class Shared:
    """The next change of a bay is one with a neighbour's: `grams` in all for its `owner`, of which so many `beside`."""

    grams: float
    owner: bool
    beside: float
    sure: bool


@dataclass(frozen=True, slots=True)
class Sure:
    """What a bay weighed, cell by cell, and held, before its weight jumped as no goods can.

    `exact`: only the same weight again shows that it is as it was.
    """

    cells: list[float]
    counts: dict[str, int] | None
    jump: float
    exact: bool = False


@dataclass(frozen=True, slots=True)
class Rest:
    """A bay at rest: what each cell weighs, since when, and until when its last rest had lasted.

    `noise` is the standard deviation of a difference of two rests. `beside`: what came to lie next to it meanwhile;
    `laden`, what lies there in all, of a rest that nothing came before.
    """

    cells: Sequence[float]
    at_ms: int
    since_ms: int
    before_ms: int
    offset_us: int
    noise: float
    beside: Beside = NOTHING_BESIDE
    laden: Beside = NOTHING_BESIDE
    peak: float = 0.0  # how far it went between the two

    @property
    def grams(self) -> float:
        return sum(self.cells)

    def us(self, at_ms: int) -> int:
        return at_ms * 1000 + self.offset_us
