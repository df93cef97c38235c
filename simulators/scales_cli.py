"""`simulate sics` and `simulate ascii_scale`: scales, one at a time."""

import asyncio
import contextlib
import signal
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import click

from simulators import orders, single
from simulators.ascii_scale.device import Scale as AsciiScale
from simulators.ascii_scale.dialects import GRAMS, MANNERS
from simulators.sics.device import UNITS
from simulators.sics.device import Scale as SicsScale
from simulators.sics.indicator import Indicator
from simulators.trouble import TROUBLES, parse

F = TypeVar("F", bound=Callable[..., Any])


def _trouble(context: click.Context, option: click.Parameter, words: str) -> str:
    try:
        parse(words)
    except ValueError as error:
        raise click.BadParameter(str(error)) from error
    return words


def _options(command: F) -> F:
    for option in (
        click.option("--trouble", default="none", callback=_trouble,
                     help=f"NAME or NAME:SECONDS of {', '.join(TROUBLES)}."),
        click.option("--seed", type=click.IntRange(0), default=1, show_default=True, help="The same, the same noise."),
        click.option("--max-grams", type=click.FloatRange(1), default=15_000.0, show_default=True),
        click.option("--grams", type=float, default=0.0, show_default=True, help="What lies on it at first."),
        click.option("--listen", help="HOST:PORT instead, as behind a serial server; port 0 is a free one."),
        click.option("--link", type=click.Path(path_type=Path), help="Symlink to make to its port."),
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


def _where(link: Path | None, listen: str | None) -> Path | tuple[str, int]:
    if (link is None) == (listen is None):
        raise click.UsageError("say either --link PATH or --listen HOST:PORT")
    if link is not None:
        return link
    host, mark, port = (listen or "").rpartition(":")
    if not mark or not port.isdecimal():
        raise click.BadParameter(f"{listen!r} should be HOST:PORT", param_hint="--listen")
    return host, int(port)


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
    where = _where(link, listen)

    async def until_asked() -> None:
        changes: asyncio.Queue[float] = asyncio.Queue()

        def hear(line: str) -> None:
            try:
                changes.put_nowait(float(line))
            except ValueError:
                if wrong := scale.say(line):
                    click.echo(f"{wrong}, or a number of grams", err=True)

        loop = asyncio.get_running_loop()
        task = asyncio.ensure_future(
            single.scale(
                scale,
                where,
                grams=grams,
                baud=baud,
                trouble=trouble,
                seed=seed,
                changes=changes,
                say=click.echo,
            )
        )
        for number in (signal.SIGINT, signal.SIGTERM):
            loop.add_signal_handler(number, task.cancel)
        orders.listen(hear)
        with contextlib.suppress(asyncio.CancelledError):
            await task

    asyncio.run(until_asked())
