"""The LLRP driver and the simulated LLRP reader, which share no code: every kind of reader, every trouble and fault.

Each sighting of the simulated radio is unlike any other by its channel, strength and antenna, so that what is told can
be held to what was seen, one by one: nothing twice, nothing invented, and each at its own time.
"""

import asyncio
import time
from collections import Counter
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager, suppress

import pytest

from edge.readers.llrp.config import LlrpConfig
from edge.readers.llrp.reader import LlrpReader
from edge.reads import Antenna, Lost, Read, TagRead, Trigger
from edge.supervise import Backoff, supervise
from simulators import link, trouble
from simulators.llrp.faults import suffer
from simulators.llrp.reader import Reader as SimulatedReader
from simulators.llrp.serve import Served
from simulators.llrp.single import KINDS
from simulators.single import standing_tags

pytestmark = pytest.mark.timeout(60)

QUICK = Backoff(first_s=0.05, longest_lost_s=0.2, longest_refused_s=0.2)
TAGS = standing_tags(7)
LATE_US = 300_000  # a read on a loopback link takes less; the clock's offset is known as well as that


def now_us() -> int:
    return time.time_ns() // 1000


Seen = tuple[str, int, int, float]  # EPC, antenna, strength, MHz


class Dock:
    """A simulated reader on a line, a supervised driver, and what each of them has seen."""

    def __init__(self, kind: str) -> None:
        self.reader = SimulatedReader(KINDS[kind]((1, 2), bytes(6)), now_us)
        self.seen: dict[Seen, int] = {}  # when, by the true clock
        self.reads: list[Read] = []
        self.reasons: list[str] = []
        self.ups = 0
        self.driver: LlrpReader
        self._news = asyncio.Event()
        self._number = 0

    def sees(self, number: int = 1) -> None:
        for _ in range(number):
            i = self._number
            self._number += 1
            epc, antenna, rssi, channel = TAGS[i % 7], 1 + i // 7 % 2, -30 - i // 14 % 50, 1 + i // 700 % 4
            at = now_us()
            self.seen[epc, antenna, rssi, 865.1 + 0.6 * channel] = at
            self.reader.sighted(bytes.fromhex(epc), antenna, rssi, channel, at)

    async def emit(self, reads: Sequence[Read]) -> None:
        self.reads += reads
        self._news.set()

    def up(self, name: str, detail: str) -> None:
        self.ups += 1
        self._news.set()

    def down(self, name: str, reason: str) -> None:
        self.reasons.append(reason)
        self._news.set()

    async def until(self, reached: Callable[[], bool]) -> None:
        """Wait until this holds; what never does ends by the test's own timeout."""
        while not reached():
            self._news.clear()
            with suppress(TimeoutError):
                async with asyncio.timeout(0.05):
                    await self._news.wait()

    async def sees_until(self, reached: Callable[[], bool]) -> None:
        """See tags every 10 ms, until this holds."""
        while not reached():
            self.sees(2)
            await asyncio.sleep(0.01)

    @property
    def tags(self) -> list[TagRead]:
        return [read for read in self.reads if isinstance(read, TagRead)]

    def told(self) -> Counter[Seen]:
        return Counter(
            (read.epc, read.antenna, round(read.rssi_dbm), round(read.channel_mhz or 0, 1))
            for read in self.tags
        )

    def missing(self) -> int:
        return (Counter(dict.fromkeys(self.keys(), 1)) - self.told()).total()

    def keys(self) -> list[Seen]:
        return [(epc, antenna, rssi, round(mhz, 1)) for epc, antenna, rssi, mhz in self.seen]

    def check(self) -> None:
        """Nothing was invented, told twice, or told at another time than its own."""
        truth = {
            (epc, antenna, rssi, round(mhz, 1)): at for (epc, antenna, rssi, mhz), at in self.seen.items()
        }
        for key, count in self.told().items():
            assert key in truth, f"{key} was invented"
            assert count == 1, f"{key} was told {count} times"
        for read in self.tags:
            at = truth[read.epc, read.antenna, round(read.rssi_dbm), round(read.channel_mhz or 0, 1)]
            assert -5_000 <= read.at_us - at <= LATE_US, f"told {(read.at_us - at) / 1e6:.3f} s off"


