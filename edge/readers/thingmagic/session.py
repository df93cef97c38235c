"""One connection to a module: commands and their answers, and what streams in between."""

import asyncio
import logging
from collections.abc import Callable

from edge.errors import ReaderError, ReaderLost, ReaderRefused
from edge.readers.framed import Arrival, Framed
from edge.readers.streams import Stream
from edge.readers.thingmagic.protocol.commands import STOP, Opcode, words
from edge.readers.thingmagic.protocol.framing import Frame, Framer

log = logging.getLogger(__name__)

# A module answers within milliseconds; 1 s bears a serial server between.
ANSWER_S = 1.0
TRIES = 2  # a command or its answer may come damaged, and each may be said twice
# One that streams has a frame for us each second. It stops at the end of a search at the latest.
CALM_S = 3.0
QUIET_S = 0.4
FAREWELL_S = 0.5


class Session:
    """Frames in and out. What streams while an answer is awaited is kept, in order, so that nothing is lost."""

    def __init__(self, stream: Stream, name: str, now_us: Callable[[], int]) -> None:
        self._stream = stream
        self._name = name
        self._framed = Framed(stream, Framer(), now_us)
        self._loop = asyncio.get_running_loop()
        self._waiting: list[Arrival[Frame]] = []

    async def receive(self, within_s: float) -> list[Arrival[Frame]]:
        """Frames as soon as there are any; none after `within_s` without a whole one.

        Raises:
            ReaderLost: the other side hung up, and everything before was handed out.
        """
        if self._waiting:
            waiting, self._waiting = self._waiting, []
            return waiting
        return await self._framed.receive(within_s)

    def send(self, command: bytes) -> None:
        """Raises ReaderLost."""
        self._stream.write(command)

    async def ask(self, command: bytes, within_s: float = ANSWER_S, tries: int = TRIES) -> Frame:
        """Send a command and wait for its answer, whatever it says; again if none comes.

        Raises:
            ReaderLost: hung up, or no answer.
        """
        for _ in range(tries):
            self.send(command)
            give_up_s = self._loop.time() + within_s
            while (left_s := give_up_s - self._loop.time()) > 0:
                answer: Frame | None = None
                for arrival in await self._framed.receive(left_s):
                    if answer is None and arrival.frame.opcode == command[2]:
                        answer = arrival.frame
                    # Also the answers to stop and start, which divide what was read before from what comes now. Other
                    # answers are late ones, of commands that were asked twice.
                    if arrival.frame.opcode in (Opcode.READ_TAGS, Opcode.READ_FOR_EVER):
                        self._waiting.append(arrival)
                if answer is not None:
                    return answer
        raise ReaderLost(f"no answer to command {command[2]:02X}h in {within_s:g} s, asked {tries} times")

    async def must(self, command: bytes, what: str) -> Frame:
        """As `ask`, and the module has to agree.

        Raises:
            ReaderRefused: it does not; `what` and its own words are in the text.
            ReaderLost: as `ask`.
        """
        answer = await self.ask(command)
        if answer.status:
            raise ReaderRefused(f"the module refuses {what}: {words(answer.status)}")
        return answer

    async def calm(self) -> None:
        """End what an earlier connection left running; the reads that come meanwhile are kept.

        Raises:
            ReaderLost: hung up.
        """
        give_up_s = self._loop.time() + CALM_S
        self.send(STOP)
        while self._loop.time() < give_up_s:
            arrivals = await self._framed.receive(QUIET_S)
            self._waiting += [each for each in arrivals if each.frame.opcode == Opcode.READ_TAGS]
            if any(each.frame.opcode == Opcode.READ_FOR_EVER for each in arrivals):
                return
            if not arrivals:
                return  # it was not running, and says nothing to it; or what is there speaks at another speed
        log.debug("%s: does not stop when told to", self._name)

    async def farewell(self) -> None:
        """Stop reading, if the link still can."""
        try:
            await self.ask(STOP, FAREWELL_S, tries=1)
        except ReaderError as error:
            log.debug("%s: left without a farewell: %s", self._name, error)
