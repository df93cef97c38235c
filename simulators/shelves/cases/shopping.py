"""What shoppers do: take, hold, change their minds, meet."""

from dataclasses import replace

from simulators.shelves import people
from simulators.shelves.making import Making
from simulators.shelves.world import World


def single(seed: int) -> World:
    """single units taken and put back, seconds apart"""
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


def quick(seed: int) -> World:
    """four units taken one after another, about a second apart"""
    make = Making(name="quick", seed=seed)
    kind = make.goods(room=12)
    bay = make.bay(kind, capacity=12, filled=0.7)
    make.wait()
    for _ in range(4):
        make.take(bay, {kind.gtin: 1})
        make.wait(0.5, 1.2)
    return make.world()


def slow_pick(seed: int) -> World:
    """a unit lifted over three to six seconds"""
    make = Making(name="slow_pick", seed=seed)
    kind = make.goods(room=12)
    bay = make.bay(kind, capacity=12, filled=0.7)
    for _ in range(2):
        make.wait()
        make.take(bay, {kind.gtin: 1}, lift_s=float(make.rng.uniform(3.0, 6.0)))
    return make.world()


def several(seed: int) -> World:
    """two to six units in one move"""
    make = Making(name="several", seed=seed)
    kind = make.goods(room=14)
    bay = make.bay(kind, capacity=14, filled=0.9)
    for _ in range(2):
        make.wait()
        make.take(bay, {kind.gtin: int(make.rng.integers(2, 7))})
    return make.world()


def small_parts(seed: int) -> World:
    """parts of 5 g one at a time, on a fine scale"""
    make = Making(name="small_parts", seed=seed, full=3_000.0, hiss=0.12)
    if make.device.kind == "legal":
        make = Making(name="small_parts", seed=seed, full=3_000.0, hiss=0.12, device_kind="board-10")
    kind = make.goods(grams=5.0, cv=0.01)
    bay = make.bay(kind, capacity=60, filled=0.5)
    for _ in range(4):
        make.wait()
        if make.rng.random() < 0.7:
            make.take(bay, {kind.gtin: 1})
        else:
            make.put(bay, kind)
    return make.world()


def two_kinds(seed: int) -> World:
    """one unit each of two kinds at once, one at 1.3 to 1.9 times the other's weight"""
    make = Making(name="two_kinds", seed=seed, full=15_000.0)
    one = make.goods(room=24)
    other = make.goods(grams=one.grams * float(make.rng.uniform(1.3, 1.9)))
    bay = make.bay(one, other, capacity=10, filled=0.8)
    for _ in range(2):
        make.wait()
        make.take(bay, {one.gtin: 1, other.gtin: 1})
    return make.world()


def mixed_bay(seed: int) -> World:
    """single units from a bay of two kinds that weigh clearly different"""
    make = Making(name="mixed_bay", seed=seed, full=15_000.0)
    one = make.goods(room=24)
    other = make.goods(grams=one.grams * float(make.rng.uniform(1.25, 1.9)))
    bay = make.bay(one, other, capacity=12, filled=0.8)
    for _ in range(4):
        make.wait()
        make.take(bay, {(one if make.rng.random() < 0.5 else other).gtin: 1})
    return make.world()


def close_weights(seed: int) -> World:
    """single units from a bay of two kinds of 330 and 342 g, which spread by 1 %"""
    make = Making(name="close_weights", seed=seed, full=15_000.0)
    one, other = make.goods(grams=330.0, cv=0.01), make.goods(grams=342.0, cv=0.01)
    bay = make.bay(one, other, capacity=12, filled=0.8)
    for _ in range(4):
        make.wait()
        make.take(bay, {(one if make.rng.random() < 0.5 else other).gtin: 1})
    return make.world()


def equal_weights(seed: int) -> World:
    """single units from a bay of two kinds of the same weight: nobody can tell"""
    make = Making(name="equal_weights", seed=seed, full=15_000.0)
    one = make.goods(room=24)
    other = make.goods(grams=one.grams * float(make.rng.uniform(0.998, 1.002)), cv=one.cv)
    bay = make.bay(one, other, capacity=12, filled=0.8)
    for _ in range(3):
        make.wait()
        make.take(bay, {(one if make.rng.random() < 0.5 else other).gtin: 1})
    return make.world()


def swap(seed: int) -> World:
    """one kind taken and another put in its place within a second or two"""
    make = Making(name="swap", seed=seed, full=15_000.0)
    one = make.goods(room=24)
    other = make.goods(grams=one.grams * float(make.rng.uniform(1.2, 1.9)))
    bay = make.bay(one, other, capacity=10, filled=0.7)
    for _ in range(2):
        make.wait()
        first, second = (one, other) if make.rng.random() < 0.5 else (other, one)
        make.swap(bay, first, second, float(make.rng.uniform(0.1, 0.6)))
    return make.world()


