"""A ThingMagic module as the supervisor sees it."""

import asyncio
import logging
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager

from edge.errors import ProtocolError, ReaderLost
from edge.readers.framed import Arrival
from edge.readers.thingmagic.clock import ReadClock
from edge.readers.thingmagic.condition import Condition
from edge.readers.thingmagic.config import ThingmagicConfig
from edge.readers.thingmagic.protocol import answers, commands
from edge.readers.thingmagic.protocol.commands import Opcode
from edge.readers.thingmagic.protocol.framing import Frame
from edge.readers.thingmagic.session import Session
from edge.readers.thingmagic.setup import contact, places, set_up
from edge.readers.urls import SerialUrl
from edge.reads import Read, TagRead

log = logging.getLogger(__name__)

# Frames whose own CRC is right and whose tag is damaged are rare; more in a row, and this firmware writes them
# otherwise.
MOST_BAD_TAGS = 50
# For a module that is not asked how strong: in the middle of what tags at a gate have.
UNKNOWN_RSSI_DBM = -60.0
_TID = (0xE0, 0xE2)  # what a tag's identification begins with: ISO/IEC 15963


class ThingmagicReader:
    def __init__(self, config: ThingmagicConfig, name: str, now_us: Callable[[], int]) -> None:
        self.name = name
        self.detail = ""
        self._config = config
        self._now_us = now_us
        self._baud: int | None = None  # at which it answered last

    @property
    def clock_offset_ms(self) -> float | None:
        return None  # it has no clock, and counts the milliseconds of a search

    @asynccontextmanager
    async def open(self) -> AsyncIterator[AsyncIterator[Sequence[Read]]]:
        urls = places(self._config, self._baud)
        async with contact(urls, self.name, self._now_us) as (session, said, url):
            self._baud = url.baud if isinstance(url, SerialUrl) else None
            booted = await set_up(session, self._config, self.name)
            at = f", {url.baud} baud" if len(urls) > 1 and isinstance(url, SerialUrl) else ""
            self.detail = f"{booted or said}{at}"
            try:
                yield self._reads(session)
            finally:
                await session.farewell()

    async def _reads(self, session: Session) -> AsyncIterator[Sequence[Read]]:
        converter = Converter(self.name, self._config.antennas)
        patience_s = self._config.silence_s
        clock = asyncio.get_running_loop().time
        heard_s = clock()
        while True:
            arrivals = await session.receive(max(heard_s + patience_s - clock(), 0.0))
            if not arrivals:
                raise ReaderLost(f"silent for {patience_s:g} s")
            heard_s = clock()
            reads: list[Read] = []
            for arrival in arrivals:
                if arrival.frame.opcode == Opcode.READ_TAGS:
                    reads += converter.convert(arrival)
                    if arrival.frame.status == commands.BUFFER_FULL:
                        session.send(commands.START)  # the search has ended with that
                elif arrival.frame.opcode == Opcode.READ_FOR_EVER:
                    converter.restarted()
                else:
                    # Nothing was asked: it says its version when it was switched off and on.
                    raise ReaderLost(f"the module was restarted (it said {arrival.frame.opcode:02X}h)")
            if reads:
                yield reads


class Converter:
    """From what one connection says to what the edge knows, on our clock."""

    def __init__(self, gate: str, antennas: Sequence[int]) -> None:
        self._gate = gate
        self._clock = ReadClock()
        self._condition = Condition(gate, antennas)
        self._bad = 0

    def restarted(self) -> None:
        """The module stopped, or started, to read."""
        self._clock.restarted()

    def convert(self, arrival: Arrival[Frame]) -> list[Read]:
        """Reads and what befell the module, in one frame of a search.

        Raises:
            ReaderLost, ReaderRefused: as Condition.
            ProtocolError: tags cannot be made out, again and again.
        """
        frame = arrival.frame
        if not frame.data or frame.status:
            self._clock.search_began(arrival.steady_us)
            return [*self._condition.told(frame.status, arrival.at_us)]
        try:
            tag = answers.tag(frame.data)
        except ProtocolError as error:
            self._bad += 1
            if self._bad > MOST_BAD_TAGS:
                raise
            log.debug("%s: passed over: %s", self._gate, error)
            return []
        self._bad = 0
        if tag is None or not tag.epc:
            return []
        lag_us = 0 if tag.ms is None else self._clock.lag_us(tag.ms, arrival.steady_us)
        read = self._read(tag, arrival.at_us - lag_us)
        return [*self._condition.read(tag.antenna, arrival.at_us), read]

    def _read(self, tag: answers.Tag, at_us: int) -> TagRead:
        return TagRead(
            at_us=at_us,
            gate=self._gate,
            antenna=tag.antenna,
            epc=tag.epc.hex().upper(),
            rssi_dbm=UNKNOWN_RSSI_DBM if tag.rssi_dbm is None else float(tag.rssi_dbm),
            tid=tag.data.hex().upper() if tag.data and tag.data[0] in _TID else None,
            phase_deg=None if tag.phase_deg is None else float(tag.phase_deg),
            channel_mhz=tag.khz / 1000 if tag.khz else None,
            count=tag.reads,
        )
