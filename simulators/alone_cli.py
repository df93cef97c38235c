"""What the commands of `simulate` have in common that run one device by itself: its options, its address, its end."""

import asyncio
import contextlib
import signal
from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import Any

import click

from simulators import orders
from simulators.link import Where
from simulators.trouble import TROUBLES, parse

TROUBLE_HELP = f"NAME or NAME:SECONDS of {', '.join(TROUBLES)}."


def known_trouble(context: click.Context, option: click.Parameter, words: str) -> str:
    try:
        parse(words)
    except ValueError as error:
        raise click.BadParameter(str(error)) from error
    return words


link_option = click.option("--link", type=click.Path(path_type=Path), help="Symlink to make to its port.")
listen_option = click.option(
    "--listen", help="HOST:PORT instead, as behind a serial server; port 0 is a free one."
)
seed_option = click.option(
    "--seed",
    type=click.IntRange(0),
    default=1,
    show_default=True,
    help="The same seed, the same noise and tags.",
)
trouble_option = click.option("--trouble", default="none", callback=known_trouble, help=TROUBLE_HELP)


def address(listen: str) -> tuple[str, int]:
    """The host and the port of `--listen`."""
    host, mark, port = listen.rpartition(":")
    if not mark or not port.isdecimal():
        raise click.BadParameter(f"{listen!r} should be HOST:PORT", param_hint="--listen")
    return host, int(port)


def place(link: Path | None, listen: str | None) -> Where:
    """Where a device is to be found that has a serial line, or a port instead."""
    if link is not None and listen is None:
        return link
    if link is None and listen is not None:
        return address(listen)
    raise click.UsageError("say either --link PATH or --listen HOST:PORT")


def run(program: Callable[[], Coroutine[Any, Any, None]], hear: Callable[[str], None]) -> None:
    """Run until somebody asks it to stop, and have each line of standard input heard."""

    async def until_asked() -> None:
        loop = asyncio.get_running_loop()
        task = asyncio.ensure_future(program())
        for number in (signal.SIGINT, signal.SIGTERM):
            loop.add_signal_handler(number, task.cancel)
        orders.listen(hear)
        with contextlib.suppress(asyncio.CancelledError):
            await task

    asyncio.run(until_asked())
