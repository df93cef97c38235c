"""The metraTec driver and the simulated readers, which share no code: nothing is lost that was sent whole on a live
line, and nothing is invented."""

import asyncio
import json
import sys
from collections import Counter
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from random import Random

import pytest

from edge.errors import ProtocolError, ReaderError, ReaderLost, ReaderRefused
from edge.readers.metratec.config import MetratecConfig
from edge.readers.metratec.reader import MetratecReader
from edge.reads import Antenna, TagRead, Trigger
from simulators import link, trouble
from simulators.metratec.ascii import AsciiReader
from simulators.metratec.at import AtReader
from simulators.metratec.serve import Served
from simulators.metratec.single import tid_of
from simulators.single import standing_tags
from tests.support.supervised import Site, now_us, watching

PORTS = (1, 2, 3, 4)


def at_reader() -> AtReader:
    return AtReader(PORTS, tid_of)


def ascii_reader() -> AsciiReader:
    return AsciiReader(PORTS, Random(1), faulty=0.05)


def driver(
    url: str,
    antennas: tuple[int, ...] = PORTS,
    *,
    tid: bool = False,
    region: str | None = None,
    power_dbm: int | None = None,
) -> MetratecReader:
    config = MetratecConfig(driver="metratec", url=url, antennas=antennas, tid=tid, region=region,
                            power_dbm=power_dbm, heartbeat_s=1)  # fmt: skip
    return MetratecReader(config, "dock-1", now_us)


@asynccontextmanager
async def on_tcp(device: AtReader | AsciiReader, troubled: str = "none") -> AsyncIterator[tuple[Served, str]]:
    served = Served(device)
    async with link.tcp(served.session, trouble.maker(troubled, 1)) as (host, port):
        yield served, f"tcp://{host}:{port}"


@asynccontextmanager
async def on_a_pty(
    device: AtReader | AsciiReader, path: Path, troubled: str = "none"
) -> AsyncIterator[tuple[Served, str]]:
    served, ready = Served(device), asyncio.Event()
    serving = asyncio.create_task(link.pty(served.session, trouble.maker(troubled, 1), path, ready))
    await ready.wait()
    try:
        yield served, f"serial:{path}"
    finally:
        serving.cancel()
        with suppress(asyncio.CancelledError):
            await serving


def counted(site: Site) -> Counter[tuple[str, int, int]]:
    return Counter((read.epc, read.antenna, round(read.rssi_dbm)) for read in site.tags())


class Passing:
    """Tags before the antennas, each sighting unlike the next by its strength."""

    def __init__(self, served: Served) -> None:
        self._served = served
        self._number = 0

    async def begin(self) -> None:
        """Wait until the reader reads: one generation does not answer when it is told to start."""
        while not self._served.reading:  # noqa: ASYNC110 - the simulator tells nobody
            await asyncio.sleep(0.01)

    def by(self, sightings: int) -> None:
        for _ in range(sightings):
            i, self._number = self._number, self._number + 1
            epc = bytes.fromhex(standing_tags(9)[i % 9])
            self._served.sighted(epc, PORTS[i % 4], -40 - i % 37, 1, 0)


LIVE = [(make, troubled) for make in (at_reader, ascii_reader) for troubled in ("none", "drip")]


@pytest.mark.parametrize("make, troubled", LIVE)
@pytest.mark.parametrize("serial", [False, True])
@pytest.mark.timeout(60)
async def test_on_a_live_line_each_read_comes_once_with_its_antenna(
    make: Callable[[], AtReader | AsciiReader], troubled: str, serial: bool, tmp_path: Path
) -> None:
    device = make()
    opened = on_a_pty(device, tmp_path / "port", troubled) if serial else on_tcp(device, troubled)
    async with opened as (served, url), watching(driver(url)) as site:
        await site.until(lambda: site.ups == 1)
        passing = Passing(served)
        await passing.begin()
        for _ in range(20):
            passing.by(12)
            await asyncio.sleep(0.02)
        await site.until(lambda: counted(site).total() >= 240 - served.device.air.waiting)
        while served.device.air.waiting:  # noqa: ASYNC110 - the simulator tells nobody
            await asyncio.sleep(0.02)
        await site.until(lambda: counted(site).total() >= len(device.told))
        assert counted(site) == Counter(device.told)
        assert counted(site).total() == 240
        assert (site.reasons, site.lost()) == ([], [])
        assert all(read.at_us <= now_us() for read in site.reads if isinstance(read, TagRead))


