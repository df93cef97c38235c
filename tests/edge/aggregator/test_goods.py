"""What a unit weighs, learned."""

from dataclasses import replace
from random import Random

import pytest

from edge.aggregator.goods import Goods
from edge.aggregator.hypotheses import Item

CAN = Item(gtin="09506000134352", unit_grams=330.0, unit_cv=0.013)


def weighed(goods: Goods, mean: float, cv: float, times: int, seed: int = 1) -> Item:
    rng = Random(seed)
    for _ in range(times):
        goods.weigh(CAN, rng.gauss(mean, cv * mean), 0.5)
    (known,) = goods.known([CAN])
    return known


def test_nothing_is_known_but_what_is_noted() -> None:
    assert Goods().known([CAN]) == [CAN]


def test_the_mean_of_single_units_is_learned_and_known_better() -> None:
    known = weighed(Goods(), 336.0, 0.005, 30)

    assert known.unit_grams == pytest.approx(336.0, abs=1.0)
    assert known.bias < 0.004
    assert known.wide < CAN.wide


@pytest.mark.parametrize("cv", [0.003, 0.013, 0.04])
def test_the_spread_is_learned(cv: float) -> None:
    assert weighed(Goods(), 330.0, cv, 60).unit_cv == pytest.approx(cv, rel=0.35, abs=0.003)


def test_one_odd_unit_moves_the_mean_little() -> None:
    goods = Goods()
    before = weighed(goods, 330.0, 0.01, 10).unit_grams
    goods.weigh(CAN, 430.0, 0.5)

    assert abs(goods.known([CAN])[0].unit_grams - before) < 3.0


def test_after_a_restock_the_next_batch_is_learned_faster() -> None:
    goods = Goods()
    sure = weighed(goods, 330.0, 0.01, 30).bias
    goods.restocked(CAN)

    assert goods.known([CAN])[0].bias > 1.5 * sure


def test_what_was_learned_is_kept() -> None:
    first, second = Goods(), Goods()
    known = weighed(first, 336.0, 0.01, 10)
    second.restore(first.save())

    assert second.known([CAN]) == [known]


def test_another_noted_weight_starts_anew() -> None:
    goods = Goods()
    weighed(goods, 336.0, 0.01, 10)
    other = replace(CAN, unit_grams=400.0)

    assert goods.known([other]) == [other]


def test_a_tray_that_goes_with_each_unit_is_no_part_of_the_goods() -> None:
    trayed = replace(CAN, unit_tare_grams=40.0)
    goods = Goods()
    for _ in range(10):
        goods.weigh(trayed, 372.0, 0.5)

    (known,) = goods.known([trayed])
    assert known.gross_grams == pytest.approx(372.0, abs=1.0)
    assert known.unit_grams == pytest.approx(332.0, abs=1.0)
