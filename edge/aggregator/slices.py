"""Reads of one gate by column: what numpy folds and judges at once."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]


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
        return Slice(self.ms[chosen], self.us[chosen], self.tag[chosen], self.antenna[chosen], self.dbm[chosen])

    def ordered(self) -> "Slice":
        """In order of time; those of one millisecond as they came."""
        if (self.ms[1:] >= self.ms[:-1]).all():
            return self
        return self.where(np.argsort(self.ms, kind="stable"))

    def encode(self) -> list[bytes]:
        return [column.tobytes() for column in (self.ms, self.us, self.tag, self.antenna, self.dbm)]


NONE = Slice(*(np.empty(0, np.int64) for _ in range(4)), np.empty(0))


def decode(columns: Sequence[bytes]) -> Slice:
    ms, us, tag, antenna = (np.frombuffer(column, np.int64) for column in columns[:4])
    return Slice(ms, us, tag, antenna, np.frombuffer(columns[4], np.float64))


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
