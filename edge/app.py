"""Composition root of the agent: builds the parts from the configuration and runs them together."""

import asyncio
import hashlib
import importlib.metadata
import logging
import os
import platform
import random
import secrets
import sqlite3
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from edge.aggregator.aggregator import Aggregator
from edge.aggregator.inbox import FOLD_MS, LATE_MS
from edge.aggregator.under_way import QUIET_S
from edge.broker import SiteBroker
from edge.build import aggregator_of
from edge.clock import Clock, PlayedClock, SteadyClock, synchronised
from edge.commands.calibrating import Calibrator
from edge.commands.desk import Desk
from edge.config import EdgeConfig, UplinkConfig, load_to_run
from edge.credentials import credentials
from edge.devices import Devices
from edge.disk import Disk
from edge.engine import Engine
from edge.errors import ConfigError, EdgeError, RecordingError
from edge.fit import Site
from edge.keeper import Keeper
from edge.player import clock_at, play, until_idle
from edge.readers import VISITOR, build
from edge.readers.reader import Reader
from edge.readers.surroundings import Surroundings
from edge.reads import TimedRead
from edge.stamps import Stamps
from edge.store.space import MB
from edge.store.store import Store
from edge.store.thread import StoreThread
from edge.uplink.flow import Flow
from edge.uplink.uplink import Broker, Uplink
from wire.events import Clock as Wall

log = logging.getLogger(__name__)

DAY_US = 86_400_000_000
CLOCK_EVERY_S = 60.0
SETTLING_MS = 15_000  # a shelf that was stirred and has not come to rest is judged by then
RELOAD_S = 0.5  # the answer to a command goes out before the agent begins anew
GOODBYE_S = 0.3  # events said while stopping get so long to leave; they are safe anyway


@dataclass(frozen=True, slots=True)
class Recorded:
    """A recording to play in place of the devices; `linger_s`: how long to wait for the last acknowledgement."""

    path: Path
    speed: float
    linger_s: float


class Again:
    """A configuration to go on with, asked for by command. Raises ConfigError while asked where it cannot be."""

    def __init__(self, path: Path, stop: asyncio.Event, *, played: bool) -> None:
        self._path = path
        self._stop = stop
        self._played = played
        self.config: EdgeConfig | None = None

    async def reload(self) -> str:
        """Check what the file says now, and let the agent end to begin with it anew."""
        if self._played:
            raise ConfigError(
                "a recording is played: it is played to its end with the configuration it began with"
            )
        found = await asyncio.to_thread(load_to_run, self._path)
        self.config = found
        asyncio.get_running_loop().call_later(RELOAD_S, self._stop.set)
        return f"{self._path.name} is right: {len(found.gates)} gates and {len(found.shelves)} shelves; beginning anew"


@dataclass(frozen=True, slots=True, kw_only=True)
class Agent:
    """The parts of one agent, built and not yet running."""

    config: EdgeConfig
    store: Store
    thread: StoreThread
    clock: Clock
    stamps: Stamps
    aggregator: Aggregator
    engine: Engine
    devices: Devices
    flow: Flow
    uplink: Uplink
    keeper: Keeper
    desk: Desk
    again: Again


def wall_us() -> int:
    return time.time_ns() // 1000


def monotonic_ns() -> int:
    # Counts on while the machine sleeps, which the plain monotonic clock does not (clock_gettime(2)).
    return time.clock_gettime_ns(time.CLOCK_BOOTTIME)


def store_path(config: EdgeConfig, config_path: Path, data: Path | None) -> Path:
    """Beside the configuration unless it, or the command line, says otherwise."""
    if data is not None:
        return data / f"{config.edge}.db"
    if "path" in config.store.model_fields_set:
        return config.store.path
    return config_path.parent / f"{config.edge}.db"


async def run(
    config: EdgeConfig,
    config_path: Path,
    store_at: Path,
    stop: asyncio.Event,
    recorded: Recorded | None = None,
) -> EdgeConfig | None:
    """Run the agent until `stop` is set, or the recording is played.

    Returns a configuration when it is to be run again with that one.

    Raises:
        ConfigError: it lacks what running needs.
        StoreError: events cannot be kept safe.
        RecordingError: the recording cannot be played.
    """
    if config.uplink is None:
        raise ConfigError(f"{config_path}: uplink: is needed to run; it says where the broker is")
    played = await asyncio.to_thread(_checked, recorded, Site(config)) if recorded else None
    thread = StoreThread()
    try:
        store = await thread.run(
            Store, store_at, config.edge, now_us=wall_us, journal_bytes=config.store.journal_mb * MB
        )
        try:
            again = Again(config_path, stop, played=played is not None)
            agent = await _build(config, config_path, config.uplink, store, thread, played, again)
            await _run(agent, stop, recorded, played)
            return again.config
        except BaseExceptionGroup as group:
            if found := group.subgroup(EdgeError):
                raise _first(found) from group
            raise
        finally:
            await thread.run(store.close)
    finally:
        thread.close()


