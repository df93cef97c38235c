"""`simulate sics` and `simulate ascii_scale`: scales, one at a time."""

import asyncio
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import click

from simulators import alone_cli, single
from simulators.ascii_scale.device import Scale as AsciiScale
from simulators.ascii_scale.dialects import GRAMS, MANNERS
from simulators.sics.device import UNITS
from simulators.sics.device import Scale as SicsScale
from simulators.sics.indicator import Indicator

F = TypeVar("F", bound=Callable[..., Any])


def _options(command: F) -> F:
    for option in (
        alone_cli.trouble_option,
        alone_cli.seed_option,
        click.option("--max-grams", type=click.FloatRange(1), default=15_000.0, show_default=True),
        click.option("--grams", type=float, default=0.0, show_default=True, help="What lies on it at first."),
        alone_cli.listen_option,
        alone_cli.link_option,
    ):  # fmt: skip
        command = option(command)
    return command


@click.command()
@_options
@click.option("--unit", type=click.Choice(list(UNITS)), default="g", show_default=True)
@click.option("--serial-number", default="SIM0000001", show_default=True)
@click.option("--zeroes", is_flag=True, help="It makes zero of what lies there when it is switched on.")
@click.option("--without", multiple=True, help="A command that it does not know, as SIR; may be repeated.")
def sics(unit: str, serial_number: str, zeroes: bool, without: tuple[str, ...], **line: Any) -> None:
    """One MT-SICS scale; prints its URL. On standard input: a number puts so many grams on it; unit kg, tare,
    power-cycle."""
    scale = SicsScale(Indicator(line["max_grams"], zeroes=zeroes), serial_number, unit=unit, unknown=without)
    _run(scale, 9600, **line)


@click.command(name="ascii_scale")
@_options
@click.option("--dialect", type=click.Choice(list(MANNERS)), default="and", show_default=True)
@click.option("--unit", type=click.Choice(list(GRAMS)), default="g", show_default=True)
@click.option("--poll", is_flag=True, help="It is asked; without, it writes by itself.")
@click.option("--address", default="", help="Its two digits in RS-485 mode (dini).")
def ascii_scale(dialect: str, unit: str, poll: bool, address: str, **line: Any) -> None:
    """One scale that writes lines of text; prints its URL. On standard input: a number puts so many grams on it;
    unit kg, tare, clear, stream, quiet."""
    scale = AsciiScale(Indicator(line["max_grams"]), dialect, unit=unit, streams=not poll, address=address)
    _run(scale, 9600, **line)


def _run(
    scale: SicsScale | AsciiScale,
    baud: int,
    *,
    link: Path | None,
    listen: str | None,
    grams: float,
    max_grams: float,
    seed: int,
    trouble: str,
) -> None:
    """Run until somebody asks it to stop, and do what is said on standard input."""
    where, changes = alone_cli.place(link, listen), asyncio.Queue[float]()

    def hear(line: str) -> None:
        try:
            changes.put_nowait(float(line))
        except ValueError:
            if wrong := scale.say(line):
                click.echo(f"{wrong}, or a number of grams", err=True)

    alone_cli.run(
        lambda: single.scale(
            scale, where, grams=grams, baud=baud, trouble=trouble, seed=seed, changes=changes, say=click.echo
        ),
        hear,
    )
