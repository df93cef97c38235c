"""What happens at shelves, a case each: a few deeds, so that many worlds of each can be made and judged."""

from collections.abc import Callable

from simulators.shelves.making import Making
from simulators.shelves.world import World

CASES: dict[str, Callable[[int], World]] = {}


def case(make: Callable[[int], World]) -> Callable[[int], World]:
    CASES[make.__name__] = make
    return make


@case
def single(seed: int) -> World:
    """Single units, taken and put back, some seconds apart."""
    make = Making(name="single", seed=seed)
    kind = make.goods()
    bay = make.bay(kind)
    held: list[float] = []
    for _ in range(5):
        make.wait()
        if held and make.rng.random() < 0.4:
            make.put(bay, kind, weights=[held.pop()])
        elif make.places[bay].units[kind.gtin]:
            held.append(make.take(bay, {kind.gtin: 1}))
    return make.world()


@case
def quick(seed: int) -> World:
    """Four units, one after another, about a second apart."""
    make = Making(name="quick", seed=seed)
    kind = make.goods()
    bay = make.bay(kind, capacity=12, filled=0.7)
    make.wait()
    for _ in range(4):
        make.take(bay, {kind.gtin: 1})
        make.wait(0.5, 1.2)
    return make.world()


@case
def slow_pick(seed: int) -> World:
    """A unit lifted over three to six seconds."""
    make = Making(name="slow_pick", seed=seed)
    kind = make.goods()
    bay = make.bay(kind, capacity=12, filled=0.7)
    for _ in range(2):
        make.wait()
        make.take(bay, {kind.gtin: 1}, lift_s=float(make.rng.uniform(3.0, 6.0)))
    return make.world()


@case
def several(seed: int) -> World:
    """Two to six units in one move."""
    make = Making(name="several", seed=seed)
    kind = make.goods()
    bay = make.bay(kind, capacity=14, filled=0.9)
    for _ in range(2):
        make.wait()
        make.take(bay, {kind.gtin: int(make.rng.integers(2, 7))})
    return make.world()


@case
def lean(seed: int) -> World:
    """Somebody leans on the shelf for about ten seconds."""
    make = Making(name="lean", seed=seed)
    bay = make.bay(make.goods())
    for _ in range(2):
        make.wait()
        _, make.at_s = make.lean(
            bay, float(make.rng.uniform(5.0, 15.0)), float(make.rng.uniform(3000.0, 9000.0))
        )
    return make.world()
