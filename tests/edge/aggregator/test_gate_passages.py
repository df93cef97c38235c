"""What a gate says of tags that pass, turn round and stand about."""

from collections.abc import Callable, Iterable
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import msgspec
import pytest

from edge.aggregator.aggregator import Aggregator
from edge.aggregator.gate import Gate, Side
from edge.aggregator.inbox import LATE_MS
from edge.aggregator.link import HELD_MS
from edge.aggregator.under_way import QUIET_S
from edge.reads import TagRead, Trigger
from tests.support.doors import START_US, epc, going_in, going_out, merged, stand, turning, walk
from wire.events import Clock, Event, Passage, TagMovement

Path = Callable[[float], list[tuple[float, float]]]

TWO = Gate(name="dock-1", antennas={1: Side.OUTSIDE, 2: Side.INSIDE})
FOUR = Gate(name="dock-1", antennas={1: Side.OUTSIDE, 2: Side.OUTSIDE, 3: Side.INSIDE, 4: Side.INSIDE})
START = datetime(2025, 11, 22, 9, tzinfo=UTC)


def watch(gate: Gate = TWO) -> Aggregator:
    """A gate that has been on for a while."""
    aggregator = Aggregator([gate], [], boot="b1")
    aggregator.device_up(gate.name, 0, 0)
    for read in stand(epc(900), -30.0, -20.0):
        assert aggregator.observe(read, read.at_us // 1000) == []
    aggregator.changed_state()
    return aggregator


def run(reads: Iterable[TagRead], gate: Gate = TWO) -> list[Event]:
    aggregator, said, last = watch(gate), [], 0
    for read in reads:
        said += aggregator.observe(read, read.at_us // 1000)
        last = read.at_us
    return said + aggregator.advance(last // 1000 + 60_000, last + 60_000_000)


def movements(said: Iterable[Event]) -> dict[str, tuple[str, bool]]:
    """Outcome by EPC, and whether it is sure enough to be booked."""
    found = [event for event in said if isinstance(event, TagMovement)]
    assert len({event.epc for event in found}) == len(found), "a tag was said twice"
    return {event.epc: (event.outcome.value, event.confidence >= 0.9) for event in found}


def background(to_s: float) -> list[list[TagRead]]:
    """Two tags that stand outside and one inside, from long before."""
    return [
        stand(epc(901), 0.0, to_s),
        stand(epc(902), 0.0, to_s, hz=0.5, dbm=-73.0),
        stand(epc(903), 0.0, to_s, antenna=2),
    ]


@pytest.mark.parametrize("points, outcome", [(going_in, "in"), (going_out, "out")])
def test_a_tag_that_goes_through_alone_is_said_with_its_direction(points: Path, outcome: str) -> None:
    said = run(walk(epc(1), points(20.0)))

    assert movements(said) == {epc(1): (outcome, True)}


@pytest.mark.parametrize("gate, antennas", [(TWO, (1, 2)), (FOUR, (1, 2, 3, 4))])
@pytest.mark.parametrize("seed", range(4))
def test_a_load_is_told_from_the_tags_that_stand_around(
    gate: Gate, antennas: tuple[int, ...], seed: int
) -> None:
    load = [walk(epc(n), going_in(30.0 + n / 20), seed=seed, hz=6, antennas=antennas) for n in range(20)]

    said = run(merged(*load, *background(60.0)), gate)

    assert movements(said) == {epc(n): ("in", True) for n in range(20)}
    (passage,) = [event for event in said if isinstance(event, Passage)]
    assert (passage.ins, passage.outs, passage.turned_back, passage.undecided) == (20, 0, 0, 0)
    assert passage.strays == 3
    assert passage.healthy


def test_tags_that_only_stand_are_never_said() -> None:
    assert run(merged(*background(600.0))) == []


def test_a_load_that_turns_round_outside_has_turned_back() -> None:
    load = [walk(epc(n), turning(30.0)) for n in range(6)]

    said = run(merged(*load, *background(60.0)))

    assert {outcome for outcome, _ in movements(said).values()} == {"turned_back"}
    assert set(movements(said)) == {epc(n) for n in range(6)}


def test_in_and_out_again_are_two_passages() -> None:
    said = run(merged(walk(epc(1), going_in(20.0)), walk(epc(1), going_out(50.0)), *background(80.0)))

    assert [(e.outcome.value, e.epc) for e in said if isinstance(e, TagMovement)] == [
        ("in", epc(1)),
        ("out", epc(1)),
    ]


def test_a_tag_read_from_one_side_only_goes_with_its_load() -> None:
    load = [walk(epc(n), going_in(30.0), hz=5) for n in range(15)]
    shy = [read for read in walk(epc(77), going_in(30.0), hz=6) if read.antenna == 1]

    said = run(merged(*load, shy, *background(60.0)))

    assert movements(said)[epc(77)][0] == "in"


def test_a_passage_is_named_by_its_gate_and_beginning() -> None:
    said = run(walk(epc(1), going_in(20.0)))

    (movement,) = [event for event in said if isinstance(event, TagMovement)]
    (passage,) = [event for event in said if isinstance(event, Passage)]
    assert movement.passage == passage.passage == passage.load
    assert passage.passage == f"dock-1-{passage.began_at:%Y%m%dT%H%M%S.%fZ}"
    assert passage.began_at < movement.at < passage.ended_at
    assert timedelta(0) < movement.decided_at - passage.ended_at <= timedelta(seconds=QUIET_S + 0.25)


def test_a_tag_crosses_when_it_is_over_the_sill() -> None:
    said = run(merged(*(walk(epc(n), going_in(20.0), seed=n) for n in range(10))))

    offsets = [abs(e.at - START - timedelta(seconds=20)) for e in said if isinstance(e, TagMovement)]
    assert len(offsets) == 10
    assert max(offsets) < timedelta(seconds=0.8)


def test_strays_do_not_keep_a_passage_open() -> None:
    aggregator = watch()
    reads = merged(walk(epc(1), going_in(20.0)), *background(40.0))
    decided = None
    for read in reads:
        if any(isinstance(e, Passage) for e in aggregator.observe(read, read.at_us // 1000)):
            decided = (read.at_us - START_US) / 1e6

    assert decided is not None
    assert decided < 23.3 + 2 * QUIET_S


def test_a_passage_closes_by_time_alone_when_nothing_more_is_read() -> None:
    aggregator = watch()
    reads = walk(epc(1), going_in(20.0))
    for read in reads:
        aggregator.observe(read, read.at_us // 1000)
    last_us = reads[-1].at_us
    last = last_us // 1000

    assert aggregator.advance(last + 1000, last_us + 1_000_000) == []
    due = last + round(QUIET_S * 1000) + LATE_MS + 1
    assert [e.type for e in aggregator.advance(due, due * 1000)] == ["tag_movement", "passage"]


def test_while_a_reader_is_away_its_passage_waits_for_what_it_holds() -> None:
    """Whoever asked whether time had passed would cut the load in two."""
    aggregator = watch()
    reads = walk(epc(1), going_in(20.0))
    half = len(reads) // 2
    for read in reads[:half]:
        aggregator.observe(read, read.at_us // 1000)
    gone = reads[half - 1].at_us // 1000
    aggregator.device_down("dock-1", gone, gone * 1000, "link lost")

    assert aggregator.advance(gone + 30_000, (gone + 30_000) * 1000) == []
    back = gone + 30_000
    aggregator.device_up("dock-1", back, back * 1000)
    assert aggregator.advance(back + 500, (back + 500) * 1000) == []
    for read in reads[half:]:
        assert aggregator.observe(read, read.at_us // 1000) == []
    assert aggregator.advance(back + 1_400, (back + 1_400) * 1000) == []
    said = aggregator.advance(back + 1_500, (back + 1_500) * 1000)

    assert movements(said) == {epc(1): ("in", True)}
    assert not next(e for e in said if isinstance(e, Passage)).healthy


@pytest.mark.parametrize("cut_s", [3.5, 4.5, 5.5, 7.0])
@pytest.mark.parametrize("restarted", [False, True])
def test_of_a_load_whose_reads_are_lost_in_its_middle_somebody_is_asked_and_nothing_is_guessed(
    cut_s: float, restarted: bool
) -> None:
    """The reader lost its power, or the agent did and the reader holds nothing."""
    load = merged(*(walk(epc(n), going_in(5.0 + n / 10), hz=8.0) for n in range(10)))
    aggregator, cut = watch(), START_US // 1000 + round(1000 * cut_s)
    for read in load:
        if read.at_us // 1000 < cut:
            assert aggregator.observe(read, read.at_us // 1000) == []
    saved = aggregator.changed_state()
    if restarted:
        aggregator = Aggregator([TWO], [], boot="b2")
        aggregator.restore(saved)
    else:
        aggregator.device_down("dock-1", cut, cut * 1000, "it lost its power")
    back = cut + 7_000
    aggregator.device_up("dock-1", back, back * 1000)
    aggregator.unseen("dock-1", cut, back)
    said = aggregator.advance(back + 60_000, (back + 60_000) * 1000)

    outcomes = movements(said)
    assert outcomes.keys() == {epc(n) for n in range(10)}
    assert {outcome for outcome, _ in outcomes.values()} <= {"in", "undecided"}
    assert cut_s > 6.0 or not any(booked for _, booked in outcomes.values())
    assert not any(e.healthy for e in said if isinstance(e, Passage))


def test_a_reader_that_publishes_what_it_held_some_seconds_after_the_broker_is_back() -> None:
    """And in pieces: none of them is taken for all."""
    aggregator = watch()
    reads = walk(epc(1), going_in(20.0))
    third = len(reads) // 3
    for read in reads[:third]:
        aggregator.observe(read, read.at_us // 1000)
    gone = reads[third - 1].at_us // 1000
    aggregator.device_down("dock-1", gone, gone * 1000, "link lost")
    back = gone + 10_000
    aggregator.device_up("dock-1", back, back * 1000)
    said = []
    for now, piece in (
        (back + 8_000, reads[third : 2 * third]), (back + 8_800, reads[2 * third :]), (back + 9_900, [])
    ):  # fmt: skip
        for at in range(now - 800, now + 1, 100):
            said += aggregator.advance(at, at * 1000)
        for read in piece:
            said += aggregator.observe(read, read.at_us // 1000)

    assert movements(said) == {epc(1): ("in", True)}


def test_reads_that_come_late_in_pieces_with_no_word_of_a_lost_link_are_one_passage() -> None:
    """The reader's own link to the broker was down, not ours."""
    aggregator = watch()
    reads = walk(epc(1), going_in(20.0))
    half = len(reads) // 2
    now, said = reads[-1].at_us // 1000 + 15_000, []
    for piece in (reads[:half], reads[half:]):
        said += aggregator.advance(now, now * 1000)
        for read in piece:
            said += aggregator.observe(read, read.at_us // 1000)
        now += 700
    said += aggregator.advance(now + 1_000, (now + 1_000) * 1000)

    assert movements(said) == {epc(1): ("in", True)}


def test_a_reader_that_stays_away_is_not_waited_for_for_ever() -> None:
    aggregator = watch()
    reads = walk(epc(1), going_in(20.0))
    for read in reads:
        aggregator.observe(read, read.at_us // 1000)
    gone = reads[-1].at_us // 1000
    aggregator.device_down("dock-1", gone, gone * 1000, "link lost")

    assert aggregator.advance(gone + HELD_MS - 1, 0) == []
    said = aggregator.advance(gone + HELD_MS, 0)
    assert movements(said) == {epc(1): ("in", True)}
    assert not next(e for e in said if isinstance(e, Passage)).healthy


def test_a_step_of_the_wall_clock_in_a_passage_changes_its_dates_alone() -> None:
    """Durations are measured on the steady clock."""
    aggregator, said = watch(), []
    reads = walk(epc(1), going_in(20.0))
    for number, read in enumerate(reads):
        stepped = msgspec.structs.replace(read, at_us=read.at_us - 3_600_000_000 * (number > len(reads) / 2))
        said += aggregator.observe(stepped, read.at_us // 1000)
    said += aggregator.advance(reads[-1].at_us // 1000 + 60_000, 0)

    plain = movements(run(reads))
    assert movements(said) == plain


def test_reads_a_little_out_of_order_change_no_outcome() -> None:
    reads = merged(*(walk(epc(n), going_in(20.0), hz=6) for n in range(8)))
    swapped = [read for pair in zip(reads[1::2], reads[::2], strict=False) for read in pair]

    assert movements(run(swapped)) == movements(run(reads))


def test_unknown_antennas_and_gates_are_passed_over() -> None:
    aggregator = watch()
    read = walk(epc(1), going_in(20.0))[0]

    assert aggregator.observe(msgspec.structs.replace(read, antenna=9), 1) == []
    assert aggregator.observe(msgspec.structs.replace(read, gate="dock-9"), 1) == []
    assert aggregator.changed_state() == {}


def test_a_trigger_names_what_opened_the_passage() -> None:
    aggregator, said = watch(), []
    for read in walk(epc(1), going_in(20.0)):
        said += aggregator.observe(read, read.at_us // 1000)
        aggregator.observe(Trigger(at_us=read.at_us, gate="dock-1", input=2, on=True), read.at_us // 1000)
    said += aggregator.advance(START_US // 1000 + 90_000, START_US + 90_000_000)

    assert [e.trigger for e in said if isinstance(e, Passage)] == ["input 2"]


def test_events_carry_the_clock_the_boot_and_the_tid() -> None:
    aggregator, said = watch(), []
    aggregator.clock = Clock.NOT_SYNCED
    for read in walk(epc(1), going_in(20.0)):
        said += aggregator.observe(msgspec.structs.replace(read, tid="E2801160"), read.at_us // 1000)
    said += aggregator.advance(START_US // 1000 + 90_000, START_US + 90_000_000)

    movement = said[0]
    assert isinstance(movement, TagMovement)
    assert (movement.clock, movement.boot, movement.tid) == (Clock.NOT_SYNCED, "b1", "E2801160")


def test_an_unbroken_stream_of_loads_is_said_as_it_goes() -> None:
    """A passage that never falls quiet is cut between tags; several loads at once leave a few tags in doubt."""
    crossed = {epc(n): 10.0 + 1.5 * (n // 5) + 0.1 * (n % 5) for n in range(400)}
    aggregator, said_at, outcomes = watch(), {}, []
    for read in merged(*(walk(tag, going_in(at_s)) for tag, at_s in crossed.items())):
        for event in aggregator.observe(read, read.at_us // 1000):
            if isinstance(event, TagMovement):
                assert event.epc not in said_at
                said_at[event.epc] = (read.at_us - START_US) / 1e6
                outcomes.append(event.outcome.value)

    assert len(said_at) > 100
    assert all(said_at[tag] > crossed[tag] for tag in said_at)
    assert set(outcomes) <= {"in", "undecided"}
    assert outcomes.count("in") > 0.9 * len(outcomes)


def test_a_gate_without_quiet_time_uses_what_its_own_says() -> None:
    patient = replace(TWO, quiet_s=30.0)
    said = run(merged(walk(epc(1), going_in(20.0)), walk(epc(2), going_in(40.0))), patient)

    assert len([e for e in said if isinstance(e, Passage)]) == 1
    assert movements(said) == {epc(1): ("in", True), epc(2): ("in", True)}
