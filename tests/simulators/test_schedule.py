"""Whatever the seed, everything that happens in the example store can be told from what its devices say."""

import itertools
from collections import Counter, defaultdict
from collections.abc import Sequence
from pathlib import Path

import pytest

from simulators.docks import STAYS_S, Visit, Way
from simulators.epc import SGTIN_96, SSCC_96
from simulators.people import Act, ShelfAction, can_tell
from simulators.scenario import Scenario, Shelf, load
from simulators.schedule import DOOR_LEAD_S, LEAD_S, Schedule

STORE = load(Path(__file__).resolve().parents[2] / "simulators" / "scenarios" / "store.toml")
LASTS_S, QUIET_S = 60.0, 10.0
SHELVES = {shelf.bay: shelf for shelf in STORE.shelves}
pytestmark = pytest.mark.xdist_group("schedule")  # one process makes what they share

SHOP_SEEDS = range(200)
DOCK_SEEDS = range(25)


def plan(seed: int, *, lasts_s: float = LASTS_S, pace: float = 1.0, scenario: Scenario = STORE) -> Schedule:
    return Schedule(scenario=scenario, seed=seed, lasts_s=lasts_s, quiet_s=QUIET_S, pace=pace)


@pytest.fixture(scope="module")
def shops() -> list[list[ShelfAction]]:
    return [list(plan(seed).actions()) for seed in SHOP_SEEDS]


@pytest.fixture(scope="module")
def docks() -> list[list[list[Visit]]]:
    """Seed -> gate -> visits."""
    return [[list(plan(seed).visits(gate)) for gate in STORE.gates] for seed in DOCK_SEEDS]


def by_bay(actions: Sequence[ShelfAction]) -> dict[str, list[ShelfAction]]:
    bays: dict[str, list[ShelfAction]] = defaultdict(list)
    for action in actions:
        bays[action.bay].append(action)
    return bays


def test_the_same_seed_is_the_same_world() -> None:
    for seed in (1, 7):
        assert list(plan(seed).actions()) == list(plan(seed).actions())
        for gate in STORE.gates:
            assert list(plan(seed).visits(gate)) == list(plan(seed).visits(gate))
            assert list(plan(seed).stray_reads(gate)) == list(plan(seed).stray_reads(gate))


def test_another_seed_is_another_world() -> None:
    assert list(plan(1).actions()) != list(plan(2).actions())
    one, two = (list(plan(seed).visits(STORE.gates[0])) for seed in (1, 2))
    assert not {epc for visit in one for epc in visit.epcs} & {epc for visit in two for epc in visit.epcs}


@pytest.mark.timeout(60)
def test_a_minute_has_some_thirty_actions(shops: list[list[ShelfAction]]) -> None:
    counts = [len(actions) for actions in shops]
    assert min(counts) >= 25
    assert max(counts) <= 42


@pytest.mark.timeout(60)
def test_some_bay_falls_low_and_is_refilled_with_any_seed(shops: list[list[ShelfAction]]) -> None:
    for actions in shops:
        assert any(action.act is Act.RESTOCK for action in actions)


@pytest.mark.timeout(60)
def test_nothing_moves_at_the_beginning_nor_at_the_end(shops: list[list[ShelfAction]]) -> None:
    for action in itertools.chain.from_iterable(shops):
        assert action.from_s >= LEAD_S
        assert action.rest_s <= LASTS_S - QUIET_S
        assert action.from_s < action.at_s < action.rest_s


@pytest.mark.timeout(60)
def test_actions_at_a_bay_leave_it_at_rest_between_them(shops: list[list[ShelfAction]]) -> None:
    for actions in shops:
        for bay in by_bay(actions).values():
            for before, after in itertools.pairwise(bay):
                assert after.from_s - before.rest_s >= 4.0


@pytest.mark.timeout(60)
def test_every_number_of_units_can_be_told_from_every_other(shops: list[list[ShelfAction]]) -> None:
    for actions in shops[:50]:
        for action in actions:
            shelf = SHELVES[action.bay]
            item = next(each for each in shelf.items if each.gtin == action.gtin)
            assert can_tell(shelf, item, abs(action.units)), action


