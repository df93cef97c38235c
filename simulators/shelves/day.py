"""Long times at a shelf: a shop's day, and half a day in which almost nothing happens."""

from collections.abc import Callable
from dataclasses import dataclass, field

from simulators.shelves import people
from simulators.shelves.cases.working import clean, crate
from simulators.shelves.cell import Climate
from simulators.shelves.goods import Goods
from simulators.shelves.making import Making
from simulators.shelves.world import World

HOURS = 8.0
BAYS = 6
VISIT_S = 45.0  # between shoppers, on average
REFILL_BELOW, REFILL_TO = 0.25, 0.8
BATCH = 0.01  # deliveries weigh more or less, one standard deviation
# What shoppers do, and how many in a thousand do it.
VISITS = {"one": 520, "some": 140, "slow": 60, "look": 70, "hold": 40, "hand": 50, "lean": 20, "together": 35,
          "astray": 15, "thing": 20, "jack": 25, "drink": 5}  # fmt: skip


@dataclass(slots=True)
class _Day:
    make: Making
    goods: dict[str, tuple[Goods, ...]] = field(default_factory=dict)
    astray: list[tuple[str, Goods]] = field(default_factory=list)  # units in bays where they do not belong

    def kind(self, bay: str) -> Goods | None:
        """Something that is there to be taken."""
        units = self.make.places[bay].units
        here = [kind for kind in self.goods[bay] if units[kind.gtin]]
        return here[int(self.make.rng.integers(len(here)))] if here else None


def shop_day(seed: int, hours: float = HOURS) -> World:
    """eight hours: some 600 shoppers at six bays, restocks, cleaning in service mode"""
    make = Making(
        name="shop_day", seed=seed, full=15_000.0, device_kind="legal" if seed % 3 == 0 else "board-10"
    )
    today = _Day(make)
    rng = make.rng
    for place in range(BAYS):
        one = make.goods(room=24, least=4.0 * make.least_grams)
        kinds = (one, make.goods(grams=one.grams * float(rng.uniform(1.3, 1.8)))) if place < 2 else (one,)
        today.goods[make.bay(*kinds, filled=0.8)] = kinds
    for a in range(BAYS - 1):
        make.crosstalk[a, a + 1], make.crosstalk[a + 1, a] = rng.uniform(0.0, 0.008, 2).tolist()
    names, odds = list(VISITS), [n / 1000.0 for n in VISITS.values()]
    clean_s = 3600.0 * hours * float(rng.uniform(0.4, 0.6))
    make.wait()
    while make.at_s < 3600.0 * hours - 300.0:
        make.at_s += 2.0 + float(rng.exponential(VISIT_S))
        bay = f"A{rng.integers(1, BAYS + 1)}"
        _VISITS[str(rng.choice(names, p=odds))](today, bay)
        if make.at_s > clean_s:
            clean_s = float("inf")
            for dirty in ("A1", "A4"):
                make.wait()
                clean(make, dirty)
        _refill(today, bay)
    return make.world(120.0)


def _one(today: _Day, bay: str) -> None:
    if kind := today.kind(bay):
        today.make.take(bay, {kind.gtin: 1})


def _some(today: _Day, bay: str) -> None:
    if kind := today.kind(bay):
        there = len(today.make.places[bay].units[kind.gtin])
        today.make.take(bay, {kind.gtin: min(there, int(today.make.rng.integers(2, 5)))})


def _slow(today: _Day, bay: str) -> None:
    if kind := today.kind(bay):
        today.make.take(bay, {kind.gtin: 1}, lift_s=float(today.make.rng.uniform(2.0, 5.0)))


def _look(today: _Day, bay: str) -> None:
    """Taken, looked at, and put back."""
    if kind := today.kind(bay):
        grams = today.make.take(bay, {kind.gtin: 1})
        today.make.wait(3.0, 40.0)
        today.make.put(bay, kind, weights=[grams])


def _hold(today: _Day, bay: str) -> None:
    make = today.make
    if kind := today.kind(bay):
        grams = -float(make.rng.uniform(0.2, 0.7)) * kind.grams
        line = people.rests(make.at_s, float(make.rng.uniform(2.0, 8.0)), grams, make.rng)
        make.press(bay, line, tremble=1.0)
        make.say(bay, "half lifted", make.at_s, line[-1][0], {}, 0.0)
        make.at_s = line[-1][0]


def _hand(today: _Day, bay: str) -> None:
    make = today.make
    _, make.at_s = make.lean(
        bay, float(make.rng.uniform(1.0, 12.0)), float(make.rng.uniform(80.0, 900.0)), "hand"
    )


