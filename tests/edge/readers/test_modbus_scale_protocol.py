import struct
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge.errors import ProtocolError
from edge.readers.modbus_scale.profiles import FOLDER, profile
from edge.readers.modbus_scale.protocol import (
    Answer,
    NoWeight,
    Refusal,
    Registers,
    Request,
    RtuAnswers,
    TcpAnswers,
    Weight,
    weigh,
)
from edge.readers.modbus_scale.registers import Bit, FaultBit, Field, Query, RegisterMap, queries
from tests.support.captures import cut, three_ways

# Baykon MX08 technical manual 2.5, section 8.5: questions and answers as printed there.
INDICATED = Request(1, 3, Query(1005, 2))
INDICATED_ASKED = bytes.fromhex("01 03 03 ED 00 02 54 7A")
INDICATED_SAID = bytes.fromhex("01 03 04 00 00 27 10 E0 0F")
ALL = Request(1, 3, Query(1004, 7))
ALL_ASKED = bytes.fromhex("01 03 03 EC 00 07 C5 B9")
ALL_SAID = bytes.fromhex("01 03 0E 01 0A 00 00 10 E2 00 00 14 CA 00 00 03 E8 BD 55")
FIFTH_ASKED = bytes.fromhex("01 03 04 10 00 02 C4 FE")
FIFTH_SAID = bytes.fromhex("01 03 04 00 04 BF 21 0B DA")

# MODBUS Application Protocol 1.1b3, section 6.3: registers 108 to 110, and section 6.4; the header as in 3.1.3 of
# MODBUS Messaging on TCP/IP 1.0b.
TCP_ASKED = bytes.fromhex("15 01 00 00 00 06 11 03 00 6B 00 03")
TCP_SAID = bytes.fromhex("15 01 00 00 00 09 11 03 06 02 2B 00 00 00 64")
TCP = Request(0x11, 3, Query(107, 3), 0x1501)


def test_requests_are_the_manuals_bytes() -> None:
    assert INDICATED.rtu() == INDICATED_ASKED
    assert ALL.rtu() == ALL_ASKED
    assert Request(1, 3, Query(1040, 2)).rtu() == FIFTH_ASKED
    assert TCP.tcp() == TCP_ASKED
    assert Request(1, 4, Query(0, 5)).rtu()[1] == 4


def rtu(request: Request, pieces: list[bytes]) -> list[Answer]:
    answers, got = RtuAnswers(), list[Answer]()
    answers.expect(request)
    for piece in pieces:
        answers.receive(piece)
        if (answer := answers.answer()) is not None:
            got.append(answer)
    return got


@pytest.mark.parametrize(
    "request_, said, values",
    [
        (INDICATED, INDICATED_SAID, {1005: 0, 1006: 10_000}),
        (ALL, ALL_SAID, {1004: 0x010A, 1005: 0, 1006: 4322, 1007: 0, 1008: 5322, 1009: 0, 1010: 1000}),
        (Request(1, 3, Query(1040, 2)), FIFTH_SAID, {1040: 4, 1041: 0xBF21}),
    ],
)
def test_rtu_answers_whole_byte_by_byte_and_with_a_tail(
    request_: Request, said: bytes, values: dict[int, int]
) -> None:
    for way, pieces in three_ways(said, b"\x01\x03"):
        assert rtu(request_, pieces) == [Registers(values)], way


@pytest.mark.parametrize(
    "before",
    [
        pytest.param(FIFTH_ASKED, id="its own question: the adapter hears itself"),
        pytest.param(b"\x00", id="a break"),
        pytest.param(b"\x01\x83\x02\xc0\xf0", id="a refusal with a wrong checksum"),
        pytest.param(b"\x01\x03\x04\x00\x04\xbf\x21\x0b\xdb", id="the same with a wrong checksum"),
        pytest.param(bytes.fromhex("02 03 04 00 00 27 10 D3 0F"), id="another unit's"),
        pytest.param(bytes.fromhex("01 04 04 00 00 27 10 E1 B8"), id="of another function"),
        pytest.param(b"\x01\x03\x0e\x01\x0a\x00", id="half of a longer one"),
        pytest.param(b"\xff\x83\x03\x01" * 20, id="noise that looks like beginnings"),
    ],
)
def test_an_answer_is_found_behind_what_is_none(before: bytes) -> None:
    assert rtu(Request(1, 3, Query(1040, 2)), [before + FIFTH_SAID]) == [Registers({1040: 4, 1041: 0xBF21})]


