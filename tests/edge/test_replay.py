"""A recording gives the same events as the devices did, and the same bytes each time."""

import io
import json
from collections.abc import Iterable
from datetime import datetime
from pathlib import Path

import pytest

from edge import recording
from edge.config import load
from edge.errors import ConfigError, RecordingError
from edge.reads import Read, later
from edge.replay import replay, replay_file
from tests.support.doors import START_US, epc, going_in, merged, stand, walk
from tests.support.scales import samples

EDGE_TOML = """
edge = "store-042"

[[gates]]
name = "dock-1"
antennas = { 1 = "outside", 2 = "inside" }

[[shelves]]
name = "aisle-1"
bays = [ { name = "A1", cell = 0, capacity = 24, items = [ { gtin = "09506000134352", unit_grams = 330.0 } ] } ]
"""


@pytest.fixture
def config(tmp_path: Path) -> Path:
    path = tmp_path / "edge.toml"
    path.write_text(EDGE_TOML)
    return path


def lines() -> list[bytes]:
    """A load of three through the door between standing tags, and a can taken meanwhile."""
    tags = merged(stand(epc(900), -20.0, 40.0), *(walk(epc(n), going_in(15.0)) for n in range(3)))
    weights = samples([(0.0, 6600.0), (12.0, 6270.0)], 40.0)
    reads: list[Read] = sorted([*tags, *weights], key=lambda read: read.at_us)
    return [recording.heading("store-042"), *map(recording.line, reads)]


def test_events_are_printed_as_the_wire_says_them(config: Path) -> None:
    said = [json.loads(line) for line in replay(load(config), lines())]

    assert [event["type"] for event in said].count("tag_movement") == 3
    movement = next(event for event in said if event["type"] == "tag_movement")
    assert {"type", "at", "gate", "epc", "outcome", "confidence", "passage", "reads"} <= set(movement)
    assert (movement["gate"], movement["outcome"]) == ("dock-1", "in")
    assert movement["confidence"] >= 0.9
    change = next(event for event in said if event["type"] == "shelf_change")
    assert {"type", "at", "shelf", "bay", "item", "units", "grams", "outcome"} <= set(change)
    assert (change["bay"], change["item"], change["units"]) == ("A1", "09506000134352", -1)
    assert change["at"].startswith("2025-11-22T09:00:1")
    assert change["at"].endswith("Z")
    assert "tid" not in movement


def test_twice_is_the_same_byte_for_byte(config: Path) -> None:
    recorded = lines()

    first = list(replay(load(config), recorded))
    assert first == list(replay(load(config), recorded))
    assert len(first) == 7  # three tags, their passage, a can, and how the bay is and how full


def test_a_file_and_standard_input_are_printed_alike(config: Path, tmp_path: Path) -> None:
    file, from_file, from_stdin = tmp_path / "r.jsonl", io.BytesIO(), io.BytesIO()
    file.write_bytes(b"".join(lines()))

    replay_file(config, str(file), stdin=io.BytesIO(), out=from_file)
    replay_file(config, "-", stdin=io.BytesIO(file.read_bytes()), out=from_stdin)

    assert from_file.getvalue() == from_stdin.getvalue()
    assert from_file.getvalue().count(b"\n") == 7


STEP_AT_S, HOUR_US = 14.0, 3_600_000_000  # while the load of `lines` is in the door


