"""Puts a scale, of whatever make, on a line, weighing what a cell feels."""

import asyncio
from collections.abc import Callable
from typing import Generic, Protocol, TypeVar

from simulators.link import Link, until_one_ends

UPDATE_S = 0.1  # ten values a second: common shop scales give 10 to 23


class Weighing(Protocol):
    """What a line needs of a scale."""

    def receive(self, data: bytes) -> list[bytes]:
        """Take bytes; what is answered at once."""

    def update(self, grams: float) -> list[bytes]:
        """The cell's next value has come; what is due with it."""


S = TypeVar("S", bound=Weighing)


class Served(Generic[S]):
    """A scale with its line. `weigh` tells what the cell feels now, in grams."""

    def __init__(self, scale: S, weigh: Callable[[], float], update_s: float = UPDATE_S) -> None:
        self.scale = scale
        self._weigh = weigh
        self._update_s = update_s

    async def session(self, link: Link) -> None:
        """Serve one line until it goes. Raises LinkDown."""
        self.scale.update(self._weigh())  # there is a weight before there is a question
        await until_one_ends(self._listen(link), self._speak(link))

    async def _listen(self, link: Link) -> None:
        while True:
            for answer in self.scale.receive(await link.receive()):
                await link.send(answer)

    async def _speak(self, link: Link) -> None:
        loop = asyncio.get_running_loop()
        due_s = loop.time()
        while True:
            for line in self.scale.update(self._weigh()):
                await link.send(line)
            # A slow line makes a scale skip updates, not fall behind.
            due_s = max(due_s + self._update_s, loop.time())
            await asyncio.sleep(due_s - loop.time())
