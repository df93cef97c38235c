import asyncio
import os
import resource
import socket
import struct
import termios
from collections.abc import Iterator

import pytest
import serial

from edge.errors import ReaderLost, ReaderRefused
from edge.readers.streams import Stream, connect
from edge.readers.urls import SerialUrl, TcpUrl
from tests.support.lines import Line, a_line
from tests.support.tcp import serving


@pytest.fixture
def line() -> Iterator[Line]:
    with a_line() as line:
        yield line


async def read_exactly(stream: Stream, size: int) -> bytes:
    data = b""
    while len(data) < size:
        data += await stream.read(5)
    return data


async def test_a_serial_port_carries_every_byte_both_ways(line: Line) -> None:
    every = bytes(range(256))
    async with connect(SerialUrl(line.path, 9600)) as stream:
        line.send(every)
        assert await read_exactly(stream, 256) == every
        stream.write(every)
        await line.hears(every)


async def test_a_serial_port_gets_the_urls_settings(line: Line) -> None:
    async with connect(SerialUrl(line.path, 19200, bits=8, stop=2, flow="rtscts")):
        port = os.open(line.path, os.O_RDWR | os.O_NOCTTY)
        settings = termios.tcgetattr(port)
        os.close(port)
    assert settings[4:6] == [termios.B19200, termios.B19200]
    assert settings[2] & termios.CSTOPB
    assert settings[2] & termios.CRTSCTS


async def test_a_port_in_use_is_refused(line: Line) -> None:
    async with connect(SerialUrl(line.path, 9600)):
        with pytest.raises(ReaderRefused, match="another program"):
            async with connect(SerialUrl(line.path, 9600)):
                pass
    async with connect(SerialUrl(line.path, 9600)):
        pass


async def test_a_port_that_is_locked_by_another_program_is_refused(line: Line) -> None:
    with serial.Serial(line.path, exclusive=True), pytest.raises(ReaderRefused, match=line.path):
        async with connect(SerialUrl(line.path, 9600)):
            pass


async def test_a_port_that_is_not_there_is_lost() -> None:
    with pytest.raises(ReaderLost, match="/dev/nothing: No such file"):
        async with connect(SerialUrl("/dev/nothing", 9600)):
            pass


async def test_unplugging_is_seen_at_once_and_what_came_before_is_read(line: Line) -> None:
    async with connect(SerialUrl(line.path, 9600)) as stream:
        line.send(b"last words")
        assert await read_exactly(stream, 10) == b"last words"
        line.unplug()
        with pytest.raises(ReaderLost, match=line.path):
            await stream.read(5)
        with pytest.raises(ReaderLost):
            stream.write(b"?")


async def test_silence_is_not_a_hang_up(line: Line) -> None:
    async with connect(SerialUrl(line.path, 9600)) as stream:
        assert await stream.read(0.02) == b""
        line.send(b"still here")
        assert await read_exactly(stream, 10) == b"still here"


async def test_being_woken_for_nothing_is_not_a_hang_up(line: Line) -> None:
    async with connect(SerialUrl(line.path, 9600)) as stream:
        stream._readable()  # as when a driver empties the line between its signal and our reading
        line.send(b"still here")
        assert await read_exactly(stream, 10) == b"still here"


async def test_last_words_are_heard_though_the_hang_up_comes_with_them() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        async with connect(TcpUrl("127.0.0.1", server.getsockname()[1])) as stream:
            device, _ = server.accept()
            reading = asyncio.create_task(stream.read(5))
            await asyncio.sleep(0)
            device.sendall(b"last words")
            device.close()
            stream._readable()
            stream._readable()
            assert await reading == b"last words"
            with pytest.raises(ReaderLost, match="hung up"):
                await stream.read(5)


async def test_descriptors_beyond_1023_work(line: Line) -> None:
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(2048, hard), hard))
    filler = [os.open("/dev/null", os.O_RDONLY) for _ in range(1024)]
    try:
        async with connect(SerialUrl(line.path, 9600)) as stream:
            line.send(b"far up")
            assert await read_exactly(stream, 6) == b"far up"
            stream.write(b"and back")
            await line.hears(b"and back")
    finally:
        for fd in filler:
            os.close(fd)
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


