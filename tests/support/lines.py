"""The far end of a serial line: a pseudo-terminal, which is a real port to whoever opens it."""

import asyncio
import os
import tty
from collections.abc import Iterator
from contextlib import contextmanager


class Line:
    """What the device holds. Everything is sent byte by byte: the worst that a UART can do."""

    def __init__(self) -> None:
        self._fd, port = os.openpty()
        tty.setraw(port)
        os.set_blocking(self._fd, False)
        self.path = os.ttyname(port)
        os.close(port)
        self.heard = b""

    def send(self, data: bytes) -> None:
        for byte in data:
            os.write(self._fd, bytes([byte]))

    async def hears(self, command: bytes) -> None:
        """Wait until this was sent to the device; it is taken from what was heard."""
        while command not in self.heard:
            try:
                self.heard += os.read(self._fd, 1024)
            except (BlockingIOError, OSError):  # nothing yet, or nobody has the port open
                await asyncio.sleep(0.001)
        self.heard = self.heard.split(command, 1)[1]

    def unplug(self) -> None:
        if self._fd >= 0:
            os.close(self._fd)
        self._fd = -1


@contextmanager
def a_line() -> Iterator[Line]:
    line = Line()
    try:
        yield line
    finally:
        line.unplug()
