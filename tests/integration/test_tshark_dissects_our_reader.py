"""Wireshark's LLRP dissector reads every message of the simulated reader as it was meant, and finds none malformed."""

from typing import Any

import pytest

from simulators.llrp.about import About
from simulators.llrp.parse import Cutter
from simulators.llrp.reader import Reader
from tests.support.tshark import complaints, dissect, of_type, values

pytestmark = pytest.mark.xdist_group("tshark")  # one process makes what they share

NOW_US = 1_763_802_000_123_456
EPC = "3074257BF7194E4000001A85"

# Commands written out by hand: capabilities, configuration, keepalives with hold and antenna events, and an ROSpec
# of antennas 1 to 4 with an immediate start and a report of all fields on every tag.
COMMANDS = (
    "0401 0000000B 00000001 00",
    "0402 00000011 00000002 0000 00 0000 0000",
    "0403 00000024 00000003 00 00DC 0009 01 00001388 00E2 0005 80 00F4 000B 00F5 0007 0008 80",
    "0414 0000006C 00000004 00B1 0062 00000001 00 00 00B2 0012 00B3 0005 01 00B6 0009 00 00000000"
    "00B7 0034 0004 0001 0002 0003 0004 00B8 0009 00 00000000 00BA 001D 0001 01"
    "00DE 0016 0000 014A 0010 00 0150 000B 40 0020 00000000"
    "00ED 0012 02 0001 00EE 000B FFC0 015C 0005 C0",
    "0418 0000000E 00000005 00000001",
    "041A 0000000A 00000006",
    "0417 0000000E 00000007 00000009",
    "0428 0000000A 00000008",
    "040E 0000000A 00000009",
)

# This dissector shows the reader's id, a counted byte array whole and right, and then
# forgets the two bytes of the count when it adds up what it has read. Real readers write the count too.
MISCOUNTED_IDENTIFICATION = "Incorrect length of parameter: 11 bytes decoded, but 13 bytes claimed."


def said() -> list[bytes]:
    """Everything a reader says to these commands, and what it says unasked."""
    reader = Reader(About((1, 2, 3, 4), bytes.fromhex("020000000001")), lambda: NOW_US)
    messages = [reader.connect()]
    cutter = Cutter()
    for command in COMMANDS[:5]:
        for received in cutter.receive(bytes.fromhex(command)):
            messages += reader.receive(received)
    reader.sighted(bytes.fromhex(EPC), 3, -55, 2, NOW_US)
    reader.sighted(bytes.fromhex("E2001122"), 1, -70, 4, NOW_US + 1)
    reader.plug_antenna(2, connected=False)
    messages += reader.outgoing()
    for now_ms in (0.0, 5000.0):
        reader.tick(now_ms)
        if (keepalive := reader.keepalive()) is not None:
            messages.append(keepalive)
    for command in COMMANDS[5:]:
        for received in cutter.receive(bytes.fromhex(command)):
            messages += reader.receive(received)
    return messages


@pytest.fixture(scope="module")
def dissected(tmp_path_factory: pytest.TempPathFactory) -> list[dict[str, Any]]:
    """tshark's reading of each message: its LLRP layer as (name, value) pairs, nested."""
    return dissect(said(), tmp_path_factory.mktemp("tshark"))


@pytest.mark.timeout(60)
def test_every_message_is_llrp_and_none_is_malformed(dissected: list[dict[str, Any]]) -> None:
    messages = said()
    assert len(dissected) == len(messages)
    for packet, message in zip(dissected, messages, strict=True):
        kind = int(values(packet, "llrp.type")[0])
        assert complaints(packet) == ([MISCOUNTED_IDENTIFICATION] if kind == 12 else [])
        assert "llrp" in packet
        assert values(packet, "llrp.version") == ["1"]
        assert values(packet, "llrp.length") == [str(len(message))]
    kinds = [int(values(packet, "llrp.type")[0]) for packet in dissected]
    assert kinds == [63, 11, 12, 13, 30, 34, 61, 61, 63, 62, 36, 33, 100, 4]


@pytest.mark.timeout(60)
def test_the_tag_report_says_what_was_seen(dissected: list[dict[str, Any]]) -> None:
    first, second = of_type(dissected, 61)
    told = {name: values(first, f"llrp.param.{name}") for name in (
        "antenna_id", "peak_rssi", "channel_idx", "tag_count", "rospec_id", "spec_idx", "inventory_spec_id",
        "microseconds", "accessspec_id",
    )}  # fmt: skip
    assert "".join(values(first, "llrp.param.epc")).replace(":", "").upper() == EPC
    assert told["peak_rssi"] == [str(256 - 55)]  # this dissector shows the signed byte unsigned
    assert values(first, "llrp.antenna_id") + told["antenna_id"] == ["3"]
    assert told["channel_idx"] == ["2"]
    assert told["tag_count"] == ["1"]
    assert values(first, "llrp.rospec") + told["rospec_id"] == ["1"]
    assert told["spec_idx"] == ["1"]
    assert told["inventory_spec_id"] == ["1"]
    assert told["microseconds"] == [str(NOW_US)] * 2
    assert values(second, "llrp.param.length_bits") == ["32"]
    assert "".join(values(second, "llrp.param.epc")).replace(":", "") == "e2001122"


@pytest.mark.timeout(60)
def test_events_statuses_and_settings_read_as_meant(dissected: list[dict[str, Any]]) -> None:
    greeting, antenna = of_type(dissected, 63)
    assert values(greeting, "llrp.param.conn_status") == ["0"]
    assert values(greeting, "llrp.param.microseconds") == [str(NOW_US)]
    assert values(antenna, "llrp.param.antenna_event_type") == ["0"]
    assert values(antenna, "llrp.antenna_id") == ["2"]
    statuses = {
        kind: values(of_type(dissected, kind)[0], "llrp.param.status_code")[0]
        for kind in (11, 12, 13, 30, 34, 36, 33, 100, 4)
    }
    assert statuses == {11: "0", 12: "0", 13: "0", 30: "0", 34: "0", 36: "0", 33: "101", 100: "109", 4: "0"}
    (rospecs,) = of_type(dissected, 36)
    assert values(rospecs, "llrp.param.cur_state") == ["2"]


@pytest.mark.timeout(60)
def test_capabilities_and_configuration_read_as_meant(dissected: list[dict[str, Any]]) -> None:
    (able,) = of_type(dissected, 11)
    assert values(able, "llrp.param.max_supported_antenna") == ["4"]
    assert values(able, "llrp.param.has_utc_clock") == ["1"]
    assert values(able, "llrp.param.support_holding") == ["1"]
    assert values(able, "llrp.param.firmware_version") == ["simulated 1.0"]
    assert values(able, "llrp.param.max_num_rospec") == ["16"]
    assert values(able, "llrp.param.transmit_power") == ["3000"]
    assert values(able, "llrp.param.hopping") == ["0"]
    (config,) = of_type(dissected, 12)
    assert values(config, "llrp.param.reader_id") == ["02:00:00:00:00:01"]
    assert values(config, "llrp.param.antenna_connected") == ["1"] * 4
    assert values(config, "llrp.param.hold_events_and_reports") == ["0"]
    assert values(config, "llrp.param.keepalive_trig_type") == ["0"]
