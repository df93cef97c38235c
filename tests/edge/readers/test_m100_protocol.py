"""The M100 family's frames and tags, from the maker's manual and from boards that others published."""

import contextlib
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge.errors import ProtocolError, ReaderError
from edge.readers.m100 import protocol
from edge.readers.m100.protocol import Command, Frame, Framer, Framing, command, tag, with_query
from tests.support.captures import Capture, cases, cut, drain, three_ways

# The manual's tag, section 2.2.2.
ONE_TAG = bytes.fromhex("BB 02 22 00 11 C9 3400 30751FEB705C5904E3D50D70 3A76 EF 7E")
NO_TAG = bytes.fromhex("BB 01 FF 00 01 15 16 7E")
PARAMS = ONE_TAG[5:-2]


def said(frame: Frame) -> dict[str, Any]:
    found: dict[str, Any] = {"command": frame.command}
    if frame.notice:
        read = tag(frame.params)
        found["tag"] = {"epc": read.epc.hex().upper(), "rssi_dbm": read.rssi_dbm}
    elif frame.command == Command.INFORMATION:
        found["text"] = protocol.text(frame.params)
    else:
        found["params"] = frame.params.hex().upper()
    return found


def decoded(pieces: list[bytes], framing: Framing = Framing.BB) -> list[Frame]:
    framer = Framer(framing)
    return drain(framer.receive, framer.frames, pieces)


@pytest.mark.parametrize("case", cases("m100"), ids=lambda case: case.name)
def test_captures(case: Capture) -> None:
    framing = Framing.AA if case.name == "r200" else Framing.BB
    for way, pieces in three_ways(case.wire, bytes([framing.value[0], 2, 0x22])):
        assert [said(frame) for frame in decoded(pieces, framing)] == case.expected, way


@pytest.mark.parametrize(
    "number, params, published",
    [
        (Command.INFORMATION, "00", "BB 00 03 00 01 00 04 7E"),
        (Command.READ_ONCE, "", "BB 00 22 00 00 22 7E"),
        (Command.READ_MANY, "22 2710", "BB 00 27 00 03 22 27 10 83 7E"),
        (Command.STOP, "", "BB 00 28 00 00 28 7E"),
        (Command.SET_REGION, "01", "BB 00 07 00 01 01 09 7E"),
        (Command.GET_REGION, "", "BB 00 08 00 00 08 7E"),
        (Command.SET_POWER, "07D0", "BB 00 B6 00 02 07 D0 8F 7E"),
        (Command.GET_POWER, "", "BB 00 B7 00 00 B7 7E"),
        (Command.GET_QUERY, "", "BB 00 0D 00 00 0D 7E"),
        (Command.SET_QUERY, "1020", "BB 00 0E 00 02 10 20 40 7E"),
        (Command.SELECT_MODE, "01", "BB 00 12 00 01 01 14 7E"),
    ],
)
def test_commands_as_the_manual_has_them(number: Command, params: str, published: str) -> None:
    assert command(Framing.BB, number, bytes.fromhex(params)) == bytes.fromhex(published)


def test_the_other_framing_is_the_same_between_other_bytes() -> None:
    # From a program for an R200 board.
    assert command(Framing.AA, Command.READ_MANY, b"\x22\x00\x01") == bytes.fromhex(
        "AA 00 27 00 03 22 00 01 4D DD"
    )


@pytest.mark.parametrize(
    "session, q, query",
    [(None, None, "1020"), (1, None, "1120"), (3, 15, "1378"), (None, 0, "1000"), (0, 4, "1020")],
)
def test_session_and_q_in_their_bits(session: int | None, q: int | None, query: str) -> None:
    assert with_query(bytes.fromhex("1020"), session, q) == bytes.fromhex(query)


def test_a_query_that_selects_some_tags_is_made_to_ask_all() -> None:
    assert with_query(bytes.fromhex("1C20"), None, None) == bytes.fromhex("1020")


def test_epcs_of_other_lengths() -> None:
    # 62 bytes, the longest there is, and none at all: CRCs by an independent computation, bit by bit.
    assert tag(bytes.fromhex("C9") + with_crc(bytes.fromhex("F800") + bytes(62))).epc == bytes(62)
    assert tag(bytes.fromhex("C9") + with_crc(bytes.fromhex("0000"))).epc == b""
    # With an extended PC word (Gen2, XI), and with two.
    assert tag(bytes.fromhex("C9") + with_crc(bytes.fromhex("0A00 0000 1234"))).epc == b"\x12\x34"
    assert tag(bytes.fromhex("C9") + with_crc(bytes.fromhex("0A00 8000 0000 1234"))).epc == b"\x12\x34"


