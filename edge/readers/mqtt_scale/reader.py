"""Scales that publish, as the supervisor sees them: one shelf, a cell for each weight that they tell."""

import logging
import time
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import replace

from edge.errors import ProtocolError, ReaderLost
from edge.readers.mqtt import Login, Message, Subscription, subscribed
from edge.readers.mqtt_scale.config import PERIODIC, CellConfig, MqttScaleConfig
from edge.readers.mqtt_scale.protocol import COUNT, NoWeight, Recipe, online, parse
from edge.readers.mqtt_scale.talk import Talk
from edge.readers.mqtt_scale.topics import status_of
from edge.readers.mqtt_scale.weights import Cell
from edge.readers.mqtt_urls import matches
from edge.readers.mqtt_urls import parse as parse_url
from edge.readers.surroundings import Surroundings
from edge.reads import Read, Scale, WeightFault, WeightSample

log = logging.getLogger(__name__)

TICK_S = 1.0  # how often silence is looked at
ENVIRONMENT = "STOCKBEAT_READERS"  # what the names of the broker's credentials for readers begin with
# ESPHome speaks every 60 s as delivered, Tasmota every 300 s, but at once when the weight has changed.
FIRST_WORD_S = 90.0
OFFLINE = "device_error: the scale says that it is offline"


class _Source:
    """One cell: where its weight comes from, and what it has said."""

    def __init__(self, config: CellConfig, recipe: Recipe, topics: tuple[str, ...]) -> None:
        self.number = config.cell
        self.recipe = recipe
        self.topics = topics
        self.cell = Cell()
        self.status: tuple[str, ...] = ()
        self.silent = False  # said to be, and not heard of since


