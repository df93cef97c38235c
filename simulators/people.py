"""Customers and clerks at one bay: who takes what, who puts it back, who fills up, and when.

Pure: a bay's life follows from the scenario and the seed alone. Every action leaves the bay long enough at rest,
moves a number of units that their masses tell apart, and makes sense: nothing is put back that nobody took, and
a clerk comes only to a bay that has been low for a while and brings no more than the backroom holds.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from enum import StrEnum
from random import Random

from simulators.physics import Hand, Step
from simulators.scenario import Item, Shelf, Shop

# After the last unit moved, until neither the ringing nor an indicator's filter shows it any more.
SETTLE_S = 1.3
PATIENCE = 3.0  # nobody waits longer than so many mean gaps: otherwise a bay may stand idle by chance
CLEAR_SDS = 5.0  # hypotheses about a change of mass lie at least so many standard deviations apart
# A unit's mass is drawn from a normal distribution cut here: beyond it lie damaged goods, not units.
UNIT_SDS = 2.2
SCALE_SD_GRAMS = 0.5  # what a shop scale itself adds to a difference


class Act(StrEnum):
    PICK = "pick"
    PUT_BACK = "put_back"
    RESTOCK = "restock"


@dataclass(frozen=True, slots=True)
class ShelfAction:
    """One thing done at a bay. Times in seconds since the world began; `units` is signed."""

    bay: str
    gtin: str
    act: Act
    units: int
    from_s: float  # a hand first touches
    at_s: float  # all mass has changed
    rest_s: float  # the bay is at rest again
    steps: tuple[Step, ...]
    hands: tuple[Hand, ...]


def draw_unit(item: Item, rng: Random) -> float:
    """The mass of one unit, in grams."""
    while True:
        off = rng.gauss(0.0, 1.0)
        if abs(off) <= UNIT_SDS:
            return item.unit_grams * (1.0 + item.unit_cv * off)


def opening_units(shelf: Shelf, seed: int) -> dict[str, list[float]]:
    """The masses of the units that stand in a bay when the world begins, by GTIN."""
    rng = Random(f"{seed}/{shelf.bay}/opening")
    return {item.gtin: [draw_unit(item, rng) for _ in range(item.opening)] for item in shelf.items}


def can_tell(shelf: Shelf, item: Item, units: int) -> bool:
    """Whether the mass of `units` of `item` fits nothing else that could happen at the bay."""
    mean, variance = _mass({item.gtin: units}, shelf)
    for other in _mixes(shelf):
        if other == {item.gtin: units}:
            continue
        other_mean, other_variance = _mass(other, shelf)
        spread = (variance + other_variance + SCALE_SD_GRAMS**2) ** 0.5
        if abs(mean - other_mean) < CLEAR_SDS * spread:
            return False
    return True


def _mixes(shelf: Shelf) -> Iterator[dict[str, int]]:
    """Any number of units of one item that the bay could hold; of two, moved the same way or one for the other."""
    for place, item in enumerate(shelf.items):
        for units in range(1, shelf.capacity + 1):
            yield {item.gtin: units}
        for second in shelf.items[place + 1 :]:
            for units in range(-shelf.most(item), shelf.most(item) + 1):
                for more in range(-shelf.most(second), shelf.most(second) + 1):
                    if units and more:
                        yield {item.gtin: units, second.gtin: more}


def _mass(mix: dict[str, int], shelf: Shelf) -> tuple[float, float]:
    """Mean and variance of a mix's mass."""
    mean = variance = 0.0
    for item in shelf.items:
        units = mix.get(item.gtin, 0)
        mean += units * item.unit_grams
        variance += abs(units) * (item.unit_cv * item.unit_grams) ** 2
    return mean, variance


@dataclass
class _Stock:
    """One item at one bay: the masses of its units, what customers carry of it, what the backroom has."""

    item: Item
    largest_go: int  # that a clerk can put in at once and the scale can count
    on_hand: list[float]
    carried: list[float] = field(default_factory=list)
    backroom: int = 0
    low_since_s: float | None = None


