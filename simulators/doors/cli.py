"""`simulate day`, `scene` and `passes`: recordings of dock doors, with their truth, without running anything."""

import json
from collections.abc import Iterable
from pathlib import Path

import click

from simulators.doors import passes
from simulators.doors.day import LASTS_S, PARKED, PASSAGES, day
from simulators.doors.scenes import SCENES
from simulators.doors.world import Truth

FILE = click.Path(path_type=Path, dir_okay=False)


@click.command("day")
@click.option(
    "--seed", type=click.IntRange(0), default=1, show_default=True, help="The same seed, the same day."
)
@click.option("--out", type=FILE, required=True, help="The recording, for `stockbeat replay`.")
@click.option("--truth", "truth_path", type=FILE, help="What happened, one JSON object a line.")
@click.option("--config", "config_path", type=FILE, help="The edge's configuration for its door.")
@click.option("--hours", type=click.FloatRange(0.25, 24), default=LASTS_S / 3600, show_default=True)
@click.option("--passages", type=click.IntRange(1, 1000), default=PASSAGES, show_default=True)
@click.option("--parked", type=click.IntRange(0, 500), default=PARKED, show_default=True,
              help="Tags that stand around the door.")  # fmt: skip
def day_(
    seed: int, out: Path, truth_path: Path | None, config_path: Path | None, hours: float, passages: int, parked: int
) -> None:  # fmt: skip
    """A dock door's day: loads that cross, turn back and go by amid parked goods, as a recording."""
    world = day(seed, lasts_s=hours * 3600.0, passages=passages, parked=parked)
    with out.open("wb") as file:
        file.writelines(world.lines())
    if truth_path:
        _write_truth(truth_path, world.truth())
    if config_path:
        config_path.write_text(world.configuration, "utf-8")


@click.command()
@click.argument("name", type=click.Choice(sorted(SCENES)))
@click.option("--seed", type=click.IntRange(0), default=1, show_default=True)
@click.option("--dir", "folder", type=click.Path(path_type=Path, file_okay=False), required=True,
              help="Where edge.toml, recording.jsonl and truth.jsonl go.")  # fmt: skip
def scene(name: str, seed: int, folder: Path) -> None:
    """A small hard scene at a dock door."""
    made = SCENES[name](seed)
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "edge.toml").write_text(made.config, "utf-8")
    (folder / "recording.jsonl").write_bytes(b"".join(made.lines))
    _write_truth(folder / "truth.jsonl", made.truth)


@click.command("passes")
@click.option("--seed", type=click.IntRange(0), default=1, show_default=True)
@click.option("--each", type=click.IntRange(1, 33), default=10, show_default=True,
              help="How many go in, how many go out, and how many do not cross.")  # fmt: skip
@click.option("--dir", "folder", type=click.Path(path_type=Path, file_okay=False), required=True,
              help="Where edge.toml, pass-01.jsonl and so on, and labels.csv go.")  # fmt: skip
def passes_(seed: int, each: int, folder: Path) -> None:
    """Labelled passes of one door, a recording each, to practise `gates learn` with."""
    folder.mkdir(parents=True, exist_ok=True)
    passes.write(folder, seed, each)


def _write_truth(path: Path, truth: Iterable[Truth]) -> None:
    path.write_text("".join(json.dumps(each) + "\n" for each in truth), "utf-8")
