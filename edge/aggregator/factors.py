"""The factors that tell a tag that moves with a load from one that stands by; each a bounded log-likelihood ratio.

Spreads and shifts in dB are what recordings of doors show for moving and for standing tags: a power that changes over
half a wavelength (16 cm) of way, 5 dB and more between the two sides of a door.
"""

from dataclasses import dataclass
from functools import cached_property
from math import log, pi, sqrt

import numpy as np

from edge.aggregator.slices import Bools, Floats, Ints, numbered, summed

MOVING_DB = 2.0  # spread of the power of a tag on its way
MOVING_MORE = 2.0  # and at least so many times that of one at rest
SPREAD_MOST_DB2 = 9.0  # one reflection must not prove a movement
SPREAD_LOOKS = 6  # reads beyond which a spread tells no more: they are not independent
KNOWN_SPREAD = 1.0  # of a tag that stood before: people and loads that pass shadow it too
UNKNOWN_HZ = 0.05  # rate of a tag that is hardly ever read
UNKNOWN_BURST = 0.5  # a tag never read before came from somewhere
REST_S = 5.0  # what is known of a tag's rest weighs as so many seconds of reading
OWN_SIDE, OTHER_SIDE = 1.4, 0.7  # beta prior of the sides that read a tag in one zone
TEMPER = 0.7  # reads are not independent
NEAR_BINS = 3.2  # a load is near the sill for 0.8 s before and after it crosses
MARGIN_BINS = 8  # a tag was with its load for so long before its own first read and after its last: 2 s
PROFILE_PRIOR = 4.0  # reads, evenly over time and sides, that a profile starts with
PROFILE_TRUST = 10.0  # reads of others from which it is half trusted
PROFILE_LOOKS = 8.0  # reads of one tag beyond which it tells no more: they are not independent
PROFILE_BINS = 2.0  # its resolution: half a second


@dataclass(frozen=True, eq=False)
class Looks:
    """Reads by tag (n) and bin (bins). A bin's reads of one tag together count for `most` at most.

    What is cached is asked for in every round of maximisation.
    """

    tag: Ints
    bin: Ints
    inner: Bools
    weight: Floats  # (r,) of each read
    evidence: Floats  # (n, bins) log-odds of "inside"
    counts: Floats  # (n, bins) reads
    sided: Floats  # (n, 2, bins) weighted reads by side
    first: Ints  # (n,) bin of its first read
    last: Ints
    most: float

    @classmethod
    def of(cls, tag: Ints, bin_: Ints, inner: Bools, odds: Floats, n: int, most: float) -> "Looks":
        bins = int(bin_.max()) + 2
        cell = tag * bins + bin_
        counts = np.bincount(cell, minlength=n * bins).reshape(n, bins).astype(float)
        share = np.minimum(1.0, most / np.maximum(counts, 1.0))
        evidence = summed(cell, odds, n * bins).reshape(n, bins) * share
        weight = share[tag, bin_]
        sided = summed((tag * 2 + inner) * bins + bin_, weight, 2 * n * bins)
        read = counts > 0
        return cls(
            tag=tag, bin=bin_, inner=inner, weight=weight, evidence=evidence, counts=counts,
            sided=sided.reshape(n, 2, bins), first=read.argmax(axis=1),
            last=bins - 1 - read[:, ::-1].argmax(axis=1), most=most,
        )  # fmt: skip

    @property
    def n(self) -> int:
        return len(self.first)

    @property
    def bins(self) -> int:
        return int(self.counts.shape[1])

    @cached_property
    def columns(self) -> Floats:
        """Evidence, reads as far as they count, and reads, side by side, (n, 3 bins)."""
        return np.concatenate([self.evidence, np.minimum(self.counts, self.most), self.counts], axis=1)

    @cached_property
    def bell(self) -> Floats:
        """Reads by side, each as a bell of an area of 1 around its bin, (n, 2, bins)."""
        return _blurred(self.sided, PROFILE_BINS, 4) / (PROFILE_BINS * sqrt(2.0 * pi))

    @cached_property
    def usual(self) -> Floats:
        """Weighted reads by side, (n, 2)."""
        usual: Floats = self.sided.sum(axis=2)
        return usual

    @cached_property
    def side(self) -> Ints:
        """Of each read, 2 tag + inner, (r,)."""
        return self.tag * 2 + self.inner

    @cached_property
    def bells_here(self) -> Floats:
        """Of each read, the bells of its own tag and side in its bin, (r,)."""
        here: Floats = self.bell.reshape(-1)[self.side * self.bins + self.bin]
        return here

    @cached_property
    def with_load(self) -> Bools:
        """The bins in which each tag was with its load, (n, bins)."""
        bins, margin = np.arange(self.bins), MARGIN_BINS
        near: Bools = (bins >= self.first[:, None] - margin) & (bins <= self.last[:, None] + margin)
        return near

    def sums(self, weights: Floats) -> Floats:
        """By tag, (n,), of something by read, (r,)."""
        return summed(self.tag, weights, self.n)

    def sums_by_side(self, weights: Floats) -> Floats:
        """By tag and side, (n, 2), of something by read, (r,)."""
        return summed(self.side, weights, 2 * self.n).reshape(-1, 2)

    def parted(self, where: Floats, dbm: Floats) -> "Parted":
        within = self.weight * where
        without = self.weight - within
        return Parted(
            within=self.sums_by_side(within), without=self.sums_by_side(without),
            dbm_within=self.sums_by_side(within * dbm), dbm_without=self.sums_by_side(without * dbm),
        )  # fmt: skip


