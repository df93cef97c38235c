"""What a gate knows of one tag, folded read by read: constant size, constant time, whatever the number of reads.

Two questions are answered incrementally.

*Is it moving?* A tag that stands near a door is read at a rate that it has had before, on the sides that it has been
read on before. A read that is unlikely at that rate is evidence of movement: `g` is a CUSUM of log-likelihood ratios
(Page 1954) of "in a burst of BURST reads/s" against the rates learned, `rate_out` and `rate_in`.

*Did it change sides?* Antennas see past their own side of the door, so one read proves little. Two hidden zones,
outside and inside, with the probabilities below; `oo`, `oi`, `io`, `ii` are the joint probabilities of having begun in
one zone and being in another now, given all reads since the tag began to move: the forward pass of a hidden Markov
model with its first state remembered. `mixed` is what weighs against it: a tag at rest that both sides see.
"""

from math import exp, log

import msgspec

OUTSIDE = 0
INSIDE = 1

# Reads a second of a tag that is moving through a gate. Recordings have 1 (a load of 100 tags) to 6 (of 12 tags); the
# lowest is taken, because the ratio to a rate of rest is what counts.
BURST_HZ = 1.0
# What is assumed of a tag that has never been seen: a rate so low that its first two reads together are news.
UNKNOWN_HZ = 0.05
# Memory of rates of rest. Long against a passage (3 to 8 s), short against a day's work at the door.
RATE_S = 8.0
SLOW_S = 40.0
# Evidence above which a tag is taken to move: odds of e^4, about 55 to 1. Two quick reads of an unknown tag reach it.
MOVING = 4.0
# The evidence is capped, so that it fades within seconds of rest.
MOST = 8.0

# A read comes from the side where the tag is with this probability; a quarter comes from behind the door's antennas,
# as in recordings of approaching loads (10 to 35 %).
TRUE_SIDE = 0.75
# A tag at a gate changes sides about once in 10 s: a passage takes 3 to 8 s and has one change.
CHANGES_HZ = 0.1
# Reads in quick succession share their multipath: at least this much time between two that count as independent, so
# that a tag read 50 times in a second is not sure 50 times over.
INDEPENDENT_S = 0.15

_LOG_TRUE = log(TRUE_SIDE)
_LOG_FALSE = log(1.0 - TRUE_SIDE)


# Of what was believed about its zone, so much is doubted whenever a tag begins to move: beliefs of rest rest on reads
# that are not independent.
FORGOTTEN = 0.02
CHANGED = 0.8  # four to one
LOST_MS = 30_000  # unseen for half a minute, it may have been carried anywhere
# A tag may move so long before it is first read, and after it is last read: a load's first tag is read seconds
# before its last one.
UNSEEN_S = 3.0


def _change(seconds: float) -> float:
    """The probability that a tag is in the other zone after a time; at most a half. First order of the exponential."""
    change = CHANGES_HZ * seconds
    return change / (1.0 + 2.0 * change)


