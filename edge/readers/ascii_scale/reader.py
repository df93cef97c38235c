"""A scale that writes lines of text, as the supervisor sees it."""

import asyncio
import logging
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager

from edge.errors import ProtocolError, ReaderLost, ReaderRefused
from edge.readers.ascii_scale.config import AsciiScaleConfig
from edge.readers.ascii_scale.protocol import (
    DIALECTS,
    Answer,
    Fault,
    Nothing,
    NotUnderstood,
    Weight,
    begin,
    hint,
)
from edge.readers.faults import Faults
from edge.readers.streams import Stream, connect
from edge.readers.urls import parse
from edge.reads import Read, WeightSample

log = logging.getLogger(__name__)

# A line is damaged now and then on a long cable. More than these in a row, and the speed, the parity, the dialect or
# the device is wrong; so it is when so many bytes have no line at all among them.
MOST_BAD_LINES = 10
MOST_NOISE = 512
# A scale answers a question within 0.1 s; one that has not in this time has lost it.
ANSWER_S = 1.0
# A question may come damaged, and be answered with an error; so many in a row, and the scale does not know it.
MOST_REFUSALS = 3
TARED = "device_error: it shows net, for a tare is set on it; clear the tare, or write net = true if it is meant to be"

_CELL = 0  # there is only one


class AsciiScale:
    held = True  # whatever was put on or taken off meanwhile shows in the next weight

    def __init__(self, config: AsciiScaleConfig, name: str, now_us: Callable[[], int]) -> None:
        self.name = name
        self.detail = ""  # these dialects do not say who they are
        self._config = config
        self._now_us = now_us

    @property
    def clock_offset_ms(self) -> float | None:
        return None  # a scale has no clock

    @asynccontextmanager
    async def open(self) -> AsyncIterator[AsyncIterator[Sequence[Read]]]:
        async with connect(parse(self._config.url)) as stream:
            talk = _Talk(stream, self._config, self.name, self._now_us)
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
    """Listens to a scale that sends by itself, or asks it each time."""

    def __init__(
        self, stream: Stream, config: AsciiScaleConfig, name: str, now_us: Callable[[], int]
    ) -> None:
        self._stream = stream
        self._config = config
        self._name = name
        self._now_us = now_us
        self._dialect = begin(config.dialect, config.options)
        self._question = config.question
        self._starts = b"" if self._question else DIALECTS[config.dialect].starts
        self._faults = Faults(name)
        self._asked = False
        self._asked_at = 0.0
        self._bad = 0  # lines in a row that were none
        self._refusals = 0  # in a row
        self._noise = bytearray()  # since the last line that made sense
        self._told: list[Read] = []
        self._alive = False  # it said something that makes sense since `reads` was last called
        self._loop = asyncio.get_running_loop()

    async def reads(self) -> list[Read]:
        """What its next lines tell; nothing, while it has no weight, so the list may be empty.

        Raises:
            ReaderLost: hung up, or nothing for `silence_s`.
            ReaderRefused: it does not know the question.
            ProtocolError: what it sends is not this dialect, or no mass.
        """
        give_up = self._loop.time() + self._config.silence_s
        while not self._alive:
            left_s = give_up - self._loop.time()
            if left_s <= 0:
                raise self._silent()
            if not self._asked:
                await self._ask()
            data = await self._stream.read(min(left_s, ANSWER_S))
            if not data:
                self._asked = False  # the question, or its answer, was lost on the way
            self._take(data)
        told, self._told, self._alive = self._told, [], False
        return told

    async def _ask(self) -> None:
        """Ask for a weight, or have it send by itself; a scale that is set to do that is told nothing."""
        if self._question:
            await asyncio.sleep(self._asked_at + self._config.poll_s - self._loop.time())
        self._asked, self._asked_at = True, self._loop.time()
        if self._question or self._starts:
            self._stream.write(self._question or self._starts)

    def _take(self, data: bytes) -> None:
        at_us = self._now_us()
        self._noise += data
        self._dialect.receive(data)
        for frame in self._dialect.frames():
            if self._question:
                self._asked = False  # this is the answer, or what is left of it
            try:
                answer = self._dialect.parse(frame)
            except ProtocolError as error:
                self._bad += 1
                if self._bad > MOST_BAD_LINES:
                    raise self._nonsense(str(error)) from None
                log.debug("%s: passed over: %s", self._name, error)
            else:
                self._heed(answer, at_us)
        if len(self._noise) > MOST_NOISE:
            raise self._nonsense(f"no line that makes sense in {len(self._noise)} bytes")

    def _heed(self, answer: Answer, at_us: int) -> None:
        if not isinstance(answer, NotUnderstood):
            self._refusals = 0
        match answer:
            case Nothing.OTHERS:
                self._noise.clear()  # the wires are well; whether our scale is, they do not say
                return
            case Weight(net=True) if not self._config.net:
                self._fault(TARED, at_us)
            case Weight(grams, stable):
                self._faults.over(_CELL)
                self._told.append(
                    WeightSample(at_us=at_us, shelf=self._name, cell=_CELL, grams=grams, stable=stable)
                )
            case Fault(what):
                self._fault(what, at_us)
            case NotUnderstood(text):
                self._refusals += 1
                if self._refusals >= MOST_REFUSALS and self._question:
                    raise ReaderRefused(self._unknown(text))
                return
            case Nothing():
                pass
        self._bad = 0
        self._noise.clear()
        self._alive = True

    def _fault(self, what: str, at_us: int) -> None:
        if fault := self._faults.of(_CELL, what, at_us):
            self._told.append(fault)

    def _unknown(self, text: str) -> str:
        known = ", ".join(DIALECTS[self._config.dialect].asks)
        return (
            f"the scale does not know {self._question!r} and says {text!r}; "
            f"set its interface so that it does, write another command ({known}), or mode = 'stream'"
        )

    def _silent(self) -> ReaderLost | ProtocolError:
        if self._noise:
            return self._nonsense(f"no line that makes sense in {self._config.silence_s:g} s")
        asked = f" when asked with {self._question!r}" if self._question else ""
        return ReaderLost(f"silent for {self._config.silence_s:g} s{asked}")

    def _nonsense(self, what: str) -> ProtocolError:
        heard = bytes(self._noise)
        known = hint(self._config.dialect, self._config.options, heard)
        return ProtocolError(
            f"{what}; heard {heard[:40]!r}, which is no {DIALECTS[self._config.dialect].words}"
            f"{': ' + known if known else '; check speed, framing and dialect'}"
        )
