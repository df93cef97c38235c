"""How much each sign of movement is worth at a door: the weights of the factors, from tags of which it is known.

What is known of a tag is whether it crossed, not whether it moved: one labelled `none` stood, or passed near, or turned
back. So the weights are those that make the labels probable: *it moved, and its way was that* for one that crossed;
*it did not move, or its way was none* for one that did not. A tag that clearly turned back then says nothing of the
weights, as it should. Penalised by how far doors differ from each other.
"""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from scipy.optimize import minimize

from edge.aggregator.judge import Judgement, judge
from edge.aggregator.model import DEFAULT, Factor, Model
from edge.aggregator.paths import WENT_IN, WENT_OUT, sigmoid
from edge.aggregator.slices import Floats
from edge.learn.passes import IN, NONE, OUT, Sample

WEIGHT_SD, MOVING_SD = 0.3, 0.7
LEAST_WEIGHT, MOST_WEIGHT = 0.1, 3.0
DOUBT = 0.01  # of a label: one wrong label must not turn a weight around
MOST_SAMPLES = 80  # passages, evenly taken from all: more tell the same, for minutes
FACTORS = tuple(Factor)


def learn_weights(samples: Sequence[Sample], model: Model) -> Model:
    """The model with other weights and another `moving`."""
    step = max(1.0, len(samples) / MOST_SAMPLES)
    chosen = [samples[int(step * place)] for place in range(min(len(samples), MOST_SAMPLES))]
    return _fitted([(sample, judge(sample.scene, model)) for sample in chosen], model)


def _fitted(judged: Sequence[tuple[Sample, Judgement]], model: Model) -> Model:
    known = [_known(sample, judgement, model) for sample, judgement in judged]
    table = np.concatenate([each for each in known if len(each)] or [np.empty((0, len(FACTORS) + 3))])
    if not len(table):
        return model
    raw, way, crossed, share = table[:, :-3], table[:, -3], table[:, -2], table[:, -1]
    start = np.array([*(DEFAULT.weights[name] for name in FACTORS), DEFAULT.moving])
    spread = np.array([WEIGHT_SD] * len(FACTORS) + [MOVING_SD])
    ones = np.concatenate([raw, np.ones((len(raw), 1))], axis=1)
    still = way == NONE

    def loss(values: Floats) -> tuple[float, Floats]:
        moved = sigmoid(ones @ values)
        right = np.where(still, 1.0 - moved * crossed, moved * crossed) * (1.0 - 2.0 * DOUBT) + DOUBT
        slope = np.where(still, -crossed, crossed) * moved * (1.0 - moved) * (1.0 - 2.0 * DOUBT)
        away = (values - start) / spread
        gradient = -(share * slope / right) @ ones + away / spread
        return float(-(share * np.log(right)).sum() + 0.5 * (away**2).sum()), gradient

    bounds = [(LEAST_WEIGHT, MOST_WEIGHT)] * len(FACTORS) + [(-4.0, 4.0)]
    found = minimize(loss, start, jac=True, method="L-BFGS-B", bounds=bounds).x
    weights = {name: round(float(value), 3) for name, value in zip(FACTORS, found, strict=False)}
    return replace(model, weights=weights, moving=round(float(found[-1]), 3))


def _known(sample: Sample, judgement: Judgement, model: Model) -> Floats:
    """A row for each labelled tag: factors before their weights, its way, how probably it crossed so if it moved, and
    how much it counts."""
    way = sample.way
    rows = np.flatnonzero(way >= 0)
    raw = np.stack([judgement.factors[name][rows] / model.weights[name] for name in FACTORS], axis=1)
    ways = judgement.ways[rows]
    gone_in, gone_out = ways[:, WENT_IN], ways[:, WENT_OUT]
    crossed = np.select([way[rows] == IN, way[rows] == OUT], [gone_in, gone_out], gone_in + gone_out)
    return np.concatenate([raw, np.stack([way[rows], crossed, shares(sample)[rows]], axis=1)], axis=1)


def shares(sample: Sample) -> Floats:
    """How much each tag counts, (n,): those of one load and those beside it share what befell them."""
    moves = (sample.way == IN) | (sample.way == OUT)
    still = sample.way == NONE
    return np.where(moves, _each(int(moves.sum())), np.where(still, _each(int(still.sum())), 0.0))


def _each(number: int) -> float:
    return 1.0 / np.sqrt(number) if number else 0.0
