"""What the supervisor asks of a driver, and all it may know of one."""

from collections.abc import AsyncIterator, Sequence
from contextlib import AbstractAsyncContextManager
from typing import Protocol, runtime_checkable

from edge.reads import Read


@runtime_checkable
class Holding(Protocol):
    """A driver of a device that may remember, or show afterwards, what it saw while nobody was connected."""

    @property
    def held(self) -> bool:
        """As of the connection that is up: whether all that the device saw since the one before comes, or shows, now.

        Without this, or where it is false, the time between two connections is said to have been blind.
        """


@runtime_checkable
class Beating(Protocol):
    """A driver that also yields empty batches, now and then: the device is alive, and has told all that it saw.

    The gate of another goes by the clock, and takes a link that stalls for a load that has left.
    """

    @property
    def beats(self) -> bool: ...


class Reader(Protocol):
    """One device. Built without touching it; each `open()` is one connection."""

    @property
    def name(self) -> str:
        """The gate or shelf it serves."""

    @property
    def detail(self) -> str:
        """What the device said of itself (model, firmware) when last opened; empty before."""

    @property
    def clock_offset_ms(self) -> float | None:
        """The device's clock minus ours, in milliseconds; None where it has no clock or it is not known yet."""

    def open(self) -> AbstractAsyncContextManager[AsyncIterator[Sequence[Read]]]:
        """Connect and set the device up; iterate for reads, as many at once as one message brought, or none.

        The connection is up once the context is entered. The iteration ends only by an error.

        Raises:
            ReaderError: on entering or while iterating; its class says what to do next.
        """
