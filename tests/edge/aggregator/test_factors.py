"""What tells a tag that moves from one that stands: which way each factor points, and how far it may."""

from math import lgamma

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from edge.aggregator import factors
from edge.aggregator.factors import Looks, burst, profile, rise, shift, sides, spread
from edge.aggregator.slices import Bools, Floats, Ints

# tag, bin, looks inside, dBm
Row = tuple[int, int, bool, float]
MOST = 5.0 / 3.0


def looks_of(rows: list[Row], n: int) -> tuple[Looks, Floats]:
    tag, bin_, inner, dbm = (np.array(column) for column in zip(*rows, strict=True))
    odds = np.where(inner, 0.6, -0.6)
    return Looks.of(tag, bin_, inner.astype(bool), odds, n, MOST), dbm.astype(float)


def walking(tag: int, bins: int = 20, more: float = 0.0) -> list[Row]:
    """Read outside first and inside then, strongest at the middle: 20 bins are 5 s."""
    rows = []
    for b in range(bins):
        away = b - bins / 2
        rows.append((tag, b, away > 0, -50.0 - abs(away) + more * (b % 2)))
    return rows


def standing(tag: int, bins: int = 20, inner: bool = False, dbm: float = -62.0) -> list[Row]:
    return [(tag, b, inner, dbm + 0.1 * (b % 3)) for b in range(bins)]


def where_of(rows: list[Row], bins: int = 20) -> Floats:
    """The load was outside, then inside."""
    return np.array([0.02 if b < bins / 2 else 0.98 for _, b, _, _ in rows])


def unknown(n: int) -> Bools:
    return np.zeros(n, bool)


def test_reads_of_a_bin_count_for_no_more_than_it_can_tell() -> None:
    looks, _ = looks_of([(0, 0, True, -50.0)] * 10 + [(0, 3, False, -50.0), (1, 2, True, -50.0)], 2)

    assert looks.bins == 5
    assert looks.counts.tolist() == [[10, 0, 0, 1, 0], [0, 0, 1, 0, 0]]
    assert looks.weight.tolist() == pytest.approx([MOST / 10] * 10 + [1.0, 1.0])
    assert looks.evidence[0].tolist() == pytest.approx([0.6 * MOST, 0, 0, -0.6, 0])
    assert looks.sided[0].tolist() == [[0, 0, 0, 1, 0], [pytest.approx(MOST), 0, 0, 0, 0]]
    assert (looks.first.tolist(), looks.last.tolist()) == ([0, 2], [3, 2])


def test_a_power_that_varies_speaks_for_movement_and_one_that_does_not_against() -> None:
    rows = walking(0) + standing(1)
    looks, dbm = looks_of(rows, 2)
    antenna = np.array([1 + inner for _, _, inner, _ in rows])

    found = spread(looks, dbm, antenna, unknown(2), 0.5)
    assert found[0] > 1.0
    assert found[1] < -1.0
    assert (np.abs(found) <= 4.0).all()


def test_each_antenna_has_its_own_power() -> None:
    """Two antennas read a tag at rest at two powers: that is no movement."""
    rows: list[Row] = [(0, b, False, -60.0 if b % 2 else -50.0) for b in range(20)]
    looks, dbm = looks_of(rows, 1)

    apart = spread(looks, dbm, np.array([1 + b % 2 for _, b, _, _ in rows]), unknown(1), 0.5)
    as_one = spread(looks, dbm, np.ones(20, np.int64), unknown(1), 0.5)
    assert apart[0] < -1.0 < 1.0 < as_one[0]


def test_one_read_of_an_antenna_has_no_spread() -> None:
    looks, dbm = looks_of([(0, 0, False, -50.0), (0, 4, True, -70.0)], 1)

    assert spread(looks, dbm, np.array([1, 2]), unknown(1), 0.5).tolist() == [0.0]


