"""Puts a simulated serial module, of whatever make, on a line."""

import asyncio
from collections.abc import Iterable
from typing import Protocol

from simulators.link import Link, until_one_ends

TICK_S = 0.01


class Module(Protocol):
    """What a line needs of a module; times in milliseconds of the event loop."""

    def receive(self, data: bytes) -> Iterable[bytes]:
        """Take bytes; the answers to them."""

    def outgoing(self) -> Iterable[bytes]:
        """What it says by itself."""

    def tick(self, now_ms: float) -> None: ...

    def nobody_listens(self) -> None: ...


class Served:
    """A module with its line."""

    def __init__(self, module: Module) -> None:
        self.module = module
        self._lines = 0

    async def session(self, link: Link) -> None:
        """Serve one line until it goes. Raises LinkDown."""
        self._lines += 1
        try:
            await until_one_ends(self._listen(link), self._speak(link))
        finally:
            self._lines -= 1

    async def _listen(self, link: Link) -> None:
        while True:
            for answer in self.module.receive(await link.receive()):
                await link.send(answer)

    async def _speak(self, link: Link) -> None:
        while True:
            for frame in self.module.outgoing():
                await link.send(frame)
            await asyncio.sleep(TICK_S)

    async def run(self) -> None:
        """Keep the module's time; runs until cancelled."""
        loop = asyncio.get_running_loop()
        while True:
            self.module.tick(loop.time() * 1000)
            if not self._lines:
                self.module.nobody_listens()
            await asyncio.sleep(TICK_S)
