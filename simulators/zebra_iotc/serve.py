"""Puts a reader on its broker: tags on one topic, heartbeats and inputs on another."""

import asyncio
from collections.abc import Callable

from simulators.publish import Broker, Publisher
from simulators.zebra_iotc.device import Device, Look

TICK_S = 0.02


class Served:
    """A reader that publishes on `<topic>/tags` and `<topic>/management`."""

    def __init__(
        self, look: Look, now_us: Callable[[], int], *, broker: Broker, topic: str, qos: int = 1
    ) -> None:
        self.publisher = Publisher(broker, f"simulated-{topic.replace('/', '-')}", qos=qos)
        self.topic = topic
        self.device = Device(
            look, now_us,
            lambda message: self.publisher.tell(f"{topic}/tags", message),
            lambda message: self.publisher.tell(f"{topic}/management", message),
        )  # fmt: skip

    @property
    def reading(self) -> bool:
        return self.publisher.connected

    def sighted(self, epc: bytes, antenna: int, rssi_dbm: int, channel: int, at_us: int) -> None:
        self.device.sighted(epc, antenna, rssi_dbm, channel, at_us)

    async def run(self) -> None:
        """Keep the reader's time and its connection; until cancelled."""
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(self._tick())
            tasks.create_task(self.publisher.run())

    async def _tick(self) -> None:
        while True:
            self.device.tick()
            await asyncio.sleep(TICK_S)
