"""Acknowledgements on their way: the newest of each run, each run at most twice a second."""

import asyncio
import threading
from collections.abc import Callable

from wire.messages import Ack

INTERVAL_S = 0.5
FORGET_S = 60.0  # a run that was silent this long may be told at once; its entry need not be kept


class Acks:
    """Filled by booking threads, emptied by one task of an event loop."""

    def __init__(self, monotonic: Callable[[], float]) -> None:
        """`monotonic` gives seconds that never go backwards."""
        self._monotonic = monotonic
        self._lock = threading.Lock()
        self._due: dict[tuple[str, str], Ack] = {}
        self._told: dict[tuple[str, str], float] = {}
        self._loop: asyncio.AbstractEventLoop | None = None
        self._filled = asyncio.Event()

    def put(self, edge: str, ack: Ack) -> None:
        """Tell this edge; replaces what it was not yet told of the same run."""
        with self._lock:
            self._due[edge, ack.run] = ack
            loop = self._loop
        if loop is not None and not loop.is_closed():
            loop.call_soon_threadsafe(self._filled.set)

    async def take(self) -> list[tuple[str, Ack]]:
        """Wait until some may be told; they count as told now."""
        with self._lock:
            self._loop = asyncio.get_running_loop()
        while True:
            self._filled.clear()
            ready, wait_s = self._ready()
            if ready:
                return ready
            try:
                async with asyncio.timeout(wait_s):
                    await self._filled.wait()
            except TimeoutError:
                pass

    def again(self, edge: str, ack: Ack) -> None:
        """It could not be told: try again, unless something newer is known by now."""
        with self._lock:
            self._due.setdefault((edge, ack.run), ack)

    def _ready(self) -> tuple[list[tuple[str, Ack]], float | None]:
        now = self._monotonic()
        with self._lock:
            waits = {key: self._told.get(key, -INTERVAL_S) + INTERVAL_S - now for key in self._due}
            ready = [key for key, wait_s in waits.items() if wait_s <= 0]
            for key in ready:
                self._told[key] = now
            if len(self._told) > 2 * len(ready) + 1000:
                self._told = {key: at for key, at in self._told.items() if now - at < FORGET_S}
            told = [(key[0], self._due.pop(key)) for key in ready]
            later = [wait_s for wait_s in waits.values() if wait_s > 0]
        return told, min(later, default=None)
