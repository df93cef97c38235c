"""Finds rest in the weights of all cells of a site at once: one fold of columns per block of time.

A channel is a cell; its row holds the last few blocks. Boards and scales send from one sample a minute to 80 a second,
some of them irregularly, so everything is by time and nothing by the number of samples. A block of many samples becomes
their median, and one block that stands out in a window is passed over: spikes are no motion.
"""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]
Rows = Ints | slice

BLOCK_MS = 100
DEPTH = 8  # blocks in a window, of a device that sends ten a second
WINDOW_MS = 800  # at rest, weights stay together for so long …
CONFIRM_MS = 500  # … and go on to: a hand that pauses in the middle of a pick takes longer than both
LEAST_TICKS = 3  # for devices slower than the window
LEAST_SPAN_MS = 480  # samples that come in bursts show no rest
# A scale that says it moves is believed for so long against weights that do not: some never say that they rest.
BELIEVED_MS = 25_000
LEAST_RANGE_GRAMS = 1.2  # even a noiseless scale flickers by a division
RANGE_SIGMAS = 8.0  # the range of 8 samples of noise is below 4.5 sigma in 99 % of cases; slow drift adds
LEAST_SIGMA, MOST_SIGMA = 0.02, 5.0  # bounds of the noise believed, in grams
LEAST_DIVISION = 0.001  # grams; less is how numbers are stored
FIRST_SIGMA = 0.1
SIGMA_RATE = 0.005  # a tick; a third of that in motion, where only small differences count
FIRST_TICKS = 10  # until then noise is learned faster
NORMAL_DIFFERENCE = 1.128  # mean difference of two normal values, over their sigma
# A scale that trembles, under a hand or a fan, is at rest where means of its windows stay together for three seconds.
CALM_EVERY, CALM_DEPTH = 4, 7  # ticks between means, and so many of them
GAP_PERIODS = 3.0
PERIOD_RATE = 0.05
SAME_RATE = 0.005
SAME_LEARNED = 16  # a longer run of one value says nothing of how a channel flickers
OFFLINE_MS = 10_000  # a gap so long leaves it open when things happened …
OFFLINE_PERIODS = 5  # … for devices that weigh often


