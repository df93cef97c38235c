"""The simulated serial modules, held to published bytes apart from the drivers that read them."""

import asyncio
import contextlib
import sys
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from simulators.errors import ScenarioError
from simulators.gates import gate_reader
from simulators.m100.module import Module as M100Module
from simulators.modules import m100_words, obey, thingmagic_words
from simulators.scenario import GateSite
from simulators.thingmagic.frames import Sight, answer, tag_stream
from simulators.thingmagic.module import Module as ThingmagicModule

START = bytes.fromhex("FF 10 2F 0000 01 22 0000 05 07 22 10 001B 03E8 01FF DD2B")  # SparkFun's library
EPC = bytes.fromhex("30751FEB705C5904E3D50D70")


def test_a_thingmagic_frame_is_the_one_that_sparkfun_published() -> None:
    sight = Sight(bytes.fromhex("000000000000000000001545"), 1, -60, 923_200, 0, 295)
    assert tag_stream(bytes.fromhex("10001B"), 0x01FF, sight) == bytes.fromhex(
        "FF 28 22 0000 10 001B 01FF 01 01 C4 11 0E1640 00000127 0000 05 0000 0F 0080"
        "3000 000000000000000000001545 E94A 561D"
    )


def test_a_thingmagic_version_is_framed_as_an_m7e_frames_it() -> None:
    assert answer(3, bytes.fromhex("23010600 38000201 20240913 02010608 00000010")) == bytes.fromhex(
        "FF 14 03 0000 23010600 38000201 20240913 02010608 00000010 CB65"
    )


def set_up(module: ThingmagicModule) -> list[bytes]:
    """Region 8, Gen2, antennas 1 and 2, every read; CRCs as published or by the maker's algorithm."""
    said: list[bytes] = []
    for body in ("01 97 08", "02 93 0005", "05 91 02 0101 0202", "03 9A 01 0C 00"):
        frame = bytes.fromhex(body)
        said += module.receive(b"\xff" + frame + _crc(frame))
    return said


def _crc(data: bytes) -> bytes:
    crc = 0xFFFF
    for byte in data:
        for bit in range(7, -1, -1):
            top, crc = crc >> 15, (crc << 1 & 0xFFFF) | (byte >> bit & 1)
            crc ^= 0x1021 if top else 0
    return crc.to_bytes(2, "big")


def test_a_thingmagic_that_was_not_told_its_region_does_not_read() -> None:
    module = ThingmagicModule()
    (said,) = module.receive(START)
    assert said[:5] == bytes.fromhex("FF 00 2F 0405")
    assert not module.reading


def test_a_thingmagic_streams_reads_and_says_each_second_that_it_is_alive() -> None:
    module = ThingmagicModule()
    assert all(frame[3:5] == b"\x00\x00" for frame in set_up(module))
    module.tick(5000)
    list(module.receive(START[:7]))
    (said,) = module.receive(START[7:])
    assert said[:6] == bytes.fromhex("FF 01 2F 0000 01")
    module.tick(5250)
    module.sighted(EPC, 2, -55, 2, 0)
    module.sighted(EPC, 3, -55, 2, 0)  # not in its list
    module.tick(6000)
    tag, alive = module.outgoing()
    assert tag[12:14] == b"\xc9\x22"
    assert tag[17:21] == (250).to_bytes(4, "big")
    assert alive == bytes.fromhex("FF 00 22 0400 84E0")
    module.hot = True
    module.sighted(EPC, 2, -55, 2, 0)
    module.tick(7000)
    assert [frame[3:5].hex() for frame in module.outgoing()] == ["0504"]
    module.hot = False
    module.off.add(1)
    module.tick(8000)
    assert [frame[3:5].hex() for frame in module.outgoing()] == ["0505"]
    module.power_cycle()
    module.tick(9000)
    assert list(module.outgoing()) == []
    assert module.settings.region == 0


def test_a_thingmagic_as_delivered_says_a_tag_once() -> None:
    module = ThingmagicModule()
    set_up(module)
    list(module.receive(b"\xff" + (frame := bytes.fromhex("03 9A 01 0C 01")) + _crc(frame)))
    list(module.receive(START))
    for _ in range(3):
        module.sighted(EPC, 1, -55, 1, 0)
    assert len(list(module.outgoing())) == 1


def test_damaged_commands_are_passed_over() -> None:
    module = ThingmagicModule()
    version = bytes.fromhex("FF 00 03 1D0C")
    assert list(module.receive(b"\xff\xff\x00\x03\x1d\x0d" + version[:2])) == []
    assert [said[2] for said in module.receive(version[2:] + version)] == [3, 3]


