"""Antennas without a reference tag that miss what the others read: when that is suspect, and when it is chance."""

from edge.aggregator.antennas import AntennaWatch
from tests.support.doors import epc
from tests.support.watched_antennas import REFERENCES, SIDES, START_MS, Door, passage, read


def test_without_a_reference_an_antenna_that_misses_load_after_load_is_suspect() -> None:
    door = Door(references={})
    for _ in range(20):
        assert door.load(read_by=[1, 2, 3, 4])
    assert [door.load(read_by=[1, 2, 4]) for _ in range(5)][:4] == [True] * 4  # not suspected before
    door.take([], door.now_s + 15.0)
    (trouble,) = door.watch.troubles()
    assert trouble == (
        "dock-1, antenna 3 is suspect: has read nothing of the last 5 loads; before, it read most of them"
    )
    assert not door.load(read_by=[1, 2, 4])
    assert door.said == []
    door.load(read_by=[1, 2, 3, 4])
    door.take([], door.now_s + 15.0)
    assert door.watch.troubles() == []


def test_three_loads_unread_may_be_chance_whatever_was_read_before() -> None:
    """Stock that stood beside it for weeks, and is gone, had made it sure."""
    door = Door(references={})
    for _ in range(100):
        door.load(read_by=[1, 2, 3, 4])
    for _ in range(3):
        door.load(read_by=[1, 2, 4])
    door.take([], door.now_s + 15.0)
    assert door.watch.troubles() == []


def test_a_load_that_was_read_before_a_restart_is_not_missed_after_it() -> None:
    door = Door(references={})
    for _ in range(20):
        door.load(read_by=[1, 2, 3, 4])
    for _ in range(5):
        began_s, door.now_s = door.now_s, door.now_s + 8.0
        door.take(
            [read(began_s + 1.0 + n, antenna, epc(9)) for n, antenna in enumerate(REFERENCES)], door.now_s
        )
        saved, door.watch = door.watch.save(), AntennaWatch("dock-1", SIDES)
        door.watch.restore(saved)
        door.watch.up(START_MS + round(door.now_s * 1000))
        assert door.watch.passed(passage(began_s, door.now_s))
    door.take([], door.now_s + 25.0)
    assert door.watch.troubles() == []


def test_an_antenna_that_often_misses_loads_is_not_suspected_of_it() -> None:
    door = Door(references={})
    for _ in range(15):
        door.load(read_by=[1, 2, 3, 4])
        door.load(read_by=[1, 2, 4])
    for _ in range(6):
        door.load(read_by=[1, 2, 4])
    door.take([], door.now_s + 15.0)
    assert door.watch.troubles() == []
