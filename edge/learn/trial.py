"""Cross-validation by recording: what a door learns is tried on recordings that it had no part in.

Physical values (antennas, spread at rest, own reads against the load's) are changed from what holds for doors in
general only where that makes the labels of held-out recordings clearly more probable; then weights are fitted around
them, and confidence last, to what cross-validation showed it to be worth.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import TypeVar

import numpy as np

from edge.aggregator.gate import Side
from edge.aggregator.judge import Judgement, judge
from edge.aggregator.model import DEFAULT, Model
from edge.aggregator.paths import WENT_IN, WENT_OUT
from edge.aggregator.slices import Floats, Ints
from edge.learn.factors import learn_weights, shares
from edge.learn.passes import IN, OUT, Run, Sample
from edge.learn.sides import learn_antennas

FOLDS = 5
MOST_TRIED = 30  # recordings on which changes are tried: more tell the same, for minutes
CLEARLY = 2.0  # standard errors by which a change has to be better
DOUBT = 0.005  # of a label, and of what is said: a passage is never certain
# Other values to try. A tag's own reads say more where multipath is mild, and its power rests less where it hops.
TRIED: Sequence[Mapping[str, float]] = (
    {"rest_db": 0.35}, {"rest_db": 0.8},
    {"own": 0.3}, {"own": 0.8},
    {"load": 3.5}, {"load": 7.0},
)  # fmt: skip

Chained = TypeVar("Chained")
Maker = Callable[[Sequence[Sample]], Model]  # what is made of the passages that may be learned from


@dataclass(frozen=True, slots=True)
class Fold:
    known: Sequence[Run]
    chains: Sequence[Sequence[Run]]  # held out, in rows that follow each other

    @property
    def held(self) -> list[Run]:
        return [run for chain in self.chains for run in chain]

    @property
    def samples(self) -> list[Sample]:
        return [sample for run in self.known for sample in run.samples]


def folds(chains: Sequence[Sequence[Run]]) -> list[Fold]:
    """Recordings that follow each other stay together; those of each way are dealt out in turn."""
    dealt = sorted(chains, key=lambda chain: (sorted(set(chain[0].ways.values())), chain[0].name))
    number = min(FOLDS, len(dealt))
    return [
        Fold(
            [run for place, chain in enumerate(dealt) if place % number != fold for run in chain],
            [list(chain) for chain in dealt[fold::number]],
        )
        for fold in range(number)
    ]


def parted(chains: Sequence[Sequence[Chained]]) -> list[list[Chained]]:
    """A row of recordings stays whole: its neighbours share goods at rest, and would tell of what is held out.

    Only where there is but one row is it cut, in pieces as long as can be, since otherwise nothing could be held out.
    """
    if len(chains) > 1:
        return [list(chain) for chain in chains]
    (only,) = chains
    number = min(FOLDS, len(only))
    ends = [len(only) * place // number for place in range(number + 1)]
    return [list(only[begin:end]) for begin, end in pairwise(ends)]


def choose(dealt: Sequence[Fold], sides: Mapping[int, Side]) -> Maker:
    """What to learn of a door: each change that clearly makes the labels of held-out recordings more probable."""
    numbers = sorted(sides)
    known: dict[tuple[int, ...], Model] = {}  # what was learned from the same passages; runs keep them alive

    def default(_: Sequence[Sample]) -> Model:
        return DEFAULT

    def antennas(samples: Sequence[Sample]) -> Model:
        key = tuple(map(id, samples))
        if key not in known:
            known[key] = replace(DEFAULT, antennas=learn_antennas(samples, numbers, DEFAULT))
        return known[key]

    best: Maker = default
    loss = losses(dealt, best)
    if better(tried := losses(dealt, antennas), loss):
        best, loss = antennas, tried
    for values in TRIED:
        if better(tried := losses(dealt, other := _with(best, values)), loss):
            best, loss = other, tried
    weighed = _weighed(best)
    return weighed if better(losses(dealt, weighed), loss) else best


def _weighed(maker: Maker) -> Maker:
    return lambda samples: learn_weights(samples, maker(samples))


def _with(maker: Maker, values: Mapping[str, float]) -> Maker:
    return lambda samples: replace(maker(samples), **values)  # type: ignore[arg-type] # all of TRIED are floats


@dataclass(frozen=True, slots=True, eq=False)
class Losses:
    """Of each recording while it was held out: how improbable its labels were, mean negative log-likelihood, (r,); and
    the row that it is of, (r,)."""

    value: Floats
    row: Ints


def better(tried: Losses, than: Losses) -> bool:
    """Whether losses by recording are lower, by more than chance would make them.

    Recordings of one row share what befell them: the standard error is that of the mean of so many recordings, or of
    so many rows (Liang and Zeger, 1986), whichever is larger.
    """
    gain = than.value - tried.value
    rows = np.unique(than.row)
    if len(gain) < 2:
        return False
    away = gain - gain.mean()
    error = gain.std(ddof=1) / np.sqrt(len(gain))
    if 1 < len(rows) < len(gain):
        sums = np.array([away[than.row == row].sum() for row in rows])
        by_row = np.sqrt((sums**2).sum() * len(rows) / (len(rows) - 1)) / len(gain)
        error = max(error, by_row)
    return bool(gain.mean() > CLEARLY * error)


def losses(dealt: Sequence[Fold], maker: Maker) -> Losses:
    """Of as many recordings as are tried, each judged by what the others teach."""
    found: list[tuple[float, int]] = []
    number = 0
    for fold in dealt:
        model = maker(fold.samples)
        most = max(1, MOST_TRIED // len(dealt))
        rows = {id(run): number + place for place, chain in enumerate(fold.chains) for run in chain}
        number += len(fold.chains)
        for run in _spread(fold.held, most):
            if (loss := _loss(run, model)) is not None:
                found.append((loss, rows[id(run)]))
    return Losses(np.array([loss for loss, _ in found]), np.array([row for _, row in found], np.int64))


def _spread(runs: Sequence[Run], most: int) -> Iterator[Run]:
    step = max(1.0, len(runs) / most)
    for place in range(min(most, len(runs))):
        yield runs[int(place * step)]


def _loss(run: Run, model: Model) -> float | None:
    total = weight = 0.0
    for sample in run.samples:
        share = shares(sample)
        if share.any():
            said = probabilities(sample, judge(sample.scene, model))
            total -= float((share * np.log(DOUBT + (1.0 - 2.0 * DOUBT) * said)).sum())
            weight += float(share.sum())
    return total / weight if weight else None


def probabilities(sample: Sample, judgement: Judgement) -> Floats:
    """Of what each tag is labelled with, (n,)."""
    gone_in = judgement.moved * judgement.ways[:, WENT_IN]
    gone_out = judgement.moved * judgement.ways[:, WENT_OUT]
    return np.select([sample.way == IN, sample.way == OUT], [gone_in, gone_out], 1.0 - gone_in - gone_out)