@asynccontextmanager
async def dock(kind: str, troubled: str = "none", *, setting: str = "") -> AsyncIterator[Dock]:
    """Everything runs; the driver is connected when this is entered, unless its line or reader does not let it."""
    site = Dock(kind)
    served = Served(site.reader, "dock-1")
    running = [asyncio.create_task(served.run())]
    try:
        async with link.tcp(served.session, trouble.maker(troubled, 1)) as (host, port):
            config = LlrpConfig.model_validate(
                {"driver": "llrp", "url": f"tcp://{host}:{port}", "silence_s": 1.5}
                | ({"active_low": [1], "debounce_ms": 30, "power_dbm": 24.4, "session": 2} if setting else {})
            )
            site.driver = LlrpReader(config, "dock-1", now_us)
            running.append(
                asyncio.create_task(
                    supervise(site.driver, site.emit, up=site.up, down=site.down, backoff=QUICK)
                )
            )
            yield site
            for task in running:
                task.cancel()
            await asyncio.gather(*running, return_exceptions=True)
    finally:
        for task in running:
            task.cancel()


@pytest.mark.parametrize("kind", list(KINDS))
async def test_every_kind_of_reader_is_read_whole(kind: str) -> None:
    async with dock(kind) as site:
        await site.until(lambda: site.ups == 1)
        for _ in range(50):
            site.sees(7)
            await asyncio.sleep(0.005)
        await site.until(lambda: site.missing() == 0)
        site.check()
        assert site.reasons == []
        impinj = kind == "impinj"
        assert all((read.phase_deg is not None) == impinj for read in site.tags)
        assert site.driver.detail.startswith("Impinj" if impinj else "unknown maker (number 0)")
        assert (site.driver.clock_offset_ms is None) == (kind == "uptime")


@pytest.mark.parametrize("kind", ["1.1", "impinj"])
@pytest.mark.parametrize(
    "name", ["drip", "slow", "hang-up:0.5", "half-frame:0.5", "silence:0.5", "garbage:0.5"]
)
async def test_what_was_sent_whole_on_a_live_line_is_read_once(kind: str, name: str) -> None:
    async with dock(kind, name) as site:
        if name in ("drip", "slow"):
            await site.until(lambda: site.ups == 1)
            site.sees(20)
            await site.until(lambda: site.missing() == 0)
            assert site.reasons == []
        else:
            await site.sees_until(lambda: site.ups >= 4 and len(site.reasons) >= 3)
            assert len(site.tags) > 50
        if name.startswith(("drip", "hang-up", "garbage")):
            site.check()
        else:  # late, or lost, by what they are; but nothing is invented and nothing comes twice
            assert not [key for key, count in site.told().items() if count > 1]
            assert set(site.told()) <= set(site.keys())


async def test_a_cut_line_loses_at_most_the_message_that_was_cut() -> None:
    async with dock("1.1", "hang-up:0.4") as site:
        await site.sees_until(lambda: site.ups >= 5)
        await site.until(lambda: site.missing() <= len(site.reasons))
        site.check()


@pytest.mark.parametrize("name", ["clock-2000", "clock-set:1", "clock-back:1"])
@pytest.mark.parametrize("kind", ["plain", "1.1"])
async def test_a_clock_that_is_wrong_or_set_moves_no_read(name: str, kind: str) -> None:
    async with dock(kind) as site:
        fault, after_s = trouble.parse(name, faults=True)
        suffering = asyncio.create_task(suffer(site.reader, fault, after_s))
        await site.until(lambda: site.ups == 1)
        began = time.monotonic()
        await site.sees_until(lambda: time.monotonic() > began + 2)
        await site.until(lambda: site.missing() == 0)
        if name == "clock-back:1":
            # An hour back may as well be a read that was held: for the first seconds nobody can tell.
            wrong = [read for read in site.tags if read.at_us < now_us() - 600_000_000]
            assert wrong == []
        site.check()
        await suffering


