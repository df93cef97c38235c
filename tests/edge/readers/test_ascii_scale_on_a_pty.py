"""The driver against an indicator on a real serial line, and what its settings may say."""

import asyncio
import os
import termios
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import AsyncExitStack

import pytest
from pydantic import ValidationError

from edge.errors import ProtocolError, ReaderLost, ReaderRefused
from edge.readers.ascii_scale.config import AsciiScaleConfig
from edge.readers.ascii_scale.protocol import DIALECTS
from edge.readers.ascii_scale.reader import TARED, AsciiScale
from edge.reads import Read, WeightFault, WeightSample
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


def config(**settings: object) -> AsciiScaleConfig:
    given = {"driver": "ascii_scale", "url": "tcp://192.0.2.20:4001", "dialect": "and", "poll_s": 0.02}
    return AsciiScaleConfig.model_validate(given | settings)


def scale(path: str, **settings: object) -> AsciiScale:
    return AsciiScale(config(url=f"serial:{path}", **settings), "aisle-1", lambda: NOON)


def weight(grams: float, *, stable: bool = True) -> WeightSample:
    return WeightSample(at_us=NOON, shelf="aisle-1", cell=0, grams=grams, stable=stable)


def fault(what: str) -> WeightFault:
    return WeightFault(at_us=NOON, shelf="aisle-1", cell=0, fault=what)


def opening(stack: AsyncExitStack, driver: AsciiScale) -> "asyncio.Future[Batches]":
    return asyncio.ensure_future(stack.enter_async_context(driver.open()))


async def take(batches: Batches, count: int) -> list[Read]:
    reads: list[Read] = []
    while len(reads) < count:
        reads += await anext(batches)
    return reads


async def weighing(stack: AsyncExitStack, line: Line, **settings: object) -> Batches:
    """Open the driver on an A&D scale that sends by itself."""
    entering = opening(stack, scale(line.path, **settings))
    await asyncio.sleep(0.05)  # the port is open, and what came before is gone
    line.send(b"ST,+00001.00  g\r\n")
    batches = await entering
    assert await take(batches, 1) == [weight(1.0)]
    return batches


async def test_listens_from_the_middle_of_a_stream(line: Line, stack: AsyncExitStack) -> None:
    driver = scale(line.path)
    entering = opening(stack, driver)
    await asyncio.sleep(0.05)
    line.send(b"1.00  g\r\nST,+00100.00  g\r\nOL,+9999999E+19\r\nUS,-00000.05 kg\r\n")
    assert await take(await entering, 3) == [weight(100.0), fault("overload"), weight(-50.0, stable=False)]
    assert (driver.detail, driver.clock_offset_ms, driver.held) == ("", None, True)
    assert line.heard == b""


@pytest.mark.parametrize(
    "settings, question, answer",
    [
        ({"dialect": "and", "mode": "poll"}, b"Q\r\n", b"ST,+00001.00  g\r\n"),
        ({"dialect": "and", "mode": "poll", "command": "SI"}, b"SI\r\n", b"ST,+00001.00  g\r\n"),
        ({"dialect": "dini", "mode": "poll", "address": "01"}, b"01READ\r\n", b"01ST,GS,     1.0, g\r\n"),
        (
            {"dialect": "dini", "mode": "poll", "command": "REXT"},
            b"REXT\r\n",
            b"1,ST,  1.0,  0.0, 0, 0, g\r\n",
        ),
        ({"dialect": "ohaus"}, b"IP\r\n", b"       1.00 g\r\n"),
        ({"dialect": "sartorius"}, b"\x1bP\r\n", b"+     1.00 g  \r\n"),
        ({"dialect": "nci"}, b"W\r", b"\n    1.0 g\r\n00\r\x03"),
    ],
)
async def test_asks_as_the_dialect_wants_it(
    settings: dict[str, object], question: bytes, answer: bytes, line: Line, stack: AsyncExitStack
) -> None:
    entering = opening(stack, scale(line.path, **settings))
    await line.hears(question)
    line.send(answer)
    batches = await entering
    reading = asyncio.ensure_future(take(batches, 1 if settings["dialect"] == "ohaus" else 2))
    await line.hears(question)
    line.send(answer)
    assert set(await reading) == {weight(1.0)}
    assert line.heard.replace(question, b"") == b""  # and nothing else is ever said


