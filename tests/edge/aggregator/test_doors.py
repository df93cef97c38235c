"""Doors that hear each other's loads: whose a tag is, said once and at the right one."""

from collections.abc import Callable, Iterable, Sequence
from random import Random

import msgspec
import pytest

from edge.aggregator.aggregator import Aggregator
from edge.aggregator.gate import Gate, Side
from edge.aggregator.inbox import LATE_MS
from edge.aggregator.under_way import QUIET_S
from edge.reads import TagRead
from tests.support.doors import START_US, WEAKEST_DBM, epc, going_in, going_out, merged, stand, turning, walk
from wire.events import Event, Passage, TagMovement

DOORS = tuple(Gate(name=f"dock-{n}", antennas={1: Side.OUTSIDE, 2: Side.INSIDE}) for n in (1, 2, 3))
WEAKER_DB = 11.0  # at the next door
Path = Callable[[float], Sequence[tuple[float, float]]]


def at(tag: str, points: Sequence[tuple[float, float]], gate: str, *, scale_db: float = 0.0, seed: int = 0,
       weaker_db: float = WEAKER_DB) -> list[TagRead]:  # fmt: skip
    """A walk through a gate, as that gate and as its neighbours read it; `scale_db` is added by dock-2's reader."""
    reads = []
    for door in DOORS:
        own = door.name == gate
        for read in walk(tag, points, seed=seed, hz=8.0, gate=door.name):
            power = read.rssi_dbm - (0.0 if own else weaker_db)
            if power > WEAKEST_DBM and (own or Random(f"{tag}/{read.at_us}").random() < 0.7):
                shown = round(power + (scale_db if door.name == "dock-2" else 0.0), 1)
                reads.append(msgspec.structs.replace(read, rssi_dbm=shown))
    return reads


def load(
    numbers: Iterable[int], path: Path, second: float, gate: str, *, scale_db: float = 0.0
) -> list[list[TagRead]]:
    return [at(epc(n), path(second + n % 10 / 20), gate, scale_db=scale_db, seed=n) for n in numbers]


def background(to_s: float) -> list[list[TagRead]]:
    return [stand(epc(900 + n), 0.0, to_s, gate=door.name) for n, door in enumerate(DOORS)]


def fresh(doors: Sequence[Gate]) -> Aggregator:
    aggregator = Aggregator(doors, [], boot="b")
    for door in doors:
        aggregator.device_up(door.name, 0, 0)
    return aggregator


