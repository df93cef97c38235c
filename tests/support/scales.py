"""Samples of a scale from a list of what lies on it when."""

from collections.abc import Iterator, Sequence
from random import Random

from edge.reads import WeightSample

START_US = 1_763_802_000_000_000  # 2025-11-22T09:00:00Z


def samples(
    weights: Sequence[tuple[float, float]],
    to_s: float,
    *,
    hz: float = 10.0,
    noise: float = 0.1,
    seed: int = 0,
    cell: int = 0,
    shelf: str = "aisle-1",
) -> Iterator[WeightSample]:
    """`weights` are (from second, grams), ascending; a scale shows the last that began."""
    rng = Random(seed)
    for number in range(round(to_s * hz)):
        second = number / hz
        begun = [grams for at, grams in weights if at <= second]
        if begun:
            grams = begun[-1] + rng.gauss(0.0, noise)
            yield WeightSample(
                at_us=START_US + round(second * 1e6), shelf=shelf, cell=cell, grams=round(grams, 2)
            )
