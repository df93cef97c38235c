"""Whatever a driver hands over as a weight, the aggregator goes on; what is no weight is dropped and said."""

from math import inf, nan

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from edge.aggregator.place import Bay
from edge.aggregator.shelf import Shelf
from edge.reads import TimedRead, WeightSample
from tests.support.shelf_scene import CAN, JAR, SHELF, changes, counted, ms, news, shelf_of, us, watching
from wire.events import Event

ODD = [nan, inf, -inf, 1e308, -1e308, 1e15, -1e15, 5e-324, 0.0, -0.0, 9.9e6, -9.9e6]
WEIGHTS = st.one_of(
    st.sampled_from(ODD), st.floats(), st.floats(-500.0, 9_000.0), st.integers(0, 24).map(lambda n: 330.0 * n)
)
# What a cell shows, for how many tenths of a second: long enough to rest, or not.
RUNS = st.lists(st.tuples(WEIGHTS, st.integers(1, 30)), min_size=1, max_size=12)


def shelf() -> Shelf:
    alone = Bay(name="A1", cells=(0,), items=(CAN,), capacity=24, tare_grams=150.0)
    wide = Bay(name="A2", cells=(1, 2), items=(CAN, JAR), capacity=24)
    return Shelf(name=SHELF, bays=(alone, wide), crosstalk={(0, 1): 0.02})


def timed(cells: dict[int, list[tuple[float, int]]]) -> list[TimedRead]:
    found: list[TimedRead] = []
    for cell, runs in cells.items():
        shown = [grams for grams, tenths in runs for _ in range(tenths)]
        found += [
            (
                ms(n / 10) + cell,
                WeightSample(at_us=us(n / 10) + 1000 * cell, shelf=SHELF, cell=cell, grams=grams),
            )
            for n, grams in enumerate(shown)
        ]
    return sorted(found, key=lambda each: each[0])


@pytest.mark.timeout(120)
@settings(max_examples=150, deadline=None)
@given(RUNS, RUNS, RUNS, st.integers(1, 400))
def test_no_weight_is_too_odd(
    one: list[tuple[float, int]], two: list[tuple[float, int]], three: list[tuple[float, int]], most: int
) -> None:
    reads = timed({0: one, 1: two, 2: three})
    alone, together = watching(shelf()), watching(shelf())

    said: list[Event] = []
    for mono_ms, read in reads:
        said += alone.observe(read, mono_ms)
    listed: list[Event] = []
    for at in range(0, len(reads), most):
        listed += together.observe_all(reads[at : at + most])

    assert listed == said
    end = reads[-1][0] + 120_000
    assert together.advance(end, end * 1000) == alone.advance(end, end * 1000)
    assert together.levels() == alone.levels()
    alone.changed_state()


@pytest.mark.parametrize("odd", ODD[:7])
def test_now_and_then_no_number_changes_nothing(odd: float) -> None:
    """One of seven samples, so that a second never passes without one."""
    aggregator, said = watching(shelf_of([CAN])), list[Event]()
    for n in range(400):
        grams = odd if n % 7 == 3 else 3300.0 + n % 3 * 0.1 - 330.0 * (n > 200)
        read = WeightSample(at_us=us(n / 10), shelf=SHELF, cell=0, grams=grams)
        said += aggregator.observe(read, ms(n / 10))

    assert changes(said) == [("A1", "ok", CAN.gtin, -1)]
    assert news(said) == []


@pytest.mark.parametrize("odd", ODD[:7])
def test_a_cell_that_says_no_numbers_any_more_is_blind_until_it_does(odd: float) -> None:
    aggregator, said = watching(shelf_of([CAN])), list[Event]()
    for n in range(600):
        grams = odd if 150 <= n < 350 else 3300.0 + n % 3 * 0.1 - 330.0 * (n > 200)
        read = WeightSample(at_us=us(n / 10), shelf=SHELF, cell=0, grams=grams)
        said += aggregator.observe(read, ms(n / 10))

    assert news(said) == [("A1", "blind"), ("A1", "ok")]
    assert changes(said) == [("A1", "offline_change", CAN.gtin, -1)]
    assert counted(aggregator) == {"A1": 9}
