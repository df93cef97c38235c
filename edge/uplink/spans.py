"""A set of sequence numbers, kept as ranges: a run of a million events with three holes is four pairs of numbers."""

from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Iterator

from edge.store.held import Range


class Spans:
    """Numbers from 1 on. Ranges have both ends included."""

    def __init__(self, ranges: Iterable[Range] = ()) -> None:
        self._firsts: list[int] = []
        self._lasts: list[int] = []
        for first, last in ranges:
            self.add(first, last)

    def __iter__(self) -> Iterator[Range]:
        """The ranges, ascending, none touching the next."""
        return zip(self._firsts, self._lasts, strict=True)

    def __contains__(self, number: int) -> bool:
        at = bisect_right(self._firsts, number) - 1
        return at >= 0 and number <= self._lasts[at]

    def add(self, first: int, last: int) -> list[Range]:
        """Returns what of it was new."""
        new = list(self.gaps(first, last))
        if new:
            # Every range that overlaps or touches it becomes one with it.
            low = bisect_left(self._lasts, first - 1)
            high = bisect_right(self._firsts, last + 1)
            if low < high:
                first = min(first, self._firsts[low])
                last = max(last, self._lasts[high - 1])
            self._firsts[low:high] = [first]
            self._lasts[low:high] = [last]
        return new

    def gaps(self, first: int, last: int) -> Iterator[Range]:
        """What of a range is not in the set."""
        at = bisect_left(self._lasts, first)
        while first <= last:
            if at == len(self._firsts) or self._firsts[at] > last:
                yield first, last
                return
            if first < self._firsts[at]:
                yield first, self._firsts[at] - 1
            first = self._lasts[at] + 1
            at += 1

    def count(self, first: int, last: int) -> int:
        """How many of a range are in the set."""
        return max(last - first + 1, 0) - sum(b - a + 1 for a, b in self.gaps(first, last))
