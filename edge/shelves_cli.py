"""`stockbeat shelves calibrate`: the dialogue at the site, with the scale itself."""

import asyncio
import os
import stat
import sys
import time
import tomllib
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path

import click

from edge import app, weighing
from edge.calibrate.dialogue import Dialogue, Plan, mass_of
from edge.calibrate.measure import NonsenseError
from edge.calibrate.session import Ear, Session
from edge.config import EdgeConfig, load
from edge.errors import ConfigError, EdgeError, ReaderError
from edge.readers import build
from edge.readers.reader import Reader
from edge.reads import ShelfRead
from edge.shelf_config import ShelfConfig
from edge.store import lock


def _mass(ctx: click.Context, parameter: click.Parameter, text: str | None) -> float | None:
    try:
        return mass_of(text or "")
    except NonsenseError as error:
        raise click.BadParameter(str(error)) from None


@click.command()
@click.option("--config", "config_path", type=click.Path(path_type=Path), required=True,
              help="The configuration of the edge.")  # fmt: skip
@click.option("--shelf", required=True, help="Its name there.")
@click.option("--cell", type=click.IntRange(0, 65_535), help="Only this cell; all of the shelf's without.")
@click.option("--mass", callback=_mass, help="Your known mass: 2000, 2000 g or 2 kg. Asked for without.")
@click.option("--check-mass", callback=_mass, help="Another one, to check with.")
@click.option("--crosstalk/--no-crosstalk", default=True, show_default=True,
              help="Note what neighbouring cells feel of each other's load.")  # fmt: skip
@click.option("--out", type=click.Path(path_type=Path, dir_okay=False),
              help="The file to write; without, the shelf's `calibration`, or SHELF.shelf.toml.")  # fmt: skip
@click.option("--data", type=click.Path(path_type=Path, file_okay=False, exists=True),
              help="Folder of the agent's store, instead of beside the configuration.")  # fmt: skip
@click.option("--by", default="", help="Who does it, for the file.")
@click.option(
    "--yes", is_flag=True, help="Ask nothing: go on when the scale shows that a step was done, and write."
)
def calibrate(
    config_path: Path, shelf: str, cell: int | None, mass: float | None, check_mass: float | None,
    crosstalk: bool, out: Path | None, data: Path | None, by: str, yes: bool,
) -> None:  # fmt: skip
    """Calibrate a shelf: zero with empty plates, span with a known mass, and what neighbours feel.

    The agent must not run meanwhile: the scale has one link. While it runs, calibrate from the console.
    """
    try:
        config = load(config_path, calibrating=shelf)
        found = _shelf(config, shelf)
        _agent_is_stopped(config, config_path, data)
        cells = _cells(found, cell)
        target = out or _target(config_path, shelf)
        plan = Plan(cells=cells, mass=mass, check_mass=check_mass, crosstalk=crosstalk)
        asyncio.run(_calibrate(found, plan, target, by, None if yes else Lines(sys.stdin.fileno())))
    except EdgeError as error:
        click.echo(str(error), err=True)
        sys.exit(1)


def _shelf(config: EdgeConfig, name: str) -> ShelfConfig:
    for shelf in config.shelves:
        if shelf.name == name:
            if shelf.reader is None:
                raise ConfigError(f"shelf {name!r} has no reader in the configuration")
            return shelf
    there = ", ".join(shelf.name for shelf in config.shelves) or "none"
    raise ConfigError(f"shelf {name!r} is not in the configuration; its shelves: {there}")


def _agent_is_stopped(config: EdgeConfig, config_path: Path, data: Path | None) -> None:
    process = lock.holder(app.store_path(config, config_path, data))
    if process is not None:
        raise ConfigError(
            f"the agent runs (process {process}) and has the scale: stop it first, or calibrate from the page of a bay "
            "in the console"
        )


def _cells(shelf: ShelfConfig, cell: int | None) -> list[int]:
    there = sorted({cell for bay in shelf.bays for cell in bay.cells})
    if cell is None:
        return there
    if cell not in there:
        raise ConfigError(f"shelf {shelf.name!r} has no cell {cell}; its cells: {', '.join(map(str, there))}")
    return [cell]


