"""An Impinj reader with the IoT device interface as the supervisor sees it: over MQTT, or over its HTTP stream."""

import asyncio
import logging
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager

from edge.errors import ProtocolError, ReaderLost
from edge.readers.http import Stream, Web
from edge.readers.impinj_iot.config import ImpinjIotConfig
from edge.readers.impinj_iot.control import STREAM, clear, describe, reader_web, start, status
from edge.readers.impinj_iot.protocol import Lines, parse
from edge.readers.mqtt_urls import parse as parse_url
from edge.readers.published import Published
from edge.readers.reader import Reader
from edge.readers.said import Garbled, State
from edge.readers.subscriber import Subscriber
from edge.readers.surroundings import Surroundings
from edge.reads import Read

log = logging.getLogger(__name__)

# A stream that says nothing for so long belongs to an idle reader or to one that is gone: its web server can tell.
ASK_AFTER_S = 10.0


def impinj_reader(
    config: ImpinjIotConfig, name: str, now_us: Callable[[], int], surroundings: Surroundings
) -> Reader:
    """The reader of these settings, over MQTT or HTTP as its URL says."""
    if not config.verify and config.tls_fingerprint is None and (config.web or "").startswith("https"):
        log.warning(
            "%s: verify = false: whoever answers at %s is believed, and is told our password; "
            "write tls_fingerprint = \"…\" instead", name, config.web,
        )  # fmt: skip
    kind = ImpinjStream if config.streams else ImpinjMqtt
    return kind(config, name, now_us, surroundings)


class ImpinjMqtt(Subscriber):
    """Over MQTT; with `control`, its inventory is started over its web server."""

    def __init__(
        self, config: ImpinjIotConfig, name: str, now_us: Callable[[], int], surroundings: Surroundings
    ) -> None:
        super().__init__(
            config, parse_url(config.url), name, now_us, parse, surroundings,
            ready=self._set_going if config.control else None,
            heed=_must_go_on if config.control else None,
        )  # fmt: skip
        self._impinj = config
        self._clock_us = now_us

    async def _set_going(self) -> None:
        async with reader_web(self._impinj, self._surroundings) as web:
            self.detail = await describe(web)
            if (stamp_us := (await status(web)).stamp_us) is not None:
                self.published.clock.answered(stamp_us, self._clock_us())
            await clear(web, self._impinj.preset)
            if await start(web, self._impinj.preset):
                log.info("%s: started the inventory preset %s", self.name, self._impinj.preset)


def _must_go_on(state: State) -> None:
    if state.running is False:
        raise ReaderLost("the reader stopped its inventory")


class ImpinjStream:
    """Over the HTTP data stream. The reader waits while we do not take what it sends."""

    def __init__(
        self, config: ImpinjIotConfig, name: str, now_us: Callable[[], int], surroundings: Surroundings
    ) -> None:
        self.name = name
        self.detail = ""
        self._config = config
        self._now_us = now_us
        self._surroundings = surroundings
        self._published = Published(name)
        self._garbled = 0

    @property
    def clock_offset_ms(self) -> float | None:
        offset_us = self._published.clock.offset_us
        return None if offset_us is None else offset_us / 1000

    @asynccontextmanager
    async def open(self) -> AsyncIterator[AsyncIterator[Sequence[Read]]]:
        async with reader_web(self._config, self._surroundings) as web:
            self.detail = await describe(web)
            await self._look(web, said=False)
            if self._config.control:
                await clear(web, self._config.preset)
            # Listening first: what the reader sees from its first moment on is told to whoever listens.
            async with web.stream(STREAM) as stream:
                if self._config.control and await start(web, self._config.preset):
                    log.info("%s: started the inventory preset %s", self.name, self._config.preset)
                elif not self._config.control and not (now := await status(web)).running:
                    log.warning(
                        "%s: the reader's inventory is %s; start it there, or write control = true",
                        self.name, now.words,
                    )  # fmt: skip
                yield self._reads(web, stream)

    async def _reads(self, web: Web, stream: Stream) -> AsyncIterator[Sequence[Read]]:
        lines = Lines()
        clock = asyncio.get_running_loop().time
        heard = clock()
        while True:
            data = await stream.read(min(ASK_AFTER_S, self._config.silent_s or ASK_AFTER_S))
            if data:
                heard = clock()
                lines.receive(data)
                if reads := [read for line in lines.lines() for read in self._take(line)]:
                    yield reads
            elif self._config.silent_s is not None and clock() - heard >= self._config.silent_s:
                raise ReaderLost(f"silent for {self._config.silent_s:g} s")
            else:
                await self._look(web, said=True)

    async def _look(self, web: Web, *, said: bool) -> None:
        """Ask how the reader is. A stream over a link that is cut would be silent for ever; this is not."""
        now = await status(web)
        if now.stamp_us is not None:
            self._published.clock.answered(now.stamp_us, self._now_us())
        if said and self._config.control and not now.running:
            raise ReaderLost(f"the reader stopped its inventory; it is {now.words}")

    def _take(self, line: bytes) -> Sequence[Read]:
        try:
            said = parse(line)
        except ProtocolError as error:
            said = [Garbled(str(error))]
        for each in said:
            if isinstance(each, State):
                log.info("%s: the reader says: %s", self.name, each.words)
                if self._config.control:
                    _must_go_on(each)
            elif isinstance(each, Garbled):
                self._garbled += 1
                if self._garbled & (self._garbled - 1) == 0:  # the 1st, 2nd, 4th, 8th...
                    log.warning("%s: passed over (%d so far): %s", self.name, self._garbled, each.words)
        return self._published.reads(said, self._now_us())
