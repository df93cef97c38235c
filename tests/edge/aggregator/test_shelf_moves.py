"""Goods that come back, go astray, or stand across two bays; hands and bags; what one bay shows on the next."""

import numpy as np
import pytest

from edge.aggregator.orders import Confirm
from tests.support.shelf_scene import (
    CAN,
    JAR,
    SHELF,
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
from wire.events import BayState, ShelfChange


def test_what_was_taken_and_is_put_back_is_two_changes_and_the_second_does_not_wait() -> None:
    weights = [(0.0, 6600.0), (10.0, 6272.0), (14.0, 6600.0)]

    said = fed(watching(shelf_of([CAN])), stream(weights, to_s=25.0))

    assert changes(said) == [("A1", "ok", CAN.gtin, -1), ("A1", "ok", CAN.gtin, 1)]
    (_, back) = [event for event in said if isinstance(event, ShelfChange)]
    assert (back.decided_at - back.to_at).total_seconds() < 3.0


def test_a_bag_that_weighs_as_much_as_goods_and_goes_again_is_nothing() -> None:
    weights = [(0.0, 6600.0), (10.0, 6600.0 + 990.0), (20.0, 6600.0)]

    assert changes(fed(watching(shelf_of([CAN])), stream(weights, to_s=60.0))) == []


def test_a_unit_taken_while_somebody_leans_is_taken() -> None:
    weights = [(0.0, 6600.0), (10.0, 6600.0 + 4111.0), (18.0, 6600.0 - 330.0)]

    assert changes(fed(watching(shelf_of([CAN])), stream(weights, to_s=60.0))) == [("A1", "ok", CAN.gtin, -1)]


def test_a_unit_lifted_in_two_moves_is_one() -> None:
    weights = [(0.0, 6600.0), (10.0, 6450.0), (15.0, 6270.0)]

    assert changes(fed(watching(shelf_of([CAN])), stream(weights, to_s=60.0))) == [("A1", "ok", CAN.gtin, -1)]


def test_a_thing_left_behind_is_unknown_and_so_it_is_when_it_is_taken_away() -> None:
    weights = [(0.0, 6600.0), (10.0, 6600.0 + 660.0 * 1.23), (80.0, 6600.0)]

    aggregator = watching(shelf_of([CAN]))
    said = fed(aggregator, stream(weights, to_s=100.0))

    assert changes(said) == [("A1", "unknown_mass", None, None)] * 2
    assert counted(aggregator) == {"A1": 20}


def test_goods_put_into_the_wrong_bay_are_known_by_their_mass() -> None:
    first, second = [(0.0, 3300.0), (10.0, 3300.0 - 327.0)], [(0.0, 5050.0), (20.0, 5050.0 + 327.0)]

    said = fed(watching(shelf_of([CAN], [JAR])), stream(first, second, to_s=60.0))

    assert changes(said) == [("A1", "ok", CAN.gtin, -1), ("A2", "ok", CAN.gtin, 1)]
    moved = [event for event in said if isinstance(event, ShelfChange)][1]
    assert (moved.from_shelf, moved.from_bay) == ("aisle-1", "A1")


@pytest.mark.parametrize("share", [0.35, 0.6])
def test_goods_put_across_two_bays_and_taken_from_there_are_counted_once(share: float) -> None:
    first = [(0.0, 3300.0), (10.0, 3300.0 + share * 330.0), (50.0, 3300.0)]
    second = [(0.0, 5050.0), (10.0, 5050.0 + (1 - share) * 330.0), (50.0, 5050.0)]

    aggregator = watching(shelf_of([CAN], [JAR]))
    said = fed(aggregator, stream(first, second, to_s=90.0))

    assert changes(said) == [("A1", "ok", CAN.gtin, 1), ("A1", "ok", CAN.gtin, -1)]
    assert counted(aggregator) == {"A1": 10, "A2": 10}


def test_what_a_unit_of_the_next_bay_weighs_here_is_not_taken_for_goods_of_this_one() -> None:
    """Two thirds of a can stand on a bay of sweets, where they weigh as much as three and a half."""
    sweet = CAN.__class__(gtin="09506000312071", unit_grams=60.0, unit_cv=0.01)
    cans = [(0.0, 3300.0), (10.0, 3300.0 + 0.35 * 330.0)]
    sweets = [(0.0, 1200.0), (10.0, 1200.0 + 0.65 * 330.0), (50.0, 1140.0 + 0.65 * 330.0)]

    aggregator = watching(shelf_of([CAN], [sweet]))
    both = stream(cans, sweets, to_s=90.0)
    fed(aggregator, [each for each in both if each.at_us < us(5.0)])
    aggregator.order(Confirm(shelf="aisle-1", bay="A2", counts={sweet.gtin: 20}), ms(5.0), us(5.0))
    said = fed(aggregator, [each for each in both if each.at_us >= us(5.0)])

    assert changes(said) == [("A1", "ok", CAN.gtin, 1), ("A2", "ok", sweet.gtin, -1)]
    assert states(said) == []
    assert counted(aggregator) == {"A1": 11, "A2": 19}


def test_a_unit_pushed_partly_onto_the_next_bay_is_no_change() -> None:
    first = [(0.0, 3300.0), (10.0, 3300.0 - 140.0)]
    second = [(0.0, 5050.0), (10.0, 5050.0 + 140.0)]

    aggregator = watching(shelf_of([CAN], [JAR]))

    assert changes(fed(aggregator, stream(first, second, to_s=60.0))) == []
    assert counted(aggregator) == {"A1": 10, "A2": 10}


def test_what_a_neighbour_shows_here_is_learned_and_is_no_change() -> None:
    """Two percent of the cans next door, which is more than a part weighs."""
    part = CAN.__class__(gtin="09506000312071", unit_grams=12.0, unit_cv=0.01)
    cans = [(20.0 * n, 6600.0 - 660.0 * n) for n in range(9)]
    parts = [(20.0 * n, 240.0 - 0.02 * 660.0 * n - 12.0 * (n >= 8)) for n in range(9)]

    aggregator = watching(shelf_of([part], [CAN]))
    said = fed(aggregator, stream(parts, cans, to_s=200.0))

    assert [change for change in changes(said) if change[0] == "A2"] == [("A2", "ok", CAN.gtin, -2)] * 8
    wrong = [change for change in changes(said) if change[:2] == ("A1", "ok") and change[3] != -1]
    assert wrong == []


def test_crosstalk_that_was_measured_is_taken_off() -> None:
    part = CAN.__class__(gtin="09506000312071", unit_grams=12.0, unit_cv=0.01)
    cans = [(0.0, 6600.0), (20.0, 5940.0), (40.0, 5280.0)]
    parts = [(0.0, 240.0 + 132.0), (20.0, 240.0 + 118.8), (40.0, 240.0 + 105.6 - 12.0)]
    shelf = shelf_of([part], [CAN], crosstalk={(1, 0): 0.02})

    said = fed(watching(shelf), stream(parts, cans, to_s=70.0))

    assert sorted(changes(said)) == [
        ("A1", "ok", part.gtin, -1), ("A2", "ok", CAN.gtin, -2), ("A2", "ok", CAN.gtin, -2),
    ]  # fmt: skip


def test_a_shelf_that_shakes_is_waited_for() -> None:
    shaken = [(10.0 + n / 10, 6600.0 + 50.0 * ((n * 7) % 5 - 2)) for n in range(40)]
    calm = [(0.0, 6600.0), *shaken, (14.0, 6600.0)]
    taken = [(0.0, 6600.0), *shaken, (14.0, 6270.0)]

    said = fed(watching(shelf_of([CAN], [CAN], [CAN])), stream(calm, calm, taken, to_s=40.0))

    assert changes(said) == [("A3", "ok", CAN.gtin, -1)]


def test_goods_in_the_wrong_bay_are_said_when_they_are_taken_home() -> None:
    first = [(0.0, 3300.0), (10.0, 3300.0 - 327.0), (80.0, 3300.0)]
    second = [(0.0, 5050.0), (20.0, 5050.0 + 327.0), (70.0, 5050.0)]

    aggregator = watching(shelf_of([CAN], [JAR]))
    said = fed(aggregator, stream(first, second, to_s=110.0))

    assert changes(said) == [
        ("A1", "ok", CAN.gtin, -1),
        ("A2", "ok", CAN.gtin, 1),
        ("A2", "ok", CAN.gtin, -1),
        ("A1", "ok", CAN.gtin, 1),
    ]
    assert counted(aggregator) == {"A1": 10, "A2": 10}


def test_a_heavier_delivery_put_piece_by_piece_is_counted_and_learned() -> None:
    rng = np.random.default_rng(3)
    at_s, gross, weights = 0.0, 30 * 330.0, [(0.0, 30 * 330.0)]
    for n in range(36):
        at_s += 20.0
        gross += 330.0 * 1.04 * rng.normal(1.0, 0.005) if n >= 18 else -330.0 * rng.normal(1.0, 0.005)
        weights.append((at_s, gross))

    aggregator = watching(shelf_of([CAN], capacity=40))
    said = changes(fed(aggregator, stream(weights, to_s=at_s + 40.0)))

    assert said == [("A1", "ok", CAN.gtin, -1)] * 18 + [("A1", "ok", CAN.gtin, 1)] * 18
    assert counted(aggregator) == {"A1": 30}


def test_twenty_four_of_a_heavy_batch_at_once_are_to_be_confirmed() -> None:
    weights = [(0.0, 0.0), (10.0, 24 * 330.0 * 1.02)]

    said = fed(watching(shelf_of([CAN], capacity=60)), stream(weights, to_s=80.0))

    (event,) = [event for event in said if isinstance(event, ShelfChange)]
    assert (event.outcome.value, event.confirm) == ("ambiguous", True)
    assert {candidate.changes[0].units for candidate in event.candidates} >= {24, 25}


def test_what_was_just_put_can_be_taken_again_from_an_empty_bay() -> None:
    """Another unit than the one that was put: it weighs 9 g less."""
    weights = [(0.0, 0.0), (10.0, 660.0), (16.0, 327.0), (19.0, 0.0)]

    aggregator = watching(shelf_of([CAN]))
    said = fed(aggregator, stream(weights, to_s=60.0))

    assert sum(units or 0 for _, _, _, units in changes(said)) == 0
    assert counted(aggregator) == {"A1": 0}
    assert news(said) == []


def test_a_mixed_bay_that_nobody_has_counted_asks_for_a_count() -> None:
    apple = CAN.__class__(gtin="09506000312071", unit_grams=60.0, unit_cv=0.02)
    aggregator = watching(shelf_of([CAN, JAR, apple]))

    said = fed(aggregator, stream([(0.0, 3311.0)], to_s=20.0))

    assert states(said) == [("A1", "uncertain")]
    assert [event.reason for event in said if isinstance(event, BayState)] == [
        "its weight does not tell how many stand there"
    ]
    counts = {CAN.gtin: 5, JAR.gtin: 3, apple.gtin: 2}
    said = list(aggregator.order(Confirm(shelf=SHELF, bay="A1", counts=counts), ms(20.5), us(20.5)))
    assert states(said) == [("A1", "ok")]


def test_an_empty_mixed_bay_asks_nothing() -> None:
    apple = CAN.__class__(gtin="09506000312071", unit_grams=60.0, unit_cv=0.02)

    assert news(fed(watching(shelf_of([CAN, JAR, apple])), stream([(0.0, 0.4)], to_s=20.0))) == []