@pytest.mark.timeout(60)
def test_masses_are_those_of_the_units_moved(shops: list[list[ShelfAction]]) -> None:
    for action in itertools.chain.from_iterable(shops):
        shelf = SHELVES[action.bay]
        item = next(each for each in shelf.items if each.gtin == action.gtin)
        mean = action.units * item.unit_grams
        grams = sum(step.grams for step in action.steps)
        assert abs(grams - mean) <= 2.3 * item.unit_cv * item.unit_grams * abs(action.units)


@pytest.mark.timeout(60)
def test_goods_go_only_where_they_can(shops: list[list[ShelfAction]]) -> None:
    for actions in shops:
        for bay, done in by_bay(actions).items():
            Ledger(SHELVES[bay]).follow(done)


class Ledger:
    """Keeps the books of one bay apart from the simulator's own, and objects to what makes no sense."""

    def __init__(self, shelf: Shelf) -> None:
        self.shelf = shelf
        self.on_hand = {item.gtin: item.opening for item in shelf.items}
        self.backroom = {item.gtin: item.backroom for item in shelf.items}
        self.most = {item.gtin: shelf.most(item) for item in shelf.items}
        self.basket: Counter[str] = Counter()
        self.low_since: dict[str, float] = {}

    def follow(self, actions: list[ShelfAction]) -> None:
        for action in actions:
            match action.act:
                case Act.PICK:
                    assert -3 <= action.units <= -1
                    self.basket[action.gtin] -= action.units
                case Act.PUT_BACK:
                    self._put_back(action)
                case Act.RESTOCK:
                    self._restock(action)
            self.on_hand[action.gtin] += action.units
            self._check(action)

    def _put_back(self, action: ShelfAction) -> None:
        assert 1 <= action.units <= self.basket[action.gtin]
        assert self.on_hand[action.gtin] >= STORE.shop.clear
        assert action.gtin not in self.low_since
        self.basket[action.gtin] -= action.units

    def _restock(self, action: ShelfAction) -> None:
        assert 1 <= action.units <= min(12, self.backroom[action.gtin])
        assert action.from_s - self.low_since[action.gtin] >= 10.0
        self.backroom[action.gtin] -= action.units

    def _check(self, action: ShelfAction) -> None:
        now = self.on_hand[action.gtin]
        assert 0 <= now <= self.most[action.gtin]
        assert sum(self.on_hand.values()) <= self.shelf.capacity
        if now < STORE.shop.low:
            self.low_since.setdefault(action.gtin, action.at_s)
        if now >= STORE.shop.clear:
            self.low_since.pop(action.gtin, None)


@pytest.mark.timeout(60)
def test_loads_never_overlap_at_a_door_and_are_gone_by_the_end(docks: list[list[list[Visit]]]) -> None:
    for visits in itertools.chain.from_iterable(docks):
        assert visits[0].enters_s >= DOOR_LEAD_S
        assert visits[-1].leaves_s <= LASTS_S - QUIET_S
        for before, after in itertools.pairwise(visits):
            assert after.enters_s - before.leaves_s >= 4.5
        for visit in visits:
            assert visit.enters_s <= visit.sightings[0].at_s
            assert visit.sightings[-1].at_s <= visit.leaves_s


@pytest.mark.timeout(60)
def test_a_minute_has_four_to_seven_loads(docks: list[list[list[Visit]]]) -> None:
    for gates in docks:
        loads = [visit for visits in gates for visit in visits if visit.way is not Way.TURNED_BACK]
        assert 4 <= len(loads) <= 7
        assert all(8 <= len(visit.epcs) <= 40 for visit in loads)


@pytest.mark.timeout(60)
def test_what_leaves_came_before_and_nothing_comes_twice(docks: list[list[list[Visit]]]) -> None:
    for gates in docks:
        new: set[str] = set()
        for visits in gates:
            inside: dict[frozenset[str], Visit] = {}
            for visit in visits:
                tags = frozenset(visit.epcs)
                assert len(tags) == len(visit.epcs)
                if visit.way is Way.OUT:
                    assert visit.enters_s - inside.pop(tags).leaves_s >= STAYS_S
                    continue
                assert not tags & new
                new |= tags
                if visit.way is Way.IN:
                    inside[tags] = visit
        strays = {epc for gate in STORE.gates for epc, _ in plan(DOCK_SEEDS[docks.index(gates)]).strays(gate)}
        assert not strays & new


