"""Nothing of a gate's or a shelf's configuration is lost on the way to the parts that use it."""

from pathlib import Path

from edge.aggregator.gate import Gate, Side
from edge.aggregator.place import Part
from edge.aggregator.shelf import Bay, Item, Shelf
from edge.aggregator.under_way import QUIET_S
from edge.build import gate_of, shelf_of
from edge.config import load

EDGE_TOML = """
edge = "store-042"

[[gates]]
name = "dock-1"
antennas = { 1 = "outside", 4 = "inside" }

[[gates]]
name = "dock-2"
quiet_s = 5
antennas = { 1 = "inside", 2 = "outside" }

[[shelves]]
name = "aisle-1"
[[shelves.bays]]
name = "A1"
cells = [0, 3]
capacity = 24
tare_grams = 1150.0
items = [
  { gtin = "9506000134352", unit_grams = 330.0, unit_cv = 0.02, capacity = 20, facings = 3, low = 5 },
  { gtin = "9506000211008", unit_grams = 505.0 },
]
"""


def test_every_setting_arrives(tmp_path: Path) -> None:
    path = tmp_path / "edge.toml"
    path.write_text(EDGE_TOML)
    config = load(path)

    assert [gate_of(gate) for gate in config.gates] == [
        Gate(name="dock-1", antennas={1: Side.OUTSIDE, 4: Side.INSIDE}, quiet_s=QUIET_S),
        Gate(name="dock-2", antennas={1: Side.INSIDE, 2: Side.OUTSIDE}, quiet_s=5.0),
    ]
    item = Item(gtin="09506000134352", unit_grams=330.0, unit_cv=0.02)
    jar = Item(gtin="09506000211008", unit_grams=505.0, unit_cv=0.013)
    parts = {item.gtin: Part(capacity=20, facings=3, low=5)}
    bay = Bay(name="A1", cells=(0, 3), items=(item, jar), capacity=24, tare_grams=1150.0, parts=parts)
    assert [shelf_of(shelf) for shelf in config.shelves] == [Shelf(name="aisle-1", bays=(bay,))]
