"""One connection to a reader: commands and their answers, and what comes unasked meanwhile."""

import asyncio
import logging
from collections.abc import Callable

from edge.errors import ProtocolError, ReaderLost
from edge.readers.metratec.protocol.rounds import Decoder, Event, Noise, Told
from edge.readers.streams import Stream

log = logging.getLogger(__name__)

# metraTec's own library waits 2 s for an answer.
ANSWER_S = 2.0
# Noise garbles a line now and then. So many in a row with nothing between that can be read, and it is not the line.
MOST_BAD_LINES = 20


class Session:
    """Events in, commands out. What comes while an answer is awaited is kept, in order."""

    def __init__(self, stream: Stream, decoder: Decoder, now_us: Callable[[], int], name: str) -> None:
        self._stream = stream
        self._decoder = decoder
        self._now_us = now_us
        self._name = name
        self._bad = 0
        self._reading = False  # while it is set up, what it was told by others before may be beyond us
        self._waiting: list[Event] = []
        self._broken: ProtocolError | None = None  # found behind events that were still good

    def reading(self) -> None:
        """The reader is set up: from now on everything that comes should make sense."""
        self._reading = True

    async def receive(self, within_s: float) -> list[Event]:
        """What has come; may be empty where only half a line has.

        Raises:
            ReaderLost: hung up, or silent for `within_s`.
            ProtocolError: nothing that comes can be read.
        """
        if self._waiting:
            waiting, self._waiting = self._waiting, []
            return waiting
        return await self._fresh(within_s)

    async def _fresh(self, within_s: float) -> list[Event]:
        if self._broken:
            raise self._broken
        data = await self._stream.read(within_s)
        if not data:
            raise ReaderLost(f"silent for {within_s:g} s")
        self._decoder.receive(data, self._now_us())
        events: list[Event] = []
        try:
            for event in self._decoder.events():
                self._note(event)
                events.append(event)
        except ProtocolError as error:
            self._broken = error
            if not events:
                raise
        return events

    def _note(self, event: Event) -> None:
        if not isinstance(event, Noise):
            self._bad = 0
            return
        self._bad += self._reading
        log.debug("%s: passed over: %r", self._name, event.line)
        if self._bad > MOST_BAD_LINES:
            raise ProtocolError(f"{self._bad} lines in a row cannot be read, the last {event.line[:40]!r}")

    def send(self, command: str) -> None:
        """Send what has no answer of its own. Raises ReaderLost."""
        self._stream.write(command.encode("ascii") + b"\r")

    async def ask(self, command: str, last: Callable[[str], bool]) -> list[str]:
        """Send a command; the lines of its answer, up to the one that is the last.

        Raises:
            ReaderLost: hung up, or no answer in time.
            ProtocolError: as `receive`.
        """
        self.send(command)
        lines: list[str] = []
        try:
            async with asyncio.timeout(ANSWER_S):
                while True:
                    events = await self._fresh(ANSWER_S)
                    for i, event in enumerate(events):
                        if not isinstance(event, Told):
                            self._waiting.append(event)
                            continue
                        lines.append(event.text)
                        if last(event.text):
                            self._waiting += events[i + 1 :]
                            return lines
        except TimeoutError:
            raise ReaderLost(f"no answer to {command} in {ANSWER_S:g} s") from None