@pytest.mark.timeout(60)
def test_a_load_is_one_pallet_and_its_goods(docks: list[list[list[Visit]]]) -> None:
    headers = Counter(
        int(epc[:2], 16) for gates in docks for visits in gates for visit in visits for epc in visit.epcs[:1]
    )
    for visits in itertools.chain.from_iterable(docks):
        for visit in visits:
            kinds = Counter(int(epc[:2], 16) for epc in visit.epcs)
            assert kinds == {SSCC_96: 1, SGTIN_96: len(visit.epcs) - 1}
    assert set(headers) <= {SSCC_96, SGTIN_96}


@pytest.mark.timeout(60)
def test_each_tag_is_heard_enough_on_the_sides_that_matter(docks: list[list[list[Visit]]]) -> None:
    for gates in docks:
        for gate, visits in zip(STORE.gates, gates, strict=True):
            for visit in visits:
                outside = Counter(read.epc for read in visit.sightings if read.antenna in gate.outside)
                inside = Counter(read.epc for read in visit.sightings if read.antenna in gate.inside)
                for epc in visit.epcs:
                    assert outside[epc] >= 4
                    assert 4 <= outside[epc] + inside[epc] <= 80
                    if visit.way is not Way.TURNED_BACK:
                        assert inside[epc] >= 4


@pytest.mark.timeout(60)
def test_the_side_passed_first_is_heard_first(docks: list[list[list[Visit]]]) -> None:
    """Per load, the middle of the reads on each side lies two to three seconds apart, in the right order."""
    for gates in docks:
        for gate, visits in zip(STORE.gates, gates, strict=True):
            for visit in visits:
                outside = [read.at_s for read in visit.sightings if read.antenna in gate.outside]
                inside = [read.at_s for read in visit.sightings if read.antenna in gate.inside]
                if visit.way is Way.TURNED_BACK:
                    assert len(inside) < 0.1 * len(outside)
                    continue
                between = sum(inside) / len(inside) - sum(outside) / len(outside)
                assert 1.5 < (between if visit.way is Way.IN else -between) < 3.5


@pytest.mark.timeout(60)
def test_what_passes_an_antenna_is_far_stronger_than_what_stands_about(
    docks: list[list[list[Visit]]],
) -> None:
    for visits in itertools.chain.from_iterable(docks):
        for visit in visits:
            best: dict[str, int] = defaultdict(lambda: -99)
            for read in visit.sightings:
                best[read.epc] = max(best[read.epc], read.rssi_dbm)
            assert min(best.values()) >= (-64 if visit.way is not Way.TURNED_BACK else -70)
            assert -60 < sum(best.values()) / len(best) < -38


def test_strays_are_weak_and_a_third_of_what_is_read(docks: list[list[list[Visit]]]) -> None:
    strays = [read for gate in STORE.gates for read in plan(1).stray_reads(gate)]
    assert {-75 <= read.rssi_dbm <= -65 for read in strays} == {True}
    loads = sum(len(visit.sightings) for visits in docks[1] for visit in visits)
    assert 0.2 < len(strays) / (len(strays) + loads) < 0.6


@pytest.mark.timeout(60)
def test_a_longer_run_stays_busy() -> None:
    actions = list(plan(3, lasts_s=1800.0).actions())
    per_minute = Counter(int(action.from_s // 60) for action in actions)
    assert min(per_minute[minute] for minute in range(29)) >= 10
    visits = [visit.enters_s for visit in plan(3, lasts_s=300.0).visits(STORE.gates[0])]
    assert max(after - before for before, after in itertools.pairwise(visits)) < 25


def test_pace_makes_it_busier_but_never_too_close() -> None:
    slow, fast = (list(plan(3, lasts_s=300.0, pace=pace).actions()) for pace in (0.2, 5.0))
    assert len(fast) > 1.3 * len(slow)
    for bay in by_bay(fast).values():
        assert min(after.from_s - before.rest_s for before, after in itertools.pairwise(bay)) >= 4.0
