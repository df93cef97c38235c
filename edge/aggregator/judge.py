"""What became of each tag in a passage: in, out, turned back, or at rest all the time.

Every tag has four hypotheses, each with a likelihood from its own reads. The tags of one load move together, so the
clear ones also tell what a tag of the load looks like: how often, when and from which side it is read (a profile per
direction). Shares of the hypotheses and profiles are estimated from all tags together, by expectation maximisation
with each tag left out of the profile that judges it (Dempster, Laird and Rubin 1977).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from math import exp, log, pi

from edge.aggregator.tag import UNKNOWN_HZ, Tag
from wire.events import Direction

IN, OUT, BACK, REST = range(4)

ROUNDS = 6  # shares settle in three or four
# Pseudo-tags behind each hypothesis before any tag is looked at: a door exists to be crossed; turning back is rare.
PRIOR = (1.0, 1.0, 0.25, 1.0)
# Other tags needed before a profile says anything.
COMPANY = 2.0
# Reads of one tag are not independent of each other, nor is the profile exact: its log-likelihood is tempered, and
# bounded so that no tag is certain by its load alone.
TEMPER = 0.5
BOUND = 5.0
SPREAD_S = 0.8  # least spread of a profile in time: a load is a metre or more long

# Bounds of what is said: no passage is certain, and below the lower one nothing is decided.
CERTAIN = 0.995
DECIDED = 0.7
# A tag that came and went without crossing: its power rose and fell by so much, with so many reads.
RISE_DB = 4.0
TURN_READS = 5


@dataclass(frozen=True, slots=True)
class Verdict:
    """`outcome` is None for a tag at rest. `at_ms` is when it crossed, or was last read."""

    outcome: Direction | None
    confidence: float
    at_ms: int


class _Profile:
    """Sums over the tags of a load, weighted by how sure it is that they moved this way. Times from `zero_ms`."""

    __slots__ = ("n", "t", "tt", "weight")

    def __init__(self) -> None:
        self.weight = 0.0
        self.n = [0.0, 0.0]
        self.t = [0.0, 0.0]
        self.tt = [0.0, 0.0]

    def add(self, times: "_Times", weight: float) -> None:
        self.weight += weight
        for side in (0, 1):
            self.n[side] += weight * times.n[side]
            self.t[side] += weight * times.t[side]
            self.tt[side] += weight * times.tt[side]

    def fit(self, times: "_Times", own: float) -> float | None:
        """Log-likelihood of a tag's reads under the profile of the others; None without enough of them."""
        others = self.weight - own
        if others < COMPANY:
            return None
        total = 0.0
        for side in (0, 1):
            n = self.n[side] - own * times.n[side]
            expected = (n + 0.2) / (others + 1.0)
            total -= expected
            if n < 0.5:
                total += times.n[side] * log(expected / 10.0)
                continue
            mean = (self.t[side] - own * times.t[side]) / n
            spread = max(SPREAD_S**2, (self.tt[side] - own * times.tt[side]) / n - mean * mean)
            k, t, tt = times.n[side], times.t[side], times.tt[side]
            total += k * (log(expected) - 0.5 * log(2 * pi * spread))
            total -= (tt - 2 * mean * t + k * mean * mean) / (2 * spread)
        return total


class _Times:
    """A tag's sums moved to the passage's own zero."""

    __slots__ = ("n", "t", "tt")

    def __init__(self, tag: Tag, zero_ms: int) -> None:
        offset = (tag.since_ms - zero_ms) / 1000
        self.n = (tag.n_out, tag.n_in)
        self.t = (tag.t_out + tag.n_out * offset, tag.t_in + tag.n_in * offset)
        self.tt = (
            tag.tt_out + 2 * offset * tag.t_out + tag.n_out * offset * offset,
            tag.tt_in + 2 * offset * tag.t_in + tag.n_in * offset * offset,
        )


