"""Scenes at doors: the same for a seed, truthful about themselves, and as real doors are, in figures."""

import csv
import json
import tomllib
from collections import Counter, defaultdict
from dataclasses import replace
from datetime import datetime
from itertools import pairwise
from pathlib import Path
from random import Random
from statistics import median

import numpy as np
import pytest
from click.testing import CliRunner

from simulators.cli import simulate
from simulators.doors import cargo, eyes, motion, passes, radio
from simulators.doors.day import day
from simulators.doors.making import Making
from simulators.doors.scenes import SCENES, Scene, as_it_came
from simulators.doors.site import Door

pytestmark = pytest.mark.timeout(60)


def _reads(scene: Scene) -> list[dict[str, str | float]]:
    return [said for line in scene.lines if (said := json.loads(line))["type"] == "tag"]


@pytest.mark.parametrize("name", SCENES)
def test_a_scene_is_the_same_for_the_same_seed_and_another_for_another(name: str) -> None:
    assert SCENES[name](3) == SCENES[name](3)
    assert SCENES[name](3).lines != SCENES[name](4).lines


@pytest.mark.parametrize("name", SCENES)
def test_no_tag_is_read_that_the_truth_does_not_know(name: str) -> None:
    scene = SCENES[name](5)
    assert {read["epc"] for read in _reads(scene)} <= {said["epc"] for said in scene.truth}
    assert any(said["type"] == "crossed" for said in scene.truth)


def test_recordings_are_in_order_of_time_unless_that_is_the_trouble() -> None:
    unordered = {
        name
        for name, scene in SCENES.items()
        if (times := [str(read["at"]) for read in _reads(scene(1))]) != sorted(times)
    }
    assert unordered == {"buffered_link", "clock_step"}


def test_a_load_of_a_hundred_tags_is_read_some_four_times_each_amid_strays() -> None:
    scene = SCENES["big_load"](2)
    reads = Counter(read["epc"] for read in _reads(scene))
    strays = {said["epc"] for said in scene.truth if said["type"] == "stray"}
    loads = Counter(said["epc"] for said in scene.truth if said["type"] == "crossed")
    a_pass = [reads[epc] / passes for epc, passes in loads.items()]
    assert 2.0 <= median(a_pass) <= 6.0
    assert 0.3 <= sum(reads[epc] for epc in strays) / reads.total() <= 0.9


def test_the_middles_of_the_two_sides_reads_are_seconds_apart_in_the_order_of_crossing() -> None:
    scene = SCENES["four_antennas"](2)
    sides: dict[str, tuple[list[float], list[float]]] = defaultdict(lambda: ([], []))
    for read in _reads(scene):
        at = datetime.fromisoformat(str(read["at"])).timestamp()
        sides[str(read["epc"])][int(read["antenna"]) > 2].append(at)
    apart = []
    for said in scene.truth:
        outside, inside = sides[said["epc"]]
        if said["type"] == "crossed" and outside and inside:
            later = sum(inside) / len(inside) - sum(outside) / len(outside)
            apart.append(later if said["direction"] == "in" else -later)
    assert min(apart) > 0.0
    assert 1.5 <= median(apart) <= 4.5


def test_a_way_that_turns_beyond_the_sill_crosses_it_twice() -> None:
    way = motion.turning(0.0, inside=False, to_y=0.5, pause_s=1.0, speed=1.0, rng=Random(1))
    assert [direction for _, direction in way.crossings(0.0)] == ["in", "out"]
    assert way.crossings(-0.6) == []


def test_what_stands_between_an_antenna_and_a_tag_weakens_it_and_what_stands_behind_does_not() -> None:
    aerial = radio.Aerial("dock-1", 1, "outside", 1.6, 0.0, 180.0)
    room = radio.place([aerial], np.random.default_rng(1))
    quiet = replace(room, amplitude=room.amplitude * 0)

    def power(*bodies: tuple[float, float]) -> float:
        there = [np.array([[x, y, radio.BODY_LOSS]]) for x, y in bodies]
        x, y, at_s = np.array([[-1.6]]), np.array([[0.0]]), np.array([[0.0]])
        return float(radio.levels(quiet, np.array([0]), x, y, at_s, there)[0, 0])

    assert power() - power((0.0, 0.0)) == pytest.approx(20.9, abs=0.1)
    assert power() == power((-2.6, 0.0)) == power((0.0, 1.0))


