"""What `edge status` shows: from the store, read-only, and from what the agent last said of itself."""

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

from edge import health
from edge.clock import moment
from edge.store import lock, meta, outbox
from edge.store.schema import open_to_read
from wire.messages import Telemetry

# The agent dates its health by the clock that it works by, and writes it at once: so far apart, it played a recording.
PLAYED = timedelta(seconds=60)


def lines(store: Path, now_us: int) -> Iterator[str]:
    """Yields `name<tab>value` lines.

    Raises:
        StoreError: there is no store, or it cannot be read.
    """
    connection = open_to_read(store)
    try:
        process = lock.holder(store)
        newest = outbox.newest_run(connection)
        counts = outbox.counts(connection)
        trusted = meta.trusted(connection)
        runs = outbox.held(connection)
    finally:
        connection.close()
    yield f"store\t{store}"
    yield f"agent\t{f'running, process {process}' if process else 'not running'}"
    if newest:
        yield f"run\t{newest[0]}, {newest[1]} events said"
    yield f"ledger\t{f'{trusted.ledger}, generation {trusted.generation}' if trusted else 'none has answered yet'}"
    yield f"held\t{counts.waiting} events not acknowledged"
    if counts.oldest_us is not None:
        yield f"oldest\t{max(now_us - counts.oldest_us, 0) / 1e6:.1f} s, of {moment(counts.oldest_us).isoformat()}"
    yield f"quarantined\t{counts.quarantined} events"
    for run in runs:
        yield from (f"quarantined\trun {run.run}, event {seq}" for seq in run.quarantined)
    if said := health.read(store):
        yield from _said(*said)


def _said(telemetry: Telemetry, written_us: int) -> Iterator[str]:
    written = moment(written_us)
    yield f"health\tas of {written.isoformat()}"
    if abs(written - telemetry.at) > PLAYED:
        yield f"recording\tplayed to {telemetry.at.isoformat()}, the times below are its own"
    yield f"disk\t{telemetry.agent.disk_free_bytes // 1_000_000} MB free"
    yield f"journal\t{telemetry.agent.journal_bytes // 1_000_000} MB"
    for fault in telemetry.agent.faults:
        yield f"fault\t{fault}"
    for device in telemetry.devices:
        words = f", {device.reason}" if device.reason else f", {device.reads_per_s:.1f} reads/s"
        yield f"device\t{device.device}\t{device.state.value} since {device.since.isoformat()}{words}"
    for level in telemetry.levels:
        units = "?" if level.units is None else level.units
        yield f"level\t{level.shelf}\t{level.bay}\t{units} units, {level.grams:.0f} g"
