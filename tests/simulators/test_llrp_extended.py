"""Versions, extensions, inputs, clocks and faults of the simulated reader, in literal messages.

Written out by hand from LLRP 1.1, section 17, and Impinj's Octane LLRP extensions; none comes from our own encoder.
"""

import asyncio
import struct

import pytest

from simulators.llrp.about import About
from simulators.llrp.clock import MADE_US
from simulators.llrp.faults import suffer
from simulators.llrp.parse import Cutter
from simulators.llrp.reader import Reader
from simulators.llrp.single import KINDS, order
from simulators.trouble import FAULTS

NOW_US = 0x0006442AB0747000
EPC = bytes.fromhex("3074257BF7194E4000001A85")
OK = "011F 0008 0000 0000"
RELEASE = bytes.fromhex("0440 0000000A 00000063")
ENABLE_EXTENSIONS = bytes.fromhex("07FF 00000013 00000007 0000651A 15 00000000")


def message(kind: int, body: str = "", version: int = 1) -> bytes:
    data = bytes.fromhex(body)
    return struct.pack("!HII", version << 10 | kind, 10 + len(data), 7) + data


# ADD_ROSPEC 1 on all antennas, immediate, a report of AntennaID and PeakRSSI on every tag; {} is what else it is told.
def add_rospec(told: str = "", selector: str = "") -> bytes:
    def tlv(kind: int, body: bytes) -> bytes:
        return struct.pack("!HH", kind, 4 + len(body)) + body

    told_bytes, selector_bytes = bytes.fromhex(told), bytes.fromhex(selector)
    boundary = bytes.fromhex("00B2 0012 00B3 0005 01 00B6 0009 00 00000000")
    inventory = tlv(186, bytes.fromhex("0001 01") + told_bytes)
    scan = tlv(183, bytes.fromhex("0001 0000 00B8 0009 00 00000000") + inventory)
    report = tlv(237, bytes.fromhex("02 0001 00EE 000B 1400 015C 0005 00") + selector_bytes)
    return message(20, tlv(177, bytes.fromhex("00000001 00 00") + boundary + scan + report).hex())


class Bench:
    def __init__(self, kind: str = "plain", *, refuses_extensions: bool = False) -> None:
        about = KINDS[kind]((1, 2), bytes.fromhex("020000000001"))
        if refuses_extensions:
            about = About((1, 2), b"\x02", impinj=True, refuses_extensions=True)
        self.now_us = NOW_US
        self.reader = Reader(about, lambda: self.now_us)
        self.reader.connect()
        self._cutter = Cutter()

    def say(self, *data: bytes) -> bytes:
        return b"".join(
            reply for each in self._cutter.receive(b"".join(data)) for reply in self.reader.receive(each)
        )

    def see(self, *, start: bool = False) -> bytes:
        """What is told of one tag, or of anything."""
        if start:
            self.say(add_rospec(), message(24, "00000001"))
        self.reader.sighted(EPC, 1, -55, 2, self.now_us)
        return b"".join(self.reader.outgoing())


def test_1_1_is_agreed_on_and_then_spoken() -> None:
    bench = Bench("1.1")
    assert bench.say(message(46, version=2)) == message(56, "01 02" + OK, 2)
    assert bench.say(message(47, "02", 2)) == message(57, OK, 2)
    assert bench.say(message(26, version=2)) == message(36, OK, 2)
    assert bench.say(message(26))[:2] == bytes.fromhex("0864")  # an error message, for it was asked in 1.0.1
    bench.say(add_rospec().replace(b"\x04\x14", b"\x08\x14", 1), message(24, "00000001", 2))
    assert bench.see()[:2] == bytes.fromhex("083D")
    bench.reader.disconnect()
    assert bench.reader.connect()[:2] == bytes.fromhex("043F")


def test_a_version_that_there_is_not_is_refused() -> None:
    assert b"up to 2" in Bench("1.1").say(message(47, "03", 2))
    assert Bench().say(message(46, version=2))[:2] == bytes.fromhex("0464")


SELECTOR = (
    "03FF 0044 0000651A 00000032 03FF 000E 0000651A 00000033 0001 03FF 000E 0000651A 00000034 0001"
    "03FF 000E 0000651A 00000035 0001 03FF 000E 0000651A 00000043 0001"
)


def test_extensions_say_more_of_each_tag() -> None:
    bench = Bench("impinj")
    assert bench.say(ENABLE_EXTENSIONS) == message(1023, "0000651A 16" + OK)
    assert bench.say(add_rospec(selector=SELECTOR), message(24, "00000001")) == message(30, OK) + message(
        34, OK
    )
    told = bench.see()
    assert (
        bytes.fromhex("8D 3074257BF7194E4000001A85 81 0001 86 C9 03FF 001A 0000651A 00000037 0006 E2801160")
        in told
    )
    assert bytes.fromhex("03FF 000E 0000651A 00000038") in told
    assert bytes.fromhex("03FF 000E 0000651A 00000039 EA84") in told
    assert told.endswith(bytes.fromhex("03FF 000E 0000651A 00000044 0000"))


def test_extensions_have_to_be_switched_on_in_each_connection_and_only_one_maker_has_them() -> None:
    bench = Bench("impinj")
    assert bench.say(add_rospec(selector=SELECTOR))[18:24] != bytes.fromhex(OK)[2:8]
    bench.say(ENABLE_EXTENSIONS)
    bench.reader.connect()
    assert b"no vendor extensions" in bench.say(add_rospec(selector=SELECTOR))
    assert Bench().say(ENABLE_EXTENSIONS)[:2] == bytes.fromhex("0464")
    assert Bench(refuses_extensions=True).say(ENABLE_EXTENSIONS)[10:21] == bytes.fromhex(
        "0000651A 16 011F 001A 006D"
    )


