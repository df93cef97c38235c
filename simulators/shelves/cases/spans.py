"""Scales that come to weigh by another factor, and say nothing of it: another amplifier, another sensor, a wrong mass.

What is taken while a scale weighs wrong is nothing that a weight can tell: it may be left open, and must not be counted
wrongly. At least three moves are made before and six after, for nobody can know of a wrong factor by one.
"""

from dataclasses import replace

import numpy as np

from simulators.shelves import spoiling
from simulators.shelves.cell import Cell
from simulators.shelves.making import Making
from simulators.shelves.world import Sign, World

# Sensors are sold with 1, 1.5, 2 and 3 mV/V, converters set to gains of a power of two, boards fed with 3.3 or 5 V.
RATED = (0.5, 0.66, 0.75, 1.33, 1.5, 2.0)
# And those of one kind, of hobby grade, differ by so much, as whoever swaps them without calibrating finds out.
ALIKE = (0.08, 0.35)
MISREAD = (
    0.5,
    2.0,
    0.4536,
    2.2046,
    0.8,
    1.25,
)  # a mass of 1 kg called 2 kg, a pound called a kilogram, 4 kg called 5
LATER = 6


def _factor(rng: np.random.Generator) -> float:
    if rng.random() < 0.4:
        return float(rng.choice(RATED))
    return float(np.exp(rng.choice((-1.0, 1.0)) * rng.uniform(*ALIKE)))


def _bays(name: str, seed: int, number: int, taken: int = 3) -> tuple[Making, list[str]]:
    make = Making(name=name, seed=seed)
    bays = []
    for _ in range(number):
        kind = make.goods(room=16)
        bays.append(make.bay(kind, capacity=16, filled=float(make.rng.uniform(0.75, 1.0))))
    make.wait()
    for n in range(taken):
        _take(make, bays[n % number])
    return make, bays


def _take(make: Making, bay: str, *, hidden: bool = False) -> None:
    gtin = make.places[bay].kinds[0].gtin
    if make.places[bay].units[gtin]:
        make.take(bay, {gtin: 1})
        make.happened[-1] = replace(make.happened[-1], hidden=hidden)
        make.wait(5.0, 9.0)


def _shown(make: Making, bay: str, from_s: float, to_s: float, grams: float, kind: str) -> None:
    """What seems to come, and is none of it there."""
    make.say(bay, kind, from_s, to_s, {}, grams, grams, stays=True, hidden=True)


def _ended(make: Making, bays: list[str]) -> World:
    make.wait(30.0, 40.0)
    for n in range(LATER * len(bays)):
        _take(make, bays[n % len(bays)], hidden=True)
    return make.world()


def span_off_boot(seed: int) -> World:
    """three bays of a board; off, and by another amplifier all of them weigh by one other factor from then on"""
    make, bays = _bays("span_off_boot", seed, 3)
    factor = _factor(make.rng)
    off_s = make.at_s
    make.power(float(make.rng.uniform(60.0, 1800.0)), restart=bool(make.rng.random() < 0.5),
               cell=lambda one: replace(one, span=one.span * factor))  # fmt: skip
    for bay in bays:
        _shown(make, bay, off_s, make.at_s + 3.0, (factor - 1.0) * make.places[bay].grams(), "another factor")
    return _ended(make, bays)


def span_sensor_boot(seed: int) -> World:
    """one bay; off, and another sensor in its place, of another factor and zero, which no serial number tells"""
    make, bays = _bays("span_sensor_boot", seed, 1)
    factor = _factor(make.rng)
    zero = float(make.rng.normal(0.0, 0.015)) * (
        make.full or 0.0
    )  # as sensors' sheets say of their zero balance
    off_s, there = make.at_s, make.places[bays[0]].grams()

    def other(cell: Cell) -> Cell:
        return replace(cell, span=cell.span * factor, offset_grams=cell.offset_grams + zero)

    make.power(float(make.rng.uniform(60.0, 1800.0)), cell=other)
    _shown(make, bays[0], off_s, make.at_s + 3.0, (factor - 1.0) * there + zero, "another sensor")
    return _ended(make, bays)


def span_off_live(seed: int) -> World:
    """one bay weighs by another factor from one moment on"""
    make, bays = _bays("span_off_live", seed, 1)
    factor, place = _factor(make.rng), make.places[bays[0]]
    for cell in place.cells:
        make.spoils.setdefault(cell, []).append(spoiling.scaled(make.at_s, float("inf"), factor))
    _shown(make, bays[0], make.at_s, make.at_s + 0.1, (factor - 1.0) * place.grams(), "another factor")
    return _ended(make, bays)


def span_wrong_always(seed: int) -> World:
    """one bay was calibrated with a wrong mass before anything else, and weighs by that factor all the time"""
    make = Making(name="span_wrong_always", seed=seed)
    kind = make.goods(room=16)
    bay = make.bay(kind, capacity=16, filled=0.9)
    factor = 1.0 / float(make.rng.choice(MISREAD))
    place = make.places[bay]
    for cell in place.cells:
        make.cells[cell] = [replace(one, span=one.span * factor) for one in make.cells[cell]]
    place.tare_grams *= factor  # the shop noted what its scale says of the tray
    make.wait()
    for _ in range(9):
        _take(make, bay, hidden=True)
    return make.world()


def wrong_mass_calibration(seed: int) -> World:
    """two bays; one is emptied, calibrated with a mass that is not what was entered, and filled again"""
    make, bays = _bays("wrong_mass_calibration", seed, 2)
    bay, other = bays
    place, factor = make.places[bay], float(make.rng.choice(MISREAD))
    make.signs += [Sign(make.at_s, "serve", words=(name,)) for name in bays]
    there = place.grams()
    empty_s, full_s = make.at_s + 2.0, make.at_s + 32.0
    make.press(bay, [(empty_s, 0.0), (empty_s + 8.0, -there), (full_s, -there), (full_s + 8.0, 0.0)])
    make.say(bay, "calibrated", empty_s, full_s + 8.0, {}, 0.0, hidden=True)
    make.at_s = full_s + 12.0
    for cell in place.cells:
        zero = make.cells[cell][-1].offset_grams
        make.signs.append(Sign(make.at_s, "calibrate", cell, (repr(factor), repr(-factor * zero))))
    make.at_s += 0.5
    make.signs += [Sign(make.at_s, "resume", words=(name,)) for name in bays]
    make.wait(8.0, 12.0)
    for n in range(2 * LATER):
        _take(make, (bay, other)[n % 2], hidden=n % 2 == 0)
    return make.world()


def power_sales(seed: int) -> World:
    """three bays of a board; off, and of each some units are gone or have come when it is on again"""
    make, bays = _bays("power_sales", seed, 3)
    off_s = make.at_s
    make.power(float(make.rng.uniform(600.0, 3600.0)), restart=bool(make.rng.random() < 0.5))
    for bay in bays:
        kind, there = (
            make.places[bay].kinds[0].gtin,
            len(make.places[bay].units[make.places[bay].kinds[0].gtin]),
        )
        units = int(make.rng.integers(-3, min(2, 16 - there) + 1))
        if units:
            make.unseen(bay, off_s + 0.5 * (make.at_s - off_s), make.at_s + 3.0, {kind: units}, "while off")
    make.wait(30.0, 40.0)
    for bay in bays:
        _take(make, bay)
    return make.world()


SPANS = (
    span_off_boot, span_sensor_boot, span_off_live, span_wrong_always, wrong_mass_calibration, power_sales,
)  # fmt: skip
