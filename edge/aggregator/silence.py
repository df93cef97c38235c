"""Cells that say nothing, or one and the same weight for ever, though their shelf weighs."""

from collections.abc import Iterator

import numpy as np

from edge.aggregator.channels import Bools, Channels, Ints

# A cell that was never heard while others of its shelf were: scales on batteries publish once a minute.
NEVER_HEARD_MS = 120_000
FROZEN_FLICKER = 0.7  # the same values show nothing of a cell whose values are often the same
STUCK = 100  # so many of them are worth saying


class Silence:
    """Of all cells of a site; `starts` and `sizes` are the shelves' parts of their column."""

    def __init__(self, channels: Channels, starts: Ints, sizes: Ints) -> None:
        self._channels, self._starts, self._sizes = channels, starts, sizes
        self._mute_ms: Ints = np.full(
            len(starts), -1, np.int64
        )  # when a shelf was last not heard at all; -1: never looked

    def found(self, at_ms: int) -> Iterator[tuple[int, str, int]]:
        """Channels that are so now, in words, and the time by the wall's clock."""
        channels, starts = self._channels, self._starts
        silent = channels.silent(at_ms)
        silent &= np.repeat(~np.logical_and.reduceat(silent, starts), self._sizes)
        stuck = (channels.same >= STUCK) & (channels.flicker > FROZEN_FLICKER)
        never = self._never_heard(at_ms)
        offset_us = np.repeat(np.maximum.reduceat(channels.offset_us, starts), self._sizes)
        for channel in np.flatnonzero(silent | stuck | never):
            words = "shows one and the same weight" if stuck[channel] else "is silent"
            if never[channel]:
                words = "was not heard at all"
            yield int(channel), words, at_ms * 1000 + int(offset_us[channel])

    def _never_heard(self, at_ms: int) -> Bools:
        """Cells that have never weighed, while others of their shelf have for long."""
        heard = np.logical_or.reduceat(self._channels.seen > 0, self._starts)
        self._mute_ms[~heard | (self._mute_ms < 0)] = at_ms
        long = heard & (at_ms - self._mute_ms > NEVER_HEARD_MS)
        never: Bools = (self._channels.seen == 0) & np.repeat(long, self._sizes)
        return never
