"""An LLRP reader as the supervisor sees it."""

import logging
from collections.abc import AsyncIterator, Callable, Iterable, Iterator, Sequence
from contextlib import asynccontextmanager

from edge.errors import ReaderLost
from edge.readers.llrp.clock import DeviceClock
from edge.readers.llrp.config import PORT, LlrpConfig
from edge.readers.llrp.converter import Converter
from edge.readers.llrp.inputs import Change, Inputs
from edge.readers.llrp.protocol.answers import status
from edge.readers.llrp.protocol.events import Event, event
from edge.readers.llrp.protocol.framing import Message
from edge.readers.llrp.protocol.reports import ReportDecoder
from edge.readers.llrp.protocol.types import Type
from edge.readers.llrp.session import Session
from edge.readers.llrp.setup import Ready, agree_on_version, set_up
from edge.readers.streams import connect
from edge.readers.urls import parse
from edge.reads import Antenna, Lost, Read, Trigger

log = logging.getLogger(__name__)

# Keepalives missed before the reader is given up: one may be late behind a long report, two are not. A switch that is
# restarted, or a radio link that roams, is silent for seconds, and what the reader has to say then comes after all.
KEEPALIVES_MISSED = 3
LEAST_SILENCE_S = 10.0
# What comes after so long a stall, beyond the silence that ends a connection, was not late: the clock was set.
_STALL_MARGIN_S = 10.0
# Different warnings of one connection: a reader whose words never are the same twice is not to fill the log.
_MOST_SAID = 20


class LlrpReader:
    beats = True  # yields nothing now and then, to say that it is alive and has told all

    def __init__(self, config: LlrpConfig, name: str, now_us: Callable[[], int]) -> None:
        self.name = name
        self.detail = ""
        # All that it saw since the connection before this one, of an earlier start perhaps, was kept, and comes now.
        self.held = False
        self._config = config
        self._now_us = now_us
        self._patience_s = config.silence_s or max(LEAST_SILENCE_S, KEEPALIVES_MISSED * config.keepalive_s)
        self._utc = self._clock()
        self._before_us: int | None = None  # how far its clock was ahead in the last connection that told
        self._heard_us: int | None = None  # when the reader last said something
        self._asks_version = True

    @property
    def clock_offset_ms(self) -> float | None:
        return None if self._utc.offset_us is None else self._utc.offset_us / 1000

    @asynccontextmanager
    async def open(self) -> AsyncIterator[AsyncIterator[Sequence[Read]]]:
        async with connect(parse(self._config.url, port=PORT)) as stream:
            session = Session(stream, self.name)
            # What was learnt may be of another reader, or from before it was restarted.
            if self._utc.offset_us is not None:
                self._before_us = self._utc.offset_us
            self._utc = self._clock(self._before_us, self._heard_us)
            connection = _Connection(
                self.name, Converter(self.name, self._utc, self._clock()), self._inputs()
            )
            connection.converter.at(await session.greeting(), self._now_us())
            await self._agree_on_version(session)
            ready = await set_up(session, self._config, self.name)
            connection.ready(ready)
            self.detail, self.held = ready.able.detail, ready.kept
            try:
                yield self._reads(session, connection)
            finally:
                await session.farewell()

    async def _agree_on_version(self, session: Session) -> None:
        if not self._asks_version:
            return
        try:
            await agree_on_version(session)
        except ReaderLost:
            self._asks_version = False  # perhaps at this very question: next time it is spared
            raise

    def _clock(self, before: int | None = None, since_us: int | None = None) -> DeviceClock:
        return DeviceClock(int((self._patience_s + _STALL_MARGIN_S) * 1e6), before, since_us)

    def _inputs(self) -> Inputs:
        return Inputs(self._config.active_low, int(self._config.debounce_ms * 1000))

    async def _reads(self, session: Session, connection: "_Connection") -> AsyncIterator[Sequence[Read]]:
        keepalives = 0
        while True:
            messages = await session.receive(
                self._patience_s, wake_s=connection.inputs.wait_s(self._now_us())
            )
            arrival_us = self._now_us()
            if messages:
                self._heard_us = arrival_us
            for message in messages:
                for reads in connection.take(message, arrival_us):
                    yield reads
            if late := connection.inputs.due(arrival_us):
                yield connection.triggers(late)
            if session.keepalives > keepalives:
                keepalives = session.keepalives
                yield []


