"""One shelf: its bays, found by cell. Pure: time is an argument."""

from collections.abc import Mapping
from dataclasses import dataclass, field

import msgspec

from edge.aggregator.bay import Bay, BayWatch, Rest
from edge.aggregator.hypotheses import Item
from edge.aggregator.moments import Stamp
from edge.reads import WeightSample
from wire.events import Event
from wire.messages import Level

__all__ = ["Bay", "Item", "Shelf", "ShelfWatch"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Shelf:
    name: str
    bays: tuple[Bay, ...]
    factors: Mapping[int, tuple[float, float]] = field(
        default_factory=dict
    )  # by cell: factor, offset in grams
    scales: Mapping[int, tuple[str, str]] = field(
        default_factory=dict
    )  # by cell: serial and calibration, as checked
    crosstalk: Mapping[tuple[int, int], float] = field(default_factory=dict)  # (loaded, shown on): share


class ShelfWatch:
    """Follows the bays of one shelf. Only samples decide; time alone does nothing here."""

    def __init__(self, shelf: Shelf) -> None:
        self.shelf = shelf
        self._bays = [BayWatch(shelf.name, bay) for bay in shelf.bays]
        self._of_cell = {cell: watch for watch in self._bays for cell in watch.bay.cells}

    @property
    def changed(self) -> bool:
        return any(bay.changed for bay in self._bays)

    def observe(self, read: WeightSample, at_ms: int, stamp: Stamp) -> list[Event]:
        bay = self._of_cell.get(read.cell)
        return bay.observe(read, at_ms, stamp) if bay else []

    def advance(self, now_ms: int, stamp: Stamp) -> list[Event]:
        return []

    def up(self, now_ms: int) -> None:
        """What it weighs now may differ from what it weighed when it went."""

    def down(self, now_ms: int) -> None:
        for bay in self._bays:
            bay.interrupted()

    def save(self) -> bytes:
        for bay in self._bays:
            bay.changed = False
        return _ENCODER.encode({bay.bay.name: bay.rest for bay in self._bays if bay.rest})

    def restore(self, blob: bytes) -> None:
        rests = _DECODER.decode(blob)
        for bay in self._bays:
            if rest := rests.get(bay.bay.name):
                bay.restore(rest)

    def levels(self) -> list[Level]:
        return [level for bay in self._bays for level in bay.levels()]


_ENCODER = msgspec.msgpack.Encoder()
_DECODER = msgspec.msgpack.Decoder(dict[str, Rest])
