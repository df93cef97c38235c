"""A disk that gets short: reading stops and says so, and when it goes on the blind time is told."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from edge.store.space import Room, free_bytes
from tests.support.agent_parts import Parts
from tests.support.doors import START_US
from wire.events import Blind, DeviceDown, DeviceUp


@pytest.fixture
async def parts(tmp_path: Path) -> AsyncIterator[Parts]:
    made = Parts(tmp_path)
    yield made
    await made.close()


async def test_at_the_reserve_reading_stops_and_later_the_blind_time_is_told(parts: Parts) -> None:
    await parts.connect()
    await parts.disk.look()
    assert (parts.disk.room, parts.disk.faults) == (Room.PLENTY, [])

    parts.disk.reserve = free_bytes(parts.store.path.parent) * 2
    parts.clock.set(START_US + 10_000_000)
    await parts.disk.look()
    assert parts.disk.room is Room.NONE
    assert "reading has stopped" in parts.disk.faults[0]
    await asyncio.sleep(0.01)
    await parts.disk.look()
    up, down = await parts.said()
    assert isinstance(up, DeviceUp)
    assert isinstance(down, DeviceDown)
    assert (up.detail, down.reason) == ("firmware 1", "the disk is full: reading has stopped")
    assert parts.portal.opened == 1

    parts.disk.reserve = 0
    parts.clock.set(START_US + 70_000_000)
    await parts.disk.look()
    assert parts.disk.faults == []
    await parts.opened(2)
    blind, again = (await parts.said())[2:4]
    assert isinstance(blind, Blind)
    assert (blind.device, (blind.to_at - blind.from_at).total_seconds()) == ("dock-1", 60.0)
    assert isinstance(again, DeviceUp)


async def test_history_goes_before_reading_stops(parts: Parts) -> None:
    await parts.connect()
    await parts.said()
    await parts.engine.finish()
    assert parts.store.journal_bytes > 0
    parts.disk.reserve = free_bytes(parts.store.path.parent) // 3 * 2
    await parts.disk.look()
    assert parts.store.journal_bytes == 0
    assert parts.disk.room is Room.TIGHT
    assert "the disk is short" in parts.disk.faults[0]


async def test_what_a_device_is_doing_is_known(parts: Parts) -> None:
    before = parts.devices.health()[0]
    assert (before.state, before.reason) == ("down", "not connected yet")
    await parts.connect()
    health = parts.devices.health()[0]
    assert (health.state, health.reason, health.clock_offset_ms) == ("up", "", 12.5)
    assert health.reads_per_s > 5
    parts.seconds = 6.0
    assert parts.devices.health()[0].reads_per_s == 0


async def test_nothing_is_complete_before_a_reader_had_time_to_hand_over_what_it_held(parts: Parts) -> None:
    await parts.connect()
    parts.clock.set(START_US + 60_000_000)
    assert parts.devices.complete_to_us() == START_US - 1
    parts.seconds = 10.0
    assert parts.devices.complete_to_us() == START_US + 60_000_000
    parts.devices.down("dock-1", "unplugged")
    parts.clock.set(START_US + 100_000_000)
    parts.devices.up("dock-1", "")
    parts.devices.down("dock-1", "unplugged again")
    assert parts.devices.complete_to_us() == START_US + 60_000_000
