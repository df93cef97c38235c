"""What is no goods, or may be none: bags that weigh nearly as much as some units, hands that hold goods half lifted."""

import numpy as np
import pytest

from edge.aggregator.hypotheses import Around, Lying, explain
from edge.aggregator.neighbours import MOST_SHARE, Beside, Neighbours
from edge.aggregator.suspicion import Expected, suspicion
from tests.support.shelf_scene import CAN, JAR, changes, counted, fed, shelf_of, stream, watching
from wire.events import Change

BAG = 940.0  # nearly three cans


def test_what_was_put_and_left_open_is_that_thing_when_the_same_mass_goes() -> None:
    aggregator = watching(shelf_of([CAN]))
    weights = [(0.0, 3300.0), (20.0, 3300.0 + BAG), (90.0, 2970.0 + BAG), (110.0, 2970.0)]

    said = fed(aggregator, stream(weights, to_s=140.0))

    assert changes(said) == [
        ("A1", "ambiguous", None, None),
        ("A1", "ok", CAN.gtin, -1),
        ("A1", "unknown_mass", None, None),
    ]
    assert counted(aggregator) == {"A1": 9}


def test_what_was_left_open_is_remembered_over_a_restart() -> None:
    shelf = shelf_of([CAN])
    before = watching(shelf)
    fed(before, stream([(0.0, 3300.0), (20.0, 3300.0 + BAG)], to_s=90.0))
    aggregator = watching(shelf)
    aggregator.restore(before.changed_state())

    said = fed(aggregator, stream([(0.0, 3300.0 + BAG), (20.0, 3300.0)], to_s=50.0))

    assert changes(said) == [("A1", "unknown_mass", None, None)]
    assert counted(aggregator) == {"A1": 10}


def test_goods_of_another_mass_are_counted_beside_what_was_left_open() -> None:
    around = Around(lying=(Lying(BAG),))

    assert explain(-2 * 330.0, 0.5, [CAN], None, 24, around).outcome is Change.OK
    assert explain(-3 * 330.0, 0.5, [CAN], None, 24).outcome is Change.OK
    assert explain(-BAG, 0.5, [CAN], None, 24, around).outcome is Change.UNKNOWN_MASS


def test_goods_half_lifted_are_not_counted_until_they_are_gone() -> None:
    weights = [(0.0, 3300.0), (20.0, 3300.0 - 270.0), (26.0, 2970.0)]

    said = fed(watching(shelf_of([CAN])), stream(weights, to_s=60.0))

    assert changes(said) == [("A1", "ok", CAN.gtin, -1)]


def test_a_slow_move_of_many_rests_is_one() -> None:
    steps = [(20.0 + 1.8 * n, 3300.0 - 330.0 * n / 8) for n in range(1, 9)]

    said = fed(watching(shelf_of([CAN])), stream([(0.0, 3300.0), *steps], to_s=70.0))

    assert changes(said) == [("A1", "ok", CAN.gtin, -1)]


def test_one_of_a_kind_put_and_two_of_another_taken_is_not_counted_for_a_small_difference() -> None:
    answer = explain(330.0 - 2 * 505.0 + 300.0, 3.0, [CAN, JAR], {CAN.gtin: 5, JAR.gtin: 5}, 24)

    assert answer.outcome is not Change.OK


@pytest.mark.parametrize("took_ms", [None, 500, 60_000])
def test_a_scale_shows_zero_though_its_tray_weighs_something(took_ms: int | None) -> None:
    assert suspicion(700.0, 0.3, 0.3, took_ms, Expected(60.0, None, 330.0))


def test_the_last_unit_may_go_while_nobody_weighs_but_not_two() -> None:
    bare = Expected(0.0, None, 330.0)

    assert suspicion(330.0, 0.3, 0.3, None, bare) is None
    assert suspicion(660.0, 0.3, 0.3, None, bare)
    assert suspicion(660.0, 0.3, 0.3, 500, bare) is None


def neighbours() -> Neighbours:
    return Neighbours(np.zeros(3, np.int64), np.arange(3), [1, 1, 1], [False])


def test_either_side_shows_what_it_does_and_no_more_than_boards_share() -> None:
    beside = neighbours()
    beside.stood(np.zeros(3), np.ones(3, np.bool_))
    for _ in range(30):
        beside.learn(1, 110.0, Beside(left=2000.0), 0.3)
        beside.learn(1, 10.0, Beside(right=2000.0), 0.3)
    level = np.array([1000.0, 0.0, 0.0])
    left = beside.beside(1, level)
    right = beside.beside(1, level[::-1].copy())

    assert left.shown == pytest.approx(1000.0 * MOST_SHARE)
    assert right.shown == pytest.approx(5.0, abs=0.5)


def test_what_is_taken_off_for_a_neighbour_counts_nothing_by_itself() -> None:
    """A small part beside a bay on which somebody leans, elsewhere on the plate than all loads before."""
    part = CAN.__class__(gtin="09506000409184", unit_grams=20.0, unit_cv=0.01)
    aggregator = watching(shelf_of([part], [CAN]))
    loads, here = [(0.0, 3300.0)], [(0.0, 400.0)]
    for n in range(8):  # 2 % of what is taken next door shows here
        loads.append((20.0 + 20.0 * n, 3300.0 - 330.0 * (n + 1)))
        here.append((20.0 + 20.0 * n, 400.0 - 6.6 * (n + 1)))
    loads.append((200.0, 3000.0))  # it stands where nothing of it shows

    said = fed(aggregator, stream([*here], loads, to_s=230.0))

    assert [each for each in changes(said) if each[0] == "A1" and each[1] == "ok"] == []