def test_an_answer_comes_once_and_what_came_before_the_question_is_none() -> None:
    answers = RtuAnswers()
    answers.receive(INDICATED_SAID)
    answers.expect(INDICATED)
    assert answers.answer() is None
    answers.receive(INDICATED_SAID + INDICATED_SAID)
    assert answers.answer() == Registers({1005: 0, 1006: 10_000})
    assert answers.answer() is None


def test_a_refusal_says_why() -> None:
    said = bytes.fromhex("01 83 02 C0 F1")
    assert rtu(INDICATED, [said]) == [Refusal(2)]
    assert str(Refusal(2)) == "illegal data address"
    assert str(Refusal(99)) == "exception 99"


def tcp(request: Request, pieces: list[bytes]) -> list[Answer]:
    answers, got = TcpAnswers(), list[Answer]()
    answers.expect(request)
    for piece in pieces:
        answers.receive(piece)
        if (answer := answers.answer()) is not None:
            got.append(answer)
    return got


def test_tcp_answers_whole_byte_by_byte_and_with_a_tail() -> None:
    for way, pieces in three_ways(TCP_SAID, b"\x15\x02"):
        assert tcp(TCP, pieces) == [Registers({107: 555, 108: 0, 109: 100})], way


def test_by_tcp_a_late_answer_to_an_earlier_question_is_passed_over() -> None:
    late = bytes.fromhex("15 00 00 00 00 09 11 03 06 FF FF FF FF FF FF")
    assert tcp(TCP, [late + TCP_SAID]) == [Registers({107: 555, 108: 0, 109: 100})]


@pytest.mark.parametrize(
    "said",
    [
        INDICATED_SAID,  # RTU frames by TCP: a serial server
        b"HTTP/1.1 400 Bad Request",
        bytes.fromhex("15 01 00 00 00 02 11"),  # too short to be anything
        bytes.fromhex("15 01 00 00 FF FF 11"),
        bytes.fromhex("15 01 00 00 00 07 11 03 04 02 2B 00 00"),  # two registers for three
        bytes.fromhex("15 01 00 00 00 09 11 04 06 02 2B 00 00 00 64"),  # of another function
    ],
)
def test_what_is_no_modbus_tcp_is_an_error(said: bytes) -> None:
    with pytest.raises(ProtocolError):
        tcp(TCP, [said])


@given(st.binary(max_size=300), st.sampled_from([b"", ALL_SAID, FIFTH_SAID]), st.lists(st.integers(0, 300)))
def test_noise_by_rtu_is_silence_and_an_answer_behind_it_is_found(
    noise: bytes, said: bytes, cuts: list[int]
) -> None:
    found = rtu(ALL, cut(noise + said, cuts))
    assert found == rtu(ALL, [noise + said])
    if said == ALL_SAID:
        assert found, "an answer was lost in noise"


@given(st.binary(max_size=80), st.lists(st.integers(0, 80)))
def test_noise_by_tcp_raises_protocol_errors_alone(noise: bytes, cuts: list[int]) -> None:
    try:
        tcp(TCP, cut(noise, cuts))
        tcp(TCP, [TCP_SAID[:7] + noise])
    except ProtocolError:
        return


@given(st.integers(0, 255), st.binary(min_size=1, max_size=252))
def test_any_body_with_a_right_header_is_an_answer_or_a_protocol_error(function: int, body: bytes) -> None:
    pdu = bytes([function]) + body
    try:
        tcp(TCP, [struct.pack(">HHHB", 0x1501, 0, len(pdu) + 1, 0x11) + pdu])
    except ProtocolError:
        return


# Registers to weights

LAUMAS = profile("laumas")


def laumas(status: int, weight: int, division: int = 13, unit: int = 0) -> dict[int, int]:
    """40007 to 40014."""
    return {
        6: status,
        7: weight >> 16,
        8: weight & 0xFFFF,
        9: 0,
        10: 0,
        11: 0,
        12: 0,
        13: unit << 8 | division,
    }


