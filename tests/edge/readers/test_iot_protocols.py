"""Whatever a payload holds: things said, or our own error; never another one, and never a value that is not sane."""

import contextlib
import json
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge.errors import ProtocolError
from edge.readers.impinj_iot import protocol as impinj
from edge.readers.said import MOST_HEX, Garbled, Input, Said, Seen, State, degrees, microseconds
from edge.readers.zebra_iotc import protocol as zebra
from tests.support.captures import cases, cut, drain

Parse = Callable[[bytes], list[Said]]
PARSERS = pytest.mark.parametrize("parse", [impinj.parse, zebra.parse], ids=["impinj", "zebra"])
CAPTURED = [
    line
    for driver in ("impinj_iot", "zebra_iotc")
    for case in cases(driver)
    for line in case.wire.splitlines()
]
KEYS = st.sampled_from(
    ["timestamp", "hostname", "eventType", "tagInventoryEvent", "epc", "epcHex", "tid", "antennaPort", "peakRssiCdbm",
     "lastSeenTime", "phaseAngle", "frequency", "gpiTransitionEvent", "gpi", "transition", "inventoryStatusEvent",
     "data", "idHex", "eventNum", "peakRssi", "rssi", "phase", "channel", "reads", "antenna", "type", "pin", "state"]
)  # fmt: skip
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text()
    | st.sampled_from(
        ["GPI", "HIGH", "heartbeat", "2026-11-22T09:00:00.120000001Z", "E28011700000020D2A412182", "4sRRo6UBH6APNUaT"]
    ),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(KEYS, inner, max_size=8),
    max_leaves=20,
)  # fmt: skip


def sane(said: list[Said]) -> None:
    for each in said:
        match each:
            case Seen():
                assert 0 < len(each.epc) <= MOST_HEX
                assert bytes.fromhex(each.epc).hex().upper() == each.epc
                assert 0 <= each.antenna <= 65_535
                assert each.rssi_dbm is None or -200 <= each.rssi_dbm <= 50
                assert each.phase_deg is None or 0 <= each.phase_deg < 360
                assert 1 <= each.count <= 1_000_000
                assert each.stamp_us is None or isinstance(each.stamp_us, int)
            case Input():
                assert 0 <= each.input <= 65_535
            case State() | Garbled():
                assert len(each.words) <= 300


@PARSERS
@given(payload=st.binary(max_size=400))
def test_arbitrary_bytes(parse: Parse, payload: bytes) -> None:
    with contextlib.suppress(ProtocolError):
        sane(parse(payload))


@PARSERS
@given(value=VALUES)
def test_arbitrary_json(parse: Parse, value: Any) -> None:
    sane(parse(json.dumps(value).encode()))


@PARSERS
@given(payload=st.sampled_from(CAPTURED), at=st.integers(0, 400), byte=st.integers(0, 255))
def test_mutated_events(parse: Parse, payload: bytes, at: int, byte: int) -> None:
    if not payload:
        return
    broken = bytearray(payload)
    broken[at % len(broken)] = byte
    with contextlib.suppress(ProtocolError):
        sane(parse(bytes(broken)))


@PARSERS
def test_json_nested_without_end_is_our_error(parse: Parse) -> None:
    with pytest.raises(ProtocolError):
        parse(b"[" * 100_000)


@PARSERS
@pytest.mark.parametrize("payload", [b"", b"\r\n", b"[]", b"  "])
def test_nothing_says_nothing(parse: Parse, payload: bytes) -> None:
    assert parse(payload) == []


def test_one_event_that_is_not_understood_harms_no_other() -> None:
    good = b'{"data":{"idHex":"e28011700000020d2a412182"},"type":"CUSTOM"}'
    bad = b'{"data":{"idHex":"e28011700000020d2a41218"},"type":"CUSTOM"}'  # half a byte is missing
    garbled, seen = zebra.parse(b"[" + bad + b"," + good + b"]")
    assert isinstance(garbled, Garbled)
    assert isinstance(seen, Seen)


@given(pieces=st.lists(st.integers(0, 4000)))
def test_how_a_stream_is_cut_never_matters(pieces: list[int]) -> None:
    wire = b"".join(case.wire for case in cases("impinj_iot"))
    lines = impinj.Lines()
    assert drain(lines.receive, lines.lines, cut(wire, pieces)) == [
        line for line in wire.splitlines() if line
    ]


def test_a_stream_without_line_ends_is_our_error_and_bounded() -> None:
    lines = impinj.Lines()
    lines.receive(b"x" * impinj.MAX_LINE)
    assert list(lines.lines()) == []
    lines.receive(b"x")
    with pytest.raises(ProtocolError, match="no line end"):
        list(lines.lines())


@pytest.mark.parametrize(
    "written, us",
    [
        ("2023-06-28T07:24:00.277766184Z", 1687937040277766),
        ("2024-09-05T01:07:01.785-0600", 1725520021785000),
        ("2023-02-24T10:14:42.851+0000", 1677233682851000),
        ("2026-03-04T07:43:07Z", 1772610187000000),
        ("2026-03-04T07:43:07", 1772610187000000),  # UTC where nothing is said
        ("2026-03-04 07:43", None),
        ("0001-01-01T00:00:00+14:00", None),  # before there were years
        (1687937040, None),
        (None, None),
    ],
)
def test_times(written: object, us: int | None) -> None:
    got = microseconds(written)
    assert got == us or (us is None and got is not None and got < 0)


@pytest.mark.parametrize(
    "told, taken", [(-180, 180.0), (359.5, 359.5), (360, 0.0), (-1e-15, 0.0), (400, None)]
)
def test_phases(told: float, taken: float | None) -> None:
    assert degrees(told) == taken
