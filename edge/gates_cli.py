"""`stockbeat gates`: what a door made of its reads, and why."""

import sys
from pathlib import Path

import click

from edge.config import load
from edge.errors import EdgeError
from edge.explain import terminal
from edge.explain.story import tell

EXTRA = "drawing a PNG needs matplotlib: pip install 'stockbeat[gates]'"


@click.group()
def gates() -> None:
    """A door's passages: explain what was decided of one."""


@gates.command()
@click.argument("recording", type=click.Path(path_type=Path, dir_okay=False))
@click.option("--config", "config_path", type=click.Path(path_type=Path), required=True,
              help="The configuration of the door.")  # fmt: skip
@click.option("--epc", required=True, help="The tag, in hexadecimal.")
@click.option(
    "--gate", help="Of several gates that read it; without, the one that said something of it last."
)
@click.option("--passage", help="One of several, by its id; without, the last.")
@click.option("--png", type=click.Path(path_type=Path, dir_okay=False), help="Draw it into this file too.")
def explain(
    recording: Path, config_path: Path, epc: str, gate: str | None, passage: str | None, png: Path | None
) -> None:
    """Draw one passage of one tag of RECORDING: reads, power, triggers, the decision and why."""
    try:
        story = tell(load(config_path), recording, epc.upper(), gate=gate, passage=passage)
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
