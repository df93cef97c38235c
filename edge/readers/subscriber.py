"""A gate's reader that publishes MQTT, as the supervisor sees it. Each driver of such readers gives its own `parse`."""

import asyncio
import logging
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Protocol

from edge.errors import ProtocolError, ReaderLost
from edge.readers.mqtt import Login, Message, Subscription, subscribed
from edge.readers.mqtt_urls import MqttUrl
from edge.readers.published import UNKNOWN_RSSI_DBM, Published
from edge.readers.said import Garbled, Said, Seen, State
from edge.readers.surroundings import Surroundings
from edge.reads import Lost, Read

log = logging.getLogger(__name__)

TICK_S = 1.0  # how often silence and missing numbers are looked at
# A subscription that an access list makes silent, a wrong topic and an idle reader look the same. A person can tell.
HINT_AFTER_S = 60.0
# Heartbeats missed before the reader is given up: one may be late behind a restart of the broker, two are not.
BEATS_MISSED = 3
FASTEST_BEAT_S = 1.0
ENVIRONMENT = "STOCKBEAT_READERS"  # what the names of the broker's credentials for readers begin with


class Settings(Protocol):
    """What every driver's configuration has for MQTT."""

    @property
    def reader(self) -> str | None:
        """The device's own name or a level of its topic, where several publish on one topic."""

    @property
    def silent_s(self) -> float | None:
        """Nothing for so long: the device is lost. None where it need not say anything."""

    @property
    def credentials_file(self) -> Path | None: ...

    @property
    def ca_file(self) -> Path | None: ...


class Subscriber:
    """`ready` is called before each connection counts as open: a driver may set its reader going there.

    `heed` is told each thing that a reader says of itself; it may raise ReaderError to give the connection up.
    """

    def __init__(
        self,
        settings: Settings,
        url: MqttUrl,
        name: str,
        now_us: Callable[[], int],
        parse: Callable[[bytes], list[Said]],
        surroundings: Surroundings,
        *,
        ready: Callable[[], Awaitable[None]] | None = None,
        heed: Callable[[State], None] | None = None,
    ) -> None:
        self.name = name
        self.detail = ""
        self.held = False  # whether the broker had kept what was published since our last connection
        self.published = Published(name, settings.reader)
        self._settings = settings
        self._url = url
        self._now_us = now_us
        self._parse = parse
        self._surroundings = surroundings
        self._ready = ready
        self._heed = heed
        self._silenced = False  # given up for its silence: it is back when it says something
        self._words = _Words(name)

    @property
    def clock_offset_ms(self) -> float | None:
        offset_us = self.published.clock.offset_us
        return None if offset_us is None else offset_us / 1000

    @asynccontextmanager
    async def open(self) -> AsyncIterator[AsyncIterator[Sequence[Read]]]:
        settings, edge = self._settings, self._surroundings.edge
        login = Login(*self._surroundings.login(settings.credentials_file, ENVIRONMENT), settings.ca_file)
        session = None if edge is None else f"stockbeat-{edge}-{self.name}"
        async with subscribed(self._url, login, session=session, name=self.name) as link:
            if self._ready is not None:
                await self._ready()
            talk = _Talk(settings.silent_s)
            self.held = link.resumed
            first = await self._first_word(link) if self._silenced else []
            self._silenced = False
            yield self._reads(link, talk, first)

    async def _first_word(self, link: Subscription) -> list[Message]:
        """Wait for a device that was given up: a broker that answers is not yet a reader that does."""
        while True:
            messages = await link.receive(TICK_S)
            ours = [each for each in messages if not each.retained and self._understand(each)]
            if ours:
                return messages
            link.settle(messages)

    async def _reads(
        self, link: Subscription, talk: "_Talk", first: list[Message]
    ) -> AsyncIterator[Sequence[Read]]:
        messages = first
        while True:
            messages = messages or await link.receive(TICK_S)
            reads: list[Read] = [read for each in messages for read in self._take(each, talk)]
            reads += self._lost(link)
            if reads:
                yield reads
            link.settle(messages)  # only now: whoever was given them has taken them
            messages = []
            if silent_s := talk.too_long():
                self._silenced = True
                topics = ", ".join(self._url.topics)
                raise ReaderLost(
                    f"{self._url}: nothing on {topics} for {silent_s:.0f} s; the reader is off or cut off, the topic "
                    f"is another, or the broker's access list keeps it from us"
                )
            if talk.worth_a_hint():
                log.warning(
                    "%s: nothing has come on %s yet; if tags are there, is the topic right, does the reader publish, "
                    "and does the broker let %s read it?",
                    self.name, ", ".join(self._url.topics), "us",
                )  # fmt: skip

    def _take(self, message: Message, talk: "_Talk") -> Sequence[Read]:
        said = self._understand(message)
        if not said:
            return []
        if message.retained:  # of some earlier time, and sent to whoever subscribes
            return []
        talk.heard(any(isinstance(each, State) and each.beat for each in said))
        arrival_us = self._now_us()
        for each in said:
            if isinstance(each, State):
                if each.stamp_us is not None:
                    self.published.clock.observe(each.stamp_us, arrival_us)
                self._words.of_itself(each)
                if self._heed is not None:
                    self._heed(each)
        self._words.of_tags([each for each in said if isinstance(each, Seen)])
        reads = self.published.reads(said, arrival_us)
        self._words.of_names(self.published.names, self._settings.reader)
        return reads

    def _understand(self, message: Message) -> list[Said]:
        """What of a message is said, understood and this gate's; nothing else harms anybody."""
        try:
            said = self.published.mine(self._parse(message.payload), message.topic)
        except ProtocolError as error:
            self._words.garbled(str(error))
            return []
        for each in said:
            if isinstance(each, Garbled):
                self._words.garbled(each.words)
        return [each for each in said if not isinstance(each, Garbled)]

    def _lost(self, link: Subscription) -> list[Read]:
        now_us = self._now_us()
        lost: list[Read] = [*self.published.lost(now_us)]
        if link.dropped:
            log.error(
                "%s: %d messages came faster than they can be taken, and are lost", self.name, link.dropped
            )
            reason = f"{link.dropped} messages of the reader came faster than they could be taken"
            lost.append(Lost(at_us=now_us, device=self.name, from_us=now_us, to_us=now_us, reason=reason))
            link.dropped = 0
        return lost


