"""The driver against a board on a real serial line."""

import asyncio
import os
import termios
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import AsyncExitStack
from typing import Any

import pytest

from edge.errors import ProtocolError, ReaderLost
from edge.readers.hx711_lines.config import Hx711LinesConfig
from edge.readers.hx711_lines.reader import Hx711Lines
from edge.reads import Read, Scale, WeightFault, WeightSample
from tests.support.lines import Line, a_line

NOON = 1763800000000000
Batches = AsyncIterator[Sequence[Read]]


@pytest.fixture
def line() -> Iterator[Line]:
    with a_line() as line:
        yield line


@pytest.fixture
async def stack() -> AsyncIterator[AsyncExitStack]:
    async with AsyncExitStack() as stack:
        yield stack


def board(path: str, **settings: Any) -> Hx711Lines:
    config = Hx711LinesConfig.model_validate({"driver": "hx711_lines", "url": f"serial:{path}", **settings})
    return Hx711Lines(config, "aisle-1", lambda: NOON)


def weight(grams: float, cell: int = 0) -> WeightSample:
    return WeightSample(at_us=NOON, shelf="aisle-1", cell=cell, grams=grams)


def fault(what: str, cell: int = 0) -> WeightFault:
    return WeightFault(at_us=NOON, shelf="aisle-1", cell=cell, fault=what)


async def take(batches: Batches, count: int) -> list[Read]:
    reads: list[Read] = []
    while len(reads) < count:
        reads += await anext(batches)
    return reads


async def opened(stack: AsyncExitStack, driver: Hx711Lines, line: Line, first: bytes) -> Batches:
    """Open the driver while the board sends; the line is there once it is read, not before."""
    entering = asyncio.ensure_future(stack.enter_async_context(driver.open()))
    await asyncio.sleep(0.2)  # data from before a port is opened is thrown away by the opener
    line.send(first)
    return await entering


async def test_a_board_that_is_reset_by_opening_sends_its_banner_first(
    line: Line, stack: AsyncExitStack
) -> None:
    batches = await opened(
        stack, board(line.path), line, b"34.5\r\nHX711 Demo\r\nTare...\r\n\r\n0.0\r\n330.2\r\n"
    )
    assert await take(batches, 2) == [weight(0.0), weight(330.2)]


async def test_counts_become_grams_and_the_driver_says_how(line: Line, stack: AsyncExitStack) -> None:
    settings = {
        "columns": ["counts", "counts"],
        "counts_per_gram": [420.0, -210.5],
        "zero_counts": [84_000, -120],
    }
    batches = await opened(stack, board(line.path, **settings), line, b"\n222600,-120\n")
    assert await take(batches, 4) == [
        Scale(at_us=NOON, shelf="aisle-1", cells=(0,), calibration="420.0 84000.0"),
        Scale(at_us=NOON, shelf="aisle-1", cells=(1,), calibration="-210.5 -120.0"),
        weight(330.0),
        weight(0.0, 1),
    ]


async def test_faults_are_said_when_they_begin_and_weights_go_on(line: Line, stack: AsyncExitStack) -> None:
    batches = await opened(stack, board(line.path, columns=["weight", "weight"]), line, b"\n1.0,nan\n")
    line.send(b"1.0,nan\n" * 50 + b"2.0,5.0\n3.0,nan\n4.0,8388607\n")
    assert await take(batches, 57) == [
        weight(1.0),
        fault("not_a_number", 1),
        *[weight(1.0)] * 50,
        weight(2.0),
        weight(5.0, 1),
        weight(3.0),
        fault("not_a_number", 1),
        weight(4.0),
        fault("saturated", 1),
    ]


async def test_a_reset_in_the_middle_of_a_line_leaves_no_weight(line: Line, stack: AsyncExitStack) -> None:
    batches = await opened(stack, board(line.path), line, b"\n1234.5\n")
    taking = asyncio.ensure_future(take(batches, 2))
    line.send(b"12")
    await asyncio.sleep(0.8)  # the boot loader
    line.send(b"\r\n\r\nHX711 Demo\r\n1234.6\r\n")
    assert await taking == [weight(1234.5), weight(1234.6)]


