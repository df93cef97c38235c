"""Keeps one reader running for as long as the agent runs, and what goes wrong in it away from all others."""

import asyncio
import logging
import random
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import NoReturn

from edge.errors import ReaderError, ReaderLost, ReaderRefused
from edge.readers.reader import Reader
from edge.reads import Read

log = logging.getLogger(__name__)

# A connection that lasted so long had worked, even if nothing passed the gate meanwhile: the next failure is a first
# one.
SETTLED_S = 30.0


@dataclass(frozen=True, slots=True)
class Backoff:
    """How long to wait before the next attempt: doubling from `first_s`, and never twice the same.

    A lost link is tried often, because each second without it is a second without eyes. A refusal is tried soon at
    first, for after a crash of our own a reader takes some seconds to notice that we are gone, and slowly at last,
    because a person has to act.
    """

    first_s: float = 0.5
    longest_lost_s: float = 15.0
    longest_refused_s: float = 60.0
    jitter: Callable[[], float] = (
        random.random
    )  # 0 to 1: after a power cut, forty readers are not to be asked in step

    def delay_s(self, failures: int, *, refused: bool) -> float:
        """The wait after the `failures`-th failure in a row, from 1: between half and all of the doubled time."""
        longest = self.longest_refused_s if refused else self.longest_lost_s
        doubled = self.first_s * 2.0 ** min(failures - 1, 20)  # bounded, so that it stays a number
        return min(longest, doubled) * (0.5 + 0.5 * self.jitter())


async def supervise(
    reader: Reader,
    emit: Callable[[Sequence[Read]], Awaitable[None]],
    *,
    up: Callable[[str, str], None],
    down: Callable[[str, str], None],
    backoff: Backoff,
    sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
) -> NoReturn:
    """Read `reader` until cancelled, reconnecting whenever it fails.

    Args:
        emit: takes what was read; may wait, and the reader waits with it. What it raises ends the supervision.
        up: called with the reader's name and what it says of itself, at each connection.
        down: called with the name and the reason when a connection ends, and when the very first attempt fails.
    """
    clock = asyncio.get_running_loop().time
    failures, said_down, emitting = 0, False, False
    while True:
        opened_at: float | None = None
        try:
            async with reader.open() as batches:
                opened_at = clock()
                said_down = False
                log.info("%s: reading%s", reader.name, f" ({reader.detail})" if reader.detail else "")
                up(reader.name, reader.detail)
                async for reads in batches:
                    failures = 0
                    emitting = True
                    await emit(reads)
                    emitting = False
            raise ReaderLost("the driver stopped by itself")
        except ReaderError as error:
            reason, refused = str(error), isinstance(error, ReaderRefused)
        except Exception as error:  # a bug in one driver must not stop the other readers
            if emitting:
                raise  # not the driver's: whoever keeps the reads cannot
            log.exception("%s: the driver failed", reader.name)
            reason, refused = f"the driver failed: {error!r}", True
        if opened_at is not None and clock() - opened_at >= SETTLED_S:
            failures = 0
        failures += 1
        if not said_down:
            log.warning("%s: %s", reader.name, reason)
            down(reader.name, reason)
            said_down = True
        else:
            log.debug("%s: %s", reader.name, reason)
        await sleep(backoff.delay_s(failures, refused=refused))
