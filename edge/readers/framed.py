"""Frames off a serial line with noise between them: good ones at once, and false starts given up in time."""

import asyncio
from collections.abc import Callable, Iterator
from typing import Generic, NamedTuple, Protocol, TypeVar

from edge.readers.streams import Stream

T = TypeVar("T")
T_co = TypeVar("T_co", covariant=True)

# A frame's bytes follow one another, 262 of them in 0.27 s at 9600 baud. One that is not whole after this is noise.
WHOLE_S = 0.5


class Framer(Protocol[T_co]):
    """A driver's own, without a clock."""

    @property
    def waiting(self) -> int | None:
        """Where in the stream the frame began whose end has not come; None when nothing is begun. After `frames`."""

    def receive(self, data: bytes) -> None:
        """Take bytes as they came off the wire, in any pieces."""

    def frames(self) -> Iterator[T_co]:
        """Yield each frame now whole, oldest first."""

    def give_up(self) -> None:
        """What looked like the beginning of a frame was none."""


class Arrival(NamedTuple, Generic[T]):
    """A frame, and when it came: `at_us` on the driver's clock, `steady_us` on the event loop's."""

    frame: T
    at_us: int
    steady_us: int


class Framed(Generic[T]):
    """A stream in frames. `now_us` is the clock that the driver was given."""

    def __init__(self, stream: Stream, framer: Framer[T], now_us: Callable[[], int]) -> None:
        self._stream = stream
        self._framer = framer
        self._now_us = now_us
        self._loop = asyncio.get_running_loop()
        self._begun: int | None = None  # the frame that is not whole, by its place in the stream ...
        self._begun_s = 0.0  # ... and since when

    async def receive(self, within_s: float) -> list[Arrival[T]]:
        """Frames as soon as there are any; none after `within_s` without a whole one, whatever noise came.

        Raises:
            ReaderLost: the other side hung up, and everything before was handed out.
        """
        give_up_s = self._loop.time() + within_s
        while True:
            at_us, now_s = self._now_us(), self._loop.time()
            if found := [Arrival(frame, at_us, round(now_s * 1e6)) for frame in self._framer.frames()]:
                return found
            if now_s >= give_up_s:
                return []
            until_s = give_up_s
            if self._framer.waiting != self._begun:
                self._begun, self._begun_s = self._framer.waiting, now_s
            elif self._begun is not None and now_s >= self._begun_s + WHOLE_S:
                self._framer.give_up()
                continue
            if self._begun is not None:
                until_s = min(until_s, self._begun_s + WHOLE_S)
            self._framer.receive(await self._stream.read(max(until_s - now_s, 0.0)))
