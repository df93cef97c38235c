"""Keeps the disk from filling up: what is only history gives way, and before the reserve is used reading stops."""

import asyncio
import logging
from collections.abc import Awaitable, Callable

from edge.clock import Clock
from edge.devices import Devices
from edge.engine import Engine
from edge.errors import StoreFull
from edge.stamps import Stamps
from edge.store import space
from edge.store.space import Room
from edge.store.store import Store
from edge.store.thread import StoreThread
from edge.uplink.flow import Flow

log = logging.getLogger(__name__)

STOPPED = "the disk is full: reading has stopped"
TRY_AGAIN_S = 1.0
STEPS = 20  # of making room, a look: each gives back some megabytes, and reads wait for the store meanwhile


class Disk:
    """`keep_us`: for how long acknowledged events are kept. `reserve`: bytes that stay free."""

    def __init__(
        self,
        store: Store,
        thread: StoreThread,
        engine: Engine,
        devices: Devices,
        flow: Flow,
        clock: Clock,
        stamps: Stamps,
        *,
        keep_us: int,
        reserve: int,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self.room = Room.PLENTY
        self.free = 0
        self._store = store
        self._thread = thread
        self._engine = engine
        self._devices = devices
        self._flow = flow
        self._clock = clock
        self._stamps = stamps
        self._keep_us = keep_us
        self.reserve = reserve
        self._sleep = sleep
        self._stopped_us: int | None = None

    @property
    def faults(self) -> list[str]:
        if self._stopped_us is not None:
            return [
                f"{STOPPED}, with {self.free // space.MB} MB free of {self.reserve // space.MB} MB reserved"
            ]
        if self.room is not Room.PLENTY:
            return [f"the disk is short: {self.free // space.MB} MB free; history is being deleted"]
        return []

    async def look(self) -> None:
        """See what room there is, and act on it."""
        self.free = space.free_bytes(self._store.path.parent)
        history = self.free < space.SHORT_AT * self.reserve and await self._make_room()
        self.room = space.judge(self.free, self.reserve, self.room, history=history)
        if self.room is Room.NONE or self._engine.stuck:
            self._stop()
        elif self._stopped_us is not None:
            self._go_on(self._stopped_us)

    async def trim(self) -> None:
        """Delete history that is old enough."""
        try:
            while held_from := await self._thread.run(self._store.trim, self._keep_us):
                self._trimmed(held_from)
        except StoreFull as error:
            log.debug("no history can be deleted: %s", error)

    async def full(self) -> None:
        """A commit failed for lack of room: returns when it is worth trying again."""
        self._stop()
        await self._make_room()
        await self._sleep(TRY_AGAIN_S)

    async def _make_room(self) -> bool:
        """Returns whether there is history left that could go."""
        try:
            for _ in range(STEPS):
                held_from = await self._thread.run(self._store.make_room)
                if held_from is None:
                    return False
                self._trimmed(held_from)
                self.free = space.free_bytes(self._store.path.parent)
                if self.free >= space.SHORT_AT * self.reserve:
                    break
        except StoreFull as error:
            log.debug("no room can be made: %s", error)
            return False
        return True

    def _trimmed(self, held_from: dict[str, int]) -> None:
        for run, seq in held_from.items():
            self._flow.trimmed(run, seq)

    def _stop(self) -> None:
        if self._stopped_us is None:
            log.error("%s", STOPPED)
            self._stopped_us = self._clock.now_us()
            self._devices.pause(STOPPED)

    def _go_on(self, since_us: int) -> None:
        log.warning("the disk has room again: reading goes on")
        self._stopped_us = None
        for name in self._devices.names():
            self._engine.say(self._stamps.blind(name, since_us, STOPPED))
        self._devices.blind_was_said()
        self._devices.resume()
