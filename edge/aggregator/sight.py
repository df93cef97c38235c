"""What is known of one antenna: how often and how strongly it reads its references, and which loads it read. Pure."""

from collections.abc import Callable
from datetime import datetime
from enum import StrEnum
from math import log

import msgspec

WINDOW_MS = 10_000  # reads are counted and antennas judged in windows so long

# A gap that a Poisson process of the learnt rate has with a probability of e^-14, one in a million.
GAP_NATS = 14.0
# Nothing shorter is doubted: people walk through beams. Longer, and a load that went by meanwhile may lack an antenna.
DOUBT_MS = 30_000
# So long may somebody or something without tags stand before an antenna. What is said sooner would be cried wolf; what
# is lost by waiting is nothing, as passages are marked from the doubt on.
SHADOWED_MS = 300_000

# Rates and powers of rest are learnt over days, so that a new normal (a tag moved on purpose) is accepted within a
# week, and a fault does not fade before somebody has looked. While little is known, all of it weighs the same.
LEARN_MS = 3 * 86_400_000
LEARNT_WINDOWS = 60  # ten minutes
LEARNT_READS = 30
RECENT_MS = 300_000  # what counts as "now"
ROBUST_DB = (
    3.0  # a window moves what is learnt by no more than as if it were off by this: reflections come and go
)
# Half the field strength. A wet or half-loose connector costs 3 to 10 dB; goods before a door some 3 dB either way.
DETUNED_DB = 6.0
TUNED_DB = 3.0
# As often as this and weaker too: fewer reads alone may mean that more tags share the air.
RARE = 8.0
LASTING_MS = 1_800_000
UNREAD_MS = 3_600_000  # a reference hidden for so long, of an antenna that reads others, is no passing shadow

# Loads gone by unread: improbable when their share of what is usual, multiplied, is below e^-9.2, one in ten thousand.
PASSED_NATS = 9.2
# No antenna is surer than this to read a load: it takes four that go by unread. Its usual reads may have been of stock
# that was beside it, and is gone.
LEAST_UNREAD = 0.1
PASSAGES = 200.0  # so many are remembered
REPEAT_MS = 3_600_000  # while blindness lasts it is said again, each time for the span since
LATE_MS = 500  # as gate.LATE_MS: reads come so much later than they were made

Span = tuple[int, int]  # of blindness to be said; empty for nothing
NOTHING: Span = (0, 0)


class Verdict(StrEnum):
    SEES = "sees"
    UNPROVEN = "unproven"  # it has a reference, and hardly ever read it
    DETUNED = "detuned"
    SUSPECT = "suspect"
    BLIND = "blind"


