"""Bytes off a serial line with noise between them, cut into frames: sans-IO, for framings that begin with one byte."""

from abc import ABC, abstractmethod
from collections.abc import Iterator
from typing import Generic, TypeVar

T = TypeVar("T")


class FrameBuffer(ABC, Generic[T]):
    """One connection's byte stream.

    The first byte of a frame also occurs inside frames and in noise, so a frame is what the driver finds good; where
    none is, the search goes on at the very next byte, and a good frame behind a false start is found. A frame that is
    not whole yet holds back what follows it: whoever has a clock calls `give_up` when the rest does not come.

    Attributes:
        skipped: bytes so far that belonged to no frame.
    """

    def __init__(self, header: int) -> None:
        self.skipped = 0
        self._header = header
        self._buffer = bytearray()
        self._dropped = 0

    def receive(self, data: bytes) -> None:
        """Take bytes as they came off the wire, in any pieces."""
        self._buffer += data

    @property
    def waiting(self) -> int | None:
        """Where in the stream the frame began whose end has not come; None when nothing is begun. After `frames`."""
        return self._dropped if self._buffer else None

    def give_up(self) -> None:
        """What looked like the beginning of a frame was none: go on at the next whole frame, if one has come."""
        for at in range(1, len(self._buffer)):
            if self._buffer[at] == self._header and self._size(at):
                self._skip(at)
                return
        if self._buffer:
            self._skip(1)

    def frames(self) -> Iterator[T]:
        """Yield each frame now whole, oldest first."""
        while self._buffer:
            if self._buffer[0] != self._header:
                start = self._buffer.find(self._header)
                self._skip(len(self._buffer) if start < 0 else start)
                continue
            size = self._size(0)
            if size is None:
                return
            if not size:
                self._skip(1)
                continue
            frame = self._frame(bytes(self._buffer[:size]))
            self._drop(size)
            yield frame

    @abstractmethod
    def _size(self, at: int) -> int | None:
        """The size of the good frame whose first byte is here; 0 if none is, None if more has to come to tell."""

    @abstractmethod
    def _frame(self, whole: bytes) -> T:
        """What a good frame says."""

    def _skip(self, count: int) -> None:
        self.skipped += count
        self._drop(count)

    def _drop(self, count: int) -> None:
        self._dropped += count
        del self._buffer[:count]
