"""The first rest of a bay has nothing that it could be compared with: what it can tell, and what it cannot."""

from collections.abc import Iterable, Sequence

import pytest

from edge.aggregator.hypotheses import Item, contents
from edge.aggregator.orders import Confirm, Resume, Serve
from edge.aggregator.place import Bay
from edge.aggregator.shelf import Shelf
from tests.support.shelf_scene import (
    CAN,
    SHELF,
    Weights,
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
from wire.events import BayState, Event

BOTTLE = Item(gtin="09506000211008", unit_grams=1_000.0, unit_cv=0.002)
SWEET = Item(gtin="09506000134352", unit_grams=30.0, unit_cv=0.01)


def trayed(tare_grams: float = 500.0) -> Shelf:
    return Shelf(
        name=SHELF,
        bays=(Bay(name="A1", cells=(0,), items=(CAN,), capacity=24, tare_grams=tare_grams),),
    )


def reasons(said: Iterable[Event]) -> list[str]:
    return [event.reason for event in said if isinstance(event, BayState)]


@pytest.mark.parametrize("grams, tare", [(-2_500.0, 0.0), (0.0, 500.0), (-2_500.0, 150.0)])
def test_a_bay_that_begins_lighter_than_empty_says_so_and_counts_nothing(grams: float, tare: float) -> None:
    aggregator = watching(trayed(tare))

    said = fed(aggregator, stream([(0.0, grams)], to_s=20.0))

    assert news(said) == [("A1", "needs_check")]
    (words,) = reasons(said)
    assert words.startswith(f"it weighs {grams:.0f} g, and should weigh {tare:.0f} g when empty: ")
    assert words.endswith("Put the tray back or zero it empty, then count what stands there")
    assert counted(aggregator) == {"A1": None}


def test_a_bay_that_begins_with_far_more_than_fits_says_so_until_it_weighs_what_can_be() -> None:
    aggregator = watching(trayed())

    said = fed(aggregator, stream([(0.0, 60_000.0), (10.0, 500.0 + 6 * 330.0)], to_s=30.0))

    assert news(said) == [("A1", "needs_check"), ("A1", "ok")]
    assert "60.0 kg" in reasons(said)[0]
    assert changes(said) == []
    assert counted(aggregator) == {"A1": 6}


def test_a_tray_that_is_put_back_makes_all_well() -> None:
    aggregator = watching(trayed())

    said = fed(aggregator, stream([(0.0, 0.0), (10.0, 500.0), (20.0, 500.0 + 330.0)], to_s=60.0))

    assert news(said) == [("A1", "needs_check"), ("A1", "ok")]
    assert changes(said) == [("A1", "ok", CAN.gtin, 1)]
    assert counted(aggregator) == {"A1": 1}


def test_goods_put_on_a_scale_that_cannot_be_right_are_not_counted_until_somebody_has() -> None:
    """It began at -2500 g: what it weighs with 3.3 kg on it looks like goods, and like nothing that is true."""
    aggregator = watching(trayed(0.0))
    said = fed(aggregator, stream([(0.0, -2_500.0), (10.0, 140.0), (60.0, 470.0)], to_s=140.0))
    assert news(said) == [("A1", "needs_check")]
    assert {outcome for _, outcome, _, _ in changes(said)} <= {"ambiguous", "unknown_mass"}
    assert counted(aggregator) == {"A1": None}

    said = aggregator.order(Confirm(shelf=SHELF, bay="A1", counts={CAN.gtin: 9}), ms(140.0), us(140.0))
    said += fed(aggregator, after(stream([(0.0, 470.0), (10.0, 140.0)], to_s=30.0), 140.0))

    assert states(said) == [("A1", "ok")]
    assert changes(said) == [("A1", "ok", CAN.gtin, -1)]
    assert counted(aggregator) == {"A1": 8}


def test_it_is_still_to_be_looked_at_after_a_restart() -> None:
    first = watching(trayed())
    fed(first, stream([(0.0, 0.0)], to_s=10.0))
    second = watching(trayed())
    second.restore(first.changed_state())

    said = fed(second, after(stream([(0.0, 0.0), (10.0, 500.0)], to_s=30.0), 60.0))

    assert news(said) == [("A1", "needs_check"), ("A1", "ok")]
    assert counted(second) == {"A1": 0}


def test_a_tray_forgotten_while_it_was_cleaned_is_said() -> None:
    aggregator = watching(trayed())
    fed(aggregator, stream([(0.0, 500.0 + 660.0)], to_s=10.0))
    aggregator.order(Serve(shelf=SHELF, bay="A1", until_ms=ms(600.0)), ms(10.0), us(10.0))
    fed(aggregator, after(stream([(0.0, 0.0)], to_s=10.0), 10.0))

    said = aggregator.order(Resume(shelf=SHELF, bay="A1"), ms(20.0), us(20.0))
    said += fed(aggregator, after(stream([(0.0, 0.0)], to_s=10.0), 20.0))

    assert news(said) == [("A1", "needs_check")]
    assert changes(said) == []


def beside(shares: dict[tuple[int, int], float], sweets: int, bottles: int) -> list[Weights]:
    """What two cells show that were calibrated each by itself."""
    loads = [sweets * SWEET.unit_grams, bottles * BOTTLE.unit_grams]
    return [
        [(0.0, loads[n] + sum(share * loads[a] for (a, b), share in shares.items() if b == n))]
        for n in range(2)
    ]


def first_of(shelf: Shelf, weights: Sequence[Weights]) -> tuple[dict[str, int | None], list[Event]]:
    aggregator = watching(shelf)
    said = fed(aggregator, stream(*weights, to_s=10.0))
    return counted(aggregator), said


@pytest.mark.parametrize("share", [0.0, 0.01, 0.02, 0.03])
def test_light_goods_beside_a_heavy_load_are_not_counted_where_nobody_measured_what_it_shows(
    share: float,
) -> None:
    """Six kilograms show as anything up to 180 g here: six units."""
    counts, said = first_of(shelf_of([SWEET], [BOTTLE]), beside({(1, 0): share}, 12, 6))

    assert counts == {"A1": None, "A2": 6}
    assert news(said) == [("A1", "uncertain")]
    assert "load beside it" in reasons(said)[0]


@pytest.mark.parametrize("share", [0.0, 0.02, 0.03])
def test_what_a_load_shows_is_taken_off_from_the_beginning_where_it_was_measured(share: float) -> None:
    shares = {(1, 0): share, (0, 1): 0.01}
    counts, said = first_of(shelf_of([SWEET], [BOTTLE], crosstalk=shares), beside(shares, 12, 2))

    assert counts == {"A1": 12, "A2": 2}
    assert news(said) == []


def test_an_open_first_count_is_not_closed_by_a_change_that_tells_no_more_and_over_no_restart() -> None:
    first = watching(shelf_of([SWEET], [BOTTLE]))
    weights = beside({(1, 0): 0.02}, 12, 6)
    taken = [[*weights[0], (20.0, weights[0][0][1] - 30.0), (40.0, weights[0][0][1] - 60.0)], weights[1]]
    said = fed(first, stream(*taken, to_s=30.0))
    assert changes(said) == [("A1", "ok", SWEET.gtin, -1)]
    assert counted(first)["A1"] is None

    second = watching(shelf_of([SWEET], [BOTTLE]))
    second.restore(first.changed_state())
    said = fed(second, [each for each in stream(*taken, to_s=60.0) if each.at_us > us(30.0)])

    assert changes(said) == [("A1", "ok", SWEET.gtin, -1)]
    assert counted(second)["A1"] is None


def test_a_person_closes_it() -> None:
    aggregator = watching(shelf_of([SWEET], [BOTTLE]))
    weights = beside({(1, 0): 0.02}, 12, 6)
    fed(aggregator, stream(*weights, to_s=10.0))

    said = aggregator.order(Confirm(shelf=SHELF, bay="A1", counts={SWEET.gtin: 12}), ms(10.0), us(10.0))
    taken = [[*weights[0], (20.0, weights[0][0][1] - 30.0)], weights[1]]
    said += fed(aggregator, [each for each in stream(*taken, to_s=40.0) if each.at_us > us(10.0)])

    assert states(said) == [("A1", "ok")]
    assert changes(said) == [("A1", "ok", SWEET.gtin, -1)]
    assert counted(aggregator)["A1"] == 11


@pytest.mark.parametrize("grams", [-8.0, 0.0, 9.0, 20.0, 40.0])
def test_nothing_and_one_are_told_apart_only_as_far_as_the_weight_is_known(grams: float) -> None:
    assert contents(grams, 25.0, [SWEET], 24) is None
    assert contents(grams, 0.5, [SWEET], 24) == (
        {-8.0: {SWEET.gtin: 0}, 0.0: {SWEET.gtin: 0}, 9.0: {SWEET.gtin: 0}}.get(grams)
    )
