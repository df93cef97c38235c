"""Opens a device's link, serial or TCP, from its URL. The one place that knows the difference, and the one where
OSError becomes ReaderLost or ReaderRefused.

The event loop reads the descriptor itself. The wrappers of pyserial for asyncio stop at descriptor 1023 (they call
select(2)), and lost a fifth of the lines at 200 ports when measured; so does pyserial's own write(). pyserial therefore
opens, configures and locks a port, and is then only asked to close it.
"""

import asyncio
import errno
import os
import socket
import termios
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

import serial

from edge.errors import ReaderLost, ReaderRefused
from edge.readers.urls import DeviceUrl, SerialUrl, TcpUrl

# A device in the same building answers a SYN in milliseconds; 10 s lets three be lost (Linux
# sends it again after 1, 2 and 4 s).
CONNECT_TIMEOUT_S = 10.0

_CHUNK = 64 * 1024  # one read; a pty holds 20 kB, a TCP socket more
# Bytes read and not yet asked for. Beyond this the descriptor is left alone, so that a fast device waits (TCP) or
# loses its oldest lines in the kernel (serial), instead of filling our memory.
_MOST_UNREAD = 1024 * 1024
_MOST_UNSENT = (
    64 * 1024
)  # commands are tens of bytes: a device that leaves so many unread has stopped listening

_REFUSALS = {
    errno.EACCES: "we may not open it; is this user in the group 'dialout'?",
    errno.EAGAIN: "another program has it open",
    errno.EBUSY: "another program has it open",
}


class Stream:
    """One open link. Made by `connect`; used from the event loop's own thread."""

    def __init__(self, fd: int, where: str, close: Callable[[], None]) -> None:
        self._fd = fd
        self._where = where
        self._close = close
        self._loop = asyncio.get_running_loop()
        self._unread = bytearray()
        self._unsent = bytearray()
        self._paused = False
        self._lost: ReaderLost | None = None
        self._waiting: asyncio.Future[None] | None = (
            None  # of `read`: done when bytes came, or the link is lost
        )
        self._give_up_s = 0.0  # when that ends without news
        self._timer: asyncio.TimerHandle | None = None
        self._loop.add_reader(fd, self._readable)

    async def read(self, within_s: float) -> bytes:
        """What has come since last asked, at least one byte; empty after `within_s` seconds of silence.

        Raises:
            ReaderLost: the other side hung up, and everything before was handed out.
        """
        if not self._unread:
            if self._lost:
                raise self._lost
            await self._news(within_s)
            if not self._unread and self._lost:
                raise self._lost
        data = bytes(self._unread)
        self._unread.clear()
        if self._paused and not self._lost:
            self._paused = False
            self._loop.add_reader(self._fd, self._readable)
        return data

    async def _news(self, within_s: float) -> None:
        """Wait for bytes, for the end of the link, or so long.

        One timer a stream, which looks again when it was early: a new one for each line was half of the cost of it.
        """
        self._give_up_s = self._loop.time() + within_s
        if self._timer is None or self._timer.when() > self._give_up_s:
            self._ring_at(self._give_up_s)
        self._waiting = self._loop.create_future()
        try:
            await self._waiting
        finally:
            self._waiting = None

    def _ring_at(self, when_s: float) -> None:
        if self._timer is not None:
            self._timer.cancel()
        self._timer = self._loop.call_at(when_s, self._rings)

    def _rings(self) -> None:
        self._timer = None
        if self._waiting is None:
            return
        if self._loop.time() < self._give_up_s:
            self._ring_at(self._give_up_s)
        else:
            self._wake()

    def _wake(self) -> None:
        if self._waiting is not None and not self._waiting.done():
            self._waiting.set_result(None)

    def write(self, data: bytes) -> None:
        """Send, or keep to be sent as soon as the link takes it.

        Raises:
            ReaderLost: the link is lost, or the other side has stopped taking anything.
        """
        if self._lost:
            raise self._lost
        if len(self._unsent) + len(data) > _MOST_UNSENT:
            raise ReaderLost(f"{self._where}: has not taken the last {len(self._unsent)} bytes sent to it")
        idle = not self._unsent
        self._unsent += data
        if idle:
            self._writable()
            if self._unsent and not self._lost:
                self._loop.add_writer(self._fd, self._writable)

    def close(self) -> None:
        """Safe to call twice. What was not sent yet is dropped."""
        if self._lost is None:
            self._lose("closed by us")
        self._close()

    def _readable(self) -> None:
        try:
            data = os.read(self._fd, _CHUNK)
        except BlockingIOError:
            return
        except OSError as error:  # EIO: the other end of a pty or a USB adapter is gone
            self._lose(_words(error))
            return
        if not data:
            self._lose("the other side hung up")
            return
        self._unread += data
        self._wake()
        if len(self._unread) >= _MOST_UNREAD:
            self._paused = True
            self._loop.remove_reader(self._fd)

    def _writable(self) -> None:
        try:
            del self._unsent[: os.write(self._fd, self._unsent)]
        except BlockingIOError:
            return
        except OSError as error:
            self._lose(_words(error))
            return
        if not self._unsent:
            self._loop.remove_writer(self._fd)

    def _lose(self, reason: str) -> None:
        self._lost = ReaderLost(f"{self._where}: {reason}")
        self._loop.remove_reader(self._fd)
        self._loop.remove_writer(self._fd)
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        self._wake()


