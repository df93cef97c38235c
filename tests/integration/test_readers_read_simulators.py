"""Our drivers and our simulators, which share no code: nothing is lost that need not be, and nothing is invented."""

import asyncio
import sys
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path

import pytest

from edge.readers.llrp.config import LlrpConfig
from edge.readers.llrp.reader import LlrpReader
from edge.readers.sics.config import SicsConfig
from edge.readers.sics.reader import SicsScale
from edge.reads import Read, TagRead, WeightSample
from simulators import link, trouble
from simulators.llrp.about import About
from simulators.llrp.reader import Reader as SimulatedReader
from simulators.llrp.serve import Served
from simulators.single import standing_tags
from tests.support.supervised import Site, now_us, watching

pytestmark = pytest.mark.timeout(60)


@asynccontextmanager
async def simulating(*words: str) -> AsyncIterator[tuple[str, asyncio.subprocess.Process]]:
    """Run one simulated device as a process; yields its URL."""
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "simulators", *words, stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE
    )  # fmt: skip
    assert process.stdout
    assert process.stdin
    try:
        url = (await process.stdout.readline()).decode().strip()
        assert url, "the simulator said nothing"
        yield url, process
    finally:
        process.terminate()
        process.stdin.close()
        await process.wait()
        await process.stdout.read()


def gate(url: str) -> LlrpReader:
    return LlrpReader(LlrpConfig(driver="llrp", url=url, silence_s=1.5), "dock-1", now_us)


def shelf(url: str) -> SicsScale:
    return SicsScale(SicsConfig(driver="sics", url=url, silence_s=1.0), "aisle-1", now_us)


@pytest.mark.parametrize("name", ["none", "drip", "hang-up:1", "half-frame:1", "silence:1", "garbage:1"])
async def test_a_gate_goes_on_whatever_its_line_does(name: str) -> None:
    words = ("llrp", "--listen", "127.0.0.1:0", "--tags", "20", "--trouble", name)
    async with simulating(*words) as (url, _), watching(gate(url)) as site:
        if name in ("none", "drip"):
            await site.until(lambda: len(site.reads) >= 200)
            assert site.reasons == []
        else:
            await site.until(lambda: site.ups >= 3)
            assert len(site.reasons) >= 2
    reads = [read for read in site.reads if isinstance(read, TagRead)]
    assert len(reads) == len(site.reads) > 50
    assert {read.epc for read in reads} <= set(standing_tags(20))
    assert {read.antenna for read in reads} <= {1, 2, 3, 4}
    assert all(read.at_us <= now_us() for read in reads)


@pytest.mark.parametrize("name", ["none", "drip", "hang-up:1", "garbage:0.5", "glue:0.5"])
async def test_a_shelf_goes_on_whatever_its_line_does(name: str, tmp_path: Path) -> None:
    port = tmp_path / "scale"
    words = ("sics", "--link", str(port), "--grams", "1000", "--trouble", name)
    async with simulating(*words) as (url, process), watching(shelf(url)) as site:
        hang_ups = name.startswith("hang-up")
        await site.until(lambda: site.ups >= 2 if hang_ups else len(site.reads) >= 20)
        assert bool(site.reasons) == hang_ups
        before = sum(isinstance(read, WeightSample) for read in site.reads)
        assert process.stdin
        process.stdin.write(b"500\n")
        await site.until(lambda: near(site.reads[-1], 500) or near(site.reads[-1], 1500))
    grams = [read.grams for read in site.reads if isinstance(read, WeightSample)]
    assert all(abs(each - 1000) < 5 for each in grams[:before])


def near(read: Read, grams: float) -> bool:
    return isinstance(read, WeightSample) and abs(read.grams - grams) < 5 and bool(read.stable)


class Radio:
    """What the radio of a simulated reader saw, each sighting unlike any other by its channel and strength."""

    AHEAD_US = 7_000_000  # the reader's clock is wrong by so much

    def __init__(self) -> None:
        self.reader = SimulatedReader(About((1, 2), bytes(6)), self.clock_us)
        self.seen: list[tuple[str, int, int, int]] = []  # EPC, antenna, strength, when by our clock

    def clock_us(self) -> int:
        return now_us() + self.AHEAD_US

    def sees(self, number: int) -> None:
        for _ in range(number):
            i = len(self.seen)
            epc, antenna, rssi, at = standing_tags(7)[i % 7], 1 + i % 2, -40 - i % 40, self.clock_us()
            self.reader.sighted(bytes.fromhex(epc), antenna, rssi, 1, at)
            self.seen.append((epc, antenna, rssi, at - self.AHEAD_US))


@asynccontextmanager
async def a_radio(troubled: str) -> AsyncIterator[tuple[Radio, str]]:
    radio = Radio()
    served = Served(radio.reader, "dock-1")
    running = asyncio.create_task(served.run())
    try:
        async with link.tcp(served.session, trouble.maker(troubled, 1)) as (host, port):
            yield radio, f"tcp://{host}:{port}"
    finally:
        running.cancel()
        with suppress(asyncio.CancelledError):
            await running


def told(reads: list[Read]) -> list[tuple[str, int, int]]:
    return [(read.epc, read.antenna, round(read.rssi_dbm)) for read in reads if isinstance(read, TagRead)]


async def test_what_is_read_while_nobody_is_connected_is_told_later_at_its_own_time() -> None:
    async with a_radio("none") as (radio, url):
        async with watching(gate(url)) as site:
            await site.until(lambda: site.ups == 1)
            radio.sees(50)
            await site.until(lambda: len(site.reads) >= 50)
        while radio.reader.has_client:  # noqa: ASYNC110 - the simulator tells nobody when its client has gone
            await asyncio.sleep(0.01)
        radio.sees(100)
        await asyncio.sleep(1.0)
        radio.sees(100)
        async with watching(gate(url)) as again:
            await again.until(lambda: len(again.reads) >= 200)
            radio.sees(50)
            await again.until(lambda: len(again.reads) >= 250)
        reads = site.reads + again.reads
        assert told(reads) == [each[:3] for each in radio.seen]
        late_us = [read.at_us - at for read, (_, _, _, at) in zip(reads, radio.seen, strict=True)]
        assert all(-1_000 <= late <= 200_000 for late in late_us), (min(late_us), max(late_us))


async def test_a_line_that_breaks_loses_only_what_was_on_it_and_nothing_comes_twice() -> None:
    async with a_radio("hang-up:0.3") as (radio, url), watching(gate(url)) as site:
        await site.until(lambda: site.ups == 1)
        while site.ups < 5:
            radio.sees(3)
            await asyncio.sleep(0.01)
        # Only what was in the message that was cut may be missing, once all that was held has been told,
        await site.until(lambda: missing(radio, site).total() <= len(site.reasons))
        ups = site.ups
        await site.until(lambda: site.ups > ups)  # and the next connection tells none of it again.
    assert not Counter(told(site.reads)) - Counter(each[:3] for each in radio.seen), "invented, or told twice"


def missing(radio: Radio, site: Site) -> Counter[tuple[str, int, int]]:
    return Counter(each[:3] for each in radio.seen) - Counter(told(site.reads))
