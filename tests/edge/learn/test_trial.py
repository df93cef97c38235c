"""How what may be learned is tried: rows of recordings are held out whole, and a gain has to be clear."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from edge.aggregator.model import ANTENNA, DEFAULT
from edge.config import load
from edge.learn import words
from edge.learn.labels import read_labels
from edge.learn.learn import learn
from edge.learn.passes import Door, Run
from edge.learn.sides import BASES, PER_DBS, learn_antennas
from edge.learn.trial import FOLDS, Losses, better, folds, parted
from tests.support import labelled

pytestmark = pytest.mark.timeout(120)


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory) -> list[Run]:
    """Four passes each way, of one door."""
    folder = tmp_path_factory.mktemp("trial")
    lines = labelled.passes(folder, 4)
    door = Door(load(labelled.door(folder)).gates[0])
    every = read_labels(labelled.labels(folder, lines))
    return [run for each in every for run in door.runs([door.seen(each)], DEFAULT)]


def test_no_recording_is_held_out_while_its_row_teaches(runs: Sequence[Run]) -> None:
    rows = [runs[0:5], runs[5:7], runs[7:12]]
    assert parted(rows) == [list(row) for row in rows]
    dealt = folds(parted(rows))
    assert len(dealt) == 3
    for fold in dealt:
        held = {id(run) for run in fold.held}
        assert all({id(run) for run in row} <= held or not {id(run) for run in row} & held for row in rows)
        assert not held & {id(run) for run in fold.known}
        assert len(held) + len(fold.known) == len(runs)


def test_one_row_alone_is_cut_in_long_pieces() -> None:
    (row,) = [list(range(12))]
    parts = parted([row])
    assert [number for part in parts for number in part] == row
    assert len(parts) == FOLDS
    assert min(map(len, parts)) >= 2
    assert parted([[1, 2]]) == [[1], [2]]


def losses(values: Sequence[float], rows: Sequence[int]) -> Losses:
    return Losses(np.array(values, float), np.array(rows, np.int64))


def test_a_gain_counts_by_row_where_rows_agree_within_and_not_among_themselves() -> None:
    before = [1.0] * 30
    alone = list(range(30))
    gains = [0.5] * 10 + [0.05] * 10 + [-0.1] * 10
    after = [old - gain for old, gain in zip(before, gains, strict=True)]
    assert better(losses(after, alone), losses(before, alone))
    three = [number // 10 for number in range(30)]
    assert not better(losses(after, three), losses(before, three))
    clear = [0.7 + 0.01 * (number % 3) for number in range(30)]
    assert better(losses(clear, three), losses(before, three))
    assert not better(losses(before, alone), losses(after, alone))
    assert not better(losses([0.5], [0]), losses([1.0], [0]))


def test_where_no_antenna_tells_a_side_none_is_learned(runs: Sequence[Run]) -> None:
    samples = [sample for run in runs for sample in run.samples]
    found = learn_antennas(samples, (1, 2), DEFAULT)
    assert set(found) == {1, 2}
    assert found[1] != ANTENNA
    blind = [replace(sample, scene=replace(sample.scene, sided=False)) for sample in samples]
    assert learn_antennas(blind, (1, 2), DEFAULT) == {}


def test_many_loads_do_not_talk_antennas_beyond_their_limits(runs: Sequence[Run]) -> None:
    found = learn_antennas([sample for run in runs for sample in run.samples] * 50, (1, 2), DEFAULT)
    for antenna in found.values():
        assert BASES[0] <= antenna.base <= BASES[1]
        assert PER_DBS[0] <= antenna.per_db <= PER_DBS[1]


def test_passes_that_all_follow_each_other_are_said_to_be_neighbours(tmp_path: Path) -> None:
    labelled.a_pass(tmp_path, "whole.jsonl", "in", seed=3)
    head, *lines = (tmp_path / "whole.jsonl").read_bytes().splitlines(keepends=True)
    half = len(lines) // 2
    (tmp_path / "one.jsonl").write_bytes(head + b"".join(lines[:half]))
    (tmp_path / "two.jsonl").write_bytes(head + b"".join(lines[half:]))
    gate = load(labelled.door(tmp_path)).gates[0]
    row = learn(
        gate, read_labels(labelled.labels(tmp_path, ["one.jsonl,,in", "two.jsonl,,in"])), lambda _: None
    )
    assert any(doubt.startswith("all recordings follow each other") for doubt in words.doubts(row))
    labelled.a_pass(tmp_path, "other.jsonl", "out", seed=4)
    apart = learn(
        gate, read_labels(labelled.labels(tmp_path, ["one.jsonl,,in", "other.jsonl,,out"])), lambda _: None
    )
    assert not any("follow each other" in doubt for doubt in words.doubts(apart))
