"""Weights that are handed over in lists say the same as one by one, however they are cut."""

from random import Random

import pytest

from edge.aggregator.aggregator import Aggregator
from edge.aggregator.hypotheses import Item
from edge.aggregator.place import Bay
from edge.aggregator.shelf import Shelf
from edge.reads import TimedRead, WeightFault, WeightSample
from wire.events import Event, ShelfChange

ITEM = Item(gtin="09506000134352", unit_grams=330.0, unit_cv=0.01)
BEGAN_MS = 1_800_000_000_000

pytestmark = pytest.mark.timeout(60)


def made() -> Aggregator:
    bays = tuple(Bay(name=f"B{n}", cells=(n,), items=(ITEM,), capacity=24) for n in range(4))
    aggregator = Aggregator([], [Shelf(name="aisle-1", bays=bays)], boot="b1")
    aggregator.advance(BEGAN_MS, BEGAN_MS * 1000)
    return aggregator


def samples(seed: int) -> list[TimedRead]:
    """Units taken and put back; samples that come late, long behind, from the future, and of cells not configured."""
    rng, told = Random(seed), list[tuple[int, TimedRead]]()
    grams = [3_300.0] * 4
    for tick in range(500):
        if tick % 60 == 30:
            grams[rng.randrange(3)] += rng.choice((-330.0, -330.0, 330.0))
        for cell in range(5):
            at_ms = BEGAN_MS + 100 * tick + 7 * cell - (900 if cell == 3 else 0)
            weight = grams[min(cell, 3)] + rng.gauss(0.0, 0.2)
            stable = None if cell else tick % 60 not in range(30, 34)
            ahead_ms = 120_000 if rng.random() < 0.003 else 0
            read = WeightSample(at_us=at_ms * 1000, shelf="aisle-1", cell=cell, grams=weight, stable=stable)
            arrives_ms = at_ms + (900 if cell == 3 else 0) + rng.choice((0, 0, 0, 0, 0, 0, 0, 150, 700))
            told.append((arrives_ms, (at_ms + ahead_ms, read)))
        if tick == 250:
            told.append(
                (at_ms, (at_ms, WeightFault(at_us=at_ms * 1000, shelf="aisle-1", cell=1, fault="overload")))
            )
    return [read for _, read in sorted(told, key=lambda each: each[0])]


def one_by_one(reads: list[TimedRead]) -> tuple[list[Event], Aggregator]:
    aggregator, events = made(), list[Event]()
    for mono_ms, read in reads:
        events += aggregator.observe(read, mono_ms)
    return events, aggregator


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("most", [3, 40, 500, 5_000])
def test_however_they_are_cut_the_same_is_said(seed: int, most: int) -> None:
    reads, rng = samples(seed), Random(seed + most)
    expected, alone = one_by_one(reads)
    aggregator, events, at = made(), list[Event](), 0
    while at < len(reads):
        until = at + rng.randint(1, most)
        events += aggregator.observe_all(reads[at:until])
        at = until
    assert events == expected
    assert sum(isinstance(event, ShelfChange) for event in expected) >= 3
    end_ms = BEGAN_MS + 100_000
    assert aggregator.advance(end_ms, end_ms * 1000) == alone.advance(end_ms, end_ms * 1000)
    assert aggregator.levels() == alone.levels()


def test_shelves_that_are_not_configured_are_passed_over() -> None:
    reads: list[TimedRead] = [
        (BEGAN_MS + n, WeightSample(at_us=(BEGAN_MS + n) * 1000, shelf="aisle-9", cell=0, grams=1.0))
        for n in range(1_000)
    ]
    assert made().observe_all(reads) == []
