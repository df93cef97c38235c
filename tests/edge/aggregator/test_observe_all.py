"""Reads that are handed over in lists say the same as one by one, however they are cut."""

from collections.abc import Iterable
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from edge.aggregator.aggregator import Aggregator
from edge.aggregator.gate import Gate, Side
from edge.reads import Antenna, Lost, TagRead, TimedRead, Trigger
from tests.support.doors import epc, going_in, going_out, merged, stand, walk
from wire.events import Event, TagMovement

GATES = (
    Gate(name="dock-1", antennas={1: Side.OUTSIDE, 2: Side.INSIDE}),
    Gate(name="dock-2", antennas={1: Side.OUTSIDE, 2: Side.INSIDE}),
)
REFERENCES = {"dock-1": {1: [epc(800)]}}

pytestmark = pytest.mark.timeout(60)


def day() -> list[TimedRead]:
    """Two doors, a load through each, and all that a reader may tell beside: in the order in which it arrives."""
    rng, told = Random(4), list[TimedRead]()
    first = [walk(epc(n), going_in(3.0 + 0.1 * n)) for n in range(6)] + [stand(epc(800), -30.0, 30.0)]
    second = [walk(epc(20 + n), going_out(9.0 + 0.1 * n)) for n in range(6)] + [stand(epc(900), -30.0, 30.0)]
    both = [*merged(*first), *(replace(read, gate="dock-2") for read in merged(*second))]
    for number, read in enumerate(sorted(both, key=lambda read: read.at_us)):
        at_ms = read.at_us // 1000
        told.append((at_ms, _varied(read, number)))
        if number % 97 == 0:
            told.append((at_ms, Trigger(at_us=read.at_us, gate="dock-1", input=1, on=number % 2 == 0)))
        if number == 200:
            told.append((at_ms, Antenna(at_us=read.at_us, gate="dock-2", antenna=2, connected=False)))
        if number == 300:
            lost = Lost(
                at_us=read.at_us, device="dock-1", from_us=read.at_us, to_us=read.at_us, reason="its buffer"
            )
            told.append((at_ms, lost))
    told.sort(key=lambda each: each[0] + rng.choice((0, 0, 0, 40, 250)))
    at_ms, ahead = told[20]
    told.insert(0, (at_ms + 20_000, ahead))  # from the future, before its gate has read anything else
    return told


def _varied(read: TagRead, number: int) -> TagRead:
    if number % 50 == 7:
        return replace(read, gate="dock-9")
    if number % 50 == 8:
        return replace(read, antenna=7)
    return replace(read, tid=f"E2801100{number:08X}") if number % 5 == 0 else read


def made() -> Aggregator:
    aggregator = Aggregator(GATES, [], boot="b1", references=REFERENCES)
    for gate in GATES:
        aggregator.device_up(gate.name, 0, 0)
    return aggregator


def ended(aggregator: Aggregator) -> tuple[dict[str, bytes], list[Event]]:
    state = aggregator.changed_state()
    last_ms = DAY[-1][0] + 600_000
    return state, aggregator.advance(last_ms, 1000 * last_ms)


DAY = day()
ONE_BY_ONE = made()
SAID = [ONE_BY_ONE.observe(read, at_ms) for at_ms, read in DAY]
ENDED = ended(ONE_BY_ONE)


def compare(lengths: Iterable[int]) -> None:
    """Each list must say what its reads do, no later, and leave the same state."""
    aggregator, at = made(), 0
    for length in lengths:
        upto = min(at + length, len(DAY))
        assert aggregator.observe_all(DAY[at:upto]) == [event for said in SAID[at:upto] for event in said]
        at = upto
    assert aggregator.observe_all(DAY[at:]) == [event for said in SAID[at:] for event in said]
    assert ended(aggregator) == ENDED


def test_the_day_has_something_to_say() -> None:
    moved = [event for said in SAID for event in said if isinstance(event, TagMovement)]
    assert {event.gate for event in moved} == {"dock-1", "dock-2"}
    assert len(moved) >= 10
    assert any(event.tid for event in moved)


@pytest.mark.parametrize("each", [1, 2, 7, 50, 500])
def test_lists_of_any_length_say_the_same_as_one_by_one(each: int) -> None:
    compare([each] * (len(DAY) // each))


def test_a_whole_day_at_once_says_the_same_as_one_by_one() -> None:
    compare([])


@settings(max_examples=20, deadline=None)
@given(st.lists(st.integers(0, 120), max_size=60))
def test_how_reads_are_cut_into_lists_does_not_matter(lengths: list[int]) -> None:
    compare(lengths)