def with_crc(sent: bytes) -> bytes:
    value = 0xFFFF
    for bit in "".join(f"{byte:08b}" for byte in sent):
        top = (value >> 15) ^ int(bit)
        value = (value << 1 & 0xFFFF) ^ (0x1021 if top else 0)
    return sent + (value ^ 0xFFFF).to_bytes(2, "big")


@pytest.mark.parametrize(
    "params, words",
    [
        (b"", "a damaged tag"),
        (PARAMS[:4], "a damaged tag"),
        (PARAMS[:-1] + b"\x77", "a damaged tag"),
        (PARAMS[:5] + b"\x00" + PARAMS[6:], "a damaged tag"),
        (b"\xc9" + with_crc(bytes.fromhex("3800 3074257BF7194E4000001A85")), "of 12 bytes whose PC says 14"),
    ],
)
def test_what_is_no_tag_is_refused_and_says_why(params: bytes, words: str) -> None:
    with pytest.raises(ProtocolError, match=words):
        tag(params)


def test_a_false_start_is_waited_for_and_then_given_up() -> None:
    framer = Framer(Framing.BB)
    framer.receive(b"\xbb\x02\x22\x00\xf0" + NO_TAG + ONE_TAG)
    assert list(framer.frames()) == []
    assert framer.waiting == 0
    framer.give_up()
    assert [frame.command for frame in framer.frames()] == [0xFF, 0x22]
    assert framer.waiting is None
    assert framer.skipped == 5


@pytest.mark.parametrize(
    "wire",
    [
        "BB 01 FF 00 01 15 17 7E",  # checksum
        "BB 01 FF 00 01 15 16 7F",  # end
        "BB 03 FF 00 01 15 18 7E",  # no such type
        "BB 00 28 00 00 28 7E",  # a command: an adapter's echo of our own
        "BB 01 FF 01 00 15 16 7E",  # too long
    ],
)
def test_what_is_no_frame_is_passed_over(wire: str) -> None:
    assert decoded([bytes.fromhex(wire) + NO_TAG]) == decoded([NO_TAG])


noise = st.binary(max_size=30) | st.lists(st.sampled_from([0xBB, 0x7E, 0x02, 0x22, 0x00]), max_size=20).map(
    bytes
)


@given(st.lists(st.sampled_from([ONE_TAG, NO_TAG]) | noise, max_size=6), st.lists(st.integers(0, 300)))
def test_how_the_stream_is_cut_never_matters(parts: list[bytes], cuts: list[int]) -> None:
    stream = b"".join(parts)
    assert decoded(cut(stream, cuts)) == decoded([stream])


@given(noise, noise)
def test_a_good_frame_is_found_behind_any_noise(before: bytes, after: bytes) -> None:
    framer = Framer(Framing.BB)
    framer.receive(before + ONE_TAG + after)
    found = list(framer.frames())
    for _ in range(len(before) + len(after) + 2):
        framer.give_up()
        found += framer.frames()
    assert Frame(True, 0x22, PARAMS) in found


@given(st.binary(max_size=100), st.binary(max_size=40))
def test_arbitrary_bytes_are_a_tag_or_an_error_of_ours(params: bytes, words: bytes) -> None:
    with contextlib.suppress(ReaderError):
        tag(params)
    assert protocol.text(words).isprintable()


@given(
    st.lists(st.tuples(st.integers(0, len(PARAMS) - 1), st.integers(0, 255)), max_size=4), st.integers(0, 17)
)
def test_a_damaged_tag_is_refused_or_the_same(damage: list[tuple[int, int]], missing: int) -> None:
    params = bytearray(PARAMS)
    for place, byte in damage:
        params[place] = byte
    del params[len(params) - missing :]
    with contextlib.suppress(ReaderError):
        read = tag(bytes(params))
        assert with_crc(bytes(params[1:-2])) == bytes(params[1:])  # what passes has its CRC right
        assert read.epc == bytes(params[3:-2]) or params[1] & 0x02


@given(st.lists(st.binary(max_size=2000), max_size=5), st.sampled_from(Framing))
def test_no_noise_fills_the_memory(pieces: list[bytes], framing: Framing) -> None:
    framer = Framer(framing)
    for piece in pieces:
        framer.receive(piece)
        list(framer.frames())
        assert len(framer._buffer) < 263
