"""The driver against the simulated module, on a pseudo-terminal and by TCP, through everything that a line can do."""

import asyncio
from collections.abc import Callable, Sequence
from contextlib import AsyncExitStack
from pathlib import Path

import pytest

from edge.errors import ReaderLost, ReaderRefused
from edge.readers.thingmagic.config import ThingmagicConfig
from edge.readers.thingmagic.reader import ThingmagicReader
from edge.reads import Antenna, Lost, Read, TagRead
from simulators.module_line import Served
from simulators.thingmagic.module import Module
from simulators.trouble import Nothing
from tests.support.lines import a_line
from tests.support.serial_readers import now_us, on_a_line, run

LINES = pytest.mark.parametrize("line", ["pty", "tcp"])


def driver(url: str, **settings: object) -> ThingmagicReader:
    given = {
        "region": "eu3",
        "antennas": [1, 2],
        "power_dbm": 27.0,
        "session": 1,
        "silence_s": 1.5,
    } | settings
    return ThingmagicReader(
        ThingmagicConfig.model_validate({"driver": "thingmagic", "url": url} | given), "dock-1", now_us
    )


def tag_in(frame: bytes) -> tuple[str, int] | None:
    """EPC and antenna of a tag frame, from where SparkFun's description has them."""
    if frame[2] != 0x22 or len(frame) != 47:
        return None
    return frame[31:43].hex().upper(), frame[13] >> 4


def answers(frame: bytes) -> bool:
    return frame[2] != 0x22


def folder(line: str, tmp_path: Path) -> Path | None:
    return tmp_path if line == "pty" else None


@LINES
async def test_reads_what_passes(line: str, tmp_path: Path) -> None:
    module = Module()
    seen = await run(Served(module), module, driver, folder=folder(line, tmp_path), lasts_s=1.5, at_least=61)
    seen.hold(tag_in, answers)
    assert len(seen.tags) > 60
    assert seen.downs == []
    assert seen.tags[0].channel_mhz == 865.7
    assert seen.tags[0].phase_deg is not None
    assert module.settings.region == 8
    assert module.settings.power == 2700
    assert module.settings.session == 1
    assert not module.settings.filters
    assert not module.reading  # stopped when the driver was closed


