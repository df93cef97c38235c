"""A TCP link that misbehaves: a proxy with latency, silence, resets, and cuts in the middle of a message."""

import asyncio
import contextlib
import socket
import struct
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

CHUNK = 4096


class FaultyLink:
    """Forwards between whoever connects to `port` and 127.0.0.1:`target`. Change its attributes while it runs."""

    def __init__(self, target: int) -> None:
        self.target = target
        self.port = 0
        self.latency_s = 0.0
        self.silent = False  # connections stay, nothing passes, as on a link that has gone without a word
        self.refusing = False
        self.cut_after: int | None = (
            None  # reset everything once so many bytes have passed towards the target
        )
        self.passed = 0
        self._writers: set[asyncio.StreamWriter] = set()
        self._tasks: set[asyncio.Task[None]] = set()

    def reset(self) -> None:
        """End every connection at once, with RST, as a router that restarts does."""
        for writer in self._writers:
            raw = writer.get_extra_info("socket")
            raw.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            writer.transport.abort()

    async def serve(self, near: asyncio.StreamReader, back: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task
        self._tasks.add(task)
        self._writers.add(back)
        try:
            if not self.refusing:
                await self._join(near, back)
        except (ConnectionError, asyncio.CancelledError):
            pass
        finally:
            self._writers.discard(back)
            self._tasks.discard(task)
            back.transport.abort()

    async def _join(self, near: asyncio.StreamReader, back: asyncio.StreamWriter) -> None:
        far, forth = await asyncio.open_connection("127.0.0.1", self.target)
        self._writers.add(forth)
        try:
            ways = [
                asyncio.ensure_future(self._pass(near, forth, True)),
                asyncio.ensure_future(self._pass(far, back, False)),
            ]
            await asyncio.wait(ways, return_when=asyncio.FIRST_COMPLETED)
            for way in ways:
                way.cancel()
            await asyncio.gather(*ways, return_exceptions=True)
        finally:
            self._writers.discard(forth)
            forth.transport.abort()

    async def _pass(self, source: asyncio.StreamReader, sink: asyncio.StreamWriter, up: bool) -> None:
        while data := await source.read(CHUNK):
            if self.latency_s:
                await asyncio.sleep(self.latency_s)
            while self.silent:  # noqa: ASYNC110 - a plain attribute that a test sets
                await asyncio.sleep(0.05)
            if up:
                self.passed += len(data)
                if self.cut_after is not None and self.passed >= self.cut_after:
                    self.cut_after = None
                    sink.write(data[: len(data) // 2])
                    self.reset()
                    return
            sink.write(data)
            await sink.drain()

    async def close(self) -> None:
        for task in [*self._tasks]:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)


@asynccontextmanager
async def faulty_link(target: int) -> AsyncIterator[FaultyLink]:
    link = FaultyLink(target)
    server = await asyncio.start_server(link.serve, "127.0.0.1", 0)
    link.port = server.sockets[0].getsockname()[1]
    try:
        yield link
    finally:
        server.close()
        await link.close()
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(2):
                await server.wait_closed()
