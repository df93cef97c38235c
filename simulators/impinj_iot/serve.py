"""Puts a reader on its lines: a web server, and with a broker MQTT."""

import asyncio
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

from simulators.impinj_iot.device import Device, Look
from simulators.impinj_iot.web import Web
from simulators.publish import Broker, Publisher

TICK_S = 0.02
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


class Served:
    """A reader. With a broker it publishes from the start; without, it streams to whoever asks.

    Args:
        topic: where it publishes; its web server serves either way.
    """

    def __init__(
        self,
        look: Look,
        now_us: Callable[[], int],
        *,
        broker: Broker | None = None,
        topic: str = "",
        login: str | None = None,
        running: bool = True,
        presets: tuple[str, ...] = ("default",),
    ) -> None:
        self.publisher = Publisher(broker, f"simulated-{look.hostname}") if broker else None
        self.topic = topic
        self.web = Web(
            lambda: (EPOCH + timedelta(microseconds=now_us())).isoformat(), presets=presets, login=login
        )
        self.device = self.web.device = Device(look, now_us, self._tell)
        self.web.active = presets[0] if running else None
        self.device.inventorying = running

    @property
    def reading(self) -> bool:
        if self.publisher is not None:
            return self.publisher.connected and self.device.inventorying
        return self.web.reading

    def sighted(self, epc: bytes, antenna: int, rssi_dbm: int, channel: int, at_us: int) -> None:
        if self.publisher is not None or self.web.reading:
            self.device.sighted(epc, antenna, rssi_dbm, channel, at_us)

    async def run(self) -> None:
        """Keep the reader's time, and its connection to the broker; until cancelled."""
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(self._tick())
            if self.publisher is not None:
                tasks.create_task(self.publisher.run())

    async def _tick(self) -> None:
        while True:
            self.device.tick()
            await asyncio.sleep(TICK_S)

    def _tell(self, event: bytes) -> None:
        if self.publisher is not None:
            self.publisher.tell(self.topic, event)
        self.web.tell(event)
