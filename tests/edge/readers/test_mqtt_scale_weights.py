"""One cell's messages, as a broker and a network may bring them: twice, late, in another order, in another unit."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge.readers.mqtt_scale.protocol import NoWeight, Time, Weight
from edge.readers.mqtt_scale.talk import Talk
from edge.readers.mqtt_scale.weights import FLIPS, Cell

NOW = 1_795_338_000_000_000
S = 1_000_000


def stamped(grams: float, us: int, *, zoned: bool = True) -> Weight:
    return Weight(grams, time=Time(us, zoned))


def taken(cell: Cell, *told: tuple[Weight, int]) -> list[tuple[int, float] | NoWeight | None]:
    return [cell.take(weight, arrival) for weight, arrival in told]


def test_without_a_time_it_was_weighed_when_it_came() -> None:
    assert taken(Cell(), (Weight(5.0), NOW), (Weight(5.0), NOW + S)) == [(NOW, 5.0), (NOW + S, 5.0)]


def test_a_message_that_comes_twice_is_taken_once() -> None:
    cell = Cell()
    first = stamped(100.0, NOW)
    assert taken(cell, (first, NOW), (first, NOW + S), (stamped(101.0, NOW + S), NOW + S)) == [
        (NOW, 100.0), None, (NOW + S, 101.0),
    ]  # fmt: skip
    assert cell.doubles == 1


def test_a_message_that_was_overtaken_is_not_taken() -> None:
    cell = Cell()
    got = taken(
        cell,
        (stamped(100.0, NOW), NOW),
        (stamped(300.0, NOW + 2 * S), NOW + 2 * S),
        (stamped(200.0, NOW + S), NOW + 2 * S + 1000),
        (stamped(301.0, NOW + 3 * S), NOW + 3 * S),
    )
    assert [each[1] for each in got if isinstance(each, tuple)] == [100.0, 300.0, 301.0]
    assert cell.late == 1


def test_two_weights_of_one_second_are_both_taken() -> None:
    """Whole seconds are what Tasmota tells; a change may be told in the second of the interval's own message."""
    got = taken(
        Cell(), (stamped(100.0, NOW, zoned=False), NOW), (stamped(430.0, NOW, zoned=False), NOW + 300_000)
    )
    assert got == [(NOW, 100.0), (NOW + 300_000, 430.0)]


@pytest.mark.parametrize("hours", [-9, -1, 0, 2, 13])
def test_a_time_without_a_zone_is_not_taken_for_ours(hours: int) -> None:
    local = NOW + hours * 3600 * S
    got = taken(
        Cell(), (stamped(1.0, local, zoned=False), NOW), (stamped(2.0, local + S, zoned=False), NOW + S)
    )
    assert got == [(NOW, 1.0), (NOW + S, 2.0)]


def test_the_end_of_summer_time_makes_nobody_deaf() -> None:
    cell = Cell()
    cell.take(stamped(1.0, NOW, zoned=False), NOW)
    assert cell.take(stamped(2.0, NOW - 3599 * S, zoned=False), NOW + S) == (NOW + S, 2.0)
    assert cell.late == 0


def test_a_clock_that_was_set_back_a_little_is_believed_after_some_seconds() -> None:
    cell = Cell()
    cell.take(stamped(0.0, NOW, zoned=False), NOW)
    heard = [
        cell.take(stamped(float(i), NOW - 60 * S + i * S, zoned=False), NOW + i * S) for i in range(1, 10)
    ]
    assert [each is None for each in heard] == [True] * 5 + [False] * 4


def test_held_messages_keep_their_own_times() -> None:
    cell = Cell()
    cell.take(stamped(5.0, NOW), NOW)
    held = [cell.take(stamped(10.0 + i, NOW + i * S), NOW + 30 * S) for i in range(1, 6)]
    assert [each[0] for each in held if isinstance(each, tuple)] == [NOW + i * S for i in range(1, 6)]


def test_relative_times_count_from_the_arrival_and_never_into_the_future() -> None:
    cell = Cell()
    assert cell.take(Weight(1.0, time=Time(-2 * S, relative=True)), NOW) == (NOW - 2 * S, 1.0)
    assert cell.take(Weight(1.0, time=Time(5 * S, relative=True)), NOW) == (NOW, 1.0)


@pytest.mark.parametrize("factor", [1000.0, 0.001])
def test_a_unit_that_changes_is_no_pick(factor: float) -> None:
    cell = Cell()
    for i in range(10):
        assert cell.take(Weight(1500.0 + 0.1 * (i % 2)), NOW + i) == (NOW + i, 1500.0 + 0.1 * (i % 2))
    for i in range(20):
        said = cell.take(Weight((1500.0 if i < 10 else 1170.0) * factor), NOW + 10 + i)
        assert isinstance(said, NoWeight), i
        assert "was its unit changed?" in said.fault
    assert cell.take(Weight(1500.0), NOW + 40) == (NOW + 40, 1500.0)


def test_a_shelf_that_is_emptied_to_a_thousandth_is_empty() -> None:
    cell = Cell()
    cell.take(Weight(1500.0), NOW)
    left = [
        cell.take(Weight(1.5 + noise), NOW + i) for i, noise in enumerate([0.0, 0.004, 0.1, -0.1, 0.0, 0.0])
    ]
    assert sum(isinstance(each, NoWeight) for each in left) < FLIPS
    assert left[-1] == (NOW + 5, 1.5)


def test_small_weights_may_be_a_thousand_times_apart() -> None:
    cell = Cell()
    for i, grams in enumerate([0.01, 10.0, 0.01, 10.0, 0.0, 1000.0, -1.0, 1000.0]):
        assert cell.take(Weight(grams), NOW + i) == (NOW + i, grams)


@given(
    st.lists(
        st.tuples(
            st.floats(-1e7, 1e7),
            st.integers(0, 4_000_000_000_000_000),
            st.integers(0, 10**7),
            st.integers(0, 2),
        ),
        max_size=30,
    )
)
def test_whatever_comes_is_dated_no_later_than_it_came(told: list[tuple[float, int, int, int]]) -> None:
    cell, now = Cell(), NOW
    for grams, us, passed, kind in told:
        now += passed
        time = [Time(us), Time(us, zoned=False), Time(us % 2**40 - 2**39, relative=True)][kind]
        said = cell.take(Weight(grams, time=time), now)
        if isinstance(said, tuple):
            assert said[0] <= now
            assert said[1] == grams


class Clock:
    def __init__(self) -> None:
        self.s = 1000.0

    def __call__(self) -> float:
        return self.s


def test_a_cell_is_silent_after_three_of_its_intervals_and_slow_when_they_are_long() -> None:
    clock = Clock()
    talk = Talk([0, 1], "esphome", None, clock)
    for _ in range(4):
        clock.s += 60
        talk.heard(0)
    assert talk.slow(0) == 60
    assert talk.silent_s(1) == 240  # three of what is usual without having heard any
    clock.s += 170
    assert talk.silent_s(0) is None
    clock.s += 20
    assert talk.silent_s(0) == 190
    assert talk.all_silent
    talk.heard(1)
    assert not talk.all_silent


def test_one_long_interval_is_not_slow_and_ten_seconds_are_tasmotas_best() -> None:
    clock = Clock()
    talk = Talk([0], "tasmota", None, clock)
    for passed in (10, 60, 1, 10, 10, 10):
        clock.s += passed
        talk.heard(0)
        assert talk.slow(0) is None
    given = Talk([0], "json", 5.0, clock)
    clock.s += 6
    assert given.silent_s(0) == 6
