"""A module of the M100 family as the supervisor sees it."""

import asyncio
import logging
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager

from edge.errors import ProtocolError
from edge.readers.framed import Arrival
from edge.readers.m100.config import M100Config
from edge.readers.m100.protocol import NO_TAG, Command, Frame, Framing, tag, words
from edge.readers.m100.session import Session
from edge.readers.m100.setup import FRAMINGS, contact, set_up, start
from edge.readers.streams import connect
from edge.readers.urls import parse
from edge.reads import Lost, Read, TagRead

log = logging.getLogger(__name__)

BAUD = 115200  # as delivered
# Frames whose checksum is right and whose tag is damaged are rare; more in a row, and this board writes them otherwise.
MOST_BAD_TAGS = 50
# For a board whose figure is none, being above zero: in the middle of what tags at a gate have.
UNKNOWN_RSSI_DBM = -60.0


class M100Reader:
    def __init__(self, config: M100Config, name: str, now_us: Callable[[], int]) -> None:
        self.name = name
        self.detail = ""
        self._config = config
        self._now_us = now_us
        self._framing: Framing | None = None  # in which it answered last

    @property
    def clock_offset_ms(self) -> float | None:
        return None  # it has no clock

    @asynccontextmanager
    async def open(self) -> AsyncIterator[AsyncIterator[Sequence[Read]]]:
        async with connect(parse(self._config.url, baud=BAUD)) as stream:
            framings = sorted(
                FRAMINGS[self._config.framing], key=lambda framing: framing is not self._framing
            )
            session, self._framing, self.detail = await contact(stream, framings, self.name, self._now_us)
            await set_up(session, self._config, self.name)
            try:
                yield _Reading(session, self._config, self.name, self._now_us).reads()
            finally:
                await session.farewell()


class _Reading:
    """One connection's reads. What is silent is asked, and set up anew: its rounds are over, or it was restarted."""

    def __init__(self, session: Session, config: M100Config, name: str, now_us: Callable[[], int]) -> None:
        self._session = session
        self._config = config
        self._name = name
        self._now_us = now_us
        self._clock = asyncio.get_running_loop().time
        self._says_none = False  # this board has a word for a round without tags, so silence is no reading
        self._bad = 0
        self._said: set[int] = set()

    async def reads(self) -> AsyncIterator[Sequence[Read]]:
        """Raises ReaderLost, ReaderRefused: as Session and set_up. ProtocolError: tags cannot be made out."""
        heard_s, heard_us = self._clock(), self._now_us()
        asked_s = heard_s
        while True:
            until_s = heard_s + self._config.silence_s
            if self._config.poll_s is not None:
                until_s = min(until_s, asked_s + self._config.poll_s)
            arrivals = await self._session.receive(max(until_s - self._clock(), 0.0))
            reads: list[Read] = []
            if arrivals:
                heard_s, heard_us = self._clock(), arrivals[-1].at_us
                for arrival in arrivals:
                    reads += self._take(arrival)
            elif self._clock() >= heard_s + self._config.silence_s:
                reads += await self._again(heard_us)
                heard_s = asked_s = self._clock()
            if self._config.poll_s is not None and self._clock() >= asked_s + self._config.poll_s:
                start(self._session, self._config)
                asked_s = self._clock()
            if reads:
                yield reads

    async def _again(self, since_us: int) -> list[Lost]:
        """Set a silent module up anew; what it did not read meanwhile is lost, where its silence says that."""
        log.debug("%s: silent for %g s; set up anew", self._name, self._config.silence_s)
        await self._session.calm()
        await set_up(self._session, self._config, self._name)
        if not self._says_none:
            return []
        now = self._now_us()
        return [
            Lost(
                at_us=now, device=self._name, from_us=since_us, to_us=now, reason="the module stopped reading"
            )
        ]

    def _take(self, arrival: Arrival[Frame]) -> list[Read]:
        frame = arrival.frame
        if frame.notice and frame.command in (Command.READ_ONCE, Command.READ_MANY):
            return self._tag(frame.params, arrival.at_us)
        if frame.command == Command.ERROR and frame.params:
            code = frame.params[0]
            if code == NO_TAG:
                self._says_none = True
            elif code not in self._said:
                self._said.add(code)
                log.warning("%s: the module says: %s", self._name, words(code))
        return []

    def _tag(self, params: bytes, at_us: int) -> list[Read]:
        try:
            found = tag(params)
        except ProtocolError as error:
            self._bad += 1
            if self._bad > MOST_BAD_TAGS:
                raise
            log.debug("%s: passed over: %s", self._name, error)
            return []
        self._bad = 0
        if not found.epc:
            return []
        return [
            TagRead(
                at_us=at_us,
                gate=self._name,
                antenna=self._config.antenna,
                epc=found.epc.hex().upper(),
                rssi_dbm=float(found.rssi_dbm) if found.rssi_dbm <= 0 else UNKNOWN_RSSI_DBM,
            )
        ]
