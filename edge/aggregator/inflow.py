"""Samples that wait until all of their block of time have come, one by one or many at once.

Samples may be late by LATE_MS; a device whose samples are all older follows behind.
"""

from array import array
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from operator import attrgetter

import numpy as np

from edge.aggregator.channels import BLOCK_MS, Bools, Channels, Floats, Ints
from edge.reads import WeightSample

LATE_MS = 200
NEVER = 1 << 62
NOWHERE = -1  # the channel of a cell that is not configured
MOST_GRAMS = 1e7  # ten tonnes are no weight of a shelf, and their squares would swallow all others
# Attributes are picked for all samples in C: a loop in Python takes three times as long.
_CELL, _GRAMS, _AT_US, _STABLE = (
    attrgetter("shelf", "cell"),
    attrgetter("grams"),
    attrgetter("at_us"),
    attrgetter("stable"),
)


@dataclass(frozen=True, slots=True)
class Batch:
    """Samples in the order in which they came: one row each. `at_ms` is of the steady clock."""

    reads: Sequence[WeightSample]
    at_ms: Ints
    channel: Ints
    grams: Floats
    at_us: Ints
    tells: bool  # whether any says itself that it moves
    sound: bool  # whether all are weights at all


class Inflow:
    """`folded` is the last block that was complete, and `clock_ms` the latest time that a sample can have.

    `unsound`: samples that were dropped as they are no weights, and when they came; to be taken out by who looks.
    """

    def __init__(self, channels: Channels, cells: Mapping[tuple[str, int], int]) -> None:
        self.folded = -NEVER
        self.clock_ms = NEVER
        self._channels, self._cells = channels, cells
        self._behind_ms: Ints = np.zeros(channels.count, np.int64)
        self._waiting: dict[int, array[float]] = {}
        self._moving: dict[int, list[int]] = {}
        self._due_ms = -NEVER
        self.unsound: list[tuple[int, WeightSample]] = []

    def take(self, read: WeightSample, at_ms: int) -> int | None:
        """Take one sample; returns until when blocks are complete, where one is that was not."""
        channel = self._cells.get((read.shelf, read.cell))
        if channel is None or at_ms > self.clock_ms:
            return None
        if not -MOST_GRAMS <= read.grams <= MOST_GRAMS:  # nor is what is not a number
            self.unsound.append((at_ms, read))
            return None
        at_ms += int(self._behind_ms[channel])
        block = at_ms // BLOCK_MS
        if block <= self.folded and (at_ms := self._late(channel, at_ms)) < 0:
            return None
        block = at_ms // BLOCK_MS
        self._bucket(block).extend((channel, read.grams, read.at_us - 1000 * at_ms))
        if read.stable is False:
            self._moving.setdefault(block, []).append(channel)
        return None if at_ms < self._due_ms else at_ms - LATE_MS

    def batch(self, at_ms: Sequence[int], reads: Sequence[WeightSample]) -> Batch:
        """Samples to be taken by `take_some`."""
        size = len(reads)
        channels = map(self._cells.get, map(_CELL, reads))
        try:
            channel = np.fromiter(channels, np.int64, size)
        except TypeError:  # None, of a cell that is not configured
            channel = np.array([self._cells.get(_CELL(read), NOWHERE) for read in reads], np.int64)
        grams = np.fromiter(map(_GRAMS, reads), np.float64, size)
        return Batch(
            reads, np.array(at_ms, np.int64), channel, grams,
            np.fromiter(map(_AT_US, reads), np.int64, size), False in set(map(_STABLE, reads)),
            bool(grams.min() >= -MOST_GRAMS and grams.max() <= MOST_GRAMS),  # of one that is no number, neither
        )  # fmt: skip

    def take_some(self, batch: Batch, begin: int) -> tuple[int, int | None]:
        """Take samples from row `begin` on, as `take` would: as many as come before a block is complete.

        Returns where to go on, and until when blocks are complete, where one is that was not.
        """
        channel = batch.channel[begin:]
        at_ms = batch.at_ms[begin:] + self._behind_ms[channel]
        block = at_ms // BLOCK_MS
        if batch.sound and self._all_wait(channel, batch.at_ms[begin:], at_ms, block):
            self._keep(batch, begin, at_ms, block)
            return begin + len(block), None
        odd = (channel == NOWHERE) | (batch.at_ms[begin:] > self.clock_ms) | (block <= self.folded)
        if not batch.sound:
            odd |= ~_sound(batch.grams[begin:])
        here = int(odd.argmax()) if odd.any() else len(block)
        if here == 0:
            return begin + 1, self.take(batch.reads[begin], int(batch.at_ms[begin]))
        earliest = np.minimum.accumulate(block[:here])
        if self._waiting:
            earliest = np.minimum(earliest, min(self._waiting))
        due = at_ms[:here] >= (earliest + 1) * BLOCK_MS + LATE_MS
        complete = bool(due.any())
        many = int(due.argmax()) + 1 if complete else here
        self._keep(batch, begin, at_ms[:many], block[:many])
        return begin + many, int(at_ms[many - 1]) - LATE_MS if complete else None

    def _all_wait(self, channel: Ints, said_ms: Ints, at_ms: Ints, block: Ints) -> bool:
        """Whether no block is complete with all of these, and none of them is odd: so it is of most lists."""
        first = int(block.min())
        earliest = min(first, min(self._waiting, default=first))
        waits = int(at_ms.max()) < (earliest + 1) * BLOCK_MS + LATE_MS
        return (
            waits and first > self.folded and int(channel.min()) >= 0 and int(said_ms.max()) <= self.clock_ms
        )

    def _keep(self, batch: Batch, begin: int, at_ms: Ints, block: Ints) -> None:
        rows = slice(begin, begin + len(block))
        channel = batch.channel[rows]
        table = np.column_stack((channel, batch.grams[rows], batch.at_us[rows] - 1000 * at_ms))
        first, last = int(block.min()), int(block.max())
        for each in range(first, last + 1) if last - first < len(block) else np.unique(block).tolist():
            inside = table if first == last else table[block == each]
            if len(inside):
                self._bucket(each).frombytes(inside.tobytes())
        if batch.tells:
            for row, at in enumerate(block.tolist()):
                if batch.reads[begin + row].stable is False:
                    self._moving.setdefault(at, []).append(int(channel[row]))

    def _bucket(self, block: int) -> "array[float]":
        bucket = self._waiting.get(block)
        if bucket is None:
            bucket = self._waiting[block] = array("d")
            self._due_ms = (min(self._waiting) + 1) * BLOCK_MS + LATE_MS
        return bucket

    def _late(self, channel: int, at_ms: int) -> int:
        """A sample of a block that is folded already: out of order, unless all of the device's are so late."""
        if at_ms < self._channels.at_ms[channel] + BLOCK_MS:
            return -1
        behind_ms = (self.folded + 2) * BLOCK_MS - at_ms // BLOCK_MS * BLOCK_MS
        self._behind_ms[channel] += behind_ms
        return at_ms + behind_ms

    def complete(self, until_ms: int) -> Iterator[tuple[int, Floats, list[int] | None]]:
        """Blocks that are over by then: number, rows of (channel, grams, offset in µs), channels that say they move."""
        for block in sorted(self._waiting):
            if (block + 1) * BLOCK_MS > until_ms:
                break
            self.folded = block
            columns = np.frombuffer(self._waiting.pop(block)).reshape(-1, 3)
            yield block, columns, self._moving.pop(block, None)
        self._due_ms = (min(self._waiting) + 1) * BLOCK_MS + LATE_MS if self._waiting else -NEVER

    def forget(self, channels: slice) -> None:
        """Their device is gone: how far it was behind is known no longer."""
        self._behind_ms[channels] = 0


def _sound(grams: Floats) -> Bools:
    """Which are weights: finite, and of a size that a shelf can have."""
    found: Bools = np.abs(grams) <= MOST_GRAMS
    return found