@dataclass(frozen=True, slots=True, eq=False)
class Parted:
    """Weighted reads by tag and side of the antenna, (n, 2), parted by where the load was; and their summed powers."""

    within: Floats
    without: Floats
    dbm_within: Floats
    dbm_without: Floats


def spread(looks: Looks, dbm: Floats, antenna: Ints, known: Bools, rest_db: float) -> Floats:
    """Its power varies about the mean of each antenna more than at rest."""
    numbers, index = numbered(antenna)
    cell, cells = looks.tag * len(numbers) + index, looks.n * len(numbers)
    count = np.bincount(cell, minlength=cells)
    mean = summed(cell, dbm, cells) / np.maximum(count, 1)
    squares = summed(cell, (dbm - mean[cell]) ** 2, cells).reshape(looks.n, -1).sum(axis=1)
    free = np.maximum(count - 1, 0).reshape(looks.n, -1).sum(axis=1)
    variance = np.minimum(squares / np.maximum(free, 1), max(SPREAD_MOST_DB2, (3.0 * rest_db) ** 2))
    moving_db = max(MOVING_DB, MOVING_MORE * rest_db)
    each = log(rest_db / moving_db) + 0.5 * variance * (rest_db**-2 - moving_db**-2)
    odds = np.clip(np.minimum(free, SPREAD_LOOKS) * each, -4.0, 4.0)
    bounded: Floats = np.where(known, np.minimum(odds, KNOWN_SPREAD), odds)
    return bounded


def burst(looks: Looks, known: Bools, rest_hz: Floats) -> Floats:
    """It is read more often than at rest: the excess over what was to be expected, in standard deviations."""
    seconds = (looks.last.max() + 1) * 0.25
    expected = (rest_hz.sum(axis=1) + UNKNOWN_HZ) * seconds
    excess = (looks.counts.sum(axis=1) - expected) / np.sqrt(expected + 1.0)
    return np.where(known, np.clip(0.5 * excess, -2.0, 2.0), UNKNOWN_BURST)


def sides(parted: Parted) -> Floats:
    """Bayes factor of "the sides that read it depend on where the load was" against "they never changed"."""
    oo, oi = TEMPER * parted.without.T
    io, ii = TEMPER * parted.within.T
    apart_out, apart_in, same = _beta(
        np.stack([oo + OWN_SIDE, io + OTHER_SIDE, oo + io + OTHER_SIDE]),
        np.stack([oi + OTHER_SIDE, ii + OWN_SIDE, oi + ii + OTHER_SIDE]),
    )
    odds: Floats = apart_out + apart_in - 2.0 * BETA_APART - (same - BETA_SAME)
    return np.clip(odds, -4.0, 4.0)


def shift(parted: Parted) -> Floats:
    """On each side, its power with the load inside against its power with the load outside."""
    n_in, n_out = parted.within, parted.without
    change = parted.dbm_within / np.maximum(n_in, 1e-9) - parted.dbm_without / np.maximum(n_out, 1e-9)
    noise = 1.0 / np.maximum(n_in, 0.3) + 1.0 / np.maximum(n_out, 0.3)
    nearer = change * (-1.0, 1.0)
    ratio = _normal(nearer, 4.0, 9.0 + 6.0 * noise) - _normal(nearer, 0.0, 3.0 + 5.0 * noise)
    odds: Floats = np.where((n_in > 0.3) & (n_out > 0.3), ratio, 0.0).sum(axis=1)
    return np.clip(odds, -3.0, 3.0)


