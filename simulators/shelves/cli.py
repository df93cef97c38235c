"""`simulate shelf`: a weighing shelf's recording with its truth, without running anything."""

import json
from pathlib import Path

import click

from simulators.shelves.cases import CASES
from simulators.shelves.day import LONG

EVERY = CASES | LONG


@click.command()
@click.argument("name", type=click.Choice(sorted(EVERY)))
@click.option(
    "--seed", type=click.IntRange(0), default=1, show_default=True, help="The same seed, the same world."
)
@click.option("--dir", "folder", type=click.Path(path_type=Path, file_okay=False), required=True,
              help="Where edge.toml, recording.jsonl and truth.jsonl go.")  # fmt: skip
def shelf(name: str, seed: int, folder: Path) -> None:
    """What happens at a weighing shelf: people, goods, a scale and its faults, as a recording."""
    world = EVERY[name](seed)
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "edge.toml").write_text(world.configuration, "utf-8")
    (folder / "recording.jsonl").write_bytes(b"".join(world.lines()))
    truth = "".join(json.dumps(each) + "\n" for each in world.truth())
    (folder / "truth.jsonl").write_text(truth, "utf-8")
