from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from edge.uplink.spans import Spans

ranges = st.tuples(st.integers(1, 40), st.integers(0, 12)).map(lambda pair: (pair[0], pair[0] + pair[1]))


@given(st.lists(ranges, max_size=12), ranges)
def test_they_are_a_set_of_numbers(added: list[tuple[int, int]], asked: tuple[int, int]) -> None:
    spans, numbers = Spans(), set[int]()
    for first, last in added:
        new = {n for a, b in spans.add(first, last) for n in range(a, b + 1)}
        assert new == set(range(first, last + 1)) - numbers
        numbers |= set(range(first, last + 1))
    pairs = list(spans)
    assert {n for a, b in pairs for n in range(a, b + 1)} == numbers
    assert all(b + 1 < c for (_, b), (c, _) in pairwise(pairs))
    inside = set(range(asked[0], asked[1] + 1))
    assert {n for a, b in spans.gaps(*asked) for n in range(a, b + 1)} == inside - numbers
    assert spans.count(*asked) == len(inside & numbers)
    assert {n for n in range(60) if n in spans} == numbers


def test_a_range_that_is_none_has_no_gaps() -> None:
    assert list(Spans([(1, 5)]).gaps(6, 5)) == []
    assert Spans().count(1, 0) == 0
