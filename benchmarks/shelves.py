"""Shelves, case by case: `make bench-shelves`.

    python -m benchmarks.shelves [--seeds S ...] [--case NAME ...] [--trials N] [--details] [--no-write]

plays worlds of simulators/shelves, whose physics and people share no code and no constant with what decides, through
the aggregator that runs at a shelf, and holds what it says against what happened. `--details` prints every trial in
which something was wrong, missed or left open.
"""

import time
from argparse import ArgumentParser, RawDescriptionHelpFormatter
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from functools import partial

import numpy as np

from benchmarks.shares import percent, table
from benchmarks.shelf_play import play
from benchmarks.shelf_scores import Score, score
from simulators.shelves.cases import CASES

SEEDS = (1, 2, 3)
TRIALS = 8  # worlds of a case and seed
HEAD = ("case", "moves", "right", "wrong", "abstained", "missed", "right of decidable", "level right", "level ?",
        "level error", "p50 s", "p95 s")  # fmt: skip


def trial(name: str, seed: int, number: int) -> Score:
    """One world of a case."""
    world = CASES[name](1000 * seed + number)
    return score(world, play(world))


def run(name: str, seeds: Sequence[int], trials: int) -> Score:
    whole = Score()
    for seed in seeds:
        for number in range(trials):
            whole += trial(name, seed, number)
    return whole


def row(name: str, one: Score) -> list[str]:
    delays = np.percentile(one.delays_s, [50, 95]) if one.delays_s else (float("nan"),) * 2
    said = one.bays - one.level_unknown
    return [
        name, str(one.moves), percent(one.right, one.moves), str(one.wrong), str(one.abstained), str(one.missed),
        f"{one.decided} of {one.decidable}", f"{one.level_right} of {one.bays}", str(one.level_unknown),
        f"{one.level_error / said:.2f}" if said else "-", f"{delays[0]:.1f}", f"{delays[1]:.1f}",
    ]  # fmt: skip


def measured(names: Sequence[str], seeds: Sequence[int], trials: int, details: bool) -> str:
    rows, whole = [], Score()
    with ProcessPoolExecutor() as pool:
        for name, one in zip(names, pool.map(partial(run, seeds=seeds, trials=trials), names), strict=True):
            rows.append(row(name, one))
            whole += one
            if details:
                print("\n".join(one.details))
    return table(HEAD, [*rows, row("all", whole)])


def main() -> None:
    words = ArgumentParser(description=__doc__, formatter_class=RawDescriptionHelpFormatter)
    words.add_argument("--seeds", type=int, nargs="+", default=list(SEEDS))
    words.add_argument("--case", nargs="+", choices=list(CASES), default=list(CASES))
    words.add_argument("--trials", type=int, default=TRIALS, help="worlds of each case and seed")
    words.add_argument("--details", action="store_true", help="print what was wrong in each failing trial")
    given = words.parse_args()
    began = time.perf_counter()
    print(measured(given.case, given.seeds, given.trials, given.details))
    print(f"\n{time.perf_counter() - began:.0f} s")


if __name__ == "__main__":
    main()
