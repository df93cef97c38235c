"""`stockbeat demo`: words -> one site -> exit code."""

import json
import signal
import socket
import tempfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import click

from stockbeat.broker import free_port
from stockbeat.demo.feed import Feed
from stockbeat.demo.processes import ProcessError
from stockbeat.demo.report import make
from stockbeat.demo.site import Site, running

QUIET_S = 10.0  # at the end of a bounded run nothing moves, so that everything decided is also booked
SETTLE_S = (
    10.0  # after the world has ended: what was put last is said 15 s later, the last passage long before
)
WEB_PORT = 8000
DAY_S = 86_400.0


@click.command()
@click.option(
    "--for",
    "last_s",
    type=click.FloatRange(20, DAY_S),
    help="Run so many seconds without a console to watch, report, end.",
)
@click.option(
    "--seed",
    type=click.IntRange(0),
    default=1,
    show_default=True,
    help="Which world: the same seed, the same goods moving.",
)
@click.option(
    "--report",
    type=click.Path(path_type=Path, dir_okay=False),
    help="Where to write truth, ledger, differences, latencies.",
)
@click.option(
    "--data",
    type=click.Path(path_type=Path, file_okay=False),
    help="Keep the files here; left out, a temporary folder.",
)
@click.option(
    "--port", type=click.IntRange(1, 65535), help=f"The console's port; left out, {WEB_PORT} or a free one."
)
def demo(last_s: float | None, seed: int, report: Path | None, data: Path | None, port: int | None) -> None:
    """A whole simulated site on this machine: dock doors, shelves, edge, broker, cloud and console."""
    _check(last_s, report, port)
    with _folder(data) as folder, _until_asked_to_stop() as stopped:
        site = Site(
            folder, seed=seed, last_s=last_s or DAY_S, quiet_s=QUIET_S, web_port=port or _usual_port()
        )
        try:
            with running(site):
                click.echo(f"Console: {site.web}")
                feed = Feed(f"{site.web}/events")
                ended = _watch(site, stopped)
                feed.stop()
                if last_s is None:
                    return
                if not ended:
                    raise click.ClickException(
                        f"stopped before the {last_s:g} s were over: nothing to report"
                    )
                findings = make(site, feed)
        except ProcessError as error:
            raise click.ClickException(str(error)) from error
    if report:
        report.write_text(json.dumps(findings, indent=2) + "\n", "utf-8")
    for difference in findings["differences"]:
        click.echo(difference, err=True)
    click.echo(
        f"{findings['truth']['happened']} things happened, {len(findings['ledger']['movements'])} movements booked, "
        f"{len(findings['differences'])} differences; latency {json.dumps(findings['latency_s'])}"
    )
    raise SystemExit(1 if findings["differences"] else 0)


def _check(last_s: float | None, report: Path | None, port: int | None) -> None:
    """Say now what would otherwise be found after the run."""
    if report and last_s is None:
        raise click.UsageError("--report needs --for: without it the demo has no end to report of")
    if report:
        try:
            report.open("a").close()
        except OSError as error:
            raise click.UsageError(f"--report: {report} cannot be written: {error.strerror}") from None
    if port and not _free(port):
        raise click.UsageError(f"--port: something else listens on 127.0.0.1:{port}")


def _watch(site: Site, stopped: threading.Event) -> bool:
    """Return True once the world has ended and settled, False when asked to stop. Raises ProcessError."""
    while not site.world_ended:
        if stopped.wait(0.2):
            return False
        if error := site.died():
            raise error
    return not stopped.wait(SETTLE_S)


@contextmanager
def _folder(data: Path | None) -> Iterator[Path]:
    if data is not None:
        data.mkdir(parents=True, exist_ok=True)
        if any(data.iterdir()):
            raise click.UsageError(
                f"{data} is not empty: every demo begins a new world, so name a new folder"
            )
        yield data.resolve()
        return
    with tempfile.TemporaryDirectory(prefix="stockbeat-demo-") as folder:
        yield Path(folder)


@contextmanager
def _until_asked_to_stop() -> Iterator[threading.Event]:
    """Turn Ctrl-C and SIGTERM into an event, so that every part is stopped in order."""
    stopped = threading.Event()
    before = {
        number: signal.signal(number, lambda *_: stopped.set()) for number in (signal.SIGINT, signal.SIGTERM)
    }
    try:
        yield stopped
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _usual_port() -> int:
    """The port people expect, unless somebody has it."""
    return WEB_PORT if _free(WEB_PORT) else free_port()


def _free(port: int) -> bool:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)  # one that was just closed is free
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True
