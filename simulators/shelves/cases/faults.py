"""What goes wrong between a cell and whoever reads it, while units are taken."""

from dataclasses import replace

import numpy as np

from simulators.shelves import spoiling
from simulators.shelves.cell import Climate
from simulators.shelves.device import with_tracking
from simulators.shelves.making import Making
from simulators.shelves.spoiling import Spoil
from simulators.shelves.world import Sign, World


def _started(name: str, seed: int, device: str | None = None) -> tuple[Making, str, str]:
    make = Making(name=name, seed=seed, device_kind=device)
    kind = make.goods(room=12)
    bay = make.bay(kind, capacity=12, filled=0.7)
    make.wait()
    return make, bay, kind.gtin


def _spoil(make: Making, bay: str, spoil: Spoil) -> None:
    for cell in make.places[bay].cells:
        make.spoils.setdefault(cell, []).append(spoil)


def _taken(make: Making, bay: str, gtin: str, number: int = 3) -> World:
    for _ in range(number):
        make.take(bay, {gtin: 1})
        make.wait()
    return make.world()


def spikes(seed: int) -> World:
    """one sample in 300 is off by 30 g to 50 kg"""
    make, bay, gtin = _started("spikes", seed)
    _spoil(make, bay, spoiling.spikes(1.0 / 300.0, 30.0, 50_000.0))
    return _taken(make, bay, gtin)


def minus_one(seed: int) -> World:
    """one sample in 100 is -1, which some firmware says when its sensor does not answer"""
    make, bay, gtin = _started("minus_one", seed)
    _spoil(make, bay, spoiling.now_and_then(0.01, -1.0))
    return _taken(make, bay, gtin)


def minus_one_long(seed: int) -> World:
    """-1 for 5 to 20 s, twice"""
    make, bay, gtin = _started("minus_one_long", seed)
    for _ in range(2):
        until_s = make.at_s + float(make.rng.uniform(5.0, 20.0))
        _spoil(make, bay, spoiling.constant(make.at_s, until_s, -1.0))
        make.at_s = until_s
        make.wait()
        make.take(bay, {gtin: 1})
        make.wait()
    return make.world()


def saturated(seed: int) -> World:
    """the converter's largest count for 5 to 20 s, as a cable that breaks makes it; a unit is taken meanwhile"""
    make, bay, gtin = _started("saturated", seed)
    from_s, lasts_s = make.at_s, float(make.rng.uniform(5.0, 20.0))
    _spoil(make, bay, spoiling.constant(from_s, from_s + lasts_s, 2.1 * (make.full or 0.0)))
    make.unseen(bay, from_s + 0.5 * lasts_s, from_s + lasts_s + 2.0, {gtin: -1}, "pick while it cannot weigh")
    make.at_s = from_s + lasts_s
    make.wait()
    return _taken(make, bay, gtin, 1)


def told_fault(seed: int) -> World:
    """the scale says overload, and sends nothing, for 5 to 20 s; a unit is taken meanwhile"""
    make, bay, gtin = _started("told_fault", seed)
    from_s, lasts_s = make.at_s, float(make.rng.uniform(5.0, 20.0))
    _spoil(make, bay, spoiling.gap(from_s, from_s + lasts_s))
    at_s = from_s + 0.05
    while at_s < from_s + lasts_s:
        make.signs += [Sign(at_s, "fault", cell, ("overload",)) for cell in make.places[bay].cells]
        at_s += 0.5
    make.unseen(bay, from_s + 0.5 * lasts_s, from_s + lasts_s + 2.0, {gtin: -1}, "pick while it cannot weigh")
    make.at_s = from_s + lasts_s
    make.wait()
    return _taken(make, bay, gtin, 1)


def dead_cell(seed: int) -> World:
    """one of a bay's two or four cells says nothing, or a fault every second, for 20 to 60 s; goods move meanwhile"""
    make = Making(name="dead_cell", seed=seed, cells_of_bay=2 + 2 * (seed % 2))
    kind = make.goods(room=6)
    bay = make.bay(kind, capacity=16, filled=0.7)
    rng = make.rng
    make.wait()
    make.take(bay, {kind.gtin: 1}, share=float(rng.uniform(0.0, 1.0)))
    make.wait()
    dead = int(rng.choice(make.places[bay].cells))
    from_s, lasts_s = make.at_s, float(rng.uniform(20.0, 60.0))
    make.spoils.setdefault(dead, []).append(spoiling.gap(from_s, from_s + lasts_s))
    if rng.random() < 0.5:
        words = (str(rng.choice(("overload", "saturated", "device_error: 7"))),)
        make.signs += [Sign(from_s + 0.05 + n, "fault", dead, words) for n in range(int(lasts_s))]
    moves = np.sort(rng.uniform(0.1, 0.9, int(rng.integers(1, 4))))
    for part, units in zip(moves.tolist(), rng.choice((-2, -1, 1), len(moves)).tolist(), strict=True):
        at_s = from_s + part * lasts_s
        make.unseen(bay, at_s, from_s + lasts_s + 3.0, {kind.gtin: units}, "moved on part of its cells")
    make.at_s = from_s + lasts_s
    make.wait(20.0, 30.0)
    return _taken(make, bay, kind.gtin, 1)


