"""The hidden Markov models of two zones, held against every path there is."""

from itertools import product
from math import exp, isclose, log, prod

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from edge.aggregator.paths import STAYED_IN, STAYED_OUT, WENT_IN, WENT_OUT, pairs, sigmoid, smoothed
from edge.aggregator.slices import Floats

PAIR = {(0, 0): STAYED_OUT, (0, 1): WENT_IN, (1, 0): WENT_OUT, (1, 1): STAYED_IN}
MIRRORED = [STAYED_IN, WENT_OUT, WENT_IN, STAYED_OUT]

Bins = list[tuple[float, float]]  # evidence and probability of a change
BINS = st.lists(st.tuples(st.floats(-4.0, 4.0), st.floats(0.01, 0.6)), min_size=1, max_size=7)


def rows(*paths: Bins) -> tuple[Floats, Floats]:
    array = np.array(paths)
    return array[:, :, 0], array[:, :, 1]


def every_path(bins: Bins) -> tuple[list[float], list[float], list[tuple[float, float]]]:
    """Likelihoods of the pairs; and by bin where it was and how it changed, by going through all paths."""
    said, prior = [0.0] * 4, [0.0] * 4
    where, to_in, to_out = ([0.0] * len(bins) for _ in range(3))
    for path in product((0, 1), repeat=len(bins) + 1):
        steps = list(zip(path[:-1], path[1:], bins, strict=True))
        before = 0.5 * prod(change if a != b else 1.0 - change for a, b, (_, change) in steps)
        weight = before * prod(1.0 / (1.0 + exp(-odds if b else odds)) for _, b, (odds, _) in steps)
        prior[PAIR[path[0], path[-1]]] += before
        said[PAIR[path[0], path[-1]]] += weight
        for number, (a, b, _) in enumerate(steps):
            where[number] += weight * b
            if number:  # the first bin has none before it
                to_in[number] += weight * (b > a)
                to_out[number] += weight * (a > b)
    total = sum(said)
    likelihoods = [log(of / by) for of, by in zip(said, prior, strict=True)]
    changes = [(one / total, other / total) for one, other in zip(to_in, to_out, strict=True)]
    return [each - max(likelihoods) for each in likelihoods], [each / total for each in where], changes


@settings(max_examples=80, deadline=None)
@given(BINS)
@example([(3.0, 0.02), (0.0, 0.02), (-3.0, 0.02)])
def test_pairs_and_paths_are_those_of_all_paths_weighed(bins: Bins) -> None:
    likelihoods, where, changes = every_path(bins)

    assert pairs(*rows(bins))[0] == pytest.approx(likelihoods, abs=1e-6)
    found, changed = smoothed(*rows(bins))
    assert found[0] == pytest.approx(where, abs=1e-9)
    assert changed[0] == pytest.approx(np.array(changes), abs=1e-9)


@settings(max_examples=50, deadline=None)
@given(BINS)
def test_sides_that_are_exchanged_exchange_the_ways(bins: Bins) -> None:
    evidence, change = rows(bins)

    assert pairs(-evidence, change) == pytest.approx(pairs(evidence, change)[:, MIRRORED], abs=1e-9)
    (where, changes), (mirrored, back) = smoothed(evidence, change), smoothed(-evidence, change)
    assert mirrored == pytest.approx(1.0 - where)
    assert back == pytest.approx(changes[:, :, ::-1])


@settings(max_examples=50, deadline=None)
@given(BINS)
def test_time_that_runs_backwards_exchanges_in_and_out(bins: Bins) -> None:
    """From the first bin on: what it was before that is said of the beginning alone."""
    evidence, change = rows(bins)
    change[:, 0] = 0.0
    turned = np.concatenate([np.zeros((1, 1)), change[:, :0:-1]], axis=1)

    assert pairs(evidence[:, ::-1], turned) == pytest.approx(
        pairs(evidence, change)[:, [STAYED_OUT, WENT_OUT, WENT_IN, STAYED_IN]], abs=1e-9
    )