class _Talk:
    """When the device last spoke on this connection, and how long it may be silent."""

    def __init__(self, silent_s: float | None) -> None:
        self._silent_s = silent_s
        self._clock = asyncio.get_running_loop().time
        self._since = self._heard = self._clock()
        self._spoke = self._hinted = False
        self._beat_at: float | None = None
        self._beat_s = 0.0  # the longest time between two heartbeats

    def heard(self, beat: bool) -> None:
        now = self._heard = self._clock()
        self._spoke = True
        if beat:
            if self._beat_at is not None:
                self._beat_s = max(self._beat_s, now - self._beat_at, FASTEST_BEAT_S)
            self._beat_at = now

    def too_long(self) -> float | None:
        """How long nothing came, once that is too long: as configured, or of a device whose heartbeat is known."""
        silent_s = self._clock() - self._heard
        allowed_s = self._silent_s if self._silent_s is not None else BEATS_MISSED * self._beat_s
        return silent_s if allowed_s and silent_s >= allowed_s else None

    def worth_a_hint(self) -> bool:
        """Once a connection: nothing has come for long, from the beginning."""
        if self._spoke or self._hinted or self._clock() - self._since < HINT_AFTER_S:
            return False
        self._hinted = True
        return True


class _Words:
    """Says each thing about a reader once, not at each read."""

    def __init__(self, name: str) -> None:
        self._name = name
        self._said: set[str] = set()
        self._garbled = 0

    def of_itself(self, state: State) -> None:
        if state.words:
            log.info("%s: the reader says: %s", self._name, state.words)

    def garbled(self, words: str) -> None:
        self._garbled += 1
        # The 1st, 2nd, 4th, 8th...: a device that says nothing else must not fill the disk.
        if self._garbled & (self._garbled - 1) == 0:
            log.warning("%s: passed over (%d so far): %s", self._name, self._garbled, words)

    def of_tags(self, seen: list[Seen]) -> None:
        if any(not each.antenna for each in seen):
            self._once(
                "%s: the reader does not say which antenna read; switch that on, or no direction can be told"
            )
        if any(each.rssi_dbm is None for each in seen):
            self._once(
                f"%s: the reader does not say how strong; {UNKNOWN_RSSI_DBM:g} dBm is taken for each read"
            )
        if any(each.stamp_us is None for each in seen):
            self._once(
                "%s: the reader does not say when; the time of arrival is taken, and what comes twice counts so"
            )

    def of_names(self, names: dict[str, None], only: str | None) -> None:
        if len(names) > 1 and only is None:
            told = " and ".join(list(names)[:3])
            self._once(
                f"%s: {told} publish on one topic; if these are two readers, say which with reader = …"
            )

    def _once(self, words: str) -> None:
        if words not in self._said:
            self._said.add(words)
            log.warning(words, self._name)
