"""The two ends of the uplink for tests with a real broker: an edge without devices, and a small ledger's ingest."""

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path

import aiomqtt

from edge.store.store import Cycle, Started, Store
from edge.store.thread import StoreThread
from edge.uplink.flow import Flow
from edge.uplink.uplink import Broker, Commands, Uplink
from tests.support.small_ledger import SmallLedger
from wire import codec
from wire.events import Clock, DeviceUp, Missing, RunStarted
from wire.messages import AgentHealth, Telemetry
from wire.topics import Kind, every_edge, topic

EDGE = "store-042"
AT = datetime(2026, 11, 22, 9, tzinfo=UTC)


async def until(holds: Callable[[], bool], what: str, within_s: float = 20.0) -> None:
    deadline = time.monotonic() + within_s
    while not holds():
        assert time.monotonic() < deadline, f"not within {within_s:.0f} s: {what}"
        await asyncio.sleep(0.02)


class Node:
    """An edge that only has a store and an uplink."""

    def __init__(self, path: Path, port: int, *, version: int = 3, commands: Commands | None = None) -> None:
        self.thread = StoreThread()
        self.store = Store(path, EDGE, now_us=lambda: time.time_ns() // 1000)
        self.run = self.store.start_run(_run_started)
        self.flow = Flow(self.store.held(), self.store.trusted(), chance=lambda: 0.0, fault_s=1.0)
        self.uplink = Uplink(
            Broker("127.0.0.1", port, False, version), self.store, self.thread, self.flow,
            missing=_missing, telemetry=self._telemetry, now=time.monotonic, chance=lambda: 0.0,
            commands=commands,
        )  # fmt: skip
        self.task = asyncio.create_task(self.uplink.run())

    async def say(self, count: int) -> None:
        events = [DeviceUp(at=AT, clock=Clock.SYNCED, boot="b", mono_ms=n, device="d") for n in range(count)]
        await self.thread.run(self.store.commit, Cycle(said=events, steady_ms=1))
        self.uplink.wake()

    def faults(self) -> str:
        return "\n".join(self.flow.faults(time.monotonic()))

    def _telemetry(self) -> Telemetry:
        agent = AgentHealth(
            run=self.run, version="0", events_held=self.flow.waiting, oldest_held_s=0, quarantined=0,
            journal_bytes=0, disk_free_bytes=0,
        )  # fmt: skip
        return Telemetry(edge=EDGE, at=AT, agent=agent)

    async def all_acknowledged(self, within_s: float = 20.0) -> None:
        try:
            await until(lambda: self.flow.waiting == 0, "everything to be acknowledged", within_s)
        except AssertionError as error:
            raise AssertionError(f"{error}; {self.flow.waiting} wait, {self.uplink.trouble}") from error

    async def stop(self) -> None:
        self.task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await self.task
        await self.thread.run(self.store.close)
        self.thread.close()


@asynccontextmanager
async def node(
    path: Path, port: int, *, version: int = 3, commands: Commands | None = None
) -> AsyncIterator[Node]:
    made = Node(path, port, version=version, commands=commands)
    try:
        yield made
    finally:
        await made.stop()


def _run_started(before: Started) -> RunStarted:
    return RunStarted(
        at=AT, clock=Clock.SYNCED, boot="b", mono_ms=1, versions={}, config_hash="x",
        previous_run=before.previous_run, previous_last_seq=before.previous_last_seq,
    )  # fmt: skip


def _missing(run: str, span: tuple[int, int], reason: str) -> Missing:
    return Missing(
        at=AT,
        clock=Clock.SYNCED,
        boot="b",
        mono_ms=1,
        run=run,
        from_seq=span[0],
        to_seq=span[1],
        reason=reason,
    )


class Ingest:
    """A ledger's end of the broker: clean session, acknowledges what it took, `drops` the next messages untaken."""

    def __init__(self, port: int, ledger: SmallLedger) -> None:
        self.port = port
        self.ledger = ledger
        self.drops = 0
        self.dropped = 0
        self.deliveries = 0
        self.statuses: list[str] = []
        self.telemetry: list[Telemetry] = []
        self.listening = asyncio.Event()

    async def run(self) -> None:
        while True:
            try:
                async with aiomqtt.Client("127.0.0.1", self.port, timeout=2, keepalive=5) as client:
                    for kind in (Kind.EVENTS, Kind.STATUS, Kind.TELEMETRY):
                        await client.subscribe(every_edge(kind), qos=1)
                    self.listening.set()
                    async for message in client.messages:
                        assert isinstance(message.payload, bytes)
                        await self._take(client, message.topic.value, message.payload)
            except aiomqtt.MqttError:
                await asyncio.sleep(0.1)

    async def _take(self, client: aiomqtt.Client, where: str, payload: bytes) -> None:
        if where == topic(EDGE, Kind.STATUS):
            self.statuses.append(codec.decode_presence(payload).value)
        elif where == topic(EDGE, Kind.TELEMETRY):
            self.telemetry.append(codec.decode_telemetry(payload))
        elif self.drops:
            self.drops -= 1
            self.dropped += 1
        else:
            self.deliveries += 1
            for ack in self.ledger.deliver(payload):
                await client.publish(topic(EDGE, Kind.ACK), codec.encode_ack(ack), qos=1)


@asynccontextmanager
async def ingest(port: int, ledger: SmallLedger | None = None) -> AsyncIterator[Ingest]:
    made = Ingest(port, ledger or SmallLedger())
    task = asyncio.create_task(made.run())
    try:
        async with asyncio.timeout(10):
            await made.listening.wait()
        yield made
    finally:
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError, aiomqtt.MqttError):
            await task
