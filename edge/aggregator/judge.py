"""What became of each tag in a passage: in, out, turned back, or at rest all the time.

Two questions are answered together, by expectation maximisation (Dempster, Laird and Rubin 1977) over the tags that
were read. *Which way did the load go?* The sides and powers of all reads of moving tags, through a hidden Markov model
of two zones: a hundred tags read three times each show their way together though none does alone. *Did this tag move
with it?* Factors that tell a moving tag from one that stands by (edge/aggregator/model.py), each a likelihood ratio.
"""

from dataclasses import dataclass, replace

import numpy as np

from edge.aggregator.factors import Looks, burst, profile, rise, shift, sides, spread
from edge.aggregator.model import Factor, Model
from edge.aggregator.paths import WENT_IN, WENT_OUT, pairs, sigmoid, smoothed
from edge.aggregator.slices import Bools, Floats, Ints, numbered

BIN_S = 0.25  # of the hidden Markov models: a load takes a second or more over the sill
# Reads in quick succession share their multipath: so much time between two that count as independent.
INDEPENDENT_S = 0.15
LOOKS = BIN_S / INDEPENDENT_S  # independent reads of one tag that a bin can hold
LOAD_LOOKS = 3.0  # and of a whole load, whose tags lie within a metre or two
# A load rests while the powers of its tags jump from read to read (of one antenna, within STEP_S) hardly more than at
# rest, over REST_BINS before and after, with enough steps to tell; then its reads are worth so many bins together.
STEP_S = 3.0
REST_BINS, REST_STEPS, REST_MORE, REST_WORTH = 4, 12, 1.3, 2.0
SPREAD_OVER_STEP = 1.2  # of a power at rest: as looking.REST_SPREAD
CHANGE = 0.02  # a bin: something at a door changes sides about once in 12 s
LOAD_S = 2.5  # so far apart are the middles of the reads of one load's tags (standard deviation)
SURE = (
    3  # power by which tags count that probably moved: a hundred strays at 0.3 must not outvote a load of ten
)
ROUNDS = 6  # of maximisation, at most; most settle in three or four
SETTLED = 0.01  # no probability changed more
SHY_READS = 3.0  # a tag's usual power is taken to be the others' until it has been read more often than this
MOST_ODDS = 3.0  # of one read: odds of 20 to 1
LEAST_ODDS = 0.05
# Tags that themselves show the other way than the load make a load of their own, if there are so many.
OTHER_LOAD, OTHER_SHARE = 4, 0.2  # and such a share of all: of a hundred tags a few always stray
CONTRARY = 2.0  # log-odds from which one does


@dataclass(frozen=True, slots=True, kw_only=True)
class Scene:
    """The reads of a passage and what was known before. `n` tags, `r` reads in order of time.

    `inside` is how probable each tag's first zone was inside; `rest_hz` its rates of rest outside and inside, of use
    where it is `known`; `history` log-odds of movement from earlier passages.
    """

    tag: Ints  # (r,) 0 .. n-1
    at_s: Floats  # (r,) from the beginning of what is looked at
    antenna: Ints  # (r,) as numbered on the reader
    inner: Bools  # (r,) the antenna looks inside
    dbm: Floats  # (r,)
    known: Bools  # (n,)
    rest_hz: Floats  # (n, 2)
    inside: Floats  # (n,)
    history: Floats  # (n,)
    rest_db: float = 0.0  # spread of powers at rest, as the gate has learned it
    sided: bool = True  # whether the gate has antennas on both sides
    eyes: Floats | None = None  # (n, 4) what photo-eyes say of the four pairs, log-likelihoods
    eyes_s: Floats | None = None  # (n,) and when they were broken, or NaN

    @property
    def n(self) -> int:
        return len(self.known)


@dataclass(frozen=True, slots=True, kw_only=True)
class Judgement:
    """Of `n` tags, and of the load's path over `b` bins of BIN_S."""

    moved: Floats  # (n,) probability that it moved
    ways: Floats  # (n, 4) of the pairs, given that it moved
    crossed_s: Floats  # (n,) when, if it crossed
    factors: dict[Factor, Floats]  # (n,) log-odds each, weighted
    own: Floats  # (n, 4) log-likelihoods of its own reads by pair
    company: Floats  # (n, 4) and of its load's
    path: Floats  # (b,) probability that the load was inside
    group: Ints  # (n,) which load: 0, or 1 where two went opposite ways