BREAKING = ["hang-up:0.6", "half-frame:0.6", "silence:0.6"]


@pytest.mark.parametrize("make", [at_reader, ascii_reader])
@pytest.mark.parametrize("troubled", BREAKING)
@pytest.mark.timeout(60)
async def test_a_line_that_breaks_loses_only_the_rounds_on_it(
    make: Callable[[], AtReader | AsciiReader], troubled: str
) -> None:
    device = make()
    async with on_tcp(device, troubled) as (served, url), watching(driver(url)) as site:
        passing = Passing(served)
        while site.ups < 3:
            passing.by(3)
            await asyncio.sleep(0.01)
        assert len(site.reasons) >= 2
        assert counted(site).total() > 30
        told = counted(site)
        assert not told - Counter(device.told), "invented, told twice, or at another antenna"
        if troubled.startswith("hang-up"):
            # At most what two rounds held for each time it broke: the one that was cut, and the one not begun to send.
            assert (Counter(device.told) - told).total() <= 40 * len(site.reasons)


@pytest.mark.parametrize("make", [at_reader, ascii_reader])
@pytest.mark.timeout(60)
async def test_what_noise_damages_is_said_to_be_lost_and_never_told_wrong(
    make: Callable[[], AtReader | AsciiReader],
) -> None:
    device = make()
    async with on_tcp(device, "garbage:0.3") as (served, url), watching(driver(url)) as site:
        passing = Passing(served)
        while len(site.lost()) < 5:
            passing.by(3)
            await asyncio.sleep(0.01)
        assert not counted(site) - Counter(device.told), "invented, told twice, or at another antenna"
        for lost in site.lost():
            assert lost.device == "dock-1"
            assert lost.from_us <= lost.to_us <= now_us()
            assert "damaged on the line" in lost.reason


@pytest.mark.parametrize("make", [at_reader, ascii_reader])
async def test_inputs_are_told_by_our_count(make: Callable[[], AtReader | AsciiReader]) -> None:
    device = make()
    async with on_tcp(device) as (_, url), watching(driver(url)) as site:
        await site.until(lambda: site.ups == 1)
        for number, on in ((1, True), (2, True), (1, False)):
            device.input(number, on=on)
        await site.until(lambda: sum(isinstance(read, Trigger) for read in site.reads) == 3)
    triggers = [(read.input, read.on) for read in site.reads if isinstance(read, Trigger)]
    assert triggers == [(1, True), (2, True), (1, False)]


async def test_an_antenna_that_comes_off_is_said_once_and_when_it_is_back() -> None:
    device = at_reader()
    async with on_tcp(device) as (_, url), watching(driver(url)) as site:
        await site.until(lambda: site.ups == 1)
        device.air.connected.discard(3)
        await site.until(lambda: len(site.reads) >= 1)
        await asyncio.sleep(0.5)  # several rounds of it
        device.air.connected.add(3)
        await site.until(lambda: len(site.reads) >= 2)
    assert [(read.antenna, read.connected) for read in site.reads if isinstance(read, Antenna)] == [
        (3, False),
        (3, True),
    ]


