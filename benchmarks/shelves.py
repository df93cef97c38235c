"""Shelves, case by case: `make bench-shelves`.

    python -m benchmarks.shelves [--seeds S ...] [--case NAME ...] [--trials N] [--details] [--write]

plays worlds of simulators/shelves, whose physics and people share no code and no constant with what decides, through
the aggregator that runs at a shelf, and holds what it says against what happened; two other ways to read a shelf stand
beside it on the same samples. `--details` prints every trial in which something was wrong, missed or left open, with
the seed to make it again; `--write` puts the figures into docs/benchmarks.md.
"""

import time
from argparse import ArgumentParser, RawDescriptionHelpFormatter
from collections import defaultdict
from collections.abc import Iterable, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, field
from itertools import product
from pathlib import Path

import numpy as np
from pydantic import ValidationError

from benchmarks import page, reliability, shelf_peers
from benchmarks.shares import percent, table
from benchmarks.shelf_play import play
from benchmarks.shelf_scores import Score, score
from simulators.shelves.cases import CASES
from simulators.shelves.cases.spans import SPANS
from simulators.shelves.day import LONG

SEEDS = (1, 2, 3)
TRIALS = 8  # worlds of a case and seed; of the long ones, one
EVERY = CASES | LONG
PLOT = page.DOCS / "images" / "shelf-confidence.png"

MOST_WRONG, LEAST_DECIDED = 0.005, 0.97  # goals: of all moves, and of those that weights alone can tell
# Where a scale weighs by another factor and nothing says so, most of what happens should be left open: counted apart.
UNTOLD = frozenset(make.__name__ for make in SPANS) - {"power_sales"}
# Why a case falls short of a goal, where it does.
WHY = {
    "single": "what is put and taken again within 15 s is handling",
    "misplaced_returned": "goods of another bay that weigh what this bay's do are counted as its own",
    "lift_and_return": "a unit that comes back with a hand still on it",
    "minus_one_long": "what moves while a scale says nonsense is known only afterwards",
    "two_kinds": "one unit of either kind at once often weighs what two or three of one do",
    "close_weights": "330 and 342 g at 1 % are two to three deviations apart",
    "swap": "a swap that is swapped back within 15 s is taken for handling",
    "three_people": "three moves at once are one sum, and several sums of units come close to it",
    "wrong_bay": "goods of another bay that weigh what this bay's do are counted as its own",
    "straddle": "of light goods, what stands on either plate is no more than dust",
    "thing": "a bag that weighs a whole number of units is counted; it is counted out again when it goes",
    "pick_beside_thing": "a bag that weighs a whole number of units is counted; it is counted out again when it goes",
    "thing_stays": "a bag that weighs a whole number of units is counted",
    "resting_hand": "a hand that presses evenly, as much as units weigh, is counted when it lasts 15 s",
    "hold_two_take_one": "goods half lifted that look like rest, at a mass that fits",
    "restock_crate": "a crate and its goods together weigh a whole number of units, until the crate goes",
    "power_plus_24": "of 24 units at once the number is uncertain by a unit",
    "pick_while_leaning": "what is taken under somebody's weight is known less well",
    "restock_pieces": "units put so fast that a hand is still on one when the next comes",
    "lean": "somebody's weight takes a cell along, and it creeps back",
    "slow_pick": "a lift that rests on its way at a mass that fits",
    "shop_day": "bags and crates that weigh whole numbers of units; goods of other bays of about the same weight",
}

HEAD = ("case", "moves", "right", "wrong", "left open", "missed", "right of decidable", "p50 s", "p95 s")
HEAD_LEVELS = ("case", "bays", "right", "not said", "wrong", "units off", "units off when booked")
HEAD_PEERS = ("case", "moves", "ours: right", "wrong", "one second: right", "wrong", "AIM3S: right", "wrong")


@dataclass(slots=True)
class Result:
    """One case, in three ways; `refused` says why it could not be played."""

    ours: Score = field(default_factory=Score)
    seconds: Score = field(default_factory=Score)
    aim3s: Score = field(default_factory=Score)
    refused: str = ""

    def __iadd__(self, other: "Result") -> "Result":
        self.ours += other.ours
        self.seconds += other.seconds
        self.aim3s += other.aim3s
        self.refused = self.refused or other.refused
        return self


def trial(name: str, seed: int, number: int = 0) -> Result:
    """One world of a case."""
    world = EVERY[name](1000 * seed + number)
    try:
        told = play(world)
    except ValidationError as error:
        return Result(refused=error.errors()[0]["msg"][:80])
    return Result(
        score(world, told),
        score(world, shelf_peers.one_second(world)),
        score(world, shelf_peers.aim3s(world)),
    )


def case(name: str, seed: int, trials: int) -> Result:
    whole = Result()
    for number in range(1 if name in LONG else trials):
        whole += trial(name, seed, number)
    return whole


def run(
    names: Sequence[str], seeds: Sequence[int], trials: int, jobs: int | None = None
) -> dict[str, Result]:
    """By case, over all seeds."""
    found: dict[str, Result] = defaultdict(Result)
    todo = sorted(product(names, seeds), key=lambda each: each[0] not in LONG)  # the long ones first
    with ProcessPoolExecutor(jobs) as pool:
        for (name, _), one in zip(
            todo, pool.map(case, *zip(*todo, strict=True), [trials] * len(todo)), strict=True
        ):
            found[name] += one
    return {name: found[name] for name in names}