def run(reads: Sequence[TagRead], doors: Sequence[Gate] = DOORS[:2]) -> list[Event]:
    aggregator, said = fresh(doors), []
    for read in reads:
        said += aggregator.observe(read, read.at_us // 1000)
    last_us = reads[-1].at_us
    return said + aggregator.advance(last_us // 1000 + 60_000, last_us + 60_000_000)


def movements(said: Iterable[Event]) -> list[tuple[str, str, str]]:
    return sorted((e.epc, e.gate, e.outcome.value) for e in said if isinstance(e, TagMovement))


def went(numbers: Iterable[int], gate: str, outcome: str) -> list[tuple[str, str, str]]:
    return [(epc(n), gate, outcome) for n in numbers]


def test_a_load_is_said_at_its_door_and_the_other_says_nothing() -> None:
    said = run(merged(*load(range(15), going_in, 30.0, "dock-1"), *background(60.0)))

    assert movements(said) == went(range(15), "dock-1", "in")
    assert {e.gate for e in said if isinstance(e, Passage)} == {"dock-1"}


def test_two_loads_at_once_are_each_said_at_their_own_door() -> None:
    reads = merged(
        *load(range(15), going_in, 30.0, "dock-1"), *load(range(20, 32), going_out, 31.0, "dock-2"),
        *background(60.0),
    )  # fmt: skip

    assert movements(run(reads)) == [*went(range(15), "dock-1", "in"), *went(range(20, 32), "dock-2", "out")]


def test_what_belongs_to_another_door_is_counted_as_stray() -> None:
    reads = merged(
        *load(range(15), going_in, 30.0, "dock-1"), *load(range(20, 32), going_in, 30.0, "dock-2"),
        *background(60.0),
    )  # fmt: skip
    (first,) = [e for e in run(reads) if isinstance(e, Passage) and e.gate == "dock-1"]

    assert first.ins == 15
    assert first.strays > 5


def test_three_doors_have_one_winner() -> None:
    reads = merged(
        *load(range(12), going_in, 30.0, "dock-3"), *load(range(20, 32), going_out, 30.5, "dock-1"),
        *background(60.0),
    )  # fmt: skip

    said = run(reads, DOORS)
    assert movements(said) == [*went(range(12), "dock-3", "in"), *went(range(20, 32), "dock-1", "out")]


def test_out_by_one_door_and_in_by_the_other_later_is_said_at_both() -> None:
    reads = merged(
        *load(range(10), going_out, 30.0, "dock-1"), *load(range(10), going_in, 60.0, "dock-2"),
        *background(90.0),
    )  # fmt: skip

    assert movements(run(reads)) == sorted(
        [*went(range(10), "dock-1", "out"), *went(range(10), "dock-2", "in")]
    )


@pytest.mark.parametrize("scale_db", [-7.0, 7.0])
def test_readers_may_show_powers_by_different_scales(scale_db: float) -> None:
    loads = [
        load(range(20 * n, 20 * n + 12), (going_in, going_out)[n % 2], 30.0 * (n + 1), f"dock-{1 + n % 2}",
             scale_db=scale_db)
        for n in range(4)
    ]  # fmt: skip
    said = movements(run(merged(*(walk_ for each in loads for walk_ in each))))

    right = [
        one for n in range(4)
        for one in went(range(20 * n, 20 * n + 12), f"dock-{1 + n % 2}", ("in", "out")[n % 2])
    ]  # fmt: skip
    wrong = [one for one in said if one[2] in ("in", "out") and one not in right]
    assert wrong == []
    assert len([one for one in said if one in right]) > 0.9 * len(right)


def test_a_load_decides_for_the_tags_that_both_doors_hear_alike() -> None:
    alike = [at(epc(n), going_in(30.0), "dock-1", weaker_db=0.5) for n in (50, 51)]
    said = run(merged(*load(range(18), going_in, 30.0, "dock-1"), *alike, *background(60.0)))

    assert movements(said) == went([*range(18), 50, 51], "dock-1", "in")


def test_one_that_is_heard_alike_and_is_alone_is_asked_about_once() -> None:
    reads = [
        *at(epc(1), going_in(30.0), "dock-1", weaker_db=0.0),
        *at(epc(1), going_in(30.0), "dock-2", weaker_db=0.0),
    ]

    said = movements(run(merged(reads, *background(60.0))))
    assert [outcome for _, _, outcome in said] == ["undecided"]


def test_goods_put_down_beside_the_next_door_have_come_in_by_the_first() -> None:
    def put(n: int) -> list[TagRead]:
        crossed = at(epc(n), going_in(30.0 + n / 20), "dock-1", seed=n)
        return merged(crossed, stand(epc(n), 33.0, 60.0, antenna=2, gate="dock-2", dbm=-56.0))

    said = run(merged(*(put(n) for n in range(10)), *background(60.0)))
    assert [one for one in movements(said) if one[2] != "turned_back"] == went(range(10), "dock-1", "in")


def test_turning_back_at_one_door_is_no_crossing_of_the_other() -> None:
    said = run(merged(*load(range(10), turning, 30.0, "dock-2"), *background(60.0)))

    assert {(gate, outcome) for _, gate, outcome in movements(said)} == {("dock-2", "turned_back")}


def test_a_load_that_is_carried_past_the_next_door_soon_after_it_came_in_does_not_move_there() -> None:
    """The one that it came in by hears it still, if more weakly: what comes of that is left of what was said."""
    past = [(34.5, 4.5), (36.5, 1.0), (37.5, 1.0), (39.5, 4.5)]  # along its inside
    went_past = [
        at(epc(n), [(s + n / 20, m) for s, m in past], "dock-2", weaker_db=5.0, seed=n) for n in range(8)
    ]
    said = run(merged(*load(range(8), going_in, 30.0, "dock-1"), *went_past, *background(60.0)))

    assert movements(said) == went(range(8), "dock-1", "in")


def test_it_is_decided_in_time_while_the_next_door_stays_busy() -> None:
    busy = [
        walk_ for n in range(12) for walk_ in load(range(100 + 5 * n, 105 + 5 * n), going_in, 25.0 + 2.0 * n, "dock-2")
    ]  # fmt: skip
    reads = merged(*load(range(10), going_in, 30.0, "dock-1"), *busy)
    aggregator, decided = fresh(DOORS[:2]), 0.0
    for read in reads:
        for event in aggregator.observe(read, read.at_us // 1000):
            if isinstance(event, Passage) and event.gate == "dock-1":
                decided = decided or (read.at_us - START_US) / 1e6

    assert 30.0 < decided < 34.0 + QUIET_S + LATE_MS / 1000


def test_while_one_doors_reader_is_away_its_loads_are_not_guessed_at_the_other() -> None:
    """Both have heard each other's loads before; then one is heard at dock-2 alone, as weakly as dock-1's are."""
    before = [
        walk_ for n in range(4)
        for walk_ in load(range(20 * n, 20 * n + 12), going_in, 30.0 * (n + 1), f"dock-{1 + n % 2}")
    ]  # fmt: skip
    aggregator, said = fresh(DOORS[:2]), []
    for read in merged(*before):
        said += aggregator.observe(read, read.at_us // 1000)
    now_ms = START_US // 1000 + 140_000
    said += aggregator.advance(now_ms, now_ms * 1000)
    aggregator.device_down("dock-1", now_ms, now_ms * 1000, "link lost")
    own, foreign = range(200, 212), range(220, 232)
    alone = [read for read in merged(*load(own, going_in, 150.0, "dock-2"), *load(foreign, going_in, 180.0, "dock-1"))
             if read.gate == "dock-2"]  # fmt: skip
    later = []
    for read in alone:
        later += aggregator.observe(read, read.at_us // 1000)
    now_ms = START_US // 1000 + 220_000
    later += aggregator.advance(now_ms, now_ms * 1000)

    told = movements(later)
    assert [one for one in told if one[2] == "in"] == went(own, "dock-2", "in")
    assert {one[2] for one in told if one not in went(own, "dock-2", "in")} == {"undecided"}


READS = merged(
    *load(range(8), going_in, 12.0, "dock-1"), *load(range(20, 27), going_out, 13.0, "dock-2"),
    *load(range(8), going_out, 30.0, "dock-2"), *background(40.0),
)  # fmt: skip
WHOLE = run(READS)


def test_the_stream_that_is_cut_below_has_something_to_lose() -> None:
    assert len(movements(WHOLE)) == 23


@pytest.mark.timeout(60)
@pytest.mark.parametrize("seed", range(6))
def test_neither_restarts_nor_how_often_time_is_asked_for_change_anything(seed: int) -> None:
    rng = Random(seed)
    cuts, asked = set(rng.sample(range(len(READS)), 4)), set(rng.sample(range(len(READS)), 60))
    aggregator, said, saved = fresh(DOORS[:2]), list[Event](), dict[str, bytes]()
    for number, read in enumerate(READS):
        if number in cuts:
            saved |= aggregator.changed_state()
            aggregator = fresh(DOORS[:2])
            aggregator.restore(saved)
        if number in asked:
            said += aggregator.advance(read.at_us // 1000, read.at_us)
        said += aggregator.observe(read, read.at_us // 1000)
    last_us = READS[-1].at_us

    assert said + aggregator.advance(last_us // 1000 + 60_000, last_us + 60_000_000) == WHOLE