async def test_a_slow_line_is_put_together(line: Line, stack: AsyncExitStack) -> None:
    batches = await opened(stack, board(line.path), line, b"\n1234.5\n")
    for byte in b"1235.5\n":
        line.send(bytes([byte]))
        await asyncio.sleep(0.02)
    assert await take(batches, 2) == [weight(1234.5), weight(1235.5)]


async def test_nothing_is_written_to_the_board(line: Line, stack: AsyncExitStack) -> None:
    """OpenScale goes into its menu at an x, and others tare at a t."""
    batches = await opened(stack, board(line.path), line, b"\n1.0\n")
    line.send(b"2.0\n")
    await take(batches, 2)
    hearing = asyncio.ensure_future(line.hears(b"\0"))
    await asyncio.sleep(0.1)
    hearing.cancel()
    assert line.heard == b""


async def test_dtr_stays_up_when_the_port_is_closed(line: Line, stack: AsyncExitStack) -> None:
    port = os.open(line.path, os.O_RDWR | os.O_NOCTTY)
    settings = termios.tcgetattr(port)
    settings[2] |= termios.HUPCL  # as a serial port has it, and a pty has not
    termios.tcsetattr(port, termios.TCSANOW, settings)
    os.close(port)
    await opened(stack, board(line.path), line, b"\n1.0\n")
    port = os.open(line.path, os.O_RDWR | os.O_NOCTTY)
    settings = termios.tcgetattr(port)
    os.close(port)
    assert not settings[2] & termios.HUPCL


async def test_an_unplugged_board_is_lost(line: Line, stack: AsyncExitStack) -> None:
    batches = await opened(stack, board(line.path), line, b"\n1.0\n")
    await take(batches, 1)
    line.unplug()
    with pytest.raises(ReaderLost, match=line.path):
        await anext(batches)


async def test_a_silent_board_is_lost(line: Line, stack: AsyncExitStack) -> None:
    batches = await opened(stack, board(line.path, silence_s=0.5), line, b"\n1.0\n")
    await take(batches, 1)
    with pytest.raises(ReaderLost, match=r"silent for 0\.5 s"):
        await anext(batches)


async def test_a_board_that_sends_something_else_says_what(line: Line, stack: AsyncExitStack) -> None:
    driver = board(line.path, silence_s=0.6, columns=["weight", "weight"])
    with pytest.raises(
        ProtocolError, match=r"no line of 2 weights for 0\.6 s; the last: 1 columns, not 2: b'330\.2'"
    ):
        await opened(stack, driver, line, b"\n330.1\n330.2\n")


@pytest.mark.parametrize(
    "settings, why",
    [
        ({"columns": ["-"]}, "none weighs; name at least one of weight, counts"),
        ({"columns": ["weight", "counts"]}, "has weights and counts"),
        ({"columns": ["weight", "unit", "unit"]}, "has more than one unit"),
        ({"columns": ["grams"]}, "Input should be 'weight', 'counts'"),
        ({"columns": ["counts"]}, "counts_per_gram has 0 numbers for 1 columns of counts"),
        ({"counts_per_gram": [1.0]}, "counts_per_gram has 1 numbers for 0 columns of counts"),
        ({"columns": ["counts"], "counts_per_gram": [0.0], "zero_counts": [0]}, r"a cell gives 0\.001 to"),
        (
            {"columns": ["counts"], "counts_per_gram": [1], "zero_counts": [1e9]},
            "less than or equal to 16777216",
        ),
        ({"prefix": " W"}, "without blanks around"),
        ({"separator": "|"}, "Input should be ','"),
    ],
)
def test_wrong_settings_are_named(settings: dict[str, Any], why: str) -> None:
    with pytest.raises(ValueError, match=why):
        board("/dev/null", **settings)
