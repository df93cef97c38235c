"""One device by itself, for whoever tries a driver: the tags that stand before a reader, a scale with a load."""

import asyncio
from collections.abc import Callable
from random import Random

from simulators.ascii_scale.device import Scale as AsciiScale
from simulators.epc import sgtin_96
from simulators.link import Where, on_line
from simulators.physics import Cell, Step
from simulators.sics.device import Scale as SicsScale
from simulators.sics.serve import Served
from simulators.trouble import maker

CASE = "80614141123458"


def standing_tags(number: int) -> list[str]:
    return [
        sgtin_96(CASE, company_prefix="0614141", serial=serial + 1, filter_value=2)
        for serial in range(number)
    ]


async def scale(
    device: SicsScale | AsciiScale,
    where: Where,
    *,
    grams: float,
    baud: int,
    trouble: str,
    seed: int,
    changes: "asyncio.Queue[float]",
    say: Callable[[str], None],
) -> None:
    """Run one scale behind a symlink or by TCP, until cancelled. What comes in `changes` is put on it, in grams."""
    loop = asyncio.get_running_loop()
    cell = Cell(grams, Random(seed))
    served = Served(device, lambda: cell.grams(loop.time()))
    async with on_line(served.session, where, baud=baud, trouble=maker(trouble, seed), say=say):
        while True:
            grams_put = await changes.get()
            cell.put(Step(loop.time(), grams_put))