def test_an_m100_says_what_the_manual_prints() -> None:
    module = M100Module()
    for command, said in (
        ("BB 00 03 00 01 00 04 7E", "BB 01 03 00 10 00 4D 31 30 30 20 32 36 64 42 6D 20 56 31 2E 30 92 7E"),
        ("BB 00 0D 00 00 0D 7E", "BB 01 0D 00 02 10 20 40 7E"),
        ("BB 00 07 00 01 01 09 7E", "BB 01 07 00 01 00 09 7E"),
        ("BB 00 08 00 00 08 7E", "BB 01 08 00 01 01 0B 7E"),
        ("BB 00 B6 00 02 07 D0 8F 7E", "BB 01 B6 00 01 00 B8 7E"),
        ("BB 00 B7 00 00 B7 7E", "BB 01 B7 00 02 07 D0 91 7E"),
        ("BB 00 12 00 01 01 14 7E", "BB 01 0C 00 01 00 0E 7E"),
        ("BB 00 F9 00 00 F9 7E", "BB 01 FF 00 01 17 18 7E"),
    ):
        assert list(module.receive(bytes.fromhex(command))) == [bytes.fromhex(said)], command
    assert list(module.receive(bytes.fromhex("BB 00 27 00 03 22 27 10 83 7E"))) == []
    module.tick(0)
    module.tick(50)
    assert list(module.outgoing()) == [bytes.fromhex("BB 01 FF 00 01 15 16 7E")]
    module.sighted(EPC, 1, -55, 1, 0)
    module.tick(100)
    (tag,) = module.outgoing()
    # As the manual's, with the PC that this EPC's length makes, and so other CRC and checksum.
    assert tag[:8] == bytes.fromhex("BB 02 22 00 11 C9 3000")
    assert list(module.receive(bytes.fromhex("BB 00 28 00 00 28 7E"))) == [
        bytes.fromhex("BB 01 28 00 01 00 2A 7E")
    ]
    assert not module.reading


def test_an_r200_says_the_same_between_other_bytes() -> None:
    module = M100Module("aa")
    assert list(module.receive(bytes.fromhex("BB 00 08 00 00 08 7E AA 00 08 00 00 08 DD"))) == [
        bytes.fromhex("AA 01 08 00 01 01 0B DD")
    ]


def test_a_gate_of_a_scenario_names_its_driver() -> None:
    site = GateSite(name="dock-1", outside=(1,), inside=(2,), driver="thingmagic")
    assert gate_reader(site, 0, lambda: 0).baud == 115200
    with pytest.raises(
        ScenarioError, match=r"dock-1: no reader's driver is called 'thing'; there are .*llrp"
    ):
        gate_reader(GateSite(name="dock-1", outside=(1,), inside=(2,), driver="thing"), 0, lambda: 0)


def test_an_m100_at_a_gate_hears_what_its_one_antenna_hears() -> None:
    reader = gate_reader(GateSite(name="dock-1", outside=(1,), inside=(2,), driver="m100"), 0, lambda: 0)
    assert not reader.radio.reading
    reader.radio.sighted(EPC, 2, -55, 1, 0)


def test_what_befalls_a_module_is_said_in_words() -> None:
    module = ThingmagicModule()
    words = thingmagic_words(module)
    for line in ("off 1 2", "hot"):
        assert obey(words, line) is None
    assert (module.off, module.hot) == ({1, 2}, True)
    for line in ("on 1", "cool"):
        assert obey(words, line) is None
    assert (module.off, module.hot) == ({2}, False)
    assert obey(words, "explode") == "'explode' is none of off, on, hot, cool, power-cycle"
    small = M100Module()
    assert [obey(m100_words(small), line) for line in ("off", "on", "power-cycle")] == [None] * 3


@contextlib.asynccontextmanager
async def simulating(*words: str) -> AsyncIterator[asyncio.subprocess.Process]:
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "simulators", *words, stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE,
        cwd=Path(__file__).parents[2],
    )  # fmt: skip
    try:
        yield process
    finally:
        with contextlib.suppress(ProcessLookupError):
            process.terminate()
        assert await process.wait() == 0


@pytest.mark.timeout(60)
@pytest.mark.parametrize(
    "name, ask, said",
    [
        ("thingmagic", "FF 00 03 1D0C", "FF 14 03 0000"),
        ("m100", "BB 00 08 00 00 08 7E", "BB 01 08 00 01"),
    ],
)
async def test_one_by_itself_on_a_port_of_its_own(name: str, ask: str, said: str) -> None:
    async with simulating(name, "--listen", "127.0.0.1:0", "--tags", "2") as process:
        assert process.stdout
        url = (await process.stdout.readline()).decode().strip()
        host, _, port = url.removeprefix("tcp://").rpartition(":")
        incoming, outgoing = await asyncio.open_connection(host, int(port))
        outgoing.write(bytes.fromhex(ask))
        assert (await incoming.readexactly(5)) == bytes.fromhex(said)
        outgoing.close()
        await outgoing.wait_closed()