@pytest.mark.parametrize(
    "values, found",
    [
        (laumas(1 << 11, 1234), Weight(1234.0, stable=True)),
        (laumas(0, 1234), Weight(1234.0, stable=False)),
        (laumas(1 << 7, 1234), Weight(-1234.0, stable=False)),  # the sign is in the status register
        (laumas(1 << 8, 1234), Weight(1234.0, stable=False)),  # the net weight's is another
        (laumas(0, 70_000, division=9, unit=1), Weight(7000.0, stable=False)),
        (laumas(0, 70_000, division=6), Weight(70_000_000.0, stable=False)),
        (laumas(0, 2, unit=3), Weight(0.90718474, stable=False)),
        (laumas(1, 1234), NoWeight("device_error: load cell")),
        (laumas(2, 1234), NoWeight("device_error: converter")),
        (laumas(4, 1234), NoWeight("overload")),
        (laumas(8, 1234), NoWeight("overload")),
        (
            laumas(0, 1234, unit=4),
            NoWeight("device_error: weighs in unit 4, which is no mass; set it to kg or g"),
        ),
        (
            laumas(0, 1234, division=19),
            NoWeight("device_error: says 19 decimals, which its map does not know"),
        ),
    ],
)
def test_laumas(values: dict[int, int], found: Weight | NoWeight) -> None:
    got = weigh(LAUMAS, values)
    if isinstance(found, Weight) and isinstance(got, Weight):
        assert got.grams == pytest.approx(found.grams)
        assert got.stable is found.stable
    else:
        assert got == found


def floats(*words: int) -> dict[int, int]:
    return {0x2000 + i: word for i, word in enumerate(words)}


def test_eagle_weighs_four_channels_in_floats() -> None:
    eagle = profile("eagle")
    values = floats(0x3F9D, 0xF3B6, 0x7FC0, 0, 0xFF80, 0, 0xBF00, 0)
    first = weigh(eagle.channel(0), values)
    assert isinstance(first, Weight)
    assert first.grams == pytest.approx(1234.0, abs=1e-4)
    assert weigh(eagle.channel(1), values) == NoWeight("not_a_number")
    assert weigh(eagle.channel(2), values) == NoWeight("not_a_number")  # minus infinity
    assert weigh(eagle.channel(3), values) == Weight(-500.0, None)


BAYKON = replace(profile("baykon"), decimals=3, unit="kg")


def baykon(status: int, weight: int) -> dict[int, int]:
    return {2: status, 3: 0, 4: 0, 5: weight >> 16 & 0xFFFF, 6: weight & 0xFFFF}


@pytest.mark.parametrize(
    "values, found",
    [
        (baykon(0b010, 1234), Weight(1234.0, stable=True)),
        (baykon(0b110, 1234), Weight(1234.0, stable=False)),  # D2: 1 is unstable
        (baykon(0b010, -1234), Weight(-1234.0, stable=True)),
        (baykon(0b000, 1234), NoWeight("device_error: error")),  # D1: 0 is an error
        (baykon(2 << 13, 1234), NoWeight("overload")),
        (baykon(3 << 13, 1234), NoWeight("underload")),
        (baykon(5 << 13, 1234), NoWeight("device_error: being set up")),
        (baykon(1 << 13 | 0b010, 1234), NoWeight("saturated")),
    ],
)
def test_baykon(values: dict[int, int], found: Weight | NoWeight) -> None:
    assert weigh(BAYKON, values) == found


def test_baykons_own_example_is_read() -> None:
    (said,) = rtu(ALL, [ALL_SAID])
    assert isinstance(said, Registers)
    mx08 = RegisterMap(address=1007, format="int32", stable=Bit(1004, 2, 0), decimals=3, unit="kg")
    assert weigh(mx08, said.values) == Weight(5322.0, stable=True)  # gross, as the manual says it
    assert (profile("baykon_mx08").address, profile("baykon_mx08").channel(5).address) == (1007, 1042)


