"""Reads of one gate by column: what numpy folds and judges at once."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]

FOUR_BYTES = -(1 << 31), (1 << 31) - 1


@dataclass(frozen=True, slots=True, eq=False)
class Slice:
    """Steady time, wall time, row of the tag in the field, index of the antenna, and power, all of length r."""

    ms: Ints
    us: Ints
    tag: Ints
    antenna: Ints
    dbm: Floats

    def __len__(self) -> int:
        return len(self.ms)

    def where(self, chosen: Bools | Ints | slice) -> "Slice":
        return Slice(
            self.ms[chosen], self.us[chosen], self.tag[chosen], self.antenna[chosen], self.dbm[chosen]
        )

    def ordered(self) -> "Slice":
        """In order of time; those of one millisecond as they came."""
        if (self.ms[1:] >= self.ms[:-1]).all():
            return self
        return self.where(np.argsort(self.ms, kind="stable"))

    def encode(self) -> list[bytes]:
        """Packed into 17 bytes a read: times as differences to the first, in 4 bytes.

        That is 24 days of steady time, and 35 minutes of a step of the wall clock within a passage; more is cut.
        """
        if not len(self):
            return []
        ms0, us0 = int(self.ms[0]), int(self.us[0])
        apart_ms = self.ms - ms0
        ms = np.clip(apart_ms, *FOUR_BYTES)
        us = np.clip(self.us - us0 - 1000 * apart_ms, *FOUR_BYTES)
        return [
            np.array([ms0, us0], "<i8").tobytes(), ms.astype("<i4").tobytes(), us.astype("<i4").tobytes(),
            self.tag.astype("<u4").tobytes(), self.antenna.astype("u1").tobytes(), self.dbm.astype("<f4").tobytes(),
        ]  # fmt: skip


_NO_INTS = np.empty(0, np.int64)
NONE = Slice(_NO_INTS, _NO_INTS, _NO_INTS, _NO_INTS, np.empty(0))


def decode(packed: Sequence[bytes]) -> Slice:
    if not packed:
        return NONE
    ms0, us0 = (int(value) for value in np.frombuffer(packed[0], "<i8"))
    ms = np.frombuffer(packed[1], "<i4").astype(np.int64)
    us = np.frombuffer(packed[2], "<i4").astype(np.int64)
    return Slice(
        ms0 + ms, us0 + 1000 * ms + us, np.frombuffer(packed[3], "<u4").astype(np.int64),
        np.frombuffer(packed[4], "u1").astype(np.int64), np.frombuffer(packed[5], "<f4").astype(np.float64),
    )  # fmt: skip


def join(slices: Sequence[Slice]) -> Slice:
    """One after the other."""
    if not slices:
        return NONE
    return Slice(
        np.concatenate([each.ms for each in slices]),
        np.concatenate([each.us for each in slices]),
        np.concatenate([each.tag for each in slices]),
        np.concatenate([each.antenna for each in slices]),
        np.concatenate([each.dbm for each in slices]),
    )


def summed(by: Ints, weights: Floats | Bools, size: int) -> Floats:
    """Sums of weights by number, shape (size,)."""
    return np.bincount(by, weights=weights, minlength=size).astype(np.float64, copy=False)


def numbered(values: Ints) -> tuple[Ints, Ints]:
    """The different values, in order, and for each value its index among them. Made for small numbers: antennas'."""
    there = np.bincount(values) > 0
    return np.flatnonzero(there), (np.cumsum(there) - 1)[values]