def stepped(hours: int, *, steady: bool) -> list[bytes]:
    """The recording of `lines`, its wall clock set in the middle of the load."""
    recorded = []
    for read in recording.Recording(lines()):
        step_us = hours * HOUR_US if read.at_us >= START_US + STEP_AT_S * 1e6 else 0
        recorded.append(recording.line(later(read, step_us), read.at_us // 1000 if steady else None))
    return [recording.heading("store-042"), *recorded]


def lived(events: Iterable[bytes]) -> list[tuple[str, ...]]:
    """What is said of each thing, and when by the steady clock."""
    said = map(json.loads, events)
    keys = ("type", "mono_ms", "epc", "outcome", "confidence", "reads", "units", "strays")
    return [tuple(str(event.get(key)) for key in keys) for event in said]


@pytest.mark.parametrize("hours", [1, -1])
def test_a_wall_clock_that_was_set_changes_nothing_but_dates(
    config: Path, hours: int, caplog: pytest.LogCaptureFixture
) -> None:
    recorded = stepped(hours, steady=True)
    events = list(replay(load(config), recorded))

    assert lived(events) == lived(replay(load(config), lines()))
    assert events == list(replay(load(config), recorded))
    dates = {datetime.fromisoformat(json.loads(event)["at"]).hour for event in events}
    assert dates == {9, 9 + hours}
    assert caplog.records == []


def test_time_that_runs_back_is_said_once_where_there_is_no_steady_time(
    config: Path, caplog: pytest.LogCaptureFixture
) -> None:
    recorded = stepped(-1, steady=False)
    events = list(replay(load(config), recorded))

    assert lived(events) != lived(replay(load(config), lines()))
    (said,) = [record.getMessage() for record in caplog.records]
    assert "time runs back by 3599." in said or "time runs back by 3600." in said
    assert "no mono_ms" in said


def test_reads_a_little_out_of_order_are_nothing_odd(config: Path, caplog: pytest.LogCaptureFixture) -> None:
    late = TAG.replace(b"09:00:00Z", b"08:59:59.750Z")
    list(replay(load(config), [recording.heading("store-042"), TAG, late]))
    assert caplog.records == []


def test_what_came_before_a_bad_line_is_printed(config: Path) -> None:
    out = io.BytesIO()

    with pytest.raises(RecordingError, match=r"line \d+:"):
        replay_file(config, "-", stdin=io.BytesIO(b"".join([*lines(), b"{\n"])), out=out)
    assert out.getvalue().count(b"\n") >= 1


def test_a_missing_file_is_named(config: Path) -> None:
    with pytest.raises(RecordingError, match=r"nowhere\.jsonl: No such file"):
        replay_file(config, "/nowhere.jsonl", stdin=io.BytesIO(), out=io.BytesIO())


def test_a_wrong_configuration_is_told_before_anything_is_read(tmp_path: Path) -> None:
    path = tmp_path / "edge.toml"
    path.write_text(EDGE_TOML.replace('"inside"', '"indoors"'))

    with pytest.raises(ConfigError, match=r"gates\[1\]\.antennas"):
        replay_file(path, "-", stdin=io.BytesIO(), out=io.BytesIO())


def test_an_empty_recording_says_nothing(config: Path) -> None:
    assert list(replay(load(config), [recording.heading("store-042")])) == []


TAG = (
    b'{"type":"tag","at":"2026-11-22T09:00:00Z","gate":"dock-1","antenna":2,"epc":"3074","rssi_dbm":-61.5}\n'
)
WEIGHT = b'{"type":"weight","at":"2026-11-22T09:00:00Z","shelf":"aisle-1","cell":0,"grams":1234.5}\n'
TRIGGER = b'{"type":"trigger","at":"2026-11-22T09:00:00Z","gate":"dock-1","input":1,"on":true}\n'


@pytest.mark.parametrize(
    "bad, said",
    [
        (TAG.replace(b"dock-1", b"dock-9"), "gate 'dock-9' is not in the configuration; its gates: dock-1"),
        (TAG.replace(b"dock-1", b"aisle-1"), "gate 'aisle-1' is not in the configuration; its gates: dock-1"),
        (TRIGGER.replace(b"dock-1", b"dock-9"), "gate 'dock-9' is not in the configuration"),
        (
            WEIGHT.replace(b"aisle-1", b"aisle-9"),
            "shelf 'aisle-9' is not in the configuration; its shelves: aisle-1",
        ),
    ],
)
def test_what_the_configuration_does_not_have_is_refused_and_named(
    config: Path, bad: bytes, said: str
) -> None:
    good = [recording.heading("store-042"), TAG, b"\n", WEIGHT, TRIGGER]
    list(replay(load(config), good))

    with pytest.raises(RecordingError) as refused:
        list(replay(load(config), [*good, bad]))
    assert str(refused.value).startswith(f"line 6: {said}")


def test_an_antenna_or_cell_that_the_configuration_leaves_out_changes_nothing_but_is_said_once(
    config: Path, caplog: pytest.LogCaptureFixture
) -> None:
    elsewhere, beside = TAG.replace(b":2,", b":7,"), WEIGHT.replace(b":0,", b":3,")
    odd = [*lines()[:1], elsewhere, beside, *lines()[1:], elsewhere, beside]

    assert list(replay(load(config), odd)) == list(replay(load(config), lines()))
    assert [record.getMessage() for record in caplog.records] == [
        "line 2 and on: gate 'dock-1' has no antenna 7 in the configuration; its antennas: 1, 2",
        "line 3 and on: shelf 'aisle-1' has no cell 3 in the configuration; its cells: 0",
    ]


def test_another_edges_recording_is_replayed_with_a_warning(
    config: Path, caplog: pytest.LogCaptureFixture
) -> None:
    elsewhere = [recording.heading("store-043"), *lines()[1:]]

    assert list(replay(load(config), elsewhere)) == list(replay(load(config), lines()))
    assert [record.getMessage() for record in caplog.records] == [
        "the recording is of edge store-043, the configuration of store-042"
    ]
