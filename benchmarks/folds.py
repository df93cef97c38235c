"""Calibration by cross-validation over runs: a run is judged by a door that learned from the others alone.

What learns is what `stockbeat gates learn` calls, with a configuration, a labels file and recordings on disk.
"""

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import TypeVar

from benchmarks import gates_a, gates_b
from benchmarks.convert import Label, write_a, write_b, write_labels
from benchmarks.passes import Score, score
from benchmarks.said import lines, ours, site

FOLDS_A = 8
Learn = Callable[[Path, str, Path, Path], None]  # configuration, gate, labels.csv, the gate file to write

T = TypeVar("T")


def folds(runs: Sequence[gates_a.Run], number: int) -> Iterator[tuple[list[gates_a.Run], list[gates_a.Run]]]:
    """Learned from, held out: each kind of run dealt out in turn, so that every fold has some of each."""
    dealt = sorted(runs, key=lambda run: (run.kind, run.name))
    for fold in range(min(number, len(dealt))):
        held = [run for place, run in enumerate(dealt) if place % number == fold]
        yield [run for run in runs if run not in held], held


def calibrated_a(runs: Sequence[gates_a.Run], work: Path, learn: Learn) -> gates_a.Score:
    """`work` is an empty folder; the recordings go there."""
    labels = {label[0]: label for label in write_a(work, runs)}
    config = site(work, gates_a.SITE, gates_a.GATE, gates_a.ANTENNAS)
    result = gates_a.Score()
    for number, (known, held) in enumerate(folds(runs, FOLDS_A)):
        said_of = [labels[f"{run.name}.jsonl"] for run in known]
        learned = _learn(work, config, gates_a.GATE, said_of, f"fold-{number}", learn)
        calibrated = site(work, gates_a.SITE, gates_a.GATE, gates_a.ANTENNAS, learned)
        for run in held:
            result.add(run, ours(calibrated, gates_a.recorded(run)))
    return result


def calibrated_b(
    runs: Sequence[gates_b.Run], work: Path, learn: Learn
) -> Iterator[tuple[gates_b.Run, Score]]:
    """Each run by what the others' passes teach."""
    labels = {run.name: write_b(work, run) for run in runs}
    config = site(work, gates_b.SITE, gates_b.GATE, gates_b.ANTENNAS)
    for run in runs:
        said_of = [label for other in runs if other is not run for label in labels[other.name]]
        learned = _learn(work, config, gates_b.GATE, said_of, f"without-{run.name}", learn)
        calibrated = site(work, gates_b.SITE, gates_b.GATE, gates_b.ANTENNAS, learned)
        yield run, score(run.passes, run.moving, ours(calibrated, lines(gates_b.SITE, run.reads)))


def _learn(work: Path, config: Path, gate: str, labels: Sequence[Label], name: str, learn: Learn) -> Path:
    path, learned = work / f"{name}.csv", work / f"{name}.gate.toml"
    write_labels(path, labels)
    learn(config, gate, path, learned)
    return learned
