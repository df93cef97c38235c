"""What boards print decodes to what its folder says, however the bytes come."""

from collections.abc import Iterator
from typing import Any

import pytest

from edge.errors import ProtocolError
from edge.readers.hx711_lines.protocol import Cell, Fault, Layout, Lines, parse
from tests.support.captures import Capture, cases, three_ways

LAYOUTS = {
    "openscale": Layout(("-", "weight", "unit", "-", "-")),
    "arduino": Layout(("weight",)),
    "two-cells-of-counts": Layout(("counts", "counts"), cells=(Cell(420.0, 84_000.0), Cell(420.0, -120.0))),
}


def said(pieces: list[bytes], layout: Layout) -> Iterator[dict[str, Any]]:
    lines = Lines()
    for piece in pieces:
        lines.receive(piece)
        for line in lines.frames():
            try:
                found = parse(line, layout)
            except ProtocolError:
                yield {"not_a_line": True}
                continue
            for each in found:
                if isinstance(each, Fault):
                    yield {"cell": each.cell, "fault": each.fault}
                else:
                    yield {"cell": each.cell, "grams": round(each.grams, 6)}


@pytest.mark.parametrize("case", cases("hx711_lines"), ids=lambda case: case.name)
def test_hx711_lines(case: Capture) -> None:
    for way, pieces in three_ways(case.wire, b"12"):
        assert list(said(pieces, LAYOUTS[case.name])) == case.expected, way
