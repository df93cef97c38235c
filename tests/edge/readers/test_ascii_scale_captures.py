"""Every captured stream of every dialect reads as its folder says, however the bytes come."""

from collections.abc import Iterator
from typing import Any

import pytest

from edge.errors import ProtocolError
from edge.readers.ascii_scale.protocol import (
    Fault,
    Nothing,
    NotUnderstood,
    Options,
    Weight,
    begin,
)
from tests.support.captures import Capture, cases, three_ways

# What the indicator is set to, where the bytes do not tell.
SET = {"dini-rs485": Options(address="01"), "toledo-without": Options(checksum=False)}


def said(case: Capture, pieces: list[bytes]) -> Iterator[dict[str, Any]]:
    dialect = begin(case.expected[0]["dialect"], SET.get(case.name, Options()))
    for piece in pieces:
        dialect.receive(piece)
        for frame in dialect.frames():
            try:
                answer = dialect.parse(frame)
            except ProtocolError as error:
                yield {"refused": str(error)}
                continue
            match answer:
                case Weight(grams, stable, net):
                    yield {"grams": round(grams, 7), "stable": stable} | ({"net": True} if net else {})
                case Fault(what):
                    yield {"fault": what}
                case NotUnderstood(text):
                    yield {"not_understood": text}
                case Nothing(name=name):
                    yield {"nothing": name}


@pytest.mark.parametrize("case", cases("ascii_scale"), ids=lambda case: case.name)
def test_ascii_scale(case: Capture) -> None:
    for way, pieces in three_ways(case.wire, b"\x02 S"):
        found = list(said(case, pieces))
        assert len(found) == len(case.expected) - 1, (way, found)
        for got, expected in zip(found, case.expected[1:], strict=True):
            if "refused" in expected:
                assert expected["refused"] in got.get("refused", ""), (way, got)
            else:
                assert got == expected, way
