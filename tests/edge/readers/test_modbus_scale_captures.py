"""Printed answers decode to what their folders say, however the bytes come."""

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest

from edge.readers.modbus_scale.profiles import profile
from edge.readers.modbus_scale.protocol import Registers, Request, RtuAnswers, TcpAnswers, Weight, weigh
from edge.readers.modbus_scale.registers import RegisterMap, queries
from tests.support.captures import Capture, cases, three_ways

BAYKON = replace(profile("baykon_mx08"), channels=1, decimals=3, unit="kg")
SPECIFIED = RegisterMap(address=107, format="int16", channels=3, channel_step=1, decimals=1, unit="g")


def said(case: str, pieces: list[bytes]) -> Iterator[dict[str, Any]]:
    answers: RtuAnswers | TcpAnswers
    if case == "baykon-manual":
        of, answers = BAYKON, RtuAnswers()
        query = queries(of).weights[0]
        query = replace(query, count=7)  # the manual's question has the tare too
        answers.expect(Request(1, 3, query))
    else:
        of, answers = SPECIFIED, TcpAnswers()
        query = queries(of).weights[0]
        answers.expect(Request(0x11, 3, query, 0x1501))
    for piece in pieces:
        answers.receive(piece)
        answer = answers.answer()
        if not isinstance(answer, Registers):
            continue
        for cell in query.channels:
            found = weigh(of.channel(cell), answer.values)
            assert isinstance(found, Weight)
            yield {"cell": cell, "grams": round(found.grams, 6), "stable": found.stable}


@pytest.mark.parametrize("case", cases("modbus_scale"), ids=lambda case: case.name)
def test_modbus_scale(case: Capture) -> None:
    for way, pieces in three_ways(case.wire, b"\x01\x03"):
        assert list(said(case.name, pieces)) == case.expected, way
