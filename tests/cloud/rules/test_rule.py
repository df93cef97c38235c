from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from cloud.rules.rule import Rule, State, Status, Test, judge

START = datetime(2026, 11, 22, 9, tzinfo=UTC)
LOW = Rule(name="low", measure="bay_units", test=Test.BELOW, limit=4, clear=8, hold=timedelta(seconds=30))


def at(seconds: float) -> datetime:
    return START + timedelta(seconds=seconds)


def run(rule: Rule, *values: tuple[float, float]) -> list[Status]:
    status, seen = Status(State.OK, START), []
    for seconds, value in values:
        status = judge(rule, status, value, at(seconds))
        seen.append(status)
    return seen


def test_the_limit_itself_is_not_below_it() -> None:
    assert run(LOW, (1, 4)) == [Status(State.OK, START)]


def test_fires_when_it_has_been_below_for_the_hold_and_clears_at_the_clear_level() -> None:
    assert run(LOW, (0, 3), (29.9, 2), (30, 2), (40, 7), (50, 8)) == [
        Status(State.PENDING, at(0)),
        Status(State.PENDING, at(0)),
        Status(State.FIRING, at(0)),
        Status(State.FIRING, at(0)),
        Status(State.OK, at(50)),
    ]


def test_back_at_the_limit_before_the_hold_has_passed_is_no_alert() -> None:
    assert run(LOW, (0, 3), (20, 4), (60, 3), (80, 3)) == [
        Status(State.PENDING, at(0)),
        Status(State.OK, at(20)),
        Status(State.PENDING, at(60)),
        Status(State.PENDING, at(60)),
    ]


def test_a_pending_state_that_nobody_looked_at_until_it_rose_halfway_had_fired() -> None:
    """At 60 s the value is between limit and clear: a prompt judge had fired at 30 s, so it stays open."""
    assert run(LOW, (0, 3), (60, 6))[-1] == Status(State.FIRING, at(0))


def test_a_late_value_undoes_what_was_believed_meanwhile() -> None:
    """The worker fired at 30 s; then comes what happened at 20 s: it never was to fire."""
    believed = Status(State.FIRING, at(0))
    assert judge(LOW, believed, 5, at(20)) == Status(State.OK, at(20))


def test_time_never_runs_backwards() -> None:
    assert judge(LOW, Status(State.OK, at(10)), 3, at(5)) == Status(State.PENDING, at(10))


def test_no_hold_fires_at_once() -> None:
    rule = Rule(name="now", measure="bay_units", test=Test.BELOW, limit=4, clear=4, hold=timedelta(0))
    assert run(rule, (0, 3), (1, 4)) == [Status(State.FIRING, at(0)), Status(State.OK, at(1))]


def test_above_is_the_mirror_of_below() -> None:
    rule = Rule(name="over", measure="bay_units", test=Test.ABOVE, limit=24, clear=20, hold=timedelta(0))
    assert [status.state for status in run(rule, (0, 24), (1, 25), (2, 21), (3, 20))] == [
        State.OK,
        State.FIRING,
        State.FIRING,
        State.OK,
    ]


values = st.lists(
    st.tuples(st.integers(1, 40), st.integers(-3, 12), st.integers(1, 5)), min_size=1, max_size=30
)


@given(values)
def test_looking_more_often_changes_nothing(steps: list[tuple[int, int, int]]) -> None:
    """What is judged depends on the values and their times, not on who looked in between."""
    seldom = often = Status(State.OK, START)
    clock, last = 0, 9
    for gap, value, looks in steps:
        before, clock = clock, clock + gap
        for look in range(1, looks):
            often = judge(LOW, often, last, at(before + gap * look / looks))
        seldom, often, last = judge(LOW, seldom, value, at(clock)), judge(LOW, often, value, at(clock)), value
        assert seldom == often