async def echo(incoming: asyncio.StreamReader, outgoing: asyncio.StreamWriter) -> None:
    while data := await incoming.read(65536):
        outgoing.write(data)
        await outgoing.drain()


async def test_tcp_carries_more_than_any_buffer_holds_when_it_is_read() -> None:
    async with serving(echo) as port, connect(TcpUrl("localhost", port)) as stream:
        sent, got = bytearray(), bytearray()
        for i in range(100):
            piece = struct.pack("!I", i) * 8192
            sent += piece
            stream.write(piece)
            while len(got) < len(sent) - 16384:
                got += await stream.read(5)
        while len(got) < len(sent):
            got += await stream.read(5)
        assert got == sent


async def test_who_is_not_read_waits_and_loses_nothing() -> None:
    pieces = 64
    piece = b"x" * 65536

    async def flood(incoming: asyncio.StreamReader, outgoing: asyncio.StreamWriter) -> None:
        for _ in range(pieces):
            outgoing.write(piece)
            await outgoing.drain()

    async with serving(flood) as port, connect(TcpUrl("127.0.0.1", port)) as stream:
        rest = len(await stream.read(5))
        for _ in range(200):  # let it read as far as it will
            await asyncio.sleep(0)
        assert len(stream._unread) <= 2 * 1024 * 1024  # bounded, whatever the device sends
        while rest < pieces * len(piece):
            rest += len(await stream.read(5))
        assert rest == pieces * len(piece)


def talk_at(stream: Stream) -> None:
    for _ in range(200):
        stream.write(b"?" * 1024)


async def test_a_device_that_takes_nothing_is_lost_and_blocks_nobody(line: Line) -> None:
    async with connect(SerialUrl(line.path, 9600)) as stream:
        with pytest.raises(ReaderLost, match="has not taken"):
            talk_at(stream)


async def test_nobody_listening_is_lost() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    with pytest.raises(ReaderLost, match="refused"):
        async with connect(TcpUrl("127.0.0.1", port)):
            pass


async def test_a_name_that_is_none_is_lost() -> None:
    with pytest.raises(ReaderLost, match=r"tcp://nowhere\.invalid:1"):
        async with connect(TcpUrl("nowhere.invalid", 1)):
            pass


async def test_leaving_frees_the_port_even_when_it_is_used_no_more(line: Line) -> None:
    before = len(os.listdir("/proc/self/fd"))
    for _ in range(3):
        async with connect(SerialUrl(line.path, 9600)) as stream:
            stream.write(b"x")
    assert len(os.listdir("/proc/self/fd")) == before
    with pytest.raises(ReaderLost, match="closed by us"):
        await stream.read(1)


async def test_a_wait_ends_in_its_own_time_after_longer_and_shorter_ones(line: Line) -> None:
    """One timer serves all waits of a stream."""
    loop = asyncio.get_running_loop()
    async with connect(SerialUrl(line.path, 9600)) as stream:
        line.send(b"1")
        assert await stream.read(30.0) == b"1"  # leaves a timer far ahead
        for within_s in (0.05, 0.2, 0.0, 0.1):
            began_s = loop.time()
            assert await stream.read(within_s) == b""
            assert within_s <= loop.time() - began_s + 0.001 < within_s + 2.0
        reading = asyncio.ensure_future(stream.read(30.0))
        await asyncio.sleep(0.3)  # the timers of the waits before have rung
        line.send(b"2")
        assert await reading == b"2"


async def test_a_wait_that_was_cancelled_leaves_the_next_its_bytes(line: Line) -> None:
    async with connect(SerialUrl(line.path, 9600)) as stream:
        reading = asyncio.ensure_future(stream.read(30.0))
        await asyncio.sleep(0.01)
        reading.cancel()
        with pytest.raises(asyncio.CancelledError):
            await reading
        line.send(b"1")
        assert await stream.read(30.0) == b"1"


async def test_no_timer_outlives_its_stream(line: Line) -> None:
    async with connect(SerialUrl(line.path, 9600)) as stream:
        line.send(b"1")
        assert await stream.read(30.0) == b"1"
        line.unplug()
        with pytest.raises(ReaderLost):
            await stream.read(30.0)
    await asyncio.sleep(0)
