"""Plays a recording through the agent in place of its devices, at the recording's own times."""

import asyncio
from collections.abc import Awaitable, Callable, Iterator

from edge.clock import PlayedClock
from edge.devices import Devices
from edge.engine import Engine
from edge.reads import TimedRead, device_of, later
from edge.replay import AFTER_THE_END_MS

STEP_S = 0.01  # reads that are due within it are taken together, as the agent's commits are grouped
LOOK_S = 0.05
# A recording's steady time is in whole milliseconds: by up to one it seems to be off the wall's, and no clock was set.
UNSURE_US = 2_000


async def play(
    reads: Iterator[TimedRead],
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
    begin_us, begin_s = clock.steady_us(), now_s()
    for timed in reads:
        if abs(ahead_us(timed) - clock.ahead_us()) > UNSURE_US:
            await until_idle(engine, sleep)  # what waits was read before the wall clock was set
            clock.step(ahead_us(timed))
        read = later(timed[1], -clock.ahead_us())
        # The clock stays behind the next read, so that no gate closes on reads that have not been played.
        while (due_us := begin_us + round((now_s() - begin_s) * speed * 1e6)) < read.at_us:
            clock.set(min(due_us, read.at_us))
            await sleep(min((read.at_us - due_us) / 1e6 / speed, STEP_S))
        clock.set(read.at_us)
        await devices.emit(device_of(read), [read])
    await until_idle(engine, sleep)
    clock.set(clock.steady_us() + 1000 * AFTER_THE_END_MS)
    await until_idle(engine, sleep)


def clock_at(timed: TimedRead) -> PlayedClock:
    """A clock that begins with a read."""
    ahead = ahead_us(timed)
    return PlayedClock(timed[1].at_us - ahead, ahead)


def ahead_us(timed: TimedRead) -> int:
    """How far the wall clock was ahead of the steady one."""
    mono_ms, read = timed
    found = read.at_us - 1000 * mono_ms
    return found if abs(found) > UNSURE_US else 0


async def until_idle(engine: Engine, sleep: Callable[[float], Awaitable[None]] = asyncio.sleep) -> None:
    """Return when all that was taken is aggregated, and all that was said is durable."""
    engine.poke()
    while not engine.idle:
        await sleep(LOOK_S)
