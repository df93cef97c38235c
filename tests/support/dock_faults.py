"""A dock door whose reader, link, antennas and clocks can fail, and the agent's own process at it.

The simulated reader is real LLRP on TCP, behind a link that can be cut; it goes on reading while nobody is connected.
"""

import asyncio
import contextlib
import os
import sqlite3
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from edge.config import load
from edge.reads import TagRead
from edge.replay import events
from simulators import link, trouble
from simulators.llrp.about import About
from simulators.llrp.reader import Reader
from simulators.llrp.serve import Served
from tests.support.doors import START_US
from tests.support.servers import free_port
from tests.support.tcp_faults import FaultyLink, faulty_link
from wire import codec
from wire.events import Blind, Event, Passage, TagMovement

YEAR_2000_US = 946_684_800_000_000  # where a reader's clock begins that has no battery and no NTP
# Debian's libfaketime steps the wall clock of one process; what is monotonic it is told to leave alone.
LIBFAKETIME = Path("/usr/lib/x86_64-linux-gnu/faketime/libfaketimeMT.so.1")

CONFIG = """
edge = "store-042"
[uplink]
url = "mqtt://127.0.0.1:{broker}"
[clock]
trust = {trust}
[[gates]]
name = "dock-1"
role = "dock"
joins = {{ outside = "yard", inside = "backroom" }}
reader = {{ driver = "llrp", url = "tcp://127.0.0.1:{reader}" }}
antennas = {{ {antennas} }}
"""


def now_us() -> int:
    return time.time_ns() // 1000


async def until(holds: Callable[[], bool], what: str, within_s: float = 20.0) -> None:
    deadline = time.monotonic() + within_s
    while not holds():
        assert time.monotonic() < deadline, f"{what}: not within {within_s:.0f} s"
        await asyncio.sleep(0.05)


class Patient(Reader):
    """Answers to its keepalives may be late: LLRP leaves it to the reader whether it hangs up for that."""

    @property
    def client_is_dead(self) -> bool:
        return False


@dataclass
class Dock:
    """The reader and its link. `clock_us` is the reader's own clock; `power` is off while it restarts."""

    antennas: tuple[int, ...]
    line: FaultyLink
    power: bool = True
    clock_offset_us: int = 0

    def __post_init__(self) -> None:
        self.reader = self._reader()

    def clock_us(self) -> int:
        return now_us() + self.clock_offset_us

    def _reader(self) -> Reader:
        return Patient(About(self.antennas, bytes(6)), self.clock_us)

    async def session(self, one: link.Link) -> None:
        """Whoever connects speaks with the reader as it is now."""
        await Served(self.reader, "dock-1").session(one)

    async def ticks(self) -> None:
        loop = asyncio.get_running_loop()
        while True:
            self.reader.tick(loop.time() * 1000)
            await asyncio.sleep(0.02)

    def unplug(self) -> None:
        """The network cable is pulled: nothing is said, nothing passes."""
        self.line.refusing = True
        self.line.reset()

    def plug(self) -> None:
        self.line.refusing = False

    def power_off(self) -> None:
        self.power = False
        self.unplug()

    def power_on(self) -> None:
        """It has forgotten everything, the time too."""
        self.clock_offset_us = YEAR_2000_US - now_us()
        self.reader = self._reader()
        self.power = True
        self.plug()

    async def play(self, reads: Sequence[TagRead]) -> tuple[float, float]:
        """Let the radio see these, in their own time from now; returns from when to when that was."""
        began_s = time.time()
        for read in reads:
            due_s = began_s + (read.at_us - START_US) / 1e6
            if (early_s := due_s - time.time()) > 0:
                await asyncio.sleep(early_s)
            if self.power:
                epc = bytes.fromhex(read.epc)
                self.reader.sighted(epc, read.antenna, round(read.rssi_dbm), 1, self.clock_us())
        return began_s, time.time()


@asynccontextmanager
async def dock(antennas: tuple[int, ...] = (1, 2)) -> AsyncIterator[Dock]:
    made: list[Dock] = []

    async def session(one: link.Link) -> None:
        await made[0].session(one)

    async with (
        link.tcp(session, trouble.maker("none", 1)) as (_, port),
        faulty_link(port) as line,
    ):
        made.append(Dock(antennas, line))
        ticking = asyncio.create_task(made[0].ticks())
        try:
            yield made[0]
        finally:
            ticking.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await ticking


