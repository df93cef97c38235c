"""What a shelf says of goods taken and put, of hands, drift and restarts."""

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta

import pytest

from edge.aggregator.aggregator import Aggregator
from edge.aggregator.shelf import Bay, Item, Shelf
from edge.reads import WeightSample
from tests.support.scales import START_US, samples
from wire.events import Change, ShelfChange

CAN = Item(gtin="09506000134352", unit_grams=330.0, unit_cv=0.013)
JAR = Item(gtin="09506000211008", unit_grams=505.0, unit_cv=0.013)
TWIN = Item(gtin="09506000312071", unit_grams=338.0, unit_cv=0.013)
START = datetime(2025, 11, 22, 9, tzinfo=UTC)


def shelf(*items: Item, cells: tuple[int, ...] = (0,), tare: float = 0.0) -> Shelf:
    bay = Bay(name="A1", cells=cells, items=items, capacity=24, tare_grams=tare)
    return Shelf(name="aisle-1", bays=(bay,))


def watch(of: Shelf) -> Aggregator:
    aggregator = Aggregator([], [of], boot="b")
    aggregator.device_up("aisle-1", 0, 0)
    return aggregator


def feed(aggregator: Aggregator, stream: Iterable[WeightSample]) -> list[ShelfChange]:
    said = []
    for sample in stream:
        said += aggregator.observe(sample, sample.at_us // 1000)
    return [event for event in said if isinstance(event, ShelfChange)]


def told(said: Iterable[ShelfChange]) -> list[tuple[str, str | None, int | None]]:
    return [(event.outcome.value, event.item, event.units) for event in said]


@pytest.mark.parametrize("hz", [4.0, 10.0, 80.0])
@pytest.mark.parametrize("units", [-3, -2, -1, 1, 2, 4])
def test_units_taken_and_put_are_counted(units: int, hz: float) -> None:
    weights = [(0.0, 20 * 330.0), (10.0, (20 + units) * 330.0)]

    said = feed(watch(shelf(CAN)), samples(weights, 40.0, hz=hz))

    assert told(said) == [("ok", CAN.gtin, units)]
    (event,) = said
    assert event.confidence >= 0.9
    assert event.grams == pytest.approx(units * 330.0, abs=1.0)
    assert event.level_units == 20 + units
    assert event.level_grams == pytest.approx((20 + units) * 330.0, abs=1.0)
    assert event.from_at <= event.at <= event.to_at <= event.decided_at
    assert abs(event.at - START - timedelta(seconds=10)) < timedelta(seconds=0.6)
    lasted = timedelta(seconds=0 if units < 0 else 15)  # what was put may be a hand that goes again
    assert lasted < event.decided_at - START - timedelta(seconds=10) < lasted + timedelta(seconds=2.5)


def test_the_first_rest_ever_is_taken_as_it_is() -> None:
    aggregator = watch(shelf(CAN, tare=1150.0))

    assert feed(aggregator, samples([(0.0, 1150.0 + 7 * 330.0)], 10.0)) == []
    (level,) = aggregator.levels()
    assert (level.item, level.units, level.stable) == (CAN.gtin, 7, True)
    assert level.grams == pytest.approx(7 * 330.0, abs=1.0)


def test_a_weight_that_is_no_number_of_units_gives_no_level() -> None:
    aggregator = watch(shelf(CAN))
    feed(aggregator, samples([(0.0, 495.0)], 10.0))

    assert [level.units for level in aggregator.levels()] == [None]


@pytest.mark.parametrize("grams", [150.0, 3000.0, 9000.0])
def test_a_hand_that_leans_on_a_shelf_and_goes_leaves_nothing(grams: float) -> None:
    """Still or not: what rests there for less than a quarter of a minute and fits no number of units is held back."""
    weights = [(0.0, 6600.0), (10.0, 6600.0 + grams + 15.0), (18.0, 6600.0)]

    assert feed(watch(shelf(CAN)), samples(weights, 30.0)) == []


def test_a_hand_that_trembles_hides_nothing() -> None:
    trembling = [(10.0 + n / 10, 6600.0 + 900.0 + 60.0 * (n % 5)) for n in range(30)]
    weights = [(0.0, 6600.0), *trembling, (13.0, 6600.0 - 660.0)]

    assert told(feed(watch(shelf(CAN)), samples(weights, 20.0))) == [("ok", CAN.gtin, -2)]


def test_lifted_and_put_back_at_once_is_nothing() -> None:
    weights = [(0.0, 6600.0), (10.0, 6270.0), (10.9, 6601.0)]

    assert feed(watch(shelf(CAN)), samples(weights, 20.0)) == []


def test_a_pick_beside_a_bag_is_counted_at_once_and_the_bag_forgotten() -> None:
    weights = [(0.0, 6600.0), (10.0, 7110.0), (15.0, 6780.0), (20.0, 6270.0)]

    said = feed(watch(shelf(CAN)), samples(weights, 40.0))

    assert told(said) == [("ok", CAN.gtin, -1)]
    assert said[0].decided_at - START < timedelta(seconds=18)
    assert said[0].level_units == 19


def test_what_stays_and_fits_nothing_is_an_unknown_mass() -> None:
    said = feed(watch(shelf(CAN)), samples([(0.0, 6600.0), (10.0, 6765.0)], 80.0))

    assert told(said) == [("unknown_mass", None, None)]
    assert said[0].grams == pytest.approx(165.0, abs=1.0)
    assert said[0].decided_at - said[0].to_at >= timedelta(seconds=59)


def test_goods_of_nearly_one_weight_are_ambiguous_with_their_odds() -> None:
    said = feed(watch(shelf(CAN, TWIN)), samples([(0.0, 3300.0), (10.0, 3300.0 - 334.0)], 40.0))

    assert told(said) == [("ambiguous", None, None)]
    (event,) = said
    assert {c.changes[0].item for c in event.candidates[:2]} == {CAN.gtin, TWIN.gtin}
    assert all(0.2 < c.odds < 0.7 for c in event.candidates[:2])


def test_two_kinds_taken_at_once_are_two_events_of_one_interval() -> None:
    said = feed(watch(shelf(CAN, JAR)), samples([(0.0, 8000.0), (10.0, 8000.0 - 835.0)], 20.0))

    assert sorted(told(said)) == [("ok", CAN.gtin, -1), ("ok", JAR.gtin, -1)]
    assert said[0].from_at == said[1].from_at
    assert said[0].to_at == said[1].to_at
    assert sum(event.grams for event in said) == pytest.approx(-835.0, abs=1.0)


def test_drift_is_followed_and_never_becomes_a_change() -> None:
    """Five grams up and down in an hour, on a bay of 40 g parts; then a part is taken."""
    part = Item(gtin=CAN.gtin, unit_grams=40.0, unit_cv=0.01)
    drift = [(float(n), 400.0 + 5.0 * (n % 1800) / 1800) for n in range(0, 1800, 10)]
    weights = [*drift, (1800.0, 405.0 - 40.0)]

    assert told(feed(watch(shelf(part)), samples(weights, 1820.0))) == [("ok", part.gtin, -1)]


def test_goods_put_down_slowly_are_not_followed_as_drift() -> None:
    ramp = [(10.0 + n / 10, 6600.0 + 330.0 * n / 40) for n in range(41)]

    assert told(feed(watch(shelf(CAN)), samples([(0.0, 6600.0), *ramp], 45.0))) == [("ok", CAN.gtin, 1)]


def test_what_is_poured_so_slowly_that_it_looks_like_rest_is_not_followed_either() -> None:
    part = Item(gtin=CAN.gtin, unit_grams=40.0, unit_cv=0.01)
    poured = [(10.0 + n / 10, 400.0 + n / 10) for n in range(401)]

    said = feed(watch(shelf(part)), samples([(0.0, 400.0), *poured], 150.0, noise=0.02))

    assert sum(event.grams for event in said) > 25.0  # the rest is below what is told from drift


def restarted(of: Shelf, before: float, after: float) -> list[ShelfChange]:
    first = watch(of)
    feed(first, samples([(0.0, before)], 10.0))
    second = watch(of)
    second.restore(first.changed_state())
    later = (
        WeightSample(at_us=s.at_us + 3_600_000_000, shelf=s.shelf, cell=s.cell, grams=s.grams)
        for s in samples([(0.0, after)], 30.0)
    )
    return feed(second, later)


def test_what_was_taken_while_nobody_weighed_is_an_offline_change() -> None:
    said = restarted(shelf(CAN), 6600.0, 6600.0 - 660.0)

    assert told(said) == [("offline_change", CAN.gtin, -2)]
    assert said[0].from_at - START == pytest.approx(timedelta(seconds=10), abs=timedelta(seconds=1))
    assert said[0].to_at - START >= timedelta(hours=1)


def test_an_offline_change_that_fits_nothing_says_only_grams() -> None:
    said = restarted(shelf(CAN), 6600.0, 6600.0 - 480.0)

    assert told(said) == [("offline_change", None, None)]
    assert said[0].grams == pytest.approx(-480.0, abs=1.0)


def test_a_restart_over_an_untouched_shelf_says_nothing() -> None:
    assert restarted(shelf(CAN), 6600.0, 6600.8) == []


def test_a_shelf_is_not_tared_by_a_restart() -> None:
    first = watch(shelf(CAN))
    feed(first, samples([(0.0, 6600.0)], 10.0))
    second = watch(shelf(CAN))
    second.restore(first.changed_state())
    feed(second, samples([(0.0, 6600.0)], 10.0))

    assert [level.units for level in second.levels()] == [20]


def test_a_gap_by_itself_is_no_change() -> None:
    stream = [s for s in samples([(0.0, 6600.0)], 60.0) if not 20.0 <= (s.at_us - START_US) / 1e6 < 50.0]

    assert feed(watch(shelf(CAN)), stream) == []


def test_a_change_in_a_long_gap_is_an_offline_change() -> None:
    weights = [(0.0, 6600.0), (30.0, 6270.0)]
    stream = [s for s in samples(weights, 70.0) if not 20.0 <= (s.at_us - START_US) / 1e6 < 50.0]

    assert told(feed(watch(shelf(CAN)), stream)) == [("offline_change", CAN.gtin, -1)]


def test_a_change_while_the_scale_was_away_is_an_offline_change() -> None:
    aggregator = watch(shelf(CAN))
    feed(aggregator, samples([(0.0, 6600.0)], 10.0))
    now_ms = START_US // 1000 + 10_000
    aggregator.device_down("aisle-1", now_ms, now_ms * 1000, "unplugged")
    aggregator.device_up("aisle-1", now_ms + 2_000, (now_ms + 2_000) * 1000)
    stream = (s for s in samples([(0.0, 6600.0), (10.0, 6270.0)], 30.0) if s.at_us > START_US + 12_000_000)

    assert told(feed(aggregator, stream)) == [("offline_change", CAN.gtin, -1)]


def test_a_bay_on_two_cells_is_weighed_by_their_sum() -> None:
    left = samples([(0.0, 4000.0), (10.0, 3800.0)], 20.0, cell=0, seed=1)
    right = samples([(0.0, 2600.0), (10.0, 2470.0)], 20.0, cell=1, seed=2)
    both = sorted([*left, *right], key=lambda sample: sample.at_us)

    said = feed(watch(shelf(CAN, cells=(0, 1))), both)

    assert told(said) == [("ok", CAN.gtin, -1)]


def test_a_scale_that_says_it_moves_is_believed() -> None:
    weights = [(0.0, 6600.0), (10.0, 6270.0)]
    moving = (
        WeightSample(
            at_us=s.at_us, shelf=s.shelf, cell=0, grams=s.grams, stable=s.at_us < START_US + 10_000_000
        )
        for s in samples(weights, 30.0)
    )

    assert feed(watch(shelf(CAN)), moving) == []


def test_spikes_of_single_samples_are_nothing() -> None:
    aggregator = watch(shelf(CAN))
    spiked = (
        WeightSample(at_us=s.at_us, shelf=s.shelf, cell=0, grams=s.grams + 5000.0 * (n % 8 == 7))
        for n, s in enumerate(samples([(0.0, 6600.0)], 30.0, hz=80.0))
    )

    assert feed(aggregator, spiked) == []
    assert [level.units for level in aggregator.levels()] == [20]


def test_a_coarse_and_noisy_scale_still_counts() -> None:
    """A scale of 5 g divisions whose last digit flickers."""
    weights = [(0.0, 6600.0), (60.0, 6270.0), (80.0, 6600.0)]
    coarse = (
        WeightSample(at_us=s.at_us, shelf=s.shelf, cell=0, grams=5.0 * round(s.grams / 5.0))
        for s in samples(weights, 100.0, noise=2.5)
    )

    assert told(feed(watch(shelf(CAN)), coarse)) == [("ok", CAN.gtin, -1), ("ok", CAN.gtin, 1)]


def test_unknown_cells_are_passed_over() -> None:
    assert feed(watch(shelf(CAN)), samples([(0.0, 1.0), (5.0, 400.0)], 20.0, cell=9)) == []


def test_an_empty_bay_without_items_says_masses() -> None:
    said = feed(watch(shelf()), samples([(0.0, 100.0), (10.0, 400.0)], 80.0))

    assert told(said) == [(Change.UNKNOWN_MASS.value, None, None)]
