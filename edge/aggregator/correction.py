"""Grams out of what cells say: by their calibration, and without what a load shows on the cells beside it."""

from collections.abc import Mapping

import numpy as np

from edge.aggregator.channels import Floats, Ints
from edge.aggregator.shelf import ShelfWatch


class Correction:
    """Of all channels of a site; to be made anew when a shelf is calibrated."""

    def __init__(
        self,
        shelves: Mapping[str, ShelfWatch],
        starts: Ints,
        cells: Mapping[tuple[str, int], int],
        count: int,
    ) -> None:
        """`starts`: the first channel of each shelf; `cells`: the channel of each shelf and cell."""
        self._count = count
        self._factor, self._shift = np.ones(count), np.zeros(count)
        self._plain = True
        to, from_, times = [], [], []
        for (name, watch), start in zip(shelves.items(), starts, strict=True):
            for cell, (factor, shift) in watch.factors.items():
                if (channel := cells.get((name, cell))) is not None:
                    self._factor[channel], self._shift[channel], self._plain = factor, shift, False
            for one, other, share in watch.uncoupling():
                to.append(int(start) + one)
                from_.append(int(start) + other)
                times.append(share)
        self._to, self._from = np.array(to, np.int64), np.array(from_, np.int64)
        self._times: Floats = np.array(times)
        self._said: Floats = np.zeros(count)  # by each cell last, calibrated

    def grams(self, active: Ints, values: Floats) -> Floats:
        """What the `active` channels carry, who said `values`."""
        if not self._plain:
            values = values * self._factor[active] + self._shift[active]
        if len(self._times):
            self._said[active] = values
            shown = np.bincount(self._to, self._times * self._said[self._from], self._count)
            values = values + shown[active]
        return values
