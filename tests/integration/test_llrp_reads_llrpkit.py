"""Our driver and another project's reader emulator, which agree on nothing but the standard."""

import asyncio
import time
from collections.abc import AsyncIterator, Sequence

import pytest
from llrpkit.emulator import EmulatedTag, LLRPEmulator

from edge.errors import ReaderLost, ReaderRefused
from edge.readers.llrp.config import LlrpConfig
from edge.readers.llrp.reader import KEEPALIVES_MISSED, LlrpReader
from edge.reads import Read, TagRead, Trigger

CASE = "3074257BF7194E4000001A85"
LONG = "3674257BF6B7A659B2C2BF100000000000000000000000000000"
TAGS = [
    EmulatedTag(epc=bytes.fromhex(CASE), antennas=(1, 2), rssi_dbm=-50.0),
    EmulatedTag(epc=bytes.fromhex(LONG), antennas=(3,), rssi_dbm=-60.0),
]
WANTED = 200


def now_us() -> int:
    return time.time_ns() // 1000


def driver(emulator: LLRPEmulator) -> LlrpReader:
    config = LlrpConfig(driver="llrp", url=f"tcp://127.0.0.1:{emulator.port}", keepalive_s=0.5)
    return LlrpReader(config, "dock-1", now_us)


async def take(batches: AsyncIterator[Sequence[Read]]) -> Sequence[Read]:
    return await anext(batches)


async def take_all(batches: AsyncIterator[Sequence[Read]]) -> None:
    async for _ in batches:
        pass


async def read(reader: LlrpReader) -> list[TagRead]:
    found: list[TagRead] = []
    async with reader.open() as batches:
        async for reads in batches:
            found += [each for each in reads if isinstance(each, TagRead)]
            if len(found) >= WANTED:
                break
    return found


async def test_reads_and_reads_again() -> None:
    async with LLRPEmulator(tags=TAGS, reads_per_sec=400) as emulator:
        for _ in range(2):  # the second time its ROSpec is found running
            reader = driver(emulator)
            began_us = now_us()
            found = await read(reader)
            assert {(each.epc, each.antenna) for each in found} == {(CASE, 1), (CASE, 2), (LONG, 3)}
            assert all(began_us - 1_000_000 < each.at_us <= now_us() for each in found)
            assert all(abs(each.rssi_dbm - (-60 if each.antenna == 3 else -50)) < 10 for each in found)
            assert all(902 < (each.channel_mhz or 0) < 928 for each in found)
            assert reader.detail == "Impinj model 700, firmware llrpkit-emu 0.1"
            assert reader.clock_offset_ms is not None
            assert abs(reader.clock_offset_ms) < 500


async def test_keepalives_keep_a_quiet_connection_and_inputs_are_seen() -> None:
    async with LLRPEmulator(tags=[]) as emulator, driver(emulator).open() as batches:
        reading = asyncio.ensure_future(take(batches))
        await asyncio.sleep(KEEPALIVES_MISSED * 0.5 + 0.5)  # longer than the silence that would end it
        assert not reading.done()
        assert emulator.keepalive_acks >= KEEPALIVES_MISSED
        await emulator.set_gpi(2, True)
        (trigger,) = await reading
        assert isinstance(trigger, Trigger)
        assert (trigger.gate, trigger.input, trigger.on) == ("dock-1", 2, True)


async def test_a_second_client_is_refused_and_the_first_reads_on() -> None:
    async with LLRPEmulator(tags=TAGS, reads_per_sec=400) as emulator, driver(emulator).open() as batches:
        await anext(batches)
        with pytest.raises(ReaderRefused, match="another client"):
            async with driver(emulator).open():
                pass
        for _ in range(20):
            await anext(batches)


async def test_an_emulator_that_stops_is_lost() -> None:
    async with LLRPEmulator(tags=TAGS) as emulator, driver(emulator).open() as batches:
        await anext(batches)
        await emulator.stop()
        with pytest.raises(ReaderLost):
            await take_all(batches)
