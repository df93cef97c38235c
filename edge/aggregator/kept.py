"""What is kept of a shelf over a restart, as bytes."""

from dataclasses import replace

import msgspec

from edge.aggregator.hypotheses import Item
from edge.aggregator.place import Bay, Part
from edge.aggregator.standing import Thing


class Kept(msgspec.Struct, array_like=True):
    """Of one bay: its last rest, without what was provisional; what stood there; and what had been said of it."""

    cells: list[float]
    at_us: int
    counts: dict[str, int] | None
    anew: bool = False
    foreign: list[float] = []
    overhang: float = 0.0
    doubt: str = ""
    check: str = ""
    mute: bool = False
    alien: str = ""
    until_ms: int | None = None
    fill: dict[str, str] = {}
    state: tuple[str, str] = ("ok", "")  # as it was kept when what was said was not said anew at each start
    sure: tuple[list[float], dict[str, int] | None, float] | None = None
    confirmed: dict[str, int] | None = None
    open: list[tuple[float, dict[str, int] | None]] = []  # as it was kept before `things`, like `foreign`
    exact: bool = False  # of `sure`
    things: list[Thing] = []
    overhang_spread: float = 0.0
    senseless: bool = False

    def lying(self) -> list[Thing]:
        """What was not counted, as it is kept now or was kept before."""
        foreign = [Thing(grams, 0) for grams in self.foreign]
        return [*self.things, *foreign, *(Thing(grams, 0, 0.5, True, counts) for grams, counts in self.open)]


class Assigned(msgspec.Struct, array_like=True):
    """What was ordered to stand on a bay: it goes before the configuration."""

    items: list[tuple[str, float, float, float]]  # gtin, unit_grams, unit_cv, unit_tare_grams
    capacity: int | None
    facings: int | None
    tare_grams: float
    low: int | None = None
    parts: dict[str, tuple[int | None, int | None, int | None]] = {}  # by GTIN: capacity, facings, low

    @classmethod
    def of(cls, bay: Bay) -> "Assigned":
        rows = [(i.gtin, i.unit_grams, i.unit_cv, i.unit_tare_grams) for i in bay.items]
        parts = {gtin: (part.capacity, part.facings, part.low) for gtin, part in bay.parts.items()}
        return cls(rows, bay.capacity, bay.facings, bay.tare_grams, bay.low, parts)

    def on(self, bay: Bay) -> Bay:
        """The bay as it was ordered to be."""
        parts = {
            gtin: Part(capacity=capacity, facings=facings, low=low)
            for gtin, (capacity, facings, low) in self.parts.items()
        }
        return replace(
            bay, items=self._goods(), capacity=self.capacity, facings=self.facings, tare_grams=self.tare_grams,
            low=self.low, parts=parts,
        )  # fmt: skip

    def _goods(self) -> tuple[Item, ...]:
        return tuple(
            Item(gtin=gtin, unit_grams=grams, unit_cv=cv, unit_tare_grams=tare)
            for gtin, grams, cv, tare in self.items
        )


class KeptShelf(msgspec.Struct, array_like=True, tag="2"):
    """Of one shelf. By cell: noise in grams, who weighs (serial, calibration), factor and offset, if ordered.

    `used`: factor and offset by which all of this was weighed; `noted`, those of the configuration then. `learned`: how
    much of a load on one cell shows on the next, and one sigma, beside what is taken off already.
    """

    bays: dict[str, Kept]
    sigma: dict[int, float]
    scales: dict[int, tuple[str, str]]
    assigned: dict[str, Assigned]
    factors: dict[int, tuple[float, float]]
    crosstalk: list[tuple[int, int, float]] | None
    used: dict[int, tuple[float, float]] | None = None
    noted: dict[int, tuple[float, float]] = {}
    crosstalk_noted: list[tuple[int, int, float]] = []
    learned: list[tuple[int, int, float, float]] = []
    learned_beside: list[tuple[int, int, float]] = []


class _Rest(msgspec.Struct, array_like=True):
    """Of one bay, as version 1 kept it: the sum of its cells."""

    grams: float
    at_ms: int
    at_us: int
    sigma: float
    counts: dict[str, int] | None


def encode(kept: KeptShelf) -> bytes:
    return _ENCODER.encode(kept)


def decode(blob: bytes, cells: dict[str, tuple[int, ...]]) -> KeptShelf:
    """Read what was kept, by this version or the one before, of which a bay on several `cells` starts anew."""
    try:
        return _DECODER.decode(blob)
    except msgspec.DecodeError:
        rests = _DECODER_1.decode(blob)
    bays = {
        name: Kept([rest.grams], rest.at_us, rest.counts)
        for name, rest in rests.items()
        if len(cells.get(name, ())) == 1
    }
    return KeptShelf(bays, {}, {}, {}, {}, None)


_ENCODER = msgspec.msgpack.Encoder()
_DECODER = msgspec.msgpack.Decoder(KeptShelf)
_DECODER_1 = msgspec.msgpack.Decoder(dict[str, _Rest])
