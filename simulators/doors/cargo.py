"""Loads, pallets at rest and people: how many tags, where on them, and how well each is seen."""

from collections.abc import Sequence
from dataclasses import replace
from random import Random

import numpy as np

from simulators.doors.inventory import Group
from simulators.doors.motion import Way
from simulators.doors.radio import BODY_LOSS, Aerial
from simulators.epc import sgtin_96

HALF_LENGTH_M, HALF_WIDTH_M = 0.6, 0.4  # of a EUR pallet, 1.2 x 0.8 m
TURNED_DB = 3.0  # spread between tags by how they are stuck and turned; assumed
APIECE_DB = 1.5  # and of one tag between antennas
HIDDEN_DB = 9.0  # behind liquid or metal, to the antennas of one side of the load
DEAD_DB = 18.0  # a tag flat on metal
CASE, PREFIX = "80614141123458", "0614141"
PERSON_LETS_THROUGH = 0.45  # 7 dB, one way


class Labels:
    """Prints tags; the same one never twice."""

    def __init__(self, seed: int) -> None:
        self._serial = Random(f"{seed}/labels").randrange(1 << 12) << 24

    def next(self, number: int) -> tuple[str, ...]:
        self._serial += number
        return tuple(
            sgtin_96(CASE, company_prefix=PREFIX, serial=self._serial - left, filter_value=2)
            for left in range(number)
        )


def load(
    name: str, epcs: tuple[str, ...], way: Way, aerials: Sequence[Aerial], rng: np.random.Generator, *,
    wet: bool = False, dead: float = 0.0, until_s: float | None = None, lets_through: float = BODY_LOSS,
) -> Group:  # fmt: skip
    """A load on its way. `wet` goods hide the tags of one side from the antennas of the other; a share is `dead`."""
    number = len(epcs)
    aside = rng.uniform(-HALF_WIDTH_M, HALF_WIDTH_M, number)
    gain = rng.normal(0.0, TURNED_DB, (number, 1)) + rng.normal(0.0, APIECE_DB, (number, len(aerials)))
    if wet:
        # The goods are between a tag on one side of the load and the antennas on the other side of the door.
        middle = way.x[np.argmin(np.abs(way.y))]
        sides = np.array([[(a.x > middle) != (x > 0.0) for a in aerials] for x in aside])
        gain -= HIDDEN_DB * sides
    gain[rng.random(number) < dead] -= DEAD_DB
    return Group(
        name=name, epcs=epcs, way=way, from_s=way.begins_s,
        to_s=way.ends_s + 0.1 if until_s is None else until_s,
        ahead=rng.uniform(-HALF_LENGTH_M, HALF_LENGTH_M, number), aside=aside, gain_db=gain,
        lets_through=lets_through,
    )  # fmt: skip


def stock(
    name: str, epcs: tuple[str, ...], way: Way, aerials: Sequence[Aerial], rng: np.random.Generator, *,
    until_s: float, gain_db: float = -6.0,
) -> Group:  # fmt: skip
    """Goods parked near a door: as a load, seen worse by `gain_db`, because others stand around them."""
    group = load(name, epcs, way, aerials, rng, until_s=until_s, lets_through=1.0)
    return replace(group, kind="stock", gain_db=group.gain_db + gain_db)


def shaded(group: Group, from_s: float, to_s: float, rng: Random, *, every_s: float = 240.0) -> Group:
    """The same, with people and trucks that stand before it for a while, now and then."""
    shades, at_s = [], from_s + rng.expovariate(1.0 / every_s)
    while at_s < to_s:
        lasts_s = min(900.0, rng.lognormvariate(3.0, 1.2))  # median 20 s, some a quarter of an hour
        shades.append((at_s, at_s + lasts_s, rng.uniform(5.0, 16.0)))
        at_s += lasts_s + rng.expovariate(1.0 / every_s)
    return replace(group, shades=tuple(shades))


def person(name: str, way: Way, aerials: Sequence[Aerial]) -> Group:
    nothing = np.empty(0)
    return Group(
        name=name, epcs=(), way=way, from_s=way.begins_s, to_s=way.ends_s, ahead=nothing, aside=nothing,
        gain_db=np.empty((0, len(aerials))), lets_through=PERSON_LETS_THROUGH, kind="person",
    )  # fmt: skip
