"""A shelf that was calibrated while its agent was stopped, or by command: the load is what it was."""

from dataclasses import replace

import pytest

from edge.aggregator.aggregator import Aggregator
from edge.aggregator.orders import Calibrate
from edge.aggregator.shelf import Shelf
from tests.support.shelf_scene import (
    CAN,
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

Said = list[tuple[str, str, str | None, int | None]]
PLAIN = shelf_of([CAN])
RIGHT = (1 / 1.004, 0.0)  # for a device that shows 0.4 % too much
FILED = replace(PLAIN, factors={0: RIGHT})


def stopped(
    shelf: Shelf, device_grams: float, *, ordered: tuple[float, float] | None = None
) -> dict[str, bytes]:
    """What an agent kept that saw these grams, of the device's."""
    aggregator = watching(shelf)
    fed(aggregator, stream([(0.0, device_grams)], to_s=10.0))
    if ordered:
        order = Calibrate(shelf=SHELF, cell=0, factor=ordered[0], offset_grams=ordered[1])
        aggregator.order(order, ms(10.5), us(10.5))
        fed(aggregator, after(stream([(0.0, device_grams)], to_s=10.0), 11.0))
    return aggregator.changed_state()


def begun(shelf: Shelf, kept: dict[str, bytes], device_grams: float) -> tuple[Aggregator, Said]:
    aggregator = watching(shelf)
    aggregator.restore(kept)
    return aggregator, changes(fed(aggregator, after(stream([(0.0, device_grams)], to_s=30.0), 100.0)))


def test_a_file_that_came_meanwhile_changes_the_grams_and_not_the_load() -> None:
    aggregator, said = begun(FILED, stopped(PLAIN, 6600.0 * 1.004), 6600.0 * 1.004)
    assert (said, counted(aggregator)) == ([], {"A1": 20})
    (level,) = aggregator.levels()
    assert level.grams == pytest.approx(6600.0, abs=2.0)


def test_what_was_taken_meanwhile_is_still_seen() -> None:
    _, said = begun(FILED, stopped(PLAIN, 6600.0 * 1.004), 5940.0 * 1.004)
    assert said == [("A1", "offline_change", CAN.gtin, -2)]


def test_what_was_ordered_goes_before_the_file_until_the_file_changes() -> None:
    other = replace(PLAIN, factors={0: (1.05, 0.0)})
    kept = stopped(other, 6600.0 * 1.004, ordered=RIGHT)
    same, said = begun(other, kept, 6600.0 * 1.004)
    (level,) = same.levels()
    assert said == []
    assert level.grams == pytest.approx(6600.0, abs=2.0)
    newer, said = begun(replace(PLAIN, factors={0: (2 / 1.004, 10.0)}), kept, 6600.0 * 1.004)
    (level,) = newer.levels()
    assert level.grams == pytest.approx(13_210.0, abs=4.0)


def test_of_another_scale_the_grams_stay() -> None:
    first = replace(PLAIN, factors={0: (1.0, -100.0)}, scales={0: ("S-1", "")})
    second = replace(PLAIN, factors={0: (1.0, -4000.0)}, scales={0: ("S-2", "")})
    aggregator, said = begun(second, stopped(first, 6700.0), 10_600.0)
    assert (said, counted(aggregator)) == ([], {"A1": 20})
