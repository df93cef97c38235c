"""Puts a reader on a line: one client at a time, commands in, reports out."""

import asyncio
import logging

from simulators.errors import LinkDown, Malformed
from simulators.link import Link, until_one_ends
from simulators.llrp.layout import Status, Type, message, status
from simulators.llrp.parse import Cutter
from simulators.llrp.reader import Reader

log = logging.getLogger(__name__)

TICK_S = 0.02


class Served:
    """A reader with its line."""

    def __init__(self, reader: Reader, name: str) -> None:
        self.reader = reader
        self.name = name

    async def session(self, link: Link) -> None:
        """Serve one client until it or the line goes. Raises LinkDown."""
        if self.reader.has_client or self.reader.taken:
            await link.send(self.reader.refuse())
            return
        await link.send(self.reader.connect())
        log.info("%s: a client connected", self.name)
        try:
            await until_one_ends(self._listen(link), self._speak(link))
        finally:
            self.reader.disconnect()
            log.info("%s: the client has gone", self.name)

    async def _listen(self, link: Link) -> None:
        """Obey commands until the client closes, or says what is not LLRP."""
        cutter = Cutter()
        while True:
            try:
                for command in cutter.receive(await link.receive()):
                    for answer in self.reader.receive(command):
                        await link.send(answer)
                    if command.kind == Type.CLOSE_CONNECTION:
                        return
            except Malformed as error:
                await link.send(message(Type.ERROR_MESSAGE, 0, status(Status.PARAMETER_ERROR, str(error))))
                return

    async def _speak(self, link: Link) -> None:
        starts = self.reader.starts
        while True:
            if self.reader.starts != starts:
                raise LinkDown("the reader was switched off")
            if self.reader.leaving:
                await link.send(self.reader.goodbye())
                raise LinkDown("the reader closes the connection")
            if (keepalive := self.reader.keepalive()) is not None:
                await link.send(keepalive)
            if self.reader.client_is_dead:
                raise LinkDown("the client answers no keepalive")
            for words in self.reader.outgoing():
                await link.send(words)
            await asyncio.sleep(TICK_S)

    async def run(self) -> None:
        """Keep the reader's time while nobody is connected; runs until cancelled."""
        loop = asyncio.get_running_loop()
        while True:
            self.reader.tick(loop.time() * 1000)
            await asyncio.sleep(TICK_S)
