"""The reader's bytes are LLRP's: literal messages in, literal messages out.

Written out by hand from LLRP 1.1, section 17, or taken from other makers' programs; none comes from our own encoder.
"""

import struct
from collections.abc import Iterator

import pytest

from simulators.errors import Malformed
from simulators.llrp.about import About
from simulators.llrp.parse import Cutter
from simulators.llrp.reader import Reader
from simulators.llrp.reports import crc_16

FIRST_US = 0x0006442AB0747000
LAST_US = 0x0006442AB07C1120  # half a second later
EPC = bytes.fromhex("3074257BF7194E4000001A85")

# ADD_ROSPEC as llrpkit 0.3.0 builds it: id 1, antennas 1 to 4, null start and stop, a report on every tag.
ADD_ROSPEC = bytes.fromhex(
    "0414 0000 006C 0000 000A 00B1 0062 0000 0001 0000 00B2 0012 00B3 0005 0000 B600 0900 0000 0000 00B7 0034 0004"
    "0001 0002 0003 0004 00B8 0009 0000 0000 0000 BA00 1D00 0101 00DE 0016 0000 014A 0010 0001 5000 0B40 0020 0000"
    "0000 00ED 0012 0200 0100 EE00 0B1F 8001 5C00 0500"
)
ENABLE_EVENTS_AND_REPORTS = bytes.fromhex("0440 0000000A 00000063")
SUCCESS = "011F 0008 0000 0000"
REPORT_OF_ONE = (
    "8D 3074257BF7194E4000001A85 81 0001 86 C9 87 0007 82 0006442AB0747000 84 0006442AB0747000 88 0001"
)


def command(kind: int, body: str = "", message_id: int = 7) -> bytes:
    data = bytes.fromhex(body)
    return struct.pack("!HII", 0x0400 | kind, 10 + len(data), message_id) + data


def answer(kind: int, body: str, message_id: int = 7) -> bytes:
    return command(kind, body, message_id)


class Bench:
    """A reader with a client, and a clock that stands where it is put."""

    def __init__(self, most_held: int = 50_000) -> None:
        self.now_us = FIRST_US
        self.reader = Reader(
            About((1, 2, 3, 4), bytes.fromhex("020000000001")), lambda: self.now_us, most_held=most_held
        )
        self.greeting = self.reader.connect()
        self._cutter = Cutter()

    def say(self, data: bytes) -> bytes:
        return b"".join(
            reply for message in self._cutter.receive(data) for reply in self.reader.receive(message)
        )

    def start(self) -> None:
        assert self.say(ADD_ROSPEC) == answer(30, SUCCESS, 10)
        assert self.say(command(24, "00000001")) == answer(34, SUCCESS)
        assert self.say(command(22, "00000001")) == answer(32, SUCCESS)

    def see(self, antenna: int = 1, *, rssi: int = -55, epc: bytes = EPC, at_us: int = FIRST_US) -> None:
        self.reader.sighted(epc, antenna, rssi, 7, at_us)

    def unasked(self) -> bytes:
        return b"".join(self.reader.outgoing())


@pytest.fixture
def bench() -> Bench:
    return Bench()


def status_of(reply: bytes) -> tuple[int, int]:
    """Message type and status code of a response whose first parameter is LLRPStatus."""
    head, _, _, parameter, _, code = struct.unpack_from("!HIIHHH", reply)
    assert parameter == 287
    return head & 0x3FF, code


def test_greets_with_the_connection_event(bench: Bench) -> None:
    assert bench.greeting == bytes.fromhex(
        "043F 00000020 00000000 00F6 0016 0080 000C 0006442AB0747000 0100 0006 0000"
    )


def test_tells_a_second_client_that_there_is_one(bench: Bench) -> None:
    assert bench.reader.refuse() == bytes.fromhex(
        "043F 00000020 00000001 00F6 0016 0080 000C 0006442AB0747000 0100 0006 0002"
    )


