"""Frames off a real serial line: what a false start holds back comes in time, and what comes meanwhile is kept."""

import asyncio
from collections.abc import AsyncIterator

import pytest

from edge.errors import ReaderLost
from edge.readers.framed import Framed
from edge.readers.streams import Stream, connect
from edge.readers.thingmagic.protocol.commands import CURRENT_PROGRAM, STOP, VERSION
from edge.readers.thingmagic.protocol.framing import Framer
from edge.readers.thingmagic.session import Session
from edge.readers.urls import parse
from tests.support.lines import Line, a_line

ALIVE = bytes.fromhex("FF 00 22 0400 84E0")
HOT = bytes.fromhex("FF 00 22 0504 85E4")
M7E = bytes.fromhex("FF 14 03 0000 23010600 38000201 20240913 02010608 00000010 CB65")


@pytest.fixture
async def ends() -> AsyncIterator[tuple[Line, Stream]]:
    with a_line() as line:
        async with connect(parse(f"serial:{line.path}")) as stream:
            yield line, stream


async def test_a_false_start_holds_a_frame_back_for_half_a_second(ends: tuple[Line, Stream]) -> None:
    line, stream = ends
    framed = Framed(stream, Framer(), lambda: 7)
    line.send(b"\xff\xf0" + ALIVE)
    began = asyncio.get_running_loop().time()
    (arrival,) = await framed.receive(5.0)
    assert (arrival.frame.status, arrival.at_us) == (0x0400, 7)
    assert 0.4 < asyncio.get_running_loop().time() - began < 2.0


async def test_noise_alone_is_silence(ends: tuple[Line, Stream]) -> None:
    line, stream = ends
    line.send(b"\xff\x10\x22" * 20)
    assert await Framed(stream, Framer(), lambda: 0).receive(0.8) == []


async def test_what_comes_around_an_answer_is_kept_in_order(ends: tuple[Line, Stream]) -> None:
    line, stream = ends
    session = Session(stream, "dock-1", lambda: 0)
    asking = asyncio.ensure_future(session.ask(VERSION))
    await line.hears(VERSION)
    line.send(HOT + M7E + ALIVE)
    assert (await asking).opcode == 3
    kept = await session.receive(1.0)
    while len(kept) < 2:
        kept += await session.receive(1.0)
    assert [each.frame.status for each in kept] == [0x0504, 0x0400]


async def test_what_streams_until_it_stops_is_kept(ends: tuple[Line, Stream]) -> None:
    line, stream = ends
    session = Session(stream, "dock-1", lambda: 0)
    calming = asyncio.ensure_future(session.calm())
    await line.hears(STOP)
    line.send(HOT + b"\xff\x00")
    await asyncio.sleep(0.05)
    line.send(ALIVE + bytes.fromhex("FF 01 2F 0000 02 30E6"))
    await calming
    assert [each.frame.status for each in await session.receive(1.0)] == [0x0504, 0x0400]


async def test_an_answer_that_was_lost_is_asked_for_again(ends: tuple[Line, Stream]) -> None:
    line, stream = ends
    asking = asyncio.ensure_future(Session(stream, "dock-1", lambda: 0).ask(VERSION, 0.2))
    await line.hears(VERSION)
    line.send(M7E[:-1] + b"\x00")
    await line.hears(VERSION)
    line.send(M7E)
    assert (await asking).status == 0


async def test_a_late_answer_to_what_was_asked_twice_is_dropped(ends: tuple[Line, Stream]) -> None:
    line, stream = ends
    session = Session(stream, "dock-1", lambda: 0)
    asking = asyncio.ensure_future(session.ask(CURRENT_PROGRAM))
    await line.hears(CURRENT_PROGRAM)
    line.send(M7E + bytes.fromhex("FF 01 0C 0000 12 6343") + ALIVE)
    assert (await asking).data == b"\x12"
    assert [each.frame.opcode for each in await session.receive(1.0)] == [0x22]


async def test_no_answer_is_lost_after_the_second_time(ends: tuple[Line, Stream]) -> None:
    _, stream = ends
    with pytest.raises(ReaderLost, match=r"no answer to command 03h in 0\.1 s, asked 2 times"):
        await Session(stream, "dock-1", lambda: 0).ask(VERSION, 0.1)
