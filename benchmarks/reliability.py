"""Of those given 0.9, are nine in ten right? Movements in bins of the confidence that was said of them."""

from collections.abc import Iterable, Mapping, Sequence
from itertools import pairwise
from pathlib import Path
from typing import NamedTuple

from matplotlib.figure import Figure

from benchmarks.shares import percent, table, wilson

EDGES = (0.0, 0.6, 0.7, 0.8, 0.9, 0.95, 0.98, 0.99, 1.0001)
LEAST = 10  # movements of a bin that is drawn; the tables have them all
HEAD = ("confidence", "movements", "mean confidence", "right")
Sure = tuple[float, bool]  # a movement's confidence, and whether it was right


class Bin(NamedTuple):
    name: str
    movements: int
    mean: float
    right: int


def bins(sure: Iterable[Sure]) -> list[Bin]:
    """Those that hold anything."""
    every = list(sure)
    found = []
    for low, high in pairwise(EDGES):
        here = [(confidence, right) for confidence, right in every if low <= confidence < high]
        if here:
            mean = sum(confidence for confidence, _ in here) / len(here)
            found.append(
                Bin(f"{low:.2f}-{min(high, 1.0):.2f}", len(here), mean, sum(right for _, right in here))
            )
    return found


def shown(sure: Iterable[Sure]) -> str:
    return table(
        HEAD,
        [
            [b.name, str(b.movements), f"{100 * b.mean:.1f} %", percent(b.right, b.movements)]
            for b in bins(sure)
        ],
    )


def draw(path: Path, sets: Mapping[str, Sequence[Sure]]) -> None:
    """One line a set: the share that was right over the confidence said, its 95 % interval, and the counts."""
    figure = Figure(figsize=(7.0, 6.4), layout="constrained")
    above, below = figure.subplots(2, 1, height_ratios=(3, 1), sharex=True)
    above.plot([0.5, 1.0], [0.5, 1.0], color="0.7", linewidth=1, label="as said")
    for place, (name, sure) in enumerate(sets.items()):
        found = [b for b in bins(sure) if b.movements >= LEAST]
        if not found:
            continue
        mean = [b.mean for b in found]
        share = [b.right / b.movements for b in found]
        spans = [wilson(b.right, b.movements) for b in found]
        low = [max(0.0, s - span[0]) for s, span in zip(share, spans, strict=True)]
        high = [max(0.0, span[1] - s) for s, span in zip(share, spans, strict=True)]
        above.errorbar(
            mean, share, yerr=[low, high], marker="o", markersize=4, capsize=2, linewidth=1.2, label=name
        )
        width = 0.006 / max(1, len(sets))
        below.bar(
            [m + (place - len(sets) / 2) * width for m in mean], [b.movements for b in found], width=width
        )
    above.set(ylabel="share that was right (95 % interval)", ylim=(0.3, 1.02))
    above.legend(loc="lower right", fontsize=9)
    below.set(xlabel="confidence said", ylabel="movements", yscale="symlog", xlim=(0.48, 1.01))
    for axes in (above, below):
        axes.grid(color="0.92")
    path.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(path, dpi=110, metadata={"Software": None})
