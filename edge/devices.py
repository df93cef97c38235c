"""The site's devices: started, stopped and watched together, and what is known of each."""

import asyncio
from collections import deque
from collections.abc import Callable, Coroutine, Sequence
from dataclasses import dataclass, field
from typing import Any, NoReturn

from edge.aggregator.aggregator import Aggregator
from edge.clock import Clock, moment
from edge.engine import Engine
from edge.readers.reader import Beating, Holding, Reader
from edge.reads import Read
from edge.stamps import Stamps
from edge.supervise import Backoff, supervise
from wire.messages import DeviceHealth, DeviceState

RATE_S = 5.0  # reads per second are counted over so long: longer than a gap between two pallets' reports
# What a reader held for us while we were away has arrived so long after it came back, with the gate's own patience.
CATCH_UP_S = 10.0
# Reads older than this when they arrive were held, by the reader or by a link that stalled: more may come for a while.
BEHIND_US = 1_000_000
BEHIND_S = 1.0
# A hole shorter than this hides no load: tags are read for seconds as they go through.
LEAST_BLIND_US = 2_000_000
WORDS = 500  # the most that the wire carries as words (wire.limits.Words)


@dataclass
class Device:
    """What is known of one device.

    Attributes:
        since_us: when it came, went, or was first asked for.
        blind_us: nothing older than this is to come from it, once it has caught up; see `complete_to_us`.
        unseen_us: from when on what it saw is not known, by the steady clock; None before it was ever connected. Of a
            device that is up it says nothing.
        went: why it went, while it is away; empty before it was first here.
        up_s: when it came, on the clock of rates.
        behind_s: when it last told what was long past, on the same clock.
    """

    name: str
    since_us: int
    blind_us: int
    unseen_us: int | None
    went: str = ""
    up_s: float = 0.0
    behind_s: float = -BEHIND_S
    up: bool = False
    reason: str = "not connected yet"
    last_read_us: int | None = None  # by the steady clock
    arrivals: deque[tuple[float, int]] = field(default_factory=deque)  # when, how many reads


