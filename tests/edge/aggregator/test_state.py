"""What is saved goes on as if nothing had happened; and asking whether time has passed changes nothing."""

from collections.abc import Sequence

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from edge.aggregator.aggregator import Aggregator
from edge.aggregator.gate import Gate, Side
from edge.aggregator.shelf import Bay, Item, Shelf
from edge.reads import Read, Trigger
from tests.support.doors import START_US, epc, going_in, going_out, merged, stand, turning, walk
from tests.support.scales import samples
from wire.events import Event, TagMovement

GATE = Gate(name="dock-1", antennas={1: Side.OUTSIDE, 2: Side.INSIDE})
ITEM = Item(gtin="09506000134352", unit_grams=330.0, unit_cv=0.013)
SHELF = Shelf(name="aisle-1", bays=(Bay(name="A1", cells=(0,), items=(ITEM,), capacity=24),))

READS: list[Read] = [
    *merged(
        stand(epc(900), -20.0, 70.0),
        *(walk(epc(n), going_in(12.0 + n / 10), hz=6) for n in range(6)),
        *(walk(epc(20 + n), turning(30.0), hz=8) for n in range(3)),
        *(walk(epc(n), going_out(50.0 + n / 10), hz=6) for n in range(6)),
    )
]


def fresh() -> Aggregator:
    aggregator = Aggregator([GATE], [SHELF], boot="b")
    aggregator.device_up("dock-1", 0, 0)
    aggregator.device_up("aisle-1", 0, 0)
    return aggregator


def finish(aggregator: Aggregator) -> list[Event]:
    return aggregator.advance(START_US // 1000 + 300_000, START_US + 300_000_000)


def whole() -> list[Event]:
    aggregator, said = fresh(), []
    for read in READS:
        said += aggregator.observe(read, read.at_us // 1000)
    return said + finish(aggregator)


WHOLE = whole()


def test_the_stream_that_is_cut_below_has_something_to_lose() -> None:
    assert [event.type for event in WHOLE].count("passage") == 3
    assert [event.type for event in WHOLE].count("tag_movement") == 15


@pytest.mark.timeout(120)  # each example judges the whole stream anew
@settings(max_examples=10, deadline=None)
@given(st.sets(st.integers(0, len(READS)), max_size=6))
def test_saving_and_restoring_anywhere_gives_the_same_events(cuts: set[int]) -> None:
    aggregator, said = fresh(), []
    saved: dict[str, bytes] = {}
    for number, read in enumerate(READS):
        if number in cuts:
            saved |= aggregator.changed_state()
            aggregator = fresh()
            aggregator.restore(saved)
        said += aggregator.observe(read, read.at_us // 1000)

    assert said + finish(aggregator) == WHOLE


@pytest.mark.timeout(120)  # each example judges the whole stream anew
@settings(max_examples=10, deadline=None)
@given(st.lists(st.integers(0, len(READS) - 1), max_size=60))
def test_how_often_time_is_asked_for_changes_nothing(asked: Sequence[int]) -> None:
    aggregator, said, often = fresh(), [], set(asked)
    for number, read in enumerate(READS):
        if number in often:
            said += aggregator.advance(read.at_us // 1000, read.at_us)
        said += aggregator.observe(read, read.at_us // 1000)

    assert said + finish(aggregator) == WHOLE


def test_beams_that_were_broken_before_a_restart_count_after_it() -> None:
    """One antenna cannot tell the way: only the eyes can."""
    gate = Gate(name="dock-1", antennas={1: Side.OUTSIDE}, eyes=(1, 2))
    load = [read for n in range(4) for read in walk(epc(n), going_in(12.0), hz=8, seed=n, antennas=(1, 2))]
    reads = merged([read for read in load if read.antenna == 1], stand(epc(900), -20.0, 25.0))
    beams = [(11.6, 1, True), (12.0, 2, True), (12.4, 1, False), (12.8, 2, False)]

    def told(restart: bool) -> list[Event]:
        aggregator, said, left = Aggregator([gate], [], boot="b"), [], list(beams)
        aggregator.device_up("dock-1", 0, 0)
        for read in reads:
            while left and START_US + 1e6 * left[0][0] <= read.at_us:
                at_s, number, on = left.pop(0)
                at_us = START_US + round(1e6 * at_s)
                said += aggregator.observe(
                    Trigger(at_us=at_us, gate="dock-1", input=number, on=on), at_us // 1000
                )
                if not left and restart:
                    saved = aggregator.changed_state()
                    aggregator = Aggregator([gate], [], boot="b")
                    aggregator.device_up("dock-1", 0, 0)
                    aggregator.restore(saved)
            said += aggregator.observe(read, read.at_us // 1000)
        return said + finish(aggregator)

    ways = [e.outcome.value for e in told(False) if isinstance(e, TagMovement)]
    assert ways.count("in") == 4
    assert told(True) == told(False)


def test_only_what_changed_is_given_to_be_saved() -> None:
    aggregator = fresh()
    assert aggregator.changed_state() == {}

    aggregator.observe(READS[0], READS[0].at_us // 1000)
    assert set(aggregator.changed_state()) == {"gate:dock-1", "antennas:dock-1"}
    assert aggregator.changed_state() == {}


def test_states_of_devices_that_are_gone_are_passed_over() -> None:
    aggregator = fresh()
    aggregator.restore({"gate:dock-9": b"whatever", "shelf:aisle-9": b"whatever"})

    assert aggregator.changed_state() == {}


def test_a_shelf_saves_its_rest_and_its_drift_once_a_minute() -> None:
    aggregator, saves = fresh(), 0
    for sample in samples([(0.0, 6600.0)], 200.0):
        aggregator.observe(sample, sample.at_us // 1000)
        saves += len(aggregator.changed_state())

    assert 3 <= saves <= 5


def test_a_saved_gate_takes_few_bytes_a_tag() -> None:
    """It is written to disk again and again."""
    aggregator = fresh()
    for read in merged(*(stand(epc(n), 0.0, 10.0) for n in range(100))):
        aggregator.observe(read, read.at_us // 1000)

    reads = sum(len(stand(epc(n), 0.0, 10.0)) for n in range(100))
    assert len(aggregator.changed_state()["gate:dock-1"]) < 100 * 200 + reads * 18
