"""Everything about gates, in one go: `make bench-gates`.

    python -m benchmarks.gates [--seeds 1,2,3] [--hours H] [--no-write]

prints what docs/benchmarks.md shows, and puts it there between its markers, with the machine and the date. Data sets
that are absent are passed over, with a word.
"""

import tempfile
import time
from argparse import ArgumentParser, RawDescriptionHelpFormatter
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from functools import partial
from pathlib import Path

from benchmarks import door_day, forest, gates_a, gates_b, reliability, scenes
from benchmarks.data import folder
from benchmarks.folds import FOLDS_A, calibrated_a, calibrated_b
from benchmarks.learning import NotLearned, learn
from benchmarks.page import DOCS, PAGE, measured, put
from benchmarks.passes import Score
from benchmarks.reliability import Sure
from benchmarks.shares import table
from edge.errors import RecordingError
from simulators.doors.scenes import SCENES

PLOT = DOCS / "images" / "gate-confidence.png"


class Report:
    """Markdown, printed as it comes, and the confidences that it rests on."""

    def __init__(self) -> None:
        self.parts: list[str] = []
        self.sure: dict[str, list[Sure]] = {}

    def say(self, text: str) -> None:
        self.parts.append(text)
        print(f"{text}\n", flush=True)


@contextmanager
def learning(report: Report) -> Iterator[None]:
    """Where a door cannot learn, the rest is measured all the same, and the lack of it is said."""
    try:
        yield
    except NotLearned as error:
        report.say(f"Not measured, calibrated: {error}")


def set_a(report: Report, work: Path) -> None:
    runs = gates_a.runs()
    report.say(f"### One antenna a side: gates-a, {len(runs)} runs")
    named = {"stockbeat, uncalibrated": gates_a.uncalibrated(runs)}
    with learning(report):
        named[f"stockbeat, calibrated ({FOLDS_A} folds)"] = calibrated_a(runs, work, learn)
    others = dict(gates_a.of_peers(runs)) | {"random forest per tag (reference)": forest.score(runs)}
    report.say(table(gates_a.Score.HEAD, [score.row(name) for name, score in (named | others).items()]))
    report.say(table(gates_a.Score.HEAD_BOOKED, [score.row_booked(name) for name, score in named.items()]))
    for name, score in named.items():
        report.sure[f"gates-a, {name.split()[1]}"] = score.sure


def set_b(report: Report, work: Path) -> None:
    present = [name for name in gates_b.RUNS if (folder("gates-b") / f"{name}.csv").exists()]
    runs = [gates_b.run(name) for name in present]
    whole: dict[str, Score] = {}
    by_run = []
    ours = {run.name: {"stockbeat, uncalibrated": gates_b.uncalibrated(run)} for run in runs}
    with learning(report):
        for run, score in calibrated_b(runs, work, learn):
            ours[run.name]["stockbeat, calibrated"] = score
    for run in runs:
        for name, score in (ours[run.name] | dict(gates_b.of_peers(run))).items():
            whole.setdefault(name, Score())
            whole[name] += score
            if name in ours[run.name]:
                by_run.append(score.row(f"{run.name}, {name.partition(', ')[2]}"))
    report.say(f"### A load of 100 tags amid strays: gates-b, {sum(len(run.passes) for run in runs)} passes")
    report.say(table(Score.HEAD, [score.row(name) for name, score in whole.items()]))
    report.say(table(("run; calibrated, it was left out", *Score.HEAD[1:]), by_run))
    for name in ("stockbeat, uncalibrated", "stockbeat, calibrated"):
        if name in whole:
            report.sure[f"gates-b, {name.split()[1]}"] = whole[name].sure


def days(report: Report, seeds: list[int], hours: float) -> None:
    report.say(f"### A simulated day of {hours:g} h at a door, of seeds {', '.join(map(str, seeds))}")
    whole = door_day.Result()
    words = []
    with ProcessPoolExecutor() as pool:
        results = list(pool.map(partial(door_day.run, hours=hours), seeds))
    for seed, one in zip(seeds, results, strict=True):
        whole += one
        words.append(f"- seed {seed}, {one.seconds:.0f} s to simulate and judge: {one.words()}")
    report.say("\n".join(words))
    report.say(table(door_day.Result.HEAD, list(whole.rows())))
    report.sure["simulated days"] = whole.sure


def small_scenes(report: Report) -> None:
    report.say(f"### Small hard scenes, {scenes.SEEDS} seeds of each")
    report.say(scenes.measured(list(SCENES), scenes.SEEDS))


def confidences(report: Report) -> None:
    report.say("### What a confidence is worth")
    for name, sure in report.sure.items():
        report.say(f"{name}, {len(sure)} movements:\n\n{reliability.shown(sure)}")


def run(seeds: list[int], hours: float) -> Report:
    report = Report()
    with tempfile.TemporaryDirectory(prefix="bench-gates-") as scratch:
        for name, measure in (("gates-a", set_a), ("gates-b", set_b)):
            work = Path(scratch) / name
            work.mkdir()
            try:
                folder(name)
            except RecordingError as error:
                report.say(f"### {name}\n\nNot measured: {error}")
                continue
            measure(report, work)
    days(report, seeds, hours)
    small_scenes(report)
    confidences(report)
    return report


def write(report: Report, took_s: float, page: Path = PAGE, plot: Path = PLOT) -> None:
    """Put a report between the page's markers; what is around them stays."""
    reliability.draw(plot, report.sure)
    shown = f"![Share of movements that were right, over the confidence that was said](images/{plot.name})"
    put(page, "gates", f"{measured()}; it took {took_s:.0f} s.", *report.parts, shown)


def main() -> None:
    words = ArgumentParser(description=__doc__, formatter_class=RawDescriptionHelpFormatter)
    words.add_argument("--seeds", default=",".join(map(str, door_day.SEEDS)), help="of the simulated days")
    words.add_argument("--hours", type=float, default=16.0, help="of each; 16 is the whole day")
    words.add_argument("--no-write", action="store_true", help="only print")
    given = words.parse_args()
    began = time.perf_counter()
    report = run([int(seed) for seed in given.seeds.split(",")], given.hours)
    if not given.no_write:
        write(report, time.perf_counter() - began)


if __name__ == "__main__":
    main()
