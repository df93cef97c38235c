"""A passage under way: how long it is alive, and when to look whether it has ended.

Movement is weighed: a load of a hundred tags that comes to rest beside the door is still surprising now and then, and
the strays around it never stop. So a passage keeps a smoothed sum of the evidence that reads bring, and is alive while
that is a fair share of what it was at its height.
"""

from dataclasses import dataclass
from math import exp

import msgspec

from edge.aggregator.inbox import FOLD_MS, slice_end
from edge.aggregator.passage import Ended

# A load that is read no more has left: 95 % of the gaps between reads of one tag are below 0.27 s in recordings of
# 12-tag loads, and of the gaps of a load of 100 tags all are.
GONE_SHARE = 0.625  # of the quiet time: 1.25 s
# One that is still read has come to rest when nothing has moved for so long.
QUIET_S = 2.0
# While its tags are read often, the steps of their powers must show that it rests: log-odds, gathered as a CUSUM.
RESTING = 8.0
MANY_STEPS = 12.0  # in QUIET_S
REST_LOOKS_HZ = 10.0  # so many steps of a load in a second are independent
# A load that has been clearly on the far side for so long has crossed, though it goes on moving; one that comes back
# sooner has turned back.
FAR_S = 8.5
LOOK_EVERY_MS = 2_000
LOOK_SHARE = 0.1  # of its age: less often as it grows old, for a look costs as much as it has reads
HOLD_MS = 600_000  # a load that stands in the door is waited for so long
# In a passage that has gone on for so long (loads that follow each other without a break), tags that were not read for
# a while are judged without waiting for the rest.
LONG_MS = 20_000
LONG_GONE_MS = 5_000
# Movement below this share of the passage's height is what remains of a load at rest.
# Big loads hum: a hundred tags at rest are surprising now and then, so more is asked where there was more.
ALIVE = 0.15
ALIVE_BIG = 0.5
BIG = 10.0  # the two meet at 14, about what a load of 5 to 10 tags stirs up
ENERGY_S = 1.0  # over which movement is smoothed: reads come in bursts as a load's tags turn to the antennas


@dataclass(frozen=True, slots=True)
class Pace:
    """How long a gate waits, in milliseconds; all in proportion to its quiet time."""

    quiet_ms: int
    gone_ms: int
    long_gone_ms: int
    far_ms: int

    @classmethod
    def of(cls, quiet_s: float) -> "Pace":
        share = quiet_s / QUIET_S
        return cls(
            quiet_ms=round(1000 * quiet_s),
            gone_ms=round(1000 * GONE_SHARE * quiet_s),
            long_gone_ms=round(LONG_GONE_MS * share),
            far_ms=round(1000 * FAR_S * share),
        )


class Open(msgspec.Struct):
    """Times of reads; `look_ms` is when it is looked at whether it has ended."""

    number: int
    began_ms: int
    began_us: int
    active_ms: int  # the last movement
    active_us: int
    read_ms: int  # the last read of a tag that moved
    folded_ms: int  # what fades has been brought up to then
    rested_ms: int
    part_ms: int  # when it is looked at whether some of it has ended
    rest: float = 0.0  # evidence that its load rests
    steps: float = 0.0  # of powers, lately
    look_ms: int = 0
    looked_ms: int = 0
    energy: float = 0.0
    height: float = 0.0
    healthy: bool = True
    trigger: str | None = None

    def stirred(self, news: float, at_ms: int, at_us: int, end_ms: int) -> None:
        """Something moved, last at `at_ms`, in a slice that ends at `end_ms`."""
        fade = exp((self.folded_ms - end_ms) / 1000 / ENERGY_S)
        self.energy = self.energy * fade + news
        self.height = max(self.height, self.energy)
        self.folded_ms = end_ms
        if self.energy >= max(ALIVE * self.height, ALIVE_BIG * (self.height - BIG)):
            self.active_ms, self.active_us = at_ms, at_us

    def stepped(self, odds: float, steps: float, end_ms: int, pace: Pace) -> None:
        """Gather evidence that the load rests, by the steps of its tags' powers in a slice."""
        passed_ms = end_ms - self.rested_ms
        self.rested_ms = end_ms
        self.steps = self.steps * exp(-passed_ms / pace.quiet_ms) + steps
        if steps:
            looks = min(steps, REST_LOOKS_HZ * max(passed_ms, FOLD_MS) / 1000)
            self.rest = max(0.0, self.rest - odds / steps * looks)

    def read(self, at_ms: int, pace: Pace) -> None:
        """A tag that moves was read."""
        self.read_ms = max(self.read_ms, at_ms)
        self.look_ms = self.next_look_ms(pace)

    def ended(self, gate: str, decided_us: int) -> Ended:
        """As what it is said."""
        return Ended(
            gate=gate, began_us=self.began_us, active_us=self.active_us, active_ms=self.active_ms,
            decided_us=decided_us, trigger=self.trigger, healthy=self.healthy,
        )  # fmt: skip

    def looked(self, pace: Pace) -> None:
        """It was looked at, and has not ended."""
        self.looked_ms = self.look_ms
        self.look_ms = self.next_look_ms(pace)

    def next_look_ms(self, pace: Pace) -> int:
        """When it may have ended: its load is read no more, has come to rest, or should be looked at again."""
        again_ms = max(LOOK_EVERY_MS, round(LOOK_SHARE * (self.looked_ms - self.began_ms)))
        ends_ms = min(self.read_ms + pace.gone_ms, max(self.began_ms, self.looked_ms) + again_ms)
        if self._settles():
            ends_ms = min(ends_ms, max(self.active_ms + pace.quiet_ms, self.looked_ms + FOLD_MS))
        return slice_end(ends_ms - 1)

    def left(self, pace: Pace) -> bool:
        """Whether, when it is looked at, its load is read no more, or has been waited for long enough."""
        return self.look_ms >= min(self.read_ms + pace.gone_ms, self.began_ms + HOLD_MS)

    def rests(self, pace: Pace) -> bool:
        """Whether, when it is looked at, its load has come to rest."""
        return self.look_ms >= self.active_ms + pace.quiet_ms and self._settles()

    def _settles(self) -> bool:
        return self.rest >= RESTING or self.steps < MANY_STEPS
