"""One reader by itself, with tags standing before it."""

import asyncio
import heapq
from collections.abc import Callable
from random import Random

from simulators.link import Where, on_line
from simulators.metratec.ascii import AsciiReader
from simulators.metratec.at import AtReader
from simulators.metratec.serve import BAUD, Device, Served
from simulators.radio import standing
from simulators.scenario import GateSite
from simulators.single import standing_tags
from simulators.trouble import maker

GENERATIONS = ("at", "ascii")
FAULTY = 0.02  # of an ASCII reader's rounds, in which a tag answers that cannot be read


def device(generation: str, antennas: tuple[int, ...], seed: int) -> Device:
    if generation == "ascii":
        return AsciiReader(antennas, Random(f"{seed}/ascii"), faulty=FAULTY)
    return AtReader(antennas, tid_of)


def tid_of(epc: str) -> str:
    """A TID of a maker that is nobody: E2h, then what tells the tag apart."""
    return f"E2000000{epc[-16:]}"


async def reader(
    where: Where,
    *,
    generation: str,
    antennas: int,
    tags: int,
    trouble: str,
    seed: int,
    say: Callable[[str], None],
) -> None:
    """Run one reader on TCP, or on a pty behind a symlink, until cancelled. `say` is told its URL."""
    ports = tuple(range(1, antennas + 1))
    half = max(1, antennas // 2)
    site = GateSite(name="reader", outside=ports[:half], inside=ports[half:] or ports[:1])
    served = Served(device(generation, ports, seed))
    loop = asyncio.get_running_loop()
    began_s = loop.time()
    streams = [
        standing(site, epc, inside=bool(place % 2), from_s=0.0, rng=Random(f"{seed}/{epc}"))
        for place, epc in enumerate(standing_tags(tags))
    ]
    line = on_line(served.session, where, baud=BAUD, trouble=maker(trouble, seed), say=say)
    async with line, asyncio.TaskGroup() as tasks:
        tasks.create_task(served.run())
        for read in heapq.merge(*streams):
            if (early_s := began_s + read.at_s - loop.time()) > 0:
                await asyncio.sleep(early_s)
            served.sighted(bytes.fromhex(read.epc), read.antenna, read.rssi_dbm, read.channel, 0)
