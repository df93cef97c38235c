"""Small hard scenes at dock doors, each a recording with its truth and the configuration of its doors.

    from simulators.doors.scenes import SCENES, as_it_came
    config, lines, truth = SCENES["two_doors"](seed=1)

`config` is the edge's configuration as TOML, `lines` the recording (bytes, heading first, in the order in which the
agent got them), `truth` a list of objects, each with `type`, `at`, `gate`, `epc`, `load`:

    crossed      also `direction`, in or out; `at` is when the tag crossed the sill
    turned_back  it came to the door, or a little through it, and went back
    passed       it went by, before or behind the door
    stray        it stood there all the time (once a tag)

A scene is the same for the same seed. `as_it_came(scene, seed)` gives `buffered_link` and `clock_step` as an agent
lives them: what came when by the steady clock, and when the reader's connection went and came.

    stockbeat simulate scene two_doors --seed 1 --dir FOLDER      writes edge.toml, recording.jsonl and truth.jsonl
"""

from collections.abc import Callable
from random import Random
from typing import NamedTuple

from simulators.doors import cargo, eyes, motion
from simulators.doors.making import SETTLE_S, Making
from simulators.doors.site import APART_M, Door
from simulators.doors.world import Row, Truth, World, heading, tag_line

DOWN_S = (60.0, 105.0)  # the link of buffered_link
STEP_S, STEP_AT_S = 3_600.0, 0.5  # clock_step: so far back, half-way through the first passage


class Scene(NamedTuple):
    config: str
    lines: list[bytes]
    truth: list[Truth]


class Came(NamedTuple):
    """One thing that reached the agent: at `came_ms` of its steady clock, a read made at `read_ms`, or up or down."""

    came_ms: int
    what: str  # read, up, down
    gate: str
    line: bytes = b""
    read_ms: int = 0


def _scene(world: World) -> Scene:
    return Scene(world.configuration, list(world.lines()), world.truth())


def _day_in_short(making: Making) -> None:
    """In, out, turned back, past, and in again, of a dozen tags each, amid goods at rest."""
    making.some_strays()
    making.through(12, inwards=True)
    making.turning(10, -1.4)
    making.through(8, inwards=False)
    making.past(9, -2.6)
    making.turning(12, 1.6, inside=True)
    making.through(20, inwards=True)
    making.through(1, inwards=False)


def one_a_side(seed: int) -> Scene:
    """One antenna outside, one inside: loads both ways, turning back on either side, passing by, one tag alone."""
    making = Making(seed, Door(name="dock-1", a_side=1))
    _day_in_short(making)
    return _scene(making.world())


def four_antennas(seed: int) -> Scene:
    """The same as `one_a_side`, with two antennas a side."""
    making = Making(seed, Door(name="dock-1", a_side=2))
    _day_in_short(making)
    return _scene(making.world())


def big_load(seed: int) -> Scene:
    """A hundred tags, read three to four times each, in and out, with seventy at rest; then one that turns back."""
    making = Making(seed, Door(name="dock-1"))
    for place in range(10):
        making.resting(7, (2.5 if place % 2 else -2.5) * making.rng.uniform(1.0, 1.4),
                       making.rng.choice((-1, 1)) * making.rng.uniform(1.8, 4.5))  # fmt: skip
    load = making.through(100, inwards=True)
    making.again(load, inwards=False)
    making.turning(100, -1.5)
    making.through(100, inwards=True, wet=True)
    return _scene(making.world())


def passing_by(seed: int) -> Scene:
    """Loads that go by at 1.8 to 4 m, on either side, some slowly; none crosses. One load goes in at the end."""
    making = Making(seed, Door(name="dock-1"))
    making.some_strays()
    for y in (-1.9, 2.2, -3.0, 4.0, -2.4):
        making.past(making.rng.randint(4, 25), y)
    making.through(15, inwards=True)
    return _scene(making.world())


def turning_back(seed: int) -> Scene:
    """Loads that come up to the sill, or half a metre through it, wait, and go back; one of them then goes in."""
    making = Making(seed, Door(name="dock-1"))
    making.some_strays()
    making.turning(12, -2.2, pause_s=0.5)
    making.turning(30, -0.9, pause_s=4.0)
    making.turning(8, 0.5, pause_s=2.0)
    load = making.turning(15, -1.2, pause_s=8.0)
    making.again(load, inwards=True)
    making.turning(20, 1.0, inside=True, pause_s=2.0)
    return _scene(making.world())