def judge(scene: Scene, model: Model) -> Judgement:
    """Judge a passage. Needs at least one read of each tag."""
    looks = _rested(_looks(scene, model), scene, model)
    bins = np.arange(looks.bins)
    between = (bins > looks.first[:, None]) & (bins <= looks.last[:, None])
    own = pairs(looks.evidence, np.where(between, CHANGE, 0.0))
    fixed = {
        Factor.SPREAD: spread(
            looks, scene.dbm, scene.antenna, scene.known, max(model.rest_db, scene.rest_db)
        ),
        Factor.BURST: burst(looks, scene.known, scene.rest_hz),
        Factor.HISTORY: scene.history,
    }
    first = model.moving + sum(model.weights[name] * odds for name, odds in fixed.items())
    near = _nearness(looks)

    def settled(*, apart: bool) -> tuple[_Load, Floats]:
        state = _Load(np.zeros(scene.n, np.int64), sigmoid(np.asarray(first)))
        for _ in range(ROUNDS):
            before, state = state, _round(scene, model, looks, near, fixed, state)
            state.group = _groups(scene, model, looks, near, own, state) if apart else before.group
            if (state.group == before.group).all() and np.abs(state.moved - before.moved).max() < SETTLED:
                break
        return state, _normalised(model.own * own + state.company + _prior(scene))

    state, ways = settled(apart=True)
    if state.group.any():
        as_one = settled(apart=False)
        if _certain(*as_one) > _certain(state, ways):  # it is one, in which some tags were misread
            state, ways = as_one
    return Judgement(
        moved=state.moved,
        ways=ways,
        crossed_s=_crossed(scene, looks, ways, state.changes),
        factors={name: model.weights[name] * odds for name, odds in state.factors.items()},
        own=model.own * own,
        company=state.company,
        path=_whole(looks, state.moved, state.group),
        group=state.group,
    )


class _Load:
    """What the rounds of maximisation change."""

    def __init__(self, group: Ints, moved: Floats) -> None:
        self.group = group
        self.moved = moved
        self.factors: dict[Factor, Floats] = {}
        self.company = np.zeros((len(group), 4))
        self.changes = np.zeros((len(group), 0, 2))


def _looks(scene: Scene, model: Model) -> Looks:
    """Reads as evidence of the side, by tag and bin, each counted for no more than it is worth."""
    numbers, index = numbered(scene.antenna)
    base = np.array([model.antenna(int(number)).base for number in numbers])[index]
    per_db = np.array([model.antenna(int(number)).per_db for number in numbers])[index]
    count = np.bincount(scene.tag, minlength=scene.n)
    powers = np.bincount(scene.tag, weights=scene.dbm, minlength=scene.n)
    usual = (powers + SHY_READS * scene.dbm.mean()) / (count + SHY_READS)
    odds = np.clip(base + per_db * (scene.dbm - usual[scene.tag]), LEAST_ODDS, MOST_ODDS) * scene.sided
    return Looks.of(
        scene.tag,
        (scene.at_s / BIN_S).astype(np.int64),
        scene.inner,
        np.where(scene.inner, odds, -odds),
        scene.n,
        LOOKS,
    )


def _rested(looks: Looks, scene: Scene, model: Model) -> Looks:
    """Reads of a load that stands are one look: the same tags before the same antennas see the same again and again."""
    numbers, index = numbered(scene.antenna)
    order = np.argsort(scene.tag * len(numbers) + index, kind="stable")  # reads are in order of time
    tag, antenna, at_s, dbm = scene.tag[order], scene.antenna[order], scene.at_s[order], scene.dbm[order]
    after = (tag[1:] == tag[:-1]) & (antenna[1:] == antenna[:-1]) & (np.diff(at_s) < STEP_S)
    step, bin_ = np.abs(np.diff(dbm))[after], looks.bin[order][1:][after]
    window = np.ones(2 * REST_BINS + 1)
    count = np.convolve(np.bincount(bin_, minlength=looks.bins), window)[REST_BINS:-REST_BINS]
    total = np.convolve(np.bincount(bin_, weights=step, minlength=looks.bins), window)[REST_BINS:-REST_BINS]
    least = REST_MORE * max(scene.rest_db, model.rest_db) / SPREAD_OVER_STEP
    rests = (count >= REST_STEPS) & (total < least * count)
    edges = np.flatnonzero(np.diff(np.concatenate([[False], rests, [False]]).astype(np.int8)))
    worth = np.ones(looks.bins)
    for first, last in zip(edges[::2].tolist(), edges[1::2].tolist(), strict=True):
        worth[first:last] = min(1.0, REST_WORTH / (last - first))
    return replace(looks, evidence=looks.evidence * worth)


def _round(
    scene: Scene, model: Model, looks: Looks, near: Floats, fixed: dict[Factor, Floats], state: _Load
) -> _Load:
    result = _Load(state.group, state.moved)
    evidence, change = _together(looks, near, state.moved, state.group)
    path, result.changes = smoothed(evidence, change)
    result.company = _company(looks, evidence, change, model.load)
    if scene.eyes is not None:
        result.company = result.company + scene.eyes
    trust, profiled = profile(looks, state.moved, scene.rest_hz)
    parted = looks.parted(path[scene.tag, looks.bin], scene.dbm)
    result.factors = fixed | {
        Factor.SIDES: (1.0 - trust) * sides(parted),
        Factor.PROFILE: profiled,
        Factor.SHIFT: shift(parted),
        Factor.RISE: rise(looks, result.changes.sum(axis=2), scene.dbm),
    }
    odds = model.moving + sum(model.weights[name] * found for name, found in result.factors.items())
    result.moved = sigmoid(np.asarray(odds))
    return result


