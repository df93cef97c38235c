"""One device by itself, for whoever tries a driver: the tags that stand before a reader, a scale with a load."""

import asyncio
from collections.abc import Callable
from contextlib import AsyncExitStack
from pathlib import Path
from random import Random

from simulators.ascii_scale.device import Scale as AsciiScale
from simulators.epc import sgtin_96
from simulators.link import pty, tcp
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
    where: Path | tuple[str, int],
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
    async with AsyncExitStack() as lines, asyncio.TaskGroup() as tasks:
        if isinstance(where, Path):
            ready = asyncio.Event()
            tasks.create_task(pty(served.session, maker(trouble, seed), where, ready))
            await ready.wait()
            say(f"serial:{where}?baud={baud}")
        else:
            host, port = await lines.enter_async_context(tcp(served.session, maker(trouble, seed), *where))
            say(f"tcp://{host}:{port}")
        while True:
            grams_put = await changes.get()
            cell.put(Step(loop.time(), grams_put))