def swap_equal(seed: int) -> World:
    """the same with kinds of nearly the same weight: hardly anything is left to see"""
    make = Making(name="swap_equal", seed=seed, full=15_000.0)
    one = make.goods(room=24)
    other = make.goods(grams=one.grams * float(make.rng.uniform(0.98, 1.02)))
    bay = make.bay(one, other, capacity=10, filled=0.7)
    for _ in range(2):
        make.wait()
        make.swap(bay, one, other, float(make.rng.uniform(0.1, 0.6)))
    return make.world()


def two_people(seed: int) -> World:
    """two people take from one bay, the second 0 to 1 s after the first"""
    return _people("two_people", seed, 2)


def three_people(seed: int) -> World:
    """three people take from one bay, each 0 to 1 s after the one before"""
    return _people("three_people", seed, 3)


def _people(name: str, seed: int, number: int) -> World:
    make = Making(name=name, seed=seed)
    kind = make.goods(room=14)
    bay = make.bay(kind, capacity=14, filled=0.9)
    for _ in range(2):
        make.wait()
        ends = []
        for _ in range(number):
            from_s = make.at_s
            make.take(bay, {kind.gtin: int(make.rng.integers(1, 3))})
            ends.append(make.at_s)
            make.at_s = from_s + float(make.rng.uniform(0.0, 1.0))
        make.at_s = max(ends)
    return make.world()


def neighbours(seed: int) -> World:
    """two people at bays side by side, within half a second; 0 to 3 % of a load shows next to it"""
    return _beside("neighbours", seed, known=False)


def neighbours_known(seed: int) -> World:
    """the same, with the shelf's crosstalk measured (to a tenth of it) and configured"""
    return _beside("neighbours_known", seed, known=True)


def _beside(name: str, seed: int, *, known: bool) -> World:
    make = Making(name=name, seed=seed)
    goods = [make.goods(room=10) for _ in range(3)]
    bays = [make.bay(kind, capacity=10, filled=0.8) for kind in goods]
    for a, b in ((0, 1), (1, 0), (1, 2), (2, 1)):
        share = float(make.rng.uniform(0.0, 0.03))
        make.crosstalk[a, b] = share
        if known:
            make.known[a, b] = round(share * float(make.rng.uniform(0.9, 1.1)), 4)
    for _ in range(3):
        make.wait()
        ends = []
        for place in make.rng.permutation(3)[:2].tolist():
            from_s = make.at_s
            make.take(bays[place], {goods[place].gtin: int(make.rng.integers(1, 3))})
            ends.append(make.at_s)
            make.at_s = from_s + float(make.rng.uniform(0.0, 0.5))
        make.at_s = max(ends)
    return make.world()


def wrong_bay(seed: int) -> World:
    """taken from one bay and put back on another, 4 to 9 s later"""
    make = Making(name="wrong_bay", seed=seed)
    one, other = make.goods(room=10), make.goods(room=10)
    home, away = make.bay(one, capacity=10, filled=0.7), make.bay(other, capacity=10, filled=0.6)
    make.wait()
    weights = [make.take(home, {one.gtin: 1})]
    make.wait()
    make.put(away, one, weights=weights, kind="put in the wrong bay")
    return make.world()


def misplaced_returned(seed: int) -> World:
    """the same, and one to four minutes later a clerk takes it home"""
    make = Making(name="misplaced_returned", seed=seed)
    one, other = make.goods(room=10), make.goods(room=10)
    home, away = make.bay(one, capacity=10, filled=0.7), make.bay(other, capacity=10, filled=0.6)
    make.wait()
    weights = [make.take(home, {one.gtin: 1})]
    make.wait()
    make.put(away, one, weights=weights, kind="put in the wrong bay")
    make.wait(60.0, 240.0)
    make.take(away, {one.gtin: 1}, kind="taken home")
    make.wait(3.0, 8.0)
    make.put(home, one, weights=weights, kind="put where it belongs")
    return make.world()


def straddle(seed: int) -> World:
    """a unit put down across two bays' plates, and taken again later"""
    make = Making(name="straddle", seed=seed)
    one, other = make.goods(room=10), make.goods(room=10)
    home, beside = make.bay(one, capacity=10, filled=0.6), make.bay(other, capacity=10, filled=0.6)
    make.wait()
    part = float(make.rng.uniform(0.35, 0.65))
    grams = make.into(home, one)
    line = people.puts(make.at_s, grams, make.rng)
    make.blend({home: 1.0 - part, beside: part}, line)
    make.say(home, "put across two", make.at_s, line[-1][0], {one.gtin: 1}, grams * (1.0 - part))
    make.say(beside, "put across two", make.at_s, line[-1][0], {}, grams * part, grams * part)
    make.at_s = line[-1][0] + float(make.rng.uniform(18.0, 25.0))
    make.places[home].units[one.gtin].remove(grams)
    line = people.takes(make.at_s, grams, make.rng)
    make.blend({home: 1.0 - part, beside: part}, line)
    make.say(home, "taken from two", make.at_s, line[-1][0], {one.gtin: -1}, -grams * (1.0 - part))
    make.say(beside, "taken from two", make.at_s, line[-1][0], {}, -grams * part, -grams * part)
    make.at_s = line[-1][0]
    return make.world()


