"""Floors under what gates make of public recordings; `python -m benchmarks.gates_b` and `gates_a` print the figures."""

import os
from pathlib import Path

import pytest

from benchmarks import gates_a, gates_b
from benchmarks.data import folder
from edge import recording
from edge.config import load
from edge.replay import replay

DATA = Path(os.environ.get("STOCKBEAT_DATA") or Path(__file__).parents[4] / "shared" / "data")

pytestmark = [
    pytest.mark.data,
    pytest.mark.skipif(not DATA.is_dir(), reason=f"{DATA} is absent: set STOCKBEAT_DATA"),
    pytest.mark.timeout(60),
]


@pytest.mark.parametrize("run", ["run-x3", "run-x5"])
def test_loads_of_a_hundred_tags_beat_the_first_and_last_antenna(run: str) -> None:
    ours, simple = gates_b.measure(run)

    assert ours.said["right"] > simple.said["right"]
    assert ours.said["wrong"] == 0
    assert ours.said["sure"] == 0
    assert ours.said["stray moved"] < simple.said["stray moved"] / 5


@pytest.mark.parametrize("run", gates_b.RUNS)
def test_hardly_anything_is_said_of_a_hundred_tags_that_is_wrong(run: str) -> None:
    ours, _ = gates_b.measure(run)

    assert ours.said["wrong"] <= ours.movements / 100
    assert ours.said["stray moved"] <= 10


def test_a_converted_run_can_be_replayed_with_the_site_beside_it(tmp_path: Path) -> None:
    gates_b.convert(folder("gates-b") / "run-x3.csv", tmp_path)

    with (tmp_path / "recording.jsonl").open("rb") as lines:
        head = [next(lines) for _ in range(3000)]
    said = list(replay(load(tmp_path / "edge.toml"), head))
    assert any(b'"type":"passage"' in line for line in said)
    assert {path.name for path in (tmp_path / "master").iterdir()} == {
        "items.csv",
        "sites.toml",
        "opening.csv",
        "contents.csv",
        "rules.toml",
    }
    assert recording.Recording(head).edge == "gates-b"


def test_few_crossings_are_reversed_at_a_gate_of_two_antennas() -> None:
    wrong = crossings = 0
    for path in sorted(folder("gates-a").glob("*.csv")):
        taken, truth = gates_a.reads(path)
        answers = dict(gates_a.ours(taken))
        if truth != "none":
            crossings += len({read.epc for read in taken})
            wrong += sum(answer in ("in", "out") and answer != truth for answer in answers.values())

    assert crossings == 192
    assert wrong <= 2
