"""The driver against a scale on a real serial line."""

import asyncio
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import AsyncExitStack
from itertools import pairwise

import pytest
from pydantic import ValidationError

from edge.errors import ProtocolError, ReaderLost, ReaderRefused
from edge.readers.sics.config import SicsConfig
from edge.readers.sics.reader import SicsScale
from edge.reads import Read, Scale, WeightFault, WeightSample
from tests.support.lines import Line, a_line

NOON = 1763800000000000
SERIAL = b'I4 A "0123456789"\r\n'


@pytest.fixture
def line() -> Iterator[Line]:
    with a_line() as line:
        yield line


@pytest.fixture
async def stack() -> AsyncIterator[AsyncExitStack]:
    async with AsyncExitStack() as stack:
        yield stack


def scale(path: str, silence_s: float = 5.0) -> SicsScale:
    config = SicsConfig(driver="sics", url=f"serial:{path}", poll_s=0.02, silence_s=silence_s)
    return SicsScale(config, "aisle-1", lambda: NOON)


def weight(grams: float, *, stable: bool = True) -> WeightSample:
    return WeightSample(at_us=NOON, shelf="aisle-1", cell=0, grams=grams, stable=stable)


def who(serial: str = "0123456789") -> Scale:
    return Scale(at_us=NOON, shelf="aisle-1", serial=serial)


async def take(batches: AsyncIterator[Sequence[Read]], count: int) -> list[Read]:
    reads: list[Read] = []
    while len(reads) < count:
        reads += await anext(batches)
    return reads


Batches = AsyncIterator[Sequence[Read]]


async def weighing(stack: AsyncExitStack, driver: SicsScale, line: Line) -> Batches:
    """Open the driver on a scale that introduces itself and sends 1 g by itself."""
    entering = asyncio.ensure_future(stack.enter_async_context(driver.open()))
    await line.hears(b"I4\r\n")
    line.send(SERIAL)
    await line.hears(b"SIR\r\n")
    line.send(b"S S       1.00 g\r\n")
    batches = await entering
    assert await take(batches, 2) == [who(), weight(1.0)]
    return batches


async def test_reads_weights_from_the_middle_of_a_stream(line: Line, stack: AsyncExitStack) -> None:
    driver = scale(line.path)
    entering = asyncio.ensure_future(stack.enter_async_context(driver.open()))
    await line.hears(b"I4\r\n")
    line.send(b"00 g\r\nS S     100.00 g\r\n" + SERIAL)  # it was still sending from before
    await line.hears(b"SIR\r\n")
    line.send(b"0.00 g\r\nS S     100.00 g\r\nS +\r\nS D      -0.05 kg\r\n")
    batches = await entering
    # The first came while it was asked who it is.
    assert await take(batches, 5) == [
        weight(100.0), who(), weight(100.0), WeightFault(at_us=NOON, shelf="aisle-1", cell=0, fault="overload"),
        weight(-50.0, stable=False),
    ]  # fmt: skip
    assert driver.detail == "serial number 0123456789"
    assert driver.clock_offset_ms is None


async def test_a_scale_that_knows_no_sir_is_asked_each_time(line: Line, stack: AsyncExitStack) -> None:
    entering = asyncio.ensure_future(stack.enter_async_context(scale(line.path).open()))
    await line.hears(b"I4\r\n")
    line.send(b"ES\r\n")
    await line.hears(b"SIR\r\n")
    line.send(b"ES\r\n")
    await line.hears(b"SI\r\n")
    line.send(b"S D       7.00 g\r\n")
    batches = await entering
    assert await take(batches, 1) == [weight(7.0, stable=False)]
    for answer in (b"S I\r\n", b"S S  noise\r\n", b"ET\r\n"):  # each is answered by asking again
        asking = asyncio.ensure_future(take(batches, 1))
        await line.hears(b"SI\r\n")
        line.send(answer)
        await line.hears(b"SI\r\n")
        line.send(b"S S       8.00 g\r\n")
        assert await asking == [weight(8.0)]


async def test_a_scale_that_knows_neither_is_refused(line: Line, stack: AsyncExitStack) -> None:
    entering = asyncio.ensure_future(stack.enter_async_context(scale(line.path).open()))
    for command in (b"I4\r\n", b"SIR\r\n", b"SI\r\n"):
        await line.hears(command)
        line.send(b"ES\r\n")
    with pytest.raises(ReaderRefused, match="neither SIR nor SI: syntax error"):
        await entering


async def test_an_unplugged_scale_is_lost(line: Line, stack: AsyncExitStack) -> None:
    batches = await weighing(stack, scale(line.path), line)
    line.unplug()
    with pytest.raises(ReaderLost, match=line.path):
        await anext(batches)


async def test_a_silent_scale_is_asked_again_and_then_lost(line: Line, stack: AsyncExitStack) -> None:
    batches = await weighing(stack, scale(line.path, silence_s=1.5), line)
    losing = asyncio.ensure_future(anext(batches))
    await line.hears(b"SIR\r\n")
    with pytest.raises(ReaderLost, match=r"silent for 1\.5 s"):
        await losing


async def test_a_port_without_a_scale_is_lost(line: Line, stack: AsyncExitStack) -> None:
    with pytest.raises(ReaderLost, match=r"silent for 0\.5 s"):
        await stack.enter_async_context(scale(line.path, silence_s=0.5).open())