@dataclass(frozen=True, slots=True)
class Played:
    first: TimedRead
    reads: Iterator[TimedRead]


def _checked(recorded: Recorded, site: Site) -> Played:
    """The whole of it is read once before anything begins: half a recording would be sent as if it were all."""
    path = recorded.path
    if path.exists() and not path.is_file():
        raise RecordingError(f"{path} is no plain file; a recording that is played is read twice")
    reads = site.timed_of(path)
    first = next(reads, None)
    if first is None:
        raise RecordingError(f"{path} holds no reads")
    for _ in reads:
        pass
    return Played(first, site.timed_of(path, warn=False))


async def _build(
    config: EdgeConfig,
    config_path: Path,
    uplink_config: UplinkConfig,
    store: Store,
    thread: StoreThread,
    played: Played | None,
    again: Again,
) -> Agent:
    broker = _broker(uplink_config)
    seen_ms = await thread.run(store.steady_ms)
    clock: Clock = clock_at(played.first) if played else SteadyClock(wall_us, monotonic_ns, after_ms=seen_ms)
    boot = secrets.token_hex(8)
    stamps = Stamps(clock, boot)
    aggregator = aggregator_of(config, boot=boot)
    stamps.wall = aggregator.clock = await _wall(config, played)
    await _start_run(config, config_path, store, thread, stamps)
    flow = Flow(
        await thread.run(store.held),
        await thread.run(store.trusted),
        chance=random.random,
        fault_s=uplink_config.ack_fault_s,
    )
    engine = Engine(store, thread, aggregator, clock, said=lambda: uplink.wake(), full=lambda: disk.full())
    devices = Devices(
        _names(config), engine, aggregator, clock, stamps, now_s=time.monotonic,
        seen_us=seen_ms * 1000 if seen_ms and not played else None,
    )  # fmt: skip
    disk = Disk(
        store, thread, engine, devices, flow, clock, stamps,
        keep_us=round(config.store.keep_days * DAY_US), reserve=config.store.reserve_mb * MB,
    )  # fmt: skip
    calibrator = Calibrator(config, clock)
    engine.heard = calibrator.hear
    desk = Desk(
        config, engine, store, thread, clock, stamps,
        calibrating=calibrator, levels=aggregator.levels, reload=again.reload,
    )  # fmt: skip
    uplink = Uplink(
        broker, store, thread, flow,
        missing=stamps.missing, telemetry=lambda: keeper.telemetry(), now=time.monotonic, chance=random.random,
        commands=desk,
    )  # fmt: skip
    keeper = Keeper(
        store, thread, engine, devices, disk, flow, uplink, clock, stamps,
        version=_versions()["stockbeat"], behind_us=_behind_us(config), levels=aggregator.levels,
        undecided_us=aggregator.undecided_since_us,
        troubles=aggregator.troubles,
        now_s=time.monotonic,
    )  # fmt: skip
    return Agent(
        config=config, store=store, thread=thread, clock=clock, stamps=stamps, aggregator=aggregator,
        engine=engine, devices=devices, flow=flow, uplink=uplink, keeper=keeper, desk=desk, again=again,
    )  # fmt: skip


def fingerprint(config: EdgeConfig, content: bytes) -> str:
    """What names a configuration in events: the file's `content`, and what its gates have learned and its shelves
    were calibrated to, as it was loaded."""
    whole = hashlib.sha256(content)
    for gate in config.gates:
        if gate.calibration:
            whole.update(gate.calibration.digest.encode())
    for shelf in config.shelves:
        if shelf.calibration:
            whole.update(shelf.calibration.digest.encode())
    return "sha256:" + whole.hexdigest()


async def _start_run(
    config: EdgeConfig, config_path: Path, store: Store, thread: StoreThread, stamps: Stamps
) -> None:
    config_hash = fingerprint(config, await asyncio.to_thread(config_path.read_bytes))
    await thread.run(store.start_run, lambda before: stamps.run_started(before, _versions(), config_hash))
    log.info("edge %s, run %s, store %s", store.edge, store.run, store.path)


