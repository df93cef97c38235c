"""Our driver and another project's reader emulator, which agree on nothing but the standard."""

import asyncio
import time
from collections.abc import AsyncIterator, Sequence
from typing import Any

import pytest
from llrpkit.emulator import EmulatedTag, LLRPEmulator
from llrpkit.inventory import TagReport, build_rospec
from llrpkit.protocol import impinj, messages
from llrpkit.protocol.codec import decode_message

from edge.errors import ReaderLost, ReaderRefused
from edge.readers.llrp.config import LlrpConfig
from edge.readers.llrp.reader import KEEPALIVES_MISSED, LlrpReader
from edge.reads import Antenna, Read, TagRead, Trigger
from simulators.llrp.parse import Cutter
from simulators.llrp.reader import Reader as SimulatedReader
from simulators.llrp.single import KINDS

CASE = "3074257BF7194E4000001A85"
LONG = "3674257BF6B7A659B2C2BF100000000000000000000000000000"
TAGS = [
    EmulatedTag(epc=bytes.fromhex(CASE), antennas=(1, 2), rssi_dbm=-50.0),
    EmulatedTag(epc=bytes.fromhex(LONG), antennas=(3,), rssi_dbm=-60.0),
]
WANTED = 200


def now_us() -> int:
    return time.time_ns() // 1000


def driver(emulator: LLRPEmulator, **settings: Any) -> LlrpReader:
    config = LlrpConfig(driver="llrp", url=f"tcp://127.0.0.1:{emulator.port}", keepalive_s=0.5, **settings)
    return LlrpReader(config, "dock-1", now_us)


async def take(batches: AsyncIterator[Sequence[Read]]) -> Sequence[Read]:
    """The next reads; an empty batch only says that the reader is alive."""
    while True:
        if reads := await anext(batches):
            return reads


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


async def test_its_extensions_give_phase_fine_strength_and_tids() -> None:
    async with LLRPEmulator(tags=TAGS, reads_per_sec=400) as emulator:
        found = await read(driver(emulator, tid=True, search="dual"))
        assert all(0 <= (each.phase_deg or 0) < 360 for each in found)
        assert len({each.phase_deg for each in found}) > 50
        assert any(each.rssi_dbm != round(each.rssi_dbm) for each in found)
        tids = {(each.epc, each.tid) for each in found}
        assert len(tids) == 2
        assert all(tid and len(tid) >= 24 for _, tid in tids)


async def test_its_antennas_and_powers_are_taken_and_told() -> None:
    async with LLRPEmulator(tags=TAGS, reads_per_sec=400) as emulator:
        async with driver(
            emulator, antennas=[1, 2], power_dbm={1: 28.0, 2: 30.0}, session=1
        ).open() as batches:
            await emulator.set_antenna_connected(2, False)
            seen: list[Read] = []
            while not any(isinstance(each, Antenna) for each in seen) or len(seen) < 50:
                seen += await anext(batches)
        (cable,) = [each for each in seen if isinstance(each, Antenna)]
        assert (cable.gate, cable.antenna, cable.connected) == ("dock-1", 2, False)
        assert {each.antenna for each in seen if isinstance(each, TagRead)} <= {1, 2}
        with pytest.raises(ReaderRefused, match=r"power_dbm 33 is asked for; the reader has 10 to 30"):
            async with driver(emulator, power_dbm=33).open():
                pass


def test_it_reads_what_our_simulated_reader_says_of_a_tag() -> None:
    """TID and Doppler, too, which other dissectors do not know."""
    reader = SimulatedReader(KINDS["impinj"]((1, 2), bytes(6)), lambda: 1_763_802_000_123_456)
    reader.connect()
    switches = [
        impinj.ImpinjTagReportContentSelector(
            impinj_enable_serialized_t_id=impinj.ImpinjEnableSerializedTID(serialized_t_id_mode=1),
            impinj_enable_rf_phase_angle=impinj.ImpinjEnableRFPhaseAngle(rf_phase_angle_mode=1),
            impinj_enable_peak_rssi=impinj.ImpinjEnablePeakRSSI(peak_rssi_mode=1),
            impinj_enable_rf_doppler_frequency=impinj.ImpinjEnableRFDopplerFrequency(
                rf_doppler_frequency_mode=1
            ),
        )
    ]
    rospec = build_rospec(ro_spec_id=1, antennas=[1, 2])
    assert rospec.ro_report_spec is not None
    rospec.ro_report_spec.custom = list(switches)
    for command in (
        impinj.IMPINJ_ENABLE_EXTENSIONS(),
        messages.ADD_ROSPEC(ro_spec=rospec),
        messages.ENABLE_ROSPEC(ro_spec_id=1),
        messages.START_ROSPEC(ro_spec_id=1),
    ):
        for received in Cutter().receive(command.to_bytes(message_id=5)):
            (reply,) = [decode_message(each) for each in reader.receive(received)]
            assert int(reply.llrp_status.status_code) == 0, command  # type: ignore[attr-defined]  # all replies have
    reader.sighted(bytes.fromhex(CASE), 2, -55, 3, 1_763_802_000_123_456)
    (report,) = [decode_message(each) for each in reader.outgoing()]
    assert isinstance(report, messages.RO_ACCESS_REPORT)
    tag = TagReport.from_param(report.tag_report_datas[0])
    assert (tag.epc.hex().upper(), tag.antenna, tag.rssi_dbm, tag.doppler_hz) == (CASE, 2, -55.0, 0.0)
    assert tag.phase_deg is not None
    assert tag.tid is not None
    assert tag.tid.hex().startswith("e2801160")
    assert len(tag.tid) == 12
