"""Whether an antenna still sees: what its reference tags prove, and what is said when they are read no more."""

from collections.abc import Mapping, Sequence
from itertools import pairwise

import pytest

from edge.aggregator.aggregator import Aggregator
from edge.aggregator.gate import Gate, Side
from edge.aggregator.sight import REPEAT_MS, SHADOWED_MS
from edge.reads import Antenna
from tests.support.doors import START_US, epc, going_in, merged, walk
from tests.support.watched_antennas import (
    HOUR,
    MINUTE,
    REFERENCES,
    STAMP,
    START_MS,
    Door,
    learnt,
    passage,
    read,
    since,
)
from wire.events import Blind, Event, Passage, TagMovement


def test_an_antenna_that_reads_nothing_any_more_is_said_to_be_blind_from_its_last_read_on() -> None:
    door = learnt()
    began_s = door.now_s
    door.goes_on(29.0, without=[3])
    assert door.healthy()
    door.goes_on(6.0, without=[3])
    assert not door.healthy()  # doubted at once, and not said: it may be somebody in the beam
    door.goes_on(SHADOWED_MS / 1000, without=[3])
    ((from_s, to_s, why),) = door.blinds()
    assert began_s - 5.0 < from_s <= began_s
    assert 0.0 <= to_s - from_s - SHADOWED_MS / 1000 < 15.0
    assert why.startswith("antenna 3 has read nothing since 2025-11-22T09:19:5")
    (trouble,) = door.watch.troubles()
    assert trouble.startswith("dock-1, antenna 3 is blind: has read nothing since")
    assert not door.healthy()


def test_blindness_is_said_again_each_hour_and_to_its_end_without_a_hole() -> None:
    door = learnt()
    door.goes_on(2.5 * HOUR, without=[3])
    (trouble,) = door.watch.troubles()
    assert "which it reads 2 times a second" in trouble  # what it did not read is not learnt
    door.goes_on(MINUTE)
    spans = door.blinds()
    assert len(spans) == 4
    assert all(before[1] == after[0] for before, after in pairwise(spans))
    assert spans[1][1] - spans[1][0] == pytest.approx(REPEAT_MS / 1000)
    assert spans[-1][1] == pytest.approx(20 * MINUTE + 2.5 * HOUR, abs=10.0)
    assert spans[-1][2] == "antenna 3 sees again"
    assert door.watch.troubles() == []
    assert door.healthy()


def test_a_load_that_stands_in_the_beam_hides_the_reference_and_proves_that_the_antenna_sees() -> None:
    door = learnt()
    door.goes_on(20 * MINUTE, without=[3], others={3: 0.3})
    assert door.said == []
    assert door.watch.troubles() == []
    assert door.healthy()


def test_something_without_tags_that_stands_in_the_beam_for_minutes_is_not_said() -> None:
    door = learnt()
    door.goes_on(4 * MINUTE, without=[3])
    assert not door.healthy()
    door.goes_on(MINUTE)
    assert door.said == []
    assert door.healthy()


def test_loads_that_others_read_and_it_does_not_make_it_blind_sooner() -> None:
    door = learnt()
    for _ in range(30):
        assert door.load(read_by=[1, 2, 3, 4])
        door.goes_on(10.0)
    began_s = door.now_s
    for _ in range(6):
        door.goes_on(10.0, without=[3])
        door.load(read_by=[1, 2, 4])
    door.goes_on(10.0, without=[3])
    ((from_s, to_s, _),) = door.blinds()
    assert began_s - 5.0 < from_s <= began_s
    assert to_s - from_s < 120.0


def test_an_antenna_that_the_reader_says_is_off_is_blind_at_once_until_it_says_otherwise() -> None:
    door = learnt()
    at_us = START_US + round(door.now_s * 1e6)
    assert (
        door.watch.connected(
            Antenna(at_us=at_us, gate="dock-1", antenna=2, connected=False), at_us // 1000, STAMP
        )
        == []
    )
    assert not door.healthy()
    door.goes_on(15.0, without=[2])
    ((from_s, to_s, why),) = door.blinds()
    assert from_s == pytest.approx(1200.0)
    assert why == "antenna 2 is disconnected, as the reader says"
    at_us = START_US + round(door.now_s * 1e6)
    (end,) = door.watch.connected(
        Antenna(at_us=at_us, gate="dock-1", antenna=2, connected=True), at_us // 1000, STAMP
    )
    assert isinstance(end, Blind)
    assert since(end.from_at.timestamp()) == to_s
    assert since(end.to_at.timestamp()) == pytest.approx(1215.0)
    door.goes_on(5.0)
    assert door.healthy()
    assert not door.watch.passed(passage(1210.0, 1218.0))  # it was off in the middle of this one


def test_an_antenna_that_reads_is_connected_whatever_the_reader_said_last() -> None:
    door = learnt()
    at_us = START_US + round(door.now_s * 1e6)
    door.watch.connected(
        Antenna(at_us=at_us, gate="dock-1", antenna=2, connected=False), at_us // 1000, STAMP
    )
    door.goes_on(30.0)
    assert door.healthy()
    assert [why for _, _, why in door.blinds()] == ["antenna 2 sees again"]


def test_an_antenna_not_configured_is_nobodys() -> None:
    door = learnt()
    off = Antenna(at_us=START_US, gate="dock-1", antenna=9, connected=False)
    assert door.watch.connected(off, START_MS, STAMP) == []
    assert door.watch.observe(read(door.now_s, 9, epc(1)), START_MS + 1_200_000, STAMP) is None
    assert door.healthy()


