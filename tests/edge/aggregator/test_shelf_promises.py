"""What holds whatever happens: a power cut loses and doubles nothing, and only the samples count, once and in order."""

from collections import Counter
from collections.abc import Sequence
from random import Random

import pytest

from edge.aggregator.aggregator import Aggregator
from edge.reads import WeightSample
from tests.support.scales import START_US
from tests.support.shelf_scene import CAN, JAR, after, changes, fed, shelf_of, stream, watching
from wire.events import Change, Event, ShelfChange

RESTOCK = [(0.0, 6 * 330.0), *((3.0 + 2.5 * n, (7 + n) * 330.0) for n in range(5))]
BLOCK_US = 100_000


def booked(said: Sequence[Event]) -> Counter[str]:
    units: Counter[str] = Counter()
    for event in said:
        if (
            isinstance(event, ShelfChange)
            and event.outcome in (Change.OK, Change.OFFLINE_CHANGE)
            and event.item
        ):
            units[event.item] += event.units or 0
    return units


def saved_with(aggregator: Aggregator, states: dict[str, bytes]) -> None:
    """As the engine does: the state goes into one transaction with the events that came of it."""
    states.update(aggregator.changed_state())


@pytest.mark.timeout(120)
def test_a_power_cut_at_any_block_of_a_restock_neither_loses_nor_doubles_a_unit() -> None:
    whole = stream(RESTOCK, to_s=36.0)
    for cut_us in range(START_US + 2 * BLOCK_US, START_US + 36_000_000, BLOCK_US):
        states: dict[str, bytes] = {}
        first, kept = watching(shelf_of([CAN])), []
        for sample in whole:
            if sample.at_us >= cut_us:
                break
            said = first.observe(sample, sample.at_us // 1000)
            if said:  # what is said is durable with the state behind it; all since then is lost
                kept += said
                saved_with(first, states)
        second = watching(shelf_of([CAN]))
        second.restore(states)

        rest = after(stream([(0.0, 11 * 330.0)], to_s=25.0), (cut_us - START_US) / 1e6 + 30.0)
        kept += fed(second, rest if cut_us > START_US + 13_000_000 else after(rest, 1.0))

        # Before its first rest was saved, a bay takes what it finds for what stands there.
        begun = 11 if not states else 6
        assert begun + booked(kept)[CAN.gtin] == 11, (
            f"cut after {(cut_us - START_US) / 1e6:.1f} s: {changes(kept)}"
        )


def scene() -> list[WeightSample]:
    cans = [(0.0, 3300.0), (8.0, 2970.0), (14.0, 3300.0), (40.0, 2640.0)]
    jars = [(0.0, 5050.0), (8.4, 4545.0), (20.0, 4545.0 + 404.0), (26.0, 4545.0), (30.0, 5555.0)]
    return stream(cans, jars, to_s=60.0)


@pytest.mark.parametrize("seed", range(8))
def test_nothing_depends_on_how_often_time_is_told(seed: int) -> None:
    asked, told = watching(shelf_of([CAN], [JAR])), watching(shelf_of([CAN], [JAR]))
    random, end_us = Random(seed), START_US + 120_000_000
    plain = [*fed(told, scene()), *told.advance(end_us // 1000, end_us)]
    said: list[Event] = []
    for sample in scene():
        if random.random() < 0.3:
            said += asked.advance(sample.at_us // 1000, sample.at_us)
        said += asked.observe(sample, sample.at_us // 1000)
    said += asked.advance(end_us // 1000, end_us)

    assert said == plain
    assert len(changes(said)) == 5


@pytest.mark.parametrize("seed", range(8))
def test_samples_that_come_twice_late_or_out_of_order_do_no_harm(seed: int) -> None:
    random = Random(seed)
    untidy: list[WeightSample] = []
    for sample in scene():
        untidy.append(sample)
        if random.random() < 0.1:
            untidy.append(sample)
        if random.random() < 0.1 and len(untidy) > 2:
            untidy[-1], untidy[-2] = untidy[-2], untidy[-1]
        if random.random() < 0.05:
            untidy.append(random.choice(untidy))

    said = fed(watching(shelf_of([CAN], [JAR])), untidy)

    assert sorted(changes(said), key=str) == sorted(
        changes(fed(watching(shelf_of([CAN], [JAR])), scene())), key=str
    )


def test_a_shelf_whose_samples_are_all_late_is_counted_all_the_same() -> None:
    """One device delivers at once, the other ten seconds later."""
    jars = [s for s in scene() if s.cell == 0]
    late = [
        WeightSample(at_us=s.at_us, shelf="aisle-2", cell=0, grams=s.grams)
        for s in stream(RESTOCK[:2], to_s=40.0)
    ]
    other = shelf_of([CAN])
    other = type(other)(name="aisle-2", bays=other.bays)
    arrivals = sorted(
        [*((s.at_us, s) for s in jars), *((s.at_us + 10_000_000, s) for s in late)], key=lambda pair: pair[0]
    )

    said = fed(watching(shelf_of([CAN]), other), [sample for _, sample in arrivals])

    (put,) = [e for e in said if isinstance(e, ShelfChange) and e.shelf == "aisle-2"]
    assert (put.outcome, put.units) == (Change.OK, 1)
    assert abs(put.at.timestamp() * 1e6 - START_US - 3_000_000) < 600_000


def test_a_state_of_the_version_before_is_read() -> None:
    """A map from bay to the last rest: grams, steady and wall time, noise and counts."""
    blob = bytes.fromhex(
        "81a2413195cb40b9c80000000000cf0000019aaacaaa80cf0006442b27aa0400cb3fb999999999999a"
        "81ae303935303630303031333433353214"
    )
    aggregator = watching(shelf_of([CAN]))
    aggregator.restore({"shelf:aisle-1": blob})

    said = fed(aggregator, stream([(0.0, 6270.0)], to_s=20.0))

    assert changes(said) == [("A1", "offline_change", CAN.gtin, -1)]
