"""Hidden Markov models of two zones, outside and inside a door: where something was, and which way it went.

Evidence is log-odds of "inside" by bin of time. Pairs are the four combinations of zone at the beginning and zone at
the end, in the order STAYED_OUT, WENT_IN, WENT_OUT, STAYED_IN. Forward and backward passes as in Rabiner, Proc. IEEE
77(2), 1989, with the first state remembered;
bins are multiplied as two by two matrices, so that numpy does the work.
"""

import numpy as np

from edge.aggregator.slices import Floats

STAYED_OUT, WENT_IN, WENT_OUT, STAYED_IN = range(4)
LEAST = 1e-12  # below it a probability is as good as none
NEVER = 1e-30  # in place of a change that cannot be, so that thousands of bins that contradict each other stay numbers


def sigmoid(x: Floats) -> Floats:
    return 1.0 / (1.0 + np.exp(-np.clip(x, -30.0, 30.0)))


# Rows of two by two matrices, as their four columns: [[a, b], [c, d]].
Matrices = tuple[Floats, Floats, Floats, Floats]


def pairs(evidence: Floats, change: Floats) -> Floats:
    """Log-likelihoods of the four pairs, given the evidence; their prior is divided out.

    Args:
        evidence: of `n` paths, shape (n, bins).
        change: probability that the zone changes on entering each bin, shape (n, bins).

    Returns:
        Shape (n, 4), the largest of each row 0.
    """
    a, b, c, d = _steps(evidence, change)
    while a.shape[1] > 1:  # all bins in one: neighbours are multiplied, then their products, and so on
        if a.shape[1] % 2:
            one, zero = np.ones((len(a), 1)), np.zeros((len(a), 1))
            a, b = np.concatenate([a, one], axis=1), np.concatenate([b, zero], axis=1)
            c, d = np.concatenate([c, zero], axis=1), np.concatenate([d, one], axis=1)
        first = a[:, ::2], b[:, ::2], c[:, ::2], d[:, ::2]
        a, b, c, d = _product(first, (a[:, 1::2], b[:, 1::2], c[:, 1::2], d[:, 1::2]))
    joint = np.concatenate([a, b, c, d], axis=1)
    joint /= joint.sum(axis=1, keepdims=True)
    same = np.prod(1.0 - 2.0 * change, axis=1)  # of changes to and fro alone
    # Both sum to 1, so that a pair that cannot be (nothing may have changed) is neither borne out nor contradicted.
    prior = np.stack([1.0 + same, 1.0 - same, 1.0 - same, 1.0 + same], axis=1) / 4.0
    logs = np.log(np.maximum(joint, LEAST)) - np.log(np.maximum(prior, LEAST))
    likelihoods: Floats = logs - logs.max(axis=1, keepdims=True)
    return likelihoods


def smoothed(evidence: Floats, change: Floats) -> tuple[Floats, Floats]:
    """Where each path was at each time, seen from the end.

    Args:
        evidence, change: as for `pairs`, shape (n, bins).

    Returns:
        The probability of "inside", shape (n, bins), and the probability that it changed to inside, and to outside, on
        entering each bin, shape (n, bins, 2).
    """
    steps = _steps(evidence, change)
    ahead_out, ahead_in = _ahead(steps)
    # Backwards, the transposed matrices in reverse order; what is seen in a bin is in its matrix.
    a, b, c, d = (column[:, ::-1] for column in steps)
    after_out, after_in = (column[:, ::-1] for column in _ahead((a, c, b, d)))
    behind_out, behind_in = np.ones_like(after_out), np.ones_like(after_in)
    behind_out[:, :-1], behind_in[:, :-1] = after_out[:, 1:], after_in[:, 1:]
    both_out, both_in = ahead_out * behind_out, ahead_in * behind_in
    where = both_in / (both_out + both_in)
    a, b, c, d = (column[:, 1:] for column in steps)
    was_out, was_in = ahead_out[:, :-1], ahead_in[:, :-1]
    is_out, is_in = behind_out[:, 1:], behind_in[:, 1:]
    to_in, to_out = was_out * b * is_in, was_in * c * is_out
    total = to_in + to_out + was_out * a * is_out + was_in * d * is_in
    changes = np.zeros((*evidence.shape, 2))
    changes[:, 1:, 0], changes[:, 1:, 1] = to_in / total, to_out / total
    return where, changes


def _steps(evidence: Floats, change: Floats) -> Matrices:
    """For each bin: change or stay, then what is seen there."""
    inside = 2.0 * sigmoid(evidence)
    outside, stay = 2.0 - inside, 1.0 - change
    change = np.maximum(change, NEVER)
    return stay * outside, change * inside, change * outside, stay * inside


def _product(first: Matrices, second: Matrices) -> Matrices:
    """Of two rows of matrices, scaled: only their proportions matter."""
    a, b, c, d = first
    e, f, g, h = second
    columns = a * e + b * g, a * f + b * h, c * e + d * g, c * f + d * h
    most = np.maximum(np.maximum(columns[0], columns[1]), np.maximum(columns[2], columns[3]))
    return columns[0] / most, columns[1] / most, columns[2] / most, columns[3] / most


def _ahead(steps: Matrices) -> tuple[Floats, Floats]:
    """The forward pass from an even start: probabilities of outside and inside after each bin, up to a factor.

    A parallel prefix product (Hillis and Steele 1986): a few operations on all bins instead of a few on each.
    """
    a, b, c, d = steps
    reach, bins = 1, a.shape[1]
    while reach < bins:
        before = a[:, :-reach], b[:, :-reach], c[:, :-reach], d[:, :-reach]
        product = _product(before, (a[:, reach:], b[:, reach:], c[:, reach:], d[:, reach:]))
        a, b, c, d = (
            np.concatenate([old[:, :reach], new], axis=1)
            for old, new in zip((a, b, c, d), product, strict=True)
        )
        reach *= 2
    outside, inside = a + c, b + d
    total = outside + inside
    return outside / total, inside / total
