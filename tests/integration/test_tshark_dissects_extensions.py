"""Wireshark's dissector reads versions, Impinj's extensions, inputs and settings as they were meant: what our simulated
reader says, and what our driver tells a reader.

Two of Impinj's parameters are left out: this dissector takes the count of a TID's words for one of bytes, and does not
know the Doppler frequency. llrpkit and sllurp check those.
"""

from pathlib import Path
from typing import Any

import pytest

from edge.readers.llrp.air import plan
from edge.readers.llrp.config import LlrpConfig
from edge.readers.llrp.protocol.capabilities import Capabilities, Mode
from edge.readers.llrp.protocol.commands import full_config
from edge.readers.llrp.protocol.commands import message as told
from edge.readers.llrp.protocol.impinj import ENABLE_EXTENSIONS
from edge.readers.llrp.protocol.types import Type
from edge.readers.llrp.rospec import body_of
from simulators.llrp.parse import Cutter
from simulators.llrp.reader import Reader
from simulators.llrp.single import KINDS
from tests.support.tshark import complaints, dissect, of_type, values

pytestmark = pytest.mark.timeout(60)

NOW_US = 1_763_802_000_123_456
EPC = bytes.fromhex("3074257BF7194E4000001A85")
ABLE = Capabilities(
    maker=25882, antennas=2, gpis=2, powers_centi_dbm={1: 1000, 2: 2000, 3: 3000},
    tables_khz={0: (865_700, 866_300)}, modes={7: Mode(6250, 25_000)},
)  # fmt: skip


def add_rospec(**settings: Any) -> bytes:
    config = LlrpConfig.model_validate({"driver": "llrp", "url": "tcp://192.0.2.1"} | settings)
    return told(Type.ADD_ROSPEC, 4, body_of(plan(config, ABLE, {}, extensions=True), 1))


class Said:
    """What a simulated reader of this kind says to commands."""

    def __init__(self, kind: str) -> None:
        self.reader = Reader(KINDS[kind]((1, 2), bytes(6)), lambda: NOW_US)
        self.messages = [self.reader.connect()]

    def say(self, *commands: bytes) -> None:
        for command in Cutter().receive(b"".join(commands)):
            self.messages += self.reader.receive(command)
        self.messages += self.reader.outgoing()


def test_what_a_reader_with_extensions_and_inputs_says(tmp_path: Path) -> None:
    said = Said("impinj")
    said.say(
        told(Type.CUSTOM_MESSAGE, 1, ENABLE_EXTENSIONS),
        told(Type.SET_READER_CONFIG, 2, full_config(5000, 2, hold=True)),
        add_rospec(),
        told(Type.ENABLE_ROSPEC, 5, bytes.fromhex("00000001")),
    )
    said.reader.sighted(EPC, 1, -55, 2, NOW_US)
    said.reader.set_input(2, high=True)
    said.reader.plug_antenna(2, connected=False)
    said.say(told(Type.GET_READER_CONFIG, 6, bytes.fromhex("0000 00 0000 0000")))
    packets = dissect(said.messages, tmp_path)
    # It forgets the two bytes of the count of a reader's id (tests/integration/test_tshark_dissects_our_reader.py).
    (miscounted,) = [complaints(packet) for packet in packets if complaints(packet)]
    assert miscounted == ["Incorrect length of parameter: 11 bytes decoded, but 13 bytes claimed."]
    (report,) = of_type(packets, 61)
    assert values(report, "llrp.param.impinj_param_type") == ["56", "57"]
    assert values(report, "llrp.param.rssi") == ["-5500"]
    assert 0 <= int(values(report, "llrp.param.phase_angle")[0]) < 4096
    (extended,) = of_type(packets, 1023)
    assert values(extended, "llrp.impinj.type") == ["22"]
    assert values(extended, "llrp.param.status_code") == ["0"]
    (gpi,) = [packet for packet in of_type(packets, 63) if values(packet, "llrp.param.gpi_event")]
    assert (values(gpi, "llrp.gpi_port"), values(gpi, "llrp.param.gpi_event")) == (["2"], ["1"])
    (cable,) = [packet for packet in of_type(packets, 63) if values(packet, "llrp.param.antenna_event_type")]
    assert (values(cable, "llrp.antenna_id"), values(cable, "llrp.param.antenna_event_type")) == (
        ["2"],
        ["0"],
    )
    (config,) = of_type(packets, 12)
    assert values(config, "llrp.param.gpi_config") == ["1", "1", "0", "0"]
    assert values(config, "llrp.param.gpi_state") == ["0", "1", "2", "2"]
    assert values(config, "llrp.param.tag_population") == ["32", "32"]
    assert values(config, "llrp.param.hold_events_and_reports") == ["1"]


def test_what_readers_of_1_1_and_without_a_clock_say(tmp_path: Path) -> None:
    newer, older = Said("1.1"), Said("uptime")
    newer.say(
        told(Type.GET_SUPPORTED_VERSION, 1, version=2), told(Type.SET_PROTOCOL_VERSION, 2, b"\x02", version=2)
    )
    packets = dissect(newer.messages + older.messages, tmp_path)
    assert not any(complaints(packet) for packet in packets)
    (supported,) = of_type(packets, 56)
    assert (values(supported, "llrp.cur_ver"), values(supported, "llrp.sup_ver")) == (["1"], ["2"])
    assert values(packets[-1], "llrp.tlv_type") == ["246", "129", "256"]
    assert values(packets[-1], "llrp.param.microseconds") == ["0"]


def test_what_our_driver_tells_a_reader(tmp_path: Path) -> None:
    packets = dissect(
        [
            told(Type.GET_SUPPORTED_VERSION, 1, version=2),
            told(Type.SET_PROTOCOL_VERSION, 2, b"\x02", version=2),
            told(Type.CUSTOM_MESSAGE, 3, ENABLE_EXTENSIONS),
            told(Type.SET_READER_CONFIG, 4, full_config(5000, 2, hold=True)),
            add_rospec(power_dbm={1: 20, 2: 30}, channel=2, mode=7, tari_us=12.5, session=2, population=200,
                       transit_ms=4000, search="focus", tid=True),
        ],
        tmp_path,
    )  # fmt: skip
    # It knows SET_PROTOCOL_VERSION, and does not step over its one byte.
    (miscounted,) = [complaints(packet) for packet in packets if complaints(packet)]
    assert miscounted == ["Incorrect length of message: 10 bytes decoded, but 11 bytes available."]
    (added,) = of_type(packets, 20)
    for name, expected in {
        "transmit_power": ["2", "3"], "channel_idx": ["2", "2"], "hop_table_id": ["0", "0"], "mode_idx": ["7", "7"],
        "tari": ["12500", "12500"], "session": ["2", "2"], "tag_population": ["200", "200"],
        "tag_transit_time": ["4000", "4000"], "impinj_search_mode": ["3", "3"],
        "impinj_serialized_tid_mode": ["1"], "impinj_rf_phase_mode": ["1"], "impinj_peak_rssi_mode": ["1"],
        "rospec_start_trig_type": ["1"], "rospec_stop_trig_type": ["0"], "ro_report_trig": ["2"],
    }.items():  # fmt: skip
        assert values(added, f"llrp.param.{name}") == expected, name
    assert values(added, "llrp.antenna_id") == ["1", "2"]
    (config,) = of_type(packets, 3)
    assert values(config, "llrp.gpi_port") == ["1", "2"]
    assert values(config, "llrp.param.keepalive_trig_type") == ["1"]
    (extensions,) = of_type(packets, 1023)
    assert values(extensions, "llrp.impinj.type") == ["21"]
