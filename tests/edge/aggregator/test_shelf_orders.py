"""What a person or the cloud orders of a shelf."""

from dataclasses import replace

import pytest

from edge.aggregator.aggregator import Aggregator
from edge.aggregator.conditions import Conditions
from edge.aggregator.moments import moment
from edge.aggregator.orders import (
    Assign,
    Calibrate,
    Confirm,
    Crosstalk,
    Order,
    OrderError,
    Resume,
    Serve,
    Zero,
)
from edge.reads import Scale, WeightFault
from tests.support.shelf_scene import (
    CAN,
    JAR,
    SHELF,
    after,
    changes,
    counted,
    fed,
    ms,
    shelf_of,
    states,
    stream,
    us,
    watching,
)
from wire.events import BayState, Condition, Event


def ordered(aggregator: Aggregator, order: Order, seconds: float) -> list[Event]:
    return aggregator.order(order, ms(seconds), us(seconds))


def begun(grams: float = 6600.0) -> Aggregator:
    aggregator = watching(shelf_of([CAN]))
    fed(aggregator, stream([(0.0, grams)], to_s=10.0))
    return aggregator


def test_in_service_nothing_is_said_and_afterwards_the_weight_is_believed() -> None:
    aggregator = begun()
    said = ordered(aggregator, Serve(shelf=SHELF, bay="A1", until_ms=ms(600.0)), 10.5)
    (state,) = [event for event in said if isinstance(event, BayState)]
    assert (state.state.value, state.until and state.until.timestamp() * 1e6) == ("service", us(600.0))

    assert changes(fed(aggregator, after(stream([(0.0, 0.0), (20.0, 3300.0)], to_s=40.0), 11.0))) == []
    said = ordered(aggregator, Resume(shelf=SHELF, bay="A1"), 52.0)
    said += fed(aggregator, after(stream([(0.0, 3300.0), (10.0, 2970.0)], to_s=30.0), 52.0))

    assert states(said) == [("A1", "ok")]
    assert changes(said) == [("A1", "ok", CAN.gtin, -1)]
    assert counted(aggregator) == {"A1": 9}


def test_service_ends_by_itself() -> None:
    aggregator = begun()
    ordered(aggregator, Serve(shelf=SHELF, bay="A1", until_ms=ms(30.0)), 10.5)

    said = fed(aggregator, after(stream([(0.0, 3300.0)], to_s=40.0), 11.0))

    assert states(said) == [("A1", "ok")]
    assert counted(aggregator) == {"A1": 10}


def test_service_is_kept_over_a_restart() -> None:
    first = begun()
    ordered(first, Serve(shelf=SHELF, bay="A1", until_ms=ms(600.0)), 10.5)
    second = watching(shelf_of([CAN]))
    second.restore(first.changed_state())

    said = fed(second, after(stream([(0.0, 3300.0)], to_s=20.0), 20.0))

    (state,) = said
    assert isinstance(state, BayState)
    assert (state.state.value, state.until) == ("service", moment(us(600.0)))


def test_other_goods_are_counted_from_then_on_and_after_a_restart_too() -> None:
    first = begun(5050.0)
    ordered(first, Assign(shelf=SHELF, bay="A1", items=(JAR,), capacity=12), 10.5)
    fed(first, after(stream([(0.0, 5050.0)], to_s=5.0), 11.0))
    assert counted(first) == {"A1": 10}
    second = watching(shelf_of([CAN]))
    second.restore(first.changed_state())

    said = fed(second, after(stream([(0.0, 5050.0), (10.0, 4545.0)], to_s=30.0), 20.0))

    assert changes(said) == [("A1", "ok", JAR.gtin, -1)]


def test_a_person_says_how_many_stand_there() -> None:
    aggregator = begun(495.0)
    assert counted(aggregator) == {"A1": None}

    said = ordered(aggregator, Confirm(shelf=SHELF, bay="A1", counts={CAN.gtin: 1}), 10.5)

    assert states(said) == [("A1", "ok")]
    assert changes(said) == []
    said = fed(aggregator, after(stream([(0.0, 495.0), (10.0, 165.0)], to_s=30.0), 11.0))
    assert changes(said) == [("A1", "ok", CAN.gtin, -1)]
    assert counted(aggregator) == {"A1": 0}


def test_a_cell_that_cannot_weigh_is_said_before_the_next_rest_too() -> None:
    """After service nothing is known until it rests; that it cannot rest must not wait for that."""
    aggregator = begun()
    ordered(aggregator, Serve(shelf=SHELF, bay="A1", until_ms=ms(600.0)), 10.5)
    ordered(aggregator, Resume(shelf=SHELF, bay="A1"), 11.0)

    said: list[Event] = []
    for n in range(40):
        fault = WeightFault(at_us=us(12.0 + n / 4), shelf=SHELF, cell=0, fault="overload")
        said += aggregator.observe(fault, ms(12.0 + n / 4))
    assert states(said) == [("A1", "blind")]

    said = fed(aggregator, after(stream([(0.0, 3300.0)], to_s=10.0), 23.0))
    assert states(said) == [("A1", "ok")]


def test_another_reason_to_doubt_is_said() -> None:
    """The task that a person reads must not tell of what is long over."""
    conditions = Conditions()

    said = [conditions.news(doubt) for doubt in ("12 were counted", "12 were counted", "14 were counted", "")]

    assert said == [
        (Condition.UNCERTAIN, "12 were counted"), None, (Condition.UNCERTAIN, "14 were counted"), (Condition.OK, ""),
    ]  # fmt: skip