@pytest.mark.parametrize(
    "line, trouble, after_s",
    [
        ("pty", "drip", 1), ("pty", "garbage", 0.05), ("pty", "flip", 0.3), ("pty", "hang-up", 0.7),
        ("pty", "silence", 0.5), ("tcp", "garbage", 0.05), ("tcp", "flip", 0.3), ("tcp", "hang-up", 0.7),
        ("tcp", "half-frame", 0.5), ("tcp", "stall", 1.2),
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


@pytest.mark.parametrize("stops_late", [False, True])
async def test_a_module_that_still_streams_is_calmed(stops_late: bool) -> None:
    module = Module(stops_late=stops_late)
    served = Served(module)
    first = await run(served, module, driver, folder=None, lasts_s=0.5)
    assert first.tags
    # As after a crash: told to read, and never to stop.
    list(module.receive(bytes.fromhex("FF 10 2F 0000 01 22 0000 05 07 22 10 001B 03E8 01FF DD2B")))
    seen = await run(served, module, driver, folder=None, lasts_s=2.5)
    assert seen.tags
    seen.hold(tag_in, answers)  # also what it said before it was calm
    assert seen.downs == []


@pytest.mark.timeout(60)
async def test_switched_off_and_on_it_is_set_up_anew(tmp_path: Path) -> None:
    module = Module()

    async def power_cut() -> None:
        await asyncio.sleep(1.0)
        module.power_cycle()

    seen = await run(Served(module), module, driver, folder=tmp_path, lasts_s=4.0, meanwhile=power_cut)
    seen.hold(tag_in, answers)
    assert len(seen.downs) == 1
    assert "silent for 1.5 s" in seen.downs[0]
    assert module.settings.region == 8
    assert seen.tags[-1].at_us > seen.tags[0].at_us + 3_500_000


async def test_it_is_started_from_its_boot_loader(tmp_path: Path) -> None:
    module = Module(boot_loader=True)
    seen = await run(Served(module), module, driver, folder=tmp_path, lasts_s=0.7)
    seen.hold(tag_in, answers)
    assert seen.tags


async def opened(module: Module, tmp_path: Path, **settings: object) -> ThingmagicReader:
    async with on_a_line(Served(module), tmp_path, Nothing) as url, AsyncExitStack() as stack:
        reader = driver(url, **settings)
        await stack.enter_async_context(reader.open())
        return reader


async def test_says_what_the_module_is(tmp_path: Path) -> None:
    reader = await opened(Module(), tmp_path)
    assert reader.detail == "ThingMagic hardware 18.00.00.01, firmware 01.15.01.03 of 2020-01-01, 115200 baud"
    assert reader.clock_offset_ms is None


@pytest.mark.parametrize(
    "settings, words",
    [
        (
            {"region": "na"},
            r"refuses region 'na': it does not support this region \(status 010Bh\); it is set to",
        ),
        ({"power_dbm": 33.0}, r"refuses 33 dBm: the power is above what it may send \(status 0103h\)"),
        ({"antennas": [1, 9]}, r"refuses antennas 1, 9: a value is outside what it allows \(status 0105h\)"),
        ({"antenna_power_dbm": {2: 2.0}}, r"refuses antennas' power 2 = 2 dBm: the power is below"),
    ],
)
async def test_what_the_module_refuses_is_said_in_its_own_words(
    settings: dict[str, object], words: str, tmp_path: Path
) -> None:
    with pytest.raises(ReaderRefused, match=words):
        await opened(Module(), tmp_path, **settings)


@pytest.mark.timeout(60)
async def test_a_port_where_nothing_answers_says_which_speeds_were_tried() -> None:
    with (
        a_line() as line,
        pytest.raises(ReaderLost, match="answers as a ThingMagic module at 115200, 921600"),
    ):
        async with driver(f"serial:{line.path}").open():
            pass


async def test_a_speed_that_is_named_is_the_only_one_tried(tmp_path: Path) -> None:
    async with on_a_line(Served(Module()), tmp_path, Nothing) as url, AsyncExitStack() as stack:
        reader = driver(f"{url}?baud=9600")
        await stack.enter_async_context(reader.open())
        assert "baud" not in reader.detail


def state(kind: type[Read]) -> Callable[[Sequence[Read]], bool]:
    return lambda reads: any(isinstance(read, kind) for read in reads)


async def test_an_antenna_that_comes_off_is_said_and_said_again_when_it_is_back(tmp_path: Path) -> None:
    module = Module()
    module.off.add(2)
    told: list[Antenna] = []

    async def plug_in() -> None:
        await asyncio.sleep(2.5)
        module.off.clear()

    seen = await run(
        Served(module), module, driver, folder=tmp_path, lasts_s=3.0, meanwhile=plug_in,
        until=lambda reads: any(isinstance(read, Antenna) and read.connected for read in reads),
    )  # fmt: skip
    told = [read for read in seen.reads if isinstance(read, Antenna)]
    assert [(each.antenna, each.connected) for each in told] == [(2, False), (2, True)]
    assert {read.antenna for read in seen.tags if read.at_us < told[1].at_us - 200_000} == {1}


async def test_the_time_in_which_it_was_too_hot_to_read_is_lost(tmp_path: Path) -> None:
    module = Module()

    async def heat() -> None:
        await asyncio.sleep(0.8)
        module.hot = True
        await asyncio.sleep(2.0)
        module.hot = False

    seen = await run(
        Served(module), module, driver, folder=tmp_path, lasts_s=3.0, meanwhile=heat, until=state(Lost)
    )
    (lost,) = [read for read in seen.reads if isinstance(read, Lost)]
    assert "too hot" in lost.reason
    assert 500_000 < lost.to_us - lost.from_us < 2_500_000
    assert lost.device == "dock-1"
    assert any(isinstance(read, TagRead) for read in seen.reads)