class MqttScale:
    """Nothing is kept for us while we are away: what lies on a shelf shows in the next weight, and old ones are none.

    Hence `held`. `clock` counts seconds; silence is measured by it.
    """

    held = True

    def __init__(
        self,
        config: MqttScaleConfig,
        name: str,
        now_us: Callable[[], int],
        surroundings: Surroundings,
        *,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.name = name
        self.detail = ""
        self._config = config
        self._now_us = now_us
        self._clock = clock
        self._surroundings = surroundings
        url = parse_url(config.url)
        self._sources = [
            _Source(each, config.recipe(each), (each.topic,) if each.topic else url.topics)
            for each in config.sources
        ]
        for source in self._sources:
            own = (status_of(topic, config.format) for topic in source.topics)
            source.status = config.status or tuple(topic for topic in own if topic)
        known = dict.fromkeys(topic for source in self._sources for topic in source.status)
        self._url = url
        self._all = replace(url, topics=(*url.topics, *(each for each in known if each not in url.topics)))
        self._periodic = config.silent_s is not None or config.format in PERIODIC
        self._offline: set[str] = set()  # status topics that say so
        self._garbled = 0
        self._last_garbled = ""
        self._slow_told = False

    @property
    def clock_offset_ms(self) -> float | None:
        """Of the first cell whose messages are stamped."""
        for source in self._sources:
            if (offset_us := source.cell.clock.offset_us) is not None:
                return offset_us / 1000
        return None

    @asynccontextmanager
    async def open(self) -> AsyncIterator[AsyncIterator[Sequence[Read]]]:
        settings = self._config
        login = Login(*self._surroundings.login(settings.credentials_file, ENVIRONMENT), settings.ca_file)
        async with subscribed(self._all, login, session=None, name=self.name) as link:
            self._offline.clear()
            talk = Talk(
                {source.number for source in self._sources}, settings.format, settings.silent_s,
                self._clock,
            )  # fmt: skip
            for source in self._sources:
                source.silent = False
            # Up is a scale that weighs, not a broker that answers; one that speaks only of changes is believed.
            first = await self._first_word(link, talk) if self._periodic else []
            self.detail = f"{settings.format}, {len(self._sources)} cell{'s' * (len(self._sources) > 1)}"
            yield self._reads(link, talk, [*self._scales(), *first])

    async def _first_word(self, link: Subscription, talk: Talk) -> list[Read]:
        """Wait for a weight. Raises ReaderLost, saying what came instead."""
        reads: list[Read] = []
        within_s = max(self._config.silent_s or FIRST_WORD_S, TICK_S)
        while not any(isinstance(read, WeightSample) for read in reads):
            messages = await link.receive(TICK_S)
            reads += self._taken(messages, talk)
            link.settle(messages)
            self._must_not_be_offline()
            if talk.quiet_s >= within_s:
                raise ReaderLost(self._nothing(talk.quiet_s))
        return reads

    async def _reads(
        self, link: Subscription, talk: Talk, reads: list[Read]
    ) -> AsyncIterator[Sequence[Read]]:
        while True:
            reads += self._silences(talk)
            if link.dropped:
                log.error("%s: %d weights came faster than they can be taken", self.name, link.dropped)
                link.dropped = 0
            if reads:
                yield reads
            self._must_not_be_offline()
            if self._periodic and talk.all_silent:
                raise ReaderLost(self._nothing(talk.quiet_s))
            messages = await link.receive(TICK_S)
            reads = self._taken(messages, talk)
            link.settle(messages)

    def _scales(self) -> list[Read]:
        """What is known of how they are calibrated: by us, where they tell counts."""
        at_us = self._now_us()
        return [
            Scale(
                at_us=at_us, shelf=self.name, cells=(source.number,),
                calibration=f"{source.recipe.grams_per_count!r} g a count from {source.recipe.zero_count!r}",
            )
            for source in self._sources
            if source.recipe.unit == COUNT
        ]  # fmt: skip

    def _taken(self, messages: list[Message], talk: Talk) -> list[Read]:
        return [read for message in messages for read in self._take(message, talk)]

    def _take(self, message: Message, talk: Talk) -> list[Read]:
        reads: list[Read] = []
        for source in self._sources:
            if message.topic in source.status:
                reads += self._status(message, source)
            elif matches(source.topics, message.topic):
                if message.retained:  # of some earlier time, and sent to whoever subscribes
                    talk.retained = True
                else:
                    reads += self._weights(message.payload, source, talk)
        return reads

    def _status(self, message: Message, source: _Source) -> list[Read]:
        is_online = online(message.payload)
        if is_online is False:
            self._offline.add(message.topic)
            return [self._fault(source, OFFLINE, self._now_us())]
        if is_online:
            self._offline.discard(message.topic)
        return []

    def _weights(self, payload: bytes, source: _Source, talk: Talk) -> list[Read]:
        arrival_us = self._now_us()
        try:
            said = parse(payload, source.recipe)
        except ProtocolError as error:
            self._pass_over(f"cell {source.number}: {error}")
            return []
        reads: list[Read] = []
        for each in said:
            self._offline.difference_update(source.status)  # whoever speaks is online
            taken = each if isinstance(each, NoWeight) else source.cell.take(each, arrival_us)
            if taken is None:
                continue
            if isinstance(taken, NoWeight):
                reads.append(self._fault(source, taken.fault, arrival_us))
                continue
            at_us, grams = taken
            stable = None if isinstance(each, NoWeight) else each.stable
            reads.append(
                WeightSample(at_us=at_us, shelf=self.name, cell=source.number, grams=grams, stable=stable)
            )
        if said:
            talk.heard(source.number)
            source.silent = False
            self._warn_of_slowness(talk, source.number)
        return reads

    def _silences(self, talk: Talk) -> list[Read]:
        """Cells that others have outlived, each said once."""
        reads: list[Read] = []
        for source in self._sources:
            if self._periodic and not source.silent and (silent_s := talk.silent_s(source.number)):
                source.silent = True
                log.warning("%s: cell %d has said nothing for %.0f s", self.name, source.number, silent_s)
                reads.append(
                    self._fault(source, f"device_error: silent for {silent_s:.0f} s", self._now_us())
                )
        return reads

    def _fault(self, source: _Source, fault: str, at_us: int) -> WeightFault:
        return WeightFault(at_us=at_us, shelf=self.name, cell=source.number, fault=fault)

    def _must_not_be_offline(self) -> None:
        """One of several devices that is offline is a fault of its cells; all of them are a shelf that is lost."""
        if self._offline and all(self._offline.intersection(source.status) for source in self._sources):
            raise ReaderLost(
                f"{self._url}: {', '.join(sorted(self._offline))} says that the scale is offline"
            )

    def _pass_over(self, words: str) -> None:
        self._garbled += 1
        self._last_garbled = words
        # The 1st, 2nd, 4th, 8th...: a device that says nothing else must not fill the disk.
        if self._garbled & (self._garbled - 1) == 0:
            log.warning("%s: passed over (%d so far): %s", self.name, self._garbled, words)

    def _nothing(self, for_s: float) -> str:
        topics = ", ".join(self._url.topics)
        if self._last_garbled:
            last, self._last_garbled = self._last_garbled, ""
            return (
                f"{self._url}: no weight on {topics} for {for_s:.0f} s, only what is not understood: {last}"
            )
        return (
            f"{self._url}: no weight on {topics} for {for_s:.0f} s; the scale is off or cut off, it speaks less often "
            f"than that, the topic is another, or the broker's access list keeps it from us"
        )

    def _warn_of_slowness(self, talk: Talk, cell: int) -> None:
        if not self._slow_told and (every_s := talk.slow(cell)):
            self._slow_told = True
            log.warning(
                "%s: cell %d is weighed only every %.0f s, and a change is counted after three weights; %s",
                self.name, cell, every_s, _FASTER.get(self._config.format, "have it publish every second"),
            )  # fmt: skip


_FASTER = {
    "esphome": "write update_interval: 1s in its configuration",
    "tasmota": "type in its console: Backlog TelePeriod 10; Sensor34 8 1",
}
