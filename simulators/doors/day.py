"""A working day of sixteen hours at one dock door: a hundred tags parked around it, two hundred loads that come to it.

Parked pallets come, are moved about on their side and are taken away, and none of their tags crosses; people and trucks
stand before them. Loads have one to a hundred tags; most cross, some turn back or go by, some stop in the door for
minutes, some meet another, some come on the heels of one, and some are parked right behind the door when they are in.
"""

from collections import deque
from dataclasses import dataclass, field, replace
from random import Random

import numpy as np

from simulators.doors import cargo, motion
from simulators.doors.inventory import Group
from simulators.doors.motion import FAR_M, Knot, Way
from simulators.doors.site import Door
from simulators.doors.world import World

LASTS_S = 16 * 3600.0
PASSAGES = 200
PARKED = 100
LEAD_S = 120.0  # before the first load
SPEEDS_M_S = ((0.5, 0.9), (0.9, 1.5), (0.9, 1.5), (1.5, 3.0))  # a heavy cart, hand pallet trucks, a forklift
STAYS_S = 1200.0  # a load leaves no sooner after it came


@dataclass
class _Day:
    seed: int
    lasts_s: float
    rng: Random
    numbers: np.random.Generator
    labels: cargo.Labels
    door: Door
    groups: list[Group] = field(default_factory=list)
    came: deque[tuple[float, Group]] = field(default_factory=lambda: deque(maxlen=30))


def day(seed: int, *, lasts_s: float = LASTS_S, passages: int = PASSAGES, parked: int = PARKED) -> World:
    """The world of one day. A shorter one has fewer passages, or is busier."""
    door = Door(name="dock-1")
    today = _Day(
        seed, lasts_s, Random(f"{seed}/day"), np.random.default_rng([seed, 0]), cargo.Labels(seed), door
    )
    _park(today, parked)
    times = sorted(today.rng.uniform(LEAD_S, lasts_s - 400.0) for _ in range(passages))
    free_s, done = 0.0, 0
    while done < passages:
        at_s = max(times[done], free_s + today.rng.uniform(2.0, 6.0))
        if done and today.rng.random() < 0.15:
            at_s = free_s - 4.0  # on the heels of the one before, which is still in sight
        done += 1
        free_s = _come(today, at_s, f"L{done}")
        if done < passages and today.rng.random() < 0.06:  # another meets it, in the same door
            done += 1
            free_s = max(free_s, _come(today, at_s + today.rng.uniform(0.0, 4.0), f"L{done}", aside=True))
    _walkers(today)
    reads_per_s = today.rng.choice((60.0, 120.0, 250.0))
    off_s = today.rng.uniform(0.3, 0.8) * lasts_s
    return World(
        doors=(door,), groups=tuple(today.groups), from_s=0.0, to_s=max(lasts_s, free_s), seed=seed,
        reads_per_s=reads_per_s, silent_s=(0.5, 2.0), turn_s=0.1,
        off={door.name: ((today.rng.choice((1, 2, 3, 4)), off_s, off_s + 1800.0),)},
    )  # fmt: skip


def _tags(rng: Random) -> int:
    """Some 1, half below 15, some 100."""
    return max(1, min(100, round(rng.lognormvariate(2.6, 1.1))))


def _come(today: _Day, at_s: float, name: str, *, aside: bool = False) -> float:
    """One load comes; returns when the door is free again."""
    rng = today.rng
    speed = rng.uniform(*rng.choice(SPEEDS_M_S))
    kind = rng.random()
    if kind < 0.12:
        inside, to_y = rng.random() < 0.4, rng.choice((-2.5, -1.8, -1.2, -0.9, 0.4))
        way = motion.turning(
            at_s,
            inside=inside,
            to_y=-to_y if inside else to_y,
            pause_s=rng.uniform(0.5, 40.0),
            speed=speed,
            rng=rng,
        )
        return _add(today, name, _tags(rng), way, "load")
    if kind < 0.24:
        way = motion.past(
            at_s,
            y=rng.choice((-1, 1)) * rng.uniform(1.8, 4.0),
            leftwards=rng.random() < 0.5,
            speed=speed,
            rng=rng,
        )
        return _add(today, name, _tags(rng), way, "passing")
    inwards = rng.random() < 0.5
    stop_s = rng.uniform(60.0, 300.0) if rng.random() < 0.04 else 0.0
    way = motion.through(
        at_s, inwards=inwards, speed=speed, rng=rng, x=(0.7 if inwards else -0.7) if aside else 0.0,
        stop_s=stop_s, stop_y=rng.uniform(-1.5, 1.5),
    )  # fmt: skip
    if not inwards and today.came and today.came[0][0] + STAYS_S < at_s:
        _, load = today.came.popleft()  # what came in goes out again
        today.groups.append(
            replace(load, name=name, way=way, from_s=way.begins_s, to_s=way.ends_s + 0.1, shades=())
        )
        return way.ends_s
    if inwards and rng.random() < 0.1:
        return _parked_behind(today, name, way)
    return _add(today, name, _tags(rng), way, "load")


