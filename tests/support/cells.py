"""Drivers of load cells against simulated ones on a line with troubles, and what they read."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from random import Random

from edge.readers.reader import Reader
from edge.reads import WeightFault, WeightSample
from simulators import link
from tests.support.serial_readers import Recorded, Wire, troubled
from tests.support.supervised import Site, watching

ON = ["pty", "tcp"]


@asynccontextmanager
async def on_a_line(
    session: link.Session, folder: Path | None, trouble: str, after_s: float, wires: list[Wire]
) -> AsyncIterator[str]:
    """Serve on a pty in the folder, or by TCP without one; yields the URL."""
    rng = Random(1)

    def made() -> Recorded:
        return Recorded(troubled(trouble, after_s, rng), wires)

    if folder is None:
        async with link.tcp(session, made) as (host, port):
            yield f"tcp://{host}:{port}"
        return
    ready = asyncio.Event()
    serving = asyncio.ensure_future(link.pty(session, made, folder / "tty", ready))
    try:
        await ready.wait()
        yield f"serial:{folder / 'tty'}?baud=115200"
    finally:
        serving.cancel()
        await asyncio.gather(serving, return_exceptions=True)


@asynccontextmanager
async def watched(
    reader: Callable[[str], Reader],
    session: link.Session,
    folder: Path | None,
    trouble: str = "none",
    after_s: float = 1.0,
    wires: list[Wire] | None = None,
) -> AsyncIterator[Site]:
    """Supervise a driver on such a line while inside."""
    kept = [] if wires is None else wires
    async with on_a_line(session, folder, trouble, after_s, kept) as url, watching(reader(url)) as site:
        yield site


def grams(site: Site, cell: int = 0) -> list[float]:
    return [read.grams for read in site.reads if isinstance(read, WeightSample) and read.cell == cell]


def faults(site: Site) -> list[tuple[int, str]]:
    return [(read.cell, read.fault) for read in site.reads if isinstance(read, WeightFault)]


async def until_it_came_back(site: Site, trouble: str, on: str) -> None:
    """Twice; but for a device on a serial port that has gone silent, which nobody switches off and on."""
    if trouble == "hang-up" or on != "pty":
        await site.until(lambda: site.ups >= 3)
    else:
        await site.until(lambda: bool(site.reasons))
