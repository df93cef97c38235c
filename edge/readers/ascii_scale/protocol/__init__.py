"""Scales that write lines of text, without I/O and without a clock: bytes in, weights out. One file a dialect."""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Literal

from edge.errors import ProtocolError
from edge.readers.ascii_scale.protocol.answers import Answer, Dialect, Fault, Nothing, NotUnderstood, Weight
from edge.readers.ascii_scale.protocol.comma import And, Dini
from edge.readers.ascii_scale.protocol.nci import Nci
from edge.readers.ascii_scale.protocol.ohaus import Ohaus
from edge.readers.ascii_scale.protocol.sartorius import Sartorius
from edge.readers.ascii_scale.protocol.toledo import Toledo

Name = Literal["and", "dini", "ohaus", "sartorius", "nci", "toledo"]
Mode = Literal["poll", "stream"]

__all__ = [
    "DIALECTS", "Answer", "Dialect", "Fault", "Manner", "Mode", "Name", "NotUnderstood", "Nothing", "Options", "Weight",
    "begin", "hint",
]  # fmt: skip


@dataclass(frozen=True, slots=True)
class Options:
    """What has to be known of an indicator's menu beside the dialect."""

    address: str | None = None
    checksum: bool = True
    unit: str | None = None


@dataclass(frozen=True, slots=True)
class Manner:
    """How weights are had in a dialect.

    Attributes:
        usual: whether it is asked or sends by itself, as its indicators mostly are set.
        asks: the questions it may be asked, the usual one first; none of them tares, zeroes or sets anything.
        starts: what makes it send by itself, where there is such a command.
    """

    words: str
    begin: Callable[[Options], Dialect]
    usual: Mode
    asks: Mapping[str, bytes]
    starts: bytes = b""


DIALECTS: Mapping[Name, Manner] = {
    "and": Manner("A&D", lambda _: And(), "stream", {"Q": b"Q\r\n", "SI": b"SI\r\n"}),
    "dini": Manner(
        "Dini Argeo",
        lambda options: Dini(options.address),
        "stream",
        {"READ": b"READ\r\n", "REXT": b"REXT\r\n", "R": b"R\r\n"},
    ),
    "ohaus": Manner("Ohaus", lambda _: Ohaus(), "poll", {"IP": b"IP\r\n", "P": b"P\r\n"}, starts=b"CP\r\n"),
    "sartorius": Manner(
        "Sartorius SBI", lambda options: Sartorius(options.unit), "poll", {"P": b"\x1bP\r\n"}
    ),
    "nci": Manner("NCI (SCP-01)", lambda _: Nci(), "poll", {"W": b"W\r", "H": b"H\r"}),
    "toledo": Manner("Toledo continuous", lambda options: Toledo(checksum=options.checksum), "stream", {}),
}
_SICS = re.compile(rb"^(?:S|SI) +[SD] +[+-]? *[\d.]+ +\w+", re.MULTILINE)


def begin(name: Name, options: Options) -> Dialect:
    """A dialect for one connection."""
    return DIALECTS[name].begin(options)


def hint(name: Name, options: Options, heard: bytes) -> str:
    """What bytes that make no sense would be, read otherwise: to be said to a person. Empty when nothing fits."""
    seven = bytes(byte & 0x7F for byte in heard)
    if name == "toledo" and _weights("toledo", Options(checksum=not options.checksum), heard):
        return f"they are right {'without' if options.checksum else 'with'} a checksum: checksum = " + (
            "false" if options.checksum else "true"
        )
    if seven != heard and _weights(name, options, seven):
        return "they are right with 7 data bits: add framing=7E1 (or 7O1) to the URL"
    if _SICS.search(heard):
        return 'they are MT-SICS: driver = "sics"'
    for other in sorted(DIALECTS, key=lambda each: each == "ohaus"):  # whose lines have no mark of their own
        for checksum in (True, False):
            if other != name and _weights(other, Options(checksum=checksum), heard):
                return f'they are right as {DIALECTS[other].words}: dialect = "{other}"'
    return ""


def _weights(name: Name, options: Options, heard: bytes) -> bool:
    """Whether there is a weight among these bytes."""
    dialect = begin(name, options)
    dialect.receive(heard)
    for frame in dialect.frames():
        try:
            if isinstance(dialect.parse(frame), Weight):
                return True
        except ProtocolError:
            continue
    return False
