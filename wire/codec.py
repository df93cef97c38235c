"""Bytes to values and back, for everything that crosses the wire. JSON, UTF-8, one object a line.

Encoding is done once: an outbox stores the bytes and resends exactly those. Decoding takes hostile input and raises
DecodeError alone; unknown fields are passed over, because an edge may be newer than its cloud.
"""

from collections.abc import Iterable, Iterator
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, ValidationError
from pydantic.json_schema import models_json_schema
from pydantic_core import PydanticSerializationError, from_json

from wire.commands import Command, Order, Reply
from wire.envelope import VERSION, Envelope, Key
from wire.errors import CommandError, DecodeError
from wire.events import Event, UnknownEvent
from wire.limits import At, EdgeName, Id, RunId, Seq
from wire.messages import Ack, Presence, Telemetry

MAX_LINE = 64 * 1024  # the longest real event, a change with 8 candidates, is under 2 KiB
MAX_BATCH_LINES = 500
MAX_BATCH_BYTES = 256 * 1024  # a quarter of the smallest default limit of a broker (NATS: 1 MiB)
MAX_TELEMETRY = 1024 * 1024
MAX_COMMAND = 16 * 1024  # the longest, an assignment of 8 items, is under 2 KiB
MAX_REPLY = 256 * 1024  # with 1,000 levels 140 KiB


class _Identity(BaseModel):
    model_config = ConfigDict(strict=True)
    edge: EdgeName
    run: RunId
    seq: Seq


class _Kind(BaseModel):
    model_config = ConfigDict(strict=True)
    type: str = Field(pattern="^[a-z][a-z0-9_]{0,39}$")


class _Unread(_Identity):
    """An envelope whose event need not be one that we know."""

    v: Literal[1]
    event: _Kind


class WireEnvelope(_Identity):
    """An event with its identity, as it travels."""

    v: Literal[1] = VERSION
    event: Annotated[Event, Field(discriminator="type")]


class WireAck(BaseModel):
    """An acknowledgement, as it travels."""

    ack: Ack


class WireCommand(BaseModel):
    """A command, as it travels."""

    v: Literal[1] = VERSION
    id: Id
    edge: EdgeName
    issued_at: At
    expires_at: At
    by: str = Field("", max_length=80)
    order: Annotated[Order, Field(discriminator="type")]


class WireReply(BaseModel):
    """A reply, as it travels."""

    reply: Reply


class _Named(BaseModel):
    """As much of a command as answering it needs."""

    id: Id


_ENVELOPE = TypeAdapter(Envelope)
_WIRE = TypeAdapter(WireEnvelope)
_ACK = TypeAdapter(Ack)
_TELEMETRY = TypeAdapter(Telemetry)
_COMMAND = TypeAdapter(Command)
_WIRE_COMMAND = TypeAdapter(WireCommand)
_REPLY = TypeAdapter(Reply)


def encode(envelope: Envelope) -> bytes:
    """The one line, without its newline, that stands for this event from now on.

    Raises:
        ValueError: the event breaks a limit of the contract, or is of an unknown type.
    """
    if isinstance(envelope.event, UnknownEvent):
        raise ValueError(f"an event of unknown type {envelope.event.type!r} cannot be said, only passed on")
    try:
        line = _ENVELOPE.dump_json(envelope, exclude_none=True)
        _WIRE.validate_json(line, strict=True)
    except (PydanticSerializationError, ValidationError) as error:
        raise ValueError(f"{envelope.key}: {_first_problem(error)}") from error
    return line


def decode(line: bytes) -> Envelope:
    """Read one line of an events payload.

    Raises:
        DecodeError: with `key` set where the identity at least could be read.
    """
    _within(line, MAX_LINE, "event")
    try:
        wire = _WIRE.validate_json(line, strict=True)
    except ValidationError as error:
        return _decode_unknown(line, error)
    return Envelope(edge=wire.edge, run=wire.run, seq=wire.seq, event=wire.event)


def _decode_unknown(line: bytes, error: ValidationError) -> Envelope:
    """Tell an event type from the future, which is fine, from a broken line, which is not."""
    if any(problem["type"] == "union_tag_invalid" for problem in error.errors(include_url=False)):
        try:
            unread = _Unread.model_validate_json(line)
        except ValidationError as worse:
            error = worse
        else:
            event = UnknownEvent(type=unread.event.type)
            return Envelope(edge=unread.edge, run=unread.run, seq=unread.seq, event=event)
    raise DecodeError(_first_problem(error), key=_key(line)) from None


def _key(line: bytes) -> Key | None:
    try:
        identity = _Identity.model_validate_json(line)
    except ValidationError:
        return None
    return Key(identity.edge, identity.run, identity.seq)


def split(payload: bytes) -> Iterator[bytes]:
    """The lines of an events payload, blank ones passed over.

    Raises:
        DecodeError: the payload is longer than any edge may send.
    """
    _within(payload, MAX_BATCH_BYTES, "batch")
    return (line for line in payload.split(b"\n") if line.strip())