@settings(max_examples=50, deadline=None)
@given(BINS, st.integers(0, 7), st.integers(1, 4))
def test_bins_of_which_nothing_is_known_change_nothing(bins: Bins, at: int, more: int) -> None:
    at = min(at, len(bins))
    longer = [*bins[:at], *[(0.0, 0.0)] * more, *bins[at:]]

    assert pairs(*rows(longer)) == pytest.approx(pairs(*rows(bins)), abs=1e-9)
    where, longer_where = smoothed(*rows(bins))[0][0], smoothed(*rows(longer))[0][0]
    assert np.delete(longer_where, range(at, at + more)) == pytest.approx(where)
    before = where[at - 1] if at else None
    if before is not None:
        assert longer_where[at : at + more] == pytest.approx(before)


@settings(max_examples=30, deadline=None)
@given(st.lists(st.lists(st.tuples(st.floats(-4, 4), st.floats(0, 0.6)), min_size=5, max_size=5), min_size=2))
def test_paths_know_nothing_of_each_other(paths: list[Bins]) -> None:
    whole, alone = pairs(*rows(*paths)), [pairs(*rows(path))[0] for path in paths]
    where, changes = smoothed(*rows(*paths))

    assert whole == pytest.approx(np.array(alone))
    assert where[1] == pytest.approx(smoothed(*rows(paths[1]))[0][0])
    assert changes[1] == pytest.approx(smoothed(*rows(paths[1]))[1][0])


def test_what_cannot_have_changed_tells_nothing_of_changes() -> None:
    """Read in one bin only, a tag that was inside then may have come before, or left after: neither is held against it
    more than if it had not been read."""
    found = pairs(*rows([(2.0, 0.0)]))[0]

    assert found[STAYED_IN] == 0.0
    assert found[WENT_IN] == found[WENT_OUT] == pytest.approx(-log(2.0 / (1.0 + exp(-2.0))))
    assert found[STAYED_OUT] == pytest.approx(-2.0)


def test_two_reads_apart_tell_the_way() -> None:
    for first, second, way in ((-3.0, 3.0, WENT_IN), (3.0, -3.0, WENT_OUT), (3.0, 3.0, STAYED_IN)):
        assert pairs(*rows([(first, 0.0), (0.0, 0.02), (second, 0.02)]))[0].argmax() == way


@pytest.mark.parametrize("change", [0.0, 1e-9, 0.02, 0.5, 1.0])
@pytest.mark.parametrize("odds", [0.0, 1e-3, 5.0, 50.0, 1e6])
@pytest.mark.parametrize("shape", ["same", "half and half", "in turns"])
def test_thousands_of_bins_stay_numbers(change: float, odds: float, shape: str) -> None:
    bins = np.arange(5_000)
    sign = {"same": bins >= 0, "half and half": bins < 2_500, "in turns": bins % 2 == 0}[shape]
    evidence, changes = np.where(sign, odds, -odds)[None], np.full((1, 5_000), change)

    found = pairs(evidence, changes)
    where, changed = smoothed(evidence, changes)

    assert np.isfinite(found).all()
    assert found.max() == 0.0
    assert np.isfinite(where).all()
    assert (where >= 0.0).all()
    assert (where <= 1.0).all()
    assert np.isfinite(changed).all()
    assert (changed >= 0.0).all()
    assert (changed.sum(axis=2) <= 1.0 + 1e-9).all()
    if shape == "same" and odds >= 5.0 and change < 0.5:
        assert found[0].argmax() == STAYED_IN
        assert where.min() > 0.9


@given(st.floats(-1e300, 1e300))
def test_a_sigmoid_is_a_probability_whatever_it_is_given(odds: float) -> None:
    value = float(sigmoid(np.array([odds]))[0])

    assert 0.0 < value < 1.0
    assert abs(odds) > 30.0 or isclose(value, 1.0 / (1.0 + exp(-odds)))
