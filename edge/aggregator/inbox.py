"""Reads of a gate that wait until their slice of time is complete."""

from array import array
from collections.abc import Iterator

import numpy as np

from edge.aggregator.slices import Slice

FOLD_MS = 250
# Reads may arrive so much later than they were made (readers report in batches) without changing any result.
LATE_MS = 300


def slice_end(at_ms: int) -> int:
    """The end of the slice of time that a moment lies in."""
    return at_ms - at_ms % FOLD_MS + FOLD_MS


class Inbox:
    """Columns by arrival, which the gate appends to itself: the fast path. `due_ms`: when a read that comes then shows
    that the first slice is complete."""

    def __init__(self) -> None:
        self.ms: array[int] = array("q")
        self.us: array[int] = array("q")
        self.tag: array[int] = array("q")
        self.antenna: array[int] = array("q")
        self.dbm: array[float] = array("f")  # readers give half a dB at best
        self.due_ms = 0

    def all(self) -> Slice:
        """As they came, copied."""
        return Slice(
            np.array(self.ms, np.int64), np.array(self.us, np.int64), np.array(self.tag, np.int64),
            np.array(self.antenna, np.int64), np.array(self.dbm, np.float64),
        )  # fmt: skip

    def keep(self, rest: Slice) -> None:
        """These go on waiting, and no others."""
        for mine, kept in (
            (self.ms, rest.ms),
            (self.us, rest.us),
            (self.tag, rest.tag),
            (self.antenna, rest.antenna),
        ):
            del mine[:]
            mine.frombytes(kept.tobytes())
        del self.dbm[:]
        self.dbm.frombytes(rest.dbm.astype(np.float32).tobytes())
        if len(rest):
            self.due_ms = slice_end(int(rest.ms.min())) + LATE_MS

    def complete(self, ready_ms: int) -> Iterator[tuple[Slice, int]]:
        """Take the slices that were complete by a time, each with its end, in order."""
        if not self.ms or ready_ms + LATE_MS < self.due_ms:
            return
        waiting, taken = self.all().ordered(), 0
        slices = []
        while taken < len(waiting) and (end_ms := slice_end(int(waiting.ms[taken]))) <= ready_ms:
            upto = int(np.searchsorted(waiting.ms, end_ms))
            slices.append((waiting.where(slice(taken, upto)), end_ms))
            taken = upto
        self.keep(waiting.where(slice(taken, None)))
        yield from slices