class Sight(msgspec.Struct, array_like=True):
    """What is known of one antenna. Times in milliseconds of the steady clock, 0 for never."""

    heard_ms: int = 0  # its last read of anything
    seen_ms: int = 0  # its last read of a reference
    reads: int = 0  # of references, ever
    windows: int = 0
    rate_hz: float = 0.0  # of references: usual, and now
    recent_hz: float = 0.0
    usual_dbm: float = 0.0
    recent_dbm: float = 0.0
    weak_ms: int = 0  # since when it has been weaker
    connected: bool = True  # as far as the reader has said
    read: float = 0.0  # passages in which it read something, and those in which it did not; fading
    unread: float = 0.0
    missed: int = 0  # passages in a row in which it has read nothing, the last of them then
    missed_ms: int = 0
    verdict: Verdict = Verdict.SEES
    blind_ms: int = 0  # since when
    said_ms: int = 0  # up to when its blindness has been said
    bad_from_ms: int = 0  # the last span in which it is known not to have seen
    bad_to_ms: int = -1

    def learnt(self) -> bool:
        return self.windows >= LEARNT_WINDOWS and self.reads >= LEARNT_READS

    def bad(self, from_ms: int, to_ms: int) -> None:
        """It did not see between two times."""
        if from_ms > self.bad_to_ms:
            self.bad_from_ms = from_ms
        self.bad_to_ms = max(self.bad_to_ms, to_ms)

    def was_bad(self, from_ms: int, to_ms: int) -> bool:
        return self.bad_from_ms <= to_ms and from_ms <= self.bad_to_ms

    def unproven(self) -> bool:
        return self.windows >= LEARNT_WINDOWS and not self.learnt()

    def doubtful(self, silent_ms: int) -> bool:
        """Whether it cannot be chance that it has read nothing for so long."""
        return self.learnt() and silent_ms > max(DOUBT_MS, 1000 * GAP_NATS / max(self.rate_hz, 1e-6))

    def passed_unread(self) -> bool:
        """Whether it cannot be chance that it has read nothing of the last loads."""
        usual = (self.unread + 1.0) / (self.read + self.unread + 2.0)  # Laplace's rule of succession
        return self.missed * -log(max(usual, LEAST_UNREAD)) > PASSED_NATS

    def passed(self, began_ms: int, ended_ms: int, heard_ms: int) -> None:
        """A load has gone by."""
        self.alive(heard_ms)
        if heard_ms < began_ms:
            self.missed, self.missed_ms = self.missed + 1, ended_ms
            return
        kept = 1.0 - 1.0 / PASSAGES
        self.read, self.unread = self.read * kept + 1.0, self.unread * kept

    def alive(self, heard_ms: int) -> None:
        """It has read something since the last load that it missed: those were chance."""
        if self.missed and heard_ms > self.missed_ms:
            self.unread += self.missed
            self.missed = 0

    def learn(self, reads: int, dbm: float) -> None:
        """Take a window: the reads of its references and their mean power."""
        self.windows += 1
        slowly = max(1.0 / self.windows, WINDOW_MS / LEARN_MS)
        quickly = max(1.0 / self.windows, WINDOW_MS / RECENT_MS)
        hz = 1000 * reads / WINDOW_MS
        self.rate_hz += (hz - self.rate_hz) * slowly
        self.recent_hz += (hz - self.recent_hz) * quickly
        if not reads:
            return
        if not self.reads:
            self.usual_dbm = self.recent_dbm = dbm
        self.reads += reads
        off = dbm - self.usual_dbm
        self.usual_dbm += max(-ROBUST_DB, min(ROBUST_DB, off)) * slowly
        self.recent_dbm += (dbm - self.recent_dbm) * quickly

    def weaker(self) -> bool:
        least = TUNED_DB if self.verdict is Verdict.DETUNED else DETUNED_DB
        fallen = self.usual_dbm - self.recent_dbm
        rarer = self.recent_hz * RARE < self.rate_hz
        return self.learnt() and (fallen >= least or (rarer and fallen >= ROBUST_DB))

    def judge(self, heard_ms: int, since_ms: int, end_ms: int) -> Span:
        """Come to a verdict at the end of a window; returns what is to be said of its blindness.

        Args:
            heard_ms: its last read of anything.
            since_ms: silence before this is nobody's fault.
        """
        self.alive(heard_ms)
        if not self.connected and heard_ms > self.blind_ms + LATE_MS:
            self.connected = True  # nobody said so, but what reads is connected
        if self.verdict is Verdict.BLIND and self.connected and heard_ms > self.blind_ms:
            return self.end_blind(heard_ms)  # nothing but a read ends blindness
        silent_ms = end_ms - max(heard_ms, since_ms)
        gone = self.doubtful(silent_ms) and (silent_ms >= SHADOWED_MS or self.passed_unread())
        if not self.connected or gone or self.verdict is Verdict.BLIND:
            self.begin_blind(max(heard_ms, since_ms))
            return self._go_on_blind(end_ms)
        self.weak_ms = (self.weak_ms or end_ms) if self.weaker() else 0
        hidden = self.learnt() and end_ms - max(self.seen_ms, since_ms) >= UNREAD_MS
        if self.passed_unread():
            self.verdict = Verdict.SUSPECT
        elif hidden or (self.weak_ms and end_ms - self.weak_ms >= LASTING_MS):
            self.verdict = Verdict.DETUNED
        else:
            self.verdict = Verdict.UNPROVEN if self.unproven() else Verdict.SEES
        return NOTHING

    def begin_blind(self, from_ms: int) -> None:
        if self.verdict is not Verdict.BLIND:
            self.verdict, self.blind_ms, self.said_ms = Verdict.BLIND, from_ms, from_ms

    def end_blind(self, at_ms: int) -> Span:
        self.verdict, self.missed = Verdict.SEES, 0
        self.bad(self.blind_ms, at_ms)
        return self.said_ms, at_ms

    def _go_on_blind(self, end_ms: int) -> Span:
        self.bad(self.blind_ms, end_ms)
        if end_ms - self.said_ms < REPEAT_MS and self.said_ms != self.blind_ms:
            return NOTHING
        from_ms, self.said_ms = self.said_ms, end_ms
        return from_ms, end_ms

    def why(self, referenced: bool, moment: Callable[[int], datetime]) -> str:
        """The verdict's reason in words, to come behind "antenna 3". `moment` dates the steady clock."""
        match self.verdict:
            case Verdict.SEES:
                return "sees again"
            case Verdict.BLIND if not self.connected:
                return "is disconnected, as the reader says"
            case Verdict.BLIND if referenced:
                return (
                    f"has read nothing since {moment(self.blind_ms):%Y-%m-%dT%H:%M:%SZ}, "
                    f"not even its reference tag, which it reads {self.rate_hz:.2g} times a second"
                )
            case Verdict.BLIND:
                return (
                    f"was disconnected and has read nothing since {moment(self.blind_ms):%Y-%m-%dT%H:%M:%SZ}"
                )
            case Verdict.UNPROVEN:
                return "has hardly ever read its reference tag; does it hang where this antenna reads it?"
            case Verdict.SUSPECT:
                return f"has read nothing of the last {self.missed} loads; before, it read most of them"
            case Verdict.DETUNED if self.weak_ms:
                return (
                    f"reads its reference tag at {self.recent_dbm:.0f} dBm, {self.recent_hz:.2g} times a second; "
                    f"usual are {self.usual_dbm:.0f} dBm and {self.rate_hz:.2g}"
                )
            case Verdict.DETUNED:
                return f"reads tags, but not its reference since {moment(self.seen_ms):%Y-%m-%dT%H:%M:%SZ}"