def test_reports_every_tag_as_asked(bench: Bench) -> None:
    bench.start()
    bench.see()
    assert bench.unasked() == bytes.fromhex("043D 00000038 00000001 00F0 002E" + REPORT_OF_ONE)
    assert bench.unasked() == b""


def test_commands_byte_by_byte(bench: Bench) -> None:
    whole = ADD_ROSPEC + command(24, "00000001") + command(22, "00000001")
    replies = b"".join(bench.say(bytes([byte])) for byte in whole)
    assert replies == answer(30, SUCCESS, 10) + answer(34, SUCCESS) + answer(32, SUCCESS)


def test_gathers_reads_of_a_tag_until_the_end_of_the_rospec(bench: Bench) -> None:
    bench.say(ADD_ROSPEC.replace(bytes.fromhex("00ED 0012 02 0001"), bytes.fromhex("00ED 0012 02 0000")))
    bench.say(command(24, "00000001") + command(22, "00000001"))
    for rssi, at_us in ((-60, FIRST_US), (-55, FIRST_US + 100_000), (-58, LAST_US)):
        bench.see(rssi=rssi, at_us=at_us)
    assert bench.unasked() == b""
    assert bench.say(command(23, "00000001")) == answer(33, SUCCESS)
    assert bench.unasked() == bytes.fromhex(
        "043D 00000038 00000001 00F0002E 8D 3074257BF7194E4000001A85 81 0001 86 C9 87 0007"
        "82 0006442AB0747000 84 0006442AB07C1120 88 0003"
    )


def test_reads_on_two_antennas_are_two_entries_when_antennas_are_asked_for(bench: Bench) -> None:
    bench.say(ADD_ROSPEC.replace(bytes.fromhex("00ED 0012 02 0001"), bytes.fromhex("00ED 0012 02 0002")))
    bench.say(command(24, "00000001") + command(22, "00000001"))
    bench.see(1)
    assert bench.unasked() == b""
    bench.see(2)
    assert bench.unasked().count(EPC) == 2


def test_leaves_out_what_was_not_asked_for(bench: Bench) -> None:
    bench.say(ADD_ROSPEC.replace(bytes.fromhex("1F80"), bytes.fromhex("1000")))
    bench.say(command(24, "00000001") + command(22, "00000001"))
    bench.see(3)
    assert bench.unasked() == bytes.fromhex(
        "043D 0000001E 00000001 00F0 0014 8D 3074257BF7194E4000001A85 81 0003"
    )


def test_says_all_that_can_be_asked_for(bench: Bench) -> None:
    # All ten fields, then PC and CRC from the EPC memory selector.
    bench.say(
        ADD_ROSPEC.replace(
            bytes.fromhex("00EE 000B 1F80 015C 0005 00"), bytes.fromhex("00EE 000B FFC0 015C 0005 C0")
        )
    )
    bench.say(command(24, "00000001") + command(22, "00000001"))
    bench.see()
    crc = f"{crc_16(bytes.fromhex('3000') + EPC):04X}"
    assert bench.unasked()[14:] == bytes.fromhex(
        "8D 3074257BF7194E4000001A85 89 00000001 8E 0001 8A 0001 81 0001 86 C9 87 0007"
        f"82 0006442AB0747000 84 0006442AB0747000 88 0001 8C 3000 8B {crc} 90 00000000"
    )


def test_the_crc_is_the_one_that_tags_keep() -> None:
    # As an M100 module reported it: PC 3400, EPC 30751FEB705C5904E3D50D70, CRC 3A76.
    assert crc_16(bytes.fromhex("3400 30751FEB705C5904E3D50D70")) == 0x3A76


def test_an_epc_of_another_length_is_counted_in_bits(bench: Bench) -> None:
    bench.start()
    bench.see(epc=bytes.fromhex("E2001122"))
    assert bytes.fromhex("00F1 000A 0020 E2001122 81") in bench.unasked()


