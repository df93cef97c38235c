"""A scale that weighs by another factor than it did is said, and nothing is counted by it."""

import re
from random import Random

import pytest

from edge.aggregator.aggregator import Aggregator
from edge.aggregator.orders import Calibrate, Confirm
from edge.aggregator.shelf import Shelf
from edge.aggregator.span import Moves, Reading, common
from tests.support.shelf_scene import (
    CAN,
    JAR,
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
from wire.events import BayState, Change, Event, ShelfChange

OFF_S = 600.0


def booked(said: list[Event]) -> list[tuple[str, int | None]]:
    sure = (Change.OK, Change.OFFLINE_CHANGE)
    return [
        (e.bay, e.units)
        for e in said
        if isinstance(e, ShelfChange) and e.outcome in sure and e.item is not None
    ]


def words(said: list[Event], bay: str = "A1") -> str:
    return " / ".join(e.reason for e in said if isinstance(e, BayState) and e.bay == bay)


def weights(*gross: float, first_s: float = 0.0, every_s: float = 20.0) -> list[tuple[float, float]]:
    return [(first_s + n * every_s, grams) for n, grams in enumerate(gross)]


def off_and_on(shelf: Shelf, before: list[float], now: list[float]) -> tuple[Aggregator, list[Event]]:
    """The agent and the scale go, and come back after `OFF_S`."""
    first = watching(shelf)
    fed(first, stream(*([(0.0, grams)] for grams in before), to_s=20.0))
    second = watching(shelf)
    second.restore(first.changed_state())
    return second, fed(second, after(stream(*([(0.0, grams)] for grams in now), to_s=30.0), 20.0 + OFF_S))


def picks(gross: float, unit: float, number: int, seed: int = 1, cv: float = 0.01) -> list[float]:
    rng, found = Random(seed), [gross]
    for _ in range(number):
        found.append(found[-1] - unit * (1 + rng.gauss(0.0, cv)))
    return found


# While nobody weighed


def test_a_weight_that_no_goods_explain_after_a_gap_asks_for_a_person_and_counts_nothing() -> None:
    again, said = off_and_on(shelf_of([CAN]), [3300.0], [3300.0 * 0.86])

    assert states(said) == [("A1", "needs_check")]
    assert changes(said) == [("A1", "offline_change", None, None)]
    for what in ("3300 g", "2838 g", "0.86 times", "sensor or board exchanged", "calibrate it"):
        assert what in words(said)

    said = fed(again, after(stream(weights(2838.0, 2838.0 - 284.0, 2838.0 - 568.0), to_s=60.0), 60.0 + OFF_S))
    assert booked(said) == []


def test_the_old_sensor_is_believed_again() -> None:
    again, _ = off_and_on(shelf_of([CAN]), [3300.0], [3300.0 * 0.86])

    said = fed(again, after(stream([(0.0, 3300.0)], to_s=30.0), 60.0 + OFF_S))

    assert states(said) == [("A1", "ok")]
    assert counted(again) == {"A1": 10}


def test_a_weight_that_is_whole_units_from_the_old_one_does_not_make_a_strange_sensor_believed() -> None:
    again, said = off_and_on(shelf_of([CAN]), [3300.0], [3300.0 * 0.75])
    assert states(said) == [("A1", "needs_check")]

    said = fed(again, after(stream([(0.0, 3300.0 - 330.0)], to_s=30.0), 60.0 + OFF_S))

    assert ("A1", "ok") not in states(said)
    assert booked(said) == []


@pytest.mark.parametrize("units", [-3, -1, 1, 2])
def test_what_was_taken_or_put_while_nobody_weighed_is_counted(units: int) -> None:
    again, said = off_and_on(shelf_of([CAN]), [3300.0], [3300.0 + 330.0 * units])

    assert booked(said) == [("A1", units)]
    assert news(said) == []
    assert counted(again) == {"A1": 10 + units}


def test_a_short_gap_is_too_short_to_exchange_a_sensor() -> None:
    aggregator = watching(shelf_of([CAN]))
    fed(aggregator, stream([(0.0, 3300.0)], to_s=20.0))

    said = fed(aggregator, after(stream([(0.0, 3420.0)], to_s=30.0), 32.0))

    assert "needs_check" not in dict(states(said)).values()


def test_bays_that_all_weigh_so_many_times_as_much_are_a_board_though_units_would_explain_each() -> None:
    gross = [3300.0, 10 * 505.0, 3960.0]  # 10, 10 and 12 units; by a factor of 2 so many have come to each

    _, said = off_and_on(shelf_of([CAN], [JAR], [CAN], capacity=30), gross, [2 * grams for grams in gross])

    assert sorted(states(said)) == [("A1", "needs_check"), ("A2", "needs_check"), ("A3", "needs_check")]
    assert booked(said) == []
    assert re.search("3 bays of this shelf weigh (1.99|2.00) times what they did", words(said))


def test_sales_of_several_bays_while_nobody_weighed_are_counted() -> None:
    _, said = off_and_on(
        shelf_of([CAN], [JAR], [CAN]), [3300.0, 5050.0, 3960.0], [2970.0, 5050.0 - 3 * 505.0, 3960.0 + 330.0]
    )

    assert sorted(booked(said)) == [("A1", -1), ("A2", -3), ("A3", 1)]
    assert news(said) == []


def test_one_factor_needs_two_bays() -> None:
    one = Reading(before=3300.0, after=6600.0, noise=5.0, evidence=1e-9, changed=True)

    assert common([one], unwatched=True) is None
    found = common([one, Reading(5050.0, 10_100.0, 7.0, 1e-9, changed=True)], unwatched=True)
    assert found is not None
    assert found[0] == pytest.approx(2.0, rel=0.005)
    assert found[1] > 0.9
    still = Reading(5050.0, 5050.0, 7.0, 1e-9, changed=False)
    found = common([one, Reading(5050.0, 10_100.0, 7.0, 1e-9, changed=True), still], unwatched=True)
    assert found is not None


# While it weighs


@pytest.mark.parametrize("factor", [0.7, 0.8, 1.13, 1.3, 1.6])
def test_moves_that_agree_at_another_factor_are_said_after_a_few(factor: float) -> None:
    aggregator = watching(shelf_of([CAN]))
    gross = picks(3300.0 * factor, 330.0 * factor, 6)

    said = fed(aggregator, stream(weights(*gross), to_s=150.0))

    assert ("A1", "needs_check") in states(said)
    assert f"about {factor:.1f}"[:-1] in words(said)
    assert "times what its goods weigh" in words(said)
    checked = next(
        n for n, e in enumerate(said) if isinstance(e, BayState) and e.state.value == "needs_check"
    )
    assert booked(said[checked:]) == []


@pytest.mark.parametrize("factor", [0.96, 1.0, 1.04])
def test_another_batch_is_counted(factor: float) -> None:
    aggregator = watching(shelf_of([CAN]))

    said = fed(aggregator, stream(weights(*picks(3300.0, 330.0 * factor, 6)), to_s=150.0))

    assert [units for _, units in booked(said)] == [-1] * 6
    assert ("A1", "needs_check") not in states(said)


def test_two_at_a_time_are_two() -> None:
    aggregator = watching(shelf_of([CAN]))
    aggregator.order(Confirm(shelf=SHELF, bay="A1", counts={CAN.gtin: 20}), ms(0.0), us(0.0))

    said = fed(aggregator, stream(weights(*picks(6600.0, 660.0, 6, cv=0.007)), to_s=150.0))

    assert [units for _, units in booked(said)] == [-2] * 6
    assert ("A1", "needs_check") not in states(said)


def test_a_bag_that_comes_and_goes_is_no_factor() -> None:
    aggregator = watching(shelf_of([CAN]))
    gross = [3300.0, *([3300.0 + 429.0, 3300.0] * 5)]

    said = fed(aggregator, stream(weights(*gross, every_s=30.0), to_s=330.0))

    assert "needs_check" not in dict(states(said)).values()
    assert booked(said) == []


def test_what_went_again_is_not_looked_at() -> None:
    moves = Moves()
    moves.add(
        (429.0,), 0.5, [CAN], at_ms=0, gross=3729.0, evidence=1e-4, neither=1e-4, unwatched=False, before={}
    )
    assert moves.before is not None

    moves.went(300.0, slack=4.0)
    assert moves.before is not None
    moves.went(428.0, slack=4.0)
    assert moves.before is None


def test_a_jump_that_nothing_explains_makes_the_moves_after_it_tell_sooner() -> None:
    factor, before = 1.27, [3300.0, 2970.0, 2640.0]
    later = picks(2640.0 * factor, 330.0 * factor, 3)
    aggregator = watching(shelf_of([CAN]))

    said = fed(aggregator, stream(weights(*before, *later), to_s=150.0))

    assert booked(said) == [("A1", -1)] * 2
    assert ("A1", "needs_check") in states(said)


def test_a_scale_that_weighs_wrong_teaches_nobody_what_a_unit_weighs() -> None:
    aggregator = watching(shelf_of([CAN], [CAN]))
    fed(aggregator, stream([(0.0, 3300.0)], [(0.0, 3300.0)], to_s=10.0))
    wrong = picks(3300.0, 330.0 * 1.1, 8)

    said = fed(aggregator, after(stream(weights(*wrong), [(0.0, 3300.0)], to_s=180.0), 10.0))

    assert booked(said)[0] == ("A1", -1)  # as heavy as a unit may be, and so it was learned from
    assert ("A1", "needs_check") in states(said)
    assert aggregator._scales.goods.known([CAN])[0].unit_grams == pytest.approx(330.0, rel=0.001)


# A new calibration


def calibrated(factor: float) -> tuple[Aggregator, list[Event]]:
    aggregator = watching(shelf_of([CAN]))
    fed(aggregator, stream([(0.0, 3300.0)], to_s=10.0))
    order = Calibrate(shelf=SHELF, cell=0, factor=factor, offset_grams=0.0)
    said = aggregator.order(order, ms(11.0), us(11.0))
    return aggregator, said + fed(aggregator, after(stream(weights(3300.0, 2970.0), to_s=40.0), 12.0))


def test_a_calibration_by_which_the_goods_no_longer_fit_counts_nothing_until_somebody_has_said_yes() -> None:
    aggregator, said = calibrated(2.0)

    assert states(said) == [("A1", "needs_check")]
    assert booked(said) == []
    for what in ("it weighs 6600 g", "it weighed 3300 g", "10 units", "was the mass what was entered?"):
        assert what in words(said)

    said = aggregator.order(Confirm(shelf=SHELF, bay="A1", counts={CAN.gtin: 9}), ms(55.0), us(55.0))
    assert states(said) == [("A1", "ok")]


def test_a_calibration_that_corrects_a_little_is_taken() -> None:
    aggregator, said = calibrated(1.004)

    assert states(said) == []
    assert booked(said) == [("A1", -1)]
    assert counted(aggregator) == {"A1": 9}


def test_after_a_gap_bays_that_rest_at_different_times_are_waited_for() -> None:
    gross, shelf = [5050.0, 0.0, 3960.0], shelf_of([JAR], [CAN], [CAN], capacity=30)
    first = watching(shelf)
    fed(first, stream(*([(0.0, grams)] for grams in gross), to_s=20.0))
    second = watching(shelf)
    second.restore(first.changed_state())
    late = [(0.4 * n, 2 * 3960.0 + 30.0 * (-1) ** n) for n in range(4)]
    now = [[(0.0, 10_100.0)], [(0.0, 0.0)], [*late, (1.6, 2 * 3960.0)]]

    said = fed(second, after(stream(*now, to_s=30.0), 20.0 + OFF_S))

    assert sorted(news(said)) == [("A1", "needs_check"), ("A3", "needs_check")]
    assert booked(said) == []
