"""The driver against the simulated module, on a pseudo-terminal and by TCP, through everything that a line can do."""

import asyncio
from contextlib import AsyncExitStack
from pathlib import Path

import pytest

from edge.errors import ReaderLost, ReaderRefused
from edge.readers.m100.config import M100Config
from edge.readers.m100.protocol import Command, Framing
from edge.readers.m100.reader import M100Reader
from edge.readers.m100.session import Session
from edge.readers.streams import connect
from edge.readers.urls import parse
from edge.reads import Lost
from simulators.m100.module import Module
from simulators.module_line import Served
from simulators.trouble import Nothing
from tests.support.lines import a_line
from tests.support.serial_readers import now_us, on_a_line, run

# The manual's, sections 2.2.2 and 2.2.3.
TAG = bytes.fromhex("BB 02 22 00 11 C9 34 00 30 75 1F EB 70 5C 59 04 E3 D5 0D 70 3A 76 EF 7E")
NO_TAG = bytes.fromhex("BB 01 FF 00 01 15 16 7E")


def driver(url: str, **settings: object) -> M100Reader:
    given = {"region": "eu", "power_dbm": 26.0, "session": 1, "q": 5, "silence_s": 0.5} | settings
    return M100Reader(M100Config.model_validate({"driver": "m100", "url": url} | given), "dock-1", now_us)


def tag_in(frame: bytes) -> tuple[str, int] | None:
    """The EPC of a tag's frame, from where the manual has it; its antenna is always the only one."""
    if frame[1:3] != b"\x02\x22":
        return None
    return frame[8:20].hex().upper(), 1


def answers(frame: bytes) -> bool:
    return frame[1] == 1 and frame[2] != 0xFF


def folder(line: str, tmp_path: Path) -> Path | None:
    return tmp_path if line == "pty" else None


@pytest.mark.parametrize("line, framing", [("pty", "bb"), ("tcp", "aa")])
async def test_reads_what_passes(line: str, framing: str, tmp_path: Path) -> None:
    module = Module(framing)
    seen = await run(Served(module), module, driver, folder=folder(line, tmp_path), lasts_s=1.5, at_least=61)
    seen.hold(tag_in, answers)
    assert len(seen.tags) > 60
    assert seen.downs == []
    assert module.settings.region == 3
    assert module.settings.power == 2600
    assert module.settings.query == 0x1128
    assert module.settings.select_mode == 1
    assert not module.reading  # stopped when the driver was closed


@pytest.mark.parametrize(
    "line, trouble, after_s",
    [
        ("pty", "drip", 1), ("pty", "garbage", 0.05), ("pty", "flip", 0.3), ("pty", "hang-up", 0.7),
        ("pty", "silence", 0.5), ("tcp", "garbage", 0.05), ("tcp", "flip", 0.3), ("tcp", "hang-up", 0.7),
        ("tcp", "half-frame", 0.5),
    ],
)  # fmt: skip
@pytest.mark.timeout(60)
async def test_loses_and_invents_nothing_through(
    line: str, trouble: str, after_s: float, tmp_path: Path
) -> None:
    module = Module()
    silent = trouble in ("half-frame", "silence")
    seen = await run(
        Served(module), module, driver, folder=folder(line, tmp_path), trouble=trouble, after_s=after_s,
        lasts_s=3.5 if silent else 2.5, at_least=31,
    )  # fmt: skip
    seen.hold(tag_in, answers)
    assert len(seen.tags) > 30
    assert bool(seen.downs) == (silent or trouble == "hang-up")


async def test_a_module_that_still_reads_is_calmed() -> None:
    module = Module()
    # As after a crash: told to read 10,000 rounds.
    list(module.receive(bytes.fromhex("BB 00 27 00 03 22 27 10 83 7E")))
    seen = await run(Served(module), module, driver, folder=None, lasts_s=1.0)
    seen.hold(tag_in, answers)  # also what it said before it was calm
    assert seen.downs == []


async def test_what_is_read_until_it_stops_is_kept() -> None:
    with a_line() as line:
        async with connect(parse(f"serial:{line.path}")) as stream:
            session = Session(stream, Framing.BB, "dock-1", now_us)
            calming = asyncio.ensure_future(session.calm())
            await line.hears(bytes.fromhex("BB 00 28 00 00 28 7E"))
            line.send(TAG + NO_TAG)
            await asyncio.sleep(0.05)
            line.send(TAG + bytes.fromhex("BB 01 28 00 01 00 2A 7E"))
            await calming
            assert [each.frame.command for each in await session.receive(1.0)] == [0x22, 0x22]


async def test_a_selection_left_by_another_program_is_ended(tmp_path: Path) -> None:
    module = Module()
    list(module.receive(bytes.fromhex("BB 00 12 00 01 00 13 7E")))
    seen = await run(Served(module), module, driver, folder=tmp_path, lasts_s=0.5)
    assert seen.tags