class Channels:
    """One row a channel. Times are of the steady clock, in milliseconds; `offset_us` takes them to the wall's."""

    def __init__(self, count: int) -> None:
        self.count = count
        # A row a block, the newest last: numpy is quick along the channels, and slow along eight values.
        self.grams: Floats = np.zeros((DEPTH, count))
        self.times: Ints = np.zeros((DEPTH, count), np.int64)
        self.ticks: Ints = np.zeros(count, np.int64)  # in the window, up to DEPTH
        self.seen: Ints = np.zeros(count, np.int64)  # ever, or since it was reset
        self.at_ms: Ints = np.zeros(count, np.int64)  # of the last tick
        self.offset_us: Ints = np.zeros(count, np.int64)
        self.period_ms: Floats = np.full(count, 100.0)
        self.sigma: Floats = np.full(count, FIRST_SIGMA)
        self.level: Floats = np.zeros(count)  # mean of the window, without its extremes
        self.together: Bools = np.zeros(count, np.bool_)
        self.rest: Bools = np.zeros(count, np.bool_)
        self.since_ms: Ints = np.zeros(count, np.int64)  # the window in which rest began, begins here
        self.since_now_ms: Ints = np.zeros(count, np.int64)  # and was noticed here
        self.moved_ms: Ints = np.full(count, -(10**15), np.int64)  # when the device last said that it moves
        self.calm: Bools = np.zeros(count, np.bool_)  # at rest, though it trembles
        self.slack: Floats = np.full(
            count, LEAST_RANGE_GRAMS
        )  # how far means may be apart that stay together
        self.trembling: Floats = np.zeros(count)  # how far they are
        self._means: Floats = np.full((count, CALM_DEPTH), np.nan)
        self._mean_ms: Ints = np.zeros((count, CALM_DEPTH), np.int64)
        self.division: Floats = np.full(count, np.inf)  # the least that two values in a row differ by
        self.same: Ints = np.zeros(count, np.int64)  # how often the newest value came in a row
        self.flicker: Floats = np.full(count, 0.5)  # how seldom it does so when all is well

    def reset(self, channel: int) -> None:
        """Nothing was weighed for a while: rest must be found anew. What is known of its noise stays."""
        self.ticks[channel] = 0
        self.rest[channel] = self.together[channel] = self.calm[channel] = False
        self._means[channel] = np.nan
        self.same[channel] = 0

    def silent(self, now_ms: int) -> Bools:
        """Those that have weighed, and not for a while."""
        gap = now_ms - self.at_ms
        return (self.seen > 0) & (gap > OFFLINE_MS) & (gap > OFFLINE_PERIODS * self.period_ms)

    def fold(self, block_ms: int, values: Floats, active: Ints) -> None:
        """Take one value of each `active` channel for the block that begins at `block_ms`."""
        # Of all channels, views: far cheaper than picked copies.
        rows: Rows = slice(None) if len(active) == self.count else active
        gap = block_ms - self.at_ms[rows]
        fresh = (gap > WINDOW_MS) & (gap > GAP_PERIODS * self.period_ms[rows])
        begun = self.ticks[rows] > 0
        self._count_same(rows, values, begun)
        known = begun & ~fresh
        self._learn_noise(rows, values, known)
        self._learn_period(rows, gap, self.seen[rows] > 0)
        self.seen[rows] += 1
        self.ticks[rows] = np.where(fresh, 1, np.minimum(self.ticks[rows] + 1, DEPTH))
        self.at_ms[rows] = block_ms
        grams, times = self.grams[:, rows], self.times[:, rows]
        grams[:-1], times[:-1] = grams[1:], times[1:]
        grams[-1], times[-1] = values, block_ms
        self.grams[:, rows], self.times[:, rows] = grams, times
        self._settle(block_ms, rows, active, grams, times)

    def _count_same(self, active: Rows, values: Floats, begun: Bools) -> None:
        same = begun & (values == self.grams[-1, active])
        run = np.where(same, self.same[active] + 1, 0)
        self.same[active] = run
        # What moves never shows one value twice, however coarse it is.
        learned = begun & self.together[active] & (run < SAME_LEARNED)
        flicker = self.flicker[active]
        rate = np.maximum(SAME_RATE, 1.0 / (FIRST_TICKS + self.seen[active]))
        self.flicker[active] = flicker + rate * learned * (~same - flicker)

    def _learn_noise(self, active: Rows, values: Floats, known: Bools) -> None:
        sigma = self.sigma[active]
        apart = np.abs(values - self.grams[-1, active])
        told = np.where(known & (apart > LEAST_DIVISION), apart, np.inf)
        self.division[active] = np.minimum(self.division[active], told)
        difference = np.minimum(apart, 4.0 * sigma + 0.5)
        rate = np.where(self.rest[active], SIGMA_RATE, SIGMA_RATE / 3)
        seen = self.seen[active]
        rate = np.maximum(rate, np.where(seen < 5 * FIRST_TICKS, 1.0 / (FIRST_TICKS + seen), 0.0))
        learned = sigma + known * rate * (difference / NORMAL_DIFFERENCE - sigma)
        self.sigma[active] = np.clip(learned, LEAST_SIGMA, MOST_SIGMA)

    def _learn_period(self, active: Rows, gap: Ints, seen: Bools) -> None:
        rate = np.maximum(PERIOD_RATE, 1.0 / (1.0 + self.seen[active]))
        period = self.period_ms[active]
        self.period_ms[active] = period + seen * rate * (np.minimum(gap, 120_000) - period)

    def _settle(self, now_ms: int, active: Rows, every: Ints, grams: Floats, times: Ints) -> None:
        inside = _inside(now_ms, self.ticks[active], times)
        if inside is None:
            count = np.full(len(every), DEPTH)
            low, high, total, first_ms = grams.min(axis=0), grams.max(axis=0), grams.sum(axis=0), times[0]
        else:
            count = inside.sum(axis=0)
            low = np.where(inside, grams, np.inf).min(axis=0)
            high = np.where(inside, grams, -np.inf).max(axis=0)
            total = np.where(inside, grams, 0.0).sum(axis=0)
            first_ms = np.where(inside, times, now_ms).min(axis=0)
        many = count >= 5
        self.level[active] = np.where(many, (total - low - high) / np.maximum(count - 2, 1), total / count)
        limit = np.maximum(RANGE_SIGMAS * self.sigma[active], LEAST_RANGE_GRAMS)
        enough = (count >= LEAST_TICKS) & (now_ms - first_ms >= LEAST_SPAN_MS)
        together = enough & (high - low < limit)
        broken = enough & ~together
        torn = broken
        if broken.any():
            which = np.flatnonzero(broken)
            kept = np.ones((DEPTH, len(which)), np.bool_) if inside is None else inside[:, which]
            spiked = _but_for_one(grams[:, which], kept, limit[which]) & many[which]
            # One block that stands out is not motion yet; the next one tells.
            just_now = _but_for_one(grams[:-1, which], kept[:-1], limit[which])
            together[which] |= spiked
            torn = broken.copy()
            torn[which] &= ~spiked & ~just_now
        self._confirm(now_ms, active, together, torn | ~enough, first_ms)
        self._calm(now_ms, every, ~together & (self.ticks[active] >= DEPTH))

    def _confirm(self, now_ms: int, active: Rows, together: Bools, torn: Bools, first_ms: Ints) -> None:
        was = self.together[active]
        begins = together & ~was
        self.since_ms[active] = np.where(begins, first_ms, self.since_ms[active])
        self.since_now_ms[active] = np.where(begins, now_ms, self.since_now_ms[active])
        self.together[active] = together | (was & ~torn)
        lasting = now_ms - self.since_now_ms[active]
        quiet = (now_ms - self.moved_ms[active] >= CONFIRM_MS) | (lasting >= BELIEVED_MS)
        self.rest[active] = together & (lasting >= CONFIRM_MS) & quiet

    def _calm(self, now_ms: int, active: Ints, trembles: Bools) -> None:
        due = active[self.seen[active] % CALM_EVERY == 0]
        means, times = self._means[due], self._mean_ms[due]
        means[:, :-1], times[:, :-1] = means[:, 1:], times[:, 1:]
        means[:, -1], times[:, -1] = self.level[due], now_ms
        self._means[due], self._mean_ms[due] = means, times
        self.calm[active] = False
        which = active[trembles]
        if len(which):
            means = np.column_stack((self._means[which], self.level[which]))
            apart = np.ptp(means, axis=1)  # nan while there are too few
            calm = apart < self.slack[which]
            self.calm[which] = calm
            self.trembling[which] = apart
            first_ms = self._mean_ms[which, 0]
            begins = which[calm & ~self.rest[which]]
            self.since_ms[begins] = first_ms[calm & ~self.rest[which]]
            quiet = now_ms - self.moved_ms[which] >= CONFIRM_MS
            self.rest[which] = calm & quiet


