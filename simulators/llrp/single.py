"""One reader by itself, for whoever tries a driver: tags stand before it, and somebody types what happens to it."""

import asyncio
import heapq
from collections.abc import Callable
from contextlib import AsyncExitStack
from random import Random

from simulators.link import tcp
from simulators.llrp.about import About
from simulators.llrp.faults import suffer
from simulators.llrp.layout import V1_1
from simulators.llrp.reader import Reader
from simulators.llrp.serve import Served
from simulators.radio import standing
from simulators.scenario import GateSite
from simulators.trouble import FAULTS, maker, parse

MAC = bytes.fromhex("020000000001")  # locally administered: nobody's device
INPUTS = 4
POWERS_CENTI_DBM = tuple(range(1000, 3001, 100))

# What a reader can be like, by name.
KINDS: dict[str, Callable[[tuple[int, ...], bytes], About]] = {
    "plain": About,
    "1.1": lambda antennas, mac: About(antennas, mac, V1_1, inputs=INPUTS, powers_centi_dbm=POWERS_CENTI_DBM),
    "impinj": lambda antennas, mac: About(
        antennas, mac, inputs=INPUTS, powers_centi_dbm=POWERS_CENTI_DBM, impinj=True
    ),
    "uptime": lambda antennas, mac: About(antennas, mac, has_utc=False),
}

ORDERS = "input N high|low, antenna N on|off, power-cycle, leave, clock SECONDS (ahead of the right time)"


def order(reader: Reader, words: str) -> None:
    """Let something happen to a reader, as one line of ORDERS says it.

    Raises:
        ValueError: it is none of them.
    """
    match words.split():
        case ["input", port, "high" | "low" as level] if port.isdecimal():
            reader.set_input(int(port), high=level == "high")
        case ["antenna", number, "on" | "off" as state] if number.isdecimal():
            reader.plug_antenna(int(number), connected=state == "on")
        case ["power-cycle"]:
            reader.power_cycle()
        case ["leave"]:
            reader.leaving = reader.has_client
        case ["clock", seconds]:
            reader.clock.set(int(float(seconds) * 1e6))
        case _:
            raise ValueError(f"{words!r} is no order; there are {ORDERS}")


async def run(
    reader: Reader,
    where: tuple[str, int],
    epcs: list[str],
    *,
    trouble: str,
    seed: int,
    now_us: Callable[[], int],
    say: Callable[[str], None],
) -> None:
    """Serve a reader with these tags standing before it, until cancelled. `say` is told its URL."""
    name, after_s = parse(trouble, faults=True)
    numbers = reader.about.antennas
    half = max(1, len(numbers) // 2)
    gate = GateSite(name="reader", outside=numbers[:half], inside=numbers[half:] or numbers[:1])
    served = Served(reader, gate.name)
    streams = [
        standing(gate, epc, inside=bool(place % 2), from_s=0.0, rng=Random(f"{seed}/{epc}"))
        for place, epc in enumerate(epcs)
    ]
    async with AsyncExitStack() as lines, asyncio.TaskGroup() as tasks:
        troubled = maker("none" if name in FAULTS else trouble, seed)
        if name in FAULTS:
            tasks.create_task(suffer(reader, name, after_s))
            await asyncio.sleep(0)  # what is wrong from the beginning is so before anybody connects
        address = await lines.enter_async_context(tcp(served.session, troubled, *where))
        say(f"tcp://{address[0]}:{address[1]}")
        tasks.create_task(served.run())
        loop = asyncio.get_running_loop()
        began_s = loop.time()
        for read in heapq.merge(*streams):
            if (early_s := began_s + read.at_s - loop.time()) > 0:
                await asyncio.sleep(early_s)
            reader.sighted(bytes.fromhex(read.epc), read.antenna, read.rssi_dbm, read.channel, now_us())
