"""One device by itself, for whoever tries a driver: a reader with tags standing before it, a scale with a load."""

import asyncio
import heapq
from collections.abc import Callable
from contextlib import AsyncExitStack
from datetime import datetime
from pathlib import Path
from random import Random

from simulators.epc import sgtin_96
from simulators.link import pty, tcp
from simulators.llrp.reader import Reader
from simulators.llrp.serve import Served as ServedReader
from simulators.llrp.settings import About
from simulators.physics import Cell, Step
from simulators.radio import standing
from simulators.scenario import GateSite
from simulators.sics.device import Scale
from simulators.sics.indicator import Indicator
from simulators.sics.serve import Served as ServedScale
from simulators.trouble import maker

MAC = bytes.fromhex("020000000001")  # locally administered: nobody's device
CASE = "80614141123458"


def standing_tags(number: int) -> list[str]:
    return [
        sgtin_96(CASE, company_prefix="0614141", serial=serial + 1, filter_value=2)
        for serial in range(number)
    ]


async def reader(
    host: str,
    port: int,
    *,
    antennas: int,
    tags: int,
    trouble: str,
    seed: int,
    now: Callable[[], datetime],
    say: Callable[[str], None],
) -> None:
    """Run one LLRP reader with tags standing before it, until cancelled. `say` is told its URL."""
    half = max(1, antennas // 2)
    gate = GateSite(
        name="reader", outside=tuple(range(1, half + 1)), inside=tuple(range(half + 1, antennas + 1)) or (1,)
    )
    served = ServedReader(
        Reader(About(tuple(range(1, antennas + 1)), MAC), lambda: _microseconds(now())), gate.name
    )
    loop = asyncio.get_running_loop()
    began_s = loop.time()
    streams = [
        standing(gate, epc, inside=bool(place % 2), from_s=0.0, rng=Random(f"{seed}/{epc}"))
        for place, epc in enumerate(standing_tags(tags))
    ]
    async with AsyncExitStack() as lines, asyncio.TaskGroup() as tasks:
        address = await lines.enter_async_context(tcp(served.session, maker(trouble, seed), host, port))
        say(f"tcp://{address[0]}:{address[1]}")
        tasks.create_task(served.run())
        for read in heapq.merge(*streams):
            if (early_s := began_s + read.at_s - loop.time()) > 0:
                await asyncio.sleep(early_s)
            epc = bytes.fromhex(read.epc)
            served.reader.sighted(epc, read.antenna, read.rssi_dbm, read.channel, _microseconds(now()))


async def scale(
    link: Path,
    *,
    grams: float,
    max_grams: float,
    trouble: str,
    seed: int,
    changes: "asyncio.Queue[float]",
    say: Callable[[str], None],
) -> None:
    """Run one MT-SICS scale behind a symlink, until cancelled. What comes in `changes` is put on it, in grams."""
    loop = asyncio.get_running_loop()
    cell = Cell(grams, Random(seed))
    served = ServedScale(Scale(Indicator(max_grams), "SIM0000001"), lambda: cell.grams(loop.time()))
    ready = asyncio.Event()
    async with asyncio.TaskGroup() as tasks:
        tasks.create_task(pty(served.session, maker(trouble, seed), link, ready))
        await ready.wait()
        say(f"serial:{link}?baud=9600")
        while True:
            grams_put = await changes.get()
            cell.put(Step(loop.time(), grams_put))


def _microseconds(at: datetime) -> int:
    return int(at.timestamp() * 1e6)
