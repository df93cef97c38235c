"""Whatever bytes come: ProtocolError or a value, nothing else, and no more memory than the bytes are worth."""

from collections.abc import Callable

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from edge.errors import ProtocolError, ReaderRefused
from edge.readers.llrp.air import plan
from edge.readers.llrp.clock import DeviceClock
from edge.readers.llrp.config import LlrpConfig
from edge.readers.llrp.converter import Converter
from edge.readers.llrp.protocol.answers import air_settings, rospecs, status, versions
from edge.readers.llrp.protocol.capabilities import capabilities
from edge.readers.llrp.protocol.events import event
from edge.readers.llrp.protocol.framing import MAX_MESSAGE, Framer
from edge.readers.llrp.protocol.reports import ReportDecoder
from edge.readers.llrp.rospec import body_of, number_of
from simulators.llrp.about import capabilities as able
from simulators.llrp.single import KINDS
from tests.support.captures import cases, cut
from tests.support.llrp_tags import rows

OK = bytes.fromhex("011F 0008 0000 0000")
CAPABILITIES = OK + able(KINDS["impinj"]((1, 2, 3, 4), bytes(6)), b"\0")
AIR = OK + bytes.fromhex(
    "00DE 002E 0001 00DF 0006 0001 00E0 000A 0000 0004 0002"
    "014A 0018 00 014F 0008 0001 0000 0150 000B 40 0020 00000000"
)
ROSPECS = OK + bytes.fromhex("00B1 000A 00000001 00 02 00B1 000A 00000007 00 00")
EVENT = bytes.fromhex(
    "00F6 0027 0080 000C 0006442AB0747000 00FC 0009 0003 686F74 00F8 0007 0001 80 00FF 0007 00 0002"
)
STREAM = b"".join(case.wire for case in cases("llrp"))

damage = st.lists(st.tuples(st.integers(0, 100_000), st.integers(0, 255)), max_size=4)


def broken(good: bytes, damage: list[tuple[int, int]], missing: int) -> bytes:
    body = bytearray(good)
    for place, byte in damage:
        body[place % len(body)] = byte
    return bytes(body[: len(body) - missing % len(body)])


def readable(read: Callable[[bytes], object], body: bytes) -> bool:
    try:
        read(body)
    except ProtocolError:
        return False
    return True


@pytest.mark.parametrize(
    "read, good",
    [
        (status, OK),
        (versions, b"\x01\x02" + OK),
        (rospecs, ROSPECS),
        (air_settings, AIR),
        (capabilities, CAPABILITIES),
        (event, EVENT),
    ],
)
def test_damaged_answers_are_refused_or_read(read: Callable[[bytes], object], good: bytes) -> None:
    assert readable(read, good)

    @given(damage, st.integers(0, 40))
    @settings(max_examples=300)
    def test(damage: list[tuple[int, int]], missing: int) -> None:
        readable(read, broken(good, damage, missing))

    @given(st.binary(max_size=200))
    def noise(body: bytes) -> None:
        readable(read, body)
        readable(read, OK + body)

    test()
    noise()


@given(damage, st.integers(0, 60), st.lists(st.integers(0, len(STREAM)), max_size=8))
@settings(max_examples=300, deadline=None)
def test_a_damaged_stream_gives_reads_and_at_most_one_error(
    damage: list[tuple[int, int]], missing: int, cuts: list[int]
) -> None:
    framer, decoder = Framer(), ReportDecoder()
    converter = Converter("dock-1", DeviceClock(25_000_000), DeviceClock(25_000_000))
    try:
        for piece in cut(broken(STREAM, damage, missing), cuts):
            framer.receive(piece)
            for message in framer.messages():
                assert len(message.body) <= MAX_MESSAGE
                if message.type == 61:
                    for tags in decoder.decode(message.body):
                        for read in converter.reads(tags, 1_763_800_000_000_000):
                            assert read.epc == read.epc.upper()
                            assert -400 < read.rssi_dbm < 400
                elif message.type == 63:
                    event(message.body)
    except ProtocolError:
        pass


def test_layouts_that_never_come_again_do_not_pile_up() -> None:
    decoder = ReportDecoder()
    for size in range(2000):
        vendor = (8 + size % 500).to_bytes(2, "big") + bytes(4 + size % 500)
        inside = bytes.fromhex("8D 3074257BF7194E4000001A85") + b"\x03" + bytes([0xE8 + size % 8]) + vendor
        body = b"\x00\xf0" + (4 + len(inside)).to_bytes(2, "big") + inside
        assert len(list(rows(decoder.decode(body * 2)))) == 2
    assert len(decoder._layouts) <= 64


settings_asked = st.fixed_dictionaries(
    {},
    optional={
        "antennas": st.lists(st.integers(1, 9), min_size=1, max_size=4, unique=True),
        "power_dbm": st.floats(5, 35) | st.dictionaries(st.integers(1, 9), st.floats(5, 35), min_size=1),
        "mode": st.integers(0, 3), "session": st.integers(0, 3), "population": st.integers(1, 60_000),
        "transit_ms": st.integers(0, 100_000), "channel": st.integers(1, 6), "hop_table": st.integers(1, 3),
        "search": st.sampled_from(["single", "dual", "focus"]), "tid": st.booleans(),
    },
)  # fmt: skip


@given(settings_asked, damage, st.booleans())
@settings(max_examples=300)
def test_settings_meet_any_capabilities_with_a_plan_or_a_refusal(
    asked: dict[str, object], damage: list[tuple[int, int]], extensions: bool
) -> None:
    try:
        config = LlrpConfig.model_validate({"driver": "llrp", "url": "tcp://192.0.2.1"} | asked)
    except ValueError:
        return
    try:
        can = capabilities(broken(CAPABILITIES, damage, 0))
        planned = plan(config, can, air_settings(AIR), extensions=extensions)
    except (ProtocolError, ReaderRefused):
        return
    assert number_of(planned) == number_of(planned) > 0
    assert len(body_of(planned, 1)) < 4000 + 40 * can.antennas
