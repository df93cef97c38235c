"""The simulated reader on a real TCP port."""

import asyncio
import struct
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from simulators.link import tcp
from simulators.llrp.about import About
from simulators.llrp.clock import MADE_US
from simulators.llrp.reader import Reader
from simulators.llrp.serve import Served
from simulators.trouble import maker

ADD_IMMEDIATE = bytes.fromhex(
    "0414 0000 006C 0000 000A 00B1 0062 0000 0001 0000 00B2 0012 00B3 0005 0100 B600 0900 0000 0000 00B7 0034 0004"
    "0001 0002 0003 0004 00B8 0009 0000 0000 0000 BA00 1D00 0101 00DE 0016 0000 014A 0010 0001 5000 0B40 0020 0000"
    "0000 00ED 0012 0200 0100 EE00 0B1F 8001 5C00 0500"
)
ENABLE = bytes.fromhex("0418 0000000E 0000000B 00000001")
HOLD = bytes.fromhex("0403 00000010 00000009 00 00E2 0005 80")
KEEPALIVE_EACH_100_MS = bytes.fromhex("0403 00000014 00000009 00 00DC 0009 01 00000064")
RELEASE = bytes.fromhex("0440 0000000A 00000063")
CLOSE = bytes.fromhex("040E 0000000A 00000064")
EPC = bytes.fromhex("3074257BF7194E4000001A85")


class Client:
    """A bare LLRP client: messages as (type, body)."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader, self._writer = reader, writer

    def say(self, *messages: bytes) -> None:
        self._writer.write(b"".join(messages))

    async def hear(self) -> tuple[int, bytes]:
        head, length, _ = struct.unpack("!HII", await self._reader.readexactly(10))
        return head & 0x3FF, await self._reader.readexactly(length - 10)

    async def gone(self) -> bool:
        return await self._reader.read() == b""

    async def close(self) -> None:
        self._writer.close()
        await self._writer.wait_closed()


@asynccontextmanager
async def served(trouble: str = "none") -> AsyncIterator[tuple[Reader, tuple[str, int]]]:
    reader = Reader(About((1, 2, 3, 4), b"\2\0\0\0\0\1"), lambda: 0)
    device = Served(reader, "dock")
    clock = asyncio.ensure_future(device.run())
    async with tcp(device.session, maker(trouble, 1)) as address:
        yield reader, address
    clock.cancel()


async def connect(address: tuple[str, int]) -> Client:
    return Client(*await asyncio.open_connection(*address))


async def until_alone(reader: Reader) -> None:
    for _ in range(400):
        if not reader.has_client:
            return
        await asyncio.sleep(0.005)
    raise AssertionError("the reader still thinks that it has a client")


async def test_a_client_reads_tags() -> None:
    async with served() as (reader, address):
        client = await connect(address)
        assert (await client.hear())[0] == 63
        client.say(ADD_IMMEDIATE, ENABLE)
        assert [(await client.hear())[0] for _ in range(2)] == [30, 34]
        reader.sighted(EPC, 1, -55, 7, 0)
        kind, body = await client.hear()
        assert (kind, body[4:17]) == (61, b"\x8d" + EPC)
        await client.close()


async def test_only_one_client_at_a_time() -> None:
    async with served() as (reader, address):
        first = await connect(address)
        assert (await first.hear())[1].endswith(bytes.fromhex("0100 0006 0000"))
        second = await connect(address)
        assert (await second.hear())[1].endswith(bytes.fromhex("0100 0006 0002"))
        assert await second.gone()
        await second.close()
        await first.close()
        await until_alone(reader)
        third = await connect(address)
        assert (await third.hear())[1].endswith(bytes.fromhex("0100 0006 0000"))
        await third.close()


async def test_a_closed_connection_is_answered_and_closed() -> None:
    async with served() as (_, address):
        client = await connect(address)
        await client.hear()
        client.say(CLOSE)
        assert await client.hear() == (4, bytes.fromhex("011F 0008 0000 0000"))
        assert await client.gone()
        await client.close()


async def test_what_is_not_llrp_is_answered_and_closed() -> None:
    async with served() as (_, address):
        client = await connect(address)
        await client.hear()
        client.say(b"GET / HTTP/1.0\r\n\r\n")
        assert (await client.hear())[0] == 100
        assert await client.gone()
        await client.close()


async def test_what_was_read_alone_waits_for_the_next_client() -> None:
    async with served() as (reader, address):
        client = await connect(address)
        await client.hear()
        client.say(HOLD, ADD_IMMEDIATE, ENABLE)
        assert [(await client.hear())[0] for _ in range(3)] == [13, 30, 34]
        await client.close()
        await until_alone(reader)
        for _ in range(3):
            reader.sighted(EPC, 1, -55, 7, 0)
        client = await connect(address)
        assert (await client.hear())[0] == 63
        client.say(ENABLE, RELEASE)
        assert [(await client.hear())[0] for _ in range(4)] == [34, 61, 61, 61]
        await client.close()


async def test_a_client_that_answers_no_keepalive_is_dropped() -> None:
    async with served() as (reader, address):
        client = await connect(address)
        await client.hear()
        client.say(KEEPALIVE_EACH_100_MS)
        assert [(await client.hear())[0] for _ in range(5)] == [13, 62, 62, 62, 62]
        assert await client.gone()
        await until_alone(reader)
        await client.close()


async def test_byte_by_byte_is_the_same() -> None:
    async with served("drip") as (_, address):
        client = await connect(address)
        assert (await client.hear())[1].endswith(bytes.fromhex("0100 0006 0000"))
        await client.close()


async def test_a_trouble_that_hangs_up_ends_the_connection_only() -> None:
    async with served("hang-up:0.05") as (reader, address):
        client = await connect(address)
        await client.hear()
        client.say(ADD_IMMEDIATE, ENABLE)
        assert [(await client.hear())[0] for _ in range(2)] == [30, 34]
        await asyncio.sleep(0.06)
        reader.sighted(EPC, 1, -55, 7, 0)
        assert not await client.gone()  # half a message came
        await client.close()
        await until_alone(reader)
        assert reader.reading


@pytest.mark.timeout(60)
async def test_a_reader_by_itself_takes_orders_and_has_faults() -> None:
    words = ["llrp", "--listen", "127.0.0.1:0", "--kind", "1.1", "--tags", "0", "--trouble", "clock-2000"]
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "simulators", *words,
        stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE,
    )  # fmt: skip
    assert process.stdin
    assert process.stdout
    assert process.stderr
    try:
        host, _, port = (
            (await process.stdout.readline()).decode().strip().removeprefix("tcp://").rpartition(":")
        )
        client = await connect((host, int(port)))
        kind, body = await client.hear()
        made_us = int.from_bytes(body[8:16], "big") - MADE_US
        assert kind == 63
        assert 0 <= made_us < 60_000_000
        client.say(bytes.fromhex("0403 00000016 00000009 00 00F4 000B 00F5 0007 0008 80"))
        assert (await client.hear())[0] == 13
        process.stdin.write(b"dance\nantenna 2 off\n")
        assert b"'dance' is no order" in await process.stderr.readline()
        assert (await client.hear())[1][-7:] == bytes.fromhex("00FF 0007 00 0002")[-7:]
        process.stdin.write(b"leave\n")
        assert (await client.hear())[1].endswith(bytes.fromhex("0101 0004"))
        assert await client.gone()
        await client.close()
    finally:
        process.terminate()
        process.stdin.close()
        await process.wait()
        await process.stderr.read()
