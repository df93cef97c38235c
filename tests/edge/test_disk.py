"""A disk that gets short: reading stops and says so, and when it goes on the blind time is told."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from edge.clock import PlayedClock
from edge.devices import Devices
from edge.disk import Disk
from edge.engine import Engine
from edge.reads import Read
from edge.stamps import Stamps
from edge.store.space import Room, free_bytes
from edge.store.store import Store
from edge.store.thread import StoreThread
from edge.uplink.flow import Flow
from tests.edge.test_engine import aggregator, started
from tests.support.doors import START_US, going_in, walk
from wire import codec
from wire.events import Blind, DeviceDown, DeviceUp


class Portal:
    """A reader that connects at once, reads one crossing, and then sees nothing more."""

    name = "dock-1"
    detail = "firmware 1"
    clock_offset_ms = 12.5

    def __init__(self) -> None:
        self.opened = 0

    @asynccontextmanager
    async def open(self) -> AsyncIterator[AsyncIterator[Sequence[Read]]]:
        self.opened += 1
        yield self._reads()

    async def _reads(self) -> AsyncIterator[Sequence[Read]]:
        yield walk("3074257BF7194E4000001A85", going_in(5.0))
        await asyncio.Event().wait()


class Parts:
    def __init__(self, folder: Path) -> None:
        self.store = Store(folder / "edge.db", "store-042", now_us=lambda: 1)
        self.store.start_run(started)
        self.thread = StoreThread()
        self.clock = PlayedClock(START_US)
        self.stamps = Stamps(self.clock, "b")
        self.seconds = 0.0
        self.flow = Flow(self.store.held(), None, chance=lambda: 0.0, fault_s=60.0)
        watched = aggregator()
        self.engine = Engine(
            self.store, self.thread, watched, self.clock, said=lambda: None, full=lambda: self.disk.full()
        )
        self.devices = Devices(
            ["dock-1"], self.engine, watched, self.clock, self.stamps,
            now_s=lambda: self.seconds, seen_us=START_US - 1,
        )  # fmt: skip
        self.disk = Disk(
            self.store, self.thread, self.engine, self.devices, self.flow, self.clock, self.stamps,
            keep_us=1, reserve=0,
        )  # fmt: skip
        self.portal = Portal()
        self.reading: asyncio.Task[None] | None = None

    async def connect(self) -> None:
        self.reading = asyncio.create_task(self.devices.run([self.portal]))
        await self.opened(1)

    async def opened(self, times: int) -> None:
        async with asyncio.timeout(5):
            # A portal tells its test nothing: it is looked at.
            while self.portal.opened < times or not self.devices.health()[0].last_read_at:  # noqa: ASYNC110
                await asyncio.sleep(0.001)

    async def said(self) -> list[DeviceUp | DeviceDown | Blind]:
        await self.engine.cycle()
        await self.engine.cycle()
        lines = self.store.lines(self.store.run, range(2, self.store.last_seq + 1))
        events = [codec.decode(line).event for _, line in lines]
        return [event for event in events if isinstance(event, DeviceUp | DeviceDown | Blind)]

    async def close(self) -> None:
        if self.reading:
            self.reading.cancel()
            await asyncio.wait([self.reading])
        self.thread.close()
        self.store.close()


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
