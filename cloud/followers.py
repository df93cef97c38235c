"""What follows the ledger: rules, mail, series. Each has a thread of its own and a step that does what is due."""

import asyncio
import contextlib
import logging
import threading
from typing import Protocol

log = logging.getLogger(__name__)

RETRY_FIRST_S = 1.0
RETRY_MOST_S = 60.0


class Follower(Protocol):
    """One kind of work behind the ledger, such as turning states into alerts."""

    @property
    def name(self) -> str: ...

    def step(self) -> float:
        """Do everything that is due now; return in how many seconds there may be more even if nothing changes.

        May raise anything: it is said, and the step tried again later with what the ledger then holds.
        """
        ...


class Changes:
    """Says that the ledger has changed, to threads and to tasks of any event loop.

    It carries no news itself: one call may stand for many commits, and a listener reads what is new from the tables.
    Counting makes it safe to look between two waits: wait for more than the count you have seen.
    """

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._count = 0
        self._waiting: set[tuple[asyncio.AbstractEventLoop, asyncio.Event]] = set()

    @property
    def count(self) -> int:
        return self._count

    def tell(self) -> None:
        """Call from any thread, after the commit."""
        with self._changed:
            self._count += 1
            self._changed.notify_all()
            for loop, event in self._waiting:
                with contextlib.suppress(RuntimeError):  # that loop has ended
                    loop.call_soon_threadsafe(event.set)

    def wait(self, seen: int, timeout_s: float) -> int:
        """Block this thread until the count is above `seen` or the time is over; return the count."""
        with self._changed:
            self._changed.wait_for(lambda: self._count > seen, timeout_s)
            return self._count

    async def changed(self, seen: int) -> int:
        """Wait in this task until the count is above `seen`; return the count."""
        entry = (asyncio.get_running_loop(), asyncio.Event())
        with self._changed:
            self._waiting.add(entry)
        try:
            while self._count <= seen:
                await entry[1].wait()
                entry[1].clear()
            return self._count
        finally:
            with self._changed:
                self._waiting.discard(entry)


def follow(follower: Follower, changes: Changes, stop: threading.Event) -> None:
    """Step until told to stop (set `stop`, then tell `changes`). An error is said once, and tried again for ever."""
    retry = RETRY_FIRST_S
    while not stop.is_set():
        seen = changes.count
        try:
            due = follower.step()
        except Exception as error:
            # Whatever it is, the ledger goes on, and so must the other followers.
            if retry == RETRY_FIRST_S:
                log.warning("%s failed and is tried again: %s", follower.name, error, exc_info=True)
            stop.wait(retry)
            retry = min(2 * retry, RETRY_MOST_S)
            continue
        if retry > RETRY_FIRST_S:
            log.info("%s works again", follower.name)
        retry = RETRY_FIRST_S
        changes.wait(seen, due)
