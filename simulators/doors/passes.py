"""Labelled passes of one door, to practise teaching a door with: a recording each, and labels.csv.

    stockbeat simulate passes --each 10 --dir passes

One door's hour, cut up: between goods that stand there throughout, loads go in, go out, and turn back or go by, in
turn. Each recording begins half a minute before its load comes, and what is between recordings is left out.
"""

import csv
from pathlib import Path
from typing import NamedTuple

from simulators.doors.inventory import Group
from simulators.doors.making import SETTLE_S, Making
from simulators.doors.site import Door
from simulators.doors.world import World, heading, in_order

AFTER_S = 5.0  # a recording goes on for so long after its load has left
APART_S = 10.0  # between recordings
MOST_TAGS = 20  # of a load


class Pass(NamedTuple):
    """One recording, its seconds in the world, and what everything in it did that stood not there throughout."""

    name: str
    from_s: float
    to_s: float
    load: Group
    direction: str  # in, out or none


def passes(seed: int, each: int) -> tuple[World, list[Pass]]:
    """So many in, so many out, and so many that do not cross."""
    making = Making(seed, Door(name="dock-1"))
    making.some_strays()
    found = []
    for number in range(3 * each):
        begins_s = making.at_s - SETTLE_S
        direction = ("in", "out", "none")[number % 3]
        load = _load(making, direction, number)
        ends_s = load.to_s + AFTER_S
        found.append(Pass(f"pass-{number + 1:02d}.jsonl", begins_s, ends_s, load, direction))
        making.at_s = ends_s + APART_S + SETTLE_S
    return making.world(), found


def _load(making: Making, direction: str, number: int) -> Group:
    tags = making.rng.randint(2, MOST_TAGS)
    if direction != "none":
        return making.through(tags, inwards=direction == "in")
    if number % 2:
        return making.past(tags, making.rng.choice((-1.0, 1.0)) * making.rng.uniform(2.0, 3.0))
    return making.turning(tags, making.rng.uniform(-2.0, -0.8), pause_s=making.rng.uniform(0.5, 3.0))


def write(folder: Path, seed: int, each: int) -> None:
    """edge.toml, the recordings and labels.csv."""
    world, made = passes(seed, each)
    (folder / "edge.toml").write_text(world.configuration, "utf-8")
    rows = list(world.rows())
    standing = {epc for group in world.groups if group.kind == "stock" for epc in group.epcs}
    with (folder / "labels.csv").open("w", encoding="utf-8", newline="") as file:
        labels = csv.writer(file, lineterminator="\n")
        labels.writerow(("recording", "epc", "direction"))
        for one in made:
            mine = [row for row in rows if one.from_s <= row[0] < one.to_s]
            (folder / one.name).write_bytes(b"".join([heading(), *in_order(mine, ())]))
            labels.writerow((one.name, "", one.direction))
            if one.direction != "none":  # all its tags did as its load, but for those that stood there
                read = {epc for _, _, _, epc, _ in mine}
                labels.writerows((one.name, epc, "none") for epc in sorted(standing & read))
