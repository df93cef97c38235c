"""`stockbeat gates explain`: a passage drawn as text and as a picture, told in words that agree with the events."""

import json
import re
import subprocess
import sys
from collections import Counter
from dataclasses import replace
from pathlib import Path

import pytest
from click.testing import CliRunner

from edge.aggregator.model import ANTENNA, DEFAULT, Antenna
from edge.config import load
from edge.errors import RecordingError
from edge.explain import picture, terminal, why, words
from edge.explain.story import Story, tell
from edge.gates_cli import gates
from edge.replay import events
from simulators.doors.scenes import SCENES, Scene
from wire.events import Direction, TagMovement

pytestmark = [
    pytest.mark.timeout(60),
    pytest.mark.xdist_group("explain"),
]


@pytest.fixture(scope="module")
def scene() -> Scene:
    return SCENES["four_antennas"](2)


@pytest.fixture(scope="module")
def folder(scene: Scene, tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("door")
    (path / "edge.toml").write_text(scene.config, "utf-8")
    (path / "door.jsonl").write_bytes(b"".join(scene.lines))
    return path


@pytest.fixture(scope="module")
def moved(folder: Path, scene: Scene) -> TagMovement:
    """A tag of which it was said that it went in."""
    said = events(load(folder / "edge.toml"), scene.lines)
    return next(e for e in said if isinstance(e, TagMovement) and e.outcome is Direction.IN)


def _story(folder: Path, epc: str, **which: str) -> Story:
    return tell(load(folder / "edge.toml"), folder / "door.jsonl", epc, **which)


def _explain(folder: Path, *more: str) -> tuple[int, str]:
    result = CliRunner().invoke(
        gates, ["explain", str(folder / "door.jsonl"), "--config", str(folder / "edge.toml"), *more]
    )
    return result.exit_code, result.output


def test_the_drawing_fits_a_hundred_columns_and_says_what_the_event_says(
    folder: Path, moved: TagMovement
) -> None:
    code, said = _explain(folder, "--epc", moved.epc.lower(), "--passage", moved.passage)
    assert code == 0, said
    assert max(len(line) for line in said.splitlines()) <= 100
    assert f"went in, confidence {moved.confidence:g}" in said.splitlines()[0]
    assert f"passage {moved.passage}: open from" in said


def test_every_read_of_the_passage_is_counted_on_its_side(folder: Path, moved: TagMovement) -> None:
    story = _story(folder, moved.epc, passage=moved.passage)
    said = "\n".join(words.account(story))
    counted = [int(n) for n in re.findall(r"^(?:outside|inside): (\d+) reads?,", said, re.MULTILINE)]
    assert sum(counted) == len(story.reads)
    assert len(story.reads) >= moved.reads > 0
    assert "outside first, then inside" in said


def test_an_antennas_lane_is_drawn_where_and_as_strongly_as_it_read(folder: Path, moved: TagMovement) -> None:
    story = _story(folder, moved.epc, passage=moved.passage)
    lanes = [line for line in terminal.draw(story) if re.match(r" +\d (outside|inside)", line)]
    assert len(lanes) == 4
    for antenna, lane in zip(story.antennas, lanes, strict=True):
        mine = [read for read in story.reads if read.antenna == antenna]
        drawn = lane[terminal.LABEL + 1 :].replace(" ", "")
        assert bool(drawn) == bool(mine)
        assert len(drawn) <= len(mine)


def test_a_tag_that_stood_there_is_explained_too(folder: Path, scene: Scene) -> None:
    reads = [json.loads(line) for line in scene.lines[1:]]
    strays = {said["epc"] for said in scene.truth if said["type"] == "stray"}
    loud = max(strays, key=lambda epc: sum(read["epc"] == epc for read in reads))
    story = _story(folder, loud)
    said = "\n".join(terminal.draw(story))
    if story.movement is None:
        assert "nothing is said of it" in said
    assert "reads/s" in said


def test_what_is_not_there_is_named_with_what_is(folder: Path, moved: TagMovement) -> None:
    code, said = _explain(folder, "--epc", "ABCD")
    assert code == 1
    assert "no read of tag ABCD" in said
    with pytest.raises(RecordingError, match=f"'dock-1-x' is no passage .*{re.escape(moved.passage)}"):
        _story(folder, moved.epc, passage="dock-1-x")
    code, said = _explain(folder.parent / "nowhere", "--epc", "ABCD")
    assert code == 1


def test_how_a_tag_is_read_at_rest_is_told_once(folder: Path, scene: Scene, moved: TagMovement) -> None:
    known = set()
    (most, _), *_ = Counter(json.loads(line)["epc"] for line in scene.lines[1:]).most_common()
    for epc in (most, moved.epc):
        story = _story(folder, epc)
        account = words.account(story)
        told = [
            line
            for line in account
            if re.match(r"at rest,|in the .* before it was|not read in|there was no time", line)
        ]
        assert len(told) == 1, account
        known.add(story.why is not None and story.why.known)
    assert known == {True, False}


def test_of_several_passages_the_others_are_named_and_each_can_be_chosen(tmp_path: Path) -> None:
    scene = SCENES["turning_back"](1)
    (tmp_path / "edge.toml").write_text(scene.config, "utf-8")
    (tmp_path / "door.jsonl").write_bytes(b"".join(scene.lines))
    said = [e for e in events(load(tmp_path / "edge.toml"), scene.lines) if isinstance(e, TagMovement)]
    first, second = next(
        mine for e in said if len(mine := [other for other in said if other.epc == e.epc]) == 2
    )
    last = words.account(_story(tmp_path, first.epc))
    assert "passage 2 of the 2 in which something was said of it; to draw another, name it:" in last
    (other,) = [line for line in last if line.startswith("--passage")]
    assert other.startswith(f"--passage {first.passage}: {first.outcome.value} at ")
    chosen = words.account(_story(tmp_path, first.epc, passage=first.passage))
    assert any(line.startswith("passage 1 of the 2 ") for line in chosen)
    assert any(line.startswith(f"--passage {second.passage}: ") for line in chosen)


def test_a_door_that_kept_the_defaults_has_not_learned() -> None:
    kept = replace(DEFAULT, antennas=dict.fromkeys((1, 2), ANTENNA))
    assert why.calibration(kept) == why.calibration(DEFAULT) == "what holds for doors in general is used"
    learned = replace(DEFAULT, antennas={1: ANTENNA, 2: Antenna(1.0, 0.5)}, rest_db=0.8)
    assert (
        why.calibration(learned) == "it has learned: 1 antenna of its own; dB that power varies at rest 0.8"
    )


def test_what_the_marks_of_the_picture_mean_is_told_in_it(folder: Path, moved: TagMovement) -> None:
    assert [mark.get_label() for mark in picture.marks(_story(folder, moved.epc, passage=moved.passage))] == [
        "other tags", "passage open", "crossed the sill", "decided",
    ]  # fmt: skip


def test_the_picture_is_a_png(folder: Path, moved: TagMovement, tmp_path: Path) -> None:
    target = tmp_path / "passage.png"
    code, said = _explain(folder, "--epc", moved.epc, "--png", str(target))
    assert code == 0, said
    assert target.read_bytes().startswith(b"\x89PNG\r\n\x1a\n")
    assert target.stat().st_size > 10_000


def test_without_matplotlib_the_text_is_drawn_and_the_extra_is_named(
    folder: Path, moved: TagMovement
) -> None:
    program = (
        "import sys; sys.modules['matplotlib'] = None; sys.argv[0] = 'stockbeat'\n"
        "from stockbeat.cli import main; main()"
    )
    words_ = [sys.executable, "-c", program, "gates", "explain", str(folder / "door.jsonl"), "--config",
              str(folder / "edge.toml"), "--epc", moved.epc, "--png", str(folder / "x.png")]  # fmt: skip
    told = subprocess.run(words_, capture_output=True, text=True, check=False)
    assert told.returncode == 1
    assert "pip install 'stockbeat[gates]'" in told.stderr
    assert moved.epc in told.stdout
