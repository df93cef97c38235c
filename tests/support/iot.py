"""Simulated readers that publish or stream JSON, what their radio saw, and what a supervised reader made of it."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from typing import Protocol

from tests.support.supervised import Site, now_us


class Served(Protocol):
    @property
    def reading(self) -> bool: ...

    def sighted(self, epc: bytes, antenna: int, rssi_dbm: int, channel: int, at_us: int) -> None: ...

    async def run(self) -> None: ...


class Radio:
    """Shows tags to a reader, each EPC once, so that every sighting can be told from every other.

    `ahead_us`: by how much the reader's clock is ahead of ours.
    """

    def __init__(self, served: Served, ahead_us: int = 0) -> None:
        self.served = served
        self.ahead_us = ahead_us
        self.seen: dict[str, tuple[int, int, int]] = {}  # EPC: antenna, strength, when by our clock

    def sees(self, number: int) -> None:
        for _ in range(number):
            i = len(self.seen)
            epc, antenna, rssi, at = f"3074257BF7194E40{i:08X}", 1 + i % 2, -40 - i % 40, now_us()
            self.seen[epc] = antenna, rssi, at
            self.served.sighted(bytes.fromhex(epc), antenna, rssi, 1, at + self.ahead_us)

    def missing(self, site: Site) -> set[str]:
        return set(self.seen) - {read.epc for read in site.tags()}

    def holds(self, *sites: Site) -> None:
        """Everything was read, as it was seen, once, and nothing else."""
        tags = [read for site in sites for read in site.tags()]
        counts = Counter(read.epc for read in tags)
        assert not [epc for epc, count in counts.items() if count > 1], "told twice"
        assert set(counts) == set(self.seen)
        assert {read.epc: (read.antenna, round(read.rssi_dbm)) for read in tags} == {
            epc: told[:2] for epc, told in self.seen.items()
        }

    def lateness_us(self, *sites: Site) -> list[int]:
        return [read.at_us - self.seen[read.epc][2] for site in sites for read in site.tags()]


@asynccontextmanager
async def a_radio(served: Served, *, ahead_us: int = 0) -> AsyncIterator[Radio]:
    running = asyncio.create_task(served.run())
    try:
        yield Radio(served, ahead_us)
    finally:
        running.cancel()
        with suppress(asyncio.CancelledError):
            await running