def _inside(now_ms: int, ticks: Ints, times: Ints) -> Bools | None:
    """Which blocks are in the window; None for all of all channels."""
    if int(times[0].min()) > now_ms - WINDOW_MS and int(ticks.min()) >= DEPTH:
        return None
    place = np.arange(DEPTH)[:, None]
    begun = place >= DEPTH - ticks
    return begun & ((times > now_ms - WINDOW_MS) | (place >= DEPTH - LEAST_TICKS))


def _but_for_one(grams: Floats, inside: Bools, limit: Floats) -> Bools:
    """Whether the blocks of a window are together but for one, which is not the newest."""
    sorted_up = np.sort(np.where(inside, grams, np.inf), axis=0)
    count = inside.sum(axis=0)
    columns = np.arange(grams.shape[1])
    last, before = np.maximum(count - 1, 0), np.maximum(count - 2, 0)
    without_highest = sorted_up[before, columns] - sorted_up[0]
    without_lowest = sorted_up[last, columns] - sorted_up[1]
    newest = grams[-1]
    newest_high = newest > sorted_up[before, columns]
    newest_low = newest < sorted_up[1]
    high, low = (without_highest < limit) & ~newest_high, (without_lowest < limit) & ~newest_low
    found: Bools = (count > LEAST_TICKS) & (high | low)
    return found


def medians(channel: Ints, grams: Floats, count: int) -> tuple[Ints, Floats]:
    """The channels that have samples, ascending, and the median of each one's samples: of two in the middle the lower,
    as a scale's division is learned from what it says."""
    counts = np.bincount(channel, minlength=count)
    active = np.flatnonzero(counts)
    if len(active) == len(channel):
        values = np.empty(count)
        values[channel] = grams
        return active, values[active]
    order = np.argsort(channel, kind="stable")
    counts = counts[active]
    starts = np.cumsum(counts) - counts
    rank = np.arange(len(channel)) - np.repeat(starts, counts)
    table = np.full((len(active), int(counts.max())), np.inf)
    table[np.repeat(np.arange(len(active)), counts), rank] = grams[order]
    table.sort(axis=1)
    rows = np.arange(len(active))
    return active, table[rows, (counts - 1) // 2]


def starts_of(sizes: Sequence[int]) -> Ints:
    """Where each of some consecutive groups begins, for `reduceat`."""
    return np.concatenate(([0], np.cumsum(sizes)[:-1])).astype(np.int64)
