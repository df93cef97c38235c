"""Puts a scene at doors together: one load after the other, goods at rest around them, everything from one seed."""

from collections.abc import Sequence
from dataclasses import replace
from random import Random

import numpy as np

from simulators.doors import cargo, eyes, motion
from simulators.doors.inventory import Group
from simulators.doors.site import Door
from simulators.doors.world import World

SETTLE_S = 30.0  # the door has been on for so long before anything moves
GAP_S = 9.0
SESSION_1_S = (0.5, 2.0)  # readers of odd seeds use it, those of even ones session 0


class Making:
    """Puts a scene together: every load after the one before, goods at rest around the door."""

    def __init__(self, seed: int, *doors: Door, reads_per_s: float = 60.0) -> None:
        self.seed, self.doors, self.reads_per_s = seed, doors, reads_per_s
        self.aerials = [aerial for door in doors for aerial in door.aerials]
        self.rng, self.numbers = Random(f"{seed}/scene"), np.random.default_rng([seed, 0])
        self.labels = cargo.Labels(seed)
        self.groups: list[Group] = []
        self.at_s = SETTLE_S
        self.off: dict[str, tuple[tuple[int, float, float], ...]] = {}
        self._resting: list[tuple[str, int, float, float, float]] = []

    def load(
        self, tags: int, way: motion.Way, *, wet: bool = False, dead: float = 0.0, kind: str = "load"
    ) -> Group:
        """A load; the next one comes when it is gone."""
        name = f"L{len(self.groups) + 1}"
        epcs = self.labels.next(tags)
        group = cargo.load(name, epcs, way, self.aerials, self.numbers, wet=wet, dead=dead)
        self.groups.append(replace(group, kind=kind))
        self.at_s = max(self.at_s, way.ends_s + self.rng.uniform(0.5, 1.5) * GAP_S)
        return group

    def through(self, tags: int, *, inwards: bool, speed: float | None = None, x: float = 0.0, stop_s: float = 0.0,
                stop_y: float = 0.0, wet: bool = False, dead: float = 0.0) -> Group:  # fmt: skip
        speed = speed or self.rng.uniform(0.8, 1.5)
        way = motion.through(
            self.at_s, inwards=inwards, speed=speed, rng=self.rng, x=x, stop_s=stop_s, stop_y=stop_y
        )
        return self.load(tags, way, wet=wet, dead=dead)

    def again(self, group: Group, *, inwards: bool, x: float = 0.0) -> Group:
        """The same tags once more."""
        way = motion.through(self.at_s, inwards=inwards, speed=self.rng.uniform(0.8, 1.5), rng=self.rng, x=x)
        self.groups.append(replace(group, name=f"L{len(self.groups) + 1}", way=way, from_s=way.begins_s,
                                   to_s=way.ends_s + 0.1))  # fmt: skip
        self.at_s = way.ends_s + self.rng.uniform(0.5, 1.5) * GAP_S
        return self.groups[-1]

    def turning(self, tags: int, to_y: float, *, inside: bool = False, pause_s: float = 1.5) -> Group:
        way = motion.turning(self.at_s, inside=inside, to_y=to_y, pause_s=pause_s,
                             speed=self.rng.uniform(0.8, 1.4), rng=self.rng)  # fmt: skip
        return self.load(tags, way)

    def past(self, tags: int, y: float) -> Group:
        way = motion.past(
            self.at_s, y=y, leftwards=self.rng.random() < 0.5, speed=self.rng.uniform(0.8, 1.5), rng=self.rng
        )
        return self.load(tags, way, kind="passing")

    def resting(self, tags: int, x: float, y: float, gain_db: float = -1.0) -> None:
        """A pallet parked there throughout."""
        self._resting.append((f"P{len(self._resting) + 1}", tags, x, y, gain_db))

    def some_strays(self) -> None:
        """Pallets on both sides, the nearest two metres from the sill."""
        for x, y in ((2.6, -2.0), (-2.8, -3.2), (2.9, 2.2), (-2.5, 3.0), (0.4, -5.5)):
            self.resting(
                self.rng.randint(2, 7), x + self.rng.uniform(-0.3, 0.3), y + self.rng.uniform(-0.4, 0.4)
            )

    def world(self, changes: Sequence[eyes.Change] = ()) -> World:
        end_s = self.at_s + 15.0
        at_rest = [
            cargo.stock(name, self.labels.next(tags), motion.resting(x, y, 0.0, end_s), self.aerials, self.numbers,
                        until_s=end_s, gain_db=gain_db)
            for name, tags, x, y, gain_db in self._resting
        ]  # fmt: skip
        return World(
            doors=self.doors, groups=(*self.groups, *at_rest), from_s=0.0, to_s=end_s, seed=self.seed,
            reads_per_s=self.reads_per_s, silent_s=SESSION_1_S if self.seed % 2 else (0.0, 0.0),
            eyes=tuple(changes), off=self.off,
        )  # fmt: skip
