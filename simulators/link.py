"""The device's end of a line: a pty behind a symlink, or a TCP connection, with its troubles.

A device hands whole messages to `send` and takes bytes from `receive`; what the line does to them is not its
business. A session is one coroutine that serves one connection until LinkDown.
"""

import asyncio
import contextlib
import fcntl
import os
import ssl
import struct
import termios
import tty
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine
from pathlib import Path
from typing import Protocol

from simulators.errors import LinkDown
from simulators.trouble import HangUp, Send, Trouble, Wait

# A port nobody has open keeps nothing; a pty would keep 20 kB of what was weighed long ago. This is about 11 s at
# ten lines a second: so far behind is only who is not there. (The kernel counts no more than 4095 unread bytes.)
PTY_BACKLOG = 2048
REPLUG_S = 1.0  # a pulled USB plug takes about this long to be a port again
READ = 4096
Where = Path | tuple[str, int]  # a symlink to make to a serial port, or host and port


class Port(Protocol):
    """Bytes to and from the other side."""

    async def write(self, data: bytes) -> None: ...

    async def read(self) -> bytes:
        """What came; b"" when the other side has gone."""
        ...

    def close(self) -> None: ...


class Link:
    """One connection, seen from the device."""

    def __init__(self, port: Port, trouble: Trouble) -> None:
        self._port = port
        self._trouble = trouble
        self._loop = asyncio.get_running_loop()
        self._began_s = self._loop.time()
        self._sending = asyncio.Lock()

    async def send(self, message: bytes) -> None:
        """Send one message, as the line lets it through.

        Raises:
            LinkDown: the other side has gone, or a trouble hung up.
        """
        async with self._sending:
            for step in self._trouble.outgoing(message, self._loop.time() - self._began_s):
                match step:
                    case Send(data):
                        await self._write(data)
                    case Wait(seconds):
                        await asyncio.sleep(seconds)
                    case HangUp():
                        self._port.close()
                        raise LinkDown("a trouble hung up")

    async def receive(self) -> bytes:
        """Some bytes, at least one.

        Raises:
            LinkDown: the other side has gone.
        """
        try:
            data = await self._port.read()
        except OSError as error:
            raise LinkDown(str(error)) from error
        if not data:
            raise LinkDown("the other side closed")
        return data

    async def _write(self, data: bytes) -> None:
        try:
            await self._port.write(data)
        except OSError as error:
            raise LinkDown(str(error)) from error


Session = Callable[[Link], Awaitable[None]]


async def until_one_ends(*parts: Coroutine[None, None, None]) -> None:
    """Run the parts of a session together; when one ends, or fails, so do the others, and the session with it."""
    tasks = [asyncio.ensure_future(part) for part in parts]
    try:
        done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
    for task in done:
        task.result()


class TcpPort:
    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader, self._writer = reader, writer

    async def write(self, data: bytes) -> None:
        self._writer.write(data)
        await self._writer.drain()

    async def read(self) -> bytes:
        return await self._reader.read(READ)

    def close(self) -> None:
        self._writer.close()


@contextlib.asynccontextmanager
async def tcp(
    session: Session,
    trouble: Callable[[], Trouble],
    host: str = "127.0.0.1",
    port: int = 0,
    *,
    tls: ssl.SSLContext | None = None,
) -> AsyncIterator[tuple[str, int]]:
    """Listen, and serve each client with a session of its own; yields the address. Port 0 is a free one."""
    sessions: set[asyncio.Task[None]] = set()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None, "asyncio runs each connection in a task"
        sessions.add(task)
        tcp_port = TcpPort(reader, writer)
        try:
            with contextlib.suppress(LinkDown, asyncio.CancelledError):
                await session(Link(tcp_port, trouble()))
        finally:
            sessions.discard(task)
            tcp_port.close()

    server = await asyncio.start_server(serve, host, port, ssl=tls)
    try:
        address: tuple[str, int] = server.sockets[0].getsockname()[:2]
        yield address
    finally:
        server.close()
        for task in sessions:
            task.cancel()
        await asyncio.gather(*sessions, return_exceptions=True)


class PtyPort:
    """The far end of a serial line. We hold the near end open too, so that it stays raw between clients."""

    def __init__(self) -> None:
        self._master, self._slave = os.openpty()
        tty.setraw(self._slave)  # a pty comes cooked, with echo
        os.set_blocking(self._master, False)
        self.path = os.ttyname(self._slave)
        self._loop = asyncio.get_running_loop()
        self._closed = False

    async def write(self, data: bytes) -> None:
        if self._closed:
            raise OSError("the pty is closed")
        (unread,) = struct.unpack("i", fcntl.ioctl(self._slave, termios.FIONREAD, b"\0\0\0\0"))
        if unread > PTY_BACKLOG:
            termios.tcflush(self._slave, termios.TCIFLUSH)
        with contextlib.suppress(BlockingIOError):  # what does not fit is lost, as on a wire
            os.write(self._master, data)

    async def read(self) -> bytes:
        while not self._closed:
            try:
                return os.read(self._master, READ)
            except BlockingIOError:
                await self._readable()
        return b""

    async def _readable(self) -> None:
        ready = asyncio.Event()
        self._loop.add_reader(self._master, ready.set)
        try:
            await ready.wait()
        finally:
            if not self._closed:
                self._loop.remove_reader(self._master)

    def close(self) -> None:
        if not self._closed:
            self._closed = True
            self._loop.remove_reader(self._master)
            os.close(self._master)
            os.close(self._slave)


async def pty(session: Session, trouble: Callable[[], Trouble], link: Path, ready: asyncio.Event) -> None:
    """Serve one pty after the other behind the symlink `link`, which is there while a pty is; runs until cancelled.

    The symlink stands for a name under /dev/serial/by-id: it outlives the port behind it.
    """
    while True:
        port = PtyPort()
        _point(link, port.path)
        ready.set()
        try:
            with contextlib.suppress(LinkDown):
                await session(Link(port, trouble()))
        finally:
            port.close()
            with contextlib.suppress(FileNotFoundError):  # the folder may go before us
                os.unlink(link)
        await asyncio.sleep(REPLUG_S)


@contextlib.asynccontextmanager
async def on_line(
    session: Session, where: Where, *, baud: int, trouble: Callable[[], Trouble], say: Callable[[str], None]
) -> AsyncIterator[None]:
    """Serve on a serial port behind a symlink, or by TCP, for as long as the block lasts. `say` is told the URL."""
    if not isinstance(where, Path):
        async with tcp(session, trouble, *where) as (host, port):
            say(f"tcp://{host}:{port}")
            yield
        return
    async with asyncio.TaskGroup() as tasks:
        ready = asyncio.Event()
        serving = tasks.create_task(pty(session, trouble, where, ready))
        await ready.wait()
        say(f"serial:{where}?baud={baud}")
        yield
        serving.cancel()


def _point(link: Path, target: str) -> None:
    """Make the symlink, or move it, at once."""
    fresh = link.with_name(link.name + ".new")
    fresh.unlink(missing_ok=True)
    fresh.symlink_to(target)
    fresh.replace(link)
