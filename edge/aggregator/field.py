"""What a gate knows of the tags around it: a row each, of constant size whatever was read.

Reads are folded in a slice of time at once, all tags together. For each tag a CUSUM (Page 1954) gathers evidence that
it moves: reads that are unlikely at the rates it had at rest, and a power that jumps from one read to the next. It
fades within seconds of rest.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import msgspec
import numpy as np
from numpy.typing import NDArray

from edge.aggregator.slices import Bools, Floats, Ints, Slice, summed

# Reads a second of a tag that is moving through a gate. Recordings have 1 (a load of 100 tags) to 6 (of 12 tags); the
# lowest is taken, because the ratio to a rate of rest is what counts.
BURST_HZ = 1.0
# What is assumed of a tag that has never been seen: a rate so low that its reads are news for some seconds.
UNKNOWN_HZ = 0.05
UNKNOWN_S = 8.0
REST_S = (
    40.0  # memory of rates of rest: long against a passage (3 to 8 s), short against a day's work at the door
)
NEWS_LEAST, NEWS_MOST = -1.0, 3.0  # log-odds that one read may bring by its rate
# When a gate is first switched on, all that stands around it is new.
STARTING_MS, NEWS_STARTING = 4_000, 0.3
# Powers of successive reads by one antenna differ by 0.1 to 0.5 dB at rest (recorded doors; more where a reader rounds
# to whole dB or hops over many channels, so each gate learns its own), and on the way by more the longer the way
# between them: 1 dB at 0.15 s, 2 dB from half a second on. Log-likelihood ratios of Laplace distributions.
REST_STEP_DB = 0.4
REST_STEPS_DB = (0.25, 2.5)
REST_MEMORY = 500.0  # steps
REST_CUT, REST_CUT_MEAN = (
    2.5,
    0.918,
)  # steps are cut at 2.5 means: of a Laplace distribution 0.918 of the mean is left
STEP_DB, STEP_DB_PER_S, STEP_DB_MOST = 0.5, 3.0, 2.0
STEP_MORE = 1.5  # a step on the way is at least so many times one at rest
STEP_MOST_DB = 3.0  # one jump is one reflection
STEP_LEAST, STEP_MOST = -1.0, 2.0  # log-odds that one may bring
STEP_WEIGHT = 0.5  # beside the rates: reads share their multipath
STEP_MS = 3_000  # steps over a longer time say nothing
STILL = 1.0  # evidence below which it is taken to stand
MOVING = 4.0  # evidence from which a tag is taken to move: odds of e^4, about 55 to 1
STANDING = 0.5  # and from so much more, for each log-odds by which it has stood through passages before
MOST = 8.0  # capped, so that it fades within seconds
AWAY_MS = 120_000  # a tag not read for so long has come anew: the weakest strays are read every minute or so
SEEN_S = 10.0  # one read so often is there all the time
KNOWN_MS = 5_000  # a tag read over so long a time has rates of rest
ZONE_S = 60.0  # in which half of what was known of its zone is doubted, while it is away
HISTORY_S = 600.0  # and of whether it is one that moves
FORGET_MS = 600_000  # not read for so long it is forgotten, but for what the next read will tell
GROW = 256  # rows at first


def _dtype(antennas: int) -> np.dtype[np.void]:
    return np.dtype(
        [
            ("last_ms", "i8"),  # its last read
            ("folded_ms", "i8"),  # what fades has been brought up to then
            ("came_ms", "i8"),  # its first read after it was away
            ("since_ms", "i8"),  # what was read before has been judged
            ("settled_ms", "i8"),  # what is read before belongs to the passage before
            ("stirred", "i8"),  # number of the passage that it last stirred in
            ("known", "?"),  # it had been at rest when that passage opened,
            ("rest_hz", "f4", (2,)),  # at these rates
            ("seen", "f4", (2,)),  # reads outside and inside, fading over REST_S
            ("evidence", "f4"),  # of movement
            ("most", "f4"),  # the most of it since a passage opened
            ("inside", "f4"),  # how probable it is that it is inside
            ("history", "f4"),  # log-odds of movement, from earlier passages
            ("dbm", "f4", (antennas,)),  # of its last read by each antenna
            ("dbm_ms", "i8", (antennas,)),
        ]
    )


class Saved(msgspec.Struct, array_like=True):
    epcs: list[str | None] = []  # by row
    tids: dict[int, str] = {}
    rows: bytes = b""
    began_ms: int = 0
    rest_db: float = REST_STEP_DB


@dataclass(frozen=True, slots=True, eq=False)
class Folded:
    """What a slice of reads brought, for each of the k tags in it."""

    rows: Ints
    stirring: Bools  # it is taken to move, and more so than before
    news: Floats  # evidence of movement, log-odds
    steps: Floats  # of these, by the steps of its power alone
    told: Floats  # how many steps that were


@dataclass(frozen=True, slots=True, eq=False)
class _Sorted:
    """A slice by tag and antenna, those of one in order of time."""

    rows: Ints  # of the k tags
    index: Ints  # of each read, its tag among them
    order: Ints  # of the reads, when sorted
    first: Ints  # positions, when sorted, of the first read of each tag by each antenna

    @classmethod
    def of(cls, reads: Slice, antennas: int) -> "_Sorted":
        cell = reads.tag * antennas + reads.antenna
        order = np.argsort(cell, kind="stable")
        cell, tag = cell[order], reads.tag[order]
        new_cell, new_tag = np.ones(len(order), bool), np.ones(len(order), bool)
        np.not_equal(cell[1:], cell[:-1], out=new_cell[1:])
        np.not_equal(tag[1:], tag[:-1], out=new_tag[1:])
        index = np.empty(len(order), np.int64)
        index[order] = np.cumsum(new_tag) - 1
        return cls(tag[new_tag], index, order, np.flatnonzero(new_cell))


def _rates(known: NDArray[Any], at_ms: int, fade: Floats) -> Floats:
    """Reads a second outside and inside of some rows, shape (k, 2): low at first, then what they are.

    Args:
        fade: how much is left of what was seen of each, (k,).
    """
    faded = np.exp(-(np.maximum(0, at_ms - known["came_ms"]) / 1000.0) / REST_S)
    over_s, unknown_s = REST_S * (1.0 - faded), UNKNOWN_S * faded
    rates: Floats = known["seen"] * fade[:, None] + UNKNOWN_HZ * unknown_s[:, None]
    rates /= (over_s + unknown_s)[:, None]
    return rates


class Field:
    """Rows of tags. `inner` says of each antenna, by index, whether it looks inside."""

    def __init__(self, inner: Bools) -> None:
        self._inner = inner
        self._dtype = _dtype(len(inner))
        self._bytes = np.dtype((np.void, self._dtype.itemsize))
        self.rows: NDArray[Any] = np.zeros(GROW, self._dtype)
        self.epcs: list[str | None] = []
        self.tids: dict[int, str] = {}
        self.row_of: dict[str, int] = {}
        self._free: list[int] = []
        self.began_ms = 0  # the first read ever
        self.rest_db = REST_STEP_DB

    def rows_of(self, epcs: Sequence[str], ms: Sequence[int]) -> list[int]:
        """The rows of tags that are read now; a new tag gets one."""
        try:
            return list(map(self.row_of.__getitem__, epcs))
        except KeyError:
            for epc, at_ms in zip(epcs, ms, strict=True):
                if epc not in self.row_of:
                    self.add(epc, at_ms)
            return list(map(self.row_of.__getitem__, epcs))

    def add(self, epc: str, at_ms: int) -> int:
        """A new tag's row."""
        row = self._free.pop() if self._free else len(self.epcs)
        if row == len(self.epcs):
            self.epcs.append(None)
        if row == len(self.rows):
            self.rows = np.concatenate([self.rows, np.zeros(len(self.rows), self._dtype)])
        self.epcs[row] = epc
        self.row_of[epc] = row
        new = np.zeros((), self._dtype)
        new["last_ms"] = new["folded_ms"] = new["came_ms"] = new["since_ms"] = at_ms
        new["inside"] = 0.5
        new["dbm_ms"] = at_ms - 2 * STEP_MS
        self.rows[row] = new
        return row

    def take(self, rows: Ints) -> NDArray[Any]:
        """Copies of rows. As bytes, for numpy copies records one field after the other: 50 times as slow."""
        return self.rows.view(self._bytes)[rows].view(self._dtype)

    def put(self, rows: Ints, known: NDArray[Any]) -> None:
        """What `take` gave, changed."""
        self.rows.view(self._bytes)[rows] = known.view(self._bytes)

    def among(self, tags: Ints, rows: Ints) -> Bools:
        """Of each tag, by its row, whether it is one of some rows."""
        there = np.zeros(len(self.epcs), bool)
        there[rows] = True
        return there[tags]

    def different(self, tags: Ints) -> Ints:
        """Each of some tags once, by its row, in order."""
        there = np.zeros(len(self.epcs), bool)
        there[tags] = True
        return np.flatnonzero(there)

    def fold(self, reads: Slice, until_ms: int, *, quiet: bool) -> Folded:
        """Take a slice of time, which ends at `until_ms`; its reads in order of time. `quiet`: no passage is open."""
        if not self.began_ms:
            self.began_ms = int(reads.ms[0])
        sorted_ = _Sorted.of(reads, len(self._inner))
        rows, index = sorted_.rows, sorted_.index
        by_side = index * 2 + self._inner[reads.antenna]
        known = self.take(rows)
        gap_s = np.maximum(0, until_ms - known["folded_ms"]) / 1000.0
        fade = np.exp(-gap_s / REST_S)
        self._come(known, gap_s, reads.ms[0])
        rates = _rates(known, until_ms, fade).reshape(-1)[by_side]
        most = NEWS_STARTING if until_ms < self.began_ms + STARTING_MS else NEWS_MOST
        news = np.clip(np.log(BURST_HZ / (rates + UNKNOWN_HZ)), NEWS_LEAST, most)
        steps, told, step = self._steps(reads, known, sorted_)
        if quiet:
            still = (known["evidence"] < STILL) & (until_ms - known["came_ms"] > KNOWN_MS)
            self._learn_rest(step[told & still[index]])
        news += STEP_WEIGHT * steps
        brought = summed(index, news, len(rows))
        evidence = np.maximum(0.0, known["evidence"] - BURST_HZ * gap_s)
        evidence = np.clip(evidence + brought, 0.0, MOST)
        known["evidence"] = evidence
        known["most"] = np.maximum(known["most"], evidence)
        known["seen"] *= fade[:, None]
        known["seen"] += np.bincount(by_side, minlength=2 * len(rows)).reshape(-1, 2)
        last = np.empty(len(rows), np.int64)
        last[index] = reads.ms  # in order of time: the last one stays
        known["last_ms"] = np.maximum(known["last_ms"], last)
        known["dbm"][index, reads.antenna] = reads.dbm
        known["dbm_ms"][index, reads.antenna] = reads.ms
        known["folded_ms"] = until_ms
        self.put(rows, known)
        stirring = (
            (evidence >= MOVING - STANDING * np.minimum(0.0, known["history"]))
            & (brought > 0.0)
            & (until_ms > known["settled_ms"])
        )
        return Folded(
            rows=rows,
            stirring=stirring,
            news=brought,
            steps=summed(index, steps, len(rows)),
            told=summed(index, told, len(rows)),
        )

    def _come(self, known: NDArray[Any], gap_s: Floats, at_ms: int) -> None:
        """What is known of tags that were away fades: they may have been carried anywhere."""
        away = gap_s * 1000.0 > AWAY_MS
        if away.any():
            known["came_ms"] = np.where(away, at_ms, known["came_ms"])
            known["seen"] *= ~away[:, None]
        unseen = np.exp(-np.maximum(0.0, gap_s - SEEN_S) / ZONE_S)
        known["inside"] = 0.5 + (known["inside"] - 0.5) * unseen
        # Whether it has been forgotten meanwhile must not matter: that depends on when somebody looked.
        known["history"] *= np.where(gap_s * 1000.0 > FORGET_MS, 0.0, np.exp(-gap_s / HISTORY_S))

    def rest(self, at_ms: int) -> None:
        """Note for all tags how they are read at rest: a passage opens."""
        rows = self.rows[: len(self.epcs)]
        rows["rest_hz"] = self.rates(rows, at_ms)
        rows["most"] = rows["evidence"]
        rows["known"] = (at_ms - rows["came_ms"] >= KNOWN_MS) & (at_ms - rows["folded_ms"] < AWAY_MS)

    def rates(self, known: NDArray[Any], at_ms: int) -> Floats:
        """Reads a second of some rows outside and inside, shape (k, 2)."""
        unseen_s = np.maximum(0, at_ms - known["folded_ms"]) / 1000.0
        return _rates(known, at_ms, np.exp(-unseen_s / REST_S))

    def _learn_rest(self, steps: Floats) -> None:
        """Follow how much the power of a tag at rest jumps from read to read."""
        if not len(steps):
            return
        cut = np.minimum(steps, REST_CUT * self.rest_db).mean() / REST_CUT_MEAN
        share = -np.expm1(-len(steps) / REST_MEMORY)
        self.rest_db = float(np.clip(self.rest_db + share * (cut - self.rest_db), *REST_STEPS_DB))

    def _steps(self, reads: Slice, known: NDArray[Any], sorted_: "_Sorted") -> tuple[Floats, Bools, Floats]:
        """Evidence of movement of each read by how its power differs from that of the one before, by one antenna.

        Returns:
            Log-odds of each read, whether there was a read to compare it with, and the step in dB.
        """
        order, first = sorted_.order, sorted_.first
        dbm, ms = reads.dbm[order], reads.ms[order]
        before, before_ms = np.empty_like(dbm), np.empty_like(ms)
        before[1:], before_ms[1:] = dbm[:-1], ms[:-1]
        cell = sorted_.index[order[first]], reads.antenna[order[first]]
        before[first], before_ms[first] = known["dbm"][cell], known["dbm_ms"][cell]
        step, gap_ms = np.abs(dbm - before), ms - before_ms
        moving_db = np.minimum(STEP_DB + STEP_DB_PER_S * np.maximum(gap_ms, 0) / 1000.0, STEP_DB_MOST)
        moving_db = np.maximum(moving_db, STEP_MORE * self.rest_db)
        cut = np.minimum(step, np.maximum(STEP_MOST_DB, STEP_MORE * moving_db))
        odds = np.log(self.rest_db / moving_db) + cut * (1.0 / self.rest_db - 1.0 / moving_db)
        told, evidence, steps = np.empty(len(order), bool), np.empty(len(order)), np.empty(len(order))
        steps[order] = step
        told[order] = gap_ms < STEP_MS
        evidence[order] = np.where(gap_ms < STEP_MS, np.clip(odds, STEP_LEAST, STEP_MOST), 0.0)
        return evidence, told, steps

    def forget(self, before_ms: int, waiting: Iterable[int] = ()) -> None:
        """Free the rows of tags that were last read before, but for those of which reads are `waiting` to be folded or
        judged.
        """
        old = self.rows["folded_ms"][: len(self.epcs)] < before_ms
        old[list(waiting)] = False
        for row in np.flatnonzero(old).tolist():
            epc = self.epcs[row]
            if epc is not None:
                self.epcs[row] = None
                del self.row_of[epc]
                self.tids.pop(row, None)
                self._free.append(row)

    def named(self, rows: Iterable[int]) -> list[str]:
        return [epc for row in rows if (epc := self.epcs[row]) is not None]

    def save(self) -> Saved:
        return Saved(self.epcs, self.tids, self.rows[: len(self.epcs)].tobytes(), self.began_ms, self.rest_db)

    def restore(self, saved: Saved) -> bool:
        """Take saved rows; those of a gate with another number of antennas do not fit, and are left."""
        if len(saved.rows) != len(saved.epcs) * self._dtype.itemsize:
            return False
        self.epcs, self.tids = list(saved.epcs), dict(saved.tids)
        self.began_ms, self.rest_db = saved.began_ms, saved.rest_db
        kept = np.frombuffer(saved.rows, self._dtype)
        self.rows = np.zeros(max(GROW, 2 * len(kept)), self._dtype)
        self.rows[: len(kept)] = kept
        self.row_of = {epc: row for row, epc in enumerate(self.epcs) if epc is not None}
        self._free = [row for row, epc in enumerate(self.epcs) if epc is None]
        return True
