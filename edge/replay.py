"""Runs a recording through the very same aggregator as the agent: no device, no clock, and twice the same bytes."""

from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import BinaryIO

from pydantic import TypeAdapter

from edge.aggregator.aggregator import Aggregator
from edge.aggregator.found import Recorder
from edge.build import aggregator_of
from edge.config import EdgeConfig, load
from edge.errors import RecordingError
from edge.fit import Site
from edge.reads import TimedRead
from wire.events import Event

BOOT = "replay"
# Ends the last passage and the last change of a recording: longer than either can be held open.
AFTER_THE_END_MS = 600_000
_EVENT: TypeAdapter[Event] = TypeAdapter(Event)


def replay(config: EdgeConfig, lines: Iterable[bytes]) -> Iterator[bytes]:
    """The events of a recording, each as JSON on a line of its own without the newline, as the wire would carry it.

    Raises:
        RecordingError: the recording cannot be read, or is not of this configuration's gates and shelves; what came
            before the bad line has been yielded.
    """
    for event in events(config, lines):
        yield _EVENT.dump_json(event, exclude_none=True)


def events(
    config: EdgeConfig, lines: Iterable[bytes], *, recorder: Recorder | None = None
) -> Iterator[Event]:
    """As `replay`, the values themselves. `recorder` is told of every passage that is decided, and why."""
    aggregator = aggregator_of(config, boot=BOOT, recorder=recorder)
    devices = [gate.name for gate in config.gates] + [shelf.name for shelf in config.shelves]
    yield from played(aggregator, devices, Site(config).timed(lines))


def played(aggregator: Aggregator, devices: Sequence[str], reads: Iterable[TimedRead]) -> Iterator[Event]:
    """What an aggregator that begins with the first read, all its `devices` up, says until long after the last."""
    newest_ms: int | None = None
    at_us = 0  # wall time at `newest_ms`
    for mono_ms, read in reads:
        if newest_ms is None:
            newest_ms, at_us = mono_ms, read.at_us
            for name in devices:
                yield from aggregator.device_up(name, mono_ms, at_us)
        elif mono_ms > newest_ms:
            newest_ms, at_us = mono_ms, read.at_us
            yield from aggregator.advance(mono_ms, at_us)
        yield from aggregator.observe(read, mono_ms)
    if newest_ms is not None:
        yield from aggregator.advance(newest_ms + AFTER_THE_END_MS, at_us + 1000 * AFTER_THE_END_MS)


def replay_file(config: Path, recording: str, *, stdin: BinaryIO, out: BinaryIO) -> None:
    """What `stockbeat replay CONFIG RECORDING` does; `-` reads standard input.

    Raises:
        ConfigError: the configuration is wrong.
        RecordingError: the recording cannot be opened or read.
    """
    checked = load(config)
    if recording == "-":
        _print(checked, stdin, out)
        return
    with _opened(Path(recording)) as lines:
        try:
            _print(checked, lines, out)
        except RecordingError as error:
            raise RecordingError(f"{recording}: {error}") from error


def _opened(recording: Path) -> BinaryIO:
    try:
        return recording.open("rb")
    except OSError as error:
        raise RecordingError(f"{recording}: {error.strerror or error}") from error


def _print(config: EdgeConfig, lines: Iterable[bytes], out: BinaryIO) -> None:
    for line in replay(config, lines):
        out.write(line + b"\n")
    out.flush()
