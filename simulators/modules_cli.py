"""`simulate thingmagic` and `simulate m100`: serial modules, one at a time."""

from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import Any, TypeVar

import click

from simulators import alone_cli, modules
from simulators.m100.module import HEADS
from simulators.m100.module import Module as M100Module
from simulators.module_line import Served as ModuleServed
from simulators.thingmagic.module import Module as ThingmagicModule
from simulators.trouble import maker

F = TypeVar("F", bound=Callable[..., Any])


def _options(command: F) -> F:
    for option in (
        alone_cli.trouble_option,
        alone_cli.seed_option,
        click.option("--tags", type=click.IntRange(0, 1000), default=5, show_default=True, help="Standing before it."),
        alone_cli.listen_option,
        alone_cli.link_option,
    ):  # fmt: skip
        command = option(command)
    return command


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
    where, words = alone_cli.place(link, listen), modules.thingmagic_words(module)
    _run(lambda: modules.alone(ModuleServed(module), module, where, antennas=ports, tags=tags, seed=seed,
                               trouble=maker(trouble, seed), say=click.echo), words)  # fmt: skip


@click.command()
@_options
@click.option("--framing", type=click.Choice(list(HEADS)), default="bb", show_default=True)
def m100(link: Path | None, listen: str | None, tags: int, seed: int, trouble: str, framing: str) -> None:
    """One M100 module; prints its URL. On standard input: off, on, power-cycle."""
    module = M100Module(framing)
    where = alone_cli.place(link, listen)
    _run(lambda: modules.alone(ModuleServed(module), module, where, antennas=(1,), tags=tags, seed=seed,
                               trouble=maker(trouble, seed), say=click.echo), modules.m100_words(module))  # fmt: skip


def _run(program: Callable[[], Coroutine[Any, Any, None]], words: modules.Words) -> None:
    """Run until somebody asks it to stop, and do what is said on standard input."""

    def hear(line: str) -> None:
        if wrong := modules.obey(words, line):
            click.echo(wrong, err=True)

    alone_cli.run(program, hear)
