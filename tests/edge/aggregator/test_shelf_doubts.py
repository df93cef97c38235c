"""A scale that is not what it was is said, and not counted."""

from heapq import merge

import pytest

from edge.aggregator.aggregator import Aggregator
from edge.aggregator.place import Bay
from edge.aggregator.shelf import Shelf
from edge.reads import Scale, WeightFault, WeightSample
from tests.support.shelf_scene import (
    CAN,
    SHELF,
    after,
    changes,
    counted,
    fed,
    ms,
    news,
    shelf_of,
    states,
    stream,
    us,
    watching,
)
from wire.events import BayState, Blind, Change, Event, ShelfChange


def who(aggregator: Aggregator, seconds: float, serial: str = "", calibration: str = "") -> list[Event]:
    said = Scale(at_us=us(seconds), shelf=SHELF, serial=serial, calibration=calibration)
    return aggregator.observe(said, ms(seconds))


def booked(said: list[Event]) -> list[ShelfChange]:
    return [
        event
        for event in said
        if isinstance(event, ShelfChange)
        and event.item is not None
        and event.outcome in (Change.OK, Change.OFFLINE_CHANGE)
    ]


@pytest.mark.parametrize("factor", [0.001, 1000.0, 1 / 453.59237])
def test_another_unit_is_said_and_nothing_counted_until_it_is_the_right_one_again(factor: float) -> None:
    weights = [(0.0, 6600.0), (20.0, 6600.0 * factor), (40.0, 6270.0 * factor), (60.0, 6270.0)]

    aggregator = watching(shelf_of([CAN]))
    said = fed(aggregator, stream(weights, to_s=90.0))

    assert news(said) == [("A1", "needs_check"), ("A1", "ok")]
    assert changes(said) == [("A1", "offline_change", CAN.gtin, -1)]
    assert counted(aggregator) == {"A1": 19}


def test_a_scale_that_zeroes_itself_under_load_is_said_and_not_counted() -> None:
    weights = [(0.0, 6600.0), (20.0, 0.0), (40.0, -330.0)]

    said = fed(watching(shelf_of([CAN])), stream(weights, to_s=70.0))

    assert booked(said) == []
    assert news(said)[0] == ("A1", "needs_check")


def test_another_scale_is_said_and_its_weights_are_not_counted() -> None:
    aggregator = watching(shelf_of([CAN]))
    who(aggregator, 0.0, "1127", "2026-10-02")
    fed(aggregator, stream([(0.0, 6600.0)], to_s=10.0))

    said = who(aggregator, 11.0, "4711", "2026-10-02")
    said += fed(aggregator, after(stream([(0.0, 6270.0), (20.0, 5940.0)], to_s=50.0), 12.0))

    assert states(said)[0] == ("A1", "needs_check")
    assert booked(said) == []


def test_the_scale_that_was_there_before_is_believed_again() -> None:
    aggregator = watching(shelf_of([CAN]))
    who(aggregator, 0.0, "1127")
    fed(aggregator, stream([(0.0, 6600.0)], to_s=10.0))
    who(aggregator, 11.0, "4711")

    said = who(aggregator, 12.0, "1127")
    said += fed(aggregator, after(stream([(0.0, 6270.0)], to_s=30.0), 13.0))

    assert changes(said) == [("A1", "offline_change", CAN.gtin, -1)]


def test_a_new_calibration_over_a_restart_is_noticed() -> None:
    first = watching(shelf_of([CAN]))
    who(first, 0.0, "1127", "7")
    fed(first, stream([(0.0, 6600.0)], to_s=10.0))
    second = watching(shelf_of([CAN]))
    second.restore(first.changed_state())

    said = who(second, 20.0, "1127", "8")
    said += fed(second, after(stream([(0.0, 6930.0)], to_s=30.0), 20.0))

    assert states(said)[0] == ("A1", "needs_check")
    assert booked(said) == []


def test_a_driver_that_does_not_know_who_weighs_disturbs_nothing() -> None:
    aggregator = watching(shelf_of([CAN]))
    who(aggregator, 0.0, "1127", "7")
    fed(aggregator, stream([(0.0, 6600.0)], to_s=10.0))

    assert states(who(aggregator, 11.0)) == []