def test_a_confirmation_settles_that_another_scale_weighs() -> None:
    aggregator = watching(shelf_of([CAN]))
    aggregator.observe(Scale(at_us=us(0.0), shelf=SHELF, serial="1127"), ms(0.0))
    fed(aggregator, stream([(0.0, 6600.0)], to_s=10.0))
    aggregator.observe(Scale(at_us=us(10.5), shelf=SHELF, serial="4711"), ms(10.5))
    fed(aggregator, after(stream([(0.0, 6640.0)], to_s=10.0), 11.0))

    said = ordered(aggregator, Confirm(shelf=SHELF, bay="A1", counts={CAN.gtin: 20}), 22.0)
    said += aggregator.observe(Scale(at_us=us(23.0), shelf=SHELF, serial="4711"), ms(23.0))
    said += fed(aggregator, after(stream([(0.0, 6640.0), (10.0, 6310.0)], to_s=30.0), 23.0))

    assert states(said) == [("A1", "ok")]
    assert changes(said) == [("A1", "ok", CAN.gtin, -1)]


def test_an_empty_bay_is_zeroed_and_its_tare_kept() -> None:
    first = begun(40.0)
    ordered(first, Zero(shelf=SHELF, bay="A1"), 10.5)
    assert counted(first) == {"A1": 0}
    second = watching(shelf_of([CAN]))
    second.restore(first.changed_state())

    said = fed(second, after(stream([(0.0, 40.0), (10.0, 370.0)], to_s=50.0), 20.0))

    assert changes(said) == [("A1", "ok", CAN.gtin, 1)]
    (level,) = second.levels()
    assert level.grams == pytest.approx(330.0, abs=1.0)


def test_a_calibration_changes_what_is_weighed_and_not_what_stands_there() -> None:
    """The device shows 2 % too much; from the calibration on it is put right, and nothing was taken."""
    aggregator = begun(6600.0 * 1.02)
    order = Calibrate(shelf=SHELF, cell=0, factor=1 / 1.02, offset_grams=0.0)
    said = ordered(aggregator, order, 10.5)
    said += fed(aggregator, after(stream([(0.0, 6600.0 * 1.02), (10.0, 6270.0 * 1.02)], to_s=30.0), 11.0))

    assert changes(said) == [("A1", "ok", CAN.gtin, -1)]
    (level,) = aggregator.levels()
    assert level.grams == pytest.approx(6270.0, abs=2.0)


def test_crosstalk_that_is_measured_later_changes_nothing_that_stands_there() -> None:
    aggregator = watching(shelf_of([CAN], [CAN]))
    first, second = [(0.0, 3300.0)], [(0.0, 6600.0 + 66.0)]
    fed(aggregator, stream(first, second, to_s=10.0))

    said = ordered(aggregator, Crosstalk(shelf=SHELF, matrix={(0, 1): 0.02}), 10.5)
    said += fed(aggregator, after(stream(first, second, to_s=10.0), 11.0))

    assert changes(said) == []
    assert counted(aggregator) == {"A1": 10, "A2": 20}


@pytest.mark.parametrize(
    "order, says",
    [
        (Resume(shelf="aisle-9", bay="A1"), "'aisle-9' is not in the configuration; its shelves: aisle-1"),
        (Resume(shelf=SHELF, bay="B7"), "no bay 'B7'; its bays: A1"),
        (Resume(shelf=SHELF, bay="A1"), "not in service"),
        (Serve(shelf=SHELF, bay="A1", until_ms=0), "before it begins"),
        (Confirm(shelf=SHELF, bay="A1", counts={JAR.gtin: 1}), "does not hold 09506000211008"),
        (Confirm(shelf=SHELF, bay="A1", counts={CAN.gtin: -1}), "-1 of 09506000134352 cannot stand there"),
        (Assign(shelf=SHELF, bay="A1", items=(CAN, CAN)), "named twice"),
        (Assign(shelf=SHELF, bay="A1", items=(replace(CAN, unit_grams=0.0),)), "weighs more than 0.0 g"),
        (Assign(shelf=SHELF, bay="A1", items=(CAN,), capacity=0), "at least 1, not 0"),
        (Calibrate(shelf=SHELF, cell=9, factor=1.0, offset_grams=0.0), "no cell 9; its cells: 0"),
        (Calibrate(shelf=SHELF, cell=0, factor=0.0, offset_grams=0.0), "the factor not 0"),
        (Crosstalk(shelf=SHELF, matrix={(0, 0): 0.1}), "two different cells"),
        (Crosstalk(shelf=SHELF, matrix={(0, 3): 0.1}), "two different cells"),
    ],
)
def test_what_does_not_fit_is_refused_in_words_and_changes_nothing(order: Order, says: str) -> None:
    aggregator = begun()
    aggregator.changed_state()

    with pytest.raises(OrderError, match=says):
        ordered(aggregator, order, 10.5)

    assert aggregator.changed_state() == {}
    assert counted(aggregator) == {"A1": 20}


def test_a_bay_that_moves_cannot_be_zeroed() -> None:
    aggregator = begun()
    moving = [(n / 10, 100.0 * (n % 7)) for n in range(50)]
    fed(aggregator, after(stream(moving, to_s=5.0), 10.0))

    with pytest.raises(OrderError, match="not at rest"):
        ordered(aggregator, Zero(shelf=SHELF, bay="A1"), 15.0)