async def _run(agent: Agent, stop: asyncio.Event, recorded: Recorded | None, played: Played | None) -> None:
    await agent.engine.recover()
    broker = None if recorded else await _broker_of_the_site(agent)
    async with asyncio.TaskGroup() as tasks:
        engine = tasks.create_task(agent.engine.run())
        others: list[asyncio.Task[Any]] = []
        others.append(tasks.create_task(agent.uplink.run()))
        others.append(tasks.create_task(agent.keeper.run()))
        others.append(tasks.create_task(agent.desk.run()))
        if recorded and played:
            reading: asyncio.Task[None] = tasks.create_task(_play(agent, recorded, played, stop))
        else:
            here = Surroundings(edge=agent.config.edge)
            reading = tasks.create_task(agent.devices.run(readers(agent.config, agent.clock.steady_us, here)))
            others.append(tasks.create_task(_watch_wall(agent)))
        if broker is not None:
            others.append(tasks.create_task(broker.watch()))
        await stop.wait()
        reading.cancel()
        await asyncio.wait([reading])
        agent.devices.all_down("the agent stops")
        agent.engine.stop()
        await engine
        await agent.engine.finish()
        await agent.keeper.look_at_self()
        await asyncio.sleep(GOODBYE_S)
        for task in others:
            task.cancel()
    log.info("stopped; %d events wait for their acknowledgement", agent.flow.waiting)


async def _play(agent: Agent, recorded: Recorded, played: Played, stop: asyncio.Event) -> None:
    assert isinstance(agent.clock, PlayedClock)
    await play(
        played.reads, clock=agent.clock, devices=agent.devices, engine=agent.engine, speed=recorded.speed,
        now_s=time.monotonic,
    )  # fmt: skip
    log.info("%s is played", recorded.path)
    # Said before the waiting and not while stopping, so that it is waited for too.
    agent.devices.all_down("the recording is over")
    await until_idle(agent.engine)
    try:
        async with asyncio.timeout(recorded.linger_s):
            while agent.flow.waiting:  # noqa: ASYNC110 - the flow is sans-IO and wakes nobody
                await asyncio.sleep(0.05)
    except TimeoutError:
        log.warning("%d events are not acknowledged after %.0f s", agent.flow.waiting, recorded.linger_s)
    stop.set()


def _names(config: EdgeConfig) -> list[str]:
    return [gate.name for gate in config.gates] + [shelf.name for shelf in config.shelves]


async def _broker_of_the_site(agent: Agent) -> SiteBroker | None:
    """Started before the devices that publish to it are read. Raises ConfigError."""
    if (config := agent.config.broker) is None:
        return None
    broker = SiteBroker(config, config.path or agent.store.path.parent / f"{agent.config.edge}-broker")
    await broker.start()
    return broker


def readers(
    config: EdgeConfig, now_us: Callable[[], int], surroundings: Surroundings = VISITOR
) -> list[Reader]:
    """`now_us`: the clock that they date reads by; `surroundings`: the agent that they are for, if they are for one."""
    settings = [(gate.name, gate.reader) for gate in config.gates]
    settings += [(shelf.name, shelf.reader) for shelf in config.shelves]
    return [build(reader, name, now_us, surroundings) for name, reader in settings if reader is not None]


async def _wall(config: EdgeConfig, played: Played | None) -> Wall:
    # A recording was made by a clock that is not here to be asked.
    right = played is not None or config.clock.trust or await synchronised()
    return Wall.SYNCED if right else Wall.NOT_SYNCED


async def _watch_wall(agent: Agent) -> None:
    while True:
        await asyncio.sleep(CLOCK_EVERY_S)
        agent.stamps.wall = agent.aggregator.clock = await _wall(agent.config, None)


def _behind_us(config: EdgeConfig) -> int:
    quiet_s = max([QUIET_S, *(gate.quiet_s or 0.0 for gate in config.gates)])
    return 1000 * (FOLD_MS + LATE_MS + SETTLING_MS + round(quiet_s * 1000))


def _broker(uplink: UplinkConfig) -> Broker:
    username, password = credentials(uplink.credentials_file, os.environ)
    return Broker(uplink.host, uplink.port, uplink.tls, uplink.mqtt_version, username, password)


def _versions() -> dict[str, str]:
    return {
        "stockbeat": importlib.metadata.version("stockbeat"),
        "python": platform.python_version(),
        "sqlite": sqlite3.sqlite_version,
    }


def _first(errors: BaseException) -> BaseException:
    while isinstance(errors, BaseExceptionGroup):
        errors = errors.exceptions[0]
    return errors
