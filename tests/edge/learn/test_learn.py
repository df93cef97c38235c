"""A simulated door learns from labelled passes: never worse for it, the same twice, honest about what it lacks."""

import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path

import pytest
from click.testing import CliRunner

from edge import calibration
from edge.aggregator.model import CERTAIN, DEFAULT
from edge.config import load
from edge.errors import LabelsError, RecordingError
from edge.gates_cli import gates
from edge.learn import file, words
from edge.learn.labels import read_labels
from edge.learn.learn import Learned, learn
from edge.learn.passes import Door, chains
from edge.learn.sureness import Said, learn_sureness
from tests.support import labelled
from tests.support.doors import epc

pytestmark = pytest.mark.timeout(120)
AT = datetime(2026, 11, 22, 16, 0, tzinfo=UTC)


def _learned(folder: Path, lines: list[str]) -> Learned:
    config = load(labelled.door(folder))
    return learn(config.gates[0], read_labels(labelled.labels(folder, lines)), lambda _: None)


@pytest.fixture(scope="module")
def passes(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, list[str]]:
    folder = tmp_path_factory.mktemp("passes")
    return folder, labelled.passes(folder, 5)


@pytest.fixture(scope="module")
def learned(passes: tuple[Path, list[str]]) -> Learned:
    return _learned(*passes)


def test_it_does_no_worse_on_what_it_did_not_see(learned: Learned) -> None:
    before, after = learned.whole_before.counts, learned.whole_after.counts
    assert before["tags"] == after["tags"] == 15 * 9
    assert {run.name for run in learned.held} == {run.name for run in learned.runs}
    if not learned.kept:
        assert after["right"] >= before["right"]
        assert after["booked wrongly"] <= before["booked wrongly"]
    assert after["right"] >= 0.95 * after["tags"]


def test_the_file_says_what_was_learned_and_loads_as_the_same_model(learned: Learned, tmp_path: Path) -> None:
    path = tmp_path / "dock-1.gate.toml"
    file.write(learned, path, AT)
    loaded = calibration.load(path)
    model = loaded.model()
    for number in (1, 2):
        assert model.antenna(number) == learned.model.antenna(number)
    assert dict(model.weights) == dict(learned.model.weights)
    for name in ("moving", "rest_db", "own", "load", "scale", "shift", "certain"):
        assert getattr(model, name) == pytest.approx(getattr(learned.model, name)), name
    assert loaded.values.learned.at == AT
    assert loaded.values.learned.recordings == 15
    assert (loaded.values.learned.tags_in, loaded.values.learned.tags_out) == (30, 30)
    assert list(tmp_path.iterdir()) == [path]


def test_the_same_recordings_teach_the_same(
    learned: Learned, passes: tuple[Path, list[str]], tmp_path: Path
) -> None:
    again = _learned(*passes)
    for name, each in (("one", learned), ("two", again)):
        file.write(each, tmp_path / name, AT)
    assert (tmp_path / "one").read_bytes() == (tmp_path / "two").read_bytes()
    assert list(words.report(learned)) == list(words.report(again))


def test_it_is_never_surer_than_so_few_tags_can_tell(learned: Learned) -> None:
    if not learned.kept:
        assert learned.model.certain <= min(CERTAIN, 1.0 - 1.0 / 62)
        assert learned.model.scale <= DEFAULT.scale


def test_a_few_passes_change_next_to_nothing(tmp_path: Path) -> None:
    found = _learned(tmp_path, labelled.passes(tmp_path, 1))
    for factor, weight in found.model.weights.items():
        assert weight == pytest.approx(DEFAULT.weights[factor], abs=0.3)
    said = "\n".join(words.report(found))
    assert "only 1 recording in which something went in" in said


def test_one_recording_is_too_few(tmp_path: Path) -> None:
    labelled.a_pass(tmp_path, "one.jsonl", "in", seed=0)
    with pytest.raises(LabelsError, match="1 recordings, 1 of them with tags that crossed: too few"):
        _learned(tmp_path, ["one.jsonl,,in"])


def test_one_sided_labels_are_said(tmp_path: Path) -> None:
    found = _learned(tmp_path, labelled.passes(tmp_path, 3, ["in"]))
    said = "\n".join(words.report(found))
    assert "one-sided: there is no recording in which anything went out" in said
    assert "passing and turning back are hardly known" in said


def test_a_label_that_the_reads_contradict_is_listed_and_turns_nothing_around(
    passes: tuple[Path, list[str]], tmp_path: Path
) -> None:
    folder, lines = passes
    wrong = [line if not line.startswith("in-00.jsonl,,") else "in-00.jsonl,,out" for line in lines]
    config = load(labelled.door(folder))
    found = learn(config.gates[0], read_labels(labelled.labels(folder, wrong, "wrong.csv")), lambda _: None)
    said = "\n".join(words.report(found))
    assert "labels that the reads contradict, 6 in all" in said
    assert f"in-00.jsonl {epc(100)}: labelled out, reads say in" in said
    others = [found.after[run.name] for run in found.runs if run.name != "in-00.jsonl"]
    assert sum(each.right for each in others) >= 0.95 * sum(each.tags for each in others)


