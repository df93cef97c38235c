"""One shelf: its bays, who weighs there, and what is ordered of it. Pure: time is an argument."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

import msgspec
import numpy as np

from edge.aggregator import kept as files
from edge.aggregator.bay import BayWatch
from edge.aggregator.channels import Floats
from edge.aggregator.doubting import no_longer
from edge.aggregator.hypotheses import Item
from edge.aggregator.keeping import kept_of, restore
from edge.aggregator.kept import Assigned, Kept, KeptShelf
from edge.aggregator.moments import Stamp
from edge.aggregator.neighbours import Shares
from edge.aggregator.place import Bay
from edge.reads import Scale
from wire.events import Event

__all__ = ["Bay", "Item", "Shelf", "ShelfWatch"]

AS_IT_SAYS = (1.0, 0.0)  # factor and offset of a cell that nobody calibrated


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

    @property
    def cells(self) -> tuple[int, ...]:
        return tuple(cell for bay in self.bays for cell in bay.cells)


class ShelfWatch:
    """The bays of one shelf, and how its cells weigh. `sigma` is its part of the column of all cells' noise, `shares`
    of what is learned of crosstalk.
    """

    def __init__(self, shelf: Shelf, bays: Sequence[BayWatch], sigma: Floats, shares: Shares) -> None:
        self.shelf, self.bays, self.sigma, self.shares = shelf, bays, sigma, shares
        self.cells = shelf.cells
        self.factors = dict(shelf.factors)
        self.crosstalk = dict(shelf.crosstalk)
        self.drifted = False  # enough to be saved
        self.down_now = True
        self._scales = {cell: who for cell, who in shelf.scales.items() if any(who)}
        self._said: dict[int, tuple[str, str]] = {}  # who weighs now
        self._assigned: dict[str, Assigned] = {}
        self._ordered: dict[int, tuple[float, float]] = {}
        self._crosstalk_ordered = False

    @property
    def changed(self) -> bool:
        return self.drifted or any(bay.changed for bay in self.bays)

    def up(self, now_ms: int) -> None:
        """What it weighs now may differ from what it weighed when it went."""
        self.down_now = False

    def down(self, now_ms: int) -> None:
        self.down_now = True
        for bay in self.bays:
            bay.interrupted()

    # Who weighs

    def scale(self, said: Scale, at_ms: int, stamp: Stamp) -> list[Event]:
        """A driver says who weighs: another than before is no reason to believe its weights."""
        events: list[Event] = []
        for bay in self.bays:
            strange = ""
            for cell in bay.bay.cells:
                if said.cells is None or cell in said.cells:
                    strange = strange or self._strange(cell, said)
            told = said.cells is None or any(cell in said.cells for cell in bay.bay.cells)
            if not told or strange == bay.conditions.alien:
                continue
            if not bay.conditions.alien or not strange:
                bay.interrupted()
            bay.conditions.alien, bay.changed = strange, True
            events += bay.state(at_ms, said.at_us, stamp)
        return events

    def _strange(self, cell: int, said: Scale) -> str:
        self._said[cell] = (said.serial, said.calibration)
        known = self._scales.setdefault(cell, (said.serial, said.calibration))
        serial, calibration = known
        if serial and said.serial and serial != said.serial:
            return f"cell {cell} is weighed by {said.serial}, not by {serial}: calibrate it, or put the other one back"
        if calibration and said.calibration and calibration != said.calibration:
            return (
                f"cell {cell} was calibrated anew on the device ({said.calibration}, it was {calibration}): "
                "check it with a known mass, and confirm what stands there"
            )
        self._scales[cell] = (serial or said.serial, calibration or said.calibration)
        return ""

    def zero(self, cells: Sequence[int]) -> float:
        """What these cells say of nothing, in grams."""
        return sum(self.factors.get(cell, AS_IT_SAYS)[1] for cell in cells)

    def believe(self, bay: BayWatch) -> None:
        """A person has checked: whoever weighs there now is right."""
        for cell in bay.bay.cells:
            if cell in self._said:
                self._scales[cell] = self._said[cell]

    def calibrated(self, cell: int, factor: float, offset_grams: float, who: tuple[str, str]) -> None:
        """The cell weighs anew; what it weighed at its last rest is taken to be the same load."""
        before, shift = self.factors.get(cell, (1.0, 0.0))
        self.factors[cell] = self._ordered[cell] = (factor, offset_grams)
        if any(who):
            self._scales[cell] = who
        for bay in self.bays:
            if cell not in bay.bay.cells:
                continue
            bay.interrupted()
            anchor = bay.anchor
            here = bay.bay.cells.index(cell)
            if before:
                anchor[here] = (anchor[here] - shift) / before * factor + offset_grams
            bay.recalibrated(anchor)

    def coupled(self, matrix: Mapping[tuple[int, int], float]) -> None:
        self.crosstalk = dict(matrix)
        self._crosstalk_ordered = self.drifted = True
        self.shares.begin(measured=bool(matrix))

    def assign(self, bay: BayWatch, assigned: Assigned) -> None:
        self._assigned[bay.bay.name] = assigned
        self._put(bay, assigned)
        bay.changed = True

    @staticmethod
    def _put(bay: BayWatch, assigned: Assigned) -> None:
        bay.bay = assigned.on(bay.bay)

    # What shows where

    def uncoupling(self) -> Iterator[tuple[int, int, float]]:
        """What to add to one cell's weight for what another shows: (to, from, times), by place among the cells."""
        if not self.crosstalk:
            return
        inverse = np.linalg.inv(_matrix(self.crosstalk, self.cells)) - np.eye(len(self.cells))
        for to, from_ in zip(*np.nonzero(inverse), strict=True):
            yield int(to), int(from_), float(inverse[to, from_])

    # What is kept

    def save(self) -> bytes:
        self.drifted = False
        for bay in self.bays:
            bay.changed = False
        crosstalk = _listed(self.crosstalk)
        return files.encode(
            KeptShelf(
                bays={bay.bay.name: found for bay in self.bays if (found := kept_of(bay))},
                sigma={
                    cell: round(float(sigma), 4) for cell, sigma in zip(self.cells, self.sigma, strict=True)
                },
                scales=self._scales,
                assigned=self._assigned,
                factors=self._ordered,
                crosstalk=crosstalk if self._crosstalk_ordered else None,
                used=self.factors,
                noted=dict(self.shelf.factors),
                crosstalk_noted=_listed(self.shelf.crosstalk),
                learned=self.shares.learned([bay.bay.cells for bay in self.bays]),
                learned_beside=crosstalk,
            )
        )

    def restore(self, blob: bytes) -> None:
        kept = files.decode(blob, {bay.bay.name: bay.bay.cells for bay in self.bays})
        for n, cell in enumerate(self.cells):
            self.sigma[n] = kept.sigma.get(cell, self.sigma[n])
        self._scales = kept.scales | self._scales  # what the calibration's file says goes before
        # What was ordered goes before the configuration, until that says something else: it was calibrated since.
        self._ordered = {
            cell: pair
            for cell, pair in kept.factors.items()
            if cell in self.cells and kept.noted.get(cell) == self.shelf.factors.get(cell)
        }
        self.factors |= self._ordered
        if kept.crosstalk is not None and kept.crosstalk_noted == _listed(self.shelf.crosstalk):
            self.coupled({(loaded, shown): share for loaded, shown, share in kept.crosstalk})
        if kept.learned_beside == _listed(self.crosstalk):
            self.shares.restore([bay.bay.cells for bay in self.bays], kept.learned)
        bays = self._recoupled(kept)
        for bay in self.bays:
            if assigned := kept.assigned.get(bay.bay.name):
                self._assigned[bay.bay.name] = assigned
                self._put(bay, assigned)
            if found := bays.get(bay.bay.name):
                restore(bay, self._weighed_anew(bay, found, kept))

    def _recoupled(self, kept: KeptShelf) -> dict[str, Kept]:
        """What was kept of the bays, less what their neighbours are known to show by now, not then."""
        before = {(loaded, shown): share for loaded, shown, share in kept.learned_beside}
        if before == self.crosstalk:
            return kept.bays
        found = {
            bay.bay.name: each
            for bay in self.bays
            if (each := kept.bays.get(bay.bay.name)) and len(each.cells) == len(bay.bay.cells)
        }
        sizes = [len(each.cells) for each in found.values()]
        cells = [cell for bay in self.bays if bay.bay.name in found for cell in bay.bay.cells]
        grams = np.array([gram for each in found.values() for gram in each.cells])
        carried = np.linalg.solve(_matrix(self.crosstalk, cells), _matrix(before, cells) @ grams)
        parts = np.split(carried, np.cumsum(sizes)[:-1]) if sizes else []
        return kept.bays | {
            name: msgspec.structs.replace(each, cells=part.tolist())
            for (name, each), part in zip(found.items(), parts, strict=True)
        }

    def _weighed_anew(self, bay: BayWatch, found: Kept, kept: KeptShelf) -> Kept:
        """What was kept of a bay, by the factors of now: what its cells said then is the same load, and a scale that
        was to be looked at has been. Of a cell that another scale weighs now, the grams stay.
        """
        cells, anew = list(found.cells), False
        for n, cell in enumerate(bay.bay.cells[: len(cells)]):
            now = self.factors.get(cell, AS_IT_SAYS)
            before = now if kept.used is None else kept.used.get(cell, AS_IT_SAYS)
            if before == now or not before[0]:
                continue
            anew = True
            serials = {
                who[0] for who in (kept.scales.get(cell), self.shelf.scales.get(cell)) if who and who[0]
            }
            if len(serials) < 2:
                cells[n] = (cells[n] - before[1]) / before[0] * now[0] + now[1]
        if not anew:
            return found
        counts = None if found.doubt else found.counts
        besides = sum(thing.grams for thing in found.lying() if not thing.open) + found.overhang
        check = no_longer(bay.bay, bay.items, counts, sum(found.cells), sum(cells), besides)
        return msgspec.structs.replace(found, cells=cells, sure=None, alien="", check=check, mute=False)


def _matrix(crosstalk: Mapping[tuple[int, int], float], cells: Sequence[int]) -> Floats:
    """What each of the cells shows of what each of them carries."""
    place = {cell: n for n, cell in enumerate(cells)}
    matrix = np.eye(len(place))
    for (loaded, shown), share in crosstalk.items():
        if loaded in place and shown in place:
            matrix[place[shown], place[loaded]] += share
    return matrix


def _listed(crosstalk: Mapping[tuple[int, int], float]) -> list[tuple[int, int, float]]:
    return [(*pair, share) for pair, share in sorted(crosstalk.items())]
