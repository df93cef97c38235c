"""What else presses on a shelf: hands and bags, clerks who fill it, trucks that shake it, warmth and time."""

from dataclasses import replace

from simulators.shelves import people
from simulators.shelves.cell import Climate
from simulators.shelves.goods import Goods
from simulators.shelves.making import Making
from simulators.shelves.world import Sign, World


def lean(seed: int) -> World:
    """somebody leans on the shelf, 3 to 9 kg for 5 to 15 s"""
    make = Making(name="lean", seed=seed)
    bay = make.bay(make.goods())
    for _ in range(2):
        make.wait()
        _, make.at_s = make.lean(
            bay, float(make.rng.uniform(5.0, 15.0)), float(make.rng.uniform(3000.0, 9000.0))
        )
    return make.world()


def resting_hand(seed: int) -> World:
    """a hand rests on the goods, 80 to 900 g for 2 to 20 s"""
    make = Making(name="resting_hand", seed=seed)
    bay = make.bay(make.goods())
    for _ in range(2):
        make.wait()
        grams = float(make.rng.uniform(80.0, 900.0))
        _, make.at_s = make.lean(bay, float(make.rng.uniform(2.0, 20.0)), grams, "hand")
    return make.world()


def pick_while_leaning(seed: int) -> World:
    """a unit taken by somebody who leans before and after"""
    make = Making(name="pick_while_leaning", seed=seed)
    kind = make.goods()
    bay = make.bay(kind)
    make.wait()
    from_s, to_s = make.lean(bay, float(make.rng.uniform(9.0, 18.0)), float(make.rng.uniform(1000.0, 6000.0)))
    make.at_s = from_s + float(make.rng.uniform(0.25, 0.6)) * (to_s - from_s)
    make.take(bay, {kind.gtin: 1})
    make.at_s = to_s
    return make.world()


def thing(seed: int) -> World:
    """a bag or bottle of 0.1 to 4 kg put down, and taken away after 20 to 60 s"""
    make = Making(name="thing", seed=seed)
    bay = make.bay(make.goods())
    for _ in range(2):
        make.wait()
        make.at_s = make.thing(bay, _thing_grams(make), float(make.rng.uniform(20.0, 60.0)))
    return make.world()


def thing_stays(seed: int) -> World:
    """the same, left there"""
    make = Making(name="thing_stays", seed=seed)
    bay = make.bay(make.goods())
    make.wait()
    make.at_s = make.thing(bay, _thing_grams(make), None)
    return make.world(30.0)


def pick_beside_thing(seed: int) -> World:
    """units taken while somebody's bag stands there"""
    make = Making(name="pick_beside_thing", seed=seed)
    kind = make.goods()
    bay = make.bay(kind)
    make.wait()
    from_s = make.at_s
    until_s = make.thing(bay, _thing_grams(make), 45.0)
    for place in (12.0, 22.0):
        make.at_s = from_s + place
        if make.places[bay].units[kind.gtin]:
            make.take(bay, {kind.gtin: 1})
    make.at_s = until_s
    return make.world()


def _thing_grams(make: Making) -> float:
    most = min(4000.0, 0.35 * (make.full or 0.0))
    return float(make.rng.uniform(100.0, most))


def jack(seed: int) -> World:
    """a pallet jack shakes the shelf for 6 s"""
    make = Making(name="jack", seed=seed)
    bays = [make.bay(make.goods()) for _ in range(2)]
    for _ in range(2):
        make.wait()
        make.at_s = _jack(make, bays)
    return make.world()


def pick_in_jack(seed: int) -> World:
    """a unit taken while the pallet jack shakes the shelf"""
    make = Making(name="pick_in_jack", seed=seed)
    kind = make.goods()
    bays = [make.bay(kind), make.bay(make.goods())]
    for _ in range(2):
        make.wait()
        from_s, to_s = make.at_s, _jack(make, bays)
        make.at_s = from_s + float(make.rng.uniform(1.0, 4.0))
        if make.places[bays[0]].units[kind.gtin]:
            make.take(bays[0], {kind.gtin: 1})
        make.at_s = max(to_s, make.at_s)
    return make.world()


def jack_and_lean(seed: int) -> World:
    """somebody leans on the shelf while the pallet jack comes by"""
    make = Making(name="jack_and_lean", seed=seed)
    bays = [make.bay(make.goods()) for _ in range(2)]
    make.wait()
    until_s = _jack(make, bays)
    make.at_s += float(make.rng.uniform(-3.0, 3.0))
    _, to_s = make.lean(bays[0], float(make.rng.uniform(6.0, 15.0)), float(make.rng.uniform(1000.0, 6000.0)))
    make.at_s = max(until_s, to_s)
    return make.world()


def _jack(make: Making, bays: list[str]) -> float:
    on = [cell for bay in bays for cell in make.places[bay].cells]
    until_s = make.at_s + float(make.rng.uniform(5.0, 7.0))
    make.shake(on, make.at_s, until_s, float(make.rng.uniform(20.0, 90.0)), 4.0, 25.0)
    for bay in bays:
        make.say(bay, "shaken", make.at_s, until_s, {}, 0.0)
    return until_s


def restock(seed: int) -> World:
    """a tray of 24 units in one go"""
    return _tray("restock", seed, 0.0)


def restock_other_batch(seed: int) -> World:
    """the same, of a delivery that is up to 3 % heavier or lighter"""
    return _tray("restock_other_batch", seed, 0.03)


