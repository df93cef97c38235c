"""A metraTec reader as the supervisor sees it."""

import logging
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager, suppress

from edge.errors import ReaderError, ReaderLost
from edge.readers.metratec.config import BAUD, PORT, MetratecConfig
from edge.readers.metratec.protocol.rounds import ANTENNA_ERROR, Damaged, Event, Input, Restarted, Round
from edge.readers.metratec.session import Session
from edge.readers.metratec.setup import AsciiDialect, AtDialect, Dialect, generation
from edge.readers.streams import connect
from edge.readers.urls import parse
from edge.reads import Antenna, Lost, Read, TagRead, Trigger

log = logging.getLogger(__name__)

# Heartbeats missed before the reader is given up: one may be late behind a long round, two are not.
BEATS_MISSED = 3
# For a reader that says no strength, or one that cannot be dBm (an example in metraTec's own library has 1755): in the
# middle of what tags at a gate have (-45 to -75 dBm), so that only antenna and time decide.
UNKNOWN_RSSI_DBM = -60.0
_DBM = range(-120, 1)


class MetratecReader:
    def __init__(self, config: MetratecConfig, name: str, now_us: Callable[[], int]) -> None:
        self.name = name
        self.detail = ""
        self._config = config
        self._now_us = now_us

    @property
    def clock_offset_ms(self) -> float | None:
        return None  # it has no clock

    @asynccontextmanager
    async def open(self) -> AsyncIterator[AsyncIterator[Sequence[Read]]]:
        async with connect(parse(self._config.url, port=PORT, baud=BAUD)) as stream:
            kind = self._config.generation
            if kind == "auto":
                kind = await generation(stream, self.name)
            dialect: Dialect = AtDialect(self._config) if kind == "at" else AsciiDialect()
            session = Session(stream, dialect.decoder, self._now_us, self.name)
            found = await dialect.set_up(session, self._config, self.name)
            session.reading()
            self.detail = found.detail
            if not found.inputs:
                log.info("%s: the reader tells nothing of its inputs", self.name)
            try:
                yield self._reads(session, Converter(self.name, dialect, self._config, self._now_us()))
            finally:
                with suppress(ReaderError):  # a link that is lost needs no farewell
                    dialect.stop(session)

    async def _reads(self, session: Session, converter: "Converter") -> AsyncIterator[Sequence[Read]]:
        patience_s = BEATS_MISSED * self._config.heartbeat_s
        while True:
            events = await session.receive(patience_s)
            arrival_us = self._now_us()
            reads: list[Read] = []
            for event in events:
                if isinstance(event, Restarted):
                    raise ReaderLost("the reader was switched off and on")
                reads += converter.reads(event, arrival_us)
            if reads:
                yield reads


class Converter:
    """From what one connection says to what the edge knows."""

    def __init__(self, gate: str, dialect: Dialect, config: MetratecConfig, now_us: int) -> None:
        self._gate = gate
        self._antenna_shift = 1 - dialect.first_antenna
        self._input_shift = 1 - dialect.first_input
        self._antennas = config.antennas
        self._whole_us = now_us  # until when nothing was lost
        self._off: set[int] = set()  # antennas in error

    def reads(self, event: Event, arrival_us: int) -> list[Read]:
        match event:
            case Round():
                return self._round(event, arrival_us)
            case Damaged(tags, why):
                return [self._lost(arrival_us, f"a round with {tags} tags was damaged on the line: {why}")]
            case Input(number, on):
                number += self._input_shift
                return [Trigger(at_us=arrival_us, gate=self._gate, input=number, on=on)]
            case _:
                return []

    def _round(self, ended: Round, arrival_us: int) -> list[Read]:
        antenna = self._antenna(ended.antenna)
        if antenna is None:
            if not ended.tags:
                return []
            return [self._lost(arrival_us, f"a round of {len(ended.tags)} tags came without its antenna")]
        self._whole_us = arrival_us
        return [*self._connection(antenna, ended, arrival_us), *(self._tags(antenna, ended))]

    def _antenna(self, number: int | None) -> int | None:
        """Ours for the reader's; with only one in use there is no doubt which it was."""
        if len(self._antennas) == 1:
            return self._antennas[0]
        return None if number is None else number + self._antenna_shift

    def _tags(self, antenna: int, ended: Round) -> list[Read]:
        return [
            TagRead(
                at_us=tag.at_us,
                gate=self._gate,
                antenna=antenna,
                epc=tag.epc,
                rssi_dbm=UNKNOWN_RSSI_DBM if tag.rssi is None or tag.rssi not in _DBM else float(tag.rssi),
                tid=tag.tid,
            )
            for tag in ended.tags
        ]

    def _connection(self, antenna: int, ended: Round, arrival_us: int) -> list[Read]:
        """Say it once when an antenna fails, and once when it is back."""
        failed = any(fault.lower() == ANTENNA_ERROR for fault in ended.faults)
        if failed == (antenna in self._off):
            return []
        if failed:
            self._off.add(antenna)
            log.warning("%s: antenna %d is disconnected, or its cable is damaged", self._gate, antenna)
        else:
            self._off.discard(antenna)
            log.info("%s: antenna %d is connected", self._gate, antenna)
        return [Antenna(at_us=arrival_us, gate=self._gate, antenna=antenna, connected=not failed)]

    def _lost(self, arrival_us: int, reason: str) -> Lost:
        log.info("%s: %s", self._gate, reason)
        from_us, self._whole_us = self._whole_us, arrival_us
        return Lost(at_us=arrival_us, device=self._gate, from_us=from_us, to_us=arrival_us, reason=reason)
