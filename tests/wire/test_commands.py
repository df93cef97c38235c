"""Commands and replies as bytes: golden messages that are never edited, and hostile input."""

import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.support import ordered
from tests.support.hostile import LONGEST_ERROR, V1, changed, damaged, golden, keep_to_the_schema
from wire import codec
from wire.commands import Command, Zero
from wire.errors import CommandError, DecodeError

GOLDEN = V1 / "commands"
LINE = codec.encode_command(ordered.COMMANDS["assign"])


@pytest.mark.parametrize("name", sorted(ordered.COMMANDS))
def test_every_command_is_said_and_read_as_it_always_was(name: str) -> None:
    payload = golden(GOLDEN, name)
    assert codec.decode_command(payload) == ordered.COMMANDS[name]
    assert codec.encode_command(ordered.COMMANDS[name]) == payload


@pytest.mark.parametrize("name", sorted(ordered.REPLIES))
def test_every_reply_is_said_and_read_as_it_always_was(name: str) -> None:
    payload = golden(GOLDEN, name)
    assert codec.decode_reply(payload) == ordered.REPLIES[name]
    assert codec.encode_reply(ordered.REPLIES[name]) == payload


def test_no_golden_message_is_forgotten() -> None:
    assert {path.stem for path in GOLDEN.glob("*.json")} == {*ordered.COMMANDS, *ordered.REPLIES}


def test_every_golden_message_keeps_to_the_published_schema() -> None:
    keep_to_the_schema(GOLDEN, lambda stem: "Reply" if stem.startswith("reply") else "WireCommand")


def test_a_field_from_the_future_is_passed_over() -> None:
    newer = LINE.replace(b'"capacity":', b'"colour":"red","capacity":').replace(
        b'{"v":1', b'{"trace":"x","v":1'
    )
    assert codec.decode_command(newer) == ordered.COMMANDS["assign"]


@pytest.mark.parametrize(
    "old, new, says",
    [
        (b'"type":"assign"', b'"type":"polish"', "order: Input tag 'polish'"),
        (b'"unit_grams":330.0', b'"unit_grams":0.0', "greater than 0"),
        (b'"unit_grams":330.0', b'"unit_grams":NaN', "1000000, not nan"),
        (b'"unit_grams":330.0', b'"unit_grams":"330"', "valid number"),
        (b'"capacity":24', b'"capacity":0', "greater than or equal to 1"),
        (b'"bay":"A1"', b'"bay":"A 1"', "pattern"),
        (b'"v":1', b'"v":2', "v: Input should be 1"),
        (b'"edge":"store-042"', b'"edge":"Store 42"', "pattern"),
        (b'"expires_at":"2026-11-22T09:01:00Z"', b'"expires_at":"2026-11-22T09:01:00"', "timezone"),
        (b'"expires_at":"2026-11-22T09:01:00Z",', b"", "Field required"),
    ],
)
def test_a_wrong_value_is_named_and_can_be_answered(old: bytes, new: bytes, says: str) -> None:
    with pytest.raises(CommandError, match=says) as caught:
        codec.decode_command(changed(LINE, old, new))
    assert caught.value.command == "c-0002"


@pytest.mark.parametrize(
    "payload",
    [
        b"",
        b"{",
        b"[]",
        b"null",
        b"{}",
        b"[" * 10_000,
        b'{"order":' * 1_500,
        b"\xff\xfe\x00",
        LINE.replace(b'"id":"c-0002"', b'"id":"\\u0000"'),
        LINE.replace(b'"id":"c-0002"', b'"id":""'),
        LINE + b" " * codec.MAX_COMMAND,
    ],
)
def test_without_an_id_a_command_is_only_refused(payload: bytes) -> None:
    with pytest.raises(CommandError) as caught:
        codec.decode_command(payload)
    assert caught.value.command is None
    assert len(str(caught.value)) < LONGEST_ERROR


def test_a_reply_longer_than_any_edge_may_send_is_refused() -> None:
    with pytest.raises(DecodeError, match="262145 bytes; the limit is 262144"):
        codec.decode_reply(b" " * (codec.MAX_REPLY + 1))


@given(st.binary(max_size=300))
def test_no_bytes_raise_anything_else(junk: bytes) -> None:
    with pytest.raises(CommandError):
        codec.decode_command(junk)
    with pytest.raises(DecodeError):
        codec.decode_reply(junk)


@given(st.sampled_from(sorted(ordered.COMMANDS)), st.data())
def test_no_damage_to_a_real_command_raises_anything_else(name: str, data: st.DataObject) -> None:
    with contextlib.suppress(CommandError):
        codec.decode_command(damaged(codec.encode_command(ordered.COMMANDS[name]), data))


@given(st.sampled_from(sorted(ordered.REPLIES)), st.data())
def test_no_damage_to_a_real_reply_raises_anything_else(name: str, data: st.DataObject) -> None:
    with contextlib.suppress(DecodeError):
        codec.decode_reply(damaged(codec.encode_reply(ordered.REPLIES[name]), data))


def test_what_breaks_a_limit_is_never_sent() -> None:
    good = ordered.COMMANDS["zero"]
    wrong = Command(
        id=good.id, edge=good.edge, issued_at=good.issued_at, expires_at=good.expires_at,
        order=Zero(shelf="aisle 1", bay="A1"),
    )  # fmt: skip
    with pytest.raises(ValueError, match=r"c-0001: order\.zero\.shelf"):
        codec.encode_command(wrong)