def stops_in_the_door(seed: int) -> Scene:
    """A load stops on the sill for four minutes and goes on in; another stops outside, at the antennas; then out."""
    making = Making(seed, Door(name="dock-1"))
    making.some_strays()
    load = making.through(20, inwards=True, stop_s=240.0)
    making.through(12, inwards=True, stop_s=90.0, stop_y=-1.3)
    making.again(load, inwards=False)
    return _scene(making.world())


def overlapping(seed: int) -> Scene:
    """Two loads meet in a wide door, one each way, a second or two apart; then one follows another on its heels."""
    making = Making(seed, Door(name="dock-1"))
    making.some_strays()
    begins_s = making.at_s
    making.through(30, inwards=True, x=-0.7)
    making.at_s = begins_s + making.rng.uniform(0.0, 2.0)
    making.through(18, inwards=False, x=0.7)
    begins_s = making.at_s
    making.through(12, inwards=True)
    making.at_s = begins_s + 3.0
    making.through(16, inwards=True)
    return _scene(making.world())


def forklift(seed: int) -> Scene:
    """Forklifts at 2.5 to 3 m/s, one load wet, one with a tenth of its tags dead on metal."""
    making = Making(seed, Door(name="dock-1"), reads_per_s=180.0)
    making.some_strays()
    making.through(24, inwards=True, speed=3.0)
    making.through(24, inwards=False, speed=2.7, wet=True)
    making.through(40, inwards=True, speed=2.5, dead=0.1)
    making.through(2, inwards=True, speed=3.0)
    return _scene(making.world())


def antenna_off(seed: int) -> Scene:
    """Antenna 3, then 3 and 4 (the whole inside) come off while loads go through."""
    making = Making(seed, Door(name="dock-1"))
    making.some_strays()
    making.through(20, inwards=True)
    first_s = making.at_s - 4.0
    making.through(20, inwards=True)
    both_s = making.at_s - 4.0
    making.through(20, inwards=True)
    making.through(20, inwards=False)
    making.off = {"dock-1": ((3, first_s, 1e9), (4, both_s, 1e9))}
    return _scene(making.world())


def two_doors(seed: int) -> Scene:
    """Two doors side by side, each with a reader that hears the loads of the other; one load through each at once."""
    making = Making(seed, Door(name="dock-1"), Door(name="dock-2", x=APART_M))
    making.resting(5, APART_M / 2, -2.5)
    making.resting(5, APART_M / 2, 2.5)
    load = making.through(20, inwards=True)
    making.through(15, inwards=True, x=APART_M, wet=True)
    begins_s = making.at_s
    making.again(load, inwards=False)
    making.at_s = begins_s + 1.0
    making.through(25, inwards=True, x=APART_M)
    making.turning(12, -1.5)
    return _scene(making.world())


def _with_eyes(seed: int, *, a_side: int, chatter: float = 0.0, blocked: tuple[int, float, float] | None = None,
               people: bool = False) -> Scene:  # fmt: skip
    door = Door(name="dock-1", a_side=a_side, eyes=True)
    making = Making(seed, door)
    making.some_strays()
    walkers = []
    for number, inwards in enumerate((True, False, True, True, False)):
        if people:
            walk = motion.through(making.at_s, inwards=making.rng.random() < 0.5, speed=1.4, rng=making.rng)
            walkers.append(cargo.person(f"W{number}", walk, making.aerials))
            making.at_s = walk.ends_s + 6.0
        making.through(making.rng.randint(4, 25), inwards=inwards)
    making.turning(10, -1.5)
    making.groups += walkers
    changes = eyes.changes(door, making.groups, Random(f"{seed}/eyes"), chatter=chatter, blocked=blocked)
    return _scene(making.world(changes))


def antenna_and_eyes(seed: int) -> Scene:
    """One antenna for both sides, and a pair of eyes that tell the direction: input 1 outside, input 2 inside."""
    return _with_eyes(seed, a_side=0)


