"""One connection to a reader: requests and their answers, keepalives, and what comes unasked."""

import asyncio
import logging
from itertools import count

from edge.errors import ProtocolError, ReaderError, ReaderLost, ReaderRefused
from edge.readers.llrp.protocol.answers import Attempt, Event, Status, event, status
from edge.readers.llrp.protocol.commands import ANSWER_TO, Type, message
from edge.readers.llrp.protocol.framing import Framer, Message
from edge.readers.streams import Stream

log = logging.getLogger(__name__)

# A reader's controller is slow while it sets its radio up; none is known to need longer, and a dead one is found out.
ANSWER_TIMEOUT_S = 10.0
# A farewell is a courtesy, which lets the reader take our next connection at once.
FAREWELL_TIMEOUT_S = 1.0

_TAKEN = {
    Attempt.READER_INITIATED_EXISTS: "is busy with a connection that it opened itself",
    Attempt.CLIENT_INITIATED_EXISTS: "is busy with another client, or has not noticed that our last connection ended",
    Attempt.ANOTHER_ATTEMPTED: "says that another client is connecting",
}


class Session:
    """Messages in and out. What comes while an answer is awaited is kept, in order, so that nothing is lost."""

    def __init__(self, stream: Stream, name: str) -> None:
        self._stream = stream
        self._name = name
        self._framer = Framer()
        self._ids = count(1)
        self._waiting: list[Message] = []  # came while an answer was awaited
        self._broken: ProtocolError | None = None  # found behind messages that were still good

    async def greeting(self) -> Event:
        """Wait until the reader says that it has taken the connection: nothing is sent before (LLRP 1.1, 20.1.1).

        Raises:
            ReaderRefused: it serves someone else.
            ReaderLost, ProtocolError: as `receive`.
        """
        while True:
            for each in await self.receive(ANSWER_TIMEOUT_S):
                if each.type != Type.READER_EVENT_NOTIFICATION:
                    continue
                told = event(each.body)
                if told.attempt == Attempt.SUCCESS:
                    return told
                if told.attempt is not None:
                    words = _TAKEN.get(told.attempt, "cannot take a connection")  # type: ignore[call-overload]  # an
                    # IntEnum is found under its number
                    raise ReaderRefused(
                        f"{self._name}: the reader {words} (connection attempt: {told.attempt})"
                    )

    async def receive(self, within_s: float) -> list[Message]:
        """What has come; keepalives are answered and not handed on, so the list may be empty.

        Raises:
            ReaderLost: hung up, or silent for `within_s`.
            ProtocolError: what came is not LLRP; said when everything before it was handed on.
        """
        if self._waiting:
            waiting, self._waiting = self._waiting, []
            return waiting
        return await self._fresh(within_s)

    async def _fresh(self, within_s: float) -> list[Message]:
        if self._broken:
            raise self._broken
        messages: list[Message] = []
        data = await self._stream.read(within_s)
        if not data:
            raise ReaderLost(f"silent for {within_s:g} s")
        self._framer.receive(data)
        try:
            for each in self._framer.messages():
                if each.type == Type.KEEPALIVE:
                    self._stream.write(message(Type.KEEPALIVE_ACK, each.id))
                else:
                    messages.append(each)
        except ProtocolError as error:
            self._broken = error
            if not messages:
                raise
        return messages

    async def ask(self, request: Type, body: bytes = b"") -> tuple[Status, bytes]:
        """Send one request and wait for its answer; an ERROR_MESSAGE is one too.

        Raises:
            ReaderLost: hung up, silent, or no answer in time.
            ProtocolError: the answer, or what came before it, cannot be read.
        """
        number = next(self._ids)
        self._stream.write(message(request, number, body))
        try:
            async with asyncio.timeout(ANSWER_TIMEOUT_S):
                while True:
                    messages = await self._fresh(ANSWER_TIMEOUT_S)
                    for i, each in enumerate(messages):
                        if each.id == number and each.type in (ANSWER_TO[request], Type.ERROR_MESSAGE):
                            self._waiting += messages[:i] + messages[i + 1 :]
                            return status(each.body), each.body
                    self._waiting += messages
        except TimeoutError:
            raise ReaderLost(f"no answer to {request.name} in {ANSWER_TIMEOUT_S:g} s") from None

    def tell(self, request: Type) -> None:
        """Send what has no answer. Raises ReaderLost."""
        self._stream.write(message(request, next(self._ids)))

    async def farewell(self) -> None:
        """Leave politely, if the link still can; what the reader was told to do goes on without us."""
        try:
            async with asyncio.timeout(FAREWELL_TIMEOUT_S):
                await self.ask(Type.CLOSE_CONNECTION)
        except (ReaderError, TimeoutError) as error:
            log.debug("%s: left without a farewell: %s", self._name, error)