def batches(lines: Iterable[bytes]) -> Iterator[list[bytes]]:
    """Cut encoded events into batches that keep to the limits of one message, in order."""
    batch: list[bytes] = []
    size = 0
    for line in lines:
        if batch and (len(batch) >= MAX_BATCH_LINES or size + len(line) + 1 > MAX_BATCH_BYTES):
            yield batch
            batch, size = [], 0
        batch.append(line)
        size += len(line) + 1
    if batch:
        yield batch


def join(batch: Iterable[bytes]) -> bytes:
    return b"\n".join(batch)


def encode_ack(ack: Ack) -> bytes:
    return _ACK.dump_json(ack)


def decode_ack(payload: bytes) -> Ack:
    """Raises DecodeError."""
    _within(payload, MAX_LINE, "acknowledgement")
    try:
        ack = _ACK.validate_json(payload, strict=True)
    except ValidationError as error:
        raise DecodeError(_first_problem(error)) from None
    edge = ack.through
    for first, last in ack.ranges:
        if first <= edge + 1 or last < first:
            raise DecodeError(f"ranges: {ack.ranges} must ascend, apart, above through {ack.through}")
        edge = last
    return ack


def encode_telemetry(telemetry: Telemetry) -> bytes:
    return _TELEMETRY.dump_json(telemetry, exclude_none=True)


def decode_telemetry(payload: bytes) -> Telemetry:
    """Raises DecodeError."""
    _within(payload, MAX_TELEMETRY, "telemetry")
    try:
        return _TELEMETRY.validate_json(payload, strict=True)
    except ValidationError as error:
        raise DecodeError(_first_problem(error)) from None


def decode_presence(payload: bytes) -> Presence:
    """Raises DecodeError."""
    try:
        return Presence(payload.decode("ascii"))
    except ValueError:
        raise DecodeError(f"status is 'online' or 'offline', not {payload[:40]!r}") from None


def encode_command(command: Command) -> bytes:
    """Raises ValueError: it breaks a limit of the contract."""
    return _checked(_COMMAND.dump_json(command, exclude_none=True), _WIRE_COMMAND, f"command {command.id}")


def decode_command(payload: bytes) -> Command:
    """Raises CommandError, which has the command's id where that at least could be read."""
    try:
        _within(payload, MAX_COMMAND, "command")
        wire = _WIRE_COMMAND.validate_json(payload, strict=True)
    except DecodeError as error:
        raise CommandError(str(error)) from None
    except ValidationError as error:
        raise CommandError(_first_problem(error), command=_named(payload)) from None
    return Command(
        id=wire.id, edge=wire.edge, issued_at=wire.issued_at, expires_at=wire.expires_at, by=wire.by,
        order=wire.order,
    )  # fmt: skip


def encode_reply(reply: Reply) -> bytes:
    """Raises ValueError: it breaks a limit of the contract."""
    return _checked(_REPLY.dump_json(reply, exclude_none=True), _REPLY, f"reply to {reply.id}")


def decode_reply(payload: bytes) -> Reply:
    """Raises DecodeError."""
    _within(payload, MAX_REPLY, "reply")
    try:
        return _REPLY.validate_json(payload, strict=True)
    except ValidationError as error:
        raise DecodeError(_first_problem(error)) from None


def _checked(payload: bytes, adapter: TypeAdapter[Any], what: str) -> bytes:
    try:
        adapter.validate_json(payload, strict=True)
    except ValidationError as error:
        raise ValueError(f"{what}: {_first_problem(error)}") from error
    return payload


def _named(payload: bytes) -> str | None:
    try:
        return _Named.model_validate_json(payload).id
    except ValidationError:
        return None


def schema() -> dict[str, Any]:
    """The JSON Schema (draft 2020-12) of everything on the wire."""
    _, definitions = models_json_schema(
        [
            (WireEnvelope, "validation"),
            (WireAck, "validation"),
            (WireCommand, "validation"),
            (WireReply, "validation"),
        ],
        title="Stockbeat wire, version 1",
    )
    telemetry = _TELEMETRY.json_schema(ref_template="#/$defs/{model}")
    definitions["$defs"] |= telemetry.pop("$defs", {})
    definitions["$defs"]["Telemetry"] = telemetry
    for wrapped in ("WireAck", "WireReply"):
        del definitions["$defs"][wrapped]
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", **definitions}


def parse_json(payload: bytes) -> object:
    """Any JSON value, for tools that look at lines without judging them. Raises DecodeError."""
    try:
        return from_json(payload, allow_inf_nan=False)
    except ValueError as error:
        raise DecodeError(f"not JSON: {error}") from None


def _within(payload: bytes, limit: int, what: str) -> None:
    if len(payload) > limit:
        raise DecodeError(f"{what} of {len(payload)} bytes; the limit is {limit}")


def _first_problem(error: ValidationError | PydanticSerializationError) -> str:
    if isinstance(error, PydanticSerializationError):
        return str(error)
    problem = error.errors(include_url=False)[0]
    where = ".".join(str(part) for part in problem["loc"]) or "message"
    seen = repr(problem["input"])
    return f"{where}: {problem['msg']}, not {seen[:80]}{'…' if len(seen) > 80 else ''}"