@pytest.mark.timeout(60)
@pytest.mark.parametrize("make", [at_reader, ascii_reader])
async def test_a_reader_switched_off_and_on_reads_again(
    make: Callable[[], AtReader | AsciiReader],
) -> None:
    device = make()
    async with on_tcp(device) as (served, url), watching(driver(url)) as site:
        await site.until(lambda: site.ups == 1)
        device.power_cycle()
        await site.until(lambda: site.ups == 2)
        before = counted(site).total()
        passing = Passing(served)
        await passing.begin()
        passing.by(8)
        await site.until(lambda: counted(site).total() == before + 8)
    expected = "switched off and on" if isinstance(device, AsciiReader) else "silent for 3 s"
    assert expected in site.reasons[0]


async def test_tids_are_read_where_wanted_and_settings_are_made() -> None:
    device = at_reader()
    async with on_tcp(device) as (served, url):
        reader = driver(url, (2,), tid=True, region="FCC", power_dbm=20)
        async with watching(reader) as site:
            await site.until(lambda: site.ups == 1)
            served.sighted(bytes.fromhex(standing_tags(1)[0]), 2, -55, 1, 0)
            await site.until(lambda: len(site.reads) == 1)
        (read,) = site.reads
        assert isinstance(read, TagRead)
        assert (read.antenna, read.tid, read.rssi_dbm) == (2, tid_of(read.epc), -55.0)
        assert reader.detail == (
            "firmware PULSAR_LR 0107, PULSAR_LR 0100, serial number 2020090817420000, region FCC, power 20,20,20,20"
        )
        assert reader.clock_offset_ms is None


async def opening(reader: MetratecReader) -> None:
    async with reader.open():
        pass


@pytest.mark.parametrize(
    "make, settings, words",
    [
        (at_reader, {"region": "MARS"}, r"refuses AT\+REG=MARS: \+REG: <Parameter out of range>"),
        (at_reader, {"power_dbm": 36}, r"refuses AT\+PWR=36"),
        (at_reader, {"antennas": (1, 9)}, r"refuses AT\+MUX=1,9"),
        (at_reader, {"antennas": (9,)}, "has no antenna 9"),
        (ascii_reader, {"power_dbm": 36}, r"refuses CFG PWR 36: NOR \(number out of range\)"),
        (ascii_reader, {"region": "MARS"}, r"refuses STD MARS: UPA \(unknown parameter\)"),
        (ascii_reader, {"antennas": (1, 3)}, r"write antennas = \[1, 2\], not \[1, 3\]"),
        (ascii_reader, {"antennas": (9,)}, "has no antenna 9"),
        (ascii_reader, {"tid": True}, "only one by one; leave it out"),
    ],
)
async def test_what_a_reader_refuses_is_said_in_its_own_words(
    make: Callable[[], AtReader | AsciiReader], settings: dict[str, object], words: str
) -> None:
    async with on_tcp(make()) as (_, url):
        with pytest.raises(ReaderRefused, match=words):
            await opening(driver(url, **settings))  # type: ignore[arg-type]  # a row of the table


@pytest.mark.parametrize("state", ["checksums", "asleep"])
async def test_an_ascii_reader_is_read_whatever_state_it_was_left_in(state: str) -> None:
    device = AsciiReader(PORTS, Random(1), checksums=state == "checksums", asleep=state == "asleep")
    async with on_tcp(device) as (_, url):
        await opening(driver(url))
        assert device.air.sequence == PORTS


@pytest.mark.parametrize("make", [at_reader, ascii_reader])
async def test_a_second_client_is_turned_away_and_the_first_reads_on(
    make: Callable[[], AtReader | AsciiReader],
) -> None:
    async with on_tcp(make()) as (served, url), watching(driver(url)) as site:
        await site.until(lambda: site.ups == 1)
        with pytest.raises(ReaderLost, match=r"hung up|reset"):
            await opening(driver(url))
        passing = Passing(served)
        await passing.begin()
        passing.by(4)
        await site.until(lambda: counted(site).total() == 4)