def stuck(seed: int) -> World:
    """the same value for 20 to 40 s, while a unit is taken; then all is well again"""
    make, bay, gtin = _started("stuck", seed)
    from_s, lasts_s = make.at_s, float(make.rng.uniform(20.0, 40.0))
    _spoil(make, bay, spoiling.constant(from_s, from_s + lasts_s))
    make.unseen(bay, from_s + 0.5 * lasts_s, from_s + lasts_s + 2.0, {gtin: -1}, "pick while stuck")
    make.at_s = from_s + lasts_s
    make.wait()
    return _taken(make, bay, gtin, 1)


def unit_flip(seed: int) -> World:
    """kilograms called grams (or grams called kilograms) for 5 to 20 s"""
    make, bay, gtin = _started("unit_flip", seed)
    until_s = make.at_s + float(make.rng.uniform(5.0, 20.0))
    factor = 0.001 if make.rng.random() < 0.5 else 1000.0
    _spoil(make, bay, spoiling.scaled(make.at_s, until_s, factor))
    make.at_s = until_s
    make.wait()
    return _taken(make, bay, gtin, 2)


def gaps(seed: int) -> World:
    """nothing comes for 2 to 8 s, and a unit is taken meanwhile"""
    make, bay, gtin = _started("gaps", seed)
    for _ in range(2):
        from_s, lasts_s = make.at_s, float(make.rng.uniform(2.0, 8.0))
        _spoil(make, bay, spoiling.gap(from_s, from_s + lasts_s))
        make.unseen(bay, from_s + 0.4 * lasts_s, from_s + lasts_s + 1.0, {gtin: -1}, "pick in a gap")
        make.at_s = from_s + lasts_s
        make.wait()
    return make.world()


def untidy(seed: int) -> World:
    """samples lost (2 %), twice (5 %), and late by up to 1.5 s (5 %), so out of order"""
    make, bay, gtin = _started("untidy", seed)
    _spoil(make, bay, spoiling.untidy(0.02, 0.05, 0.05, 1.5))
    return _taken(make, bay, gtin, 4)


def clock_jump(seed: int) -> World:
    """the wall clock is set by up to an hour, forth or back, between units taken"""
    make, bay, gtin = _started("clock_jump", seed)
    for _ in range(3):
        make.take(bay, {gtin: 1})
        make.wait(5.0, 8.0)
        by_s = float(make.rng.choice((-1.0, 1.0)) * make.rng.uniform(5.0, 3600.0))
        make.clock_steps.append((make.at_s, by_s))
        make.wait(3.0, 5.0)
    return make.world()


def auto_zero(seed: int) -> World:
    """a legal scale that tracks its zero: the last units of a bay, emptied, drifting, filled again"""
    make = Making(name="auto_zero", seed=seed, device_kind="legal", full=15_000.0)
    make.device = with_tracking(make.device)
    kind = make.goods(grams=float(make.rng.uniform(60.0, 140.0)))
    bay = make.bay(kind, capacity=12, filled=0.3)
    place = make.places[bay]
    for cell in place.cells:  # tared with its tray: what it shows is goods alone
        make.cells[cell] = [
            replace(one, offset_grams=-place.tare_grams * one.span) for one in make.cells[cell]
        ]
    place.tare_grams = 0.0
    make.climate = Climate(swing_k=float(make.rng.uniform(2.0, 5.0)), swing_s=1200.0)
    for _ in range(len(place.units[kind.gtin])):
        make.wait(6.0, 12.0)
        make.take(bay, {kind.gtin: 1})
    make.wait(60.0, 300.0)
    for _ in range(2):
        make.put(bay, kind)
        make.wait(18.0, 25.0)
    return make.world()


def zero_key(seed: int) -> World:
    """somebody presses the scale's zero key with goods on it: it shows nothing from then on"""
    make, bay, gtin = _started("zero_key", seed)
    make.take(bay, {gtin: 1})
    make.wait()
    _spoil(make, bay, spoiling.zeroed(make.at_s))
    there = make.places[bay].grams()
    make.say(bay, "zero pressed", make.at_s, make.at_s + 0.1, {}, -there, -there, stays=True, hidden=True)
    make.wait(20.0, 30.0)
    return make.world()


FAULTS = (
    spikes, minus_one, minus_one_long, saturated, told_fault, dead_cell, stuck, unit_flip, gaps, untidy, clock_jump,
    auto_zero, zero_key,
)  # fmt: skip
