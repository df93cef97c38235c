"""Puts a board on a line, weighing what its cells feel."""

import asyncio
from collections.abc import Callable

from simulators.hx711_lines.board import Board
from simulators.link import Link, until_one_ends


class Served:
    """A board with its line. `weigh` tells what each cell feels now, in grams.

    Attributes:
        heard: what was sent to the board; its program reads nothing, but OpenScale would open its menu at an x.
    """

    def __init__(self, board: Board, weigh: Callable[[], list[float]], rate_hz: float = 10.0) -> None:
        self.board = board
        self.heard = bytearray()
        self._weigh = weigh
        self._every_s = 1.0 / rate_hz
        self._cut = False

    def reset(self) -> None:
        """In the middle of a line: what was begun is never ended."""
        self._cut = True

    async def session(self, link: Link) -> None:
        """Serve one line until it goes. Raises LinkDown."""
        self.board.reset()  # opening the port raises DTR
        await until_one_ends(self._listen(link), self._speak(link))

    async def _listen(self, link: Link) -> None:
        while True:
            self.heard += await link.receive()

    async def _speak(self, link: Link) -> None:
        loop = asyncio.get_running_loop()
        due_s = loop.time()
        while True:
            said = self.board.reading(self._weigh(), round(1000 * self._every_s)).encode()
            if self._cut:
                self._cut = False
                said = said[: len(said) // 2]
                self.board.reset()
            if said:
                await link.send(said)
            due_s = max(due_s + self._every_s, loop.time())
            await asyncio.sleep(due_s - loop.time())