class _Bay:
    def __init__(self, shelf: Shelf, shop: Shop, seed: int) -> None:
        self.shelf, self.shop = shelf, shop
        self.rng = Random(f"{seed}/{shelf.bay}")
        units = opening_units(shelf, seed)
        self.tellable = {
            item.gtin: {n for n in range(1, shop.most_per_go + 1) if can_tell(shelf, item, n)}
            for item in shelf.items
        }
        self.stocks = [
            _Stock(item, self._largest_go(item), units[item.gtin], backroom=item.backroom)
            for item in shelf.items
        ]

    def _largest_go(self, item: Item) -> int:
        """The largest number up to which every number can be told."""
        go = 0
        while go + 1 in self.tellable[item.gtin]:
            go += 1
        return go

    def room(self, stock: _Stock) -> int:
        total = sum(len(each.on_hand) for each in self.stocks)
        return min(self.shelf.most(stock.item) - len(stock.on_hand), self.shelf.capacity - total)

    def picks(self, stock: _Stock) -> list[int]:
        """How many a customer may take."""
        here = len(stock.on_hand)
        return [
            n for n in (1, 2, 3) if n in self.tellable[stock.item.gtin] and self._may_fall(stock, here - n)
        ]

    def _may_fall(self, stock: _Stock, to: int) -> bool:
        """A bay leaves the well-filled only while a clerk can fill it up again, in one go that the scale can count."""
        if to >= self.shop.clear:
            return True
        return to >= 0 and min(stock.largest_go, stock.backroom) >= self.shop.clear

    def put_backs(self, stock: _Stock) -> list[int]:
        """How many a customer may put back: only into a bay that is well filled, and only what was taken."""
        if stock.low_since_s is not None or len(stock.on_hand) < self.shop.clear:
            return []
        most = min(len(stock.carried), self.room(stock), 3)
        return [n for n in range(1, most + 1) if n in self.tellable[stock.item.gtin]]

    def refill(self, stock: _Stock) -> int:
        """How many units a clerk puts in now: all at once, or a few first and the rest in a second go."""
        here, clear = len(stock.on_hand), self.shop.clear
        most = min(self.room(stock), stock.backroom, stock.largest_go)
        few = clear - 1 - here  # the bay is still low after these, so that the second go is a refill too
        if few >= 1 and clear - here < most and self.rng.random() < 0.4:
            return self.rng.randint(1, min(few, most))
        return most


def actions(
    shelf: Shelf, shop: Shop, seed: int, *, start_s: float, end_s: float, pace: float
) -> Iterator[ShelfAction]:
    """Yield what is done at one bay from `start_s` on, in order; all of it has settled by `end_s`."""
    bay = _Bay(shelf, shop, seed)
    free_s = start_s + bay.rng.uniform(0.0, 3.0)
    while True:
        low = [stock for stock in bay.stocks if stock.low_since_s is not None]
        due_s = min((_due(stock, shop) for stock in low), default=None)
        if due_s is not None and (
            free_s >= due_s or bay.rng.random() < 0.6 or not _fits(free_s, due_s, shop)
        ):
            stock = min(low, key=lambda each: _due(each, shop))
            action = _restock(bay, stock, max(free_s, due_s))
        else:
            action = _customer(bay, free_s)
        if action is None:
            free_s += shop.rest_s
            if free_s > end_s:
                return
            continue
        if action.rest_s > end_s:
            return
        _note(bay, action)
        yield action
        free_s = action.rest_s + shop.rest_s + _wait(bay.rng, shop.gap_s / pace)


def _due(stock: _Stock, shop: Shop) -> float:
    """When a clerk comes: the margin keeps the act clear of the moment at which the bay counts as low."""
    return (stock.low_since_s or 0.0) + shop.low_for_s + 0.5


