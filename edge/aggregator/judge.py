"""What became of each tag in a passage: in, out, turned back, or at rest all the time.

Two questions, in turn. *Did it move?* Its reads are compared with the rates that it had at rest, and with those of the
tags that moved here and now: how often, when and from which side the load was read. Who moved and what the load looks
like are found together, by expectation maximisation with each tag left out of the profile that judges it (Dempster,
Laird and Rubin 1977). *Which way?* The sides of its own reads, and those of all that moved while it did.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from math import exp, lgamma, log, log1p, pi

from edge.aggregator.load import Load
from edge.aggregator.tag import UNKNOWN_HZ, Tag
from wire.events import Direction

ROUNDS = 6  # of maximisation; shares settle in three or four
# Other moving tags needed before the load says anything of one.
COMPANY = 2.0
# Reads of one tag are not independent of each other, nor is the profile exact: log-likelihoods are tempered, and
# bounded so that no tag is certain by its load alone.
TEMPER = 1.3
BOUND = 6.0
EVENNESS = (1.0, 30.0)  # geometric counts at the one end, nearly Poisson at the other
SHY = 1.0  # shape of the gamma distribution by which a side may miss a tag that the other reads
SPREAD_S = 1.0  # least spread of a profile in time: a load is a metre or more long
# Odds that one tag turns back while its load crosses, before it is looked at.
TURNS = 0.1

# Bounds of what is said: no passage is certain, and below the lower one nothing is decided.
CERTAIN = 0.995
DECIDED = 0.7
# A tag that came and went without crossing: its power rose and fell by so much, with so many reads.
RISE_DB = 4.0
TURN_READS = 5
TURN_LEAST, TURN_SHARE = (
    1.5,
    0.3,
)  # tags, and share of a load's, that must show it before the rest are believed to
MOVED = 0.7  # less probable movement is not worth a person's time


@dataclass(frozen=True, slots=True)
class Verdict:
    """`outcome` is None for a tag at rest. `at_ms` is when it crossed, or was last read."""

    outcome: Direction | None
    confidence: float
    at_ms: int
    crossed: float  # how probable it is that it went through, whatever is said


def _counted(reads: int, expected: float, evenness: float) -> float:
    """Log-density of so many reads, in their order of time, of a tag whose rate is drawn from a gamma distribution."""
    mean = expected / evenness
    drawn = lgamma(evenness + reads) - lgamma(evenness)
    return drawn + reads * log(mean) - (evenness + reads) * log1p(mean)


class _Times:
    """A tag's sums by side, seconds from the passage's own zero."""

    __slots__ = ("n", "t", "tt")

    def __init__(self, tag: Tag, zero_ms: int) -> None:
        offset = (tag.since_ms - zero_ms) / 1000
        self.n = (tag.n_out, tag.n_in)
        self.t = (tag.t_out + tag.n_out * offset, tag.t_in + tag.n_in * offset)
        self.tt = (
            tag.tt_out + 2 * offset * tag.t_out + tag.n_out * offset * offset,
            tag.tt_in + 2 * offset * tag.t_in + tag.n_in * offset * offset,
        )


class _Profile:
    """Sums over the tags of a load, weighted by how sure it is that they moved."""

    __slots__ = ("n", "nn", "outside", "t", "tt", "weight")

    def __init__(self) -> None:
        self.weight = 0.0
        self.outside = 0.0  # how many of them began outside
        self.n = [0.0, 0.0]
        self.nn = [0.0, 0.0]
        self.t = [0.0, 0.0]
        self.tt = [0.0, 0.0]

    def add(self, times: _Times, start_out: float, weight: float) -> None:
        self.weight += weight
        self.outside += weight * start_out
        for side in (0, 1):
            self.n[side] += weight * times.n[side]
            self.nn[side] += weight * times.n[side] ** 2
            self.t[side] += weight * times.t[side]
            self.tt[side] += weight * times.tt[side]

    def fit(self, times: _Times, own: float) -> float | None:
        """Log-likelihood of a tag's reads under the profile of the others; None without enough of them."""
        others = self.weight - own
        if others < COMPANY:
            return None
        return self._fit(0, times, own, others) + self._fit(1, times, own, others)

    def _fit(self, side: int, times: _Times, own: float, others: float) -> float:
        n = self.n[side] - own * times.n[side]
        expected = (n + 0.2) / (others + 1.0)
        k, t, tt = times.n[side], times.t[side], times.tt[side]
        counted = _counted(k, expected, self._evenness(side, times, own, expected))
        if n < 0.5:
            return counted - k * log(10.0)
        mean = (self.t[side] - own * times.t[side]) / n
        spread = max(SPREAD_S**2, (self.tt[side] - own * times.tt[side]) / n - mean * mean)
        shape = (tt - 2 * mean * t + k * mean * mean) / (2 * spread)
        return counted - 0.5 * k * log(2 * pi * spread) - shape

    def _evenness(self, side: int, times: _Times, own: float, expected: float) -> float:
        """Shape of a gamma distribution of the tags' rates, by moments: 1 if they lie very unequally, else more."""
        square = (self.nn[side] - own * times.n[side] ** 2) / max(1.0, self.weight - own)
        beyond = square - expected * expected - expected
        return (
            min(EVENNESS[1], max(EVENNESS[0], expected * expected / beyond)) if beyond > 0.0 else EVENNESS[1]
        )

    def expected(self, side: int, own: float, times: _Times) -> float:
        """Reads of one tag of the load on a side."""
        return (self.n[side] - own * times.n[side]) / max(1.0, self.weight - own)