async def test_ohaus_is_told_to_send_and_told_again_when_it_is_silent(
    line: Line, stack: AsyncExitStack
) -> None:
    entering = opening(stack, scale(line.path, dialect="ohaus", mode="stream"))
    for _ in range(2):
        await line.hears(b"CP\r\n")
    line.send(b"       1.00 g\r\n" * 3)
    assert await take(await entering, 2) == [weight(1.0)] * 2


async def test_a_lost_answer_is_asked_for_again(line: Line, stack: AsyncExitStack) -> None:
    entering = opening(stack, scale(line.path, mode="poll"))
    for _ in range(2):
        await line.hears(b"Q\r\n")
    line.send(b"ST,+00001.00  g\r\n")
    assert await take(await entering, 1) == [weight(1.0)]


async def test_a_question_that_it_does_not_know_is_refused(line: Line, stack: AsyncExitStack) -> None:
    entering = opening(stack, scale(line.path, mode="poll"))
    for _ in range(3):
        await line.hears(b"Q\r\n")
        line.send(b"EC,E01\r\n")
    with pytest.raises(ReaderRefused, match=r"does not know b'Q\\r\\n' and says 'error E01'.*\(Q, SI\)"):
        await entering


async def test_an_unplugged_scale_is_lost(line: Line, stack: AsyncExitStack) -> None:
    batches = await weighing(stack, line)
    line.unplug()
    with pytest.raises(ReaderLost, match=line.path):
        await anext(batches)


async def test_a_silent_scale_is_lost(line: Line, stack: AsyncExitStack) -> None:
    batches = await weighing(stack, line, silence_s=0.5)
    with pytest.raises(ReaderLost, match=r"silent for 0\.5 s"):
        await anext(batches)


async def test_an_overloaded_scale_is_alive(line: Line, stack: AsyncExitStack) -> None:
    batches = await weighing(stack, line, silence_s=0.5)
    reading = asyncio.ensure_future(take(batches, 2))
    for _ in range(8):  # longer than the silence that would end it
        line.send(b"OL,+9999999E+19\r\n")
        await asyncio.sleep(0.1)
    line.send(b"ST,+00002.00  g\r\n")
    assert await reading == [fault("overload"), weight(2.0)]


async def test_another_indicator_on_the_wires_is_no_sign_of_life(line: Line, stack: AsyncExitStack) -> None:
    entering = opening(stack, scale(line.path, dialect="dini", address="01", silence_s=0.6))
    for _ in range(10):
        await asyncio.sleep(0.1)
        if entering.done():
            break
        line.send(b"02ST,GS,   9.999,kg\r\n")
    with pytest.raises(ReaderLost, match=r"silent for 0\.6 s"):
        await entering


async def test_a_net_weight_is_a_fault_unless_it_is_meant(line: Line, stack: AsyncExitStack) -> None:
    batches = await weighing(stack, line)
    line.send(b"ST,NT,+0001.00 g\r\n" * 2 + b"ST,GS,+0003.00 g\r\n")
    assert await take(batches, 2) == [fault(TARED), weight(3.0)]


async def test_a_damaged_line_now_and_then_is_passed_over(line: Line, stack: AsyncExitStack) -> None:
    batches = await weighing(stack, line)
    line.send(b"ST,+00\x80\x8100  g\r\nST,+00004.00  g\r\n" * 20)
    assert await take(batches, 20) == [weight(4.0)] * 20