class Devices:
    """Runs every reader under supervision, and says when one comes and goes.

    `now_s` is seconds of any steady clock, for rates.
    """

    def __init__(
        self,
        names: Sequence[str],
        engine: Engine,
        aggregator: Aggregator,
        clock: Clock,
        stamps: Stamps,
        *,
        now_s: Callable[[], float],
        seen_us: int | None,
    ) -> None:
        """`seen_us`: until when an earlier start of the agent had seen everything; None when this is the first."""
        self._engine = engine
        self._aggregator = aggregator
        self._clock = clock
        self._stamps = stamps
        self._now_s = now_s
        self._devices = {
            name: Device(name, clock.now_us(), clock.now_us() if seen_us is None else seen_us, seen_us)
            for name in names
        }
        self._readers: dict[str, Reader] = {}
        self._allowed = asyncio.Event()
        self._allowed.set()
        self._forbidden = asyncio.Event()

    async def run(self, readers: Sequence[Reader]) -> None:
        """Read them all, until cancelled. Raises StoreError from the engine."""
        self._readers = {reader.name: reader for reader in readers}
        while True:
            await self._allowed.wait()
            async with asyncio.TaskGroup() as tasks:
                watching = [tasks.create_task(self._watch(reader)) for reader in readers]
                await self._forbidden.wait()
                for task in watching:
                    task.cancel()

    def _watch(self, reader: Reader) -> Coroutine[Any, Any, NoReturn]:
        async def emit(reads: Sequence[Read]) -> None:
            await self.emit(reader.name, reads)

        return supervise(reader, emit, up=self.up, down=self.down, backoff=Backoff())

    def pause(self, reason: str) -> None:
        """Stop reading: connections are closed until `resume`."""
        self._allowed.clear()
        self._forbidden.set()
        self.all_down(reason)

    def resume(self) -> None:
        self._forbidden.clear()
        self._allowed.set()

    def all_down(self, reason: str) -> None:
        for device in self._devices.values():
            if device.up:
                self.down(device.name, reason)

    async def emit(self, name: str, reads: Sequence[Read]) -> None:
        device = self._devices[name]
        if reads:
            device.arrivals.append((self._now_s(), len(reads)))
            device.last_read_us = reads[-1].at_us
            self._forget_arrivals(device)
        self._heard(device, reads)
        await self._engine.take(reads)

    def _heard(self, device: Device, reads: Sequence[Read]) -> None:
        """Until when all is told that it saw, if it says so: silence after that may be the link's."""
        if not isinstance(self._readers.get(device.name), Beating):
            return
        if reads and self._clock.steady_us() - reads[-1].at_us > BEHIND_US:
            device.behind_s = self._now_s()
        if self._now_s() >= device.behind_s + BEHIND_S:
            self._aggregator.device_heard(device.name, self._clock.now_ms())
        elif reads:
            self._aggregator.device_heard(device.name, self._clock.ms_of(reads[-1].at_us))

    def up(self, name: str, detail: str) -> None:
        device = self._devices[name]
        device.up, device.since_us, device.reason = True, self._clock.now_us(), ""
        device.up_s = self._now_s()
        self._aggregator.device_up(name, self._clock.now_ms(), device.since_us)
        self._engine.say(self._stamps.device_up(name, detail[:WORDS]))
        self._say_what_was_not_seen(device)

    def _say_what_was_not_seen(self, device: Device) -> None:
        reader = self._readers.get(device.name)
        held = reader is None or (isinstance(reader, Holding) and reader.held)
        since_us = device.unseen_us
        if held or since_us is None or self._clock.steady_us() - since_us < LEAST_BLIND_US:
            return
        why = f"away: {device.went}" if device.went else "the agent did not run, or could not connect"
        blind = self._stamps.blind(device.name, since_us + self._clock.ahead_us(), why[:WORDS])
        self._engine.say(blind)
        gone_ms = (self._clock.steady_us() - since_us) // 1000
        self._aggregator.unseen(device.name, self._clock.now_ms() - gone_ms, self._clock.now_ms())

    def blind_was_said(self) -> None:
        """Up to now, of every device: what is said when they come back begins here."""
        for device in self._devices.values():
            device.unseen_us = self._clock.steady_us()

    def down(self, name: str, reason: str) -> None:
        device = self._devices[name]
        if device.up:
            device.unseen_us, device.went = self._clock.steady_us(), reason
        if self._has_caught_up(device):
            device.blind_us = self._clock.now_us()
        device.up, device.since_us, device.reason = False, self._clock.now_us(), reason[:WORDS]
        self._aggregator.device_down(name, self._clock.now_ms(), device.since_us, reason)
        self._engine.say(self._stamps.device_down(name, device.reason))

    def names(self) -> list[str]:
        return list(self._devices)

    def complete_to_us(self) -> int:
        """No read older than this is to come: a reader that we cannot ask may be holding what it saw meanwhile."""
        blind = (device.blind_us for device in self._devices.values() if not self._has_caught_up(device))
        return min(blind, default=self._clock.now_us())

    def _has_caught_up(self, device: Device) -> bool:
        return device.up and self._now_s() >= device.up_s + CATCH_UP_S

    def health(self) -> tuple[DeviceHealth, ...]:
        return tuple(self._health(device) for device in self._devices.values())

    def _health(self, device: Device) -> DeviceHealth:
        self._forget_arrivals(device)
        reader = self._readers.get(device.name)
        offset_ms = reader.clock_offset_ms if reader else None  # of the steady clock, which drivers have
        ahead_us = self._clock.ahead_us()
        return DeviceHealth(
            device=device.name,
            state=DeviceState.UP if device.up else DeviceState.DOWN,
            since=moment(device.since_us),
            reason=device.reason,
            reads_per_s=sum(count for _, count in device.arrivals) / RATE_S,
            last_read_at=None if device.last_read_us is None else moment(device.last_read_us + ahead_us),
            clock_offset_ms=None if offset_ms is None else offset_ms - ahead_us / 1000,
        )

    def _forget_arrivals(self, device: Device) -> None:
        before = self._now_s() - RATE_S
        while device.arrivals and device.arrivals[0][0] < before:
            device.arrivals.popleft()
