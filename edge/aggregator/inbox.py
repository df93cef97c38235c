"""Reads of a gate that wait until their slice of time is complete."""

from bisect import bisect_left
from collections.abc import Iterable, Iterator

import numpy as np

from edge.aggregator.slices import Slice
from edge.reads import TagRead

FOLD_MS = 250
# Reads may arrive so much later than they were made (readers report in batches) without changing any result.
LATE_MS = 300


def slice_end(at_ms: int) -> int:
    """The end of the slice of time that a moment lies in."""
    return at_ms - at_ms % FOLD_MS + FOLD_MS


class Inbox:
    """Columns by arrival. `due_ms`: when a read that comes then shows that the first slice is complete."""

    def __init__(self) -> None:
        self.ms: list[int] = []
        self.us: list[int] = []
        self.tag: list[int] = []
        self.antenna: list[int] = []
        self.dbm: list[float] = []
        self.due_ms = 0

    def add(
        self, ms: Iterable[int], reads: Iterable[TagRead], tags: Iterable[int], antennas: Iterable[int]
    ) -> None:
        """Reads with the row of the tag and the index of the antenna of each."""
        self.ms += ms
        self.us += [read.at_us for read in reads]
        self.tag += tags
        self.antenna += antennas
        self.dbm += [read.rssi_dbm for read in reads]

    def waits(self, first_ms: int, last_ms: int) -> bool:
        """Whether reads of no earlier and no later than that complete no slice, nor become the first to wait for."""
        return self.due_ms - FOLD_MS - LATE_MS <= first_ms and last_ms < self.due_ms

    def all(self, upto: int | None = None) -> Slice:
        """As they came, or the first of them. Readers give half a dB at best, so powers are cut to four bytes."""
        return Slice(
            np.array(self.ms[:upto], np.int64), np.array(self.us[:upto], np.int64),
            np.array(self.tag[:upto], np.int64), np.array(self.antenna[:upto], np.int64),
            np.array(self.dbm[:upto], np.float32).astype(np.float64),
        )  # fmt: skip

    def keep(self, rest: Slice) -> None:
        """These go on waiting, and no others."""
        self.ms, self.us, self.tag = rest.ms.tolist(), rest.us.tolist(), rest.tag.tolist()
        self.antenna, self.dbm = rest.antenna.tolist(), rest.dbm.tolist()
        if len(rest):
            self.due_ms = slice_end(int(rest.ms.min())) + LATE_MS

    def complete(self, ready_ms: int) -> Iterator[tuple[Slice, int]]:
        """Take the slices that were complete by a time, each with its end, in order."""
        if not self.ms or ready_ms + LATE_MS < self.due_ms:
            return
        ms = np.array(self.ms, np.int64)
        if (ms[1:] < ms[:-1]).any():
            self.keep(self.all().ordered())
        slices = []
        while self.ms and (end_ms := slice_end(self.ms[0])) <= ready_ms:
            upto = bisect_left(self.ms, end_ms)
            slices.append((self.all(upto), end_ms))
            del self.ms[:upto], self.us[:upto], self.tag[:upto], self.antenna[:upto], self.dbm[:upto]
        if self.ms:
            self.due_ms = slice_end(self.ms[0]) + LATE_MS
        yield from slices
