"""What was made of a passage: its tags, their reads, and the judgement on them."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from edge.aggregator.field import Field
from edge.aggregator.judge import BIN_S, Judgement, Scene
from edge.aggregator.model import Model
from edge.aggregator.passage import Member
from edge.aggregator.paths import STAYED_IN, WENT_IN, WENT_OUT
from edge.aggregator.slices import Bools, Floats, Ints, Slice
from edge.aggregator.verdict import rose_and_fell, verdicts
from wire.events import Event

# A load that rests in the door itself is waited for: it will move on, one way or the other.
IN_THE_DOOR = (0.25, 0.75)
CLEAR = 0.8  # so probable it must be that a load is on a side
TOGETHER = 0.7  # share of the tags that moved, that did before a load crossed


@dataclass(frozen=True, slots=True, eq=False)
class Found:
    """The tags (rows of the field) that were read in a passage, their reads, and what was made of them."""

    rows: Ints
    reads: Slice
    scene: Scene
    judgement: Judgement
    model: Model
    claims: Floats  # of each tag, log-odds that it is this door's and not another's
    elsewhere: int  # tags that were read here and are another door's, or stand as they did

    def in_the_door(self) -> bool:
        """Whether the load, or most of one, stands where neither side is near enough to tell."""
        moved, ways = self.judgement.moved, self.judgement.ways
        if not (moved > 0.5).any():
            return False
        inside = (moved * (ways[:, WENT_IN] + ways[:, STAYED_IN])).sum() / moved.sum()
        return bool(IN_THE_DOOR[0] < inside < IN_THE_DOOR[1])

    def crossed_until_ms(self, far_s: float) -> int | None:
        """When it left the far side, or now, if the load crossed and was clearly there for so long."""
        path = self.judgement.path[:-1]
        if not len(path) or abs(path[0] - 0.5) < CLEAR - 0.5 or not (self.judgement.moved > 0.5).any():
            return None
        far = path < 1.0 - CLEAR if path[0] > 0.5 else path > CLEAR
        edges = np.flatnonzero(np.diff(np.concatenate([[False], far, [False]]).astype(np.int8)))
        zero_ms = int(self.reads.ms[0])
        for first, last in zip(edges[::2].tolist(), edges[1::2].tolist(), strict=True):
            if (last - first) * BIN_S >= far_s:
                moved = self.judgement.moved > 0.5
                together = (self.there_by(zero_ms + round(1000 * BIN_S * (first + 1))) & moved).sum()
                # Loads that follow each other without a break are no load that went there and back.
                return zero_ms + round(1000 * BIN_S * last) if together > TOGETHER * moved.sum() else None
        return None

    def crossed(self) -> Floats:
        """How probable it is that each tag crossed, either way."""
        judgement = self.judgement
        probable: Floats = judgement.moved * (judgement.ways[:, WENT_IN] + judgement.ways[:, WENT_OUT])
        return probable

    def there_by(self, at_ms: int) -> Bools:
        """The tags that had been read by then: later ones come with what follows."""
        there = np.zeros(len(self.rows), bool)
        there[self.scene.tag[self.reads.ms < at_ms]] = True
        return there

    def wall_us(self, at_ms: int) -> int:
        """Wall time of a moment, by the read before it."""
        nearest = max(0, int(np.searchsorted(self.reads.ms, at_ms, side="right")) - 1)
        return int(self.reads.us[nearest]) + 1000 * (at_ms - int(self.reads.ms[nearest]))

    def members(self, field: Field, *, healthy: bool) -> list[Member]:
        """What became of each. `healthy`: no read of theirs is known to be lost."""
        scene, n = self.scene, self.scene.n
        last_s = np.zeros(n)
        last_s[scene.tag] = scene.at_s  # reads are in order: the last one stays
        counts = np.bincount(scene.tag, minlength=n)
        found = verdicts(
            self.judgement, scene.known, rose_and_fell(scene.tag, scene.inner, scene.dbm, n), last_s, self.model,
            healthy=healthy,
        )  # fmt: skip
        zero_ms = int(self.reads.ms[0])
        members = []
        for row, verdict, count in zip(self.rows.tolist(), found, counts.tolist(), strict=True):
            at_ms = zero_ms + round(1000 * verdict.at_s)
            members.append(
                Member(
                    epc=field.epcs[row] or "", tid=field.tids.get(row), reads=count, verdict=verdict,
                    at_ms=at_ms, at_us=self.wall_us(at_ms),
                )
            )  # fmt: skip
        return members


@dataclass(frozen=True, slots=True, eq=False)
class Decided:
    """All that a gate knew when it said something, for whoever explains it or learns from it.

    `members` are the tags of `found` that were decided, by their index in `rows`; `events` is what was said of them.
    """

    gate: str
    passage_ms: int  # when it began, steady time
    decided_ms: int
    found: Found
    epcs: Sequence[str]  # of `found.rows`
    members: Ints
    events: Sequence[Event]


Recorder = Callable[[Decided], None]
