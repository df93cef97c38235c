"""Plays a recording through the agent in place of its devices, at the recording's own times."""

import asyncio
from collections.abc import Awaitable, Callable, Iterator

from edge.clock import PlayedClock
from edge.devices import Devices
from edge.engine import Engine
from edge.reads import Read, device_of
from edge.replay import AFTER_THE_END_MS

STEP_S = 0.01  # reads that are due within it are taken together, as the agent's commits are grouped
LOOK_S = 0.05


async def play(
    reads: Iterator[Read],
    *,
    clock: PlayedClock,
    devices: Devices,
    engine: Engine,
    speed: float,
    now_s: Callable[[], float],
    sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
) -> None:
    """Return when everything is played, closed and durable. Time goes `speed` times as fast as in the recording."""
    for name in devices.names():
        devices.up(name, "recording")
    begin_us, begin_s = clock.now_us(), now_s()
    for read in reads:
        # The clock stays behind the next read, so that no gate closes on reads that have not been played.
        while (due_us := begin_us + round((now_s() - begin_s) * speed * 1e6)) < read.at_us:
            clock.set(min(due_us, read.at_us))
            await sleep(min((read.at_us - due_us) / 1e6 / speed, STEP_S))
        clock.set(read.at_us)
        await devices.emit(device_of(read), [read])
    await until_idle(engine, sleep)
    clock.set(clock.now_us() + 1000 * AFTER_THE_END_MS)
    await until_idle(engine, sleep)


async def until_idle(engine: Engine, sleep: Callable[[float], Awaitable[None]] = asyncio.sleep) -> None:
    """Return when all that was taken is aggregated, and all that was said is durable."""
    engine.poke()
    while not engine.idle:
        await sleep(LOOK_S)
