"""An LLRP reader as the supervisor sees it."""

import logging
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager

from edge.errors import ReaderLost
from edge.readers.llrp.clock import DeviceClock
from edge.readers.llrp.config import PORT, LlrpConfig
from edge.readers.llrp.protocol.answers import Capabilities, Event, event
from edge.readers.llrp.protocol.commands import Type
from edge.readers.llrp.protocol.reports import ReportDecoder, TagReport
from edge.readers.llrp.session import Session
from edge.readers.llrp.setup import our_rospec, set_up
from edge.readers.streams import connect
from edge.readers.urls import parse
from edge.reads import Read, TagRead, Trigger

log = logging.getLogger(__name__)

# Keepalives missed before the reader is given up: one may be late behind a long report, two are not.
KEEPALIVES_MISSED = 3
# For a reader that never says how strong: in the middle of what tags at a gate have (-45 to -75 dBm), so that only
# antenna and time decide.
UNKNOWN_RSSI_DBM = -60.0


class LlrpReader:
    def __init__(self, config: LlrpConfig, name: str, now_us: Callable[[], int]) -> None:
        self.name = name
        self.detail = ""
        self._config = config
        self._now_us = now_us
        self._utc = DeviceClock()

    @property
    def clock_offset_ms(self) -> float | None:
        return None if self._utc.offset_us is None else self._utc.offset_us / 1000

    @asynccontextmanager
    async def open(self) -> AsyncIterator[AsyncIterator[Sequence[Read]]]:
        async with connect(parse(self._config.url, port=PORT)) as stream:
            session = Session(stream, self.name)
            self._utc = (
                DeviceClock()
            )  # what was learnt may be of another reader, or from before it was restarted
            converter = Converter(self.name, self._utc)
            converter.stamped(await session.greeting(), self._now_us())
            converter.able = await set_up(session, self._config, self.name)
            self.detail = converter.able.detail
            try:
                yield self._reads(session, converter)
            finally:
                await session.farewell()

    async def _reads(self, session: Session, converter: "Converter") -> AsyncIterator[Sequence[Read]]:
        patience_s = KEEPALIVES_MISSED * self._config.keepalive_s
        decoder = ReportDecoder()
        while True:
            messages = await session.receive(patience_s)
            arrival_us = self._now_us()
            for message in messages:
                if message.type == Type.RO_ACCESS_REPORT:
                    if reads := converter.reads(decoder.decode(message.body), arrival_us):
                        yield reads
                elif message.type == Type.READER_EVENT_NOTIFICATION:
                    told = event(message.body)
                    converter.stamped(told, arrival_us)
                    self._heed(told)
                    if told.gpi:
                        yield [converter.trigger(told, told.gpi, arrival_us)]
                else:
                    log.debug("%s: message of type %d not used", self.name, message.type)

    def _heed(self, told: Event) -> None:
        """Say what a person should know, and give the connection up where the reader has."""
        if told.closing:
            raise ReaderLost("the reader closed the connection")
        if told.ended == our_rospec(self._config):
            raise ReaderLost("the reader stopped reading by itself")
        if told.antenna:
            number, connected = told.antenna
            level = logging.INFO if connected else logging.WARNING
            log.log(
                level, "%s: antenna %d is %s", self.name, number, "connected" if connected else "disconnected"
            )
        if told.buffer_percent is not None:
            log.warning("%s: the reader's report buffer is %d %% full", self.name, told.buffer_percent)
        if told.overflow:
            log.error("%s: the reader's report buffer has overflowed; reads are lost", self.name)
        for exception in told.exceptions:
            log.warning("%s: the reader says: %s", self.name, exception)


class Converter:
    """From what one connection says to what the edge knows, on our clock."""

    def __init__(self, gate: str, utc: DeviceClock) -> None:
        self.able = Capabilities()
        self._gate = gate
        self._utc = utc
        self._uptime = (
            DeviceClock()
        )  # counts from the reader's start: as good as any clock for telling times apart

    def stamped(self, told: Event, arrival_us: int) -> None:
        """Learn from an event's own time."""
        if told.utc is not None:
            self._utc.observe(told.utc, arrival_us)
        if told.uptime is not None:
            self._uptime.observe(told.uptime, arrival_us)

    def trigger(self, told: Event, gpi: tuple[int, bool], arrival_us: int) -> Trigger:
        port, high = gpi
        return Trigger(
            at_us=self._ours(told.utc, told.uptime, arrival_us), gate=self._gate, input=port, on=high
        )

    def reads(self, reports: Sequence[TagReport], arrival_us: int) -> list[TagRead]:
        """The reads in one message that arrived at `arrival_us`; a tag with an empty EPC is nobody's."""
        self._learn(reports, arrival_us)
        channels = self.able.frequencies_khz
        reads = []
        for epc, antenna, rssi, channel, first_utc, last_utc, first_uptime, last_uptime, merged in reports:
            if not epc:
                continue
            utc = first_utc if last_utc is None else last_utc
            uptime = first_uptime if last_uptime is None else last_uptime
            reads.append(
                TagRead(
                    at_us=self._ours(utc, uptime, arrival_us),
                    gate=self._gate,
                    antenna=antenna or 0,
                    epc=(epc if len(epc) % 2 == 0 else epc + b"\x00").hex().upper(),
                    rssi_dbm=UNKNOWN_RSSI_DBM if rssi is None else float(rssi),
                    channel_mhz=channels[channel - 1] / 1000
                    if channel and channel <= len(channels)
                    else None,
                    count=merged or 1,
                )
            )
        return reads

    def _learn(self, reports: Sequence[TagReport], arrival_us: int) -> None:
        utc = [utc for each in reports if (utc := each.last_utc or each.first_utc)]
        if utc:
            self._utc.observe(max(utc), arrival_us)
        uptime = [uptime for each in reports if (uptime := each.last_uptime or each.first_uptime)]
        if uptime:
            self._uptime.observe(max(uptime), arrival_us)

    def _ours(self, utc: int | None, uptime: int | None, arrival_us: int) -> int:
        """A moment that the reader stamped, by our clock; the time of arrival where it did not."""
        if utc is not None and self._utc.offset_us is not None:
            return utc - self._utc.offset_us
        if uptime is not None and self._uptime.offset_us is not None:
            return uptime - self._uptime.offset_us
        return arrival_us
