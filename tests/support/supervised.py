"""A reader under its supervisor, and what it told."""

import asyncio
import time
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager, suppress

from edge.readers.reader import Reader
from edge.reads import Lost, Read, TagRead
from edge.supervise import Backoff, supervise

QUICK = Backoff(first_s=0.05, longest_lost_s=0.2, longest_refused_s=0.2)


def now_us() -> int:
    return time.time_ns() // 1000


class Site:
    """Keeps what a supervised reader tells."""

    def __init__(self) -> None:
        self.reads: list[Read] = []
        self.reasons: list[str] = []
        self.ups = 0
        self._news = asyncio.Event()

    async def emit(self, reads: Sequence[Read]) -> None:
        self.reads += reads
        self._news.set()

    def up(self, name: str, detail: str) -> None:
        self.ups += 1
        self._news.set()

    def down(self, name: str, reason: str) -> None:
        self.reasons.append(reason)
        self._news.set()

    async def until(self, reached: Callable[[], bool]) -> None:
        """Wait until this holds; what never does ends by the test's own timeout."""
        while not reached():
            self._news.clear()
            with suppress(TimeoutError):
                async with asyncio.timeout(0.05):  # what is waited for may be the simulator's
                    await self._news.wait()

    def tags(self) -> list[TagRead]:
        return [read for read in self.reads if isinstance(read, TagRead)]

    def lost(self) -> list[Lost]:
        return [read for read in self.reads if isinstance(read, Lost)]


@asynccontextmanager
async def watching(reader: Reader) -> AsyncIterator[Site]:
    """Supervise a reader while inside."""
    site = Site()
    task = asyncio.create_task(supervise(reader, site.emit, up=site.up, down=site.down, backoff=QUICK))
    try:
        yield site
    finally:
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task
