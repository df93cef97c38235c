"""How often what was said of labelled recordings is right."""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from itertools import pairwise

from edge.learn.labels import Way
from edge.learn.passes import Run
from wire.events import Direction, TagMovement

BOOK_AT = 0.9  # a door's default: below it a person is asked
MOVES = (Direction.IN, Direction.OUT)
EDGES = (0.0, 0.6, 0.7, 0.8, 0.9, 0.95, 0.98, 0.99, 1.0001)


@dataclass(slots=True)
class Score:
    """Over tags: of those that crossed, exactly one movement, the right one; of the others none."""

    counts: Counter[str] = field(default_factory=Counter)
    sure: list[tuple[float, bool]] = field(default_factory=list)  # of each movement, and whether it was right

    def __iadd__(self, other: "Score") -> "Score":
        self.counts += other.counts
        self.sure += other.sure
        return self

    @property
    def tags(self) -> int:
        return self.counts["tags"]

    @property
    def right(self) -> int:
        return self.counts["right"]

    def bins(self) -> list[tuple[str, int, int, float]]:
        """By confidence: its bounds, movements, how many were right, mean confidence; those that hold anything."""
        found = []
        for low, high in pairwise(EDGES):
            here = [(sure, right) for sure, right in self.sure if low <= sure < high]
            if here:
                mean = sum(sure for sure, _ in here) / len(here)
                name = f"{low:.2f} to {min(high, 1.0):.2f}"
                found.append((name, len(here), sum(right for _, right in here), mean))
        return found


def score(run: Run) -> Score:
    result = Score()
    for epc, way in run.ways.items():
        _count(result, way, run.said.get(epc, ()))
    return result


def whole(runs: Iterable[Run]) -> Score:
    result = Score()
    for run in runs:
        result += score(run)
    return result


def _count(result: Score, way: Way, said: Sequence[TagMovement]) -> None:
    counts = result.counts
    moves = [event for event in said if event.outcome in MOVES]
    right = [event.outcome.value for event in moves] == ([] if way is Way.NONE else [way.value])
    booked = [event.outcome.value for event in moves if event.confidence >= BOOK_AT]
    counts["tags"] += 1
    counts["right"] += right
    counts[f"{way}"] += 1
    counts[f"{way} right"] += right
    counts["crossed"] += way is not Way.NONE
    counts["booked"] += way is not Way.NONE and booked == [way.value]
    counts["booked wrongly"] += any(outcome != way.value for outcome in booked)
    counts["false"] += way is Way.NONE and bool(moves)
    result.sure += [(event.confidence, event.outcome.value == way.value) for event in moves]