def test_a_tag_that_stood_there_before_is_shadowed_by_what_passes() -> None:
    rows = walking(0)
    looks, dbm = looks_of(rows, 1)
    ones = np.ones(20, np.int64)

    assert spread(looks, dbm, ones, np.array([True]), 0.5)[0] <= factors.KNOWN_SPREAD
    assert spread(looks, dbm, ones, np.array([False]), 0.5)[0] > factors.KNOWN_SPREAD


def test_a_noisy_reader_asks_for_more_spread() -> None:
    rows: list[Row] = [(0, b, False, -60.0 + 2.5 * (b % 2)) for b in range(20)]
    looks, dbm = looks_of(rows, 1)
    ones = np.ones(20, np.int64)

    assert spread(looks, dbm, ones, unknown(1), 0.4)[0] > 1.0
    assert spread(looks, dbm, ones, unknown(1), 2.0)[0] < 0.0


def test_more_reads_than_at_rest_speak_for_movement() -> None:
    looks, _ = looks_of(standing(0, 40) * 3 + standing(1, 40), 2)  # 10 s at 12 and 4 a second
    rest = np.array([[4.0, 0.0], [4.0, 0.0]])

    found = burst(looks, np.array([True, True]), rest)
    assert found[0] == 2.0
    assert abs(found[1]) < 0.5
    assert burst(looks, np.array([True, True]), 9 * rest)[1] == -2.0
    assert burst(looks, unknown(2), rest).tolist() == [factors.UNKNOWN_BURST] * 2


def test_sides_that_change_with_the_load_speak_for_movement() -> None:
    crossing, still, inside = walking(0), standing(1), standing(2, inner=True)
    contrary = [(3, b, not inner, dbm) for _, b, inner, dbm in crossing]
    rows = crossing + still + inside + contrary
    looks, dbm = looks_of(rows, 4)

    found = sides(looks.parted(where_of(rows), dbm))
    assert found[0] > 1.0
    assert found[1] < -0.5
    assert found[1] == pytest.approx(found[2])
    assert 0.0 < found[3] < found[0]  # it went the other way: it moved, but not with this load
    assert (np.abs(found) <= 4.0).all()


def test_a_tag_read_before_the_crossing_alone_is_told_nothing_by_its_sides() -> None:
    rows: list[Row] = [(0, b, False, -50.0) for b in range(6)]
    looks, dbm = looks_of(rows, 1)

    assert abs(sides(looks.parted(np.zeros(6), dbm))[0]) < 1.0


def test_a_power_that_falls_outside_and_rises_inside_as_the_load_goes_in_speaks_for_movement() -> None:
    """Both sides read it all the time, at powers that follow the way."""
    rows = [
        (0, b, inner, -60.0 + (b - 10) * (0.8 if inner else -0.8))
        for b in range(20)
        for inner in (False, True)
    ]
    rows += [(1, b, inner, -60.0) for b in range(20) for inner in (False, True)]
    looks, dbm = looks_of(rows, 2)

    found = shift(looks.parted(where_of(rows), dbm))
    assert found[0] > 1.0
    assert found[1] < -0.2
    assert shift(looks.parted(1.0 - where_of(rows), dbm))[0] < 0.2  # against the load's way


def test_a_side_that_read_a_tag_in_one_zone_only_has_no_shift() -> None:
    rows: list[Row] = [(0, b, False, -50.0) for b in range(10)]
    looks, dbm = looks_of(rows, 1)

    assert shift(looks.parted(np.zeros(10), dbm)).tolist() == [0.0]


def crossing_at(b: int, n: int, bins: int) -> Floats:
    changes = np.zeros((n, bins))
    changes[:, b] = 1.0
    return changes


def test_a_power_that_is_highest_as_the_load_crosses_speaks_for_movement() -> None:
    rows = [(0, b, False, -50.0 - 0.8 * abs(b - 10)) for b in range(20)] + standing(1)
    looks, dbm = looks_of(rows, 2)

    found = rise(looks, crossing_at(10, 2, looks.bins), dbm)
    assert found[0] > 0.5
    assert found[1] < 0.0
    assert rise(looks, np.zeros((2, looks.bins)), dbm).tolist() == [0.0, 0.0]
    assert (np.abs(found) <= 3.0).all()


