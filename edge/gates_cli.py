"""`stockbeat gates`: what a door made of its reads, and why; and teaching it."""

import sys
from datetime import UTC, datetime
from pathlib import Path

import click

from edge.config import EdgeConfig, GateConfig, load
from edge.errors import ConfigError, EdgeError
from edge.explain import door, terminal
from edge.explain.story import tell

EXTRA = "drawing a PNG needs matplotlib: pip install 'stockbeat[gates]'"
EXTRA_LEARN = "learning needs scipy and scikit-learn: pip install 'stockbeat[gates]'"


@click.group()
def gates() -> None:
    """A door's passages: explain what was decided of one, or learn from labelled ones."""


@gates.command()
@click.argument("recording", type=click.Path(path_type=Path, dir_okay=False))
@click.option("--epc", required=True, help="The tag, in hexadecimal.")
@click.option(
    "--config", "config_path", type=click.Path(path_type=Path), help="The configuration of the door."
)
@click.option("--antennas", metavar="NUMBER=SIDE,…",
              help=f"Without --config: where each antenna looks, as {door.EXAMPLE}.")  # fmt: skip
@click.option(
    "--gate", help="Of several gates that read it; without, the one that said something of it last."
)
@click.option("--passage", help="One of several, by its id; without, the last.")
@click.option("--png", type=click.Path(path_type=Path, dir_okay=False), help="Draw it into this file too.")
def explain(
    recording: Path,
    epc: str,
    config_path: Path | None,
    antennas: str | None,
    gate: str | None,
    passage: str | None,
    png: Path | None,
) -> None:
    """Draw one passage of one tag of RECORDING: reads, power, triggers, the decision and why."""
    if config_path and antennas:
        raise click.UsageError("--antennas is for a recording without --config, which says where each looks")
    try:
        if config_path:
            config, assumed = load(config_path), list[str]()
        else:
            config, assumed = door.door_of(recording, door.sides(antennas) if antennas else None)
        story = tell(config, recording, epc.upper(), gate=gate, passage=passage, assumed=assumed)
    except EdgeError as error:
        click.echo(str(error), err=True)
        sys.exit(1)
    for line in terminal.draw(story):
        click.echo(line)
    if png is not None:
        try:
            from edge.explain import picture  # noqa: PLC0415 - an agent that never draws has no matplotlib
        except ModuleNotFoundError as error:
            raise click.ClickException(f"{EXTRA} ({error.name} is missing)") from error
        picture.draw(story, png)
        click.echo(f"drawn: {png}")


@gates.command(name="learn")
@click.option("--config", "config_path", type=click.Path(path_type=Path), required=True,
              help="The configuration of the door.")  # fmt: skip
@click.option("--gate", required=True, help="Its name there.")
@click.option("--labels", type=click.Path(path_type=Path, dir_okay=False), required=True,
              help="CSV: recording,epc,direction; no EPC for every tag; in, out or none.")  # fmt: skip
@click.option("--out", type=click.Path(path_type=Path, dir_okay=False), required=True,
              help="The file to write; `calibration` of the gate names it.")  # fmt: skip
def learn_(config_path: Path, gate: str, labels: Path, out: Path) -> None:
    """Learn a door from recordings of passes of which it is known what happened.

    Says how often it was right on recordings that it had not learned from, and what it is unsure about.
    """
    try:
        from edge.learn import file, words  # noqa: PLC0415 - an agent that never learns has no scipy
        from edge.learn.labels import read_labels  # noqa: PLC0415 - as above
        from edge.learn.learn import learn  # noqa: PLC0415 - as above
    except ModuleNotFoundError as error:
        raise click.ClickException(f"{EXTRA_LEARN} ({error.name} is missing)") from error
    try:
        found = learn(gate_named(load(config_path), gate), read_labels(labels), _progress)
        file.write(found, out, datetime.now(UTC))  # noqa: TID251 - the file says when it was written
    except EdgeError as error:
        click.echo(str(error), err=True)
        sys.exit(1)
    for line in words.report(found):
        click.echo(line)
    click.echo(f"written: {out}")


def gate_named(config: EdgeConfig, name: str) -> GateConfig:
    """Raises ConfigError."""
    for gate in config.gates:
        if gate.name == name:
            return gate
    there = ", ".join(gate.name for gate in config.gates) or "none"
    raise ConfigError(f"gate {name!r} is not in the configuration; its gates: {there}")


def _progress(line: str) -> None:
    if sys.stderr.isatty():
        click.echo(line, err=True)