def test_the_outer_eye_breaks_first_on_the_way_in_and_people_break_both() -> None:
    door = Door(name="dock-1", a_side=0, eyes=True)
    making = Making(1, door)
    load = making.through(5, inwards=True)
    walk = motion.through(making.at_s, inwards=False, speed=1.4, rng=Random(2))
    person = cargo.person("W1", walk, door.aerials)
    said = [(each.input, each.on) for each in eyes.changes(door, [load, person], Random(1))]
    inwards = [(1, True), (2, True), (1, False), (2, False)]
    outwards = [(2, True), (2, False), (1, True), (1, False)]
    assert said == inwards + outwards


def test_an_eye_that_is_dirty_says_nothing_from_then_on() -> None:
    door = Door(name="dock-1", a_side=0, eyes=True)
    making = Making(1, door)
    making.through(5, inwards=True)
    dirty = (eyes.INSIDE, 10.0, 1_000.0)
    said = eyes.changes(door, making.groups, Random(1), blocked=dirty, chatter=5.0)
    assert [each.at_s for each in said if each.input == eyes.INSIDE] == [10.0, 1_000.0]
    assert len([each for each in said if each.input == eyes.OUTSIDE]) > 2


def test_what_was_buffered_comes_after_the_link_is_back_and_keeps_its_time() -> None:
    came = as_it_came("buffered_link", 1)
    down = next(each.came_ms for each in came if each.what == "down")
    up = next(each.came_ms for each in came if each.what == "up" and each.came_ms > 0)
    meanwhile = [each for each in came if each.what == "read" and down <= each.came_ms < up]
    assert {each.gate for each in meanwhile} == {"dock-2"}
    late = [each for each in came if each.what == "read" and each.came_ms > each.read_ms]
    assert late
    assert all(down <= each.read_ms < up <= each.came_ms for each in late)


def test_a_clock_set_back_leaves_the_steady_clock_alone() -> None:
    came = [each for each in as_it_came("clock_step", 1) if each.what == "read"]
    dated = [datetime.fromisoformat(json.loads(each.line)["at"]) for each in came]
    assert [each.read_ms for each in came] == sorted(each.read_ms for each in came)
    backwards = [b - a for a, b in pairwise(dated) if b < a]
    assert [round(step.total_seconds() / 60) for step in backwards] == [-60]


def test_a_day_has_what_was_asked_for_and_its_recording_is_whole(tmp_path: Path) -> None:
    out, truth_path, config = tmp_path / "day.jsonl", tmp_path / "truth.jsonl", tmp_path / "edge.toml"
    asked = ["day", "--seed", "2", "--hours", "0.5", "--passages", "12", "--parked", "30", "--out", str(out),
             "--truth", str(truth_path), "--config", str(config)]  # fmt: skip
    result = CliRunner().invoke(simulate, asked)
    assert result.exit_code == 0, result.output
    truth = [json.loads(line) for line in truth_path.read_text().splitlines()]
    came = {said["load"] for said in truth if said["type"] != "stray"}
    assert len(came) == 12
    parked = [said for said in truth if said["type"] == "stray" and said["load"].endswith(".1")]
    assert len(parked) == 30
    heading, *lines = out.read_text().splitlines()
    assert json.loads(heading)["edge"] == tomllib.loads(config.read_text())["edge"]
    read = {json.loads(line)["epc"] for line in lines}
    assert read <= {said["epc"] for said in truth}


def test_a_days_parked_tags_are_never_beyond_the_sill() -> None:
    for group in day(3, lasts_s=7200.0, passages=10).groups:
        if group.kind == "stock":
            assert len({y > 0 for y in group.way.y.tolist()}) == 1
            assert np.abs(group.way.y).min() - np.abs(group.ahead).max() > 0.0


def test_labelled_passes_are_of_one_door_and_say_what_every_tag_that_is_read_did(tmp_path: Path) -> None:
    world, made = passes.passes(3, 2)
    passes.write(tmp_path, 3, 2)
    truth = {(said["load"], said["epc"]): said for said in world.truth()}
    labels: dict[str, dict[str, str]] = defaultdict(dict)
    with (tmp_path / "labels.csv").open(encoding="utf-8", newline="") as file:
        for row in csv.DictReader(file):
            labels[row["recording"]][row["epc"]] = row["direction"]
    assert [one.direction for one in made] == ["in", "out", "none"] * 2
    for one in made:
        reads = [json.loads(line) for line in (tmp_path / one.name).read_bytes().splitlines()[1:]]
        assert reads
        for epc in {read["epc"] for read in reads}:
            said = truth.get((one.load.name, epc), {})
            expected = said.get("direction", "none")
            assert labels[one.name].get(epc, labels[one.name][""]) == expected
        assert {epc for epc in labels[one.name] if epc} <= {read["epc"] for read in reads}
