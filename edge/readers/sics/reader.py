"""An MT-SICS scale as the supervisor sees it."""

import asyncio
import logging
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager

from edge.errors import ProtocolError, ReaderLost, ReaderRefused
from edge.readers.faults import Faults
from edge.readers.sics.config import SicsConfig
from edge.readers.sics.protocol import (
    SEND_ONCE,
    SEND_REPEATEDLY,
    WHO_ARE_YOU,
    Answer,
    Busy,
    Lines,
    NotUnderstood,
    Serial,
    Weight,
    behind_noise,
    parse,
)
from edge.readers.streams import Stream, connect
from edge.readers.urls import parse as parse_url
from edge.reads import Read, Scale, WeightSample

log = logging.getLogger(__name__)

# A line is damaged now and then on a long cable, and the first one of a connection may be half. More than these in a
# row, and the speed, the parity or the device is wrong.
MOST_BAD_LINES = 10
# A scale answers a command within 0.1 s; one that has not in this time has lost it.
ANSWER_S = 1.0
# For its serial number, when it has said nothing for a second: it may be another scale by now, or be off.
ANSWER_AGAIN_S = 0.25

_CELL = 0  # there is only one


class SicsScale:
    held = True  # whatever was put on or taken off meanwhile shows in the next weight

    def __init__(self, config: SicsConfig, name: str, now_us: Callable[[], int]) -> None:
        self.name = name
        self.detail = ""
        self._config = config
        self._now_us = now_us

    @property
    def clock_offset_ms(self) -> float | None:
        return None  # a scale has no clock

    @asynccontextmanager
    async def open(self) -> AsyncIterator[AsyncIterator[Sequence[Read]]]:
        async with connect(parse_url(self._config.url)) as stream:
            talk = _Talk(stream, self._config, self.name, self._now_us)
            await talk.ask_who(ANSWER_S)
            self.detail = f"serial number {talk.serial}" if talk.serial else ""
            # Up is a scale that weighs, not a port that opens: an adapter is there with its scale switched off.
            first = await talk.reads()
            yield self._reads(talk, first)

    async def _reads(self, talk: "_Talk", first: list[Read]) -> AsyncIterator[Sequence[Read]]:
        reads = first
        while True:
            if reads:
                yield reads
            reads = await talk.reads()


class _Talk:
    """Asks for weights in the way that this scale understands: repeatedly, or once each time."""

    def __init__(self, stream: Stream, config: SicsConfig, name: str, now_us: Callable[[], int]) -> None:
        self.serial: str | None = None  # what it last said
        self._stream = stream
        self._config = config
        self._name = name
        self._now_us = now_us
        self._lines = Lines()
        self._faults = Faults(name)
        self._bad = 0  # lines in a row that were none
        self._repeats = config.send != "SI"  # until the scale says that it knows no SIR
        self._asked = False
        self._asked_at = 0.0
        self._asked_who = False  # and not answered yet
        self._knows_who = True  # until it says otherwise
        self._told: list[Read] = []  # read on the way, and not handed out yet
        self._alive = False  # it answered, weight or not, since `reads` was last called
        self._loop = asyncio.get_running_loop()

    async def ask_who(self, within_s: float) -> None:
        """Have it say its serial number; weights that it still sends meanwhile are kept.

        Raises:
            ReaderLost: hung up.
            ProtocolError: it is no such scale.
        """
        self._asked_who = True
        self._stream.write(WHO_ARE_YOU)
        give_up = self._loop.time() + within_s
        while self._asked_who and (left_s := give_up - self._loop.time()) > 0:
            self._take(await self._stream.read(left_s))
        self._alive = self._asked = False  # what was asked before came damaged, or was answered

    async def reads(self) -> list[Read]:
        """What its next answers tell; nothing, while it is busy or known to be overloaded, so it may be empty.

        Raises:
            ReaderLost: hung up, or nothing understandable for `silence_s`.
            ReaderRefused: it knows neither way to ask.
            ProtocolError: it is no such scale, or weighs in no unit of mass.
        """
        give_up = self._loop.time() + self._config.silence_s
        while not self._alive:
            left_s = give_up - self._loop.time()
            if left_s <= 0:
                raise ReaderLost(f"silent for {self._config.silence_s:g} s")
            if not self._asked:
                await self._ask()
            data = await self._stream.read(min(left_s, ANSWER_S))
            self._take(data)
            if not data:
                if self._knows_who:
                    await self.ask_who(ANSWER_AGAIN_S)
                self._asked = False  # the answer was lost on the way: ask again
            elif not self._repeats and b"\n" in data:
                self._asked = False  # the answer is here
        told, self._told, self._alive = self._told, [], False
        return told

    async def _ask(self) -> None:
        if not self._repeats:
            await asyncio.sleep(self._asked_at + self._config.poll_s - self._loop.time())
        self._asked, self._asked_at = True, self._loop.time()
        self._stream.write(SEND_REPEATEDLY if self._repeats else SEND_ONCE)

    def _take(self, data: bytes) -> None:
        """Heed and keep what these bytes complete."""
        at_us = self._now_us()
        self._lines.receive(data)
        for line in self._lines.lines():
            try:
                answer = self._parse(line)
            except ProtocolError as error:
                self._bad += 1
                if self._bad > MOST_BAD_LINES:
                    raise
                log.debug("%s: passed over: %s", self._name, error)
            else:
                self._bad = 0
                self._heed(answer, at_us)

    @staticmethod
    def _parse(line: bytes) -> Answer:
        try:
            return parse(line)
        except ProtocolError:
            if (behind := behind_noise(line)) is None:
                raise
            return parse(behind)

    def _heed(self, answer: Answer, at_us: int) -> None:
        match answer:
            case Weight(grams, stable):
                self._faults.over(_CELL)
                self._told.append(
                    WeightSample(at_us=at_us, shelf=self._name, cell=_CELL, grams=grams, stable=stable)
                )
                self._alive = True
            case Busy.NOW:
                self._alive = True
            case Busy(name=name):
                if fault := self._faults.of(_CELL, name.lower(), at_us):
                    self._told.append(fault)
                self._alive = True
            case Serial(number):
                self._is_called(number, at_us)
            case NotUnderstood():
                self._refused(answer)

    def _is_called(self, number: str, at_us: int) -> None:
        if not self._asked_who:
            self._asked = False  # it was switched off and on: whatever it was sending, it sends no more
        self._asked_who = False
        if number != self.serial:
            self.serial = number
            self._told.append(Scale(at_us=at_us, shelf=self._name, serial=number))

    def _refused(self, answer: NotUnderstood) -> None:
        if self._asked_who:
            self._asked_who = False
            self._knows_who = answer.garbled
        elif answer.garbled:
            self._asked = False  # the command came damaged
        elif self._repeats and self._config.send == "auto":
            log.info("%s: does not send repeatedly (%s); asking each time", self._name, answer.text)
            self._repeats = self._asked = False
        elif self._config.send == "auto":
            raise ReaderRefused(f"the scale knows neither SIR nor SI: {answer.text}")
        else:
            raise ReaderRefused(f"the scale knows no {self._config.send}: {answer.text}; set send to 'auto'")