async def test_an_overloaded_scale_is_alive(line: Line, stack: AsyncExitStack) -> None:
    batches = await weighing(stack, scale(line.path, silence_s=0.5), line)
    reading = asyncio.ensure_future(take(batches, 2))
    for _ in range(8):  # longer than the silence that would end it
        line.send(b"S +\r\n")
        await asyncio.sleep(0.1)
    line.send(b"S S       2.00 g\r\n")
    fault = WeightFault(at_us=NOON, shelf="aisle-1", cell=0, fault="overload")
    assert await reading == [fault, weight(2.0)]  # said once: our clock stands still


async def test_a_scale_switched_off_and_on_is_asked_again(line: Line, stack: AsyncExitStack) -> None:
    # Asked at once: it would be lost before it is asked again for its silence.
    batches = await weighing(stack, scale(line.path, silence_s=0.9), line)
    line.send(SERIAL)
    again = asyncio.ensure_future(take(batches, 1))
    await line.hears(b"SIR\r\n")
    line.send(b"S S       3.00 g\r\n")
    assert await again == [weight(3.0)]


async def test_another_scale_on_the_same_line_is_told(line: Line, stack: AsyncExitStack) -> None:
    batches = await weighing(stack, scale(line.path), line)
    line.send(b'I4 A "B021002593"\r\n')
    again = asyncio.ensure_future(take(batches, 2))
    await line.hears(b"SIR\r\n")
    line.send(b"S S       3.00 g\r\n")
    assert await again == [who("B021002593"), weight(3.0)]


async def test_a_silent_scale_is_asked_who_it_is_by_now(line: Line, stack: AsyncExitStack) -> None:
    batches = await weighing(stack, scale(line.path), line)
    again = asyncio.ensure_future(take(batches, 2))
    await line.hears(b"I4\r\n")
    line.send(b'I4 A "B021002593"\r\n')
    await line.hears(b"SIR\r\n")
    line.send(b"S S       3.00 g\r\n")
    assert await again == [who("B021002593"), weight(3.0)]


async def test_a_scale_that_hides_its_number_is_never_told_of(line: Line, stack: AsyncExitStack) -> None:
    entering = asyncio.ensure_future(stack.enter_async_context(scale(line.path).open()))
    await line.hears(b"I4\r\n")
    line.send(b"I4 I\r\n")
    await line.hears(b"SIR\r\n")
    line.send(b"S S       1.00 g\r\nS S  1.001 kg\r\n")
    assert await take(await entering, 2) == [weight(1.0), weight(1001.0)]


async def test_how_weights_are_had_can_be_said(line: Line, stack: AsyncExitStack) -> None:
    config = SicsConfig(driver="sics", url=f"serial:{line.path}", send="SI")
    entering: asyncio.Future[Batches] | None = asyncio.ensure_future(
        stack.enter_async_context(SicsScale(config, "aisle-1", lambda: NOON).open())
    )
    await line.hears(b"I4\r\n")
    line.send(SERIAL)
    times = []
    for _ in range(3):
        await line.hears(b"SI\r\n")
        times.append(asyncio.get_running_loop().time())
        line.send(b"S S       1.00 g\r\n")
        if entering:
            batches, entering = await entering, None
            assert await take(batches, 2) == [who(), weight(1.0)]
            reading = asyncio.ensure_future(take(batches, 2))
    assert await reading == [weight(1.0)] * 2
    assert all(later - sooner > 0.1 for sooner, later in pairwise(times))  # as KERN wants it
    assert b"SIR" not in line.heard


@pytest.mark.parametrize("word", ["SR", "sr", "SNR", "SRU"])
def test_reports_of_changes_are_refused_with_the_reason(word: str) -> None:
    with pytest.raises(ValidationError, match=r"12\.5 %.*one unit taken from a shelf of 24 is 4\.2 %"):
        SicsConfig.model_validate({"driver": "sics", "url": "tcp://192.0.2.1:4001", "send": word})


async def test_a_line_behind_noise_is_found(line: Line, stack: AsyncExitStack) -> None:
    batches = await weighing(stack, scale(line.path), line)
    line.send(b"\x80\x13S S S     1S S       4.00 g\r\n?!S D      -5.00 g\r\n")
    assert await take(batches, 2) == [weight(4.0), weight(-5.0, stable=False)]


async def test_a_damaged_line_now_and_then_is_passed_over(line: Line, stack: AsyncExitStack) -> None:
    batches = await weighing(stack, scale(line.path), line)
    line.send(b"S S    \x80\x80\x01.00 g\r\nS S       4.00 g\r\n" * 20)
    assert await take(batches, 20) == [weight(4.0)] * 20


async def test_nothing_but_damaged_lines_is_another_device(line: Line, stack: AsyncExitStack) -> None:
    batches = await weighing(stack, scale(line.path), line)
    line.send(b"ST,GS,   100.00,g\r\n" * 11)
    with pytest.raises(ProtocolError, match="not a line of an MT-SICS scale: b'ST,GS"):
        await anext(batches)


async def test_a_port_that_is_not_there_is_lost(stack: AsyncExitStack) -> None:
    with pytest.raises(ReaderLost, match="/dev/nothing"):
        await stack.enter_async_context(scale("/dev/nothing").open())
