import struct

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from edge.errors import ProtocolError
from edge.readers.llrp.protocol.layout import CARRIED, read
from edge.readers.llrp.protocol.params import TV_SIZES, walk
from edge.readers.llrp.protocol.reports import ReportDecoder
from tests.support.llrp_tags import Row, rows

# LLRP 1.1, section 17.2.7.1: TagReportData with EPC-96, antenna 1, -55 dBm, channel 7, first and last seen, 3 reads.
FULL = bytes.fromhex(
    "00F0 002E 8D 3074257BF7194E4000001A85 81 0001 86 C9 87 0007 82 0006442AB0747000 84 0006442AB07C1120 88 0003"
)
SEEN = Row(
    epc=bytes.fromhex("3074257BF7194E4000001A85"),
    antenna=1,
    rssi_dbm=-55,
    channel=7,
    first_utc=1763800000000000,
    last_utc=1763800000500000,
    reads=3,
)
ONLY_EPC = bytes.fromhex("00F0 0011 8D 3074257BF7194E4000001A86")
EPC, OTHER = bytes.fromhex("3074257BF7194E4000001A85"), bytes.fromhex("3074257BF7194E4000001A86")


def slow(body: bytes) -> list[Row]:
    """What the walker alone makes of a report: the truth that the fast way is held to."""
    reports: list[Row] = []
    last: list[object] = [None] * len(Row._fields)
    for param in walk(body, 0, len(body)):
        if param.type == 240 and not param.tv:
            values = read(body, [*walk(body, param.start, param.end)], last)
            reports.append(Row._make(values))
            last = [value if carried else None for value, carried in zip(values, CARRIED, strict=True)]
    return reports


def decode(body: bytes, decoder: ReportDecoder | None = None) -> list[Row]:
    return list(rows((decoder or ReportDecoder()).decode(body)))


def test_the_first_and_the_hundredth_of_a_kind_read_the_same() -> None:
    assert decode(FULL * 100) == [SEEN] * 100


def test_a_decoder_keeps_its_layouts_and_last_values_from_message_to_message() -> None:
    decoder = ReportDecoder()
    assert [decode(FULL, decoder) for _ in range(3)] == [[SEEN]] * 3
    assert decode(ONLY_EPC, decoder) == [SEEN._replace(epc=OTHER)]
    assert decode(ONLY_EPC * 2, decoder) == [SEEN._replace(epc=OTHER)] * 2


def test_nothing_is_carried_forward_that_was_never_said() -> None:
    assert decode(ONLY_EPC) == [Row(epc=OTHER)]


def test_one_of_the_same_size_and_another_layout_is_not_mistaken() -> None:
    # The same size as FULL, with AntennaID and ChannelIndex the other way round.
    swapped = bytes.fromhex(
        "00F0 002E 8D 3074257BF7194E4000001A85 87 0007 86 C9 81 0001 82 0006442AB0747000 84 0006442AB07C1120 88 0003"
    )
    assert decode(FULL + swapped + FULL + swapped) == [SEEN] * 4


def test_long_epcs_short_ones_and_vendors_parameters() -> None:
    long = bytes.fromhex("00F0 001F 00F1 0016 0080 3674257BF6B7A659B2C2BF1000000000") + bytes.fromhex(
        "86BF 810004"
    )
    tail = bytes.fromhex("03FF 000E 0000651A 00000039 E9A4")  # Custom, Impinj's peak RSSI
    vendor = bytes.fromhex("00F0 001F 8D 3074257BF7194E4000001A85") + tail
    short = bytes.fromhex("00F0 000A 00F1 0006 0000")
    ten_bits = bytes.fromhex("00F0 000C 00F1 0008 000A FFC0")
    got = decode((long + vendor + short + ten_bits) * 2)
    assert [(each.epc.hex(), each.rssi_dbm, each.antenna) for each in got] == [
        ("3674257bf6b7a659b2c2bf1000000000", -65, 4),
        ("3074257bf7194e4000001a85", -65, 4),
        ("", -65, 4),
        ("ffc0", -65, 4),
    ] * 2


def test_another_vendors_parameter_is_not_mistaken_for_one_of_impinj() -> None:
    tag = "00F0 001F 8D 3074257BF7194E4000001A85 03FF 000E {} 00000038 0400"
    others, impinjs = (bytes.fromhex(tag.format(vendor)) for vendor in ("00005E95", "0000651A"))
    assert [row.phase for row in decode(others * 3 + impinjs * 3 + others)] == [None] * 3 + [1024] * 3 + [
        None
    ]


