"""When a tag was read, from milliseconds since a search began, over lines that stall and counts that jump."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge.readers.thingmagic.clock import ReadClock

S = 1_000_000
MS = 1000


def test_the_first_read_is_as_old_as_its_arrival() -> None:
    assert ReadClock().lag_us(700, 5 * S) == 0


def test_reads_that_a_line_held_up_keep_their_distance() -> None:
    clock = ReadClock()
    clock.search_began(0)
    assert clock.lag_us(100, 100 * MS) == 0
    assert [clock.lag_us(ms, 900 * MS) for ms in (200, 500, 890)] == [700 * MS, 400 * MS, 10 * MS]


def test_a_stall_over_several_searches_is_undone() -> None:
    clock = ReadClock()
    for second in range(5):
        clock.search_began(second * S)
        assert clock.lag_us(500, second * S + 500 * MS) == 0
    late = 8 * S  # three searches come at once
    lags = []
    for _ in range(3):
        clock.search_began(late)
        lags.append(clock.lag_us(250, late))
    assert lags == [2750 * MS, 1750 * MS, 750 * MS]


def test_a_search_that_lasts_a_little_longer_is_learnt() -> None:
    clock = ReadClock()
    worst = 0
    for number in range(60):
        began = number * 1_013_000
        clock.search_began(began)
        for ms in (10, 400, 900):
            worst = max(worst, clock.lag_us(ms, began + ms * MS))
    assert worst <= 30 * MS


def test_a_lost_word_that_a_search_ended_is_made_good() -> None:
    clock = ReadClock()
    clock.search_began(0)
    clock.lag_us(900, 900 * MS)
    assert clock.lag_us(100, 1100 * MS) == 0
    clock.search_began(2 * S)
    assert clock.lag_us(300, 2300 * MS) == 0


def test_a_module_that_counts_on_is_understood() -> None:
    clock = ReadClock()
    for second in range(1, 30):
        clock.search_began(second * S)
        assert clock.lag_us(second * 1000 + 200, second * S + 200 * MS) <= S
    assert clock.lag_us(30_200, 30_200 * MS) == 0
    assert clock.lag_us(30_300, 30_800 * MS) == 500 * MS


def test_a_count_fourteen_seconds_ahead_is_no_time() -> None:
    clock = ReadClock()
    clock.search_began(0)
    assert clock.lag_us(100, 100 * MS) == 0
    assert clock.lag_us(14_100, 200 * MS) == 0
    assert clock.lag_us(300, 300 * MS) == 0
    clock.search_began(1 * S)
    assert clock.lag_us(50, 1050 * MS) == 0


def test_told_to_start_it_counts_anew() -> None:
    clock = ReadClock()
    clock.search_began(0)
    assert clock.lag_us(900, 900 * MS) == 0
    clock.restarted()  # half a second later than a search would have begun
    assert clock.lag_us(100, 1600 * MS) == 0
    assert clock.lag_us(200, 1800 * MS) == 100 * MS


@pytest.mark.parametrize("ppm", [-200, 200])
def test_a_module_whose_clock_drifts_is_followed_for_hours(ppm: int) -> None:
    clock = ReadClock()
    for second in range(0, 3 * 3600):
        clock.search_began(second * S)
        ms = 500 + round(500 * ppm / 1e6)
        assert 0 <= clock.lag_us(ms, second * S + 500 * MS) <= 20 * MS


@given(
    st.lists(st.tuples(st.integers(0, 2**32 - 1) | st.integers(0, 1100) | st.none(), st.integers(0, 3 * S)))
)
def test_nothing_is_ever_in_the_future_or_long_ago(told: list[tuple[int | None, int]]) -> None:
    clock, now = ReadClock(), 0
    for ms, passed in told:
        now += passed
        if ms is None:
            clock.search_began(now)
        else:
            assert 0 <= clock.lag_us(ms, now) <= 5 * S