def row(name: str, one: Score) -> list[str]:
    delays = [f"{d:.1f}" for d in np.percentile(one.delays_s, [50, 95])] if one.delays_s else ["-", "-"]
    fine = f"{one.decided} of {one.decidable}" if one.decidable else "-"
    return [name, str(one.moves), percent(one.right, one.moves), str(one.wrong), str(one.abstained), str(one.missed),
            fine, *delays]  # fmt: skip


def row_levels(name: str, one: Score) -> list[str]:
    wrong = one.bays - one.level_right - one.level_unknown
    return [name, str(one.bays), str(one.level_right), str(one.level_unknown), str(wrong), f"{one.level_error:.0f}",
            f"{one.balance_error:.0f}"]  # fmt: skip


def row_peers(name: str, one: Result) -> list[str]:
    scores = (one.ours, one.seconds, one.aim3s)
    return [name, str(one.ours.moves), *(str(n) for each in scores for n in (each.right, each.wrong))]


def summed(results: Iterable[Result]) -> Result:
    whole = Result()
    for one in results:
        whole += one
    return whole


def goals(played: dict[str, Result]) -> list[str]:
    """What was to be reached, and was; and the cases that fall short."""
    told = summed(one for name, one in played.items() if name not in UNTOLD).ours
    untold = summed(one for name, one in played.items() if name in UNTOLD).ours
    wanted = f"at most {100 * MOST_WRONG:.1f} %"
    rows = [
        ["wrong without a doubt", wanted, percent(told.wrong, told.moves)],
        ["right of what weights alone can tell", f"at least {100 * LEAST_DECIDED:.0f} %",
         percent(told.decided, told.decidable)],
        ["wrong where a scale weighs by another factor and nothing says so", "-",
         percent(untold.wrong, untold.moves)],
    ]  # fmt: skip
    short = [
        [name, f"{one.ours.wrong} of {one.ours.moves}", f"{one.ours.decided} of {one.ours.decidable}",
         WHY.get(name, "")]
        for name, one in played.items()
        if name not in UNTOLD and _short(one.ours)
    ]  # fmt: skip
    return [
        table(("", "goal", "reached"), rows),
        "Cases that fall short of a goal by themselves:"
        if short
        else "No case falls short of a goal by itself.",
        *([table(("case", "wrong", "right of decidable", "why"), short)] if short else []),
    ]


def _short(one: Score) -> bool:
    return one.wrong > MOST_WRONG * one.moves or one.decided < LEAST_DECIDED * one.decidable


def parts(results: dict[str, Result]) -> list[str]:
    """What a page says of it all."""
    played = {name: one for name, one in results.items() if not one.refused}
    whole = summed(played.values())
    ours = whole.ours
    return [
        *goals(played),
        f"Of {ours.moves} moves {percent(ours.right, ours.moves)} were right, {percent(ours.wrong, ours.moves)} wrong "
        f"without a doubt, {percent(ours.abstained, ours.moves)} left open, {percent(ours.missed, ours.moves)} missed. "
        f"Of the {ours.decidable} that weights alone can tell, {percent(ours.decided, ours.decidable)} were right.",
        *(f"{name} was not played: {one.refused}" for name, one in results.items() if one.refused),
        table(HEAD, [*(row(name, one.ours) for name, one in played.items()), row("all", ours)]),
        "What the bays were said to hold at the end:",
        table(
            HEAD_LEVELS,
            [*(row_levels(name, one.ours) for name, one in played.items()), row_levels("all", ours)],
        ),
        "Beside two other ways, which are sure of everything that they say:",
        table(HEAD_PEERS, [*(row_peers(name, one) for name, one in played.items()), row_peers("all", whole)]),
        f"What a confidence is worth, over {len(ours.sure)} changes that were said without a doubt:",
        reliability.shown(ours.sure),
    ]


def happens(names: Iterable[str]) -> str:
    """What the cases are, as a list."""
    return "\n".join(f"- `{name}`: {(EVERY[name].__doc__ or '').strip()}" for name in names)


def write(results: dict[str, Result], measured: str, to: Path = page.PAGE, plot: Path = PLOT) -> None:
    reliability.draw(plot, {"shelves": summed(results.values()).ours.sure})
    shown = f"![Share of changes that were right, over the confidence that was said](images/{plot.name})"
    page.put(to, "shelves", measured, *parts(results), shown, "The cases:", happens(results))


def main() -> None:
    words = ArgumentParser(description=__doc__, formatter_class=RawDescriptionHelpFormatter)
    words.add_argument("--seeds", type=int, nargs="+", default=list(SEEDS))
    words.add_argument(
        "--case", nargs="+", choices=list(EVERY), metavar="NAME", help=f"of {', '.join(EVERY)}"
    )
    words.add_argument("--trials", type=int, default=TRIALS, help="worlds of each case and seed (8)")
    words.add_argument("--short", action="store_true", help="without the long cases")
    words.add_argument("--details", action="store_true", help="print what was wrong in each failing trial")
    words.add_argument("--jobs", type=int, help="processes; as many as there are processors")
    words.add_argument("--write", action="store_true", help="into docs/benchmarks.md")
    given = words.parse_args()
    if given.write and given.case:
        words.error("--write is for all cases together, so not with --case")
    began, revision = time.perf_counter(), page.revision()  # others may commit while it runs
    results = run(given.case or list(CASES if given.short else EVERY), given.seeds, given.trials, given.jobs)
    took_s = time.perf_counter() - began
    if given.details:
        print("\n".join(line for one in results.values() for line in one.ours.details) + "\n")
    print("\n\n".join(parts(results)))
    print(f"\n{took_s:.0f} s")
    if given.write:
        write(results, f"{page.measured(revision)}; it took {took_s:.0f} s.")


if __name__ == "__main__":
    main()