@pytest.mark.parametrize("says_none", [True, False])
async def test_switched_off_and_on_it_is_set_up_anew(says_none: bool, tmp_path: Path) -> None:
    module = Module(says_none=says_none)

    async def power_cut() -> None:
        await asyncio.sleep(0.7)
        module.antenna_off = True  # no tags for a moment, so that rounds without are seen too
        await asyncio.sleep(0.1)
        module.antenna_off = False
        module.power_cycle()

    seen = await run(Served(module), module, driver, folder=tmp_path, lasts_s=2.0, meanwhile=power_cut)
    seen.hold(tag_in, answers)
    assert seen.downs == []
    assert module.settings.region == 3
    lost = [read for read in seen.reads if isinstance(read, Lost)]
    assert len(lost) == (1 if says_none else 0)
    assert all(300_000 < each.to_us - each.from_us < 2_000_000 for each in lost)
    assert seen.tags[-1].at_us > seen.tags[0].at_us + 2_000_000


async def test_rounds_that_are_over_are_begun_again(tmp_path: Path) -> None:
    module = Module(says_none=False)

    async def use_up() -> None:
        await asyncio.sleep(0.7)
        list(module.receive(bytes.fromhex("BB 00 27 00 03 22 00 01 4D 7E")))  # one more, and no more

    seen = await run(Served(module), module, driver, folder=tmp_path, lasts_s=1.5, meanwhile=use_up)
    seen.hold(tag_in, answers)
    assert seen.tags[-1].at_us > seen.tags[0].at_us + 1_500_000


async def test_each_round_can_be_asked_for(tmp_path: Path) -> None:
    module = Module()
    seen = await run(
        Served(module), module, lambda url: driver(url, poll_s=0.05), folder=tmp_path, lasts_s=1.5
    )
    seen.hold(tag_in, answers)
    assert len(seen.tags) > 40
    assert seen.downs == []


async def opened(module: Module, tmp_path: Path, **settings: object) -> M100Reader:
    async with on_a_line(Served(module), tmp_path, Nothing) as url, AsyncExitStack() as stack:
        reader = driver(url, **settings)
        await stack.enter_async_context(reader.open())
        return reader


@pytest.mark.parametrize("framing", ["bb", "aa"])
async def test_says_what_the_module_is(framing: str, tmp_path: Path) -> None:
    reader = await opened(Module(framing), tmp_path)
    assert reader.detail == f"M100 26dBm V1.0, V2.3.5 ({framing.upper()})"
    assert reader.clock_offset_ms is None


@pytest.mark.parametrize(
    "settings, words",
    [
        (
            {"region": "us"},
            r"refuses region 'us': it does not know the command, or not so \(error 17h\); .* 'cn900'",
        ),
        ({"power_dbm": 30.0}, r"refuses 30 dBm: it does not know the command, or not so"),
    ],
)
async def test_what_the_module_refuses_is_said_in_its_own_words(
    settings: dict[str, object], words: str, tmp_path: Path
) -> None:
    with pytest.raises(ReaderRefused, match=words):
        await opened(Module(regions=(1, 3)), tmp_path, **settings)


async def test_power_that_the_module_rounds_is_taken(tmp_path: Path) -> None:
    module = Module()
    await opened(module, tmp_path, power_dbm=20.2)
    assert module.settings.power == 2000


async def test_a_framing_that_is_named_is_the_only_one_tried(tmp_path: Path) -> None:
    with pytest.raises(ReaderLost, match="as a module of the M100 family, in frames that begin AAh"):
        await opened(Module("bb"), tmp_path, framing="aa")


async def test_what_comes_around_an_answer_is_kept_and_is_not_the_answer() -> None:
    # Rounds that were still running say what they read, and that they read nothing.
    with a_line() as line:
        async with connect(parse(f"serial:{line.path}")) as stream:
            session = Session(stream, Framing.BB, "dock-1", now_us)
            asking = asyncio.ensure_future(session.ask(Command.GET_REGION))
            await line.hears(bytes.fromhex("BB 00 08 00 00 08 7E"))
            line.send(NO_TAG + TAG + bytes.fromhex("BB 01 08 00 01 01 0B 7E") + TAG)
            assert (await asking).params == b"\x01"
            kept = await session.receive(1.0)
            while len(kept) < 3:
                kept += await session.receive(1.0)
            assert [each.frame.command for each in kept] == [0xFF, 0x22, 0x22]


async def test_a_port_where_nothing_answers_says_what_was_tried() -> None:
    with a_line() as line, pytest.raises(ReaderLost, match="in frames that begin BBh or AAh"):
        async with driver(f"serial:{line.path}").open():
            pass