def _add(today: _Day, name: str, tags: int, way: Way, kind: str) -> float:
    group = cargo.load(
        name, today.labels.next(tags), way, today.door.aerials, today.numbers,
        wet=today.rng.random() < 0.15, dead=0.02,
    )  # fmt: skip
    today.groups.append(replace(group, kind=kind))
    if len(way.crossings(0.0)) == 1 and way.crossings(0.0)[0][1] == "in":
        today.came.append((way.ends_s, group))
    return way.ends_s


def _parked_behind(today: _Day, name: str, way: Way) -> float:
    """In, and set down two to four metres behind the door, until somebody takes it on."""
    rng = today.rng
    spot = (rng.choice((-1, 1)) * rng.uniform(1.8, 3.0), rng.uniform(1.8, 4.0))
    knots: list[Knot] = [
        (t, x, y) for t, x, y in zip(way.t.tolist(), way.x.tolist(), way.y.tolist(), strict=True) if y < 1.2
    ]
    there = motion.along(knots[-1][0], [knots[-1][1:], spot], 0.8, rng)
    way_in = Way([*knots, *there[1:]])
    group = cargo.load(name, today.labels.next(_tags(rng)), way_in, today.door.aerials, today.numbers)
    group = replace(group, to_s=way_in.ends_s)
    leaves_s = way_in.ends_s + rng.uniform(600.0, 5400.0)
    away = motion.along(leaves_s, [spot, (spot[0] * 2, FAR_M)], 1.0, rng)
    stands = replace(
        group, name=f"{name}-parked", way=Way([(way_in.ends_s, *spot), *away]), from_s=way_in.ends_s,
        to_s=away[-1][0], lets_through=1.0, kind="stock",
    )  # fmt: skip
    today.groups += [group, cargo.shaded(stands, stands.from_s, leaves_s, rng)]
    return way_in.ends_s


def _park(today: _Day, tags: int) -> None:
    """Pallets around the door: at any time about so many tags, each pallet there for hours, one after another."""
    rng, left, place = today.rng, tags, 0
    while left > 0:
        number = min(left, rng.randint(1, 7))
        left -= number
        place += 1
        at_s, sequel = 0.0, 0
        while at_s < today.lasts_s:
            sequel += 1
            stays_s = rng.uniform(2.0, 9.0) * 3600.0
            group = _pallet(
                today, f"P{place}.{sequel}", number, at_s, min(today.lasts_s + 60.0, at_s + stays_s)
            )
            today.groups.append(group)
            at_s = group.to_s + rng.uniform(60.0, 1200.0)


def _spot(rng: Random, sign: float) -> tuple[float, float]:
    """Beside the posts within one to two metres of the sill, or somewhere behind."""
    if rng.random() < 0.25:
        return rng.choice((-1, 1)) * rng.uniform(2.0, 2.6), sign * rng.uniform(1.0, 2.0)
    return rng.uniform(-4.5, 4.5), sign * rng.uniform(2.2, 5.5)


def _pallet(today: _Day, name: str, tags: int, from_s: float, to_s: float) -> Group:
    rng = today.rng
    sign = rng.choice((-1.0, 1.0))
    spot = _spot(rng, sign)
    knots: list[Knot] = [(from_s, *spot)]
    if from_s > 0.0:
        knots = motion.along(from_s, [(spot[0] * 1.5, sign * FAR_M), spot], rng.uniform(0.6, 1.2), rng)
    while rng.random() < 0.5:
        moved_s = knots[-1][0] + rng.uniform(900.0, 7200.0)
        if moved_s > to_s - 60.0:
            break
        spot = _spot(rng, sign)
        knots += motion.along(moved_s, [knots[-1][1:], spot], rng.uniform(0.6, 1.2), rng)
    leaves_s = max(knots[-1][0], to_s - 30.0)
    away = motion.along(leaves_s, [spot, (spot[0] * 1.5, sign * FAR_M)], rng.uniform(0.6, 1.2), rng)
    knots += away if to_s < today.lasts_s else [(to_s, *spot)]
    group = cargo.stock(
        name, today.labels.next(tags), Way(knots), today.door.aerials, today.numbers, until_s=knots[-1][0],
        gain_db=rng.uniform(-8.0, 1.0),
    )  # fmt: skip
    return cargo.shaded(group, from_s, to_s, rng)


def _walkers(today: _Day) -> None:
    """People without goods, through the door and past it."""
    rng, at_s, number = today.rng, 0.0, 0
    while (at_s := at_s + rng.expovariate(1.0 / 240.0)) < today.lasts_s:
        number += 1
        if rng.random() < 0.5:
            way = motion.through(at_s, inwards=rng.random() < 0.5, speed=1.4, rng=rng)
        else:
            way = motion.past(
                at_s, y=rng.choice((-1, 1)) * rng.uniform(1.5, 4.0), leftwards=True, speed=1.4, rng=rng
            )
        today.groups.append(cargo.person(f"W{number}", way, today.door.aerials))