def test_dini_has_its_sign_and_its_rest_in_the_status() -> None:
    dini = RegisterMap(
        address=0, format="uint32", function=4, decimals=1, unit="g", negative=Bit(4, 1), stable=Bit(4, 2)
    )
    base = profile("dini")
    assert (base.function, base.address, base.negative, base.stable) == (4, 0, dini.negative, dini.stable)
    # DGT1S quick start, section 19: 6000 is 00 00 17 70, 1000 is 00 00 03 E8.
    assert weigh(dini, {0: 0, 1: 0x1770, 4: 0b110}) == Weight(-600.0, stable=True)
    assert weigh(dini, {0: 0, 1: 0x03E8, 4: 0b001}) == Weight(100.0, stable=False)
    four = profile("dini_4")
    assert [four.channel(i).address for i in range(4)] == [202, 205, 208, 211]
    assert [four.channel(i).negative for i in range(4)] == [Bit(201 + 3 * i, 0) for i in range(4)]
    assert [four.channel(i).stable for i in range(4)] == [Bit(201 + 3 * i, 1) for i in range(4)]
    assert [{each.address for each in four.channel(i).faults} for i in range(4)] == [
        {201 + 3 * i} for i in range(4)
    ]
    coded = RegisterMap(address=0, format="int16", fault_in=Field(1), channels=2, channel_step=2)
    assert coded.channel(1).fault_in == Field(3)
    over = RegisterMap(address=0, format="uint32", faults=base.faults, decimals=0, unit="g")
    assert weigh(over, {0: 0, 1: 1, 4: 1 << 4}) == NoWeight("overload")
    assert weigh(over, {0: 0, 1: 1, 4: 1 << 3}) == NoWeight("underload")


@pytest.mark.parametrize("path", sorted(FOLDER.glob("*.toml")), ids=lambda path: path.stem)
def test_a_profile_is_a_map_and_says_where_it_is_from(path: Path) -> None:
    assert all(f"{key} = " in path.read_text("utf-8") for key in ("title", "source", "unsure"))
    of = profile(path.stem)
    assert sum(len(query.channels) for query in queries(of).weights) == of.channels
    assert all(query.count <= of.most_registers for query in queries(of).weights)


@pytest.mark.parametrize(
    "format_, words, registers, grams",
    [
        ("int16", "high_first", [0xFFFF], -1.0),
        ("uint16", "high_first", [0xFFFF], 65_535.0),
        ("int32", "high_first", [0xFFFF, 0xFFFE], -2.0),
        ("int32", "low_first", [0xFFFE, 0xFFFF], -2.0),
        ("uint32", "high_first", [1, 2], 65_538.0),
        ("uint32", "low_first", [2, 1], 65_538.0),
        ("float32", "high_first", [0x4148, 0x0000], 12.5),
        ("float32", "low_first", [0x0000, 0x4148], 12.5),
    ],
)
def test_every_format_and_order(format_: str, words: str, registers: list[int], grams: float) -> None:
    of = RegisterMap(address=10, format=format_, words=words, unit="g", decimals=0)  # type: ignore[arg-type]  # two of theirs
    assert weigh(of, dict(enumerate(registers, 10))) == Weight(grams, None)


def test_decimals_and_unit_may_be_in_registers_far_away() -> None:
    of = RegisterMap(
        address=0, format="int16", decimals_in=Field(500), unit_in=Field(501, means={7: "kg"}), serial=(600, 601),
        calibration=(700,),
    )  # fmt: skip
    assert queries(of).weights == (Query(0, 1, (0,)),)
    assert queries(of).about == (Query(500, 2), Query(600, 2), Query(700, 1))
    assert weigh(of, {0: 1234, 500: 2, 501: 7}) == Weight(12_340.0, None)
    assert weigh(of, {0: 1234, 500: 10, 501: 7}) == NoWeight(
        "device_error: says 10 decimals, which its map does not know"
    )


BITS = st.builds(Bit, st.integers(0, 31), st.integers(0, 15))
OVERLOADS = st.builds(FaultBit, st.integers(0, 31), st.integers(0, 15), st.just("overload"))
CODES = st.builds(Field, st.integers(0, 31), st.integers(0, 15), means=st.just({1: "underload"}))
MAPS = st.builds(
    RegisterMap,
    address=st.integers(0, 30),
    unit=st.just("g"),
    decimals=st.none() | st.integers(0, 9),
    format=st.sampled_from(["int16", "uint16", "int32", "uint32", "float32"]),
    words=st.sampled_from(["high_first", "low_first"]),
    stable=BITS,
    faults=st.lists(OVERLOADS, max_size=3).map(tuple),
    fault_in=st.none() | CODES,
    most_registers=st.just(125),
)


@given(MAPS, st.lists(st.integers(0, 65_535), min_size=40, max_size=40))
def test_whatever_registers_hold_is_a_weight_or_a_fault(of: RegisterMap, values: list[int]) -> None:
    found = weigh(of, dict(enumerate(values)))
    if isinstance(found, Weight):
        assert abs(found.grams) < float("inf")
    else:
        assert found.fault in ("overload", "underload", "not_a_number")
