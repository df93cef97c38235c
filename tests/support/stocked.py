"""Simulated scales on ptys, with goods on their plates that stay there whatever happens to those who weigh them."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from random import Random

from simulators import single
from simulators.sics.device import Scale
from simulators.sics.indicator import Indicator

MAX_GRAMS = 30_000.0
SPREAD = 0.008  # of single units; canned goods


class Plate:
    """One scale, and `units` of goods on it, no two of one mass."""

    def __init__(
        self, folder: Path, name: str, units: int, unit_grams: float, *, zeroes: bool = False
    ) -> None:
        self.name, self.units = name, 0
        self._link, self._zeroes = folder / f"{name}.tty", zeroes
        self._unit_grams, self._rng = unit_grams, Random(name)
        self._grams = 0.0
        self._put: asyncio.Queue[float] = asyncio.Queue()
        self._task: asyncio.Task[None] | None = None
        self.put(units)

    @property
    def url(self) -> str:
        return f"serial:{self._link}?baud=9600"

    def put(self, units: int) -> None:
        """At once, as a crate comes."""
        grams = sum(self._unit_grams * self._rng.gauss(1.0, SPREAD) for _ in range(units))
        self.units += units
        self._grams += grams
        if self._task is not None:
            self._put.put_nowait(grams)

    def switch_on(self) -> None:
        """It has forgotten all but how it was adjusted; the first time, it was empty and its zero is right."""
        zeroes = self._zeroes and self._task is not None
        device = Scale(Indicator(MAX_GRAMS, zeroes=zeroes), f"SIM-{self.name}")
        self._put = asyncio.Queue()
        self._task = asyncio.create_task(
            single.scale(
                device, self._link, grams=self._grams, baud=9600, trouble="none", seed=1, changes=self._put,
                say=lambda words: None,
            )
        )  # fmt: skip

    async def switch_off(self) -> None:
        assert self._task is not None
        self._task.cancel()
        with suppress(asyncio.CancelledError):
            await self._task


@asynccontextmanager
async def powered(plates: Sequence[Plate]) -> AsyncIterator[None]:
    for plate in plates:
        plate.switch_on()
    try:
        yield
    finally:
        for plate in plates:
            await plate.switch_off()
