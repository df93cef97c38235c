"""The contract's bytes: golden messages that are never edited, and hostile input."""

import contextlib
from datetime import UTC, datetime

import jsonschema
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.support import said
from tests.support.hostile import LONGEST_ERROR, V1, changed, damaged, golden, keep_to_the_schema
from wire import codec
from wire.envelope import Envelope, Key
from wire.errors import DecodeError
from wire.events import Clock, UnknownEvent, Watermark

LINE = codec.encode(said.ENVELOPES["tag_movement"])


@pytest.mark.parametrize("name", sorted(said.ENVELOPES))
def test_every_event_is_said_and_read_as_it_always_was(name: str) -> None:
    line = golden(V1, name)
    assert codec.decode(line) == said.ENVELOPES[name]
    assert codec.encode(said.ENVELOPES[name]) == line


def test_acknowledgement_and_telemetry_are_said_and_read_as_they_always_were() -> None:
    ack = golden(V1, "ack")
    assert codec.decode_ack(ack) == said.ACK
    assert codec.encode_ack(said.ACK) == ack
    telemetry = golden(V1, "telemetry")
    assert codec.decode_telemetry(telemetry) == said.TELEMETRY
    assert codec.encode_telemetry(said.TELEMETRY) == telemetry


def test_no_golden_message_is_forgotten() -> None:
    assert {path.stem for path in V1.glob("*.json")} == {*said.ENVELOPES, "ack", "telemetry"}


def test_every_golden_message_keeps_to_the_published_schema() -> None:
    named = {"ack": "Ack", "telemetry": "Telemetry"}
    keep_to_the_schema(V1, lambda stem: named.get(stem, "WireEnvelope"))


def test_the_schema_refuses_what_the_codec_refuses() -> None:
    definition = {**codec.schema(), "$ref": "#/$defs/WireEnvelope"}
    wrong = codec.parse_json(LINE.replace(b'"confidence":0.98', b'"confidence":1.98'))
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.Draft202012Validator(definition).validate(wrong)


def test_a_field_from_the_future_is_passed_over() -> None:
    newer = LINE.replace(b'"gate":', b'"speed_m_s":1.4,"gate":').replace(b'{"v":1', b'{"trace":"x","v":1')
    assert codec.decode(newer) == said.ENVELOPES["tag_movement"]


def test_an_event_type_from_the_future_keeps_its_identity() -> None:
    newer = LINE.replace(b'"tag_movement"', b'"tag_hovered"')
    expected = Envelope(edge=said.EDGE, run=said.RUN, seq=2, event=UnknownEvent(type="tag_hovered"))
    assert codec.decode(newer) == expected


@pytest.mark.parametrize(
    "old, new, says",
    [
        (b'"confidence":0.98', b'"confidence":1.98', "less than or equal to 1"),
        (b'"confidence":0.98', b'"confidence":NaN', "finite|Invalid JSON|less than or equal"),
        (b'"confidence":0.98', b'"confidence":"0.98"', "valid number"),
        (b'"outcome":"in"', b'"outcome":"inwards"', "'in', 'out', 'turned_back' or 'undecided'"),
        (b'"epc":"3074257BF7194E4000001A85"', b'"epc":"3074257bf7194e4000001a85"', "pattern"),
        (b'"epc":"3074257BF7194E4000001A85"', b'"epc":"307"', "pattern"),
        (b"2026-11-22T09:00:02.700000Z", b"2026-11-22T09:00:02.700000", "timezone"),
        (b"2026-11-22T09:00:02.700000Z", b"9999-12-31T23:59:59-14:00", "2200"),
        (b'"at":"2026-11-22T09:00:02.700000Z",', b"", "Field required"),
        (b'"v":1', b'"v":2', "v: Input should be 1"),
        (b'"reads":41', b'"reads":-1', "greater than or equal to 0"),
        (b'"reads":41', b'"reads":99999999999999999999', "reads"),
    ],
)
def test_a_wrong_value_is_named_and_the_identity_kept(old: bytes, new: bytes, says: str) -> None:
    with pytest.raises(DecodeError, match=says) as caught:
        codec.decode(changed(LINE, old, new))
    assert caught.value.key == Key(said.EDGE, said.RUN, 2)


