"""What the agent does once a second beside its work: looks at the disk, at itself, and for a person's word."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from typing import NoReturn

from edge import health, trust
from edge.clock import Clock, moment
from edge.devices import Devices
from edge.disk import Disk
from edge.engine import Engine
from edge.stamps import Stamps
from edge.store.space import Room
from edge.store.store import Store
from edge.store.thread import StoreThread
from edge.uplink.flow import Flow
from edge.uplink.uplink import Uplink
from wire.events import Clock as Wall
from wire.messages import AgentHealth, Level, Telemetry

EVERY_S = 1.0
TRIM_EVERY = 60  # seconds: history is counted in days
WATERMARK_EVERY = 10  # seconds


class Keeper:
    """`behind_us`: how long after a read the last event that rests on it may be said, unless a gate is `undecided_us`
    since longer.
    """

    def __init__(
        self,
        store: Store,
        thread: StoreThread,
        engine: Engine,
        devices: Devices,
        disk: Disk,
        flow: Flow,
        uplink: Uplink,
        clock: Clock,
        stamps: Stamps,
        *,
        version: str,
        behind_us: int,
        undecided_us: Callable[[], int | None],
        levels: Callable[[], Sequence[Level]],
        troubles: Callable[[], Sequence[str]],
        now_s: Callable[[], float],
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self._store = store
        self._thread = thread
        self._engine = engine
        self._devices = devices
        self._disk = disk
        self._flow = flow
        self._uplink = uplink
        self._clock = clock
        self._stamps = stamps
        self._version = version
        self._behind_us = behind_us
        self._undecided_us = undecided_us
        self._levels = levels
        self._troubles = troubles
        self._now_s = now_s
        self._sleep = sleep
        self._faults = health.Faults()
        self._oldest_us: int | None = None
        self._newest: Telemetry | None = None

    async def run(self) -> NoReturn:
        """Until cancelled. Raises StoreError."""
        tick = 0
        while True:
            await self._disk.look()
            if tick % TRIM_EVERY == 0:
                await self._disk.trim()
            await self._hear_a_person()
            if tick and tick % WATERMARK_EVERY == 0 and self._stamps.wall is Wall.SYNCED:
                self._engine.say(self._stamps.watermark(self._complete_to_us()))
            await self.look_at_self()
            await self._sleep(EVERY_S)
            tick += 1

    def _complete_to_us(self) -> int:
        """No event that is older is to come."""
        read_us, open_us = self._devices.complete_to_us() - self._behind_us, self._undecided_us()
        return max(read_us if open_us is None else min(read_us, open_us), 0)

    def telemetry(self) -> Telemetry | None:
        """The newest state; None when the disk is so full that only events matter."""
        return None if self._disk.room >= Room.TIGHT else self._newest

    async def look_at_self(self) -> None:
        self._oldest_us = await self._thread.run(self._store.oldest_waiting_us)
        self._newest = Telemetry(
            edge=self._store.edge,
            at=moment(self._clock.now_us()),
            agent=self._agent(),
            devices=self._devices.health(),
            levels=tuple(self._levels()),
        )
        if self._disk.room < Room.TIGHT:
            await asyncio.to_thread(health.write, self._store.path, self._newest)

    def _agent(self) -> AgentHealth:
        oldest_us = self._oldest_us
        return AgentHealth(
            run=self._store.run,
            version=self._version,
            events_held=self._flow.waiting,
            oldest_held_s=0.0 if oldest_us is None else max(self._store.now_us() - oldest_us, 0) / 1e6,
            quarantined=self._flow.quarantined,
            journal_bytes=self._store.journal_bytes,
            disk_free_bytes=self._disk.free,
            faults=self._faults.update(self._faults_now()),
        )

    def _faults_now(self) -> list[str]:
        faults = [*self._disk.faults, *self._flow.faults(self._now_s()), *self._troubles()]
        if self._uplink.trouble:
            faults.append(f"no connection to the broker: {self._uplink.trouble}")
        if self._uplink.deaf:
            faults.append("no commands: the broker refuses this edge its command topic")
        if self._stamps.wall is not Wall.SYNCED:
            faults.append(
                "the wall clock is not synchronised: set up NTP, or say [clock] trust = true if it is right"
            )
        if self._store.refused:
            faults.append(
                f"events could not be said: {self._store.refused} broke the contract of the wire, see the log"
            )
        return faults

    async def _hear_a_person(self) -> None:
        ledger = await asyncio.to_thread(trust.asked, self._store.path)
        if ledger is not None:
            await self._uplink.trust(ledger)
            await asyncio.to_thread(trust.done, self._store.path)
