"""The edge's command line. Parses words, calls one function, turns errors into exit codes."""

import asyncio
import functools
import signal
import sys
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import ParamSpec

import click

from edge import app, capture, status, trust
from edge.clock import SteadyClock
from edge.config import EdgeConfig, load, load_to_run
from edge.errors import EdgeError
from edge.readers import ReaderConfig
from edge.replay import replay_file

P = ParamSpec("P")
CONFIG = click.argument("config_path", metavar="CONFIG", type=click.Path(path_type=Path))
DATA = click.option(
    "--data",
    type=click.Path(path_type=Path, file_okay=False, exists=True),
    help="Folder of the store, instead of beside CONFIG.",
)


def _errors_said(command: Callable[P, None]) -> Callable[P, None]:
    """One clear message on standard error, and exit code 1."""

    @functools.wraps(command)
    def said(*args: P.args, **kwargs: P.kwargs) -> None:
        try:
            command(*args, **kwargs)
        except EdgeError as error:
            click.echo(str(error), err=True)
            sys.exit(1)

    return said


@click.group()
def edge() -> None:
    """The agent at a site: reads gates and shelves, keeps what moved, sends it to the cloud."""


@edge.command()
@CONFIG
@_errors_said
def check(config_path: Path) -> None:
    """Check CONFIG and list its gates, shelves and readers; touches no device."""
    config = load(config_path)
    for gate in config.gates:
        click.echo(
            f"gate\t{gate.name}\t{_driver(gate.reader)}\tantennas {', '.join(map(str, gate.antennas))}"
            + (f"\tcalibration {gate.calibration.path.name}" if gate.calibration else "")
        )
    for shelf in config.shelves:
        bays = ", ".join(bay.name for bay in shelf.bays)
        click.echo(f"shelf\t{shelf.name}\t{_driver(shelf.reader)}\tbays {bays}")


@edge.command()
@CONFIG
@DATA
@click.option("--recording", type=click.Path(path_type=Path), help="Play this in place of the devices.")
@click.option("--speed", type=click.FloatRange(min=0, min_open=True), default=1.0, show_default=True,
              help="How many times as fast as it was recorded.")  # fmt: skip
@click.option("--linger", type=click.FloatRange(min=0), default=60.0, show_default=True,
              help="Seconds to wait for the last acknowledgements of a recording.")  # fmt: skip
@_errors_said
def run(config_path: Path, data: Path | None, recording: Path | None, speed: float, linger: float) -> None:
    """Run the agent of CONFIG until it is told to stop (SIGTERM or Ctrl-C)."""
    config = load(config_path) if recording else load_to_run(config_path)
    recorded = app.Recorded(recording, speed, linger) if recording else None
    again: EdgeConfig | None = config
    while again is not None:
        again = asyncio.run(_run(again, config_path, app.store_path(again, config_path, data), recorded))


@edge.command()
@CONFIG
@DATA
@click.option(
    "--out", type=click.Path(path_type=Path, dir_okay=False), help="File to write; standard output without."
)
@click.option("--for", "for_s", type=click.FloatRange(min=0), help="Seconds to record; until Ctrl-C without.")
@click.option("--from-journal", is_flag=True, help="Cut it from the agent's journal, which may be running.")
@click.option(
    "--since",
    type=click.DateTime(["%Y-%m-%dT%H:%M:%S%z", "%Y-%m-%dT%H:%M:%S"]),
    help="UTC unless it says otherwise.",
)
@click.option(
    "--until", type=click.DateTime(["%Y-%m-%dT%H:%M:%S%z", "%Y-%m-%dT%H:%M:%S"]), help="As --since."
)
@_errors_said
def record(
    config_path: Path,
    data: Path | None,
    out: Path | None,
    for_s: float | None,
    from_journal: bool,
    since: datetime | None,
    until: datetime | None,
) -> None:
    """Record raw reads of CONFIG's devices, or cut them from the agent's journal."""
    if from_journal:
        config = load(config_path)
        store = app.store_path(config, config_path, data)
        with (
            capture.journalled(store, _utc(since), _utc(until)) as reads,
            capture.writing(out, sys.stdout.buffer, config.edge) as write,
        ):
            for timed in reads:
                write([timed])
        return
    config = load_to_run(config_path)
    with capture.writing(out, sys.stdout.buffer, config.edge) as write:
        asyncio.run(_record(config, for_s, write))


@edge.command(name="status")
@CONFIG
@DATA
@_errors_said
def status_(config_path: Path, data: Path | None) -> None:
    """Show what the agent of CONFIG holds, and how it is."""
    config = load(config_path)
    for line in status.lines(app.store_path(config, config_path, data), app.wall_us()):
        click.echo(line)


@edge.command(name="trust")
@CONFIG
@click.argument("ledger")
@DATA
@_errors_said
def trust_(config_path: Path, ledger: str, data: Path | None) -> None:
    """Let acknowledgements of LEDGER count from now on, and those of the one before no more."""
    config = load(config_path)
    trust.ask(app.store_path(config, config_path, data), ledger)
    click.echo(f"{ledger} is to be trusted: a running agent takes it within a second, another when it starts")


@click.command()
@CONFIG
@click.argument("recording")
@_errors_said
def replay(config_path: Path, recording: str) -> None:
    """Run RECORDING (- for standard input) through the aggregator of CONFIG and print the events as JSON Lines."""
    replay_file(config_path, recording, stdin=sys.stdin.buffer, out=sys.stdout.buffer)


async def _run(
    config: EdgeConfig, config_path: Path, store: Path, recorded: app.Recorded | None
) -> EdgeConfig | None:
    return await app.run(config, config_path, store, _stop_when_told(), recorded)


async def _record(config: EdgeConfig, for_s: float | None, write: capture.Write) -> None:
    clock = SteadyClock(app.wall_us, app.monotonic_ns)
    await capture.from_devices(app.readers(config, clock.steady_us), clock, for_s, _stop_when_told(), write)


def _stop_when_told() -> asyncio.Event:
    stop = asyncio.Event()
    for told in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(told, stop.set)
    return stop


def _driver(reader: ReaderConfig | None) -> str:
    return f"{reader.driver} {reader.url}" if reader else "no reader"


def _utc(at: datetime | None) -> datetime | None:
    return at.replace(tzinfo=UTC) if at is not None and at.tzinfo is None else at