async def test_a_clock_set_while_nobody_is_connected_moves_no_held_read() -> None:
    async with dock("1.1") as site:
        site.reader.clock.restart()
        await site.until(lambda: site.ups == 1)
        site.sees(50)
        await site.until(lambda: site.missing() == 0)
        site.reader.taken, site.reader.leaving = True, True
        await site.until(lambda: not site.reader.has_client)
        site.sees(50)
        await asyncio.sleep(0.5)
        site.reader.clock.set(0)
        site.sees(50)
        site.reader.taken = False
        await site.until(lambda: site.missing() == 0)
        site.sees(20)
        await site.until(lambda: site.missing() == 0)
        site.check()
        assert site.driver.held


async def test_a_reader_that_is_taken_or_takes_its_leave_is_waited_for() -> None:
    async with dock("plain") as site:
        site.reader.taken = True
        await site.until(lambda: bool(site.reasons))
        assert "busy with another client" in site.reasons[0]
        site.reader.taken = False
        await site.until(lambda: site.ups == 1)
        site.reader.leaving = True
        await site.until(lambda: site.ups == 2)
        assert "closed the connection" in site.reasons[-1]
        assert len(site.reasons) == 2


async def test_a_power_cycle_is_survived_and_what_it_forgot_is_not_said_to_be_held() -> None:
    async with dock("1.1") as site:
        await site.until(lambda: site.ups == 1)
        site.sees(20)
        await site.until(lambda: site.missing() == 0)
        site.reader.power_cycle()
        await site.until(lambda: site.ups == 2)
        assert not site.driver.held
        assert site.reader.reading
        site.sees(20)
        await site.until(lambda: site.missing() == 0)
        site.check()
        offset_ms = site.driver.clock_offset_ms
        assert offset_ms is not None
        assert offset_ms < -20 * 365 * 86_400_000  # its clock is at its beginning


async def test_a_buffer_that_overflows_is_told_as_lost() -> None:
    async with dock("plain") as site:
        await site.until(lambda: site.ups == 1)
        site.reader.taken, site.reader.leaving = True, True
        await site.until(lambda: not site.reader.has_client)
        site.reader.shrink(100)
        site.sees(150)
        full_us = now_us()
        await asyncio.sleep(0.2)
        site.reader.taken = False
        await site.until(lambda: any(isinstance(read, Lost) for read in site.reads))
        assert len(site.tags) == 100
        (lost,) = [read for read in site.reads if isinstance(read, Lost)]
        assert lost.device == "dock-1"
        assert abs(lost.from_us - full_us) < LATE_US
        assert lost.to_us >= full_us + 150_000
        site.check()


async def test_inputs_and_antennas_are_told_and_settings_are_taken() -> None:
    async with dock("1.1", setting="all") as site:
        await site.until(lambda: site.ups == 1)
        for high in (True, False, True, False):  # bounces
            site.reader.set_input(1, high=high)
        at = now_us()
        await site.until(lambda: len(site.reads) == 1)
        site.reader.set_input(1, high=True)
        site.reader.plug_antenna(2, connected=False)
        site.reader.plug_antenna(2, connected=True)
        await site.until(lambda: len(site.reads) == 4)
        triggers = [(read.input, read.on) for read in site.reads if isinstance(read, Trigger)]
        assert triggers == [(1, True), (1, False)]
        assert all(abs(read.at_us - at) < LATE_US for read in site.reads)
        cables = [(read.antenna, read.connected) for read in site.reads if isinstance(read, Antenna)]
        assert cables == [(2, False), (2, True)]
        assert site.reasons == []
