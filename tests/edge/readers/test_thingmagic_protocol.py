"""ThingMagic's frames and tags, from bytes that others captured or that the maker's sources describe."""

import contextlib
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge.errors import ProtocolError, ReaderError
from edge.readers.thingmagic.protocol import answers, commands
from edge.readers.thingmagic.protocol.commands import Opcode
from edge.readers.thingmagic.protocol.framing import Frame, Framer, crc
from tests.support.captures import Capture, cases, cut, drain, three_ways

# SparkFun's published frame of an M6e Nano.
ONE_TAG = bytes.fromhex(
    "FF 28 22 0000 10 001B 01FF 01 01 C4 11 0E1640 00000127 0000 05 0000 0F 0080"
    "3000 000000000000000000001545 E94A 561D"
)
ALIVE = bytes.fromhex("FF 00 22 0400 84E0")
DATA = ONE_TAG[5:-2]


def said(frame: Frame) -> dict[str, Any]:
    found: dict[str, Any] = {"opcode": frame.opcode, "status": frame.status}
    if frame.opcode == Opcode.VERSION:
        found["version"] = str(answers.version(frame.data))
    elif frame.opcode == Opcode.READ_TAGS and frame.data:
        tag = answers.tag(frame.data)
        assert tag
        found["tag"] = tag._asdict() | {"epc": tag.epc.hex().upper()}
        extra = found["tag"].pop("data")
        if extra:
            found["tag"]["data"] = extra.hex().upper()
    return found


def decoded(pieces: list[bytes]) -> list[Frame]:
    framer = Framer()
    return drain(framer.receive, framer.frames, pieces)


@pytest.mark.parametrize("case", cases("thingmagic"), ids=lambda case: case.name)
def test_captures(case: Capture) -> None:
    for way, pieces in three_ways(case.wire, b"\xff\x10\x22"):
        assert [said(frame) for frame in decoded(pieces)] == case.expected, way


def test_commands_as_published() -> None:
    # With their CRCs, from the maker's guide and three programs that others run.
    assert bytes.fromhex("FF 00 03 1D0C") == commands.VERSION
    assert bytes.fromhex("FF 03 9A 01 0C 00 A35D") == commands.EVERY_READ
    assert commands.set_region("na") == bytes.fromhex("FF 01 97 01 4BBC")
    # Without, from SparkFun's library and MercuryAPI.
    for command, published in [
        (commands.START, "FF 10 2F 0000 01 22 0000 05 07 22 10 001B 03E8 01FF"),
        (commands.STOP, "FF 03 2F 0000 02"),
        (commands.USE_GEN2, "FF 02 93 0005"),
        (commands.set_region("eu3"), "FF 01 97 08"),
        (commands.set_antennas([1, 2]), "FF 05 91 02 01 01 02 02"),
        (commands.set_power(27.0), "FF 02 92 0A8C"),
        (commands.set_power(-2.5), "FF 02 92 FF06"),
        (commands.set_antenna_power({2: 24.5}), "FF 08 91 04 02 0992 0992 0000"),
        (commands.set_session(1), "FF 03 9B 05 00 01"),
        (commands.set_q(6), "FF 04 9B 05 12 01 06"),
        (commands.DETECT_ANTENNAS, "FF 01 61 05"),
    ]:
        assert command[:-2] == bytes.fromhex(published)
        assert crc(command[1:-2]) == int.from_bytes(command[-2:], "big")


def test_antennas_that_the_module_detects() -> None:
    assert answers.antennas(bytes.fromhex("05 01 01 02 00 03 01")) == {1: True, 2: False, 3: True}
    assert answers.antennas(b"\x05") == {}


def test_a_false_start_is_waited_for_and_then_given_up() -> None:
    framer = Framer()
    framer.receive(b"\xff\xf0" + ALIVE + ONE_TAG)
    assert list(framer.frames()) == []
    assert framer.waiting == 0
    framer.give_up()
    assert [frame.status for frame in framer.frames()] == [0x0400, 0]
    assert framer.waiting is None
    assert framer.skipped == 2


def test_giving_up_with_nothing_good_behind_goes_on_at_the_next_byte() -> None:
    framer = Framer()
    framer.receive(b"\xff\xf0\x01\xff\x20")
    assert list(framer.frames()) == []
    framer.give_up()
    assert list(framer.frames()) == []
    assert framer.waiting == 3
    framer.receive(b"\x22" * 40 + ALIVE)
    assert [frame.status for frame in framer.frames()] == [0x0400]


def test_a_search_that_ends_brings_no_tag() -> None:
    assert answers.tag(bytes.fromhex("10 001B 01FF 00 0000")) is None
    assert answers.tag(bytes.fromhex("10 001B 01FF 02 00 08 24")) is None