def wide_bay(seed: int) -> World:
    """a bay on two cells, taken from anywhere between them"""
    make = Making(name="wide_bay", seed=seed, cells_of_bay=2)
    kind = make.goods()
    bay = make.bay(kind, capacity=12, filled=0.8)
    for _ in range(4):
        make.wait()
        make.take(bay, {kind.gtin: int(make.rng.integers(1, 3))}, share=float(make.rng.uniform(0.0, 1.0)))
    return make.world()


def trays(seed: int) -> World:
    """units that come and go each with its tray or hanger, of a tenth to six tenths of their weight"""
    make = Making(name="trays", seed=seed)
    bare = make.goods(room=20)
    kind = replace(bare, tray_grams=round(bare.grams * float(make.rng.uniform(0.1, 0.6)), 1))
    bay = make.bay(kind, capacity=12, filled=0.7)
    for _ in range(2):
        make.wait()
        make.take(bay, {kind.gtin: int(make.rng.integers(1, 4))})
    make.wait()
    make.put(bay, kind)
    make.wait(20.0, 30.0)
    make.take(bay, {kind.gtin: 1})
    return make.world()


def pick_and_put(seed: int) -> World:
    """two taken and one of them put back, without a moment of rest between"""
    make = Making(name="pick_and_put", seed=seed)
    kind = make.goods(room=12)
    bay = make.bay(kind, capacity=12, filled=0.8)
    for _ in range(2):
        make.wait()
        make.take(bay, {kind.gtin: 2})
        back = [kind.unit(make.rng)]
        make.at_s += float(make.rng.uniform(0.05, 0.4))
        make.put(bay, kind, weights=back)
    return make.world()


def lift_and_return(seed: int) -> World:
    """lifted for 0.4 to 4 s and put back: nothing is gone"""
    make = Making(name="lift_and_return", seed=seed)
    kind = make.goods()
    bay = make.bay(kind)
    for _ in range(3):
        make.wait()
        grams = make.places[bay].units[kind.gtin][0]
        line = people.swaps(make.at_s, grams, grams, make.rng, float(make.rng.uniform(0.4, 4.0)))
        make.press(bay, line, tremble=1.0 + 0.02 * grams)
        make.say(bay, "lifted and put back", make.at_s, line[-1][0], {}, 0.0)
        make.at_s = line[-1][0]
    return make.world()


def hold_then_pick(seed: int) -> World:
    """half lifted for 3 to 10 s, then taken"""
    make = Making(name="hold_then_pick", seed=seed)
    kind = make.goods()
    bay = make.bay(kind)
    for _ in range(2):
        make.wait()
        _hold(make, bay, {kind.gtin: 1}, part=float(make.rng.uniform(0.3, 0.8)))
        make.take(bay, {kind.gtin: 1})
    return make.world()


def hold_two_take_one(seed: int) -> World:
    """two lifted, weighed in the hands for 2 to 6 s, one put back"""
    make = Making(name="hold_two_take_one", seed=seed)
    kind = make.goods(room=12)
    bay = make.bay(kind, capacity=12, filled=0.8)
    for _ in range(2):
        make.wait()
        make.take(bay, {kind.gtin: 2})
        make.wait(2.0, 6.0)
        make.put(bay, kind)
    return make.world()


def _hold(make: Making, bay: str, units: dict[str, int], part: float) -> None:
    """A hand takes off a part of the weight, and holds it so; it is all back just before what comes next."""
    grams = sum(make.places[bay].units[gtin][0] * n for gtin, n in units.items())
    line = people.rests(make.at_s, float(make.rng.uniform(3.0, 10.0)), -part * grams, make.rng)
    make.press(bay, line, tremble=0.03 * grams)
    make.say(bay, "half lifted", make.at_s, line[-1][0], {}, 0.0)
    make.at_s = line[-1][0] + 0.02


def drink(seed: int) -> World:
    """taken, 100 ml drunk, put back 10 to 40 s later: what came back is no unit"""
    make = Making(name="drink", seed=seed, full=15_000.0)
    kind = make.goods(grams=float(make.rng.uniform(280.0, 560.0)), cv=float(make.rng.uniform(0.003, 0.012)))
    bay = make.bay(kind, capacity=12, filled=0.8)
    make.wait()
    grams = make.take(bay, {kind.gtin: 1})
    make.wait(10.0, 40.0)
    make.at_s = make.thing(bay, grams - float(make.rng.uniform(95.0, 105.0)), None)
    return make.world(30.0)


SHOPPING = (
    single, quick, slow_pick, several, small_parts, two_kinds, mixed_bay, close_weights, equal_weights, swap,
    swap_equal, two_people, three_people, neighbours, neighbours_known, wrong_bay, straddle, wide_bay, trays,
    misplaced_returned, pick_and_put, lift_and_return, hold_then_pick, hold_two_take_one, drink,
)  # fmt: skip
