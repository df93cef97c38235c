"""How long a shelf waits before it says something, and what it makes of what lies there for long."""

import pytest

from edge.aggregator.hypotheses import Around, explain
from edge.aggregator.orders import Serve
from edge.aggregator.standing import Thing
from edge.aggregator.steps import HELD_MS, OPEN_MS
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
    stream,
    us,
    watching,
)

BAG = 940.0  # nearly three cans


def test_a_bag_that_is_taken_along_within_a_minute_is_not_said() -> None:
    weights = [(0.0, 3300.0), (10.0, 3300.0 + BAG), (10.0 + OPEN_MS / 1000 - 4.0, 3300.0)]

    aggregator = watching(shelf_of([CAN]))
    said = fed(aggregator, stream(weights, to_s=140.0))

    assert changes(said) == []
    assert counted(aggregator) == {"A1": 10}


def test_of_a_crate_that_is_emptied_within_a_minute_its_goods_are_counted() -> None:
    crate = 1500.0  # with 8 cans: 12.5 cans
    weights = [(0.0, 1650.0), (10.0, 1650.0 + crate + 8 * 330.0), (45.0, 1650.0 + 8 * 330.0)]

    aggregator = watching(shelf_of([CAN]))
    said = fed(aggregator, stream(weights, to_s=100.0))

    assert changes(said) == [("A1", "ok", CAN.gtin, 8)]
    assert counted(aggregator) == {"A1": 13}


def test_a_hand_that_presses_unevenly_has_gone_and_took_nothing() -> None:
    weights = [(0.0, 3300.0), (10.0, 3300.0 + 830.0), (16.0, 3300.0 + 815.0), (20.0, 3300.0 - 6.0)]

    aggregator = watching(shelf_of([CAN]))
    said = fed(aggregator, stream(weights, to_s=100.0))

    assert changes(said) == []
    assert counted(aggregator) == {"A1": 10}


@pytest.mark.parametrize(("age_s", "outcome"), [(30.0, "ambiguous"), (900.0, "ok")])
def test_the_longer_a_doubtful_thing_lies_there_the_less_it_is_expected_to_go(
    age_s: float, outcome: str
) -> None:
    """It weighs nearly what a can does."""
    thing = Thing(329.0, put_ms=0, goods=0.8, open=True)

    answer = explain(-329.5, 0.5, [CAN], None, 24, Around(lying=(thing.known(round(age_s * 1000)),)))

    assert answer.outcome.value == outcome


def test_what_was_doubtful_goods_for_long_is_goods_and_the_level_says_so() -> None:
    light = 300.0
    aggregator = watching(shelf_of([CAN]))
    said = fed(aggregator, stream([(0.0, 3300.0), (20.0, 3300.0 + light)], to_s=150.0))
    assert ([each[1] for each in changes(said)], counted(aggregator)) == (["ambiguous"], {"A1": None})
    said = fed(aggregator, after(stream([(0.0, 3300.0 + light), (5.0, 2970.0 + light)], to_s=20.0), 1200.0))

    assert changes(said) == [("A1", "ok", CAN.gtin, -1)]
    assert counted(aggregator) == {"A1": 10}


def test_too_little_to_be_goods_is_not_said_until_it_adds_up() -> None:
    bits = [(30.0 * n, 3300.0 + 35.0 * n) for n in range(1, 5)]  # a tenth of a can each

    said = fed(watching(shelf_of([CAN])), stream([(0.0, 3300.0), *bits], to_s=260.0))

    assert [each[1] for each in changes(said)] == ["unknown_mass"]


def test_one_kind_for_another_waits_as_goods_lifted_halfway_look_like_it() -> None:
    lifted = [(0.0, 8350.0), (10.0, 8350.0 - 175.0), (10.0 + HELD_MS / 1000 - 4.0, 8350.0)]

    aggregator = watching(shelf_of([CAN, JAR]))
    said = fed(aggregator, stream(lifted, to_s=60.0))

    assert changes(said) == []


def test_what_is_provisional_is_said_before_service() -> None:
    aggregator = watching(shelf_of([CAN]))
    said = fed(aggregator, stream([(0.0, 3300.0), (10.0, 3960.0)], to_s=15.0))
    assert changes(said) == []

    said = aggregator.order(Serve(shelf=SHELF, bay="A1", until_ms=ms(600.0)), ms(15.5), us(15.5))

    assert changes(said) == [("A1", "ok", CAN.gtin, 2)]


def test_what_fitted_nothing_is_no_goods_because_room_was_made_meanwhile() -> None:
    """A crate and its goods weigh 13 units together, more than fit; then it goes, in two parts that fit nothing."""
    weights = [(0.0, 14 * 330.0), (10.0, 27 * 330.0), (30.0, 27 * 330.0 - 1770.0)]

    said = fed(watching(shelf_of([CAN], capacity=24)), stream(weights, to_s=120.0))

    assert all(units is None or units < 13 for _, _, _, units in changes(said))
