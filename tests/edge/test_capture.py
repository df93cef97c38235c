import asyncio
import io
from pathlib import Path

import pytest

from edge.capture import from_devices, writing
from edge.errors import RecordingError
from edge.recording import Recording
from tests.support.agent_parts import Portal


async def test_what_devices_read_becomes_a_recording(tmp_path: Path) -> None:
    out = tmp_path / "made.jsonl"
    with writing(out, io.BytesIO(), "store-042") as write:
        await from_devices([Portal(), Portal()], 0.1, asyncio.Event(), write)
    with out.open("rb") as lines:
        recording = Recording(lines)
        reads = list(recording)
    assert recording.edge == "store-042"
    assert len(reads) > 50
    assert len({(read.at_us, type(read)) for read in reads}) * 2 <= len(reads) + 2  # two portals saw the same


async def test_it_ends_when_told(tmp_path: Path) -> None:
    stop = asyncio.Event()
    stop.set()
    instead = io.BytesIO()
    with writing(None, instead, "store-042") as write:
        await from_devices([Portal()], None, stop, write)
    assert instead.getvalue().startswith(b'{"type":"recording","version":1,"edge":"store-042"}\n')


async def test_a_recording_that_cannot_be_written_is_said(tmp_path: Path) -> None:
    async def record(out: Path) -> None:
        with writing(out, io.BytesIO(), "store-042") as write:
            await from_devices([Portal()], 0.05, asyncio.Event(), write)

    with pytest.raises(RecordingError, match="/dev/full: No space left on device"):
        await record(Path("/dev/full"))
    with pytest.raises(RecordingError, match="No such file"):
        await record(tmp_path / "none" / "made.jsonl")