def test_reads_nothing_before_it_is_told_nor_on_an_antenna_without_cable(bench: Bench) -> None:
    bench.see()
    bench.say(ADD_ROSPEC + command(24, "00000001"))
    bench.see()
    bench.say(command(22, "00000001"))
    bench.reader.plug_antenna(2, connected=False)
    bench.see(2)
    assert bench.unasked() == b""
    bench.see(1)
    assert bench.unasked() != b""


def test_an_immediate_start_begins_on_enable(bench: Bench) -> None:
    bench.say(ADD_ROSPEC.replace(bytes.fromhex("00B3 0005 00"), bytes.fromhex("00B3 0005 01")))
    bench.say(command(24, "00000001"))
    assert bench.reader.reading
    assert status_of(bench.say(command(22, "00000001"))) == (32, 0)


def test_a_duration_ends_the_rospec(bench: Bench) -> None:
    bench.say(
        ADD_ROSPEC.replace(bytes.fromhex("00B6 0009 00 00000000"), bytes.fromhex("00B6 0009 01 000003E8"))
    )
    bench.say(command(24, "00000001") + command(22, "00000001"))
    bench.reader.tick(999.0)
    assert bench.reader.reading
    bench.reader.tick(1000.0)
    assert not bench.reader.reading


def test_lists_its_rospecs_with_their_states(bench: Bench) -> None:
    bench.say(ADD_ROSPEC)
    rospec = ADD_ROSPEC[10:].hex()
    assert bench.say(command(26)) == answer(36, SUCCESS + rospec)
    bench.say(command(24, "00000001"))
    assert bench.say(command(26))[18 + 9] == 1
    bench.say(command(22, "00000001"))
    assert bench.say(command(26))[18 + 9] == 2
    bench.say(command(25, "00000001"))
    assert bench.say(command(26))[18 + 9] == 0
    assert bench.say(command(21, "00000000")) == answer(31, SUCCESS)
    assert bench.say(command(26)) == answer(36, SUCCESS)


@pytest.mark.parametrize(
    "data, kind, code",
    [
        (ADD_ROSPEC.replace(bytes.fromhex("00B1 0062 00000001"), bytes.fromhex("00B1 0062 00000000")), 30, 101),
        (ADD_ROSPEC.replace(bytes.fromhex("00B3 0005 00"), bytes.fromhex("00B3 0005 03")), 30, 100),
        (ADD_ROSPEC.replace(bytes.fromhex("0001 0002 0003 0004"), bytes.fromhex("0001 0002 0003 0009")), 30, 100),
        (ADD_ROSPEC.replace(bytes.fromhex("00B2 0012"), bytes.fromhex("0041 0012")), 30, 100),
        (ADD_ROSPEC.replace(bytes.fromhex("00B2 0012"), bytes.fromhex("00B2 FFFF")), 30, 100),
        (ADD_ROSPEC.replace(bytes.fromhex("00ED 0012 02"), bytes.fromhex("00ED 0012 05")), 30, 100),
        (command(20), 30, 103),
        (command(20, "00B1 0009 00000002 00"), 30, 100),
        (command(20, "00B1 000A 00000002 00 00"), 30, 103),
        (command(22, "00000001"), 32, 101),
        (command(23, "00000001"), 33, 101),
        (command(24, "00000005"), 34, 101),
        (command(25, "00000005"), 35, 101),
        (command(21, "00000005"), 31, 101),
        (command(21, "00"), 31, 100),
        (command(41, "00000003"), 51, 101),
        (command(1, "09"), 11, 101),
        (command(2, "0000 0C 0000 0000"), 12, 101),
        (command(2, "0009 00 0000 0000"), 12, 101),
        (command(3, "00 00DC 0009 01 00000000"), 13, 100),
        (command(3, "00 00F4 000B 00F5 0007 0063 80"), 13, 100),
        (command(3, "00 03FF 000C 0000651A 00000001"), 13, 100),
        (command(40), 100, 109),
        (bytes.fromhex("082E 0000000A 00000007"), 100, 110),
    ],
)  # fmt: skip
def test_refuses_what_is_wrong_and_goes_on(bench: Bench, data: bytes, kind: int, code: int) -> None:
    assert status_of(bench.say(data)) == (kind, code)
    bench.start()
    bench.see()
    assert bench.unasked() != b""


