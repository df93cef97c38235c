"""Hidden Markov models of two zones, outside and inside a door: where something was, and which way it went.

Evidence is log-odds of "inside" by bin of time. Pairs are the four combinations of zone at the beginning and zone at
the end, in the order STAYED_OUT, WENT_IN, WENT_OUT, STAYED_IN. Forward and backward passes as in Rabiner, Proc. IEEE
77(2), 1989; where the first state must be remembered, bins are multiplied as two by two matrices. Inside, arrays have
the bins first, so that numpy works on many paths at once.
"""

import numpy as np

from edge.aggregator.slices import Floats

STAYED_OUT, WENT_IN, WENT_OUT, STAYED_IN = range(4)
LEAST = 1e-12  # below it a probability is as good as none
# In place of a change that cannot be, or must be, so that thousands of bins that contradict each other stay numbers.
NEVER = 1e-30


def sigmoid(x: Floats) -> Floats:
    return 1.0 / (1.0 + np.exp(-np.clip(x, -30.0, 30.0)))


# Two by two matrices by bin and path, as four arrays of shape (bins, n): [[a, b], [c, d]].
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
    while len(a) > 1:  # all bins in one: neighbours are multiplied, then their products, and so on
        if len(a) % 2:
            one, zero = np.ones((1, a.shape[1])), np.zeros((1, a.shape[1]))
            a, b = np.concatenate([a, one]), np.concatenate([b, zero])
            c, d = np.concatenate([c, zero]), np.concatenate([d, one])
        a, b, c, d = _product((a[::2], b[::2], c[::2], d[::2]), (a[1::2], b[1::2], c[1::2], d[1::2]))
    joint = np.concatenate([a, b, c, d]).T
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
    a, b, c, d = _steps(evidence, change)
    ahead, behind = _odds(a, b, c, d), np.ones_like(a)
    # Backwards, the transposed matrices in reverse order; what is seen in a bin is in its matrix.
    behind[:-1] = _odds(a[:0:-1], c[:0:-1], b[:0:-1], d[:0:-1])[::-1]
    both = ahead * behind
    where = both / (1.0 + both)
    # Of the step into each bin but the first, by the odds of what was before and of what comes after.
    a, b, c, d, was, then = a[1:], b[1:], c[1:], d[1:], ahead[:-1], behind[1:]
    to_in, to_out = b * then, was * c
    total = to_in + to_out + a + was * d * then
    changes = np.zeros((2, *where.shape))
    changes[0, 1:], changes[1, 1:] = to_in / total, to_out / total
    return where.T, changes.transpose(2, 1, 0)


def _steps(evidence: Floats, change: Floats) -> Matrices:
    """For each bin: change or stay, then what is seen there."""
    inside = 2.0 * sigmoid(np.ascontiguousarray(evidence.T))
    change = np.ascontiguousarray(change.T)
    outside, stay = 2.0 - inside, np.maximum(1.0 - change, NEVER)
    change = np.maximum(change, NEVER)
    return stay * outside, change * inside, change * outside, stay * inside


def _product(first: Matrices, second: Matrices) -> Matrices:
    """Of two rows of matrices, scaled: only their proportions matter."""
    a, b, c, d = first
    e, f, g, h = second
    columns = a * e + b * g, a * f + b * h, c * e + d * g, c * f + d * h
    most = np.maximum(np.maximum(columns[0], columns[1]), np.maximum(columns[2], columns[3]))
    return columns[0] / most, columns[1] / most, columns[2] / most, columns[3] / most


def _odds(a: Floats, b: Floats, c: Floats, d: Floats) -> Floats:
    """The forward pass from an even start: odds of inside after each bin, shape (bins, n)."""
    result, odds = np.empty_like(a), np.ones(a.shape[1])
    for stay_out, go_in, go_out, stay_in, after in zip(a, b, c, d, result, strict=True):
        odds = np.divide(go_in + odds * stay_in, stay_out + odds * go_out, out=after)
    return result
