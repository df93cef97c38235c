"""One connection to a reader: requests and their answers, keepalives, and what comes unasked."""

import asyncio
import logging
from itertools import count

from edge.errors import ProtocolError, ReaderError, ReaderLost, ReaderRefused
from edge.readers.llrp.protocol.answers import Status, status
from edge.readers.llrp.protocol.commands import message
from edge.readers.llrp.protocol.events import Attempt, Event, event
from edge.readers.llrp.protocol.framing import Framer, Message
from edge.readers.llrp.protocol.impinj import ANSWER_HEAD
from edge.readers.llrp.protocol.types import ANSWER_TO, Type
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


# What an answer says before its status: a vendor's message its vendor, and GET_SUPPORTED_VERSION_RESPONSE two versions.
_HEADS: dict[int, int] = {Type.CUSTOM_MESSAGE: ANSWER_HEAD, Type.GET_SUPPORTED_VERSION_RESPONSE: 2}


class Silent(ReaderLost):
    """Nothing at all came, for longer than it should take."""


class NoAnswer(ReaderLost):
    """One request was not answered in time."""


class Session:
    """Messages in and out. What comes while an answer is awaited is kept, in order, so that nothing is lost."""

    def __init__(self, stream: Stream, name: str) -> None:
        self._stream = stream
        self._name = name
        self.keepalives = 0  # that have come
        self._framer = Framer()
        self._ids = count(1)
        self.version = 1  # of LLRP: 1 is 1.0.1, which every reader knows; 2 is 1.1
        self._told: set[int] = set()  # ids of what was sent and has no answer
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

    async def receive(self, within_s: float, wake_s: float | None = None) -> list[Message]:
        """What has come; keepalives are answered and not handed on, so the list may be empty.

        Args:
            within_s: the reader is silent if nothing comes for so long.
            wake_s: return an empty list after so long already.

        Raises:
            Silent: nothing for `within_s`.
            ReaderLost: hung up.
            ProtocolError: what came is not LLRP; said when everything before it was handed on.
        """
        if self._waiting:
            waiting, self._waiting = self._waiting, []
            return waiting
        return await self._fresh(within_s, wake_s)

    async def _fresh(self, within_s: float, wake_s: float | None = None) -> list[Message]:
        if self._broken:
            raise self._broken
        messages: list[Message] = []
        data = await self._stream.read(within_s if wake_s is None else min(within_s, wake_s))
        if not data:
            if wake_s is not None and wake_s < within_s:
                return messages
            raise Silent(f"{self._name}: the reader is silent for {within_s:g} s")
        self._framer.receive(data)
        try:
            for each in self._framer.messages():
                if each.type == Type.KEEPALIVE:
                    self.keepalives += 1
                    self._stream.write(message(Type.KEEPALIVE_ACK, each.id, version=self.version))
                elif each.type == Type.ERROR_MESSAGE and each.id in self._told:
                    log.debug("%s: the reader would not: %s", self._name, status(each.body))
                else:
                    messages.append(each)
        except ProtocolError as error:
            self._broken = error
            if not messages:
                raise
        return messages

    async def ask(
        self,
        request: Type,
        body: bytes = b"",
        *,
        version: int | None = None,
        within_s: float = ANSWER_TIMEOUT_S,
    ) -> tuple[Status, bytes]:
        """Send one request and wait for its answer: how it went, and the answer's body. An ERROR_MESSAGE is one too.

        Raises:
            NoAnswer: none in time, of a reader that is there.
            ReaderLost: hung up, or silent.
            ProtocolError: the answer, or what came before it, cannot be read.
        """
        number = next(self._ids)
        self._stream.write(message(request, number, body, version=version or self.version))
        try:
            async with asyncio.timeout(within_s):
                while True:
                    messages = await self._fresh(within_s)
                    for i, each in enumerate(messages):
                        if each.id == number and each.type in (ANSWER_TO[request], Type.ERROR_MESSAGE):
                            self._waiting += messages[:i] + messages[i + 1 :]
                            return status(each.body[_HEADS.get(each.type, 0) :]), each.body
                    self._waiting += messages
        except (TimeoutError, Silent):
            words = f"{self._name}: the reader does not answer {request.name} within {within_s:g} s"
            raise NoAnswer(words) from None

    def tell(self, request: Type) -> None:
        """Send what has no answer; an ERROR_MESSAGE that some send all the same is passed over. Raises ReaderLost."""
        number = next(self._ids)
        self._told.add(number)
        self._stream.write(message(request, number, version=self.version))

    async def farewell(self) -> None:
        """Leave politely, if the link still can; what the reader was told to do goes on without us."""
        try:
            async with asyncio.timeout(FAREWELL_TIMEOUT_S):
                await self.ask(Type.CLOSE_CONNECTION)
        except (ReaderError, TimeoutError) as error:
            log.debug("%s: left without a farewell: %s", self._name, error)
