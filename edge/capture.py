"""Recordings made at a site: of its devices now, or cut from the agent's journal."""

import asyncio
import contextlib
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import BinaryIO

from edge.clock import EPOCH, Clock
from edge.errors import RecordingError, StoreError
from edge.readers.reader import Reader
from edge.reads import Read, TimedRead, later
from edge.recording import LATEST, heading, line
from edge.store import journal
from edge.store.schema import open_to_read
from edge.supervise import Backoff, supervise

Write = Callable[[Sequence[TimedRead]], None]
MICROSECONDS = 1_000_000


@contextmanager
def writing(out: Path | None, instead: BinaryIO, edge: str) -> Iterator[Write]:
    """A recording in the file `out`, or in `instead` when there is none; its heading is written at once.

    Raises:
        RecordingError: it cannot be written.
    """
    try:
        file = out.open("wb") if out else instead
        try:
            file.write(heading(edge))

            def write(reads: Sequence[TimedRead]) -> None:
                file.writelines(line(read, mono_ms) for mono_ms, read in reads)

            yield write
            file.flush()
        finally:
            if out:
                file.close()
    except OSError as error:
        raise RecordingError(f"{out or 'standard output'}: {error.strerror or error}") from error


@contextmanager
def journalled(store: Path, since: datetime | None, until: datetime | None) -> Iterator[Iterator[TimedRead]]:
    """What gates read in a span of the wall clock's time, cut from the journal of a store, in use or not.

    Raises:
        StoreError: there is no such store; at once, so that nothing need be written before.
    """
    from_us, to_us = _us(since or EPOCH), _us(until or LATEST)
    connection = open_to_read(store)
    try:
        yield journal.between(connection, from_us, to_us)
    finally:
        connection.close()


async def from_devices(
    readers: Sequence[Reader], clock: Clock, for_s: float | None, stop: asyncio.Event, write: Write
) -> None:
    """Write what the devices say, until `stop` or for some seconds; a device that fails is tried again.

    `clock`: the readers date by its steady time, which is written beside the wall's as it is when a read comes.
    """

    async def emit(reads: Sequence[Read]) -> None:
        ahead_us = clock.ahead_us()
        write([(clock.ms_of(read.at_us), later(read, ahead_us)) for read in reads])

    try:
        async with asyncio.TaskGroup() as tasks:
            reading = [
                tasks.create_task(supervise(reader, emit, up=_nothing, down=_nothing, backoff=Backoff()))
                for reader in readers
            ]
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(for_s):
                    await stop.wait()
            for task in reading:
                task.cancel()
    except BaseExceptionGroup as group:
        if found := group.subgroup(OSError):
            raise found.exceptions[0] from group  # of `write`: the recording's file, not a device
        raise


def _nothing(name: str, words: str) -> None:
    """The supervisor has logged it."""


def _us(at: datetime) -> int:
    try:
        return round((at - EPOCH).total_seconds() * MICROSECONDS)
    except OverflowError as error:
        raise StoreError(f"{at}: {error}") from error
