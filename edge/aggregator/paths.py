"""Hidden Markov models of two zones, outside and inside a door: where something was, and which way it went.

Evidence is log-odds of "inside" by bin of time. Pairs are the four combinations of zone at the beginning and zone at the
end, in the order STAYED_OUT, WENT_IN, WENT_OUT, STAYED_IN. Forward and backward passes as in Rabiner, Proc. IEEE 77(2),
1989, with the first state remembered.
"""

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

STAYED_OUT, WENT_IN, WENT_OUT, STAYED_IN = range(4)
LEAST = 1e-12  # below it a probability is as good as none


def sigmoid(x: Floats) -> Floats:
    return 1.0 / (1.0 + np.exp(-np.clip(x, -30.0, 30.0)))


def pairs(evidence: Floats, change: float) -> Floats:
    """Log-likelihoods of the four pairs, given the evidence; their prior is divided out.

    Args:
        evidence: of `n` paths, shape (n, bins).
        change: probability that the zone changes from one bin to the next.

    Returns:
        Shape (n, 4), the largest of each row 0.
    """
    joint = _forward(evidence, change)
    prior = _forward(np.zeros((1, evidence.shape[1])), change)
    logs = np.log(np.maximum(joint, LEAST)) - np.log(np.maximum(prior, LEAST))
    likelihoods: Floats = logs - logs.max(axis=1, keepdims=True)
    return likelihoods


def _forward(evidence: Floats, change: float) -> Floats:
    n, bins = evidence.shape
    inside = 2.0 * sigmoid(evidence)
    outside = 2.0 - inside
    oo, oi, io, ii = np.full(n, 0.5), np.zeros(n), np.zeros(n), np.full(n, 0.5)
    stay = 1.0 - change
    for b in range(bins):
        out, inn = outside[:, b], inside[:, b]
        oo, oi = (oo * stay + oi * change) * out, (oi * stay + oo * change) * inn
        io, ii = (io * stay + ii * change) * out, (ii * stay + io * change) * inn
        total = oo + oi + io + ii
        oo, oi, io, ii = oo / total, oi / total, io / total, ii / total
    return np.stack([oo, oi, io, ii], axis=1)


def smoothed(evidence: Floats, change: float) -> tuple[Floats, Floats]:
    """Where one path was at each time, seen from the end.

    Args:
        evidence: shape (bins,).

    Returns:
        The probability of "inside", shape (bins,), and the probability that it changed to inside, and to outside, on
        entering each bin, shape (bins, 2).
    """
    bins = len(evidence)
    inside = 2.0 * sigmoid(evidence)
    seen = np.stack([2.0 - inside, inside], axis=1)
    step = np.array([[1.0 - change, change], [change, 1.0 - change]])
    ahead, behind = np.empty((bins, 2)), np.ones((bins, 2))
    now = np.array([0.5, 0.5])
    for b in range(bins):
        now = (now @ step if b else now) * seen[b]
        now = ahead[b] = now / now.sum()
    for b in range(bins - 2, -1, -1):
        behind[b] = step @ (seen[b + 1] * behind[b + 1])
        behind[b] /= behind[b].sum()
    both = ahead * behind
    where = both[:, 1] / both.sum(axis=1)
    changes = np.zeros((bins, 2))
    after = seen * behind
    to_in = ahead[:-1, 0] * change * after[1:, 1]
    to_out = ahead[:-1, 1] * change * after[1:, 0]
    none = (1.0 - change) * (ahead[:-1] * after[1:]).sum(axis=1)
    total = to_in + to_out + none
    changes[1:, 0], changes[1:, 1] = to_in / total, to_out / total
    return where, changes
