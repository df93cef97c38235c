"""What a read of each antenna tells of the side, from tags whose way is known.

A tag that crossed was outside before its load did and inside after it, or the other way round. When that was, a hidden
Markov model tells whose first and last zones are known. Then for each antenna: the log-odds that a read is of a tag on
the antenna's own side, over its power relative to the tag's usual one; a logistic regression that begins at what holds
for doors in general, and leaves it as far as there are reads to show another.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from scipy.optimize import minimize

from edge.aggregator.factors import Looks
from edge.aggregator.judge import BIN_S, CHANGE, LOAD_LOOKS, LOOKS, SHY_READS
from edge.aggregator.model import ANTENNA, Antenna, Model
from edge.aggregator.paths import sigmoid, smoothed
from edge.aggregator.slices import Bools, Floats, Ints
from edge.learn.passes import IN, OUT, Sample

ROUNDS = 2  # the path depends on the antennas, and they on the path: the second round changes little
KNOWN = 6.0  # log-odds of the first and last zone of a load whose way is known
# How far doors differ from each other (standard deviations): what a door shows counts against so much prior doubt.
BASE_SD, PER_DB_SD = 0.3, 0.1
# Limits of what is learned. The path that tells a read's side is itself found by these values, so that a few loads can
# talk them up without end; and they decide where passages end and begin, which the labels of passages that are
# already cut cannot tell. Played at a recorded door with a base of 1.2 and 0.5 a dB, as many crossings were right as
# by default; with 1.5 and 0.35, twice as many were missed. An antenna that looks the other way may show that it does.
BASES, PER_DBS = (-2.0, ANTENNA.base + 0.6), (ANTENNA.per_db - 0.2, ANTENNA.per_db + 0.2)


@dataclass(frozen=True, slots=True, eq=False)
class Reads:
    """Of tags that crossed: power above the tag's usual, how probably on the antenna's own side, and weight; (r,)."""

    antenna: Ints
    above: Floats
    own: Floats
    weight: Floats
    inside: Floats  # bins, weighted, that the load was inside and outside: (2,) each
    outside: Floats


def learn_antennas(samples: Sequence[Sample], numbers: Sequence[int], model: Model) -> Mapping[int, Antenna]:
    """The antennas of a door. One that read no tag that crossed stays as it is by default.

    All stay so at a gate that has antennas on one side only: there, photo-eyes tell sides, and no read does.
    """
    samples = [sample for sample in samples if sample.scene.sided]
    if not samples:
        return {}
    antennas: dict[int, Antenna] = {}
    for _ in range(ROUNDS):
        current = Model(antennas=antennas, rest_db=model.rest_db)
        reads = [each for sample in samples for each in crossing(sample, current)]
        antennas = {number: _antenna(reads, number) for number in numbers}
    return antennas


def crossing(sample: Sample, model: Model) -> list[Reads]:
    """Reads of the tags of a passage that went in, and of those that went out."""
    return [_reads(sample, mine, way == IN, model) for way in (IN, OUT) if (mine := sample.way == way).any()]


def _reads(sample: Sample, mine: Bools, inwards: bool, model: Model) -> Reads:
    scene = sample.scene
    count = np.bincount(scene.tag, minlength=scene.n)
    powers = np.bincount(scene.tag, weights=scene.dbm, minlength=scene.n)
    usual = (powers + SHY_READS * scene.dbm.mean()) / (count + SHY_READS)
    above = scene.dbm - usual[scene.tag]
    bins = (scene.at_s / BIN_S).astype(np.int64)
    looks = Looks.of(
        scene.tag, bins, scene.inner, _odds(scene.antenna, scene.inner, above, model), scene.n, LOOKS
    )
    where = _path(looks, mine, inwards)
    of_mine = mine[scene.tag]
    own = np.where(scene.inner, where[bins], 1.0 - where[bins])[of_mine]
    there = np.flatnonzero(looks.counts[mine].sum(axis=0))
    first, last = int(there[0]), int(there[-1]) + 1
    # The reads of a load's tags in one bin share their multipath, as its looks do.
    most = np.minimum(looks.counts, looks.most)[mine].sum(axis=0)
    share = np.minimum(1.0, LOAD_LOOKS / np.maximum(most, 1e-9))
    weight = (looks.weight * share[bins])[of_mine]
    inside = where[first:last].sum()
    return Reads(
        antenna=scene.antenna[of_mine], above=above[of_mine], own=own, weight=weight,
        inside=inside, outside=(last - first) - inside,
    )  # fmt: skip


def _odds(antenna: Ints, inner: Bools, above: Floats, model: Model) -> Floats:
    base = np.array([model.antenna(int(number)).base for number in antenna])
    per_db = np.array([model.antenna(int(number)).per_db for number in antenna])
    odds = np.clip(base + per_db * above, 0.0, 3.0)
    return np.where(inner, odds, -odds)


def _path(looks: Looks, mine: Bools, inwards: bool) -> Floats:
    """How probable it is at each bin that the load was inside, given which way it went."""
    evidence = looks.evidence[mine].sum(axis=0)
    counts = looks.counts[mine].sum(axis=0)
    most = np.minimum(looks.counts[mine], looks.most).sum(axis=0)
    enough = np.minimum(counts, LOAD_LOOKS)
    evidence = evidence / np.maximum(most, 1e-9) * enough
    read = np.flatnonzero(counts)
    way = 1.0 if inwards else -1.0
    evidence[read[0]] -= way * KNOWN
    evidence[read[-1]] += way * KNOWN
    change = CHANGE * np.minimum(1.0, enough)
    path: Floats = smoothed(evidence[None], change[None])[0][0]
    return path


def _antenna(reads: Sequence[Reads], number: int) -> Antenna:
    above = np.concatenate([each.above[each.antenna == number] for each in reads] or [np.empty(0)])
    if not len(above):
        return ANTENNA
    own = np.concatenate([each.own[each.antenna == number] for each in reads])
    weight = np.concatenate([each.weight[each.antenna == number] for each in reads])

    def loss(values: Floats) -> tuple[float, Floats]:
        base, per_db = values
        odds = base + per_db * above
        said = sigmoid(odds)
        wrong = -(weight * (own * np.log(said + 1e-12) + (1.0 - own) * np.log(1.0 - said + 1e-12))).sum()
        away = (np.array([base - ANTENNA.base, per_db - ANTENNA.per_db])) / np.array([BASE_SD, PER_DB_SD])
        slope = weight * (said - own)
        gradient = np.array([slope.sum(), (slope * above).sum()]) + away / np.array([BASE_SD, PER_DB_SD])
        return float(wrong + 0.5 * (away**2).sum()), gradient

    start = np.array([ANTENNA.base, ANTENNA.per_db])
    found = minimize(loss, start, jac=True, method="L-BFGS-B", bounds=[BASES, PER_DBS])
    return Antenna(base=round(float(found.x[0]), 3), per_db=round(float(found.x[1]), 3))
