"""The agent's configuration for a simulated shelf, without a reader: for `replay` and all that takes a recording."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from simulators.shelves.goods import Goods

EDGE, SHELF = "shop", "aisle-1"


@dataclass(slots=True, kw_only=True)
class Place:
    """A bay: its cells, what belongs there, what stands there (the weight of every unit), and its tray."""

    name: str
    cells: tuple[int, ...]
    kinds: tuple[Goods, ...]
    capacity: int
    tare_grams: float
    units: dict[str, list[float]] = field(default_factory=dict)

    def counts(self) -> dict[str, int]:
        return {kind.gtin: len(self.units.get(kind.gtin, ())) for kind in self.kinds} | {
            gtin: len(units) for gtin, units in self.units.items() if units
        }

    def grams(self) -> float:
        return self.tare_grams + sum(map(sum, self.units.values()))


def configuration(places: Sequence[Place], crosstalk: Mapping[tuple[int, int], float] | None = None) -> str:
    """`crosstalk`: what the shop knows of it, by (loaded cell, cell that feels it)."""
    bays = []
    for place in places:
        items = ", ".join(
            f'{{ gtin = "{kind.gtin}", unit_grams = {kind.noted_grams}, unit_cv = {kind.noted_cv}'
            + (f", unit_tare_grams = {kind.tray_grams} }}" if kind.tray_grams else " }")
            for kind in place.kinds
        )
        bays.append(
            f'  {{ name = "{place.name}", cells = {list(place.cells)}, capacity = {place.capacity}, '
            f"tare_grams = {place.tare_grams:.1f}, items = [{items}] }},\n"
        )
    known = ", ".join(
        f"{{ from = {a}, to = {b}, share = {share} }}" for (a, b), share in (crosstalk or {}).items()
    )
    return (
        f'edge = "{EDGE}"\n\n[[shelves]]\nname = "{SHELF}"\n'
        + (f"crosstalk = [{known}]\n" if known else "")
        + f"bays = [\n{''.join(bays)}]\n"
    )
