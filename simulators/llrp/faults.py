"""What can be wrong with a reader itself, by the names of simulators.trouble.FAULTS."""

import asyncio
from collections.abc import Awaitable, Callable

from simulators.llrp.reader import Reader

HOUR_US = 3_600_000_000
FEW = 100  # reads in a buffer that is too small

Wait = Callable[[], Awaitable[None]]


async def _power_cycle(reader: Reader, wait: Wait) -> None:
    await wait()
    reader.power_cycle()


async def _clock_2000(reader: Reader, wait: Wait) -> None:
    reader.clock.restart()


async def _clock_set(reader: Reader, wait: Wait) -> None:
    reader.clock.restart()
    await wait()
    reader.clock.set(0)


async def _clock_back(reader: Reader, wait: Wait) -> None:
    await wait()
    reader.clock.set(-HOUR_US)


async def _taken(reader: Reader, wait: Wait) -> None:
    reader.taken = True
    await wait()
    reader.taken = False


async def _leaves(reader: Reader, wait: Wait) -> None:
    while True:
        await wait()
        reader.leaving = reader.has_client


async def _antenna_off(reader: Reader, wait: Wait) -> None:
    while True:
        for connected in (False, True):
            await wait()
            reader.plug_antenna(reader.about.antennas[0], connected=connected)


async def _overflow(reader: Reader, wait: Wait) -> None:
    reader.shrink(FEW)


_SUFFER = {
    "power-cycle": _power_cycle,
    "clock-2000": _clock_2000,
    "clock-set": _clock_set,
    "clock-back": _clock_back,
    "taken": _taken,
    "leaves": _leaves,
    "antenna-off": _antenna_off,
    "overflow": _overflow,
}


async def suffer(reader: Reader, name: str, after_s: float) -> None:
    """Let a reader have this fault. Returns when it is over, if it ever is; what it does at first it does at once."""
    await _SUFFER[name](reader, lambda: asyncio.sleep(after_s))