def chattering_eyes(seed: int) -> Scene:
    """The same, and the inputs flutter: five gaps a second while a load breaks the beams."""
    return _with_eyes(seed, a_side=0, chatter=5.0)


def blocked_eye(seed: int) -> Scene:
    """The same, and the inside eye is dirty from the second load on: always on, worth nothing."""
    return _with_eyes(seed, a_side=0, blocked=(eyes.INSIDE, SETTLE_S + 20.0, 1e6))


def people_break_beams(seed: int) -> Scene:
    """The same, and somebody walks through without goods before each load, either way."""
    return _with_eyes(seed, a_side=0, people=True)


def four_antennas_and_eyes(seed: int) -> Scene:
    """Two antennas a side and eyes that chatter, with people: two witnesses that must agree."""
    return _with_eyes(seed, a_side=2, chatter=2.0, people=True)


def _buffered(seed: int) -> tuple[World, list[tuple[float, Row]]]:
    making = Making(seed, Door(name="dock-1"), Door(name="dock-2", x=3 * APART_M))
    making.some_strays()
    making.resting(3, 3 * APART_M + 2.5, 2.0)
    for number in range(4):
        making.at_s = SETTLE_S + 35.0 * number
        making.through(14, inwards=number % 2 == 0)
        making.at_s = SETTLE_S + 35.0 * number + 6.0
        making.through(9, inwards=number % 2 == 1, x=3 * APART_M)
    world = making.world()
    down_s, up_s = DOWN_S
    came = []
    for row in world.rows():
        held = row[1] == "dock-1" and down_s <= row[0] < up_s
        came.append((up_s + 0.2 + (row[0] - down_s) * 1e-3 if held else row[0], row))
    return world, sorted(came)


def buffered_link(seed: int) -> Scene:
    """The link to dock-1's reader is down for 45 s while dock-2's goes on; then its reads come, late but dated."""
    world, came = _buffered(seed)
    return Scene(world.configuration, [heading(), *(tag_line(row) for _, row in came)], world.truth())


def _stepped(seed: int) -> tuple[World, float]:
    making = Making(seed, Door(name="dock-1"))
    making.some_strays()
    first = making.through(15, inwards=True)
    making.through(10, inwards=False)
    step_s = first.from_s + STEP_AT_S * (first.to_s - first.from_s)
    return making.world(), step_s


def clock_step(seed: int) -> Scene:
    """The wall clock is set back by an hour in the middle of the first passage: times repeat, order does not."""
    world, step_s = _stepped(seed)
    rows = [_dated(row, step_s) for row in world.rows()]
    lines = [heading(), *map(tag_line, rows)]
    return Scene(world.configuration, lines, world.truth())


def _dated(row: Row, step_s: float) -> Row:
    return (row[0] - STEP_S, *row[1:]) if row[0] >= step_s else row


def as_it_came(name: str, seed: int) -> list[Came]:
    """What the agent lived through in `buffered_link` or `clock_step`, by its steady clock, which nobody sets."""
    if name == "buffered_link":
        world, came = _buffered(seed)
        down_s, up_s = DOWN_S
        links = [Came(0, "up", door.name) for door in world.doors]
        links += [Came(round(down_s * 1000), "down", "dock-1"), Came(round(up_s * 1000), "up", "dock-1")]
        reads = [
            Came(round(at * 1000), "read", row[1], tag_line(row), round(row[0] * 1000)) for at, row in came
        ]
    else:
        world, step_s = _stepped(seed)
        links = [Came(0, "up", "dock-1")]
        reads = []
        for row in world.rows():
            ms = round(row[0] * 1000)
            reads.append(Came(ms, "read", row[1], tag_line(_dated(row, step_s)), ms))
    return sorted(links + reads, key=lambda each: each.came_ms)


SCENES: dict[str, Callable[[int], Scene]] = {
    scene.__name__: scene
    for scene in (
        one_a_side, four_antennas, big_load, passing_by, turning_back, stops_in_the_door, overlapping, forklift,
        antenna_off, two_doors, antenna_and_eyes, chattering_eyes, blocked_eye, people_break_beams,
        four_antennas_and_eyes, buffered_link, clock_step,
    )
}  # fmt: skip