def test_a_refusal_names_its_parameter(bench: Bench) -> None:
    reply = bench.say(ADD_ROSPEC.replace(bytes.fromhex("00B3 0005 00"), bytes.fromhex("00B3 0005 03")))
    assert reply.endswith(
        bytes.fromhex("0121 0008 00B3 006F")
    )  # ParameterError: type 179, M_UnsupportedParameter
    assert b"only null and immediate" in reply


def test_the_same_rospec_twice_is_refused(bench: Bench) -> None:
    bench.say(ADD_ROSPEC)
    assert status_of(bench.say(ADD_ROSPEC)) == (30, 101)


def test_a_wrong_length_cannot_be_recovered_from(bench: Bench) -> None:
    with pytest.raises(Malformed, match="message of 9 bytes"):
        bench.say(bytes.fromhex("0401 00000009 00000001"))


def test_delete_all_access_specs_is_always_right(bench: Bench) -> None:
    assert bench.say(command(41, "00000000")) == answer(51, SUCCESS)


def test_enable_events_and_reports_has_no_answer(bench: Bench) -> None:
    assert bench.say(ENABLE_EVENTS_AND_REPORTS) == b""


def test_keeps_what_it_is_told(bench: Bench) -> None:
    # KeepaliveSpec every 5 s, hold on reconnect, antenna events on.
    assert bench.say(
        command(3, "00 00DC 0009 01 00001388 00E2 0005 80 00F4 000B 00F5 0007 0008 80")
    ) == answer(13, SUCCESS)
    assert bench.say(command(2, "0000 08 0000 0000")) == answer(12, SUCCESS + "00DC 0009 01 00001388")
    assert bench.say(command(2, "0000 0B 0000 0000")) == answer(12, SUCCESS + "00E2 0005 80")
    assert bytes.fromhex("00F5 0007 0008 80") in bench.say(command(2, "0000 05 0000 0000"))
    bench.say(command(3, "80"))  # reset to factory default
    assert bench.say(command(2, "0000 08 0000 0000")) == answer(12, SUCCESS + "00DC 0009 00 00000000")
    assert bench.say(command(2, "0000 0B 0000 0000")) == answer(12, SUCCESS + "00E2 0005 00")


def test_a_wrong_configuration_changes_nothing(bench: Bench) -> None:
    assert status_of(bench.say(command(3, "00 00E2 0005 80 00DC 0009 01 00000000"))) == (13, 100)
    assert bench.say(command(2, "0000 0B 0000 0000")) == answer(12, SUCCESS + "00E2 0005 00")


def test_asks_whether_the_client_lives(bench: Bench) -> None:
    bench.say(command(3, "00 00DC 0009 01 00001388"))
    assert bench.reader.keepalive() is None
    bench.reader.tick(4999.0)
    assert bench.reader.keepalive() is None
    bench.reader.tick(5000.0)
    assert bench.reader.keepalive() == bytes.fromhex("043E 0000000A 00000001")
    assert bench.reader.keepalive() is None
    for beat in range(2, 5):
        bench.reader.tick(5000.0 * beat)
        assert bench.reader.keepalive() is not None
    assert bench.reader.client_is_dead
    bench.say(bytes.fromhex("0448 0000000A 00000004"))
    assert not bench.reader.client_is_dead


def test_tells_of_an_antenna_without_cable_when_asked(bench: Bench) -> None:
    bench.reader.plug_antenna(2, connected=False)
    assert bench.unasked() == b""
    bench.reader.plug_antenna(2, connected=True)
    bench.say(command(3, "00 00F4 000B 00F5 0007 0008 80"))
    bench.reader.plug_antenna(2, connected=False)
    assert bench.unasked()[10:] == bytes.fromhex("00F60017 0080000C0006442AB0747000 00FF 0007 00 0002")
    assert bytes.fromhex("00DD 0009 00 0002 0258") in bench.say(command(2, "0000 02 0000 0000"))


