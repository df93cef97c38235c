"""The truth of a run in which a known load goes back and forth, and how well a method tells it."""

from bisect import bisect
from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, field
from itertools import pairwise

from benchmarks.said import Said
from benchmarks.shares import percent
from edge.reads import TagRead
from wire.events import Direction

BIN_US = 500_000
CLEAR = 0.6  # of the reads of a bin beyond those of the other side: the load is on that side


@dataclass(frozen=True, slots=True)
class Pass:
    """One crossing of the load, and the time in which what is said of it counts: half-way to its neighbours."""

    at_us: int
    direction: Direction
    from_us: int
    to_us: int


@dataclass(slots=True)
class Score:
    """Of every crossing of every moving tag, and of the strays."""

    passes: int = 0
    movements: int = 0
    counts: Counter[str] = field(default_factory=Counter)
    sure: list[tuple[float, bool]] = field(
        default_factory=list
    )  # confidence of each movement, and if it was right

    HEAD = ("method", "crossings", "right", "booked right", "wrong way", "turned back", "undecided", "missed",
            "strays moved", "strays booked")  # fmt: skip

    def row(self, name: str) -> list[str]:
        counts = self.counts
        return [
            name, str(self.movements), percent(counts["right"], self.movements),
            percent(counts["booked"], self.movements), str(counts["wrong"]), str(counts["turned"]),
            str(counts["undecided"]), str(counts["missed"]), str(counts["stray moved"]), str(counts["stray booked"]),
        ]  # fmt: skip

    def __iadd__(self, other: "Score") -> "Score":
        self.passes += other.passes
        self.movements += other.movements
        self.counts += other.counts
        self.sure += other.sure
        return self


def crossings(reads: Sequence[TagRead], inside: Collection[int]) -> list[Pass]:
    """When the load, all of whose tags these are, changed sides; it must have been clearly on either."""
    bins: dict[int, list[int]] = defaultdict(lambda: [0, 0])
    for read in reads:
        bins[read.at_us // BIN_US][read.antenna in inside] += 1
    side, changes, left = None, [], 0
    for number in sorted(bins):
        outside, within = bins[number]
        if outside + within < 5 or abs(outside - within) < CLEAR * (outside + within):
            continue
        now = within > outside
        if side is not None and now != side:
            changes.append(((left + number + 1) * BIN_US // 2, Direction.IN if now else Direction.OUT))
        side, left = now, number
    edges = [
        reads[0].at_us - 1,
        *((a + b) // 2 for (a, _), (b, _) in pairwise(changes)),
        reads[-1].at_us + 60_000_000,
    ]
    return [
        Pass(at, way, begin, end) for (at, way), (begin, end) in zip(changes, pairwise(edges), strict=True)
    ]


def score(passes: Sequence[Pass], moving: Collection[str], answers: Iterable[Said]) -> Score:
    """Movements of a tag in a pass are right if there is one and it goes where the load went."""
    result = Score(len(passes), len(passes) * len(moving))
    starts = [p.from_us for p in passes]
    seen: dict[tuple[int, str], list[Said]] = defaultdict(list)
    for said in answers:
        number = max(0, bisect(starts, said.at_us) - 1)
        if said.epc in moving:
            seen[number, said.epc].append(said)
        else:
            result.counts["stray moved"] += said.moves
            result.counts["stray booked"] += said.books
            result.counts["stray asked"] += said.outcome == "undecided" or (said.moves and not said.books)
            result.sure += [(said.confidence, False)] * said.moves
    for number, truth in enumerate(passes):
        for epc in moving:
            _count(result, truth.direction.value, seen.get((number, epc), []))
    return result


def _count(result: Score, way: str, answers: Sequence[Said]) -> None:
    counts = result.counts
    moves = [said for said in answers if said.moves]
    result.sure += [(said.confidence, said.outcome == way) for said in moves]
    outcomes = {said.outcome for said in answers}
    if [said.outcome for said in moves] == [way]:
        counts["right"] += 1
        counts["booked"] += moves[0].books
    elif moves:
        counts["wrong"] += 1
        counts["booked wrongly"] += any(said.books and said.outcome != way for said in moves)
    elif "undecided" in outcomes:
        counts["undecided"] += 1
    else:
        counts["turned" if outcomes else "missed"] += 1
