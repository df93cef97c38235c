"""How full a bay is: said when it comes to be full, low, out, or not known. Of several kinds, of each by itself.

Kinds that have no capacity of their own share what the others leave of the bay's.
"""

from collections.abc import Mapping

from edge.aggregator.moments import Stamp, moment
from edge.aggregator.place import WHOLE, Bay
from wire.events import BayFill, Fill

LOW_SHARE = 0.25  # of the room, where no limit is given


def fills(
    shelf: str,
    bay: Bay,
    counts: Mapping[str, int] | None,
    said: dict[str, str],
    at_ms: int,
    at_us: int,
    stamp: Stamp,
) -> list[BayFill]:
    """An event for each item whose fill is another than was `said`, which is brought up to date."""
    events = []
    for item in bay.items:
        units = None if counts is None else counts.get(item.gtin)
        state = fill(item.gtin, counts, bay)
        if said.get(item.gtin) == state.value:
            continue
        said[item.gtin] = state.value
        events.append(
            BayFill(
                at=moment(at_us),
                clock=stamp.clock,
                boot=stamp.boot,
                mono_ms=max(0, at_ms),
                shelf=shelf,
                bay=bay.name,
                item=item.gtin,
                units=units,
                capacity=_capacity(item.gtin, bay),
                facings=bay.parts.get(item.gtin, WHOLE).facings or bay.facings,
                fraction=fraction(item.gtin, units, bay),
                state=state,
            )
        )
    return events


def fraction(gtin: str, units: int | None, bay: Bay) -> float | None:
    """Of the item's own capacity, or the bay's, which all items without one share."""
    capacity = _capacity(gtin, bay)
    if units is None or not capacity:
        return None
    return round(min(1000.0, max(0, units) / capacity), 3)


def fill(gtin: str, counts: Mapping[str, int] | None, bay: Bay) -> Fill:
    """How full a bay is of one of its items. One that shares the room is full, too, where nothing more fits in."""
    units = None if counts is None else counts.get(gtin)
    if units is None or counts is None:
        return Fill.UNKNOWN
    if units <= 0:
        return Fill.OUT
    room, part = _room(gtin, bay), bay.parts.get(gtin, WHOLE)
    usual = 0.0 if room is None else LOW_SHARE * room
    if units < next((low for low in (part.low, bay.low) if low is not None), usual):
        return Fill.LOW
    packed = part.capacity is None and bay.capacity is not None and sum(counts.values()) >= bay.capacity
    return Fill.FULL if packed or (room is not None and units >= room) else Fill.OK


def _capacity(gtin: str, bay: Bay) -> int | None:
    return bay.parts.get(gtin, WHOLE).capacity or bay.capacity


def _room(gtin: str, bay: Bay) -> float | None:
    """How many units of an item should stand there at most: its own capacity, or an equal share of what is left."""
    own = bay.parts.get(gtin, WHOLE).capacity
    if own is not None or bay.capacity is None:
        return own
    taken = [part.capacity for part in bay.parts.values() if part.capacity is not None]
    return max(0, bay.capacity - sum(taken)) / (len(bay.items) - len(taken))