def _fits(from_s: float, due_s: float, shop: Shop) -> bool:
    """Whether a customer's visit now leaves the bay at rest before the clerk comes."""
    return from_s + 1.0 + SETTLE_S + shop.rest_s <= due_s


def _wait(rng: Random, mean_s: float) -> float:
    return min(rng.expovariate(1.0 / mean_s), PATIENCE * mean_s)


def _customer(bay: _Bay, from_s: float) -> ShelfAction | None:
    """Somebody takes or puts back; None when neither makes sense here now."""
    taking = [(stock, bay.picks(stock)) for stock in bay.stocks]
    taking = [(stock, numbers) for stock, numbers in taking if numbers]
    giving = [(stock, bay.put_backs(stock)) for stock in bay.stocks]
    giving = [(stock, numbers) for stock, numbers in giving if numbers]
    if giving and (not taking or bay.rng.random() < 0.3):
        stock, numbers = bay.rng.choice(giving)
        return _put(bay, stock, Act.PUT_BACK, numbers[0] if bay.rng.random() < 0.7 else numbers[-1], from_s)
    if not taking:
        return None
    stock, numbers = bay.rng.choice(taking)
    return _pick(bay, stock, bay.rng.choice(numbers), from_s)


def _pick(bay: _Bay, stock: _Stock, units: int, from_s: float) -> ShelfAction:
    taken = [stock.on_hand.pop(bay.rng.randrange(len(stock.on_hand))) for _ in range(units)]
    stock.carried += taken
    at_s = from_s + bay.rng.uniform(0.35, 0.55)
    hand = Hand(from_s, at_s, bay.rng.uniform(30.0, 250.0))
    return _action(bay, stock, Act.PICK, -units, (Step(at_s, -sum(taken)),), (hand,))


def _put(bay: _Bay, stock: _Stock, act: Act, units: int, from_s: float) -> ShelfAction:
    """Units set down together, the hand leaving after them."""
    given = [stock.carried.pop() for _ in range(units)]
    stock.on_hand += given
    at_s = from_s + bay.rng.uniform(0.25, 0.4)
    hand = Hand(from_s, at_s + 0.2, bay.rng.uniform(30.0, 200.0))
    return _action(bay, stock, act, units, (Step(at_s, sum(given)),), (hand,))


def _restock(bay: _Bay, stock: _Stock, from_s: float) -> ShelfAction | None:
    """A clerk sets units down one after the other, never pausing long enough to look finished."""
    units = bay.refill(stock)
    if units < 1:
        return None
    stock.backroom -= units
    steps, hands = [], []
    at_s = from_s + 0.3
    for _ in range(units):
        mass = draw_unit(stock.item, bay.rng)
        stock.on_hand.append(mass)
        steps.append(Step(at_s, mass))
        hands.append(Hand(at_s - 0.1, at_s + 0.15, bay.rng.uniform(20.0, 150.0)))
        at_s += bay.rng.uniform(0.12, 0.2)
    return _action(bay, stock, Act.RESTOCK, units, tuple(steps), (Hand(from_s, from_s + 0.3, 40.0), *hands))


def _action(
    bay: _Bay, stock: _Stock, act: Act, units: int, steps: tuple[Step, ...], hands: tuple[Hand, ...]
) -> ShelfAction:
    return ShelfAction(
        bay=bay.shelf.bay,
        gtin=stock.item.gtin,
        act=act,
        units=units,
        from_s=hands[0].from_s,
        at_s=steps[-1].at_s,
        rest_s=steps[-1].at_s + SETTLE_S,
        steps=steps,
        hands=hands,
    )


def _note(bay: _Bay, action: ShelfAction) -> None:
    """Remember since when the item is low, or that it no longer is."""
    stock = next(each for each in bay.stocks if each.item.gtin == action.gtin)
    here = len(stock.on_hand)
    if here >= bay.shop.clear:
        stock.low_since_s = None
    elif here < bay.shop.low and stock.low_since_s is None:
        stock.low_since_s = action.at_s
