"""A microcontroller's lines as the supervisor sees them. Nothing is ever written to the board."""

import asyncio
import logging
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import replace

from edge.errors import ProtocolError, ReaderLost
from edge.readers.faults import Faults
from edge.readers.framed import Arrival, Framed
from edge.readers.hx711_lines.config import Hx711LinesConfig
from edge.readers.hx711_lines.protocol import Grams, Lines, parse
from edge.readers.streams import connect
from edge.readers.urls import SerialUrl
from edge.readers.urls import parse as parse_url
from edge.reads import Read, Scale, WeightSample

log = logging.getLogger(__name__)


class Hx711Lines:
    held = True  # whatever was put on or taken off meanwhile shows in the next weight

    def __init__(self, config: Hx711LinesConfig, name: str, now_us: Callable[[], int]) -> None:
        self.name = name
        self.detail = ""
        self._config = config
        self._layout = config.layout
        self._now_us = now_us

    @property
    def clock_offset_ms(self) -> float | None:
        return None  # its milliseconds since it was switched on, where it tells them, are no clock

    @asynccontextmanager
    async def open(self) -> AsyncIterator[AsyncIterator[Sequence[Read]]]:
        url = parse_url(self._config.url)
        if isinstance(url, SerialUrl):
            url = replace(
                url, keep_dtr=True
            )  # its falling edge resets most boards, which then tare themselves
        async with connect(url) as stream:
            lines = Framed(stream, Lines(), self._now_us)
            faults = Faults(self.name)
            # Up is a board that sends weights, not a port that opens: it may be in its boot loader for seconds.
            first = await self._reads(lines, faults)
            yield self._samples(lines, faults, [*self._calibrated(first[0].at_us), *first])

    async def _samples(
        self, lines: Framed[bytes], faults: Faults, reads: list[Read]
    ) -> AsyncIterator[Sequence[Read]]:
        while True:
            if reads:
                yield reads
            reads = await self._reads(lines, faults)

    def _calibrated(self, at_us: int) -> list[Read]:
        """How counts become grams, which is ours to say; of a board that sends grams nothing is known."""
        return [
            Scale(at_us=at_us, shelf=self.name, cells=(i,), calibration=f"{each.counts_per_gram} {each.zero_counts}")
            for i, each in enumerate(self._layout.cells)
        ]  # fmt: skip

    async def _reads(self, lines: Framed[bytes], faults: Faults) -> list[Read]:
        """What the next lines say; nothing where all of it is faults that were said just now.

        Raises:
            ReaderLost: hung up, or nothing at all for `silence_s`.
            ProtocolError: lines came for so long, and none was one of weights.
        """
        loop = asyncio.get_running_loop()
        give_up_s = loop.time() + self._config.silence_s
        said, why = False, ""
        while (left_s := give_up_s - loop.time()) > 0:
            reads: list[Read] = []
            understood = False
            for arrival in await lines.receive(left_s):
                said = True
                try:
                    understood = self._take(arrival, faults, reads) or understood
                except ProtocolError as error:
                    why = str(error)
                    log.debug("%s: passed over: %s", self.name, why)
            if understood:
                return reads
        if said:
            raise ProtocolError(
                f"no line of {len(self._config.weighs)} weights for {self._config.silence_s:g} s; the last: {why}"
            )
        raise ReaderLost(f"silent for {self._config.silence_s:g} s: no line has come; is the speed right?")

    def _take(self, arrival: Arrival[bytes], faults: Faults, reads: list[Read]) -> bool:
        at_us = arrival.at_us
        for found in parse(arrival.frame, self._layout):
            if isinstance(found, Grams):
                faults.over(found.cell)
                reads.append(WeightSample(at_us=at_us, shelf=self.name, cell=found.cell, grams=found.grams))
            elif fault := faults.of(found.cell, found.fault, at_us):
                reads.append(fault)
        return True
