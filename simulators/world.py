"""One world in real time: devices on their lines, and what happens before them as the schedule says."""

import asyncio
import contextlib
import heapq
import json
import logging
import os
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from random import Random

import msgspec

from simulators.docks import Visit, Way
from simulators.gates import GateReader, gate_reader
from simulators.link import pty, tcp
from simulators.people import ShelfAction
from simulators.physics import Cell
from simulators.radio import Sighting
from simulators.scenario import GateSite, Shelf
from simulators.schedule import Schedule
from simulators.sics.device import Scale
from simulators.sics.indicator import Indicator
from simulators.sics.serve import Served as ServedScale
from simulators.trouble import Trouble, maker
from simulators.truth import Truth

log = logging.getLogger(__name__)

RADIO_S = 0.02  # how often the doors' reads are played
BAUD = 9600


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    """How to run a world, beyond what its schedule says."""

    folder: Path
    wait_s: float = 30.0  # for every device to be in use, before anything happens
    linger_s: float = 5.0  # devices stay on so long after the end
    troubles: Mapping[str, str]  # device -> trouble
    clock_offset_s: float = 0.0  # of the readers' clocks
    broker: str = ""  # mqtt://host:port, for the readers that publish; left out, what the scenario says


class World:
    """Devices and time. `now` is the wall clock."""

    def __init__(self, schedule: Schedule, options: Options, now: Callable[[], datetime]) -> None:
        self._schedule = schedule
        self._options = options
        self._now = now
        self._loop = asyncio.get_running_loop()
        self._began_s = self._loop.time()  # moved when the waiting is over
        self._began_at = now()
        self._readers = {gate.name: self._reader(gate) for gate in schedule.scenario.gates}
        self._cells = {shelf.bay: self._cell(shelf) for shelf in schedule.scenario.shelves}
        self._scales = {shelf.name: self._scale(shelf) for shelf in schedule.scenario.shelves}

    async def run(self, stopped: asyncio.Event) -> None:
        """Run the world to its end, or until `stopped` is set; the truth is written either way."""
        async with self._listening():
            await _first(stopped.wait(), self._until_in_use())
            self._began_s, self._began_at = self._loop.time(), self._now()
            with self._truth() as truth:
                await _first(stopped.wait(), self._play(truth))
                truth.end(min(self._seconds(), self._schedule.lasts_s))
            await _first(stopped.wait(), asyncio.sleep(self._options.linger_s))

    # Devices.

    def _reader(self, gate: GateSite) -> GateReader:
        number = self._schedule.scenario.gates.index(gate)
        offset_us = int(self._options.clock_offset_s * 1e6)
        if self._options.broker:
            gate = msgspec.structs.replace(gate, broker=self._options.broker)
        return gate_reader(gate, number, lambda: int(self._now().timestamp() * 1e6) + offset_us)

    def _cell(self, shelf: Shelf) -> Cell:
        units = self._schedule.opening(shelf)
        grams = shelf.tray_grams + sum(mass for masses in units.values() for mass in masses)
        return Cell(grams, Random(f"{self._schedule.seed}/{shelf.bay}/cell"))

    def _scale(self, shelf: Shelf) -> ServedScale[Scale]:
        number = self._schedule.scenario.shelves.index(shelf)
        scale = Scale(Indicator(shelf.max_grams), f"SIM{number + 1:07d}")
        return ServedScale(scale, lambda: self._cells[shelf.bay].grams(self._seconds()))

    @contextlib.asynccontextmanager
    async def _listening(self) -> AsyncIterator[None]:
        """All devices on their lines, and world.json saying where."""
        folder = self._options.folder
        async with contextlib.AsyncExitStack() as lines, asyncio.TaskGroup() as tasks:
            gates = {}
            serving = [tasks.create_task(reader.run()) for reader in self._readers.values()]
            for name, reader in self._readers.items():
                if reader.baud is not None:
                    link, ready = folder / f"tty-{name}", asyncio.Event()
                    serving.append(tasks.create_task(pty(reader.session, self._trouble(name), link, ready)))
                    await ready.wait()
                    gates[name] = f"serial:{link}?baud={reader.baud}"
                    continue
                if reader.published is not None:
                    gates[name], publisher = reader.published
                    publisher.trouble = self._trouble(name)
                    continue
                host, port = await lines.enter_async_context(tcp(reader.session, self._trouble(name)))
                gates[name] = f"{reader.scheme}://{host}:{port}"
            shelves = {}
            for name, scale in self._scales.items():
                link, ready = folder / f"tty-{name}", asyncio.Event()
                serving.append(tasks.create_task(pty(scale.session, self._trouble(name), link, ready)))
                await ready.wait()
                shelves[name] = f"serial:{link}?baud={BAUD}"
            _write_whole(folder / "world.json", {"gates": gates, "shelves": shelves, "pid": os.getpid()})
            try:
                yield
            finally:
                for task in serving:
                    task.cancel()

    def _trouble(self, device: str) -> Callable[[], Trouble]:
        return maker(self._options.troubles.get(device, "none"), self._schedule.seed)

    async def _until_in_use(self) -> None:
        """Until every reader is reading and every scale was asked: whoever weighs needs to see what stands there."""
        deadline_s = self._loop.time() + self._options.wait_s
        while self._loop.time() < deadline_s:
            readers = all(reader.radio.reading for reader in self._readers.values())
            if readers and all(served.scale.asked for served in self._scales.values()):
                log.info("every device is in use")
                return
            await asyncio.sleep(RADIO_S)
        log.info("not every device is in use after %.0f s; beginning all the same", self._options.wait_s)

    # What happens.

    def _seconds(self) -> float:
        return self._loop.time() - self._began_s

    def _truth(self) -> Truth:
        opening = {
            shelf.bay: {gtin: len(masses) for gtin, masses in self._schedule.opening(shelf).items()}
            for shelf in self._schedule.scenario.shelves
        }
        return Truth(
            self._options.folder / "truth.jsonl",
            began_at=self._began_at,
            seed=self._schedule.seed,
            opening=opening,
        )

    async def _play(self, truth: Truth) -> None:
        async with asyncio.TaskGroup() as tasks:
            for gate in self._schedule.scenario.gates:
                tasks.create_task(self._radio(gate, truth))
            tasks.create_task(self._shop(truth))
            tasks.create_task(self._reach(self._schedule.lasts_s))

    async def _reach(self, at_s: float) -> None:
        if (left_s := at_s - self._seconds()) > 0:
            await asyncio.sleep(left_s)

    async def _radio(self, gate: GateSite, truth: Truth) -> None:
        """Play one door: each read and each crossing when its time has come."""
        reader = self._readers[gate.name].radio
        strays = {epc for epc, _ in self._schedule.strays(gate)}
        offset_us = int((self._began_at.timestamp() + self._options.clock_offset_s) * 1e6)
        for at_s, what in _door(self._schedule, gate):
            if at_s > self._seconds():
                await asyncio.sleep(max(RADIO_S, at_s - self._seconds()))
            if not isinstance(what, Sighting):
                _cross(truth, at_s, *what)
                continue
            if what.epc in strays:
                strays.remove(what.epc)
                truth.stray(at_s, gate.name, what.epc)
            at_us = offset_us + int(at_s * 1e6)
            reader.sighted(bytes.fromhex(what.epc), what.antenna, what.rssi_dbm, what.channel, at_us)

    async def _shop(self, truth: Truth) -> None:
        """Play all shelves: hands and masses when they begin, the truth when all mass has changed."""
        ending: list[tuple[float, int, ShelfAction]] = []
        for number, action in enumerate(self._schedule.actions()):
            await self._tell_until(truth, ending, action.from_s)
            await self._reach(action.from_s)
            self._cells[action.bay].press(*action.hands)
            self._cells[action.bay].put(*action.steps)
            heapq.heappush(ending, (action.at_s, number, action))
        await self._tell_until(truth, ending, self._schedule.lasts_s)

    async def _tell_until(
        self, truth: Truth, ending: list[tuple[float, int, ShelfAction]], until_s: float
    ) -> None:
        while ending and ending[0][0] <= until_s:
            at_s, _, action = heapq.heappop(ending)
            await self._reach(at_s)
            truth.shelf(action)