@pytest.mark.parametrize(
    "line",
    [
        b"",
        b"{",
        b"[]",
        b"null",
        b"{}",
        b"[" * 100_000,
        b'{"a":' * 10_000,
        b"\xff\xfe\x00",
        b'{"v":1,"edge":"\\ud800"}',
        LINE.replace(b'"seq":2', b'"seq":0'),
        LINE.replace(b'"seq":2', b'"seq":2.0'),
        LINE.replace(b'"seq":2', b'"seq":true'),
        LINE.replace(b'"seq":2', b'"seq":9007199254740992'),
        LINE.replace(b'"seq":2', b'"seq":' + b"9" * 5000),
        LINE.replace(b'"store-042"', b'"Store 042"'),
        LINE.replace(said.RUN.encode(), b"0" * 31),
        LINE.replace(b'"boot":"boot-1"', b'"boot":"' + b"x" * codec.MAX_LINE + b'"'),
    ],
)
def test_without_an_identity_a_line_is_only_refused(line: bytes) -> None:
    with pytest.raises(DecodeError) as caught:
        codec.decode(line)
    assert caught.value.key is None
    assert len(str(caught.value)) < LONGEST_ERROR


@given(st.binary(max_size=300))
def test_no_bytes_raise_anything_else(junk: bytes) -> None:
    for read in (codec.decode, codec.decode_ack, codec.decode_telemetry, codec.decode_presence):
        with pytest.raises(DecodeError):
            read(junk)


@given(st.sampled_from(sorted(said.ENVELOPES)), st.data())
def test_no_damage_to_a_real_line_raises_anything_else(name: str, data: st.DataObject) -> None:
    with contextlib.suppress(DecodeError):
        codec.decode(damaged(codec.encode(said.ENVELOPES[name]), data))


def test_a_line_break_inside_a_text_does_not_break_the_line() -> None:
    event = said.EVENTS["device_down"]
    line = codec.encode(Envelope(edge=said.EDGE, run=said.RUN, seq=1, event=event))
    assert b"\n" not in line


def test_what_breaks_a_limit_is_never_said() -> None:
    tick = Watermark(
        at=said.at(0), clock=Clock.SYNCED, boot="b", mono_ms=1, complete_to=datetime(1, 1, 1, tzinfo=UTC)
    )
    with pytest.raises(ValueError, match="1970"):
        codec.encode(Envelope(edge=said.EDGE, run=said.RUN, seq=1, event=tick))
    with pytest.raises(ValueError, match="unknown type"):
        codec.encode(Envelope(edge=said.EDGE, run=said.RUN, seq=1, event=UnknownEvent(type="odd")))


def test_batches_keep_to_the_limits_of_a_message() -> None:
    lines = [LINE] * 1203 + [b"x" * 60_000] * 9
    cut = list(codec.batches(lines))
    assert [line for batch in cut for line in batch] == lines
    assert all(len(batch) <= codec.MAX_BATCH_LINES for batch in cut)
    assert all(len(codec.join(batch)) <= codec.MAX_BATCH_BYTES for batch in cut)
    assert [list(codec.split(codec.join(batch))) for batch in cut] == cut


def test_a_batch_longer_than_any_edge_may_send_is_refused() -> None:
    with pytest.raises(DecodeError, match="262145 bytes; the limit is 262144"):
        codec.split(b"x" * (codec.MAX_BATCH_BYTES + 1))


@pytest.mark.parametrize(
    "ranges", ["[[17,18]]", "[[18,19]]", "[[25,24]]", "[[19,20],[20,21]]", "[[25,25],[19,20]]"]
)
def test_ranges_of_an_acknowledgement_ascend_above_through(ranges: str) -> None:
    payload = codec.encode_ack(said.ACK).replace(b"[[19,20],[25,25]]", ranges.encode())
    with pytest.raises(DecodeError, match="ranges"):
        codec.decode_ack(payload)
