"""One connection to a module: commands and their answers, and what is said in between."""

import asyncio
import logging
from collections.abc import Callable

from edge.errors import ReaderError, ReaderLost, ReaderRefused
from edge.readers.framed import Arrival, Framed
from edge.readers.m100.protocol import NO_TAG, SUCCESS, Command, Frame, Framer, Framing, command, words
from edge.readers.streams import Stream

log = logging.getLogger(__name__)

# A module answers within milliseconds, a round of reading tags included; 0.6 s bears a serial server between.
ANSWER_S = 0.6
TRIES = 2  # a command or its answer may come damaged, and a module that sleeps loses the first
# One that reads has a frame for us each round, of some tens of milliseconds.
CALM_S = 2.0
QUIET_S = 0.3
FAREWELL_S = 0.5


class Session:
    """Frames in and out. What is read while an answer is awaited is kept, in order, so that nothing is lost."""

    def __init__(self, stream: Stream, framing: Framing, name: str, now_us: Callable[[], int]) -> None:
        self._stream = stream
        self._framing = framing
        self._name = name
        self._framed = Framed(stream, Framer(framing), now_us)
        self._loop = asyncio.get_running_loop()
        self._waiting: list[Arrival[Frame]] = []

    async def receive(self, within_s: float) -> list[Arrival[Frame]]:
        """Frames as soon as there are any; none after `within_s` without a whole one. Raises ReaderLost: hung up."""
        if self._waiting:
            waiting, self._waiting = self._waiting, []
            return waiting
        return await self._framed.receive(within_s)

    def send(self, number: int, params: bytes = b"") -> None:
        """Raises ReaderLost."""
        self._stream.write(command(self._framing, number, params))

    async def ask(
        self, number: int, params: bytes = b"", *, also: int | None = None, tries: int = TRIES
    ) -> Frame:
        """Send a command and wait for its answer, or the error in its place; again if none comes.

        Args:
            also: what the answer may be called as well.

        Raises:
            ReaderLost: hung up, or no answer.
        """
        for _ in range(tries):
            self.send(number, params)
            give_up_s = self._loop.time() + ANSWER_S
            while (left_s := give_up_s - self._loop.time()) > 0:
                answer: Frame | None = None
                for arrival in await self._framed.receive(left_s):
                    if answer is None and _answers(arrival.frame, (number, also)):
                        answer = arrival.frame
                    else:
                        self._waiting.append(arrival)
                if answer is not None:
                    return answer
        raise ReaderLost(f"no answer to command {number:02X}h in {ANSWER_S:g} s, asked {tries} times")

    async def must(self, number: int, params: bytes, what: str) -> Frame:
        """As `ask`, and the module has to agree.

        Raises:
            ReaderRefused: it does not; `what` and its own words are in the text.
            ReaderLost: as `ask`.
        """
        answer = await self.ask(number, params)
        if answer.command == Command.ERROR:
            raise ReaderRefused(
                f"the module refuses {what}: {words(answer.params[0] if answer.params else 0)}"
            )
        return answer

    async def set(self, number: int, params: bytes, what: str) -> None:
        """As `must`, for commands that are answered with success or not."""
        answer = await self.must(number, params, what)
        if answer.params != SUCCESS:
            raise ReaderRefused(f"the module refuses {what}: it answers {answer.params.hex() or 'nothing'}")

    async def calm(self) -> None:
        """End what is running, from an earlier connection or ours; the reads that come meanwhile are kept.

        Raises:
            ReaderLost: hung up.
        """
        give_up_s = self._loop.time() + CALM_S
        self.send(Command.STOP)
        while self._loop.time() < give_up_s:
            arrivals = await self._framed.receive(QUIET_S)
            self._waiting += [each for each in arrivals if each.frame.notice]
            if not arrivals or any(each.frame.command == Command.STOP for each in arrivals):
                return
        log.debug("%s: does not stop when told to", self._name)

    async def farewell(self) -> None:
        """Stop reading, if the link still can."""
        try:
            async with asyncio.timeout(FAREWELL_S):
                await self.ask(Command.STOP, tries=1)
        except (ReaderError, TimeoutError) as error:
            log.debug("%s: left without a farewell: %s", self._name, error)


def _answers(frame: Frame, numbers: tuple[int | None, ...]) -> bool:
    if frame.notice:
        return False
    if frame.command == Command.ERROR:
        return frame.params[:1] != bytes([NO_TAG])  # that is what a round says which was still running
    return frame.command in numbers
