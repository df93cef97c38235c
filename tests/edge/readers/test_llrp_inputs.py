from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from edge.readers.llrp.inputs import Change, Inputs

MS = 1000


def test_without_debouncing_every_change_is_told_at_once_and_low_may_be_on() -> None:
    inputs = Inputs((1,), 0)
    assert inputs.change(1, False, 5) == [Change(1, True, 5)]
    assert inputs.change(1, True, 6) == [Change(1, False, 6)]
    assert inputs.change(2, True, 7) == [Change(2, True, 7)]
    assert inputs.wait_s(8) is None


def test_a_change_is_believed_when_it_lasts_at_the_time_when_it_began() -> None:
    inputs = Inputs((), 20 * MS)
    assert inputs.change(1, True, 0) == []
    assert inputs.wait_s(5 * MS) == 0.015
    assert inputs.due(19 * MS) == []
    assert inputs.due(20 * MS) == [Change(1, True, 0)]
    assert inputs.due(40 * MS) == []
    assert inputs.wait_s(40 * MS) is None


def test_a_bounce_has_not_been() -> None:
    inputs = Inputs((), 20 * MS)
    inputs.change(1, True, 0)
    assert inputs.due(30 * MS) == [Change(1, True, 0)]
    assert inputs.change(1, False, 40 * MS) == []
    assert inputs.change(1, True, 45 * MS) == []
    assert inputs.due(100 * MS) == []


def test_a_contact_that_bounces_into_its_new_state_is_told_from_when_it_rests() -> None:
    inputs = Inputs((), 20 * MS)
    for high, at in ((True, 0), (False, 2 * MS), (True, 4 * MS)):
        assert inputs.change(1, high, at) == []
    assert inputs.due(24 * MS) == [Change(1, True, 4 * MS)]


def test_what_is_due_is_told_with_the_next_event_of_another_input() -> None:
    inputs = Inputs((), 20 * MS)
    inputs.change(1, True, 0)
    assert inputs.change(2, True, 50 * MS) == [Change(1, True, 0)]


@given(st.lists(st.tuples(st.integers(1, 3), st.booleans(), st.integers(1, 50)), max_size=40))
def test_what_is_told_alternates_and_ends_as_the_input_is(events: list[tuple[int, bool, int]]) -> None:
    inputs, at, told, level = Inputs((2,), 20 * MS), 0, list[Change](), dict[int, bool]()
    for port, high, later in events:
        at += later * MS
        told += inputs.change(port, high, at)
        level[port] = high != (port == 2)
    told += inputs.due(at + 20 * MS)
    for port, on in level.items():
        states = [change.on for change in told if change.input == port]
        assert all(a != b for a, b in pairwise(states))
        assert states[-1] == on
