"""Puts a reader on a line: commands in, rounds out. It keeps nothing for a client that is not there."""

import asyncio
from typing import Protocol

from simulators.link import Link, until_one_ends
from simulators.metratec.air import Air

TICK_S = 0.01
BAUD = 115_200


class Device(Protocol):
    """Either generation."""

    air: Air
    told: list[tuple[str, int, int]]

    def receive(self, data: bytes) -> list[bytes]: ...

    def tick(self, mono_ms: float) -> list[list[bytes]]: ...


class Served:
    """A reader with its line. It takes one client: a second one's connection is closed at once."""

    def __init__(self, device: Device) -> None:
        self.device = device
        self.has_client = False

    @property
    def reading(self) -> bool:
        return self.device.air.reading and self.has_client

    def sighted(self, epc: bytes, antenna: int, rssi_dbm: int, channel: int, at_us: int) -> None:
        """The radio has read a tag. The reader has no clock, and says nothing of channels."""
        if self.has_client:
            self.device.air.sighted(epc.hex().upper(), antenna, rssi_dbm)

    async def session(self, link: Link) -> None:
        """Serve one client until it or the line goes. Raises LinkDown."""
        if self.has_client:
            return
        self.has_client = True
        try:
            await until_one_ends(self._listen(link), self._speak(link))
        finally:
            self.has_client = False

    async def _listen(self, link: Link) -> None:
        while True:
            for answer in self.device.receive(await link.receive()):
                await link.send(answer)

    async def _speak(self, link: Link) -> None:
        loop = asyncio.get_running_loop()
        while True:
            for message in self.device.tick(loop.time() * 1000):
                for line in message:
                    await link.send(line)
            await asyncio.sleep(TICK_S)

    async def run(self) -> None:
        """Its time is kept while somebody is connected; runs until cancelled."""
        await asyncio.Event().wait()