def _target(config_path: Path, shelf: str) -> Path:
    """The file that the configuration names, whether or not it is there."""
    written = tomllib.loads(config_path.read_text("utf-8"))
    named = [each.get("calibration") for each in written.get("shelves", ()) if each.get("name") == shelf]
    return config_path.parent / (named[0] if named and named[0] else f"{shelf}.shelf.toml")


async def _calibrate(shelf: ShelfConfig, plan: Plan, target: Path, by: str, lines: "Lines | None") -> None:
    assert shelf.reader is not None
    ear = Ear(shelf.name, (cell for bay in shelf.bays for cell in bay.cells))
    session = Session(ear, shelf.calibration.values if shelf.calibration else None)
    reader = build(shelf.reader, shelf.name, lambda: time.monotonic_ns() // 1000)
    dialogue = Dialogue(
        session, say=click.echo, ask=lines.ask if lines else None, sleep=asyncio.sleep, now_s=time.monotonic
    )
    listening = asyncio.create_task(_listen(reader, ear))
    talking = asyncio.create_task(_talk(dialogue, session, plan, target, by, lines))
    try:
        done, _ = await asyncio.wait({listening, talking}, return_when=asyncio.FIRST_COMPLETED)
        for task in done:
            task.result()
    finally:
        for task in (listening, talking):
            task.cancel()
        await asyncio.wait({listening, talking})


async def _listen(reader: Reader, ear: Ear) -> None:
    """Raises ReaderError: the scale cannot be read."""
    async with reader.open() as reads:
        async for batch in reads:
            ear.hear([each for each in batch if isinstance(each, ShelfRead)])
    raise ReaderError(f"{reader.name}: the scale has gone")


async def _talk(
    dialogue: Dialogue, session: Session, plan: Plan, target: Path, by: str, lines: "Lines | None"
) -> None:
    await dialogue.run(plan)
    now = datetime.now(UTC).replace(microsecond=0)  # noqa: TID251 - the file says when it was written
    found = session.found(now, by)
    if lines is not None:
        answer = (await lines.ask(f"Write {target}? (Enter: yes, n: no) ")).strip().lower()
        if answer.startswith("n"):
            click.echo("nothing is written")
            return
    _write(target, weighing.written(found))
    click.echo(f"written: {target}")
    click.echo(
        f'name it in the configuration of the shelf, if it does not yet: calibration = "{target.name}"'
    )


def _write(target: Path, text: str) -> None:
    """All of it or nothing. Raises ConfigError."""
    made = target.with_name(target.name + ".new")
    try:
        made.write_text(text, "utf-8")
        os.replace(made, target)
    except OSError as error:
        with suppress(OSError):
            made.unlink(missing_ok=True)
        raise ConfigError(f"{target}: {error.strerror or error}") from error


class Lines:
    """What a person types, a line at a time, without a thread that would outlive Ctrl-C."""

    def __init__(self, file: int) -> None:
        self._file = file
        self._typed = b""
        self._ended = False

    async def ask(self, question: str) -> str:
        """Raises NonsenseError: nobody is there to answer."""
        click.echo(question, nl=False)
        while b"\n" not in self._typed and not self._ended:
            await self._more()
        line, newline, self._typed = self._typed.partition(b"\n")
        if not newline and not line:
            raise NonsenseError("nobody answers: run it in a terminal, or with --yes")
        return line.decode("utf-8", "replace").strip()

    async def _more(self) -> None:
        if not _can_wait(self._file):
            self._take(os.read(self._file, 65_536))  # a plain file never lets anybody wait
            return
        loop = asyncio.get_running_loop()
        ready = asyncio.Event()
        loop.add_reader(self._file, ready.set)
        try:
            await ready.wait()
        finally:
            loop.remove_reader(self._file)
        try:
            self._take(os.read(self._file, 4096))
        except OSError:
            self._ended = True  # the terminal has gone

    def _take(self, typed: bytes) -> None:
        self._typed += typed
        self._ended = not typed


def _can_wait(file: int) -> bool:
    mode = os.fstat(file).st_mode
    return stat.S_ISFIFO(mode) or stat.S_ISSOCK(mode) or os.isatty(file)