@asynccontextmanager
async def connect(url: DeviceUrl) -> AsyncIterator[Stream]:
    """Open the link; it is closed with the context.

    Raises:
        ReaderLost: nothing is there, or it does not answer.
        ReaderRefused: it is there, and in use by another program or not ours to open.
    """
    match url:
        case TcpUrl():
            connected = await _connect_tcp(url)
            stream = Stream(connected.fileno(), str(url), connected.close)
        case SerialUrl():
            port = await asyncio.to_thread(_open_serial, url)
            stream = Stream(port.fileno(), str(url), port.close)
    try:
        yield stream
    finally:
        stream.close()


async def _connect_tcp(url: TcpUrl) -> socket.socket:
    loop = asyncio.get_running_loop()
    try:
        async with asyncio.timeout(CONNECT_TIMEOUT_S):
            found = await loop.getaddrinfo(url.host, url.port, type=socket.SOCK_STREAM)
            for i, (family, kind, protocol, _, address) in enumerate(found, 1):
                connecting = socket.socket(family, kind, protocol)
                connecting.setblocking(False)
                try:
                    await loop.sock_connect(connecting, address)
                except BaseException as error:
                    connecting.close()
                    if isinstance(error, OSError) and i < len(found):
                        continue  # the name has another address
                    raise
                connecting.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                return connecting
            raise ReaderLost(f"{url}: the name has no address")
    except TimeoutError:
        raise ReaderLost(f"{url}: no answer within {CONNECT_TIMEOUT_S:g} s") from None
    except OSError as error:
        raise ReaderLost(f"{url}: {_words(error)}") from error


def _open_serial(url: SerialUrl) -> serial.Serial:
    """Open, configure and lock a port. Takes tens of milliseconds with some adapters, so it runs in a thread."""
    try:
        port = serial.Serial(
            url.path,
            baudrate=url.baud,
            bytesize=url.bits,
            parity=url.parity,
            stopbits=url.stop,
            rtscts=url.flow == "rtscts",
            xonxoff=url.flow == "xonxoff",
            timeout=0,
            exclusive=True,  # a second program would otherwise open it and change its speed under us
        )
    except OSError as error:  # SerialException is one
        if error.errno in _REFUSALS:
            raise ReaderRefused(f"{url}: {_REFUSALS[error.errno]}") from error
        raise ReaderLost(f"{url}: {_words(error)}") from error
    try:
        # pyserial asks for reads that return at once, even with nothing (VMIN 0): then nothing to read and a line that
        # was hung up look the same. With VMIN 1, O_NONBLOCK says EAGAIN for the one, and the other is the end of file.
        settings = termios.tcgetattr(port.fileno())
        settings[6][termios.VMIN] = 1
        if url.parity != "N":
            # Otherwise a byte whose parity is wrong passes as it came: a weight with another digit. With INPCK, and
            # without IGNPAR, the kernel hands over a NUL in its place, and the line is refused.
            settings[0] |= termios.INPCK
        if url.keep_dtr:
            settings[2] &= ~termios.HUPCL
        termios.tcsetattr(port.fileno(), termios.TCSANOW, settings)
    except termios.error as error:
        port.close()
        raise ReaderLost(f"{url}: {error.args[-1]}") from error
    return port


def _words(error: OSError) -> str:
    return os.strerror(error.errno) if error.errno and error.errno > 0 else str(error)