def test_newer_firmware_may_put_a_prefix_before_its_answer() -> None:
    assert answers.tag(b"\x88" + DATA) == answers.tag(DATA)


def test_the_antenna_is_the_port_that_sends() -> None:
    tag = answers.tag(DATA[:8] + b"\x42" + DATA[9:])
    assert tag
    assert tag.antenna == 4


def test_only_what_was_asked_for_is_read() -> None:
    # Metadata of reads, RSSI, antenna and protocol alone, as others capture it with 0057h (and time).
    data = bytes.fromhex("10 0013 0057 01 2B C6 11 00000009 05 0080 3400 E200470457606426E301010E C4BB")
    tag = answers.tag(data)
    assert tag == answers.Tag(
        epc=bytes.fromhex("E200470457606426E301010E"), antenna=1, rssi_dbm=-58, reads=43, ms=9
    )


@pytest.mark.parametrize(
    "data, words",
    [
        (b"", "of 0 bytes"),
        (DATA[:8], "ends within its metadata"),
        (DATA[:-1], "a damaged tag"),
        (DATA[:-1] + b"\x4b", "a damaged tag"),  # the tag's own CRC
        (DATA[:24] + b"\x38" + DATA[25:], "a damaged tag"),
        (DATA[:3] + b"\xf1" + DATA[4:], "metadata F1FFh"),
        (DATA[:5] + b"\x07" + DATA[6:], "of kind 7"),
    ],
)
def test_what_is_no_tag_is_refused_and_says_why(data: bytes, words: str) -> None:
    with pytest.raises(ProtocolError, match=words):
        answers.tag(data)


def test_a_version_that_is_too_short_is_refused() -> None:
    with pytest.raises(ProtocolError, match="of 3 bytes"):
        answers.version(b"abc")


def with_pc(pc: str) -> bytes:
    """The data of one tag of 96 bits whose CRC is right, whatever its PC says."""
    sent = bytes.fromhex(pc + "3074257BF7194E4000001A85")
    value = 0xFFFF
    for bit in "".join(f"{byte:08b}" for byte in sent):
        top = (value >> 15) ^ int(bit)
        value = (value << 1 & 0xFFFF) ^ (0x1021 if top else 0)
    return DATA[:24] + sent + (value ^ 0xFFFF).to_bytes(2, "big")


def test_an_epc_that_is_not_as_long_as_its_pc_says_is_refused() -> None:
    tag = answers.tag(with_pc("3000"))
    assert tag
    assert tag.epc.hex().upper() == "3074257BF7194E4000001A85"
    with pytest.raises(ProtocolError, match="a damaged tag"):
        answers.tag(with_pc("3800"))


noise = st.binary(max_size=30) | st.lists(st.sampled_from([0xFF, 0x00, 0x22, 0x28]), max_size=20).map(bytes)


@given(st.lists(st.sampled_from([ONE_TAG, ALIVE]) | noise, max_size=6), st.lists(st.integers(0, 300)))
def test_how_the_stream_is_cut_never_matters(parts: list[bytes], cuts: list[int]) -> None:
    stream = b"".join(parts)
    assert decoded(cut(stream, cuts)) == decoded([stream])


@given(noise, noise)
def test_a_good_frame_is_found_behind_any_noise(before: bytes, after: bytes) -> None:
    framer = Framer()
    framer.receive(before + ONE_TAG + after)
    found = list(framer.frames())
    for _ in range(len(before) + len(after) + 2):
        framer.give_up()
        found += framer.frames()
    assert Frame(0x22, 0, DATA) in found


@given(st.binary(max_size=200))
def test_arbitrary_bytes_are_a_tag_or_an_error_of_ours(data: bytes) -> None:
    with contextlib.suppress(ReaderError):
        answers.tag(data)


@given(
    st.lists(st.tuples(st.integers(0, len(DATA) - 1), st.integers(0, 255)), max_size=4), st.integers(0, 50)
)
def test_a_damaged_tag_is_refused_or_the_same(damage: list[tuple[int, int]], missing: int) -> None:
    data = bytearray(DATA)
    for place, byte in damage:
        data[place] = byte
    del data[len(data) - missing :]
    try:
        tag = answers.tag(bytes(data))
    except ReaderError:
        return
    if tag is not None:
        assert tag.epc == bytes.fromhex("000000000000000000001545") or damage  # what passes has its CRC right


@given(st.lists(st.binary(max_size=2000), max_size=5))
def test_no_noise_fills_the_memory(pieces: list[bytes]) -> None:
    framer = Framer()
    for piece in pieces:
        framer.receive(piece)
        list(framer.frames())
        assert len(framer._buffer) < 256
