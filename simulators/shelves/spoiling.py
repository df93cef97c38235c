"""What goes wrong with samples between the cell and whoever reads them. Each makes others of a cell's samples."""

from collections.abc import Callable

import numpy as np

from simulators.shelves.device import Samples
from simulators.shelves.force import Floats

Spoil = Callable[[Samples, np.random.Generator], Samples]


def _with(samples: Samples, grams: Floats) -> Samples:
    return Samples(samples.at_s, samples.come_s, grams, samples.stable)


def _during(samples: Samples, from_s: float, to_s: float) -> "np.ndarray[tuple[int], np.dtype[np.bool_]]":
    return np.asarray((samples.come_s >= from_s) & (samples.come_s < to_s), np.bool_)


def spikes(share: float, least: float, most: float) -> Spoil:
    """Single samples that are off by anything between two sizes, either way: a bit that was read wrongly."""

    def spoil(samples: Samples, rng: np.random.Generator) -> Samples:
        number = len(samples.grams)
        size = np.exp(rng.uniform(np.log(least), np.log(most), number)) * rng.choice((-1.0, 1.0), number)
        return _with(samples, np.where(rng.random(number) < share, samples.grams + size, samples.grams))

    return spoil


def constant(from_s: float, to_s: float, grams: float | None = None) -> Spoil:
    """The same value again and again: stuck at the last one, or at this (a full-scale count, a timeout's -1)."""

    def spoil(samples: Samples, rng: np.random.Generator) -> Samples:
        during = _during(samples, from_s, to_s)
        if not during.any():
            return samples
        value = samples.grams[np.argmax(during)] if grams is None else grams
        return _with(samples, np.where(during, value, samples.grams))

    return spoil


def now_and_then(share: float, grams: float) -> Spoil:
    """A share of all samples is this value."""

    def spoil(samples: Samples, rng: np.random.Generator) -> Samples:
        return _with(samples, np.where(rng.random(len(samples.grams)) < share, grams, samples.grams))

    return spoil


def scaled(from_s: float, to_s: float, factor: float) -> Spoil:
    """The unit changes for a while: kilograms that are called grams, or the other way."""

    def spoil(samples: Samples, rng: np.random.Generator) -> Samples:
        during = _during(samples, from_s, to_s)
        return _with(samples, np.where(during, samples.grams * factor, samples.grams))

    return spoil


def zeroed(from_s: float) -> Spoil:
    """What is shown just before becomes zero."""

    def spoil(samples: Samples, rng: np.random.Generator) -> Samples:
        after = samples.come_s >= from_s
        before = samples.grams[~after][-10:]
        shown = float(np.mean(before)) if len(before) else 0.0
        return _with(samples, np.where(after, samples.grams - shown, samples.grams))

    return spoil


def gap(from_s: float, to_s: float) -> Spoil:
    """Nothing comes."""

    def spoil(samples: Samples, rng: np.random.Generator) -> Samples:
        return samples.only(~_during(samples, from_s, to_s))

    return spoil


def untidy(lost: float, twice: float, late: float, by_s: float) -> Spoil:
    """Some samples never come, some twice, some late and so after younger ones; each keeps its own time."""

    def spoil(samples: Samples, rng: np.random.Generator) -> Samples:
        kept = samples.only(rng.random(len(samples.grams)) >= lost)
        again = kept.only(rng.random(len(kept.grams)) < twice)
        delay = np.where(rng.random(len(kept.grams)) < late, rng.uniform(0.0, by_s, len(kept.grams)), 0.0)
        come = np.concatenate([kept.come_s + delay, again.come_s + rng.uniform(0.0, by_s, len(again.grams))])
        order = np.argsort(come, kind="stable")
        both = Samples(
            np.concatenate([kept.at_s, again.at_s]), come, np.concatenate([kept.grams, again.grams]),
            np.concatenate([kept.stable, again.stable]),
        )  # fmt: skip
        return both.only(order)

    return spoil
