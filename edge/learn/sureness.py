"""What a door's confidence is worth, from what was said of passages that had no part in the learning.

Platt's scaling (1999): a logistic regression of "it was right" on the log-odds of what was said, here around what
such odds are worth at doors in general, and left only as far as the passages show another. Nothing is said with more
confidence than so many labels can tell of.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from math import log

import numpy as np
from scipy.optimize import minimize

from edge.aggregator.model import CERTAIN, DEFAULT, LEAST, Model
from edge.aggregator.paths import sigmoid
from edge.aggregator.slices import Floats

SCALE_SD, SHIFT_SD = 0.3, 0.5
LEAST_SCALE, MOST_SCALE = 0.2, DEFAULT.scale  # no door is steeper than doors in general
SHIFTS = DEFAULT.shift - 2.5, DEFAULT.shift + 0.5
MOST_ODDS = (
    log(CERTAIN / (1.0 - CERTAIN)) - DEFAULT.shift
) / DEFAULT.scale  # beyond, what is said is no surer


@dataclass(frozen=True, slots=True)
class Said:
    """Of one tag: how probably it went the way that was more probable, whether it did, and how much it counts."""

    probability: float
    right: bool
    share: float


def learn_sureness(model: Model, said: Sequence[Said]) -> Model:
    """The model with `scale`, `shift` and `certain` after what was said of held-out passages."""
    if not said:
        return model
    known = np.clip([each.probability for each in said], LEAST, 1.0 - LEAST)
    odds = np.minimum(np.log(known / (1.0 - known)), MOST_ODDS)
    right = np.array([each.right for each in said], float)
    share = np.array([each.share for each in said])
    # Platt's targets: with so many right and so many wrong, none is taken for certain.
    rights, wrongs = float(right.sum()), float((1.0 - right).sum())
    target = np.where(right > 0.5, (rights + 1.0) / (rights + 2.0), 1.0 / (wrongs + 2.0))

    def loss(values: Floats) -> tuple[float, Floats]:
        scale, shift = values
        worth = sigmoid(scale * odds + shift)
        wrong = -(share * (target * np.log(worth) + (1.0 - target) * np.log(1.0 - worth))).sum()
        away = np.array([(scale - DEFAULT.scale) / SCALE_SD, (shift - DEFAULT.shift) / SHIFT_SD])
        slope = share * (worth - target)
        gradient = np.array([(slope * odds).sum(), slope.sum()]) + away / np.array([SCALE_SD, SHIFT_SD])
        return float(wrong + 0.5 * (away**2).sum()), gradient

    found = minimize(loss, np.array([DEFAULT.scale, DEFAULT.shift]), jac=True, method="L-BFGS-B",
                     bounds=[(LEAST_SCALE, MOST_SCALE), SHIFTS]).x  # fmt: skip
    certain = min(CERTAIN, round(1.0 - 1.0 / (len(said) + 2.0), 4))
    return replace(model, scale=round(float(found[0]), 3), shift=round(float(found[1]), 3), certain=certain)
