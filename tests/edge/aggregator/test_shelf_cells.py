"""A bay on several cells counts only while all of them weigh."""

from collections.abc import Iterable, Sequence
from heapq import merge

import pytest

from edge.aggregator.aggregator import Aggregator
from edge.aggregator.orders import Confirm
from edge.aggregator.place import Bay
from edge.aggregator.shelf import Shelf
from edge.reads import ShelfRead, WeightFault, WeightSample
from tests.support.scales import samples
from tests.support.shelf_scene import (
    CAN,
    SHELF,
    Weights,
    changes,
    counted,
    ms,
    news,
    shelf_of,
    us,
    watching,
)
from wire.events import Blind, Event, ShelfChange

WHOLE = [(0.0, 1980.0)]
TWO_TAKEN = [(0.0, 1980.0), (20.0, 1650.0)]  # on either of two cells half of what the goods weigh


def wide(cells: int = 2) -> Shelf:
    bay = Bay(name="A1", cells=tuple(range(cells)), items=(CAN,), capacity=24)
    return Shelf(name=SHELF, bays=(bay,))


def cell(number: int, weights: Weights, to_s: float, hz: float = 10.0) -> list[WeightSample]:
    return list(samples(weights, to_s, cell=number, seed=number, hz=hz))


def faults(number: int, from_s: float, to_s: float, fault: str = "overload") -> list[WeightFault]:
    return [
        WeightFault(at_us=us(from_s + n), shelf=SHELF, cell=number, fault=fault)
        for n in range(int(to_s - from_s))
    ]


def without(some: Iterable[WeightSample], from_s: float, to_s: float) -> list[WeightSample]:
    return [each for each in some if not us(from_s) <= each.at_us < us(to_s)]


