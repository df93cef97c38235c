"""One device by itself, for whoever tries a driver: the tags that stand before a reader, a scale with a load."""

import asyncio
from collections.abc import Callable
from pathlib import Path
from random import Random

from simulators.epc import sgtin_96
from simulators.link import pty
from simulators.physics import Cell, Step
from simulators.sics.device import Scale
from simulators.sics.indicator import Indicator
from simulators.sics.serve import Served as ServedScale
from simulators.trouble import maker

CASE = "80614141123458"


def standing_tags(number: int) -> list[str]:
    return [
        sgtin_96(CASE, company_prefix="0614141", serial=serial + 1, filter_value=2)
        for serial in range(number)
    ]


async def scale(
    link: Path,
    *,
    grams: float,
    max_grams: float,
    trouble: str,
    seed: int,
    changes: "asyncio.Queue[float]",
    say: Callable[[str], None],
) -> None:
    """Run one MT-SICS scale behind a symlink, until cancelled. What comes in `changes` is put on it, in grams."""
    loop = asyncio.get_running_loop()
    cell = Cell(grams, Random(seed))
    served = ServedScale(Scale(Indicator(max_grams), "SIM0000001"), lambda: cell.grams(loop.time()))
    ready = asyncio.Event()
    async with asyncio.TaskGroup() as tasks:
        tasks.create_task(pty(served.session, maker(trouble, seed), link, ready))
        await ready.wait()
        say(f"serial:{link}?baud=9600")
        while True:
            grams_put = await changes.get()
            cell.put(Step(loop.time(), grams_put))