def rise(looks: Looks, changes: Floats, dbm: Floats) -> Floats:
    """Its power while its load was over the sill against the rest of the time. `changes` by tag and bin, (n, bins)."""
    near = np.minimum(_blurred(changes, NEAR_BINS, 8), 1.0)
    near *= np.minimum(1.0, changes.sum(axis=1))[:, None]
    at = looks.weight * near[looks.tag, looks.bin]
    away = looks.weight - at
    n_at, n_away = looks.sums(at), looks.sums(away)
    change = looks.sums(at * dbm) / np.maximum(n_at, 1e-9) - looks.sums(away * dbm) / np.maximum(n_away, 1e-9)
    noise = 1.0 / np.maximum(n_at, 0.3) + 1.0 / np.maximum(n_away, 0.3)
    ratio = _normal(change, 3.0, 8.0 + 6.0 * noise) - _normal(change, 0.0, 2.0 + 5.0 * noise)
    return np.clip(np.where((n_at > 0.3) & (n_away > 0.3), ratio, 0.0), -3.0, 3.0)


def profile(looks: Looks, moved: Floats, rest_hz: Floats) -> tuple[Floats, Floats]:
    """It was read when and by which side the others that moved were, against evenly over time by its own sides.

    Returns:
        How far the others can be trusted to show a profile (0 to 1), and the log-odds.
    """
    everywhere = (moved @ looks.bell.reshape(looks.n, -1))[looks.inner * looks.bins + looks.bin]
    mass = moved * looks.bell.sum(axis=(1, 2))
    total = mass.sum() - mass
    others = everywhere - moved[looks.tag] * looks.bells_here
    density = (others + PROFILE_PRIOR / (2 * looks.bins)) / (total + PROFILE_PRIOR)[looks.tag]
    own = looks.usual + 0.5 + REST_S * rest_hz
    even = own / own.sum(axis=1, keepdims=True) / looks.bins
    odds = looks.sums(looks.weight * (np.log(density) - np.log(even).reshape(-1)[looks.side]))
    odds *= np.minimum(1.0, PROFILE_LOOKS / np.maximum(looks.usual.sum(axis=1), 1.0))
    trust = total / (total + PROFILE_TRUST)
    return trust, np.clip(trust * odds, -8.0, 6.0)


def _blurred(by_bin: Floats, width: float, reach: int) -> Floats:
    """A bell of 1 at its top laid over each bin, `width` bins wide (standard deviation), along the last axis."""
    bins = by_bin.shape[-1]
    padded = np.zeros((*by_bin.shape[:-1], bins + 2 * reach))
    padded[..., reach:-reach] = by_bin
    result = by_bin.copy()
    for tap in range(1, reach + 1):
        both = padded[..., reach - tap : bins + reach - tap] + padded[..., reach + tap : bins + reach + tap]
        both *= np.exp(-0.5 * (tap / width) ** 2)
        result += both
    return result


def _normal(x: Floats, mean: float, variance: Floats) -> Floats:
    return -0.5 * np.log(variance) - 0.5 * (x - mean) ** 2 / variance


def _beta(a: Floats, b: Floats) -> Floats:
    """Logarithm of the beta function."""
    of_a, of_b, of_both = _lgamma(np.stack([a, b, a + b]))
    result: Floats = of_a + of_b - of_both
    return result


def _lgamma(x: Floats) -> Floats:
    """Logarithm of the gamma function for x > 0: Stirling's series at x + 4 (error below 1e-6), and the recurrence."""
    y = x + 4.0
    series = (y - 0.5) * np.log(y) - y + 0.5 * log(2.0 * pi) + 1.0 / (12.0 * y) - 1.0 / (360.0 * y * y * y)
    result: Floats = series - np.log(x * (x + 1.0) * (x + 2.0) * (x + 3.0))
    return result


BETA_APART, BETA_SAME = _beta(np.array([OWN_SIDE, OTHER_SIDE]), np.array([OTHER_SIDE, OTHER_SIDE])).tolist()
