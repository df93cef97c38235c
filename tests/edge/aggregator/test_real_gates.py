"""Floors under what gates make of public recordings; `python -m benchmarks.gates_b` and `gates_a` print the figures."""

import os
from functools import cache
from pathlib import Path

import pytest

from benchmarks import gates_a, gates_b
from benchmarks.data import folder
from benchmarks.passes import Score
from edge import recording
from edge.config import load
from edge.replay import replay

DATA = Path(os.environ.get("STOCKBEAT_DATA") or Path(__file__).parents[4] / "shared" / "data")

pytestmark = [
    pytest.mark.data,
    pytest.mark.skipif(not DATA.is_dir(), reason=f"{DATA} is absent: set STOCKBEAT_DATA"),
    pytest.mark.timeout(300),  # a run takes twenty seconds of a machine that does nothing else
]


@cache
def uncalibrated(name: str) -> Score:
    """It takes a while, and two tests ask for it."""
    return gates_b.uncalibrated(gates_b.run(name))


# In parallel, what asks for one run stays in one process.
RUNS = {name: pytest.param(name, marks=pytest.mark.xdist_group(name)) for name in gates_b.RUNS}


@pytest.mark.parametrize("name", [RUNS["run-x3"], RUNS["run-x5"]])
def test_loads_of_a_hundred_tags_beat_the_first_and_last_antenna(name: str) -> None:
    ours, simple = uncalibrated(name), dict(gates_b.of_peers(gates_b.run(name)))["first and last antenna"]

    assert simple.counts["right"] < 0.84 * simple.movements
    assert ours.counts["right"] > 0.98 * ours.movements
    assert ours.counts["wrong"] == 0
    assert ours.counts["stray booked"] <= 3
    assert ours.counts["stray moved"] < simple.counts["stray moved"] / 2


@pytest.mark.parametrize("name", RUNS.values())
def test_hardly_anything_is_said_of_a_hundred_tags_that_is_wrong(name: str) -> None:
    ours = uncalibrated(name)

    assert ours.counts["right"] > 0.96 * ours.movements
    assert ours.counts["wrong"] <= ours.movements / 100
    assert ours.counts["stray booked"] <= 30


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


def test_a_gate_of_two_antennas_beats_the_first_and_last_antenna_on_crossings() -> None:
    runs = gates_a.runs()
    ours, simple = gates_a.uncalibrated(runs), dict(gates_a.of_peers(runs))["first and last antenna"]

    assert ours.counts["crossings"] == 192
    assert ours.counts["crossed"] > simple.counts["crossed"] + 60
    assert ours.counts["false"] == 0
    assert ours.counts["reversed"] <= 1
