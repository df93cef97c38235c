"""One serial module by itself, with tags standing before it, and what can befall it, said to it in words."""

import asyncio
import heapq
from collections.abc import Callable, Mapping
from random import Random
from typing import Protocol

from simulators.link import Session, Where, on_line
from simulators.m100.module import Module as M100Module
from simulators.radio import standing
from simulators.scenario import GateSite
from simulators.single import standing_tags
from simulators.thingmagic.module import Module as ThingmagicModule
from simulators.trouble import Trouble

BAUD = 115200  # of both, as delivered
Words = Mapping[str, Callable[[list[int]], None]]


class Radio(Protocol):
    def sighted(self, epc: bytes, antenna: int, rssi_dbm: int, channel: int, at_us: int) -> None: ...


class Served(Protocol):
    @property
    def session(self) -> Session: ...

    async def run(self) -> None: ...


def thingmagic_words(module: ThingmagicModule) -> Words:
    """What can befall it: `off 2`, `on 2`, `hot`, `cool`, `power-cycle`."""

    def heat(hot: bool) -> None:
        module.hot = hot

    return {
        "off": lambda ports: module.off.update(ports),
        "on": lambda ports: module.off.difference_update(ports),
        "hot": lambda ports: heat(True),
        "cool": lambda ports: heat(False),
        "power-cycle": lambda ports: module.power_cycle(),
    }


def m100_words(module: M100Module) -> Words:
    """What can befall it: `off`, `on`, `power-cycle`."""

    def plug(off: bool) -> None:
        module.antenna_off = off

    return {
        "off": lambda ports: plug(True),
        "on": lambda ports: plug(False),
        "power-cycle": lambda ports: module.power_cycle(),
    }


def obey(words: Words, line: str) -> str | None:
    """Do what a line says; returns what is wrong with it."""
    word, *numbers = line.split() or [""]
    if word not in words or not all(number.isdecimal() for number in numbers):
        return f"{line.strip()!r} is none of {', '.join(words)}"
    words[word]([int(number) for number in numbers])
    return None


async def alone(
    served: Served,
    radio: Radio,
    where: Where,
    *,
    antennas: tuple[int, ...],
    tags: int,
    trouble: Callable[[], Trouble],
    seed: int,
    say: Callable[[str], None],
) -> None:
    """Run one module behind a symlink or by TCP until cancelled. `say` is told its URL."""
    half = max(1, len(antennas) // 2)
    site = GateSite(name="module", outside=antennas[:half], inside=antennas[half:] or antennas[:1])
    loop = asyncio.get_running_loop()
    line = on_line(served.session, where, baud=BAUD, trouble=trouble, say=say)
    async with line, asyncio.TaskGroup() as tasks:
        tasks.create_task(served.run())
        began_s = loop.time()
        streams = [
            standing(site, epc, inside=bool(place % 2), from_s=0.0, rng=Random(f"{seed}/{epc}"))
            for place, epc in enumerate(standing_tags(tags))
        ]
        for read in heapq.merge(*streams):
            if (early_s := began_s + read.at_s - loop.time()) > 0:
                await asyncio.sleep(early_s)
            radio.sighted(bytes.fromhex(read.epc), read.antenna, read.rssi_dbm, read.channel, 0)
