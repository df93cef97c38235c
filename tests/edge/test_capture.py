import asyncio
import io
from datetime import UTC, datetime
from pathlib import Path

import pytest

from edge.capture import from_devices, journalled, writing
from edge.clock import PlayedClock
from edge.errors import RecordingError
from edge.reads import GateRead, TagRead, later
from edge.recording import Recording
from edge.store.store import Cycle, Store
from tests.support.agent_parts import Portal, started
from tests.support.doors import START_US, going_in, walk

AHEAD_US = 5_000_000


def clock() -> PlayedClock:
    """Of which nothing is later; its wall is five seconds ahead of the steady time that readers date by."""
    return PlayedClock(START_US, AHEAD_US)


async def test_what_devices_read_becomes_a_recording(tmp_path: Path) -> None:
    out = tmp_path / "made.jsonl"
    with writing(out, io.BytesIO(), "store-042") as write:
        await from_devices([Portal(), Portal()], clock(), 0.1, asyncio.Event(), write)
    with out.open("rb") as lines:
        recording = Recording(lines)
        timed = list(recording.timed())
        reads = [read for _, read in timed]
    assert recording.edge == "store-042"
    assert len(reads) > 50
    assert len({(read.at_us, type(read)) for read in reads}) * 2 <= len(reads) + 2  # two portals saw the same
    assert recording.steady
    assert {read.at_us // 1000 - mono_ms for mono_ms, read in timed} == {AHEAD_US // 1000}


def test_a_recording_cut_from_a_journal_has_the_steady_time_of_each_read(tmp_path: Path) -> None:
    crossing: list[TagRead] = walk("3074257BF7194E4000001A85", going_in(5.0))
    half = len(crossing) // 2
    # The wall clock was set back by an hour, half-way through.
    timed: list[tuple[int, GateRead]] = [
        (read.at_us // 1000, read if number < half else back(read)) for number, read in enumerate(crossing)
    ]
    store = Store(tmp_path / "edge.db", "store-042", now_us=lambda: 1)
    store.start_run(started)
    store.commit(Cycle(said=(), state=None, position=0, reads=timed, steady_ms=1))
    store.close()
    since, out = datetime(2025, 11, 22, 8, tzinfo=UTC), tmp_path / "cut.jsonl"
    with (
        journalled(tmp_path / "edge.db", since, None) as reads,
        writing(out, io.BytesIO(), "store-042") as write,
    ):
        write(list(reads))
    with out.open("rb") as lines:
        assert list(Recording(lines).timed()) == timed


def back(read: TagRead) -> TagRead:
    found = later(read, -3_600_000_000)
    assert isinstance(found, TagRead)
    return found


async def test_it_ends_when_told(tmp_path: Path) -> None:
    stop = asyncio.Event()
    stop.set()
    instead = io.BytesIO()
    with writing(None, instead, "store-042") as write:
        await from_devices([Portal()], clock(), None, stop, write)
    assert instead.getvalue().startswith(b'{"type":"recording","version":1,"edge":"store-042"}\n')


async def test_a_recording_that_cannot_be_written_is_said(tmp_path: Path) -> None:
    async def record(out: Path) -> None:
        with writing(out, io.BytesIO(), "store-042") as write:
            await from_devices([Portal()], clock(), 0.05, asyncio.Event(), write)

    with pytest.raises(RecordingError, match="/dev/full: No space left on device"):
        await record(Path("/dev/full"))
    with pytest.raises(RecordingError, match="No such file"):
        await record(tmp_path / "none" / "made.jsonl")
