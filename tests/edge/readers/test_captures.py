"""Every captured stream decodes to what its folder says, however the bytes come."""

from collections.abc import Iterator
from typing import Any

import pytest

from edge.readers.llrp.protocol.events import Event, event
from edge.readers.llrp.protocol.framing import Framer
from edge.readers.llrp.protocol.reports import ReportDecoder
from edge.readers.llrp.protocol.types import Type
from edge.readers.sics.protocol import Busy, Lines, NotUnderstood, Serial, Weight, parse
from tests.support.captures import Capture, cases, three_ways
from tests.support.llrp_tags import rows


def llrp(pieces: list[bytes]) -> Iterator[dict[str, Any]]:
    """Each message, and each tag of a report for itself: reports that come together are handed out as one."""
    framer, decoder = Framer(), ReportDecoder()
    for piece in pieces:
        framer.receive(piece)
        for message in framer.messages():
            if message.type == Type.RO_ACCESS_REPORT:
                for tag in rows(decoder.decode(message.body)):
                    said = {key: value for key, value in tag._asdict().items() if value is not None}
                    yield {k: v.hex().upper() if isinstance(v, bytes) else v for k, v in said.items()}
            elif message.type == Type.READER_EVENT_NOTIFICATION:
                nothing, told = Event(), event(message.body)
                yield {
                    key: list(value) if isinstance(value, tuple) else value
                    for key in Event.__slots__
                    if (value := getattr(told, key)) != getattr(nothing, key)
                }
            else:
                yield {"type": message.type, "id": message.id}


def sics(pieces: list[bytes]) -> Iterator[dict[str, Any]]:
    lines = Lines()
    for piece in pieces:
        lines.receive(piece)
        for line in lines.lines():
            match parse(line):
                case Weight(grams, stable):
                    yield {"grams": grams, "stable": stable}
                case Busy(name=name):
                    yield {"busy": name}
                case NotUnderstood(text, garbled):
                    yield {"not_understood": text, "garbled": garbled}
                case Serial(number):
                    yield {"serial": number}


@pytest.mark.parametrize("case", cases("llrp"), ids=lambda case: case.name)
def test_llrp(case: Capture) -> None:
    for way, pieces in three_ways(case.wire, b"\x04\x3d\x00"):
        assert list(llrp(pieces)) == case.expected, way


@pytest.mark.parametrize("case", cases("sics"), ids=lambda case: case.name)
def test_sics(case: Capture) -> None:
    for way, pieces in three_ways(case.wire, b"S S   1"):
        assert list(sics(pieces)) == case.expected, way