def test_goes_on_reading_alone_and_holds_it_for_the_next_client(bench: Bench) -> None:
    bench.say(command(3, "00 00E2 0005 80"))
    bench.start()
    bench.reader.disconnect()
    bench.see()
    assert bench.unasked() == b""
    bench.now_us = LAST_US
    bench.reader.connect()
    assert bench.unasked() == b""
    bench.say(ENABLE_EVENTS_AND_REPORTS)
    assert bench.unasked()[10:] == bytes.fromhex("00F0 002E" + REPORT_OF_ONE)  # with its own time


def test_without_hold_the_next_client_has_it_at_once(bench: Bench) -> None:
    bench.start()
    bench.reader.disconnect()
    bench.see()
    bench.reader.connect()
    assert EPC in bench.unasked()


def test_what_is_held_outlives_its_rospec(bench: Bench) -> None:
    bench.start()
    bench.reader.disconnect()
    bench.see()
    bench.reader.connect()
    bench.say(command(21, "00000000"))
    assert EPC in bench.unasked()


def test_a_full_buffer_takes_no_more_and_says_so() -> None:
    bench = Bench(most_held=10)
    bench.say(command(3, "00 00E2 0005 80 00F4 000B 00F5 0007 0003 80"))
    bench.start()
    bench.reader.disconnect()
    for _ in range(15):
        bench.see()
    bench.reader.connect()
    bench.say(ENABLE_EVENTS_AND_REPORTS)
    said = bench.unasked()
    assert said.count(EPC) == 10
    assert said.count(bytes.fromhex("00FA 0005 5A")) == 1  # warned at 90 %
    assert said.count(bytes.fromhex("00FB 0004")) == 1


def test_get_report_brings_what_is_gathered(bench: Bench) -> None:
    bench.say(ADD_ROSPEC.replace(bytes.fromhex("00ED 0012 02 0001"), bytes.fromhex("00ED 0012 00 0000")))
    bench.say(command(24, "00000001") + command(22, "00000001"))
    bench.see()
    bench.see()
    assert bench.unasked() == b""
    assert bench.say(command(60)).endswith(bytes.fromhex("88 0002"))


def test_says_what_it_can_do(bench: Bench) -> None:
    reply = bench.say(command(1, "00"))
    assert reply[10:18] == bytes.fromhex(SUCCESS)
    # GeneralDeviceCapabilities: 4 antennas, a UTC clock; LLRPCapabilities: warns and holds.
    assert reply[18:20] == bytes.fromhex("0089")
    assert reply[22:26] == bytes.fromhex("0004 4000")
    assert bytes.fromhex("008E 001C 48") in reply


def counted(stream: Iterator[bytes]) -> int:
    return sum(1 for _ in stream)


def test_tag_observation_ends_an_inventory_and_an_immediate_start_begins_it_again(bench: Bench) -> None:
    # AISpecStopTrigger 3 with TagObservationTrigger: upon 2 tags, no timeout; the lengths around it grow by 16.
    data = (
        ADD_ROSPEC.replace(bytes.fromhex("0414 0000006C"), bytes.fromhex("0414 0000007C"))
        .replace(bytes.fromhex("00B1 0062"), bytes.fromhex("00B1 0072"))
        .replace(bytes.fromhex("00B3 0005 00"), bytes.fromhex("00B3 0005 01"))
        .replace(bytes.fromhex("00B7 0034"), bytes.fromhex("00B7 0044"))
        .replace(
            bytes.fromhex("00B8 0009 00 00000000"),
            bytes.fromhex("00B8 0019 03 00000000 00B9 0010 00 00 0002 0000 0000 00000000"),
        )
        .replace(bytes.fromhex("00ED 0012 02 0001"), bytes.fromhex("00ED 0012 01 0000"))
    )
    assert status_of(bench.say(data + command(24, "00000001"))) == (30, 0)
    bench.see()
    bench.see(epc=EPC[::-1])
    assert counted(bench.reader.outgoing()) == 1
    assert bench.reader.reading