def test_a_tag_that_was_never_read_is_said_and_not_counted(passes: tuple[Path, list[str]]) -> None:
    folder, lines = passes
    config = load(labelled.door(folder))
    path = labelled.labels(folder, [*lines[:8], *lines[20:28], f"in-00.jsonl,{epc(999)},in"], "unread.csv")
    said = "\n".join(words.report(learn(config.gates[0], read_labels(path), lambda _: None)))
    assert f"labelled, and never read there: in-00.jsonl {epc(999)}" in said


def test_reads_of_other_gates_do_not_count(tmp_path: Path) -> None:
    lines = labelled.passes(tmp_path, 2)
    labelled.a_pass(tmp_path, "other.jsonl", "in", seed=9, gate="dock-2")
    head, *other = (tmp_path / "other.jsonl").read_bytes().splitlines(keepends=True)
    mixed = (tmp_path / "in-00.jsonl").read_bytes().splitlines(keepends=True)[1:] + other
    (tmp_path / "in-00.jsonl").write_bytes(head + b"".join(sorted(mixed)))
    found = _learned(tmp_path, lines)
    assert found.whole_before.counts["tags"] == 6 * 9
    with pytest.raises(RecordingError, match=r"other.jsonl: no tag was read by an antenna of dock-1"):
        _learned(tmp_path, [*lines, "other.jsonl,,in"])


def test_a_recording_that_cannot_be_read_is_named(tmp_path: Path) -> None:
    lines = labelled.passes(tmp_path, 1)
    (tmp_path / "in-00.jsonl").write_bytes(b"no recording\n")
    with pytest.raises(RecordingError, match=r"in-00.jsonl: line 1"):
        _learned(tmp_path, lines)


def test_the_command_writes_what_the_gate_then_uses(passes: tuple[Path, list[str]]) -> None:
    folder, lines = passes
    words_ = ["learn", "--config", str(labelled.door(folder)), "--gate", "dock-1", "--labels",
              str(labelled.labels(folder, lines)), "--out", str(folder / "dock-1.gate.toml")]  # fmt: skip
    done = CliRunner().invoke(gates, words_)
    assert done.exit_code == 0, done.output
    assert "cross-validated" in done.output
    (folder / "learned.toml").write_text(labelled.SITE + 'calibration = "dock-1.gate.toml"\n', "utf-8")
    loaded = load(folder / "learned.toml").gates[0].calibration
    assert loaded is not None
    assert loaded.values.gate == "dock-1"
    words_[4] = "dock-9"
    done = CliRunner().invoke(gates, words_)
    assert done.exit_code == 1
    assert "gate 'dock-9' is not in the configuration; its gates: dock-1" in done.output


def test_without_what_it_needs_the_extra_is_named(tmp_path: Path) -> None:
    program = (
        "import sys; sys.modules['scipy'] = None; sys.argv[0] = 'stockbeat'\n"
        "from stockbeat.cli import main; main()"
    )
    words_ = [sys.executable, "-c", program, "gates", "learn", "--config", str(labelled.door(tmp_path)), "--gate",
              "dock-1", "--labels", "x.csv", "--out", str(tmp_path / "x.toml")]  # fmt: skip
    told = subprocess.run(words_, capture_output=True, text=True, check=False)
    assert told.returncode == 1
    assert "pip install 'stockbeat[gates]'" in told.stderr


def test_recordings_that_follow_each_other_are_played_as_one(tmp_path: Path) -> None:
    """Cut in two, a recording shows the gate the same: what stood there in the first part is known in the second."""
    labelled.a_pass(tmp_path, "whole.jsonl", "in", seed=3)
    head, *lines = (tmp_path / "whole.jsonl").read_bytes().splitlines(keepends=True)
    half = len(lines) // 3
    (tmp_path / "one.jsonl").write_bytes(head + b"".join(lines[:half]))
    (tmp_path / "two.jsonl").write_bytes(head + b"".join(lines[half:]))
    door = Door(load(labelled.door(tmp_path)).gates[0])
    path = labelled.labels(tmp_path, ["two.jsonl,,in", "one.jsonl,,none", "whole.jsonl,,in"])
    two, one, whole = (door.seen(each) for each in read_labels(path))
    assert [[each.name for each in chain] for chain in chains([two, one])] == [["one.jsonl", "two.jsonl"]]
    first, second = door.runs([one, two], DEFAULT)
    (alone,) = door.runs([whole], DEFAULT)
    assert not first.said
    assert {epc_: [e.confidence for e in said] for epc_, said in second.said.items()} == {
        epc_: [e.confidence for e in said] for epc_, said in alone.said.items()
    }


def test_a_door_whose_confidence_was_too_high_says_less() -> None:
    said = [Said(0.97, number % 5 != 0, 1.0) for number in range(400)]
    model = learn_sureness(DEFAULT, said)
    assert model.confidence(0.97) == pytest.approx(0.8, abs=0.07)
    assert model.certain == CERTAIN
    few = learn_sureness(DEFAULT, said[:20])
    assert model.confidence(0.97) < few.confidence(0.97) < DEFAULT.confidence(0.97)
    assert few.certain == pytest.approx(1 - 1 / 22, abs=1e-4)
