"""What we send, byte for byte, and what readers answer. Bytes by LLRP 1.1, section 17, unless said otherwise."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge.errors import ProtocolError
from edge.readers.llrp.protocol.answers import Status, rospecs, status
from edge.readers.llrp.protocol.capabilities import Capabilities, capabilities
from edge.readers.llrp.protocol.commands import (
    add_rospec,
    antenna_configuration,
    full_config,
    inventory_command,
    keepalive_config,
    message,
    rospec_id,
    singulation_control,
)
from edge.readers.llrp.protocol.events import event
from edge.readers.llrp.protocol.types import Type

OK = "011F 0008 0000 0000"


def test_a_command_without_a_body() -> None:
    assert message(Type.ENABLE_EVENTS_AND_REPORTS, 9) == bytes.fromhex("0440 0000000A 00000009")
    assert message(Type.KEEPALIVE_ACK, 5) == bytes.fromhex("0448 0000000A 00000005")


def test_a_command_about_one_rospec() -> None:
    sent = message(Type.ENABLE_ROSPEC, 2, rospec_id(1))
    assert sent == bytes.fromhex("0418 0000000E 00000002 00000001")


def test_add_rospec_reads_all_antennas_for_ever_and_reports_each_tag() -> None:
    assert message(Type.ADD_ROSPEC, 10, add_rospec(1, (0,))) == bytes.fromhex(
        "0414 00000050 0000000A"
        "00B1 0046 00000001 00 00"  # ROSpec 1, priority 0, disabled
        "00B2 0012 00B3 0005 01 00B6 0009 00 00000000"  # starts at once, never stops
        "00B7 0018 0001 0000 00B8 0009 00 00000000 00BA 0007 0001 01"  # AISpec: antenna 0 is all; Gen2
        "00ED 0012 02 0001 00EE 000B 1F80 015C 0005 00"  # report after every tag, with what we ask for
    )


def test_add_rospec_in_a_session() -> None:
    session_2 = "00DE 0016 0000 014A 0010 00 0150 000B 80 0020 00000000"
    assert bytes.fromhex("00BA 001D 0001 01" + session_2) in add_rospec(
        1, (0,), antenna_configuration(0, inventory_command(singulation_control(2, 32, 0)))
    )


def test_configuration_switches_on_keepalives_events_inputs_and_holding() -> None:
    assert keepalive_config(5000) == bytes.fromhex("00 00DC 0009 01 00001388")
    assert full_config(5000, 2, hold=True) == bytes.fromhex(
        "00 00DC 0009 01 00001388"
        "00F4 0043"
        "00F5 0007 0000 00  00F5 0007 0001 80  00F5 0007 0002 80  00F5 0007 0003 80  00F5 0007 0004 80"
        "00F5 0007 0005 00  00F5 0007 0006 00  00F5 0007 0007 00  00F5 0007 0008 80"
        "00E1 0008 0001 80 02  00E1 0008 0002 80 02"
        "00E2 0005 80"
    )
    assert full_config(5000, 0, hold=False).endswith(bytes.fromhex("00E2 0005 00"))


def test_status() -> None:
    assert status(bytes.fromhex(OK)) == Status(0, "")
    refused = bytes.fromhex("011F 000F 0064 0003 62 61 64 0000 0000")[:15]
    assert status(refused) == Status(100, "bad")
    assert str(status(refused)) == "status 100, 'bad'"
    assert not status(refused).ok


@pytest.mark.parametrize("body", ["", "00F6 0004", "011F 0006 0000", "011F 0008 0000 0001"])
def test_an_answer_without_a_readable_status_is_refused(body: str) -> None:
    with pytest.raises(ProtocolError):
        status(bytes.fromhex(body))


def test_a_text_from_a_device_is_made_fit_for_a_log() -> None:
    text = b"a\x1b[31m\n" + b"x" * 300
    size = len(text)
    body = (
        bytes.fromhex("011F") + (8 + size).to_bytes(2, "big") + b"\x00\x64" + size.to_bytes(2, "big") + text
    )
    assert status(body).text == "a?[31m?" + "x" * 193


def test_capabilities() -> None:
    device = bytes.fromhex("0089 001E 0004 4000 0000651A 001E886A 0004 352E3134 008D 0008 0004 0004")
    llrp = bytes.fromhex("008E 001C 48 01 0000 00000001 00000020 00000001 000005E4 00000008")
    hops = bytes.fromhex("0092 0015 80 0093 0010 01 00 0002 000DC6CE 000DC8C2")
    bands = bytes.fromhex("008F 0021 0348 0001 0090 0019") + hops
    body = bytes.fromhex(OK) + device + llrp + bands
    assert capabilities(body) == Capabilities(
        maker=25882,
        detail="Impinj model 2001002, firmware 5.14",
        antennas=4,
        has_utc=True,
        gpis=4,
        holds=True,
        hops=True,
        tables_khz={1: (902862, 903362)},
    )
    assert capabilities(body).frequencies_khz == (902862, 903362)


def test_fixed_frequencies_and_a_reader_that_cannot_hold() -> None:
    llrp = bytes.fromhex("008E 001C 40 01 0000 00000001 00000020 00000001 000005E4 00000008")
    fixed = bytes.fromhex("008F 001B 0348 0001 0090 0013 0092 000F 00 0094 000A 0001 000D3650")
    assert capabilities(bytes.fromhex(OK) + llrp + fixed) == Capabilities(tables_khz={0: (865872,)})


def test_rospecs() -> None:
    one = bytes.fromhex("00B1 000A 00000001 00 02")
    two = bytes.fromhex("00B1 000A 00000007 00 00")
    assert rospecs(bytes.fromhex(OK) + one + two) == {1: 2, 7: 0}
    assert rospecs(bytes.fromhex(OK)) == {}


def test_an_exception_event_has_the_readers_words() -> None:
    told = event(bytes.fromhex("00F6 0019 0080 000C 0006442AB0747000 00FC 0009 0003 686F74"))
    assert told.exceptions == ("hot",)


@given(st.binary(max_size=80), st.sampled_from([status, capabilities, rospecs, event]))
def test_random_answers_raise_protocol_errors_alone(body: bytes, reads: object) -> None:
    assert callable(reads)
    for front in (
        b"",
        bytes.fromhex("00F6 0020"),
        bytes.fromhex("0089 0030"),
        bytes.fromhex("008F 0028 0000 0000"),
    ):
        try:
            reads(front + body)
        except ProtocolError:
            continue