def test_a_cell_that_cannot_weigh_is_said_and_then_what_changed_meanwhile() -> None:
    aggregator = watching(shelf_of([CAN]))
    fed(aggregator, stream([(0.0, 6600.0)], to_s=10.0))
    said: list[Event] = []
    for n in range(60):
        fault = WeightFault(at_us=us(10.0 + n / 4), shelf=SHELF, cell=0, fault="overload")
        said += aggregator.observe(fault, ms(10.0 + n / 4))
    assert states(said) == [("A1", "blind")]

    said = fed(aggregator, after(stream([(0.0, 6270.0)], to_s=30.0), 26.0))

    assert states(said) == [("A1", "ok")]
    assert [(e.device, e.reason) for e in said if isinstance(e, Blind)] == [
        (SHELF, "bay A1: cell 0: overload")
    ]
    assert [(bay, item, units) for bay, _, item, units in changes(said)] == [("A1", CAN.gtin, -1)]


def test_a_cell_that_shows_one_weight_for_ever_is_said() -> None:
    stuck = stream([(0.0, 6600.0)], to_s=30.0)
    held = [type(s)(at_us=s.at_us, shelf=s.shelf, cell=0, grams=6612.5) for s in after(stuck, 30.0)]

    said = fed(watching(shelf_of([CAN])), [*stuck, *held])

    assert ("A1", "blind") in states(said)
    assert booked(said) == []


def test_a_cell_that_falls_silent_beside_one_that_weighs_is_said() -> None:
    both = stream([(0.0, 6600.0)], [(0.0, 3300.0)], to_s=40.0)

    said = fed(watching(shelf_of([CAN], [CAN])), [s for s in both if s.cell == 1 or s.at_us < us(15.0)])

    assert news(said) == [("A1", "blind")]


def test_a_cell_that_was_never_heard_beside_one_that_weighs_is_said() -> None:
    """A cable that was never plugged in, or a scale that did not come back with the others."""
    alone = [s for s in stream([(0.0, 6600.0)], [(0.0, 3300.0)], to_s=140.0, hz=2.0) if s.cell == 0]
    aggregator = watching(shelf_of([CAN], [CAN]))

    said = fed(aggregator, alone)

    state = [event for event in said if isinstance(event, BayState)][-1]
    assert news(said) == [("A2", "blind")]
    assert (state.bay, state.state.value, state.reason) == ("A2", "blind", "cell 1 was not heard at all")
    assert us(120.0) < state.at.timestamp() * 1e6 < us(130.0)
    both = after(stream([(0.0, 6600.0)], [(0.0, 3300.0)], to_s=20.0, hz=2.0), 140.0)
    assert states(fed(aggregator, both)) == [("A2", "ok")]


def test_a_shelf_that_comes_late_has_as_long_as_the_first() -> None:
    """Of two shelves one is switched on five minutes later, and one of its cells ten seconds after the other."""
    late = Shelf(name="aisle-2", bays=tuple(Bay(name=f"B{n}", cells=(n,), items=(CAN,)) for n in range(2)))
    aggregator = watching(shelf_of([CAN]), late)
    early = stream([(0.0, 6600.0)], to_s=350.0, hz=2.0)
    first, second = stream([(0.0, 6600.0)], [(0.0, 3300.0)], to_s=40.0, hz=2.0), 310.0
    others = [
        WeightSample(at_us=s.at_us, shelf="aisle-2", cell=s.cell, grams=s.grams)
        for s in after(first, 300.0)
        if s.cell == 0 or s.at_us > us(second)
    ]

    said = fed(aggregator, merge(early, others, key=lambda sample: sample.at_us))

    assert news(said) == []


def test_more_that_was_taken_than_stood_there_makes_a_bay_uncertain() -> None:
    """The level said 2; a third is taken, so the count was wrong all along."""
    aggregator = watching(shelf_of([CAN]))
    said = fed(aggregator, stream([(0.0, 660.0), (10.0, 330.0), (20.0, 0.0)], to_s=40.0))
    assert news(said) == []
    assert counted(aggregator) == {"A1": 0}
