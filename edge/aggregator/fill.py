"""How full a bay is: said when it comes to be full, low, out, or not known."""

from collections.abc import Mapping
from typing import Protocol

from edge.aggregator.hypotheses import Item
from edge.aggregator.moments import Stamp, moment
from wire.events import BayFill, Fill

LOW_SHARE = 0.25  # of the capacity, where no limit is given


class Planned(Protocol):
    """What a bay is meant to hold."""

    @property
    def name(self) -> str: ...
    @property
    def items(self) -> tuple[Item, ...]: ...
    @property
    def capacity(self) -> int | None: ...
    @property
    def facings(self) -> int | None: ...
    @property
    def low(self) -> int | None: ...


def fills(
    shelf: str,
    bay: Planned,
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
        state = fill(units, bay)
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
                capacity=bay.capacity,
                facings=bay.facings,
                fraction=fraction(units, bay),
                state=state,
            )
        )
    return events


def fraction(units: int | None, bay: Planned) -> float | None:
    """Of the bay's capacity, which all its items share."""
    if units is None or not bay.capacity:
        return None
    return round(min(1000.0, max(0, units) / bay.capacity), 3)


def fill(units: int | None, bay: Planned) -> Fill:
    """How full a bay is of one of its items, each of which should have its share of the room."""
    if units is None:
        return Fill.UNKNOWN
    if units <= 0:
        return Fill.OUT
    room = None if bay.capacity is None else bay.capacity / len(bay.items)
    low = bay.low if bay.low is not None else LOW_SHARE * room if room is not None else 0
    if units < low:
        return Fill.LOW
    return Fill.FULL if room is not None and units >= room else Fill.OK