def judge(tags: Sequence[Tag], load: Load, zero_ms: int, seconds: float, until_ms: int) -> list[Verdict]:
    """Judge the tags read in a passage that began at `zero_ms` and lasted `seconds`; `until_ms` is now."""
    times = [_Times(tag, zero_ms) for tag in tags]
    moves, profile = _movers(tags, times, zero_ms, seconds)
    ways = [
        _ways(tag, t, move, profile, load, until_ms) for tag, t, move in zip(tags, times, moves, strict=True)
    ]
    turned = _turned(tags, moves, ways)
    return [
        _verdict(tag, move, way, _crossed_ms(tag, profile, zero_ms), turned)
        for tag, way, move in zip(tags, ways, moves, strict=True)
    ]


def _turned(tags: Sequence[Tag], moves: Sequence[float], ways: Sequence[list[float]]) -> bool:
    """Whether a load came near and went away again: a fair share of the tags that came back show it themselves."""
    backs = [move * way[2] for move, way in zip(moves, ways, strict=True)]
    shown = sum(back for tag, back in zip(tags, backs, strict=True) if _rose_and_fell(tag))
    return shown >= max(TURN_LEAST, TURN_SHARE * sum(backs))


def _movers(
    tags: Sequence[Tag], times: Sequence[_Times], zero_ms: int, seconds: float
) -> tuple[list[float], _Profile]:
    """How probable it is of each tag that it moved, and what those that did look like together."""
    rests = [_rest(tag, max(0.0, seconds - (tag.since_ms - zero_ms) / 1000)) for tag in tags]
    moves = [
        _sigmoid(tag.moved - tag.mixed + _tempered(_alone(tag) - r))
        for tag, r in zip(tags, rests, strict=True)
    ]
    profile = _Profile()
    for _ in range(ROUNDS):
        profile = _Profile()
        for tag, move, t in zip(tags, moves, times, strict=True):
            profile.add(t, tag.start_out, move)
        share = log((1.0 + profile.weight) / (1.0 + len(tags) - profile.weight))
        moves = [
            _sigmoid(share + _moving(tag, profile.fit(t, move), rest))
            for tag, t, move, rest in zip(tags, times, moves, rests, strict=True)
        ]
    return moves, profile


def _moving(tag: Tag, fit: float | None, rest: float) -> float:
    """Log-odds that a tag moved."""
    if fit is None:
        return tag.moved - tag.mixed + _tempered(_alone(tag) - rest)
    return _tempered(fit - rest)