class Agent:
    """The edge's program, started and killed as often as a test likes, on one store."""

    def __init__(self, folder: Path, door: Dock, *, broker: int | None = None, trust: bool = True) -> None:
        self._folder = folder
        self._wall = folder / "wall"
        self._step("+0s")
        half = len(door.antennas) // 2
        sides = ["outside"] * half + ["inside"] * (len(door.antennas) - half)
        self._config = folder / "edge.toml"
        text = CONFIG.format(
            broker=broker or free_port(),
            trust=str(trust).lower(),
            reader=door.line.port,
            antennas=", ".join(f'{n} = "{side}"' for n, side in zip(door.antennas, sides, strict=True)),
        )
        self._config.write_text(text, "utf-8")
        self._log = folder / "edge.log"
        self._process: subprocess.Popen[bytes] | None = None

    def _step(self, words: str) -> None:
        fresh = self._wall.with_name("wall.new")
        fresh.write_text(words + "\n", "utf-8")
        fresh.replace(self._wall)

    def set_wall(self, off_s: int) -> None:
        """The agent's wall clock is off by so much from now on; nobody else's is."""
        self._step(f"{off_s:+d}s")

    async def start(self, *, wall: bool = False) -> None:
        """`wall`: with a wall clock of its own. Returns once the reader is connected."""
        ups = self.log.count("dock-1: reading")
        self._start(wall)
        await self.connected(ups + 1)

    def _start(self, wall: bool) -> None:
        environment = dict(os.environ)
        if wall:
            assert LIBFAKETIME.exists(), f"{LIBFAKETIME} is not installed: run tools/install-servers"
            environment |= {
                "LD_PRELOAD": str(LIBFAKETIME),
                "FAKETIME_TIMESTAMP_FILE": str(self._wall),
                "FAKETIME_NO_CACHE": "1",
                "FAKETIME_DONT_FAKE_MONOTONIC": "1",
            }
        with self._log.open("ab") as log:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "edge", "run", str(self._config), "--data", str(self._folder)],
                stdout=log,
                stderr=log,
                env=environment,
            )

    async def connected(self, times: int = 1) -> None:
        await until(lambda: self.log.count("dock-1: reading") >= times, f"connection {times}")

    def kill(self) -> None:
        """As a power cut does."""
        if self._process:
            self._process.kill()
            self._process.wait()
            self._process = None

    @property
    def log(self) -> str:
        return self._log.read_text("utf-8") if self._log.exists() else ""

    def events(self) -> list[Event | object]:
        """Everything that was ever said, by all starts."""
        with contextlib.closing(
            sqlite3.connect(f"file:{self._folder / 'store-042.db'}?mode=ro", uri=True)
        ) as store:
            lines = store.execute("SELECT line FROM outbox ORDER BY id").fetchall()
        return [codec.decode(line).event for (line,) in lines]

    def movements(self) -> list[TagMovement]:
        return [event for event in self.events() if isinstance(event, TagMovement)]

    def passages(self) -> list[Passage]:
        return [event for event in self.events() if isinstance(event, Passage)]

    def replayed(self) -> list[TagMovement]:
        """What a replay of its journal, cut while it runs, says of the same reads."""
        recording = self._folder / "journal.jsonl"
        cut = ("edge", "record", str(self._config), "--from-journal", "--out", str(recording))
        subprocess.run(
            [sys.executable, "-m", "stockbeat", *cut, "--data", str(self._folder)], check=True, timeout=30
        )
        said = events(load(self._config), recording.read_bytes().splitlines(keepends=True))
        return [event for event in said if isinstance(event, TagMovement)]

    def blinds(self) -> list[Blind]:
        return [event for event in self.events() if isinstance(event, Blind)]

    async def decided(self, tags: int, within_s: float = 20.0) -> list[TagMovement]:
        """Wait until movements of so many tags were said, and a moment for any that would be too many."""
        await until(
            lambda: len({(m.epc, m.passage) for m in self.movements()}) >= tags,
            f"movements of {tags} tags",
            within_s,
        )
        await asyncio.sleep(1.0)
        return self.movements()


@asynccontextmanager
async def agent(
    folder: Path, door: Dock, *, broker: int | None = None, trust: bool = True
) -> AsyncIterator[Agent]:
    made = Agent(folder, door, broker=broker, trust=trust)
    try:
        yield made
    finally:
        made.kill()
