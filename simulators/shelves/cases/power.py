"""What happens while nothing weighs: power that goes, sensors that are exchanged, an agent that starts anew."""

from collections.abc import Callable
from dataclasses import replace

from simulators.shelves.cell import Cell
from simulators.shelves.making import Making
from simulators.shelves.world import World

BEFORE, OTHER_SERIAL, OTHER_DATE = ("4711", "2026-01-07"), ("4812", "2026-01-07"), ("4711", "2026-03-02")


def power_none(seed: int) -> World:
    """off for a minute to an hour, and nothing changed"""
    return _off("power_none", seed, 0)


def power_minus(seed: int) -> World:
    """off, and one unit less when on again"""
    return _off("power_minus", seed, -1)


def power_plus(seed: int) -> World:
    """off, and one unit more when on again"""
    return _off("power_plus", seed, 1)


def power_plus_24(seed: int) -> World:
    """off, and 24 units more when on again"""
    return _off("power_plus_24", seed, 24)


def power_restart(seed: int) -> World:
    """scale and agent both off, and one unit less when on again"""
    return _off("power_restart", seed, -1, restart=True)


def power_calibrated(seed: int) -> World:
    """calibrated anew while off, one unit less; the scale says its new calibration"""

    def other(cell: Cell) -> Cell:
        return replace(cell, span=cell.span * 1.004, offset_grams=cell.offset_grams + 0.012 * cell.full_grams)

    return _off("power_calibrated", seed, -1, scale=OTHER_DATE, cell=other)


def power_sensor(seed: int) -> World:
    """another sensor in its place, nothing else changed; the scale says its new serial number"""

    def other(cell: Cell) -> Cell:
        return replace(cell, span=cell.span * 0.985, offset_grams=cell.offset_grams - 0.02 * cell.full_grams)

    return _off("power_sensor", seed, 0, scale=OTHER_SERIAL, cell=other)


def power_zeroed(seed: int) -> World:
    """off and on, and the scale sets itself to zero with all that stands on it"""
    make = Making(name="power_zeroed", seed=seed)
    kind = make.goods()
    bay = make.bay(kind, filled=0.6)
    make.wait()
    make.take(bay, {kind.gtin: 1})
    make.wait(6.0, 12.0)
    there = make.places[bay].grams()
    make.power(
        float(make.rng.uniform(20.0, 600.0)), cell=lambda one: replace(one, offset_grams=-there * one.span)
    )
    make.say(bay, "zeroed itself", make.at_s, make.at_s + 3.0, {}, -there, -there, stays=True, hidden=True)
    make.wait(30.0, 40.0)
    return make.world()


def _off(
    name: str, seed: int, units: int, *, restart: bool = False, scale: tuple[str, str] | None = None,
    cell: Callable[[Cell], Cell] | None = None,
) -> World:  # fmt: skip
    make = Making(name=name, seed=seed, full=15_000.0 if units > 1 else None)
    kind = make.goods(room=34 if units > 1 else 8)
    bay = make.bay(kind, capacity=34 if units > 1 else None, filled=0.2 if units > 1 else 0.6)
    if scale:
        _says(make)
    make.wait()
    make.take(bay, {kind.gtin: 1})
    make.wait(6.0, 12.0)
    off_s, lasts_s = make.at_s, float(make.rng.uniform(60.0, 3600.0))
    make.power(lasts_s, restart=restart, scale=scale, cell=cell)
    if units:
        make.unseen(bay, off_s + 0.5 * lasts_s, make.at_s + 3.0, {kind.gtin: units}, "while off",
                    hidden=scale is not None)  # fmt: skip
    elif scale:
        shift = -0.02 * (make.full or 0.0)
        make.say(bay, "sensor exchanged", off_s, make.at_s + 3.0, {}, shift, shift, stays=True, hidden=True)
    make.wait(30.0, 40.0)
    if make.places[bay].units[kind.gtin]:
        make.take(bay, {kind.gtin: 1})
        if scale:  # a scale that is not known to weigh right is not believed until somebody has looked
            make.happened[-1] = replace(make.happened[-1], hidden=True)
    return make.world()


def _says(make: Making) -> None:
    make.heard(0.0, BEFORE)


def agent_restart(seed: int) -> World:
    """the agent starts anew between two units taken, and for 3 s nobody listens"""
    make = Making(name="agent_restart", seed=seed)
    kind = make.goods()
    bay = make.bay(kind)
    make.wait()
    make.take(bay, {kind.gtin: 1})
    make.wait()
    make.power(3.0, restart=True)
    make.wait()
    make.take(bay, {kind.gtin: 1})
    return make.world()


POWER = (
    power_none, power_minus, power_plus, power_plus_24, power_restart, power_calibrated, power_sensor, power_zeroed,
    agent_restart,
)  # fmt: skip