@pytest.mark.parametrize(
    "dialect, sent, why",
    [
        ("and", b"S S     100.00 g\r\n", 'they are MT-SICS: driver = "sics"'),
        ("dini", b"+   100.00 g  \r\n", 'they are right as Sartorius SBI: dialect = "sartorius"'),
        ("and", b"QT,+00000024 PC\r\n", "'PC', which is no mass; set it to one of mg, g, kg, lb, oz"),
        ("dini", b"01ST,GS,     0.0,kg\r\n", 'write address = "01"'),
        ("and", bytes(byte | 0x80 for byte in b"ST,+00001.00  g\r\n"), "framing=7E1"),
    ],
)  # fmt: skip
async def test_nothing_but_damaged_lines_is_another_device(
    dialect: str, sent: bytes, why: str, line: Line, stack: AsyncExitStack
) -> None:
    entering = opening(stack, scale(line.path, dialect=dialect, silence_s=1.0))
    await asyncio.sleep(0.05)
    line.send(sent * 11)
    with pytest.raises(ProtocolError) as error:
        await entering
    assert why in str(error.value)


async def test_a_wrong_speed_is_noise_without_lines(line: Line, stack: AsyncExitStack) -> None:
    entering = opening(stack, scale(line.path))
    await asyncio.sleep(0.05)
    line.send(bytes([0xF8, 0x00, 0xE6, 0x80]) * 200)
    with pytest.raises(ProtocolError, match="check speed, framing and dialect"):
        await entering


async def test_a_port_with_parity_marks_damaged_characters(line: Line, stack: AsyncExitStack) -> None:
    config = AsciiScaleConfig(driver="ascii_scale", url=f"serial:{line.path}?framing=7E1", dialect="and")
    entering = opening(stack, AsciiScale(config, "aisle-1", lambda: NOON))
    await asyncio.sleep(0.05)
    port = os.open(line.path, os.O_RDWR | os.O_NOCTTY | os.O_NONBLOCK)
    assert termios.tcgetattr(port)[0] & termios.INPCK
    assert not termios.tcgetattr(port)[0] & termios.IGNPAR  # which would drop it, and leave another number
    os.close(port)
    line.send(b"ST,+00001.00  g\r\n")
    await entering


async def test_a_port_that_is_not_there_is_lost(stack: AsyncExitStack) -> None:
    with pytest.raises(ReaderLost, match="/dev/nothing"):
        await opening(stack, scale("/dev/nothing"))


@pytest.mark.parametrize(
    "settings, why",
    [
        ({"dialect": "radwag"}, "Input should be 'and', 'dini', 'ohaus', 'sartorius', 'nci' or 'toledo'"),
        ({"dialect": "toledo", "mode": "poll"}, "mode: Toledo continuous knows no question; write 'stream'"),
        ({"dialect": "ohaus", "command": "T"}, "command: 'T' is none of those that Ohaus is asked with here: IP, P"),
        ({"dialect": "and", "command": "Q"}, "write mode = 'poll' too"),
        ({"dialect": "and", "address": "01"}, "address is for the dialect dini, not and; leave it out"),
        ({"dialect": "dini", "address": "1"}, "String should match pattern"),
        ({"dialect": "and", "checksum": False}, "checksum is for the dialect toledo, not and"),
        ({"dialect": "nci", "unit": "g"}, "unit is for the dialect sartorius, not nci"),
        ({"url": "serial:/dev/ttyUSB0?framing=9N1"}, "framing is one of 7N1"),
        ({"poll": 1}, "Extra inputs are not permitted"),
    ],
)  # fmt: skip
def test_settings_that_do_not_fit_are_refused_with_what_would(settings: dict[str, object], why: str) -> None:
    with pytest.raises(ValidationError) as error:
        config(**settings)
    assert why in str(error.value)


def test_the_dialect_is_never_guessed() -> None:
    with pytest.raises(ValidationError, match="dialect\n  Field required"):
        AsciiScaleConfig.model_validate({"driver": "ascii_scale", "url": "tcp://192.0.2.20:4001"})


def test_no_question_tares_or_zeroes() -> None:
    asks = {question.strip() for manner in DIALECTS.values() for question in manner.asks.values()}
    assert asks == {b"Q", b"SI", b"READ", b"REXT", b"R", b"IP", b"P", b"\x1bP", b"W", b"H"}
    assert {manner.starts for manner in DIALECTS.values()} == {b"", b"CP\r\n"}
