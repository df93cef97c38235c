"""Puts a board on its broker, with loads that can be changed while it runs."""

import asyncio
from collections.abc import Callable
from random import Random

from simulators.mqtt_scale.board import Board, EspHome, PlainJson, SenML, Statestream, Tasmota, Tell
from simulators.publish import Broker, Publisher

FORMATS = ("tasmota", "esphome", "home_assistant", "senml", "json")
READING_S = 0.1  # an HX711 as wired on most boards: ten a second
NOISE_GRAMS = 0.1
# Between two messages: Tasmota's TelePeriod at its shortest, ESPHome set as its users set it, others as they like.
AS_DELIVERED_S = {"tasmota": 10.0, "esphome": 1.0, "senml": 0.5, "json": 0.2}


class Served:
    """A board whose cells bear `grams`.

    Args:
        name: which its topics begin with; a Tasmota's stand below `tele/` and are numbered by cell.
        every_s: between two messages; None as is usual for it.
    """

    def __init__(
        self,
        format: str,
        now_us: Callable[[], int],
        *,
        broker: Broker,
        name: str,
        grams: list[float],
        every_s: float | None = None,
        noise_grams: float = NOISE_GRAMS,
        seed: int = 0,
        qos: int = 1,
    ) -> None:
        self.publisher = Publisher(broker, f"simulated-{name.replace('/', '-')}", qos=qos)
        self.grams = grams
        self.noise_grams = noise_grams
        self.off = False  # switched off: weighs and says nothing
        self._rng = Random(seed)
        self.boards = boards(format, now_us, self._tell, name=name, cells=len(grams), every_s=every_s)

    @property
    def topics(self) -> tuple[str, ...]:
        """Of the weights, by cell."""
        return tuple(topic for board in self.boards for topic in board.topics)

    async def run(self) -> None:
        """Weigh and publish; until cancelled."""
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(self.publisher.run())
            tasks.create_task(self._weigh())

    async def _weigh(self) -> None:
        connected = False
        while True:
            if self.publisher.connected and not connected:
                for board in self.boards:
                    board.begin()
            connected = self.publisher.connected
            if not self.off:
                self._reading()
            await asyncio.sleep(READING_S)

    def _reading(self) -> None:
        """One of every cell. A board without a broker goes on weighing, and keeps nothing."""
        noisy = [each + self._rng.gauss(0.0, self.noise_grams) for each in self.grams]
        at = 0
        for board in self.boards:
            cells = len(board.topics)
            board.weigh(noisy[at : at + cells])
            at += cells

    def _tell(self, topic: str, payload: bytes, retain: bool) -> None:
        if self.publisher.connected:
            self.publisher.tell(topic, payload, retain=retain)


def boards(
    format: str, now_us: Callable[[], int], tell: Tell, *, name: str, cells: int, every_s: float | None
) -> list[Board]:
    """The boards that so many cells need."""
    pace_s = AS_DELIVERED_S.get(format, 1.0) if every_s is None else every_s
    match format:
        case "tasmota":
            return [Tasmota(f"{name}-{cell}", now_us, tell, every_s=pace_s) for cell in range(cells)]
        case "esphome":
            return [EspHome(name, cells, now_us, tell, every_s=pace_s)]
        case "home_assistant":
            return [Statestream(name, cells, tell)]
        case "senml":
            return [SenML(name, cells, now_us, tell, every_s=pace_s)]
        case "json":
            return [PlainJson(name, cells, now_us, tell, every_s=pace_s)]
    raise ValueError(f"no format is called {format!r}; there are {', '.join(FORMATS)}")
