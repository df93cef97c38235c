"""What is learned, what is in people's hands and what lies next to a bay outlive a power cut."""

import pytest

from edge.aggregator.aggregator import Aggregator
from edge.aggregator.hypotheses import Item
from edge.aggregator.orders import Confirm, Crosstalk
from edge.aggregator.shelf import Shelf
from tests.support.shelf_scene import (
    CAN,
    JAR,
    SHELF,
    Weights,
    after,
    changes,
    counted,
    fed,
    ms,
    shelf_of,
    stream,
    us,
    watching,
)
from wire.events import Event, ShelfChange

TEA = Item(gtin="09506000312071", unit_grams=60.0, unit_cv=0.01)
FULL = 6600.0  # of cans, with which the board was adjusted
SHOWN = 0.03  # of what comes to lie beside, or goes
# A shelf of ten cans and ten jars after one can was taken, as it was kept before crosstalk that was learned was.
BEFORE = (
    "9aa13282a24131dc001091cb40a733facf6c26cecf0006442b28d5168081ae303935303630303031333433353209c290cb0000000000000000"
    "a0a0c2a0c081ae3039353036303030313334333532a26f6b92a26f6ba0c0c090a24132dc001091cb40b3ba0066d2e7e0cf0006442b28d51680"
    "81ae30393530363030303231313030380ac290cb0000000000000000a0a0c2a0c081ae3039353036303030323131303038a26f6b92a26f6ba0"
    "c0c0908200cb3fbc49ba5e353f7d01cb3fb91d14e3bcd35b808080c0808090"
)


def cut(aggregator: Aggregator, shelf: Shelf) -> Aggregator:
    """The power goes, with all that was saved in time, and comes back."""
    later = watching(shelf)
    later.restore(aggregator.changed_state())
    return later


def fed_beside(
    aggregator: Aggregator, cans: Weights, tea: Weights, to_s: float, later_s: float = 0.0
) -> list[Event]:
    """Cans, and tea on a cell that shows some of them."""
    seconds = sorted({second for second, _ in (*cans, *tea)})
    shown = [(second, _lies(tea, second) + SHOWN * (_lies(cans, second) - FULL)) for second in seconds]
    return fed(aggregator, after(stream(cans, shown, to_s=to_s), later_s))


def _lies(of: Weights, at: float) -> float:
    return [grams for second, grams in of if second <= at][-1]


def learned(shelf: Shelf) -> Aggregator:
    """Two cans were taken six times, and nothing beside them."""
    aggregator = watching(shelf)
    picks = [(20.0 * n, FULL - 660.0 * n) for n in range(7)]
    said = fed_beside(aggregator, picks, [(0.0, 1200.0)], 140.0)
    aggregator.order(Confirm(shelf=SHELF, bay="A2", counts={TEA.gtin: 20}), ms(140.0), us(140.0))
    assert changes(said) == [("A1", "ok", CAN.gtin, -2)] * 6
    return aggregator


def test_what_came_to_lie_next_door_in_the_dark_is_not_counted_here() -> None:
    shelf = shelf_of([CAN], [TEA], capacity=60)
    second = cut(learned(shelf), shelf)
    said = fed_beside(second, [(0.0, 2640.0 + 2640.0)], [(0.0, 1200.0)], 40.0, 300.0)

    assert changes(said) == [("A1", "offline_change", CAN.gtin, 8)]
    assert counted(second) == {"A1": 16, "A2": 20}


def test_a_cell_that_says_nothing_yet_after_a_cut_is_believed_to_carry_what_it_did() -> None:
    """Boards that publish start each in its own time."""
    shelf = shelf_of([CAN], [TEA], capacity=60)
    second = cut(learned(shelf), shelf)
    here = 1200.0 + SHOWN * (2640.0 - FULL)
    said = fed(second, after(stream([], [(0.0, here)], to_s=20.0), 300.0))
    said += fed_beside(second, [(0.0, 2640.0)], [(0.0, 1200.0)], 30.0, 320.0)

    assert changes(said) == []
    assert counted(second) == {"A1": 8, "A2": 20}


def test_what_was_learned_of_crosstalk_is_known_after_a_cut() -> None:
    """A pack of tea comes with six cans, of which two packs' weight shows."""
    shelf = shelf_of([CAN], [TEA], capacity=60)
    second = cut(learned(shelf), shelf)
    cans, tea = [(0.0, 2640.0), (20.0, 2640.0 + 1980.0)], [(0.0, 1200.0), (20.0, 1260.0)]
    said = fed_beside(second, cans, tea, 60.0, 300.0)

    assert sorted(changes(said)) == [("A1", "ok", CAN.gtin, 6), ("A2", "ok", TEA.gtin, 1)]