@pytest.mark.parametrize("answer, error", [(b"", ReaderLost), (b"ST,GS,  1.0,g\r\n" * 30, ProtocolError)])
async def test_what_is_no_such_reader_is_found_out(answer: bytes, error: type[ReaderError]) -> None:
    async def serve(line: link.Link) -> None:
        while True:
            await line.receive()
            if answer:
                await line.send(answer)

    async with link.tcp(serve, trouble.maker("none", 1)) as (host, port):
        with pytest.raises(error, match="speed"):
            await opening(driver(f"tcp://{host}:{port}"))


class Glued(AtReader):
    """What it reads comes in one piece with the answer to the command that starts it."""

    def receive(self, data: bytes) -> list[bytes]:
        answers = super().receive(data)
        if b"AT+CMINV\r" in data:
            answers.append(f"+CMINV: {'30' * 12},-50\r+CMINV: <ROUND FINISHED, ANT=4>\r\n".encode())
            return [b"".join(answers)]
        return answers


async def test_a_round_in_one_piece_with_an_answer_is_told() -> None:
    async with on_tcp(Glued(PORTS, tid_of)) as (_, url), watching(driver(url)) as site:
        await site.until(lambda: len(site.reads) == 1)
    assert counted(site) == Counter({("30" * 12, 4, -50): 1})


async def test_an_answer_that_comes_late_is_not_taken_for_the_next_commands() -> None:
    """A reader that still reads for somebody who has gone is known by what it says, before it answers."""
    device = at_reader()
    served = Served(device)

    async def serve(line: link.Link) -> None:
        for answer in device.receive(await line.receive()):
            await line.send(b"+HBT\r\n")
            await asyncio.sleep(0.1)
            await line.send(answer)
        await served.session(line)

    async with link.tcp(serve, trouble.maker("none", 1)) as (host, port):
        await opening(driver(f"tcp://{host}:{port}"))
        assert device.air.sequence == PORTS


SCENARIO = """
name = "store-042"
shelves = []
[[gates]]
name = "dock-1"
outside = [1, 2]
inside = [3, 4]
strays_outside = 1
driver = "metratec"
[[gates]]
name = "dock-2"
outside = [1, 2]
inside = [3, 4]
driver = "metratec-ascii"
[docks]
least_tags = 8
most_tags = 12
gap_s = 4.5
cargo = [{ gtin = "80614141123458", company_prefix = "0614141", filter = 2 }]
pallet = { company_prefix = "0614141", extension = 4 }
[shop]
low = 4
clear = 8
low_for_s = 10.0
rest_s = 4.2
gap_s = 2.0
most_per_go = 12
"""


@pytest.mark.timeout(90)
async def test_the_doors_of_a_world_are_read_by_both_generations(tmp_path: Path) -> None:
    (tmp_path / "doors.toml").write_text(SCENARIO, "utf-8")
    folder = tmp_path / "world"
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "simulators", "world", "--scenario", str(tmp_path / "doors.toml"), "--dir",
        str(folder), "--for", "24", "--quiet-last", "2", "--linger", "1",
    )  # fmt: skip
    while not (folder / "world.json").exists():  # noqa: ASYNC110 - it is there when the world is
        await asyncio.sleep(0.05)
    gates = json.loads((folder / "world.json").read_text("utf-8"))["gates"]
    async with watching(driver(gates["dock-1"])) as one, watching(driver(gates["dock-2"])) as two:
        assert await process.wait() == 0
    lines = [json.loads(line) for line in (folder / "truth.jsonl").read_text("utf-8").splitlines()]
    for name, site in (("dock-1", one), ("dock-2", two)):
        told = [line for line in lines if line.get("gate") == name and line["type"] != "stray"]
        read = seen_by(site)
        assert len(told) >= 8, "a load went through"
        for line in told:
            sides = read[line["epc"]]
            assert sides & {1, 2}, line
            assert line["type"] == "turned_back" or sides & {3, 4}, line
        assert site.lost() == []


def seen_by(site: Site) -> dict[str, set[int]]:
    """The antennas that read each tag."""
    antennas: dict[str, set[int]] = {}
    for epc, antenna, _ in counted(site):
        antennas.setdefault(epc, set()).add(antenna)
    return antennas
