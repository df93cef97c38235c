"""Published events of readers that speak JSON decode to what their folders say, however the bytes come."""

from collections.abc import Iterator
from typing import Any

import msgspec
import pytest

from edge.readers.impinj_iot import protocol as impinj
from edge.readers.said import Garbled, Input, Said, Seen, State
from edge.readers.zebra_iotc import protocol as zebra
from tests.support.captures import Capture, cases, drain, three_ways


def plain(said: Said) -> dict[str, Any]:
    """What a thing says, without what it leaves out."""
    assert not isinstance(said, Garbled), said
    told = msgspec.structs.asdict(said)
    told.pop("stamp", None)
    match said:
        case Seen(epc=epc):
            del told["epc"]
            kind = {"seen": epc, "antenna": told.pop("antenna")}
            if told["count"] == 1:
                del told["count"]
        case Input():
            kind = {"input": told.pop("input"), "on": told.pop("on")}
        case State(words=words):
            del told["words"]
            kind = {"state": words}
            if not told["beat"]:
                del told["beat"]
    return kind | {
        key: round(value, 6) if isinstance(value, float) else value
        for key, value in told.items()
        if value is not None and value != ""
    }


def impinj_said(pieces: list[bytes]) -> Iterator[dict[str, Any]]:
    lines = impinj.Lines()
    for line in drain(lines.receive, lines.lines, pieces):
        yield from map(plain, impinj.parse(line))


@pytest.mark.parametrize("case", cases("impinj_iot"), ids=lambda case: case.name)
def test_impinj(case: Capture) -> None:
    for way, pieces in three_ways(case.wire, b'{"timestamp":"2023'):
        assert list(impinj_said(pieces)) == case.expected, way


@pytest.mark.parametrize("case", cases("zebra_iotc"), ids=lambda case: case.name)
def test_zebra(case: Capture) -> None:
    payloads = case.wire.splitlines()
    assert [plain(each) for payload in payloads for each in zebra.parse(payload)] == case.expected
    # A payload is whole or it is none: MQTT cuts nothing, and what is cut is not JSON.
    together = b"[" + b",".join(payload.strip(b"[]") for payload in payloads) + b"]"
    assert [plain(each) for each in zebra.parse(together)] == case.expected
