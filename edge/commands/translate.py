"""From what the cloud asks to what the aggregator takes. Pure."""

from collections.abc import Mapping, Sequence

from edge.aggregator import orders as to
from edge.aggregator.hypotheses import Item
from edge.aggregator.orders import OrderError
from edge.aggregator.place import WHOLE, Part
from edge.config import EdgeConfig
from edge.shelf_config import ItemConfig, ShelfConfig
from wire import commands as asked

UNIT_CV: float = ItemConfig.model_fields["unit_cv"].default

Shelfwise = asked.Zero | asked.Assign | asked.Confirm | asked.ServiceBegin | asked.ServiceEnd


def shelf_named(config: EdgeConfig, name: str) -> ShelfConfig:
    """Raises OrderError."""
    for shelf in config.shelves:
        if shelf.name == name:
            return shelf
    there = ", ".join(shelf.name for shelf in config.shelves) or "none"
    raise OrderError(f"there is no shelf {name!r} here; there is {there}")


def orders(order: Shelfwise, config: EdgeConfig, now_ms: int) -> Sequence[to.Order]:
    """`now_ms`: of the steady clock. Raises OrderError: the configuration has no such shelf or bay."""
    shelf = shelf_named(config, order.shelf)
    bays = [bay.name for bay in shelf.bays]
    if order.bay is not None:
        if order.bay not in bays:
            raise OrderError(f"shelf {shelf.name!r} has no bay {order.bay!r}; it has {', '.join(bays)}")
        bays = [order.bay]
    return [_order(order, shelf.name, bay, config, now_ms) for bay in bays]


def _order(order: Shelfwise, shelf: str, bay: str, config: EdgeConfig, now_ms: int) -> to.Order:
    match order:
        case asked.Zero():
            return to.Zero(shelf=shelf, bay=bay)
        case asked.Confirm():
            return to.Confirm(shelf=shelf, bay=bay, counts={each.gtin: each.units for each in order.counts})
        case asked.ServiceBegin():
            return to.Serve(shelf=shelf, bay=bay, until_ms=now_ms + 1000 * order.timeout_s)
        case asked.ServiceEnd():
            return to.Resume(shelf=shelf, bay=bay)
        case asked.Assign():
            noted = _noted_spreads(config, shelf, bay)
            parts = {
                item.gtin: Part(capacity=item.capacity, facings=item.facings, low=item.low)
                for item in order.items
            }
            return to.Assign(
                shelf=shelf, bay=bay, items=tuple(_item(item, noted) for item in order.items),
                capacity=order.capacity, facings=order.facings, low=order.low, tare_grams=order.tare_grams,
                parts={gtin: part for gtin, part in parts.items() if part != WHOLE},
            )  # fmt: skip


def _item(item: asked.AssignedItem, noted: Mapping[str, float]) -> Item:
    """Where the order does not say how much single units differ, the configuration does, of this item."""
    return Item(
        gtin=item.gtin,
        unit_grams=item.unit_grams,
        unit_cv=noted.get(item.gtin, UNIT_CV) if item.unit_cv is None else item.unit_cv,
        unit_tare_grams=item.unit_tare_grams,
    )


def _noted_spreads(config: EdgeConfig, shelf: str, bay: str) -> dict[str, float]:
    """By GTIN: as noted anywhere in the configuration, but rather at this bay."""
    bays = [((each.name, one.name) == (shelf, bay), one) for each in config.shelves for one in each.bays]
    bays.sort(key=lambda found: found[0])
    return {item.gtin: item.unit_cv for _, one in bays for item in one.items}


def _span(seconds: int) -> str:
    return f"{seconds} s" if seconds < 120 else f"{seconds / 60:.0f} min"


def done_in_words(order: Shelfwise) -> str:
    """What a person is told when it was carried out."""
    what = order.shelf if order.bay is None else f"{order.shelf}/{order.bay}"
    match order:
        case asked.Zero():
            return f"{what}: what it weighs now is its tare"
        case asked.Confirm():
            counts = ", ".join(f"{each.units} of {each.gtin}" for each in order.counts)
            return f"{what}: confirmed, {counts}"
        case asked.ServiceBegin():
            return f"{what}: in service for {_span(order.timeout_s)} at the most; nothing is booked meanwhile"
        case asked.ServiceEnd():
            return f"{what}: service has ended; it goes on from what it weighs at its next rest"
        case asked.Assign():
            items = ", ".join(each.gtin for each in order.items) or "nothing"
            return f"{what}: {items} from now on"