def _lean(today: _Day, bay: str) -> None:
    make = today.make
    _, make.at_s = make.lean(bay, float(make.rng.uniform(4.0, 20.0)), float(make.rng.uniform(2000.0, 7000.0)))


def _together(today: _Day, bay: str) -> None:
    """Two people: at the same bay or at one beside it."""
    make = today.make
    from_s = make.at_s
    _one(today, bay)
    first_s, make.at_s = make.at_s, from_s + float(make.rng.uniform(0.0, 1.0))
    _one(today, bay if make.rng.random() < 0.5 else f"A{int(bay[1:]) % BAYS + 1}")
    make.at_s = max(make.at_s, first_s)


def _astray(today: _Day, bay: str) -> None:
    """Taken, and put on another bay."""
    make = today.make
    if kind := today.kind(bay):
        grams = make.take(bay, {kind.gtin: 1})
        make.wait(4.0, 40.0)
        other = f"A{(int(bay[1:]) + int(make.rng.integers(1, BAYS)) - 1) % BAYS + 1}"
        make.put(other, kind, weights=[grams], kind="put in the wrong bay")
        today.astray.append((other, kind))


def _thing(today: _Day, bay: str) -> None:
    make = today.make
    make.at_s = make.thing(bay, float(make.rng.uniform(100.0, 4000.0)), float(make.rng.uniform(20.0, 90.0)))


def _jack(today: _Day, bay: str) -> None:
    make = today.make
    until_s = make.at_s + float(make.rng.uniform(4.0, 8.0))
    make.shake(list(make.loads), make.at_s, until_s, float(make.rng.uniform(20.0, 80.0)), 4.0, 25.0)
    for name in make.places:
        make.say(name, "shaken", make.at_s, until_s, {}, 0.0)
    make.at_s = until_s


def _drink(today: _Day, bay: str) -> None:
    make = today.make
    if kind := today.kind(bay):
        grams = make.take(bay, {kind.gtin: 1})
        make.wait(15.0, 60.0)
        make.at_s = make.thing(bay, grams * float(make.rng.uniform(0.55, 0.8)), None)


_VISITS: dict[str, Callable[[_Day, str], None]] = {
    "one": _one, "some": _some, "slow": _slow, "look": _look, "hold": _hold, "hand": _hand, "lean": _lean,
    "together": _together, "astray": _astray, "thing": _thing, "jack": _jack, "drink": _drink,
}  # fmt: skip


def _refill(today: _Day, bay: str) -> None:
    """A clerk fills up what has run low, of every kind, and takes along what does not belong there."""
    make = today.make
    place, rng = make.places[bay], make.rng
    if sum(place.counts().values()) > REFILL_BELOW * place.capacity:
        return
    make.wait(20.0, 90.0)
    for there, kind in [each for each in today.astray if each[0] == bay]:
        today.astray.remove((there, kind))
        make.take(bay, {kind.gtin: 1}, kind="taken home")
        make.wait(3.0, 6.0)
    for kind in today.goods[bay]:
        make.batch = float(rng.normal(0.0, BATCH))
        missing = int(REFILL_TO * place.capacity / len(today.goods[bay])) - len(place.units[kind.gtin])
        if missing <= 0:
            continue
        if len(today.goods[bay]) == 1 and rng.random() < 0.35:
            crate(make, bay, kind, missing)
            make.wait()
            continue
        for _ in range(missing):
            make.put(bay, kind, kind="clerk puts")
            make.wait(0.5, 3.0)
        make.wait()
    make.batch = 0.0


def creep_12h(seed: int) -> World:
    """twelve hours: 60 % of full load put on at first, 4 to 8 K of temperature, a unit taken every few hours"""
    make = Making(
        name="creep_12h", seed=seed, full=6_000.0, device_kind=("slow", "board-10", "legal")[seed % 3]
    )
    kind = make.goods(room=30)
    bay = make.bay(kind, capacity=26, filled=0.15)
    swing_k, hours, phase, cycle_k = make.rng.uniform((2.0, 5.0, 0.0, 0.1), (4.0, 12.0, 6.3, 0.6)).tolist()
    make.climate = Climate(swing_k=swing_k, swing_s=3600.0 * hours, phase=phase, cycle_k=cycle_k)
    make.wait()
    weight = 0.6 * 6_000.0 - make.loads[make.places[bay].cells[0]].at_first
    make.at_s = make.thing(bay, max(500.0, weight), None)
    for _ in range(3):
        make.at_s += float(make.rng.uniform(3.0, 4.2)) * 3600.0
        if make.places[bay].units[kind.gtin]:
            make.take(bay, {kind.gtin: 1})
    return make.world(max(60.0, 12.0 * 3600.0 - make.at_s))


LONG: dict[str, Callable[[int], World]] = {"creep_12h": creep_12h, "shop_day": shop_day}
