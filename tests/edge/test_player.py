"""A recording played through the agent's own parts: what it was is what the journal then has."""

import asyncio
import time
from datetime import UTC, datetime
from pathlib import Path

import pytest

from edge.capture import journalled
from edge.player import clock_at, play
from edge.reads import TimedRead, later
from tests.support.agent_parts import Parts
from tests.support.doors import START_US, going_in, walk

HOUR_US = 3_600_000_000
SINCE = datetime(2025, 1, 1, tzinfo=UTC)


def crossing(step_us: int) -> list[TimedRead]:
    """The wall clock is set half-way through."""
    reads = walk("3074257BF7194E4000001A85", going_in(5.0))
    half = len(reads) // 2
    return [
        (read.at_us // 1000, later(read, step_us if number >= half else 0))
        for number, read in enumerate(reads)
    ]


@pytest.mark.parametrize("step_us", [0, HOUR_US, -HOUR_US])
async def test_what_is_played_is_journalled_as_it_was_lived(tmp_path: Path, step_us: int) -> None:
    parts = Parts(tmp_path)
    engine = asyncio.create_task(parts.engine.run())
    timed = crossing(step_us)
    await play(
        iter(timed), clock=parts.clock, devices=parts.devices, engine=parts.engine, speed=100.0,
        now_s=time.monotonic,
    )  # fmt: skip
    parts.engine.stop()
    await engine
    await parts.engine.finish()
    with journalled(tmp_path / "edge.db", SINCE, None) as found:
        journal = list(found)
    await parts.close()
    assert [read for _, read in journal] == [read for _, read in timed]
    assert [ms for ms, _ in journal] == pytest.approx([ms for ms, _ in timed], abs=2)


def test_a_recordings_clock_begins_with_its_first_read() -> None:
    (_, read), *_ = crossing(0)
    clock = clock_at((read.at_us // 1000, read))
    assert (clock.now_us(), clock.steady_us()) == (read.at_us, read.at_us)
    set_by_a_day = clock_at((START_US // 1000, later(read, 24 * HOUR_US)))
    assert set_by_a_day.now_us() == read.at_us + 24 * HOUR_US
    assert set_by_a_day.now_ms() == START_US // 1000