def told(power: int = 1, channel: int = 1, mode: int = 1, tari: int = 0, search: str = "") -> str:
    command = f"014F 0008 {mode:04X} {tari:04X} 0150 000B 40 0020 00000000{search}"
    size = 5 + len(bytes.fromhex(command))
    return f"00DE {16 + size:04X} 0000 00E0 000A 0000 {channel:04X} {power:04X} 014A {size:04X} 00 {command}"


@pytest.mark.parametrize(
    "words, why",
    [
        (told(power=22), "TransmitPower 22: there are 1 to 21"),
        (told(channel=5), "ChannelIndex 5: there are 1 to 4"),
        (told(mode=1002), "mode 1002"),
        (told(mode=1, tari=6250), "Tari 6250"),
        (told(search="03FF 000E 0000651A 00000017 0009"), "search mode 9"),
        (told(search="03FF 000E 0000651B 00000017 0001"), "not known here"),
    ],
)
def test_what_it_cannot_do_on_the_air_is_refused(words: str, why: str) -> None:
    bench = Bench("impinj")
    bench.say(ENABLE_EXTENSIONS)
    assert why.encode() in bench.say(add_rospec(words))
    right = told(power=21, channel=4, tari=25_000, search="03FF 000E 0000651A 00000017 0003")
    assert bench.say(add_rospec(right)) == message(30, OK)


def test_says_how_its_antennas_are_set() -> None:
    bench = Bench("1.1")
    bench.say(message(3, "00" + told(power=9, channel=3)))
    reply = bench.say(message(2, "0002 03 0000 0000"))
    assert reply == message(
        12,
        OK + "00DE 002E 0002 00DF 0006 0001 00E0 000A 0000 0003 0009"
        "014A 0018 00 014F 0008 0001 0000 0150 000B 40 0020 00000000",
    )


def test_inputs_are_told_where_they_are_looked_at() -> None:
    bench = Bench("1.1")
    bench.reader.set_input(1, high=True)
    assert b"".join(bench.reader.outgoing()) == b""
    bench.say(message(3, "00 00F4 000B 00F5 0007 0001 80 00E1 0008 0002 80 02"))
    for port in (1, 2, 2):
        bench.reader.set_input(port, high=True)
    assert b"".join(bench.reader.outgoing())[10:] == bytes.fromhex(
        "00F6 0017 0080 000C 0006442AB0747000 00F8 0007 0002 80"
    )
    assert bench.say(message(2, "0000 09 0000 0000")) == message(
        12, OK + "00E1 0008 0001 00 02 00E1 0008 0002 80 01 00E1 0008 0003 00 02 00E1 0008 0004 00 02"
    )
    assert b"there is no input 5" in bench.say(message(3, "00 00E1 0008 0005 80 02"))


def test_without_a_clock_it_counts_from_its_start() -> None:
    bench = Bench("uptime")
    bench.now_us += 1_000_000
    assert bench.reader.refuse()[10:] == bytes.fromhex("00F6 0016 0081 000C 00000000000F4240 0100 0006 0002")
    bench.say(
        add_rospec().replace(bytes.fromhex("000B 1400"), bytes.fromhex("000B 0300")), message(24, "00000001")
    )
    assert bench.see().endswith(bytes.fromhex("83 00000000000F4240 85 00000000000F4240"))


def test_a_power_cycle_forgets_all_but_what_it_is() -> None:
    bench = Bench("1.1")
    bench.say(message(3, "00 00E2 0005 80 00DC 0009 01 00001388"))
    bench.see(start=True)
    bench.reader.disconnect()
    bench.reader.sighted(EPC, 1, -55, 2, bench.now_us)
    bench.reader.power_cycle()
    bench.reader.connect()
    assert not bench.reader.reading
    assert bench.say(RELEASE, message(26)) == message(36, OK)
    assert bench.say(message(2, "0000 08 0000 0000")) == message(12, OK + "00DC 0009 00 00000000")
    assert bench.reader.clock.now_us() == MADE_US


def test_orders_and_what_is_none() -> None:
    bench = Bench("1.1")
    for words in ("input 2 high", "antenna 1 off", "clock -3600", "leave"):
        order(bench.reader, words)
    assert bench.reader.connected_antennas == {2}
    assert bench.reader.clock.now_us() == NOW_US - 3_600_000_000
    assert bench.reader.leaving
    assert bench.reader.goodbye()[-4:] == bytes.fromhex("0101 0004")
    order(bench.reader, "power-cycle")
    assert bench.reader.starts == 1
    for words in ("input x high", "clock soon", "dance"):
        with pytest.raises(ValueError, match=r"no order|could not convert"):
            order(bench.reader, words)


async def test_every_fault_is_suffered() -> None:
    for name in FAULTS:
        bench = Bench("1.1")
        bench.reader.disconnect()
        before = (bench.reader.clock.now_us(), set(bench.reader.connected_antennas), bench.reader.starts)
        suffering = asyncio.ensure_future(suffer(bench.reader, name, 0.02))
        await asyncio.sleep(0.03)
        after = (bench.reader.clock.now_us(), bench.reader.connected_antennas, bench.reader.starts)
        assert (before != after) == (name not in ("clock-set", "taken", "leaves", "overflow")), name
        suffering.cancel()
