"""What a client sends: cut into messages, and its parameters taken apart. Bytes in, values out."""

import struct
from collections.abc import Iterator
from dataclasses import dataclass

from simulators.errors import Malformed
from simulators.llrp.layout import HEADER, MAX_MESSAGE, TLV, Param, Status, status, tlv


@dataclass(frozen=True, slots=True)
class Message:
    version: int
    kind: int
    id: int
    body: bytes


class Refused(Exception):
    """A command is wrong; the reader answers with this status and goes on as before."""

    def __init__(self, code: Status, words: str, detail: bytes = b"") -> None:
        super().__init__(words)
        self.status = status(code, words, detail)


def field_error(field: int, code: Status, words: str) -> Refused:
    """The value of a field of the message is wrong; fields count from 0."""
    return Refused(Status.FIELD_ERROR, words, tlv(Param.FIELD_ERROR, struct.pack("!HH", field, code)))


def parameter_error(parameter: int, code: Status, words: str) -> Refused:
    """A parameter of the message is wrong."""
    detail = tlv(Param.PARAMETER_ERROR, struct.pack("!HH", parameter, code))
    return Refused(Status.PARAMETER_ERROR, words, detail)


class Cutter:
    """Cuts one connection's bytes into messages."""

    def __init__(self) -> None:
        self._buffer = bytearray()

    def receive(self, data: bytes) -> Iterator[Message]:
        """Yield the messages that are complete now.

        Raises:
            Malformed: a length that cannot be; LLRP has no mark to find the next message by.
        """
        self._buffer += data
        while len(self._buffer) >= HEADER.size:
            head, length, message_id = HEADER.unpack_from(self._buffer)
            if not HEADER.size <= length <= MAX_MESSAGE:
                raise Malformed(f"a message of {length} bytes")
            if len(self._buffer) < length:
                return
            body = bytes(self._buffer[HEADER.size : length])
            del self._buffer[:length]
            yield Message(head >> 10 & 0b111, head & 0x3FF, message_id, body)


@dataclass(frozen=True, slots=True)
class Found:
    """One TLV parameter; `raw` has its header."""

    kind: int
    body: bytes
    raw: bytes


def parameters(data: bytes) -> list[Found]:
    """The TLV parameters that fill `data`. What clients send here holds no TV parameters.

    Raises:
        Refused: the bytes do not add up.
    """
    found, at = [], 0
    while at < len(data):
        if len(data) - at < TLV.size:
            raise Refused(Status.PARAMETER_ERROR, f"{len(data) - at} bytes where a parameter should begin")
        kind, length = TLV.unpack_from(data, at)
        kind &= 0x3FF
        if not TLV.size <= length <= len(data) - at:
            raise parameter_error(kind, Status.INVALID, f"parameter {kind} claims {length} bytes")
        found.append(Found(kind, data[at + TLV.size : at + length], data[at : at + length]))
        at += length
    return found


def unpack(form: str, body: bytes, kind: int) -> tuple[int, ...]:
    """The fixed fields at the head of a parameter. Raises Refused when it is too short."""
    try:
        return struct.unpack_from("!" + form, body)
    except struct.error:
        raise parameter_error(kind, Status.INVALID, f"parameter {kind} has only {len(body)} bytes") from None


def only(found: list[Found], kind: Param, inside: str) -> Found:
    """The one parameter of a kind that must be there. Raises Refused when there is none, or several."""
    matching = [each for each in found if each.kind == kind]
    if not matching:
        raise Refused(Status.MISSING_PARAMETER, f"{inside} lacks {kind.name}")
    if len(matching) > 1:
        raise Refused(Status.DUPLICATE_PARAMETER, f"{inside} has {kind.name} {len(matching)} times")
    return matching[0]


def maybe(found: list[Found], kind: Param, inside: str) -> Found | None:
    """The one parameter of a kind that may be there. Raises Refused when there are several."""
    return only(found, kind, inside) if any(each.kind == kind for each in found) else None


def known(found: list[Found], allowed: set[int], inside: str) -> None:
    """Raises Refused for a parameter that does not belong there."""
    for each in found:
        if each.kind == Param.CUSTOM:
            raise parameter_error(
                each.kind, Status.UNSUPPORTED_PARAMETER, f"{inside}: no vendor extensions here"
            )
        if each.kind not in allowed:
            code = (
                Status.UNEXPECTED_PARAMETER
                if each.kind in Param.__members__.values()
                else Status.UNKNOWN_PARAMETER
            )
            raise parameter_error(each.kind, code, f"{inside}: parameter {each.kind} does not belong there")
