"""Looks at a passage: the reads of it that count, and what was known of their tags, put together to be judged."""

from collections.abc import Callable

import numpy as np

from edge.aggregator.eyes import Eyes
from edge.aggregator.field import Field
from edge.aggregator.found import Found
from edge.aggregator.judge import Scene, judge
from edge.aggregator.model import Model
from edge.aggregator.slices import Bools, Floats, Ints, Slice

LEAD_MS = 5_000  # reads before a passage opened show where its tags had been
MOST_JUDGED = 250  # tags of one passage: a judgement costs their square; a pallet has a hundred at most
# Spread of a power at rest over its mean step from read to read: 0.9 if steps are independent, and it drifts.
REST_SPREAD = 1.2

# How far tags, by their rows, are this door's, as log-odds, and which are another's: they say nothing here.
Claims = Callable[[Ints], tuple[Floats, Bools]]


class Looking:
    """What a look needs of a gate: its antennas' numbers, which of them look inside, what it knows, and its model."""

    def __init__(self, numbers: Ints, inner: Bools, field: Field, eyes: Eyes | None, model: Model) -> None:
        self._numbers = numbers
        self._inner = inner
        self._field = field
        self._eyes = eyes
        self._model = model
        self.sided = bool(inner.any() and not inner.all())

    def look(self, reads: Slice, began_ms: int, at_ms: int, claims_of: Claims) -> Found | None:
        """Judge what was read in a passage that began then, up to a time; None if all of it has been judged before."""
        since_ms = self._field.rows["since_ms"][reads.tag]
        counts = (reads.ms >= np.maximum(began_ms - LEAD_MS, since_ms)) & (reads.ms < at_ms)
        reads = reads.where(counts).ordered()
        members, strays = self._members(reads, began_ms)
        claims, elsewhere = claims_of(members)
        members, claims = members[~elsewhere], claims[~elsewhere]
        if not len(members):
            return None
        reads = reads.where(self._field.among(reads.tag, members))
        scene = self._scene(reads, members, at_ms)
        return Found(
            members,
            reads,
            scene,
            judge(scene, self._model),
            self._model,
            claims,
            strays + int(elsewhere.sum()),
        )

    def _members(self, reads: Slice, began_ms: int) -> tuple[Ints, int]:
        """The tags to judge, and how many others were read."""
        members = self._field.different(reads.tag[reads.ms >= began_ms])
        strays = max(0, len(members) - MOST_JUDGED)
        if strays:  # thousands stand about: those are judged that are read least like that
            order = np.argsort(-self._field.rows["most"][members], kind="stable")
            members = np.sort(members[order[:MOST_JUDGED]])
        return members, strays

    def _scene(self, reads: Slice, members: Ints, at_ms: int) -> Scene:
        known = self._field.take(members)
        tag = np.searchsorted(members, reads.tag)
        eyes, eyes_s = self._seen_by_eyes(reads, tag, len(members), at_ms)
        return Scene(
            tag=tag,
            at_s=(reads.ms - reads.ms[0]) / 1000.0,
            antenna=self._numbers[reads.antenna],
            inner=self._inner[reads.antenna],
            dbm=reads.dbm,
            known=known["known"],
            rest_hz=np.where(known["known"][:, None], known["rest_hz"], 0.0),
            inside=known["inside"],
            history=known["history"],
            rest_db=REST_SPREAD * self._field.rest_db,
            sided=self.sided,
            eyes=eyes,
            eyes_s=eyes_s,
        )

    def _seen_by_eyes(
        self, reads: Slice, tag: Ints, n: int, at_ms: int
    ) -> tuple[Floats | None, Floats | None]:
        if not self._eyes:
            return None, None
        first_ms, last_ms = np.full(n, at_ms), np.zeros(n, np.int64)
        np.minimum.at(first_ms, tag, reads.ms)
        np.maximum.at(last_ms, tag, reads.ms)
        odds, when_ms = self._eyes.odds(first_ms, last_ms, at_ms)
        return odds, (when_ms - reads.ms[0]) / 1000.0
