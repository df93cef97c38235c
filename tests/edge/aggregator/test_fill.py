"""How full a bay is, of one kind of goods and of several."""

from dataclasses import replace

import pytest

from edge.aggregator.fill import fill, fraction
from edge.aggregator.orders import Assign, Confirm
from edge.aggregator.place import Bay, Part
from edge.aggregator.shelf import Shelf
from tests.support.shelf_scene import (
    CAN,
    JAR,
    SHELF,
    after,
    counted,
    fed,
    ms,
    shelf_of,
    states,
    stream,
    us,
    watching,
)
from wire.events import BayFill, Event, Fill

ALONE = Bay(name="A1", cells=(0,), items=(CAN,), capacity=24)
BOTH = Bay(name="A1", cells=(0,), items=(CAN, JAR), capacity=24)


def states_of(bay: Bay, *counts: tuple[int, int]) -> list[tuple[Fill, Fill]]:
    said = [{CAN.gtin: cans, JAR.gtin: jars} for cans, jars in counts]
    return [(fill(CAN.gtin, some, bay), fill(JAR.gtin, some, bay)) for some in said]


def filled(said: list[Event]) -> list[tuple[str | None, int | None, int | None, float | None, str]]:
    return [
        (event.item, event.units, event.capacity, event.fraction, event.state.value)
        for event in said
        if isinstance(event, BayFill)
    ]


def test_of_one_kind() -> None:
    few = replace(ALONE, low=2)

    assert [fill(CAN.gtin, {CAN.gtin: n}, ALONE) for n in (0, 5, 6, 23, 24)] == [
        Fill.OUT, Fill.LOW, Fill.OK, Fill.OK, Fill.FULL,
    ]  # fmt: skip
    assert [fill(CAN.gtin, {CAN.gtin: n}, few) for n in (1, 2)] == [Fill.LOW, Fill.OK]
    assert fill(CAN.gtin, None, ALONE) is Fill.UNKNOWN
    assert (fraction(CAN.gtin, 6, ALONE), fraction(CAN.gtin, None, ALONE)) == (0.25, None)


def test_several_kinds_share_the_room_and_are_full_where_nothing_more_fits() -> None:
    assert states_of(BOTH, (12, 2), (3, 11), (0, 24), (20, 4), (22, 2)) == [
        (Fill.FULL, Fill.LOW),  # twelve are a half
        (Fill.OK, Fill.OK),
        (Fill.OUT, Fill.FULL),
        (Fill.FULL, Fill.FULL),
        (Fill.FULL, Fill.LOW),  # few of them are few, however full the bay is
    ]


def test_each_kind_has_its_own_low_and_capacity() -> None:
    bay = replace(BOTH, parts={CAN.gtin: Part(capacity=18, low=10), JAR.gtin: Part(low=2)})

    assert states_of(bay, (9, 1), (10, 2), (17, 6), (18, 5)) == [
        (Fill.LOW, Fill.LOW),
        (Fill.OK, Fill.OK),
        (Fill.OK, Fill.FULL),  # six are what the cans leave
        (Fill.FULL, Fill.OK),
    ]
    assert (fraction(CAN.gtin, 9, bay), fraction(JAR.gtin, 6, bay)) == (0.5, 0.25)


def test_what_is_said_of_a_kind_with_figures_of_its_own() -> None:
    bays = (replace(BOTH, parts={JAR.gtin: Part(capacity=4, low=3, facings=2)}),)
    aggregator = watching(Shelf(name=SHELF, bays=bays))
    grams = 10 * CAN.unit_grams + 3 * JAR.unit_grams
    aggregator.device_up(SHELF, 0, 0)
    said = fed(aggregator, stream([(0.0, 0.0), (10.0, 10 * 330.0)], to_s=40.0))
    said += fed(
        aggregator, after(stream([(0.0, 3300.0), (10.0, grams), (50.0, grams - 505.0)], to_s=80.0), 40.0)
    )

    jars = [each for each in filled(said) if each[0] == JAR.gtin]
    assert jars == [
        (JAR.gtin, 0, 4, 0.0, "out"),
        (JAR.gtin, 3, 4, 0.75, "ok"),
        (JAR.gtin, 2, 4, 0.5, "low"),
    ]
    assert {event.facings for event in said if isinstance(event, BayFill) and event.item == JAR.gtin} == {2}
    assert {(level.item, level.fraction) for level in aggregator.levels()} == {
        (CAN.gtin, 0.417),
        (JAR.gtin, 0.5),
    }


@pytest.mark.parametrize("heavier", [False, True])
def test_other_figures_for_the_same_goods_leave_their_count_alone(heavier: bool) -> None:
    """What a person counted, other than the weight says, holds under a new limit, and not with another weight."""
    aggregator = watching(shelf_of([CAN]))
    fed(aggregator, stream([(0.0, 20 * 330.0)], to_s=10.0))
    aggregator.order(Confirm(shelf=SHELF, bay="A1", counts={CAN.gtin: 21}), ms(10.2), us(10.2))
    can = replace(CAN, unit_cv=0.02, unit_grams=CAN.unit_grams * (1.27 if heavier else 1.0))

    said = aggregator.order(
        Assign(shelf=SHELF, bay="A1", items=(can,), capacity=24, low=22), ms(10.5), us(10.5)
    )
    said += fed(aggregator, after(stream([(0.0, 20 * 330.0)], to_s=10.0), 11.0))

    assert counted(aggregator) == {"A1": 16 if heavier else 21}
    assert filled(said)[-1][4] == "low"
    assert states(said) == []


def test_figures_that_were_assigned_are_kept_over_a_restart() -> None:
    first = watching(shelf_of([CAN, JAR]))
    order = Assign(shelf=SHELF, bay="A1", items=(CAN, JAR), capacity=24, parts={JAR.gtin: Part(low=1)})
    first.order(order, ms(0.0), us(0.0))
    second = watching(shelf_of([CAN, JAR]))
    second.restore(first.changed_state())

    said = fed(second, stream([(0.0, 0.0), (10.0, 505.0)], to_s=40.0))

    assert filled(said)[-1] == (JAR.gtin, 1, 24, 0.042, "ok")  # of itself, fewer than three would be few