def _nearness(looks: Looks) -> Floats:
    """How far each tag tells of another's load, by when they were read, (n, n): loads follow each other."""
    middle = looks.counts @ np.arange(looks.bins) / looks.counts.sum(axis=1) * BIN_S
    near: Floats = (middle[:, None] - middle) / LOAD_S
    near *= near
    near *= -0.5
    return np.exp(near, out=near)


def _together(looks: Looks, near: Floats, moved: Floats, group: Ints) -> tuple[Floats, Floats]:
    """What the tags that moved with each tag say together, by bin: their mean, as often as a load can be looked at
    independently.

    Returns:
        Evidence, and the probability of a change, (n, bins) each: a load that is not read is not there, and does not
        turn round unseen.
    """
    return _mean(near * (group[:, None] == group) if group.any() else near, moved, looks)


def _mean(near: Floats, moved: Floats, looks: Looks) -> tuple[Floats, Floats]:
    said, most, counts = np.split(near @ (moved[:, None] ** SURE * looks.columns), 3, axis=1)
    enough = np.minimum(counts, LOAD_LOOKS)
    return said / np.maximum(most, 1e-9) * enough, CHANGE * np.minimum(1.0, enough)


def _whole(looks: Looks, moved: Floats, group: Ints) -> Floats:
    """Where all that moved was, as one: the first of two loads."""
    evidence, change = _mean((group == 0)[None].astype(float), moved, looks)
    path: Floats = smoothed(evidence, change)[0][0]
    return path


def _company(looks: Looks, evidence: Floats, change: Floats, most: float) -> Floats:
    """Which way the load went while each tag was with it: log-likelihoods of the pairs, none below -most."""
    near = looks.with_load
    return np.maximum(pairs(np.where(near, evidence, 0.0), np.where(near, change, 0.0)), -most)


def _groups(scene: Scene, model: Model, looks: Looks, near: Floats, own: Floats, state: _Load) -> Ints:
    """Two loads that meet in a door: tags whose own reads contradict the load that they are taken for go together.

    Then each goes with the load that its own reads fit better, by its way.
    """
    if not state.group.any():
        expected = np.take_along_axis(own, state.company.argmax(axis=1)[:, None], axis=1)[:, 0]
        moving, way = state.moved > 0.5, own[:, WENT_IN] - own[:, WENT_OUT]
        least = max(OTHER_LOAD, OTHER_SHARE * float(moving.sum()))
        if min((moving & (way > CONTRARY)).sum(), (moving & (way < -CONTRARY)).sum()) >= least:
            return (way < 0.0).astype(np.int64)
        contrary = moving & (expected < -CONTRARY)
        return contrary.astype(np.int64) if contrary.sum() >= least else state.group
    fits = np.empty((2, scene.n))
    for load in (0, 1):
        company = _company(looks, *_mean(near * (state.group == load), state.moved, looks), model.load)
        fits[load] = np.logaddexp.reduce(own + company, axis=1)
    nearer: Ints = (fits[1] > fits[0]).astype(np.int64)
    return nearer


def _certain(state: _Load, ways: Floats) -> float:
    """Of how many tags that moved it is certain what became of them."""
    return float((state.moved * ways.max(axis=1)).sum())


def _prior(scene: Scene) -> Floats:
    outside, inside = np.log(1.0 - scene.inside), np.log(scene.inside)
    return np.stack([outside, outside, inside, inside], axis=1)


def _normalised(logs: Floats) -> Floats:
    weights = np.exp(logs - logs.max(axis=1, keepdims=True))
    shares: Floats = weights / weights.sum(axis=1, keepdims=True)
    return shares


def _crossed(scene: Scene, looks: Looks, ways: Floats, changes: Floats) -> Floats:
    """When a tag crossed: when its load did, near its own reads."""
    near, bins = looks.with_load, np.arange(looks.bins)
    direction = (ways[:, WENT_IN] < ways[:, WENT_OUT]).astype(np.int64)
    flow = np.take_along_axis(changes, direction[:, None, None], axis=2)[:, :, 0] * near
    total = flow.sum(axis=1)
    middle = (looks.first + looks.last) / 2
    crossed: Floats = BIN_S * np.where(total > 1e-3, flow @ bins / np.maximum(total, 1e-9), middle + 0.5)
    # Beams know better when it was than reads of one side do.
    return crossed if scene.eyes_s is None else np.where(np.isnan(scene.eyes_s), crossed, scene.eyes_s)
