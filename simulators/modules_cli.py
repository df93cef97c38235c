"""`simulate thingmagic` and `simulate m100`: serial modules, one at a time."""

import asyncio
import contextlib
import signal
from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import Any, TypeVar

import click

from simulators import modules, orders
from simulators.m100.module import HEADS
from simulators.m100.module import Module as M100Module
from simulators.module_line import Served as ModuleServed
from simulators.thingmagic.module import Module as ThingmagicModule
from simulators.trouble import TROUBLES, maker, parse

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
        click.option("--seed", type=click.IntRange(0), default=1, show_default=True, help="The same, the same tags."),
        click.option("--tags", type=click.IntRange(0, 1000), default=5, show_default=True, help="Standing before it."),
        click.option("--listen", help="HOST:PORT instead, as behind a serial server; port 0 is a free one."),
        click.option("--link", type=click.Path(path_type=Path), help="Symlink to make to its port."),
    ):  # fmt: skip
        command = option(command)
    return command


def _where(link: Path | None, listen: str | None) -> Path | tuple[str, int]:
    if (link is None) == (listen is None):
        raise click.UsageError("say either --link PATH or --listen HOST:PORT")
    if link is not None:
        return link
    host, mark, port = (listen or "").rpartition(":")
    if not mark or not port.isdecimal():
        raise click.BadParameter(f"{listen!r} should be HOST:PORT", param_hint="--listen")
    return host, int(port)


@click.command()
@_options
@click.option("--antennas", type=click.IntRange(1, 16), default=4, show_default=True)
@click.option("--boot-loader", is_flag=True, help="It has to be told to start its firmware.")
def thingmagic(
    link: Path | None,
    listen: str | None,
    tags: int,
    seed: int,
    trouble: str,
    antennas: int,
    boot_loader: bool,
) -> None:
    """One ThingMagic M6e; prints its URL. On standard input: off N, on N, hot, cool, power-cycle."""
    ports = tuple(range(1, antennas + 1))
    module = ThingmagicModule(ports, boot_loader=boot_loader)
    where, words = _where(link, listen), modules.thingmagic_words(module)
    _run(lambda: modules.alone(ModuleServed(module), module, where, antennas=ports, tags=tags, seed=seed,
                               trouble=maker(trouble, seed), say=click.echo), words)  # fmt: skip


@click.command()
@_options
@click.option("--framing", type=click.Choice(list(HEADS)), default="bb", show_default=True)
def m100(link: Path | None, listen: str | None, tags: int, seed: int, trouble: str, framing: str) -> None:
    """One M100 module; prints its URL. On standard input: off, on, power-cycle."""
    module = M100Module(framing)
    where = _where(link, listen)
    _run(lambda: modules.alone(ModuleServed(module), module, where, antennas=(1,), tags=tags, seed=seed,
                               trouble=maker(trouble, seed), say=click.echo), modules.m100_words(module))  # fmt: skip


def _run(program: Callable[[], Coroutine[Any, Any, None]], words: modules.Words) -> None:
    """Run until somebody asks it to stop, and do what is said on standard input."""

    def hear(line: str) -> None:
        if wrong := modules.obey(words, line):
            click.echo(wrong, err=True)

    async def until_asked() -> None:
        loop = asyncio.get_running_loop()
        task = asyncio.ensure_future(program())
        for number in (signal.SIGINT, signal.SIGTERM):
            loop.add_signal_handler(number, task.cancel)
        orders.listen(hear)
        with contextlib.suppress(asyncio.CancelledError):
            await task

    asyncio.run(until_asked())
