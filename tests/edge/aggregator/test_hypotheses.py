"""Counting by weight: what is said, and what is not."""

import pytest

from edge.aggregator.hypotheses import Item, contents, explain
from wire.events import Change, ItemUnits

CAN = Item(gtin="09506000134352", unit_grams=330.0, unit_cv=0.013)
JAR = Item(gtin="09506000211008", unit_grams=505.0, unit_cv=0.013)


@pytest.mark.parametrize(
    "grams, outcome, units",
    [
        (-330.0, Change.OK, -1),
        (-325.0, Change.OK, -1),
        (-345.0, Change.OK, -1),
        (-165.0, Change.UNKNOWN_MASS, None),
        (-400.0, Change.UNKNOWN_MASS, None),
        (12 * 330.0, Change.OK, 12),
        (4000.0, Change.OK, 12),
    ],
)
def test_one_item(grams: float, outcome: Change, units: int | None) -> None:
    answer = explain(grams, 0.5, [CAN], {CAN.gtin: 12}, 24)

    assert answer.outcome is outcome
    assert [change.units for change in answer.changes] == ([units] if units else [])


def test_units_are_never_forced_when_a_batch_may_be_heavy() -> None:
    """At 60 at once, a batch 1 % heavy looks like 60.6 units."""
    answer = explain(60.5 * 330.0, 0.5, [CAN], {CAN.gtin: 0}, 200)

    assert answer.outcome is Change.AMBIGUOUS
    assert {c.changes[0].units for c in answer.candidates} >= {60, 61}
    assert sum(c.odds for c in answer.candidates) <= 1.0


def test_more_than_was_there_cannot_be_taken() -> None:
    """660 g are two cans, or a heavy tin of which there are none left."""
    tin = Item(gtin="09506000409184", unit_grams=660.0, unit_cv=0.013)

    assert explain(-660.0, 0.5, [CAN, tin], {CAN.gtin: 0, tin.gtin: 5}, 24).changes == (
        ItemUnits(item=tin.gtin, units=-1),
    )
    assert explain(-660.0, 0.5, [CAN, tin], {CAN.gtin: 5, tin.gtin: 0}, 24).changes == (
        ItemUnits(item=CAN.gtin, units=-2),
    )


def test_one_kind_taken_and_another_put_in_one_move() -> None:
    tin = Item(gtin="09506000409184", unit_grams=620.0, unit_cv=0.013)

    answer = explain(-330.0 + 620.0, 0.5, [CAN, tin], {CAN.gtin: 5, tin.gtin: 5}, 24)

    assert answer.outcome is Change.OK
    assert set(answer.changes) == {ItemUnits(item=CAN.gtin, units=-1), ItemUnits(item=tin.gtin, units=1)}


@pytest.mark.parametrize("grams", [160.0, 163.0, 169.0, -160.0, -163.0])
def test_one_kind_for_another_is_said_only_when_hardly_anything_else_fits(grams: float) -> None:
    """A can for a jar makes 175 g of difference: what is somewhat off that is a swap in four cases of five."""
    answer = explain(grams, 0.5, [CAN, JAR], {CAN.gtin: 10, JAR.gtin: 10}, 24)

    assert 0.7 < answer.confidence < 0.9
    assert answer.outcome is Change.AMBIGUOUS
    assert len({change.units > 0 for change in answer.candidates[0].changes}) == 2
    assert answer.changes == ()


def test_a_bay_without_items_explains_nothing() -> None:
    assert explain(100.0, 0.5, [], {}, None).outcome is Change.UNKNOWN_MASS


@pytest.mark.parametrize(
    "grams, expected",
    [
        (0.0, {CAN.gtin: 0, JAR.gtin: 0}),
        (-1.0, {CAN.gtin: 0, JAR.gtin: 0}),
        (330.0, {CAN.gtin: 1, JAR.gtin: 0}),
        (835.0, {CAN.gtin: 1, JAR.gtin: 1}),
        (150.0, None),
    ],
)
def test_what_stands_on_a_bay(grams: float, expected: dict[str, int] | None) -> None:
    assert contents(grams, 0.5, [CAN, JAR], 24) == expected
