"""The agent's parts on a real store, with time set by hand, and a reader that reads one crossing."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path

from edge.aggregator.aggregator import Aggregator
from edge.aggregator.gate import Gate, Side
from edge.aggregator.shelf import Bay, Item, Shelf
from edge.clock import PlayedClock
from edge.devices import Devices
from edge.disk import Disk
from edge.engine import Engine
from edge.reads import Read
from edge.stamps import Stamps
from edge.store.store import Started, Store
from edge.store.thread import StoreThread
from edge.uplink.flow import Flow
from tests.support.doors import START_US, going_in, walk
from wire import codec
from wire.events import Blind, Clock, DeviceDown, DeviceUp, RunStarted

AT = datetime(2026, 11, 22, 9, tzinfo=UTC)


def aggregator() -> Aggregator:
    gate = Gate(name="dock-1", antennas={1: Side.OUTSIDE, 2: Side.INSIDE}, quiet_s=2.0)
    item = Item(gtin="09506000134352", unit_grams=330.0, unit_cv=0.013)
    bay = Bay(name="A1", cells=(0,), items=(item,), capacity=24, tare_grams=0.0)
    return Aggregator([gate], [Shelf(name="aisle-1", bays=(bay,))], boot="b")


def started(before: Started) -> RunStarted:
    return RunStarted(
        at=AT, clock=Clock.SYNCED, boot="b", mono_ms=1, versions={}, config_hash="x",
        previous_run=before.previous_run, previous_last_seq=before.previous_last_seq,
    )  # fmt: skip


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
    def __init__(self, folder: Path, *, seen_us: int | None = START_US - 1) -> None:
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
            now_s=lambda: self.seconds, seen_us=seen_us,
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