def test_what_was_learned_beside_a_correction_counts_only_beside_that() -> None:
    shelf = shelf_of([CAN], [TEA], capacity=60)
    first = learned(shelf)
    first.order(Crosstalk(shelf=SHELF, matrix={(0, 1): SHOWN}), ms(141.0), us(141.0))
    cans, tea = [(0.0, 2640.0), (20.0, 2640.0 + 1980.0)], [(0.0, 1200.0), (20.0, 1260.0)]
    for aggregator, at_s in ((first, 150.0), (cut(first, shelf), 300.0)):
        said = fed_beside(aggregator, cans, tea, 60.0, at_s)
        assert sorted(changes(said))[-2:] == [("A1", "ok", CAN.gtin, 6), ("A2", "ok", TEA.gtin, 1)]


def test_what_was_learned_is_not_taken_off_beside_a_correction_that_is_configured_later() -> None:
    first = learned(shelf_of([CAN], [TEA], capacity=60))
    second = cut(first, shelf_of([CAN], [TEA], capacity=60, crosstalk={(0, 1): SHOWN}))
    cans, tea = [(0.0, 2640.0), (20.0, 2640.0 + 1980.0)], [(0.0, 1200.0), (20.0, 1260.0)]
    said = fed_beside(second, cans, tea, 60.0, 300.0)

    assert [change for change in changes(said) if change[1] == "ok"] == [
        ("A1", "ok", CAN.gtin, 6), ("A2", "ok", TEA.gtin, 1),
    ]  # fmt: skip


@pytest.mark.parametrize("dark_s", [5.0, 300.0])
def test_what_was_taken_before_a_cut_is_known_when_it_is_put_elsewhere(dark_s: float) -> None:
    shelf = shelf_of([CAN], [JAR])
    first = watching(shelf)
    fed(first, stream([(0.0, 3300.0)], [(0.0, 5050.0), (10.0, 4545.0 + 1.0)], to_s=15.0))
    second = cut(first, shelf)
    said = fed(
        second, after(stream([(0.0, 3300.0), (4.0, 3804.0)], [(0.0, 4546.0)], to_s=30.0), 15.0 + dark_s)
    )

    (put,) = [event for event in said if isinstance(event, ShelfChange)]
    assert (put.bay, put.item, put.units, put.from_bay) == ("A1", JAR.gtin, 1, "A2")


def test_what_a_unit_weighs_is_known_after_a_cut() -> None:
    """Cans that are 2.5 % heavier than was noted: of fourteen at once it is not plain how many they are."""
    shelf, heavy = shelf_of([CAN], capacity=60), 338.0
    first = watching(shelf)
    fed(first, stream([(10.0 * n, (20 - n) * heavy) for n in range(11)], to_s=120.0))
    second = cut(first, shelf)
    said = fed(second, after(stream([(0.0, 10 * heavy), (8.0, 24 * heavy)], to_s=40.0), 300.0))

    assert changes(said) == [("A1", "ok", CAN.gtin, 14)]


def test_what_was_put_back_before_a_cut_is_not_in_anybodys_hands_after_it() -> None:
    shelf = shelf_of([CAN], [JAR])
    first, saved = watching(shelf), dict[str, bytes]()
    for sample in stream([(0.0, 3300.0)], [(0.0, 5050.0), (10.0, 4546.0), (16.0, 5050.0)], to_s=22.0):
        if first.observe(sample, sample.at_us // 1000):
            saved |= first.changed_state()
    second = watching(shelf)
    second.restore(saved)
    said = fed(second, after(stream([(0.0, 3300.0), (4.0, 3804.0)], [(0.0, 5050.0)], to_s=80.0), 30.0))

    (put,) = [event for event in said if isinstance(event, ShelfChange)]
    assert (put.bay, put.outcome.value) == ("A1", "unknown_mass")


def test_a_shelf_that_was_kept_before_crosstalk_was_goes_on() -> None:
    aggregator = watching(shelf_of([CAN], [JAR]))
    aggregator.restore({"shelf:aisle-1": bytes.fromhex(BEFORE)})
    said = fed(aggregator, after(stream([(0.0, 2640.0)], [(0.0, 5050.0)], to_s=20.0), 60.0))

    assert changes(said) == [("A1", "offline_change", CAN.gtin, -1)]
    assert counted(aggregator) == {"A1": 8, "A2": 10}