def _tray(name: str, seed: int, batch: float) -> World:
    make = Making(name=name, seed=seed, full=15_000.0)
    kind = make.goods(room=34)
    bay = make.bay(kind, capacity=34, filled=0.2)
    make.batch = float(make.rng.uniform(-batch, batch)) if batch else 0.0
    make.wait()
    make.put(bay, kind, 24, set_s=float(make.rng.uniform(1.0, 3.0)), kind="tray put")
    return make.world(30.0)


def restock_pieces(seed: int) -> World:
    """six to twelve units put one by one, quickly"""
    make = Making(name="restock_pieces", seed=seed)
    kind = make.goods(room=18)
    bay = make.bay(kind, capacity=18, filled=0.25)
    make.wait()
    for _ in range(int(make.rng.integers(6, 13))):
        make.put(bay, kind, kind="clerk puts")
        make.wait(0.3, 1.4)
    return make.world(30.0)


def restock_crate(seed: int) -> World:
    """a full crate put on the plate, emptied there, and the empty crate taken away"""
    make = Making(name="restock_crate", seed=seed, full=15_000.0)
    kind = make.goods(room=30)
    bay = make.bay(kind, capacity=24, filled=0.25)
    make.wait()
    crate(make, bay, kind, int(make.rng.integers(6, 15)))
    return make.world(30.0)


def crate(make: Making, bay: str, kind: Goods, number: int) -> None:
    """A crate of units is put down, the units are set out from it on the same plate, and it is taken away."""
    rng = make.rng
    box = float(rng.uniform(600.0, 1800.0))
    grams = make.into(bay, kind, number)
    down = people.puts(make.at_s, grams + box, rng, float(rng.uniform(0.6, 2.0)))
    at_s = down[-1][0]
    for _ in range(number):  # each unit is lifted out and set down on the same plate
        at_s += float(rng.uniform(0.8, 2.0))
        make.press(bay, people.swaps(at_s, grams / number, grams / number, rng, float(rng.uniform(0.1, 0.4))))
    up = people.takes(at_s + float(rng.uniform(2.0, 4.0)), box, rng)
    make.press(bay, down + [(t, grams + box + more) for t, more in up], tremble=6.0)
    make.say(bay, "crate emptied", make.at_s, up[-1][0], {kind.gtin: number}, grams)
    make.at_s = up[-1][0]


def drift(seed: int) -> World:
    """a quarter of an hour of 6 K and of creep after 70 % of full load was put on; then a unit is taken"""
    make = Making(name="drift", seed=seed, full=6_000.0, device_kind="board-10")
    kind = make.goods(room=20)
    bay = make.bay(kind, capacity=14, filled=0.7)
    make.bay(make.goods())
    swing_s = 1800.0
    make.climate = Climate(swing_k=3.0, swing_s=swing_s, phase=float(make.rng.choice((-1.57, 1.57))))
    make.wait()
    cell = make.places[bay].cells[0]
    weight = 0.7 * (make.full or 0.0) - make.loads[cell].at_first  # e.g. a display that stays there
    if weight > 0.0:
        make.at_s = make.thing(bay, weight, None)
    make.at_s += 890.0
    make.take(bay, {kind.gtin: 1})
    return make.world()


def warm_up(seed: int) -> World:
    """switched on half a minute ago, so that zero still creeps; units are taken meanwhile"""
    make = Making(name="warm_up", seed=seed)
    kind = make.goods()
    bay = make.bay(kind)
    for cells in make.cells.values():
        off = float(make.rng.choice((-1.0, 1.0)) * make.rng.uniform(0.0002, 0.001)) * cells[0].full_grams
        cells[0] = replace(cells[0], warm_grams=off, warm_s=float(make.rng.uniform(60.0, 400.0)))
    for _ in range(3):
        make.wait(15.0, 60.0)
        if make.places[bay].units[kind.gtin]:
            make.take(bay, {kind.gtin: 1})
    return make.world()


def service(seed: int) -> World:
    """everything off, wiped and on again in service mode, between units taken"""
    make = Making(name="service", seed=seed)
    kind = make.goods()
    bay = make.bay(kind, filled=0.7)
    make.wait()
    make.take(bay, {kind.gtin: 1})
    make.wait()
    clean(make, bay)
    make.wait()
    make.take(bay, {kind.gtin: 1})
    return make.world()


def clean(make: Making, bay: str) -> None:
    """In service mode: everything off, wiped, and everything on again."""
    rng, place = make.rng, make.places[bay]
    make.signs.append(Sign(make.at_s, "serve", words=(bay,)))
    make.wait(3.0, 6.0)
    from_s, grams = make.at_s, place.grams() - place.tare_grams
    line = people.takes(make.at_s, grams, rng, 20.0)
    make.press(bay, line)
    make.at_s = line[-1][0]
    make.wait()
    _, make.at_s = make.lean(bay, 15.0, 500.0, "wiped")
    make.wait()
    line = people.puts(make.at_s, grams, rng, 25.0)
    make.press(bay, line)
    make.at_s = line[-1][0]
    make.say(bay, "cleaning", from_s, make.at_s, {}, 0.0)
    make.wait(4.0, 8.0)
    make.signs.append(Sign(make.at_s, "resume", words=(bay,)))
    make.wait(4.0, 8.0)


WORKING = (
    lean, resting_hand, pick_while_leaning, thing, thing_stays, pick_beside_thing, jack, pick_in_jack, jack_and_lean,
    restock, restock_other_batch, restock_pieces, restock_crate, drift, warm_up,
    service,
)  # fmt: skip