def test_a_tag_read_with_the_others_speaks_for_movement_and_one_read_all_the_time_against() -> None:
    load = [(tag, 8 + b, b > 2, -50.0) for tag in range(8) for b in range(5)]
    rows = load + [(8, 8 + b, b > 2, -50.0) for b in range(5)] + standing(9)
    looks, _ = looks_of(rows, 10)
    moved = np.array([1.0] * 8 + [0.5, 0.5])

    trust, found = profile(looks, moved, np.zeros((10, 2)))
    assert found[8] > 1.0
    assert found[9] < -1.0
    assert ((trust > 0.5) & (trust < 1.0)).all()


def test_a_tag_does_not_vouch_for_itself() -> None:
    """Alone it has nobody to be compared with, however often it was read."""
    rows: list[Row] = [(0, 8 + b % 3, True, -50.0) for b in range(300)] + [(1, 1, False, -50.0)]
    looks, _ = looks_of(rows, 2)

    trust, odds = profile(looks, np.array([1.0, 0.0]), np.zeros((2, 2)))
    assert trust[0] == pytest.approx(0.0, abs=1e-12)
    assert odds[0] == pytest.approx(0.0, abs=1e-9)
    assert trust[1] > 0.1  # the other one has this one to be compared with


@given(st.floats(1e-3, 1e6))
def test_the_gamma_function_is_as_python_knows_it(x: float) -> None:
    found = float(factors._lgamma(np.array([x]))[0])

    assert found == pytest.approx(lgamma(x), abs=2e-6, rel=1e-9)


def test_a_bell_has_its_top_over_its_bin_and_fades() -> None:
    found = factors._blurred(np.array([[0.0, 0, 0, 1, 0, 0, 0]]), 2.0, 2)[0]

    assert found[3] == 1.0
    assert found[2] == found[4] == pytest.approx(np.exp(-0.125))
    assert found[1] == found[5] == pytest.approx(np.exp(-0.5))
    assert found[0] == found[6] == 0.0


SCENES = st.lists(
    st.tuples(st.integers(0, 3), st.integers(0, 40), st.booleans(), st.floats(-100.0, 10.0)), min_size=1, max_size=60
)  # fmt: skip


@settings(max_examples=100, deadline=None)
@given(SCENES, st.data())
def test_every_factor_is_bounded_whatever_was_read(rows: list[Row], data: st.DataObject) -> None:
    n, chance = 4, st.floats(0.0, 1.0)
    looks, dbm = looks_of(rows + [(tag, 0, True, -50.0) for tag in range(n)], n)
    reads = len(dbm)
    antenna: Ints = np.array(data.draw(st.lists(st.integers(1, 4), min_size=reads, max_size=reads)))
    where = np.array(data.draw(st.lists(chance, min_size=reads, max_size=reads)))
    moved = np.array(data.draw(st.lists(chance, min_size=n, max_size=n)))
    known = np.array(data.draw(st.lists(st.booleans(), min_size=n, max_size=n)))
    rest = np.array(data.draw(st.lists(st.floats(0.0, 50.0), min_size=2 * n, max_size=2 * n))).reshape(n, 2)
    rest_db = data.draw(st.floats(0.2, 5.0))
    at = data.draw(st.integers(0, looks.bins - 1))

    bounds = {
        4.0: [spread(looks, dbm, antenna, known, rest_db), sides(looks.parted(where, dbm))],
        2.0: [burst(looks, known, rest)],
        3.0: [shift(looks.parted(where, dbm)), rise(looks, crossing_at(at, n, looks.bins), dbm)],
        8.0: [profile(looks, moved, rest)[1]],
    }
    for most, found in bounds.items():
        for odds in found:
            assert odds.shape == (n,)
            assert np.isfinite(odds).all()
            assert (np.abs(odds) <= most + 1e-9).all()
    trust, odds = profile(looks, moved, rest)
    assert ((trust >= 0.0) & (trust < 1.0)).all()
    assert (odds <= 6.0).all()