def test_what_only_one_read_can_have_is_not_carried_forward() -> None:
    whole = bytes.fromhex(
        "00F0 003F 8D 3074257BF7194E4000001A85 03FF 000E 0000651A 00000038 0400"
        "03FF 000E 0000651A 00000039 EA6B 03FF 0012 0000651A 00000037 0002 E2801160"
    )
    first, second, third = decode(whole * 2 + ONLY_EPC)
    assert first == second == Row(EPC, rssi_centi_dbm=-5525, phase=1024, tid=bytes.fromhex("E2801160"))
    assert third == Row(OTHER)


@pytest.mark.parametrize(
    "body, words",
    [
        ("00F0 0004", "without an EPC"),
        ("00F0 0007 81 0001", "without an EPC"),
        ("00F0 0003", "of 3 bytes"),
        ("00F0", "cut off"),
        ("00F0 0012 8D 3074257BF7194E4000001A86", "runs 1 bytes over"),
        ("00F0 0011 8D 3074257BF7194E4000001A", "runs 1 bytes over"),
        ("00F0 0012 8D 3074257BF7194E4000001A86 81", "runs 2 bytes over"),
        ("00F0 0012 8D 3074257BF7194E4000001A86 FF", "unknown short type 127"),
        ("00F0 0009 00F1 0005 00", "at least 2"),
        ("00F0 000B 00F1 0007 0010 AB", "16 bits in 1 bytes"),
        ("00F0 000A 00F1 0006 01F1", "497 bits"),
    ],
)
def test_what_is_no_report_is_refused_and_says_why(body: str, words: str) -> None:
    with pytest.raises(ProtocolError, match=words):
        decode(bytes.fromhex(body))


short_params = st.sampled_from(sorted(TV_SIZES)).flatmap(
    lambda type: st.binary(min_size=TV_SIZES[type], max_size=TV_SIZES[type]).map(
        lambda value: bytes([0x80 | type]) + value
    )
)
epcs = st.binary(max_size=62).map(
    lambda epc: (6 + len(epc)).to_bytes(2, "big").join([b"\x00\xf1", (8 * len(epc)).to_bytes(2, "big")]) + epc
)
makers = st.tuples(
    st.sampled_from([25882, 25883]),
    st.sampled_from([55, 56, 57, 58]),
    st.sampled_from([b"", b"\1\2", b"\0\1\3\4"]),
).map(lambda made: struct.pack("!II", *made[:2]) + made[2])
vendors = (makers | st.binary(max_size=20)).map(
    lambda text: b"\x03\xff" + (4 + len(text)).to_bytes(2, "big") + text
)


def tag_report(params: list[bytes]) -> bytes:
    inside = b"".join(params)
    return b"\x00\xf0" + (4 + len(inside)).to_bytes(2, "big") + inside


tag_reports = st.tuples(epcs, st.lists(short_params | vendors, max_size=8), st.integers(0, 8)).map(
    lambda made: tag_report([*made[1][: made[2]], made[0], *made[1][made[2] :]])
)


@given(st.lists(tag_reports, min_size=1, max_size=4), st.lists(st.integers(0, 3), max_size=12))
def test_the_fast_way_and_the_walker_agree(kinds: list[bytes], order: list[int]) -> None:
    body = b"".join(kinds[i % len(kinds)] for i in order)
    decoder = ReportDecoder()
    assert decode(body, decoder) == slow(body)
    decoder = ReportDecoder()
    assert [tag for i in order for tag in decode(kinds[i % len(kinds)], decoder)] == slow(body)


@given(
    st.lists(st.tuples(st.integers(0, 10_000), st.integers(0, 255)), max_size=3),
    st.integers(0, 200),
    st.booleans(),
)
@settings(max_examples=400)
def test_a_damaged_report_is_refused_or_read_as_the_walker_reads_it(
    damage: list[tuple[int, int]], missing: int, warm: bool
) -> None:
    body = bytearray(FULL * 2 + ONLY_EPC + FULL)
    for place, byte in damage:
        body[place % len(body)] = byte
    del body[len(body) - missing :]
    decoder, before = ReportDecoder(), FULL * 2 if warm else b""
    known = len(decode(before, decoder))
    assert outcome(lambda body: decode(body, decoder), bytes(body)) == outcome(
        lambda body: slow(before + body)[known:], bytes(body)
    )


@given(st.binary(max_size=200))
def test_random_bytes_raise_protocol_errors_alone(body: bytes) -> None:
    assert outcome(decode, body) == outcome(slow, body)


def outcome(decode, body: bytes) -> list[Row] | str:  # type: ignore[no-untyped-def]  # either of two decoders
    try:
        reports: list[Row] = decode(body)
    except ProtocolError:
        return "refused"
    return reports
