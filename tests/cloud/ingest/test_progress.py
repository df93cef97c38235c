from hypothesis import given
from hypothesis import strategies as st

from cloud.ingest.progress import Progress

seqs = st.lists(st.integers(1, 40))


def _all(progress: Progress) -> set[int]:
    held = set(range(1, progress.through + 1))
    for first, last in progress.ranges:
        held |= set(range(first, last + 1))
    return held


@given(st.lists(seqs, max_size=6))
def test_it_is_the_set_of_what_was_settled_in_whatever_portions(portions: list[list[int]]) -> None:
    progress = Progress()
    for portion in portions:
        progress = progress.settle(portion)

    assert _all(progress) == {seq for portion in portions for seq in portion}
    edge = progress.through
    for first, last in progress.ranges:
        assert edge + 1 < first <= last
        edge = last


def test_ranges_close_up_as_holes_are_filled() -> None:
    progress = Progress().settle([1, 2, 5, 6, 9])
    assert progress == Progress(2, ((5, 6), (9, 9)))
    assert progress.settle([3, 4]) == Progress(6, ((9, 9),))
    assert progress.settle_ranges([(3, 8)]) == Progress(9)
    assert progress.highest == 9
