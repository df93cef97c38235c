"""From the configuration to the pure parts, which know nothing of it. Used by the agent and by replay alike."""

from edge.aggregator.aggregator import Aggregator
from edge.aggregator.found import Recorder
from edge.aggregator.gate import Gate, Side
from edge.aggregator.model import DEFAULT
from edge.aggregator.place import WHOLE, Part
from edge.aggregator.shelf import Bay, Item, Shelf
from edge.aggregator.under_way import QUIET_S
from edge.config import EdgeConfig, GateConfig
from edge.shelf_config import BayConfig, ItemConfig, ShelfConfig


def gate_of(config: GateConfig) -> Gate:
    return Gate(
        name=config.name,
        antennas={antenna: Side(side) for antenna, side in config.antennas.items()},
        quiet_s=QUIET_S if config.quiet_s is None else config.quiet_s,
        eyes=(config.eyes.outside, config.eyes.inside) if config.eyes else None,
        model=config.calibration.model() if config.calibration else DEFAULT,
    )


def shelf_of(config: ShelfConfig) -> Shelf:
    file = config.calibration.values if config.calibration else None
    cells = file.cells if file else ()
    shares = [
        *(file.crosstalk if file else ()),
        *config.crosstalk,
    ]  # the configuration's own go before the file's
    return Shelf(
        name=config.name,
        bays=tuple(_bay_of(bay) for bay in config.bays),
        factors=config.calibration.factors if config.calibration else {},
        scales={cell.cell: (cell.serial, cell.calibration) for cell in cells},
        crosstalk={(share.from_, share.to): share.share for share in shares},
    )


def _bay_of(config: BayConfig) -> Bay:
    return Bay(
        name=config.name,
        cells=config.cells,
        items=tuple(_item_of(item) for item in config.items),
        capacity=config.capacity,
        tare_grams=config.tare_grams,
        facings=config.facings,
        low=config.low,
        parts={item.gtin: part for item in config.items if (part := _part_of(item)) != WHOLE},
    )


def _part_of(config: ItemConfig) -> Part:
    return Part(capacity=config.capacity, facings=config.facings, low=config.low)


def _item_of(config: ItemConfig) -> Item:
    return Item(
        gtin=config.gtin,
        unit_grams=config.unit_grams,
        unit_cv=config.unit_cv,
        unit_tare_grams=config.unit_tare_grams,
    )


def aggregator_of(config: EdgeConfig, *, boot: str, recorder: Recorder | None = None) -> Aggregator:
    """`boot` names this start of the machine or agent in every event; `recorder` is told why."""
    gates = [gate_of(gate) for gate in config.gates]
    references = {gate.name: gate.reference_tags for gate in config.gates}
    shelves = [shelf_of(shelf) for shelf in config.shelves]
    return Aggregator(gates, shelves, boot=boot, references=references, recorder=recorder)
