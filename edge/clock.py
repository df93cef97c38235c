"""The agent's time: a wall clock that dates events, and a steady clock that measures between them.

Drivers date reads by the steady clock, in microseconds. So a step of the wall clock between a read and its arrival, or
while a driver still believes in an offset that it learnt before, does not move the read; only when reads are taken
into the journal is their time put on the wall's clock, as it is then.

The steady clock starts at the wall clock's reading, or just above the last value that was stored, and from there on
counts monotonic time: it never runs backwards, restarts included, and a step of the wall clock does not move it.
"""

import asyncio
import contextlib
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Protocol

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)

# systemd-timesyncd makes this file when it has set the clock (systemd-timesyncd.service(8), "Files").
TIMESYNC_MARK = Path("/run/systemd/timesync/synchronized")
# Asks the kernel's own flag (adjtimex(2), STA_UNSYNC), which chrony, ntpd and others keep too.
TIMEDATECTL = ("timedatectl", "show", "--property=NTPSynchronized", "--value")
ASK_S = 5.0  # timedatectl waits for a service that may have to be started first


class Clock(Protocol):
    """Microseconds since 1970, and milliseconds of the steady clock."""

    def now_us(self) -> int: ...

    def now_ms(self) -> int: ...

    def steady_us(self) -> int:
        """What `now_ms` says, in microseconds: the clock that drivers date reads by."""

    def ms_of(self, steady_us: int) -> int:
        """What `now_ms` said at a moment of `steady_us`, not later than now: buffered reads keep their own time."""

    def ahead_us(self) -> int:
        """What to add to a moment of `steady_us` for the wall clock's, as that is now."""


class SteadyClock:
    """`after_ms`: the last value stored by an earlier start."""

    def __init__(
        self, wall_us: Callable[[], int], monotonic_ns: Callable[[], int], *, after_ms: int = 0
    ) -> None:
        self._wall_us = wall_us
        self._monotonic_ns = monotonic_ns
        self._begin_ms = max(wall_us() // 1000, after_ms + 1)
        self._begin_ns = monotonic_ns()

    def now_us(self) -> int:
        return self._wall_us()

    def now_ms(self) -> int:
        return self.steady_us() // 1000

    def steady_us(self) -> int:
        return self._begin_ms * 1000 + (self._monotonic_ns() - self._begin_ns) // 1000

    def ms_of(self, steady_us: int) -> int:
        return max(min(steady_us // 1000, self.now_ms()), 0)

    def ahead_us(self) -> int:
        return self._wall_us() - self.steady_us()


class PlayedClock:
    """The time of a recording that is being played: whoever plays it sets it, the wall clock's steps too."""

    def __init__(self, begin_us: int, ahead_us: int = 0) -> None:
        """`begin_us`: of the steady clock, from which the wall's is so far ahead."""
        self._now_us = begin_us
        self._ahead_us = ahead_us

    def set(self, steady_us: int) -> None:
        self._now_us = max(self._now_us, steady_us)

    def step(self, ahead_us: int) -> None:
        """The wall clock was set: it is so far ahead of the steady one from now on."""
        self._ahead_us = ahead_us

    def now_us(self) -> int:
        return self._now_us + self._ahead_us

    def now_ms(self) -> int:
        return self._now_us // 1000

    def steady_us(self) -> int:
        return self._now_us

    def ms_of(self, steady_us: int) -> int:
        return steady_us // 1000

    def ahead_us(self) -> int:
        return self._ahead_us


def moment(at_us: int) -> datetime:
    return EPOCH + timedelta(microseconds=at_us)


async def synchronised() -> bool:
    """Whether something disciplines this machine's wall clock. False when nothing here can tell."""
    if await asyncio.to_thread(TIMESYNC_MARK.exists):
        return True
    try:
        process = await asyncio.create_subprocess_exec(
            *TIMEDATECTL, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.DEVNULL
        )
    except OSError:
        return False  # no systemd here, as in a container: configure [clock] trust = true where the host keeps time
    try:
        async with asyncio.timeout(ASK_S):
            said, _ = await process.communicate()
    except TimeoutError:
        with contextlib.suppress(ProcessLookupError):
            process.kill()
        await process.wait()
        return False
    return said.strip() == b"yes"