def judge(tags: Sequence[Tag], zero_ms: int, seconds: float) -> list[Verdict]:
    """Judge the tags read in a passage that began at `zero_ms` and lasted `seconds`."""
    own = [_own(tag) for tag in tags]
    times = [_Times(tag, zero_ms) for tag in tags]
    rest = [_rest(tag, seconds) for tag in tags]
    odds = [_normalised([o + log(p) for o, p in zip(likely, PRIOR, strict=True)]) for likely in own]
    profiles = (_Profile(), _Profile())
    for _ in range(ROUNDS):
        shares = [log(PRIOR[h] + sum(o[h] for o in odds)) for h in range(4)]
        profiles = (_Profile(), _Profile())
        for o, t in zip(odds, times, strict=True):
            profiles[IN].add(t, o[IN])
            profiles[OUT].add(t, o[OUT])
        odds = [
            _normalised([a + b + c for a, b, c in zip(likely, shares, _load(profiles, t, o, r), strict=True)])
            for likely, t, o, r in zip(own, times, odds, rest, strict=True)
        ]
    return [_verdict(tag, o, profiles, zero_ms) for tag, o in zip(tags, odds, strict=True)]


def _own(tag: Tag) -> list[float]:
    """Log-likelihoods of the four hypotheses from the sides of the tag's own reads."""
    least = 1e-9
    return [
        tag.moved + log(tag.oi + least),
        tag.moved + log(tag.io + least),
        tag.moved + log(tag.oo + tag.ii + least),
        tag.mixed,
    ]


def _rest(tag: Tag, seconds: float) -> float:
    """Log-likelihood of the number of reads at the rates that the tag had before."""
    out, inn = tag.before_out + 0.4 * UNKNOWN_HZ, tag.before_in + 0.4 * UNKNOWN_HZ
    return tag.n_out * log(out) + tag.n_in * log(inn) - (out + inn) * seconds


def _load(profiles: tuple[_Profile, _Profile], times: _Times, odds: list[float], rest: float) -> list[float]:
    """What the load adds to each hypothesis: how much better its profile explains the reads than rest does."""
    added = [0.0, 0.0, 0.0, 0.0]
    for way in (IN, OUT):
        fit = profiles[way].fit(times, odds[way])
        if fit is not None:
            added[way] = max(-BOUND, min(BOUND, TEMPER * (fit - rest)))
    return added


def _normalised(logs: list[float]) -> list[float]:
    top = max(logs)
    weights = [exp(x - top) for x in logs]
    total = sum(weights)
    return [w / total for w in weights]


def _verdict(tag: Tag, odds: list[float], profiles: tuple[_Profile, _Profile], zero_ms: int) -> Verdict:
    best = max(range(4), key=odds.__getitem__)
    sure = min(CERTAIN, odds[best])
    if best in (IN, OUT):
        outcome = (Direction.IN, Direction.OUT)[best] if sure >= DECIDED else Direction.UNDECIDED
        return Verdict(outcome, sure, _crossed_ms(tag, profiles[best], zero_ms))
    crossed = odds[IN] + odds[OUT]
    if crossed > 1.0 - DECIDED:
        return Verdict(Direction.UNDECIDED, sure, tag.last_ms)
    if turned_back(tag):
        return Verdict(Direction.TURNED_BACK, min(CERTAIN, 1.0 - crossed), tag.last_ms)
    return Verdict(None, sure, tag.last_ms)


def turned_back(tag: Tag) -> bool:
    """It came near and went away again, on the side that it came from: its power rose and fell."""
    peak = max(tag.peak_out, tag.peak_in)
    return tag.reads >= TURN_READS and peak - max(tag.first_dbm, tag.smooth_dbm) >= RISE_DB


def _crossed_ms(tag: Tag, profile: _Profile, zero_ms: int) -> int:
    """Midway between the middles of the two sides' reads: the tag's own where both sides read it, else its load's."""
    if tag.n_out and tag.n_in:
        return tag.since_ms + round(500 * (tag.t_out / tag.n_out + tag.t_in / tag.n_in))
    if profile.n[0] > 0.5 and profile.n[1] > 0.5:
        return zero_ms + round(500 * (profile.t[0] / profile.n[0] + profile.t[1] / profile.n[1]))
    return tag.last_ms