def test_when_the_whole_radio_fails_it_is_said_once_for_all_antennas() -> None:
    door = learnt()
    door.goes_on(10 * MINUTE, without=[1, 2, 3, 4])
    ((_, _, why),) = door.blinds()
    assert [f"antenna {antenna} has read nothing" in why for antenna in REFERENCES] == [True] * 4


@pytest.mark.parametrize(("minutes", "said"), [(10, False), (60, True)])
def test_an_antenna_that_is_lastingly_weaker_is_detuned_and_still_sees(minutes: int, said: bool) -> None:
    door = Door(hz=0.5)
    door.goes_on(6 * HOUR)
    door.dbm[4] -= 8.0
    door.goes_on(minutes * MINUTE)
    assert [trouble.partition(":")[0] for trouble in door.watch.troubles()] == (
        ["dock-1, antenna 4 is detuned"] if said else []
    )
    assert door.said == []
    assert door.healthy()
    door.dbm[4] += 8.0
    door.goes_on(HOUR)
    assert door.watch.troubles() == []


def test_an_antenna_that_reads_tags_but_no_longer_its_reference_is_detuned() -> None:
    door = learnt()
    door.goes_on(70 * MINUTE, without=[3], others={3: 1.0})
    (trouble,) = door.watch.troubles()
    assert trouble.startswith(
        "dock-1, antenna 3 is detuned: reads tags, but not its reference since 2025-11-22T09:19:5"
    )
    assert door.said == []


def test_a_reference_that_is_seldom_read_is_given_its_own_time() -> None:
    door = Door(hz=1 / 60)
    door.goes_on(2 * HOUR)
    door.said.clear()
    door.goes_on(11 * MINUTE, without=[3])  # e^-11: seldom, and no proof
    assert door.healthy()
    door.goes_on(20 * MINUTE, without=[3])
    assert len(door.blinds()) == 1


def test_a_reference_that_was_never_read_proves_nothing_and_is_said() -> None:
    door = Door()
    door.goes_on(11 * MINUTE, without=[2])
    (trouble,) = door.watch.troubles()
    assert trouble.startswith("dock-1, antenna 2 is unproven: ")
    assert door.healthy()
    assert door.said == []


def test_one_reference_may_serve_two_antennas() -> None:
    tag = "BBBB0000000000000000"
    door = Door(references={1: [tag], 2: [tag]})
    assert door.watch.is_reference(tag)
    for minutes, antennas in ((20, (1, 2)), (8, (1,))):
        until_s = door.now_s + minutes * MINUTE
        door.take(merged(*(door.reads(antenna, tag, until_s, 2.0) for antenna in antennas)), until_s)
    ((_, _, why),) = door.blinds()
    assert why.startswith("antenna 2 ")


def test_a_reader_that_was_away_does_not_make_its_antennas_blind() -> None:
    door = learnt()
    door.watch.down(START_MS + 1_200_000)
    door.take([], door.now_s + HOUR)
    assert door.said == []
    door.watch.up(START_MS + round(door.now_s * 1000))
    door.take([], door.now_s + 25.0)
    assert door.healthy()
    door.goes_on(10 * MINUTE)
    assert door.said == []
    assert door.watch.troubles() == []


def test_time_that_nobody_watched_is_not_silence() -> None:
    door = learnt()
    door.now_s += 10 * HOUR  # as at the end of a recording, or while a machine sleeps
    door.look(door.now_s)
    door.goes_on(MINUTE)
    assert door.said == []
    assert door.healthy()


def test_a_restart_goes_on_where_it_was() -> None:
    door, other = learnt(), Door()
    other.watch.restore(door.watch.save())
    assert not door.watch.changed
    other.watch.up(START_MS + 1_200_000)
    other.now_s = door.now_s
    other.goes_on(7 * MINUTE, without=[3])
    assert len(other.blinds()) == 1
    third = Door()
    third.watch.restore(other.watch.save())
    assert [trouble.partition(":")[0] for trouble in third.watch.troubles()] == ["dock-1, antenna 3 is blind"]


def test_what_is_said_does_not_depend_on_how_often_time_is_told() -> None:
    often, seldom = learnt(), learnt()
    until_s = often.now_s + 2 * HOUR
    reads = merged(*(often.reads(antenna, REFERENCES[antenna], until_s, 2.0) for antenna in (1, 2, 4)))
    often.take(reads, until_s)
    for each in reads:
        seldom.said += seldom.watch.observe(each, each.at_us // 1000, STAMP) or ()
    assert len(often.said) == 2
    assert seldom.said == often.said


def test_a_reference_never_moves() -> None:
    reference = REFERENCES[1]
    gate = Gate(name="dock-1", antennas={1: Side.OUTSIDE, 2: Side.INSIDE}, quiet_s=2.0)

    def outcomes(references: Mapping[str, Mapping[int, Sequence[str]]]) -> tuple[set[str], int]:
        made = Aggregator([gate], [], boot="b", references=references)
        made.device_up("dock-1", START_MS, START_US)
        said: list[Event] = []
        for each in merged(walk(reference, going_in(5.0)), walk(epc(1), going_in(5.2))):
            said += made.observe(each, each.at_us // 1000)
        said += made.advance(START_MS + 30_000, START_US + 30_000_000)
        movements = {event.epc for event in said if isinstance(event, TagMovement)}
        (whole,) = (event for event in said if isinstance(event, Passage))
        return movements, whole.ins + whole.strays

    assert outcomes({}) == ({reference, epc(1)}, 2)
    assert outcomes({"dock-1": {1: [reference]}}) == ({epc(1)}, 1)
