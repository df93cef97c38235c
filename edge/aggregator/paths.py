"""Hidden Markov models of two zones, outside and inside a door: where something was, and which way it went.

Evidence is log-odds of "inside" by bin of time. Pairs are the four combinations of zone at the beginning and zone at
the end, in the order STAYED_OUT, WENT_IN, WENT_OUT, STAYED_IN. Forward and backward passes as in Rabiner, Proc. IEEE
77(2), 1989, with the first state remembered.
"""

import numpy as np

from edge.aggregator.slices import Floats

STAYED_OUT, WENT_IN, WENT_OUT, STAYED_IN = range(4)
LEAST = 1e-12  # below it a probability is as good as none


def sigmoid(x: Floats) -> Floats:
    return 1.0 / (1.0 + np.exp(-np.clip(x, -30.0, 30.0)))


def pairs(evidence: Floats, change: Floats) -> Floats:
    """Log-likelihoods of the four pairs, given the evidence; their prior is divided out.

    Args:
        evidence: of `n` paths, shape (n, bins).
        change: probability that the zone changes on entering each bin, shape (n, bins).

    Returns:
        Shape (n, 4), the largest of each row 0.
    """
    joint = _forward(evidence, change)
    prior = _forward(np.zeros_like(evidence), change)
    logs = np.log(np.maximum(joint, LEAST)) - np.log(np.maximum(prior, LEAST))
    likelihoods: Floats = logs - logs.max(axis=1, keepdims=True)
    return likelihoods


def _forward(evidence: Floats, change: Floats) -> Floats:
    n, bins = evidence.shape
    inside = 2.0 * sigmoid(evidence)
    outside = 2.0 - inside
    stays = 1.0 - change
    oo, oi, io, ii = np.full(n, 0.5), np.zeros(n), np.zeros(n), np.full(n, 0.5)
    for b in range(bins):
        out, inn, to, stay = outside[:, b], inside[:, b], change[:, b], stays[:, b]
        oo, oi = (oo * stay + oi * to) * out, (oi * stay + oo * to) * inn
        io, ii = (io * stay + ii * to) * out, (ii * stay + io * to) * inn
        total = oo + oi + io + ii
        oo, oi, io, ii = oo / total, oi / total, io / total, ii / total
    return np.stack([oo, oi, io, ii], axis=1)


def smoothed(evidence: Floats, change: Floats) -> tuple[Floats, Floats]:
    """Where each path was at each time, seen from the end.

    Args:
        evidence, change: as for `pairs`, shape (n, bins).

    Returns:
        The probability of "inside", shape (n, bins), and the probability that it changed to inside, and to outside, on
        entering each bin, shape (n, bins, 2).
    """
    n, bins = evidence.shape
    inside = 2.0 * sigmoid(evidence)
    outside, stay = 2.0 - inside, 1.0 - change
    ahead, behind = np.empty((2, n, bins)), np.ones((2, n, bins))
    out, inn = np.full(n, 0.5), np.full(n, 0.5)
    for b in range(bins):
        out, inn = out * stay[:, b] + inn * change[:, b], inn * stay[:, b] + out * change[:, b]
        out, inn = out * outside[:, b], inn * inside[:, b]
        total = out + inn
        out, inn = out / total, inn / total
        ahead[0, :, b], ahead[1, :, b] = out, inn
    out, inn = np.ones(n), np.ones(n)
    for b in range(bins - 1, 0, -1):
        out, inn = out * outside[:, b], inn * inside[:, b]
        out, inn = out * stay[:, b] + inn * change[:, b], inn * stay[:, b] + out * change[:, b]
        total = out + inn
        out, inn = out / total, inn / total
        behind[0, :, b - 1], behind[1, :, b - 1] = out, inn
    both = ahead * behind
    where = both[1] / both.sum(axis=0)
    after_out, after_in = outside * behind[0], inside * behind[1]
    to_in = ahead[0, :, :-1] * change[:, 1:] * after_in[:, 1:]
    to_out = ahead[1, :, :-1] * change[:, 1:] * after_out[:, 1:]
    none = stay[:, 1:] * (ahead[0, :, :-1] * after_out[:, 1:] + ahead[1, :, :-1] * after_in[:, 1:])
    changes = np.zeros((n, bins, 2))
    changes[:, 1:] = np.stack([to_in, to_out], axis=2) / (to_in + to_out + none)[:, :, None]
    return where, changes