def told(aggregator: Aggregator, *streams: Sequence[ShelfRead]) -> list[Event]:
    said: list[Event] = []
    for read in merge(*streams, key=lambda read: read.at_us):
        said += aggregator.observe(read, read.at_us // 1000)
    return said


def blinds(said: Iterable[Event]) -> list[tuple[float, float, str]]:
    return [
        (
            round(e.from_at.timestamp() - us(0.0) / 1e6, 1),
            round(e.to_at.timestamp() - us(0.0) / 1e6, 1),
            e.reason,
        )
        for e in said
        if isinstance(e, Blind)
    ]


def test_a_cell_that_stops_answering_makes_its_bay_blind_and_nothing_is_counted() -> None:
    aggregator = watching(wide())

    said = told(aggregator, cell(0, TWO_TAKEN, 60.0), without(cell(1, TWO_TAKEN, 60.0), 15.0, 60.0))

    assert news(said) == [("A1", "blind")]
    assert changes(said) == []
    assert [level.stable for level in aggregator.levels()] == [False]


def test_what_changed_while_a_cell_was_silent_is_said_when_it_is_back() -> None:
    aggregator = watching(wide())

    said = told(aggregator, cell(0, TWO_TAKEN, 80.0), without(cell(1, TWO_TAKEN, 80.0), 15.0, 50.0))

    assert news(said) == [("A1", "blind"), ("A1", "ok")]
    assert changes(said) == [("A1", "offline_change", CAN.gtin, -2)]
    assert counted(aggregator) == {"A1": 10}
    ((from_s, to_s, words),) = blinds(said)
    assert words == "bay A1: cell 1 is silent"
    assert from_s == pytest.approx(14.9, abs=0.3)
    assert to_s == pytest.approx(51.2, abs=0.8)


def test_a_cell_that_says_a_fault_every_second_makes_its_bay_blind_until_it_weighs() -> None:
    aggregator = watching(wide())
    broken = without(cell(1, TWO_TAKEN, 70.0), 15.0, 40.0)

    said = told(aggregator, cell(0, TWO_TAKEN, 70.0), broken, faults(1, 15.0, 40.0))

    assert news(said) == [("A1", "blind"), ("A1", "ok")]
    assert changes(said) == [("A1", "offline_change", CAN.gtin, -2)]
    assert [(from_s, words) for from_s, _, words in blinds(said)] == [(15.0, "bay A1: cell 1: overload")]


def test_what_a_cell_says_between_its_faults_is_no_weight() -> None:
    """A module's status says an error once a second, and its weight goes on showing something."""
    aggregator = watching(wide())
    garbage = [(0.0, 1980.0), (15.0, 1650.0), (45.0, 1980.0)]

    said = told(aggregator, cell(0, WHOLE, 70.0), cell(1, garbage, 70.0), faults(1, 14.9, 45.0))

    assert news(said) == [("A1", "blind"), ("A1", "ok")]
    assert changes(said) == []


def test_a_bay_is_blind_until_the_last_of_its_cells_weighs_again() -> None:
    aggregator = watching(wide(4))
    whole = [cell(n, [(0.0, 990.0), (25.0, 825.0)], 100.0) for n in range(4)]
    whole[1] = without(whole[1], 15.0, 40.0)
    whole[3] = without(whole[3], 20.0, 70.0)

    said = told(aggregator, *whole, faults(1, 15.0, 40.0))

    assert news(said) == [("A1", "blind"), ("A1", "blind"), ("A1", "ok")]  # the second cell is said, too
    assert changes(said) == [("A1", "offline_change", CAN.gtin, -2)]
    ((from_s, to_s, words),) = blinds(said)
    assert (from_s, words) == (15.0, "bay A1: cell 1: overload; cell 3 is silent")
    assert to_s > 70.0


def test_a_foot_on_one_cell_is_not_worth_saying() -> None:
    aggregator = watching(wide())
    pressed = without(cell(1, TWO_TAKEN, 60.0), 15.0, 17.0)

    said = told(aggregator, cell(0, TWO_TAKEN, 60.0), pressed, faults(1, 15.0, 17.0), faults(1, 30.0, 32.0))

    assert news(said) == []
    assert changes(said) == [("A1", "ok", CAN.gtin, -2)]


@pytest.mark.parametrize("fault", ["overload", "not_a_number"])
def test_a_cell_that_never_weighed_is_said_of_too(fault: str) -> None:
    """So it is after a restart with a broken cable."""
    assert news(told(watching(wide()), cell(0, WHOLE, 150.0))) == [("A1", "blind")]
    assert news(told(watching(wide()), cell(0, WHOLE, 9.0), faults(1, 0.0, 9.0, fault))) == [("A1", "blind")]


def test_what_was_put_is_not_said_while_a_cell_is_missing() -> None:
    """It would have lasted fifteen seconds; but it may have been taken again meanwhile."""
    put = [(0.0, 1980.0), (10.0, 2145.0), (17.0, 1980.0)]
    aggregator = watching(wide())

    said = told(aggregator, cell(0, put, 80.0), without(cell(1, put, 80.0), 15.0, 50.0))

    assert changes(said) == []
    assert news(said) == [("A1", "blind"), ("A1", "ok")]


def test_what_has_lasted_is_not_said_while_a_cell_is_missing_for_some_seconds() -> None:
    """It is due at 26 s, and taken again at 28 s."""
    put = [(0.0, 1980.0), (10.0, 2145.0), (28.0, 1980.0)]

    said = told(watching(wide()), cell(0, put, 60.0), without(cell(1, put, 60.0), 24.5, 31.0))

    assert changes(said) == []
    assert news(said) == []


def test_what_changed_while_a_cell_was_blind_for_some_seconds_may_be_drift_too() -> None:
    """A cell that was overloaded, or off, comes back with another zero: it is held against the last rest."""
    broken = without(cell(1, TWO_TAKEN, 60.0), 18.0, 25.0)

    said = told(watching(wide()), cell(0, TWO_TAKEN, 60.0), broken, faults(1, 18.0, 25.0))

    assert news(said) == [("A1", "blind"), ("A1", "ok")]
    assert changes(said) == [("A1", "offline_change", CAN.gtin, -2)]


def test_a_change_that_was_not_said_before_a_cell_died_is_said_from_when_it_began() -> None:
    """A unit is put, and before it has lasted a cell falls silent."""
    put = [(0.0, 1980.0), (10.0, 2145.0), (30.0, 2310.0)]
    said = told(watching(wide()), cell(0, put, 80.0), without(cell(1, put, 80.0), 15.0, 50.0))

    (event,) = [event for event in said if isinstance(event, ShelfChange)]
    assert (event.outcome.value, event.units) == ("offline_change", 2)
    assert event.from_at.timestamp() - us(0.0) / 1e6 == pytest.approx(10.0, abs=0.5)
    assert event.to_at.timestamp() - us(0.0) / 1e6 >= 50.0


def test_a_person_who_counts_while_a_cell_is_missing_is_held_against_the_next_rest() -> None:
    aggregator = watching(wide())
    told(aggregator, cell(0, TWO_TAKEN, 30.0), without(cell(1, TWO_TAKEN, 30.0), 15.0, 30.0))

    aggregator.order(Confirm(shelf=SHELF, bay="A1", counts={CAN.gtin: 10}), ms(30.0), us(30.0))
    said = told(
        aggregator,
        [each for each in cell(0, TWO_TAKEN, 60.0) if each.at_us >= us(30.0)],
        [each for each in cell(1, TWO_TAKEN, 60.0) if each.at_us >= us(30.0)],
    )

    assert changes(said) == []
    assert counted(aggregator) == {"A1": 10}


@pytest.mark.parametrize("hz, other_hz", [(10.0, 10.0), (80.0, 10.0), (10.0, 1.0), (0.5, 0.5), (1.0, 0.1)])
def test_cells_of_a_bay_may_answer_in_turn_and_at_their_own_pace(hz: float, other_hz: float) -> None:
    aggregator = watching(wide())
    to_s = 60.0 + 20.0 / min(hz, other_hz)
    taken = [(0.0, 1980.0), (to_s / 2, 1815.0)]
    later_us = round(0.4e6 / other_hz)
    other = [
        WeightSample(at_us=each.at_us + later_us, shelf=SHELF, cell=1, grams=each.grams)
        for each in cell(1, taken, to_s, other_hz)
    ]

    said = told(aggregator, cell(0, taken, to_s, hz), other)

    assert news(said) == []
    assert changes(said) == [("A1", "ok", CAN.gtin, -1)]
    assert counted(aggregator) == {"A1": 11}


def test_a_slow_cell_is_waited_for_before_half_of_a_change_is_taken_for_the_whole() -> None:
    """Cell 1 speaks every six seconds: what cell 0 shows at once is half of two units, and not one."""
    aggregator = watching(wide())
    taken = [(0.0, 1980.0), (60.3, 1650.0)]

    said = told(aggregator, cell(0, taken, 120.0), cell(1, taken, 120.0, 1 / 6))

    assert changes(said) == [("A1", "ok", CAN.gtin, -2)]


def test_a_cell_that_is_silent_does_not_blind_the_bay_beside_it() -> None:
    aggregator = watching(shelf_of([CAN], [CAN]))

    said = told(aggregator, cell(0, TWO_TAKEN, 60.0), without(cell(1, WHOLE, 60.0), 15.0, 60.0))

    assert news(said) == [("A2", "blind")]
    assert changes(said) == [("A1", "ok", CAN.gtin, -1)]


@pytest.mark.parametrize("told_down", [True, False])
def test_a_shelf_that_was_away_as_a_whole_is_not_blind_when_it_comes_back(told_down: bool) -> None:
    """Its cells come back one after the other."""
    aggregator = watching(wide())
    told(aggregator, cell(0, WHOLE, 20.0), cell(1, WHOLE, 20.0))
    if told_down:
        aggregator.device_down(SHELF, ms(20.0), us(20.0), "unplugged")
        aggregator.device_up(SHELF, ms(300.0), us(300.0))

    said = told(
        aggregator,
        [each for each in cell(0, TWO_TAKEN, 340.0) if each.at_us >= us(300.0)],
        [each for each in cell(1, TWO_TAKEN, 340.0) if each.at_us >= us(303.0)],
    )

    assert news(said) == []
    assert changes(said) == [("A1", "offline_change", CAN.gtin, -2)]
