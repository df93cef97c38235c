"""Public recordings of real gates as recordings of ours, with labels that `stockbeat gates learn` takes.

    python -m benchmarks.convert gates-a|gates-b OUTDIR

writes `edge.toml`, a recording (`.jsonl`) for each run, and `labels.csv` (`recording,epc,direction`). A run of gates-a
is one load and has one label, of every tag. A run of gates-b goes back and forth some twenty times: it is also cut into
its passes, half-way between two crossings, and the labels are of these (`passes/run-x1-07.jsonl`), of each tag: in or
out of those that move, none of the others.
"""

import csv
import sys
from collections.abc import Iterable, Sequence
from pathlib import Path

from benchmarks import gates_a, gates_b
from benchmarks.data import folder
from benchmarks.said import lines, site
from edge.errors import RecordingError

Label = tuple[str, str, str]  # recording, EPC or none, direction


def write_a(target: Path, runs: Iterable[gates_a.Run]) -> list[Label]:
    labels = []
    for run in runs:
        name = f"{run.name}.jsonl"
        (target / name).write_bytes(b"".join(gates_a.recorded(run)))
        labels.append((name, "", run.truth))
    return labels


def write_b(target: Path, run: gates_b.Run) -> list[Label]:
    (target / "passes").mkdir(exist_ok=True)
    (target / f"{run.name}.jsonl").write_bytes(b"".join(lines(gates_b.SITE, run.reads)))
    labels = []
    for number, one in enumerate(run.passes, 1):
        reads = gates_b.within(run.reads, one)
        name = f"passes/{run.name}-{number:02d}.jsonl"
        (target / name).write_bytes(b"".join(lines(gates_b.SITE, reads)))
        for epc in sorted({read.epc for read in reads}):
            labels.append((name, epc, one.direction.value if epc in run.moving else "none"))
    return labels


def write_labels(path: Path, labels: Sequence[Label]) -> None:
    with path.open("w", newline="", encoding="utf-8") as file:
        rows = csv.writer(file, lineterminator="\n")
        rows.writerow(("recording", "epc", "direction"))
        rows.writerows(labels)


def convert(name: str, target: Path) -> list[Label]:
    """Write everything of one data set; returns the labels.

    Raises:
        RecordingError: the data set is not there.
    """
    recordings = folder(name)
    target.mkdir(parents=True, exist_ok=True)
    if name == "gates-a":
        config = site(target, gates_a.SITE, gates_a.GATE, gates_a.ANTENNAS)
        labels = write_a(target, gates_a.runs())
    else:
        config = site(target, gates_b.SITE, gates_b.GATE, gates_b.ANTENNAS)
        present = [run for run in gates_b.RUNS if (recordings / f"{run}.csv").exists()]
        labels = [label for run in present for label in write_b(target, gates_b.run(run))]
    config.rename(target / "edge.toml")
    write_labels(target / "labels.csv", labels)
    return labels


def main(arguments: list[str]) -> None:
    if len(arguments) != 2 or arguments[0] not in ("gates-a", "gates-b"):
        raise SystemExit(__doc__)
    try:
        labels = convert(arguments[0], Path(arguments[1]))
    except RecordingError as error:
        raise SystemExit(str(error)) from None
    recordings = {recording for recording, _, _ in labels}
    print(f"{len(recordings)} labelled recordings in {arguments[1]}, {len(labels)} labels")


if __name__ == "__main__":
    main(sys.argv[1:])