class Tag(msgspec.Struct, array_like=True, gc=False):
    """Times in milliseconds of the steady clock, or microseconds of the wall clock where it says so."""

    last_ms: int
    last_us: int
    settled_ms: int = 0  # what is read earlier belongs to the passage before
    came_ms: int = 0  # first read after it was away
    rate_out: float = UNKNOWN_HZ
    rate_in: float = UNKNOWN_HZ
    slow_out: float = (
        UNKNOWN_HZ  # the same with a longer memory: what rest looks like when a passage is judged
    )
    slow_in: float = UNKNOWN_HZ
    level_dbm: float = 0.0  # of rest, slowly followed
    g: float = 0.0
    tid: str | None = None
    epoch: int = -1  # the gate's, when what follows began
    member: int = -1  # the passage that it was last read in

    since_ms: int = 0
    since_us: int = 0
    most_g: float = 0.0
    before_out: float = UNKNOWN_HZ  # the rates of rest before it; below zero where nothing was known
    before_in: float = UNKNOWN_HZ
    start_out: float = 0.5  # how probable it was that it began outside
    reads: int = 0
    n_out: int = 0
    n_in: int = 0
    t_out: float = 0.0  # sums of seconds since `since_ms`, and of their squares
    t_in: float = 0.0
    tt_out: float = 0.0
    tt_in: float = 0.0
    peak_out: float = -200.0  # of the smoothed power, dBm
    peak_in: float = -200.0
    first_dbm: float = 0.0
    smooth_dbm: float = 0.0
    oo: float = 0.5
    oi: float = 0.0
    io: float = 0.0
    ii: float = 0.5
    moved: float = 0.0  # log-likelihood of the sides read, under the two zones
    mixed: float = 0.0  # and under rest with an unknown, constant share of either side

    def begin(self, at_ms: int, at_us: int, rssi_dbm: float, epoch: int, *, known: bool) -> None:
        """Forget the sides read so far, but not where the tag was and how it is read at rest, if that is known."""
        outside = self.oo + self.io
        away = min(1.0, (at_ms - self.last_ms) / LOST_MS)
        outside += (0.5 - outside) * max(away, FORGOTTEN)
        self.start_out = outside
        # Where it stood is known: it may have left before it was noticed. Where it is not, that is its first zone.
        change = _change(UNSEEN_S) * abs(2.0 * outside - 1.0)
        self.oo, self.oi = outside * (1.0 - change), outside * change
        self.io, self.ii = (1.0 - outside) * change, (1.0 - outside) * (1.0 - change)
        self.epoch, self.since_ms, self.since_us = epoch, at_ms, at_us
        self.before_out, self.before_in = min(self.rate_out, self.slow_out), min(self.rate_in, self.slow_in)
        if not known:
            self.before_out = self.before_in = -1.0
        self.most_g = 0.0
        self.reads = self.n_out = self.n_in = 0
        self.t_out = self.t_in = self.tt_out = self.tt_in = 0.0
        self.peak_out = self.peak_in = -200.0
        self.first_dbm = self.smooth_dbm = rssi_dbm
        self.moved = self.mixed = 0.0

    def see(self, side: int, at_ms: int, at_us: int, rssi_dbm: float, rate_s: float = RATE_S) -> float:
        """Take one read; returns the evidence of movement that it brought, 0 or more."""
        gap = (at_ms - self.last_ms) / 1000
        if gap < 0.0:  # slightly out of order: counted where it comes
            gap = 0.0
        else:
            self.last_ms, self.last_us = at_ms, at_us
        news = self._novelty(side, gap, rssi_dbm, rate_s)
        self._shape(side, (at_ms - self.since_ms) / 1000, rssi_dbm)
        self._zones(side, gap if self.reads else INDEPENDENT_S)
        self.reads += 1
        return news

    def _novelty(self, side: int, gap: float, rssi_dbm: float, rate_s: float) -> float:
        x = gap / rate_s
        kept = 1.0 / (1.0 + x + 0.5 * x * x)  # e^-x, near enough, and never negative
        self.rate_out *= kept
        self.rate_in *= kept
        x = gap / max(rate_s, SLOW_S) if rate_s >= RATE_S else x
        kept = 1.0 / (1.0 + x + 0.5 * x * x)
        self.slow_out *= kept
        self.slow_in *= kept
        rate = self.rate_in if side else self.rate_out
        news = log(BURST_HZ / (rate + UNKNOWN_HZ)) + min(
            2.0, max(0.0, (rssi_dbm - self.level_dbm - 4.0) / 3.0)
        )
        self.g = min(MOST, max(0.0, self.g + news))
        if self.g > self.most_g:
            self.most_g = self.g
        self.level_dbm += 0.05 * (rssi_dbm - self.level_dbm)
        slow = 1.0 / SLOW_S if rate_s >= RATE_S else 1.0 / rate_s
        if side:
            self.rate_in += 1.0 / rate_s
            self.slow_in += slow
        else:
            self.rate_out += 1.0 / rate_s
            self.slow_out += slow
        return news if news > 0.0 else 0.0

    def fade(self, at_ms: int) -> None:
        """Bring the evidence of movement up to a time: none is read that was moving would be."""
        gap = (at_ms - self.last_ms) / 1000
        if gap > 0.0:
            self.g = max(0.0, self.g - BURST_HZ * gap)

    def _shape(self, side: int, t: float, rssi_dbm: float) -> None:
        self.smooth_dbm += 0.35 * (rssi_dbm - self.smooth_dbm)
        if side:
            self.n_in += 1
            self.t_in += t
            self.tt_in += t * t
            if self.smooth_dbm > self.peak_in:
                self.peak_in = self.smooth_dbm
        else:
            self.n_out += 1
            self.t_out += t
            self.tt_out += t * t
            if self.smooth_dbm > self.peak_out:
                self.peak_out = self.smooth_dbm

    def _zones(self, side: int, gap: float) -> None:
        weight = 1.0 if gap >= INDEPENDENT_S else gap / INDEPENDENT_S
        if weight == 1.0:
            true, false = TRUE_SIDE, 1.0 - TRUE_SIDE
        else:
            true, false = exp(weight * _LOG_TRUE), exp(weight * _LOG_FALSE)
        change = _change(gap)
        stay = 1.0 - change
        if side:
            out, inn = false, true
        else:
            out, inn = true, false
        oo = (self.oo * stay + self.oi * change) * out
        oi = (self.oo * change + self.oi * stay) * inn
        io = (self.io * stay + self.ii * change) * out
        ii = (self.io * change + self.ii * stay) * inn
        total = oo + oi + io + ii
        self.oo, self.oi, self.io, self.ii = oo / total, oi / total, io / total, ii / total
        self.moved += log(total)
        n = self.n_in if side else self.n_out
        self.mixed += weight * log(n / (self.n_out + self.n_in + 1))  # Laplace's rule, counts with this read

    def move_away(self, crossed: float) -> None:
        """Forget the rates of rest as far as it stands elsewhere now: with the probability that it crossed."""
        stayed = 1.0 - crossed
        self.rate_out *= stayed
        self.rate_in *= stayed
        self.slow_out *= stayed
        self.slow_in *= stayed

    def changed_sides(self) -> bool:
        """It has very probably changed sides, and rest does not explain its reads as well."""
        return self.oi + self.io > CHANGED and self.moved > self.mixed + 1.0

    def ways(self, until_ms: int) -> tuple[float, float, float]:
        """The probabilities that it went in, went out, or came back to where it was (or stayed).

        A tag that both sides read has shown its way. One that only one side read may have gone
        on unread, unless it is still there.
        """
        unseen = 0.0 if self.n_out and self.n_in else (until_ms - self.last_ms) / 1000
        change = _change(min(UNSEEN_S, max(0.0, unseen)))
        gone_in = self.oi * (1.0 - change) + self.oo * change
        gone_out = self.io * (1.0 - change) + self.ii * change
        return gone_in, gone_out, 1.0 - gone_in - gone_out