def _rest(tag: Tag, seconds: float) -> float:
    """Log-likelihood of the number of reads at the rates that the tag had before; at any steady rate if unknown."""
    if tag.before_out < 0.0:
        seconds = max(seconds, _lasted(tag))
        return _steady(tag.n_out, seconds) + _steady(tag.n_in, seconds)
    out, inn = tag.before_out + 0.4 * UNKNOWN_HZ, tag.before_in + 0.4 * UNKNOWN_HZ
    return tag.n_out * log(out) + tag.n_in * log(inn) - (out + inn) * seconds


def _steady(reads: int, seconds: float) -> float:
    return reads * log(reads / max(1.0, seconds)) - reads if reads else 0.0


def _alone(tag: Tag) -> float:
    """Log-likelihood of the number of reads in a burst that is as long as they last, on either side."""
    seconds = _lasted(tag)
    return tag.reads * log(max(tag.reads, 1) / seconds / 2) - tag.reads


def _lasted(tag: Tag) -> float:
    """Seconds of its reads, and half of one before and after."""
    return 1.0 + max(0, tag.last_ms - tag.since_ms) / 1000


def _ways(tag: Tag, times: _Times, move: float, profile: _Profile, load: Load, until_ms: int) -> list[float]:
    """Probabilities that a tag that moved went in, went out, or came back."""
    ways = [log(way + 1e-9) for way in tag.ways(until_ms)]
    if profile.weight - move < COMPANY:
        return _normalised(ways)
    if not (times.n[0] and times.n[1]):
        # The more the far side should have read it, the stranger it is that it crossed; tags lie unequally, as above.
        near = 0 if times.n[0] else 1
        share = times.n[near] / max(0.5, profile.expected(near, move, times))
        missed = SHY * log1p(profile.expected(1 - near, move, times) * share / SHY)
        ways[0] -= missed
        ways[1] -= missed
    ways[2] += log(TURNS)
    company = load.ways(tag.since_ms, tag.last_ms, profile.outside / profile.weight)
    return _normalised([w + c for w, c in zip(ways, company, strict=True)])


def _tempered(likelier: float) -> float:
    return max(-BOUND, min(BOUND, TEMPER * likelier))


def _sigmoid(x: float) -> float:
    return 1.0 / (1.0 + exp(-x))


def _normalised(logs: list[float]) -> list[float]:
    top = max(logs)
    weights = [exp(x - top) for x in logs]
    total = sum(weights)
    return [w / total for w in weights]


def _verdict(tag: Tag, move: float, ways: list[float], crossed_ms: int, turned: bool) -> Verdict:
    gone_in, gone_out = move * ways[0], move * ways[1]
    best, crossed = max(gone_in, gone_out), gone_in + gone_out
    if best >= DECIDED:
        outcome = Direction.IN if gone_in > gone_out else Direction.OUT
        return Verdict(outcome, min(CERTAIN, best), crossed_ms, crossed)
    if crossed > 1.0 - DECIDED and move > MOVED:
        return Verdict(Direction.UNDECIDED, max(best, move * ways[2]), tag.last_ms, crossed)
    if (move > 0.5 and _rose_and_fell(tag)) or (move > MOVED and turned):
        return Verdict(Direction.TURNED_BACK, min(CERTAIN, 1.0 - crossed), tag.last_ms, crossed)
    return Verdict(None, 1.0 - best, tag.last_ms, crossed)


def _rose_and_fell(tag: Tag) -> bool:
    """It came near and went away again, on the side that it came from: so did its power."""
    peak = max(tag.peak_out, tag.peak_in)
    return tag.reads >= TURN_READS and peak - max(tag.first_dbm, tag.smooth_dbm) >= RISE_DB


def _crossed_ms(tag: Tag, profile: _Profile, zero_ms: int) -> int:
    """Midway between the middles of the two sides' reads: the tag's own where both sides read it, else its load's."""
    if tag.n_out and tag.n_in:
        return tag.since_ms + round(500 * (tag.t_out / tag.n_out + tag.t_in / tag.n_in))
    if profile.n[0] > 0.5 and profile.n[1] > 0.5:
        return zero_ms + round(500 * (profile.t[0] / profile.n[0] + profile.t[1] / profile.n[1]))
    return tag.last_ms
