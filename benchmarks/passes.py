"""The truth of a run in which a known load goes back and forth, and how well a method tells it."""

from bisect import bisect
from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from typing import ClassVar

from edge.reads import TagRead
from wire.events import Direction, TagMovement

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
    HEAD: ClassVar[str] = (
        "right wrong undecided missed | false strays: moved turned undecided | sure and wrong"
    )

    passes: int
    movements: int
    said: Counter[str] = field(default_factory=Counter)

    def __str__(self) -> str:
        right = 100 * self.said["right"] / self.movements
        counts = " ".join(str(self.said[key]) for key in ("wrong", "undecided", "missed"))
        strays = " ".join(str(self.said[f"stray {key}"]) for key in ("moved", "turned", "undecided"))
        return (
            f"{self.passes:4} {self.said['right']:5}/{self.movements} {right:6.2f} % {counts} | {strays} | "
            f"{self.said['sure']}"
        )


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


def score(passes: Sequence[Pass], moving: Collection[str], said: Iterable[TagMovement]) -> Score:
    result = Score(len(passes), len(passes) * len(moving))
    starts = [p.from_us for p in passes]
    seen: dict[tuple[int, str], list[TagMovement]] = defaultdict(list)
    for event in said:
        at_us = round(event.at.timestamp() * 1e6)
        number = max(0, bisect(starts, at_us) - 1)
        if event.epc in moving:
            seen[number, event.epc].append(event)
        else:
            result.said[f"stray {_kind(event.outcome)}"] += 1
            result.said["sure"] += event.outcome in (Direction.IN, Direction.OUT) and event.confidence >= 0.9
    for number, truth in enumerate(passes):
        for epc in moving:
            _count(result, truth, seen.get((number, epc), []))
    return result


def _count(result: Score, truth: Pass, events: list[TagMovement]) -> None:
    sure = [e for e in events if e.outcome in (Direction.IN, Direction.OUT)]
    if [e.outcome for e in sure] == [truth.direction]:
        result.said["right"] += 1
        result.said["unsure"] += sure[0].confidence < 0.9
    elif sure:
        result.said["wrong"] += 1
        result.said["sure"] += any(e.confidence >= 0.9 and e.outcome != truth.direction for e in sure)
    else:
        result.said["undecided" if events else "missed"] += 1


def _kind(outcome: Direction) -> str:
    match outcome:
        case Direction.IN | Direction.OUT:
            return "moved"
        case Direction.TURNED_BACK:
            return "turned"
        case Direction.UNDECIDED:
            return "undecided"


def first_last(
    passes: Sequence[Pass], moving: Collection[str], reads: Iterable[TagRead], inside: Collection[int]
) -> Score:
    """The simplest rule, helped by being told when the passes were: the sides of a tag's first and last read."""
    result = Score(len(passes), len(passes) * len(moving))
    starts = [p.from_us for p in passes]
    ends: dict[tuple[int, str], tuple[bool, bool]] = {}
    for read in reads:
        key = (max(0, bisect(starts, read.at_us) - 1), read.epc)
        side = read.antenna in inside
        ends[key] = (ends[key][0] if key in ends else side, side)
    for (number, epc), (first, last) in ends.items():
        if epc not in moving:
            result.said["stray moved"] += first != last
        elif first == last:
            result.said["undecided"] += 1
        else:
            right = (Direction.IN if last else Direction.OUT) is passes[number].direction
            result.said["right" if right else "wrong"] += 1
    result.said["missed"] = result.movements - sum(result.said[k] for k in ("right", "wrong", "undecided"))
    return result
