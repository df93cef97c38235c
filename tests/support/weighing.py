"""A simulated scale on a pty or behind TCP, a load that is another with each value, and what of it was read."""

import asyncio
from collections.abc import Callable, Sequence
from contextlib import AsyncExitStack, suppress
from dataclasses import dataclass, field
from pathlib import Path
from random import Random

from edge.readers.reader import Reader
from edge.reads import Read, WeightSample
from edge.supervise import Backoff, supervise
from simulators.link import Session, pty, tcp
from simulators.trouble import TROUBLES
from tests.support.serial_readers import Recorded, Wire

UPDATE_S = 0.02  # fifty values a second: more in a test's few seconds than a real scale gives


class Load:
    """What the cell feels: 0.1 g more with every value, so that each is told from all others."""

    def __init__(self, grams: float = 1000.0) -> None:
        self._tenths = round(grams * 10)

    def grams(self) -> float:
        self._tenths += 1
        return self._tenths / 10


@dataclass
class Weighed:
    """One run: what the driver read, and, connection by connection, what was sent and what went out whole."""

    reads: list[Read] = field(default_factory=list)
    downs: list[str] = field(default_factory=list)
    sent: list[list[float]] = field(default_factory=list)
    whole: list[list[float]] = field(default_factory=list)

    @property
    def grams(self) -> list[float]:
        return [round(read.grams, 3) for read in self.reads if isinstance(read, WeightSample)]

    def invented(self) -> list[float]:
        """What was read and never sent, or in another order."""
        sent = iter([each for connection in self.sent for each in connection])
        return [each for each in self.grams if not any(each == other for other in sent)]

    def lost(self) -> list[float]:
        """What went out whole after the first that was read on its connection, and was not read."""
        read = set(self.grams)
        lost = []
        for connection in self.whole:
            heard = [number for number, each in enumerate(connection) if each in read]
            if heard:  # what follows the last one may be on its way
                lost += [each for each in connection[heard[0] : heard[-1]] if each not in read]
        return lost


async def weigh(
    session: Session,
    make: Callable[[str], Reader],
    grams_in: Callable[[bytes], float | None],
    *,
    folder: Path | None,
    trouble: str = "none",
    after_s: float = 0.3,
    at_least: int = 60,
    downs: int = 0,
) -> Weighed:
    """Supervise a driver of a simulated scale until it has read `at_least` so many weights and gone down so often."""
    wires: list[Wire] = []
    rng, seen = Random(1), Weighed()

    async def emit(reads: Sequence[Read]) -> None:
        seen.reads += reads

    async with AsyncExitStack() as stack:
        tasks: list[asyncio.Future[None]] = []
        troubles = lambda: Recorded(TROUBLES[trouble](after_s, rng), wires)  # noqa: E731 - one expression
        if folder is None:
            host, port = await stack.enter_async_context(tcp(session, troubles))
            url = f"tcp://{host}:{port}"
        else:
            ready = asyncio.Event()
            tasks.append(asyncio.ensure_future(pty(session, troubles, folder / "tty", ready)))
            await ready.wait()
            url = f"serial:{folder / 'tty'}?framing=7E1"
        tasks.append(
            asyncio.ensure_future(
                supervise(
                    make(url),
                    emit,
                    up=lambda name, detail: None,
                    down=lambda name, reason: seen.downs.append(reason),
                    backoff=Backoff(first_s=0.05, longest_lost_s=0.2, longest_refused_s=0.2),
                )
            )
        )
        try:
            while len(seen.grams) < at_least or len(seen.downs) < downs:
                await asyncio.sleep(0.02)
                for task in tasks:
                    if task.done():
                        task.result()
        finally:
            for task in tasks:
                task.cancel()
            for task in tasks:
                with suppress(asyncio.CancelledError):
                    await task
    for wire in wires:
        seen.sent.append([grams for each in wire.sent if (grams := grams_in(each)) is not None])
        seen.whole.append([grams for each in wire.whole() if (grams := grams_in(each)) is not None])
    return seen
