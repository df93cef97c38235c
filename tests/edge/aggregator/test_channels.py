"""Columns of cells: medians of blocks, rest, and what is no rest."""

from random import Random
from statistics import median_low

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge.aggregator.channels import BLOCK_MS, Channels, medians


@given(st.lists(st.tuples(st.integers(0, 6), st.floats(-1e6, 1e6)), min_size=1, max_size=60))
def test_a_block_is_the_median_of_each_channel(samples: list[tuple[int, float]]) -> None:
    channel = np.array([channel for channel, _ in samples])
    grams = np.array([grams for _, grams in samples])

    active, values = medians(channel, grams, 7)

    by_channel = {c: [g for d, g in samples if d == c] for c, _ in samples}
    assert list(active) == sorted(by_channel)
    assert list(values) == [median_low(by_channel[c]) for c in sorted(by_channel)]


def folded(values: list[list[float]]) -> Channels:
    """One channel a column."""
    channels = Channels(len(values[0]))
    for n, row in enumerate(values):
        channels.fold(n * BLOCK_MS, np.array(row), np.arange(len(row)))
    return channels


def test_a_coarse_scale_that_moves_for_long_is_not_taken_for_one_that_flickers() -> None:
    """Emptied and filled again in half a minute; what it shows at rest is one division, and always the same."""
    still, moving = [[2_000.0]] * 40, [[2_000.0 + 5.0 * n] for n in range(300)]

    channels = folded([*still, *moving, *still])

    assert channels.rest[0]
    assert channels.flicker[0] < 0.5
    noisy = folded([[2_000.0 + n % 2 * 0.1] for n in range(300)])
    assert noisy.flicker[0] > 0.9


def test_channels_do_not_touch_each_other() -> None:
    rng = Random(3)
    rows = [[100.0 + rng.gauss(0, 0.1), 50.0 * n, 7.0] for n in range(40)]

    together, alone = folded(rows), [folded([[row[c]] for row in rows]) for c in range(3)]

    assert list(together.rest) == [True, False, True]
    for name in ("level", "sigma", "rest", "period_ms", "flicker"):
        assert list(getattr(together, name)) == pytest.approx([getattr(each, name)[0] for each in alone]), (
            name
        )


def test_some_channels_are_folded_as_all_are() -> None:
    rows = [[100.0 + n % 2 * 0.2, 300.0] for n in range(30)]
    every = folded(rows)
    some = Channels(3)
    for n, row in enumerate(rows):
        some.fold(n * BLOCK_MS, np.array(row), np.array([0, 2]))

    assert list(every.level) == pytest.approx([some.level[0], some.level[2]])
    assert list(every.rest) == [some.rest[0], some.rest[2]]


def test_one_block_that_stands_out_is_no_motion() -> None:
    rows = [[100.0] for _ in range(30)]
    rows[25] = [900.0]

    channels = folded(rows)

    assert channels.rest[0]
    assert channels.level[0] == 100.0


def test_a_scale_that_trembles_about_one_weight_is_at_rest_after_a_while() -> None:
    rng = Random(4)
    quiet = [[100.0 + rng.gauss(0, 0.1)] for _ in range(60)]
    trembling = [[400.0 + rng.uniform(-1.5, 1.5)] for _ in range(60)]

    channels = Channels(1)
    channels.slack[:] = 5.0
    for n, row in enumerate([*quiet, *trembling]):
        channels.fold(n * BLOCK_MS, np.array(row), np.arange(1))

    assert channels.rest[0]
    assert abs(channels.level[0] - 400.0) < 1.0
