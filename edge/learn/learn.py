"""From labelled recordings of a gate to what it has learned, and how well that does on recordings it did not see."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from threadpoolctl import threadpool_limits

from edge.aggregator.judge import judge
from edge.aggregator.model import DEFAULT, Model
from edge.aggregator.paths import WENT_IN, WENT_OUT
from edge.config import GateConfig
from edge.errors import LabelsError
from edge.learn.factors import shares
from edge.learn.labels import Labelled, Way
from edge.learn.passes import IN, OUT, Door, Run, Sample, Seen, chains
from edge.learn.score import Score, score, whole
from edge.learn.sureness import Said, learn_sureness
from edge.learn.trial import choose, folds, parted

LEAST_RUNS = 2  # to learn from one and try on the other
# With fewer tags that crossed, their share that is right tells nothing of a confidence of 0.9 and more.
LEAST_CROSSED = 20
SAID_FROM = 0.5  # probabilities of a crossing from which something may be said

Progress = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Learned:
    """`model` is what to use; it is the default where learning did not do better, and `kept` says so."""

    gate: GateConfig
    model: Model
    kept: bool
    before: Mapping[str, Score]  # by recording, with what holds for doors in general
    after: Mapping[str, Score]  # cross-validated
    runs: Sequence[Run]  # with what holds for doors in general
    held: Sequence[Run]  # each as judged while held out

    @property
    def whole_before(self) -> Score:
        return whole(self.runs)

    @property
    def whole_after(self) -> Score:
        return whole(self.held)


def learn(config: GateConfig, labelled: Sequence[Labelled], say: Progress) -> Learned:
    """Learn a gate.

    Raises:
        RecordingError: a recording cannot be read, or has no reads of the gate.
        LabelsError: there is too little to learn from.
    """
    with threadpool_limits(limits=1):  # the matrices are small: threads would only wait for each other
        return _learn(config, labelled, say)


def _learn(config: GateConfig, labelled: Sequence[Labelled], say: Progress) -> Learned:
    door = Door(config.model_copy(update={"calibration": None}))
    seen = [door.seen(each) for each in labelled]
    _enough(seen)
    rows = []
    for number, chain in enumerate(parts := parted(chains(seen)), 1):
        say(f"playing {number} of {len(parts)}: {chain[0].name}")
        rows.append(door.runs(chain, DEFAULT))
    dealt = folds(rows)
    runs = sorted((run for row in rows for run in row), key=lambda run: run.name)
    say("trying what may be learned on recordings left out")
    maker = choose(dealt, config.antennas)
    models = [maker(fold.samples) for fold in dealt]
    said = [_said(fold.held, model) for fold, model in zip(dealt, models, strict=True)]
    held = []
    for number, (fold, model) in enumerate(zip(dealt, models, strict=True)):
        say(f"judging what was left out: {number + 1} of {len(dealt)}")
        others = [each for other, those in enumerate(said) if other != number for each in those]
        sure = _sure(model, others)
        for row in fold.chains:
            held += door.runs([run.seen for run in row], sure)
    held.sort(key=lambda run: run.name)
    before, after = whole(runs), whole(held)
    kept = not _better(after, before)
    model = (
        DEFAULT
        if kept
        else _sure(
            maker([sample for run in runs for sample in run.samples]),
            [each for those in said for each in those],
        )
    )
    return Learned(
        config, model, kept,
        {run.name: score(run) for run in runs}, {run.name: score(run) for run in held}, runs, held,
    )  # fmt: skip


def _enough(runs: Sequence[Seen]) -> None:
    crossed = [run for run in runs if set(run.ways.values()) & {Way.IN, Way.OUT}]
    if len(runs) < LEAST_RUNS or not crossed:
        raise LabelsError(
            f"{len(runs)} recordings, {len(crossed)} of them with tags that crossed: too few to learn from and to try "
            "it on; record at least ten passes in, ten out and ten where nothing crossed"
        )


def _sure(model: Model, said: Sequence[Said]) -> Model:
    if sum(each.right for each in said) < LEAST_CROSSED:
        return model
    return learn_sureness(model, said)


def _said(runs: Sequence[Run], model: Model) -> list[Said]:
    """Of each tag of held-out recordings that may be said to have crossed."""
    return [said for run in runs for sample in run.samples for said in _said_of(sample, model)]


def _said_of(sample: Sample, model: Model) -> list[Said]:
    judgement = judge(sample.scene, model)
    both = judgement.moved[:, None] * judgement.ways[:, [WENT_IN, WENT_OUT]]
    best, which = both.max(axis=1), np.where(both[:, 0] >= both[:, 1], IN, OUT)
    share = shares(sample)
    rows = np.flatnonzero((sample.way >= 0) & (best >= SAID_FROM))
    return [
        Said(float(best[row]), bool(which[row] == sample.way[row]), float(share[row]))
        for row in rows.tolist()
    ]


def _better(after: Score, before: Score) -> bool:
    """Whether what was learned is worth using: no fewer are right, no more are booked wrongly, and something gains."""
    if after.right < before.right or after.counts["booked wrongly"] > before.counts["booked wrongly"]:
        return False
    gains = after.right > before.right, after.counts["booked"] > before.counts["booked"]
    return (
        any(gains)
        or after.counts["booked wrongly"] < before.counts["booked wrongly"]
        or _honest(after, before)
    )


def _honest(after: Score, before: Score) -> bool:
    """Whether what was said is clearly worth more for being right (mean of Brier's scores)."""
    if not after.sure or not before.sure or after.counts["booked"] < before.counts["booked"]:
        return False
    return _brier(after) < _brier(before)


def _brier(whole_: Score) -> float:
    return float(np.mean([(sure - right) ** 2 for sure, right in whole_.sure]))
