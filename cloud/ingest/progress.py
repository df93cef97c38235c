"""How much of a run is settled. Pure: `through`, and ranges above it, ascending and apart."""

from collections.abc import Iterable
from dataclasses import dataclass
from itertools import chain


@dataclass(frozen=True, slots=True)
class Progress:
    """Everything from 1 to `through` is settled, and so are the ranges (first and last, inclusive)."""

    through: int = 0
    ranges: tuple[tuple[int, int], ...] = ()

    @property
    def highest(self) -> int:
        """The highest `seq` that is settled; 0 when none is."""
        return self.ranges[-1][1] if self.ranges else self.through

    def settle(self, seqs: Iterable[int]) -> "Progress":
        return self.settle_ranges((seq, seq) for seq in seqs)

    def settle_ranges(self, more: Iterable[tuple[int, int]]) -> "Progress":
        """Add ranges in any order, overlapping or not."""
        through, merged = self.through, list[tuple[int, int]]()
        for first, last in sorted(chain(self.ranges, more)):
            if first <= through + 1:
                through = max(through, last)
            elif merged and first <= merged[-1][1] + 1:
                merged[-1] = (merged[-1][0], max(merged[-1][1], last))
            else:
                merged.append((first, last))
        return Progress(through, tuple(merged))