Crossing = tuple[Visit, str]


def _door(schedule: Schedule, gate: GateSite) -> Iterator[tuple[float, Sighting | Crossing]]:
    """Everything at one door in order of time: reads, and tags that cross or turn round."""
    strays = ((read.at_s, read) for read in schedule.stray_reads(gate))
    return heapq.merge(strays, _loads(schedule, gate), key=lambda each: each[0])


def _loads(schedule: Schedule, gate: GateSite) -> Iterator[tuple[float, Sighting | Crossing]]:
    for visit in schedule.visits(gate):
        reads: list[tuple[float, Sighting | Crossing]] = [(read.at_s, read) for read in visit.sightings]
        moments: list[tuple[float, Sighting | Crossing]] = [
            (at_s, (visit, epc)) for at_s, epc in visit.moments
        ]
        yield from heapq.merge(reads, moments, key=lambda each: each[0])


def _cross(truth: Truth, at_s: float, visit: Visit, epc: str) -> None:
    if visit.way is Way.TURNED_BACK:
        truth.turned_back(at_s, visit.gate, epc, visit.load)
    else:
        truth.crossed(at_s, visit.gate, epc, visit.way.value, visit.load)


async def _first(*waits: Awaitable[object]) -> None:
    """Wait until one of them ends; the others are cancelled. What it raises is raised here."""
    tasks = [asyncio.ensure_future(wait) for wait in waits]
    try:
        done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
    for task in done:
        task.result()


def _write_whole(path: Path, content: object) -> None:
    """Write a file so that whoever waits for it never sees half of it."""
    fresh = path.with_name(path.name + ".new")
    fresh.write_text(json.dumps(content) + "\n", "utf-8")
    fresh.replace(path)
