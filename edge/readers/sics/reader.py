"""An MT-SICS scale as the supervisor sees it."""

import asyncio
import logging
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager

from edge.errors import ProtocolError, ReaderLost, ReaderRefused
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
    parse,
)
from edge.readers.streams import Stream, connect
from edge.readers.urls import parse as parse_url
from edge.reads import Read, WeightSample

log = logging.getLogger(__name__)

# A line is damaged now and then on a long cable, and the first one of a connection may be half. More than these in a
# row, and the speed, the parity or the device is wrong.
MOST_BAD_LINES = 10
# A scale answers a command within 0.1 s; one that has not in this time has lost it.
ANSWER_S = 1.0

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
            talk = _Talk(stream, self._config, self.name)
            self.detail = await talk.introduction()
            # Up is a scale that weighs, not a port that opens: an adapter is there with its scale switched off.
            first = await talk.weights()
            yield self._samples(talk, first)

    async def _samples(self, talk: "_Talk", weights: list[Weight]) -> AsyncIterator[Sequence[Read]]:
        while True:
            at_us = self._now_us()
            if weights:
                yield [
                    WeightSample(
                        at_us=at_us, shelf=self.name, cell=_CELL, grams=each.grams, stable=each.stable
                    )
                    for each in weights
                ]
            weights = await talk.weights()


class _Talk:
    """Asks for weights in the way that this scale understands: repeatedly, or once each time."""

    def __init__(self, stream: Stream, config: SicsConfig, name: str) -> None:
        self._stream = stream
        self._config = config
        self._name = name
        self._lines = Lines()
        self._bad = 0  # lines in a row that were none
        self._repeats = True  # until the scale says that it knows no SIR
        self._asked = False
        self._asked_at = 0.0
        self._loop = asyncio.get_running_loop()

    async def introduction(self) -> str:
        """What the scale says of itself; empty where it says nothing in time.

        Raises:
            ReaderLost: hung up.
            ProtocolError: it is no such scale.
        """
        self._stream.write(WHO_ARE_YOU)
        give_up = self._loop.time() + ANSWER_S
        while (left_s := give_up - self._loop.time()) > 0:
            for answer in self._answers(await self._stream.read(left_s)):
                match answer:
                    case Serial(number):
                        return f"serial number {number}"
                    case NotUnderstood():
                        return ""
                    case Weight() | Busy():
                        pass  # it still sends what it was asked for before
        return ""

    async def weights(self) -> list[Weight]:
        """The next answers; none among them while the scale is overloaded or busy, so the list may be empty.

        Raises:
            ReaderLost: hung up, or nothing understandable for `silence_s`.
            ReaderRefused: it knows neither way to ask.
            ProtocolError: it is no such scale, or weighs in no unit of mass.
        """
        give_up = self._loop.time() + self._config.silence_s
        while (left_s := give_up - self._loop.time()) > 0:
            if not self._asked:
                await self._ask()
            data = await self._stream.read(min(left_s, ANSWER_S))
            answers = self._answers(data)
            weights = [answer for answer in answers if isinstance(answer, Weight)]
            for answer in answers:
                self._heed(answer)
            if not data or (not self._repeats and b"\n" in data):
                self._asked = False  # the answer was lost on the way, or is here: ask again
            if weights or any(isinstance(answer, Busy) for answer in answers):
                return weights
        raise ReaderLost(f"silent for {self._config.silence_s:g} s")

    async def _ask(self) -> None:
        if not self._repeats:
            await asyncio.sleep(self._asked_at + self._config.poll_s - self._loop.time())
        self._asked, self._asked_at = True, self._loop.time()
        self._stream.write(SEND_REPEATEDLY if self._repeats else SEND_ONCE)

    def _answers(self, data: bytes) -> list[Answer]:
        answers: list[Answer] = []
        self._lines.receive(data)
        for line in self._lines.lines():
            try:
                answers.append(parse(line))
                self._bad = 0
            except ProtocolError as error:
                self._bad += 1
                if self._bad > MOST_BAD_LINES:
                    raise
                log.debug("%s: passed over: %s", self._name, error)
        return answers

    def _heed(self, answer: Answer) -> None:
        """What an answer means for how to ask."""
        match answer:
            case NotUnderstood(text, garbled=False) if self._repeats:
                log.info("%s: does not send repeatedly (%s); asking each time", self._name, text)
                self._repeats = self._asked = False
            case NotUnderstood(text, garbled=False):
                raise ReaderRefused(f"the scale knows neither SIR nor SI: {text}")
            case NotUnderstood() | Serial():
                self._asked = False  # the command came damaged, or the scale was switched off and on
            case Weight() | Busy():
                pass