class _Connection:
    """What one connection says, turned into reads."""

    def __init__(self, name: str, converter: Converter, inputs: Inputs) -> None:
        self.converter = converter
        self.inputs = inputs
        self._name = name
        self._decoder = ReportDecoder()
        self._rospec = 0
        self._said: set[str] = set()  # what was logged, and is not to be again

    def ready(self, ready: Ready) -> None:
        """From now on it reads."""
        self.converter.know_channels(ready.able.frequencies_khz)
        self._rospec = ready.rospec

    def take(self, message: Message, arrival_us: int) -> Iterable[Sequence[Read]]:
        """The reads in a message that arrived then.

        Raises:
            ReaderLost: the reader takes its leave, or reads no more.
            ProtocolError: what follows in the message cannot be read.
        """
        match message.type:
            case Type.RO_ACCESS_REPORT:
                return self._tags(message.body, arrival_us)
            case Type.READER_EVENT_NOTIFICATION:
                told = event(message.body)
                reads = self._told(told, self.converter.at(told, arrival_us), arrival_us)
                return [reads] if reads else []
            case Type.ERROR_MESSAGE:
                self._once("error", f"the reader says that something was wrong: {status(message.body)}")
            case _:
                log.debug("%s: message of type %d not used", self._name, message.type)
        return []

    def triggers(self, changes: Sequence[Change]) -> list[Read]:
        return [Trigger(at_us=at, gate=self._name, input=number, on=on) for number, on, at in changes]

    def _tags(self, body: bytes, arrival_us: int) -> Iterator[Sequence[Read]]:
        for tags in self._decoder.decode(body):
            if reads := self.converter.reads(tags, arrival_us):
                yield reads

    def _told(self, told: Event, at_us: int, arrival_us: int) -> list[Read]:
        """What is to be known of an event; says what a person should know, and gives up where the reader has."""
        if told.closing:
            raise ReaderLost(f"{self._name}: the reader closed the connection")
        if told.ended == self._rospec:
            raise ReaderLost(f"{self._name}: the reader stopped reading by itself")
        if told.buffer_percent is not None:
            words = f"the reader's report buffer is {told.buffer_percent} % full: we are too slow for it"
            self._once("buffer", words)
        for exception in told.exceptions:
            self._once(exception, f"the reader says: {exception}")
        reads: list[Read] = []
        if told.gpi:
            reads += self.triggers(self.inputs.change(*told.gpi, at_us))
        if told.antenna:
            number, connected = told.antenna
            log.log(
                logging.INFO if connected else logging.WARNING, "%s: antenna %d is %s",
                self._name, number, "connected" if connected else "disconnected",
            )  # fmt: skip
            reads.append(Antenna(at_us=at_us, gate=self._name, antenna=number, connected=connected))
        if told.overflow:
            # Which reads are lost is not said. Assumed: a full buffer takes no more, until it was emptied just now.
            reason = "the reader's report buffer was full"
            log.error("%s: %s; reads are lost", self._name, reason)
            to_us = max(at_us, arrival_us)
            reads.append(Lost(at_us=at_us, device=self._name, from_us=at_us, to_us=to_us, reason=reason))
        return reads

    def _once(self, what: str, words: str) -> None:
        """Log a warning, unless one about this was logged in this connection."""
        if what not in self._said and len(self._said) < _MOST_SAID:
            self._said.add(what)
            log.warning("%s: %s", self._name, words)
