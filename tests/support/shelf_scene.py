"""A shelf of some bays, a cell each, and what lies on them when, as samples into an aggregator."""

from collections.abc import Iterable, Sequence
from heapq import merge

from edge.aggregator.aggregator import Aggregator
from edge.aggregator.hypotheses import Item
from edge.aggregator.place import Bay
from edge.aggregator.shelf import Shelf
from edge.reads import WeightSample
from tests.support.scales import START_US, samples
from wire.events import BayState, Event, ShelfChange

CAN = Item(gtin="09506000134352", unit_grams=330.0, unit_cv=0.013)
JAR = Item(gtin="09506000211008", unit_grams=505.0, unit_cv=0.013)
SHELF = "aisle-1"
Weights = Sequence[tuple[float, float]]  # from second, grams


def shelf_of(*bays: Sequence[Item], capacity: int = 24, **other: object) -> Shelf:
    """Bays A1, A2 … on cells 0, 1 …"""
    made = (
        Bay(name=f"A{n + 1}", cells=(n,), items=tuple(items), capacity=capacity)
        for n, items in enumerate(bays)
    )
    return Shelf(name=SHELF, bays=tuple(made), **other)  # type: ignore[arg-type]  # whatever a test gives


def watching(*shelves: Shelf) -> Aggregator:
    aggregator = Aggregator([], shelves, boot="b")
    for shelf in shelves:
        aggregator.device_up(shelf.name, 0, 0)
    return aggregator


def stream(*weights: Weights, to_s: float, noise: float = 0.1, hz: float = 10.0) -> list[WeightSample]:
    """The samples of cells 0, 1 … in order of time."""
    each = (
        samples(of, to_s, cell=cell, seed=cell, noise=noise, hz=hz) for cell, of in enumerate(weights) if of
    )
    return list(merge(*each, key=lambda sample: sample.at_us))


def after(stream: Iterable[WeightSample], seconds: float) -> list[WeightSample]:
    us = round(seconds * 1e6)
    return [
        WeightSample(at_us=s.at_us + us, shelf=s.shelf, cell=s.cell, grams=s.grams, stable=s.stable)
        for s in stream
    ]


def fed(aggregator: Aggregator, stream: Iterable[WeightSample]) -> list[Event]:
    said: list[Event] = []
    for sample in stream:
        said += aggregator.observe(sample, sample.at_us // 1000)
    return said


def ms(seconds: float) -> int:
    return START_US // 1000 + round(seconds * 1000)


def us(seconds: float) -> int:
    return START_US + round(seconds * 1e6)


def changes(said: Iterable[Event]) -> list[tuple[str, str, str | None, int | None]]:
    return [
        (event.bay, event.outcome.value, event.item, event.units)
        for event in said
        if isinstance(event, ShelfChange)
    ]


def states(said: Iterable[Event]) -> list[tuple[str, str]]:
    return [(event.bay, event.state.value) for event in said if isinstance(event, BayState)]


def news(said: Iterable[Event]) -> list[tuple[str, str]]:
    """The states of bays from their start on, without the `ok` that they begin with."""
    told = states(said)
    bays = [bay for bay, _ in told]
    return [each for n, each in enumerate(told) if each[1] != "ok" or each[0] in bays[:n]]


def counted(aggregator: Aggregator) -> dict[str, int | None]:
    return {level.bay: level.units for level in aggregator.levels()}
