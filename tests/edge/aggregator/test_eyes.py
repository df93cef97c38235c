"""What photo-eyes say: which way something broke both beams, and what they cannot tell."""

import numpy as np
import pytest

from edge.aggregator.eyes import BLOCKED_MS, CHATTER_MS, SURE, Eyes
from edge.aggregator.paths import STAYED_IN, STAYED_OUT, WENT_IN, WENT_OUT

OUTER, INNER = 3, 4  # inputs of a reader
Span = tuple[int, int]


def eyes(*, outer: list[Span], inner: list[Span]) -> Eyes:
    """Two eyes whose beams were broken from and to these times."""
    found = Eyes(OUTER, INNER)
    changes = [(at, OUTER, on) for span in outer for at, on in zip(span, (True, False), strict=True)]
    changes += [(at, INNER, on) for span in inner for at, on in zip(span, (True, False), strict=True)]
    for at, number, on in sorted(changes):
        found.observe(number, on, at)
    return found


@pytest.mark.parametrize(
    "outer, inner, pair",
    [
        ((1000, 2000), (1500, 2500), WENT_IN),
        ((1500, 2500), (1000, 2000), WENT_OUT),
        ((1000, 3000), (1500, 2500), STAYED_OUT),
        ((1500, 2500), (1000, 3000), STAYED_IN),
        ((1000, 1200), (1800, 2000), WENT_IN),  # narrower than the beams are apart
    ],
)
def test_the_order_of_the_beams_is_the_way(outer: Span, inner: Span, pair: int) -> None:
    (through,) = eyes(outer=[outer], inner=[inner]).through(10_000)

    assert through.pair == pair
    assert 1000 < through.at_ms < 3000


def test_chatter_is_one_break() -> None:
    chatter = [(1000, 1100), (1150, 1400), (1400 + CHATTER_MS - 1, 2200)]

    (through,) = eyes(outer=chatter, inner=[(1500, 2600)]).through(10_000)

    assert through.pair == WENT_IN


def test_two_that_follow_each_other_are_two() -> None:
    both = eyes(outer=[(1000, 2000), (9000, 9800)], inner=[(1500, 2500), (8500, 9200)])

    assert [each.pair for each in both.through(20_000)] == [WENT_IN, WENT_OUT]


def test_one_beam_alone_tells_nothing() -> None:
    assert eyes(outer=[(1000, 2000)], inner=[]).through(60_000) == []


def test_a_flicker_is_nothing() -> None:
    assert eyes(outer=[(1000, 1010)], inner=[(1500, 2500)]).through(60_000) == []


def test_what_has_not_left_the_beams_has_not_gone_through() -> None:
    both = eyes(outer=[(1000, 2000)], inner=[])
    both.observe(INNER, True, 1500)

    assert both.through(2100) == []
    assert not both.in_the_door(2100)
    both.observe(OUTER, True, 2700)
    assert both.in_the_door(2800)


def test_a_blocked_eye_is_said_and_not_believed() -> None:
    both = eyes(outer=[], inner=[(400_000, 401_000)])
    both.observe(OUTER, True, 1000)

    assert both.blocked(2000) == []
    assert both.blocked(1000 + BLOCKED_MS) == ["outside"]
    assert both.through(1000 + BLOCKED_MS) == []
    assert not both.in_the_door(1000 + BLOCKED_MS)


def test_other_inputs_are_passed_over() -> None:
    both = eyes(outer=[(1000, 2000)], inner=[])
    both.observe(9, True, 1500)
    both.observe(9, False, 2500)

    assert both.through(9_000) == []


def test_tags_read_about_then_are_told_and_others_are_not() -> None:
    both = eyes(outer=[(10_000, 11_000)], inner=[(10_500, 11_500)])

    odds, when_ms = both.odds(np.array([8_000, 60_000]), np.array([13_000, 61_000]), 70_000)

    assert odds[0].argmax() == WENT_IN
    assert odds[0].max() - np.sort(odds[0])[-2] == pytest.approx(SURE)
    assert when_ms[0] == pytest.approx(10_750)
    assert not odds[1].any()
    assert np.isnan(when_ms[1])


def test_what_is_to_come_is_not_known_yet() -> None:
    both = eyes(outer=[(1000, 2000)], inner=[(1500, 2500)])

    assert both.through(2400) == []
    assert len(both.through(2500)) == 1


def test_saved_and_restored_it_says_the_same() -> None:
    both, again = eyes(outer=[(1000, 2000)], inner=[(1500, 2500)]), Eyes(OUTER, INNER)
    again.restore(both.save())

    assert again.through(9_000) == both.through(9_000)
