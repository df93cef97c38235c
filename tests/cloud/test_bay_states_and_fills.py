"""What bays say beside their changes: tasks and incidents, how full they are, and what differs from the ledger."""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select

from cloud import shelves
from cloud.ingest.lines import Delivery
from cloud.ledger import master
from cloud.ledger.book import lock_head
from cloud.ledger.tables import (
    bay_fills,
    bay_states,
    fill_log,
    incidents,
    item_levels,
    level_differences,
    levels,
    locations,
    tasks,
)
from cloud.ledger.verify import verify
from cloud.planogram import store
from cloud.planogram.plan import Stand
from cloud.web.words import reason
from tests.support.ledger import CAN, EDGE, RUN, Cloud, at, change, new_ledger, write_master
from wire.codec import encode_telemetry
from wire.events import BayFill, BayState, Candidate, Change, Clock, Condition, Fill, ItemUnits, ShelfChange
from wire.messages import AgentHealth, Level, Telemetry

TEA, JAM = "09506000211008", "09506000312071"  # stand in A2, and do not belong in A1


@pytest.fixture
def cloud(tmp_path: Path) -> Iterator[Cloud]:
    database = new_ledger(f"sqlite:///{tmp_path / 'ledger.db'}")
    yield Cloud(database, write_master(tmp_path / "master"))
    with database.read() as connection:
        assert verify(connection) == []
    database.close()


def state(said: Condition, seconds: float, reason: str = "", bay: str = "A1") -> BayState:
    return BayState(
        at=at(seconds),
        clock=Clock.SYNCED,
        boot="b",
        mono_ms=1,
        shelf="aisle-1",
        bay=bay,
        state=said,
        reason=reason,
    )


def fill(said: Fill, seconds: float, units: int | None, item: str | None = CAN) -> BayFill:
    return BayFill(
        at=at(seconds), clock=Clock.SYNCED, boot="b", mono_ms=1, shelf="aisle-1", bay="A1", item=item, units=units,
        capacity=24, facings=2, fraction=None if units is None else units / 24, state=said,
    )  # fmt: skip


def opened(cloud: Cloud, table: Any = tasks) -> list[tuple[str, str]]:
    query = select(table.c.kind, table.c.subject).where(table.c.closed_at.is_(None)).order_by(table.c.id)
    with cloud.database.read() as connection:
        return [tuple(row) for row in connection.execute(query)]


def details(cloud: Cloud, kind: str) -> Any:
    with cloud.database.read() as connection:
        return connection.scalar(
            select(tasks.c.details).where(tasks.c.kind == kind).order_by(tasks.c.id.desc())
        )


def count(cloud: Cloud, table: Any) -> int:
    with cloud.database.read() as connection:
        return len(connection.execute(select(table)).all())


def weigh(
    cloud: Cloud,
    seconds: float,
    units: int | None,
    *,
    stable: bool = True,
    held_s: float = 0.0,
    bay: str = "A1",
) -> None:
    """Telemetry with one bay's level; `held_s`: how long the oldest event has been held."""
    agent = AgentHealth(
        run=RUN, version="1", events_held=int(held_s > 0), oldest_held_s=held_s, quarantined=0, journal_bytes=0,
        disk_free_bytes=1,
    )  # fmt: skip
    level = Level(shelf="aisle-1", bay=bay, grams=100.0, item=CAN, units=units, stable=stable)
    said = Telemetry(edge=EDGE, at=at(seconds), agent=agent, levels=(level,))
    cloud.now = at(seconds)
    cloud.ingest.newest([Delivery(EDGE, encode_telemetry(said), at(seconds))], [])


def minutes(*some: float) -> Sequence[float]:
    return [60.0 * each for each in some]


def test_a_scale_that_needs_a_check_is_a_task_while_it_does(cloud: Cloud) -> None:
    cloud.book(state(Condition.NEEDS_CHECK, 10, "its serial number is another"))
    assert opened(cloud) == [("needs_check", "A1")]
    assert details(cloud, "needs_check")["why"] == "its serial number is another"
    cloud.book(state(Condition.NEEDS_CHECK, 20, "and its calibration"))
    assert opened(cloud) == [("needs_check", "A1")]
    assert details(cloud, "needs_check")["why"] == "and its calibration"
    cloud.book(state(Condition.OK, 30))
    assert opened(cloud) == []


def test_a_bay_that_does_not_weigh_is_an_incident_until_it_does(cloud: Cloud) -> None:
    cloud.book(state(Condition.BLIND, 10, "cell 0: overload"))
    assert opened(cloud, incidents) == [("blind_bay", "store-042/A1")]
    cloud.book(state(Condition.SERVICE, 20))
    assert opened(cloud, incidents) == []


def test_an_uncertain_bay_asks_once_and_a_change_that_asked_is_not_talked_over(cloud: Cloud) -> None:
    cloud.book(state(Condition.UNCERTAIN, 10, "the goods were exchanged"))
    assert opened(cloud) == [("uncertain", "A1")]
    cloud.book(state(Condition.OK, 20))
    assert opened(cloud) == []
    cloud.book(
        change(None, 30, item=None, outcome=Change.UNKNOWN_MASS),
        state(Condition.UNCERTAIN, 31, "unknown mass"),
    )
    cloud.book(state(Condition.OK, 40))  # the scale is sure of what it weighs; the ledger was told nothing
    assert opened(cloud) == [("uncertain", "A1")]
    assert details(cloud, "uncertain")["grams"] == -329.3


def test_why_a_change_could_not_be_told_is_kept_though_telemetry_is_newer(cloud: Cloud) -> None:
    """What was put is said 15 s later, dated by when it was put; what the bay weighs was told each second since."""
    weigh(cloud, 20, None)
    cloud.book(change(None, 5, item=None, outcome=Change.OFFLINE_CHANGE))
    query = select(levels.c.uncertain, levels.c.grams)
    with cloud.database.read() as connection:
        [(uncertain, grams)] = connection.execute(query).all()
    assert (uncertain, grams) == (shelves.UNTOLD[Change.OFFLINE_CHANGE], 100.0)


def test_a_state_that_comes_late_opens_and_closes_nothing(cloud: Cloud) -> None:
    cloud.book(state(Condition.OK, 100))
    cloud.book(state(Condition.NEEDS_CHECK, 50, "long mended"))
    assert opened(cloud) == []


def test_fills_are_kept_with_their_history(cloud: Cloud) -> None:
    cloud.book(fill(Fill.LOW, 10, 3), fill(Fill.OUT, 20, 0))
    cloud.book(fill(Fill.OK, 15, 9))  # late
    with cloud.database.read() as connection:
        now = connection.execute(select(bay_fills)).one()
        told = connection.scalars(select(fill_log.c.state).order_by(fill_log.c.at)).all()
    assert (now.state, now.units, now.capacity, now.facings, now.fraction, now.gtin) == (
        "out",
        0,
        24,
        2,
        0.0,
        CAN,
    )
    assert told == ["low", "ok", "out"]


def test_a_fill_without_an_item_and_one_of_an_unknown_bay(cloud: Cloud) -> None:
    cloud.book(fill(Fill.UNKNOWN, 10, None, item=None))
    assert count(cloud, bay_fills) == 1
    cloud.book(replace(fill(Fill.LOW, 11, 1), bay="Z9"))
    assert cloud.ingest.counts.parked == 1


def test_a_difference_that_lasts_asks_for_a_recount_once_and_is_settled_when_they_agree(cloud: Cloud) -> None:
    for second in minutes(0, 5, 9.9):
        weigh(cloud, second, 2)  # the ledger has 4
    assert opened(cloud) == []
    for second in minutes(10, 11, 30):
        weigh(cloud, second, 2)
    assert opened(cloud) == [("recount", "A1")]
    told = details(cloud, "recount")
    assert (told["level"], told["booked"], told["item"]) == (2, 4.0, CAN)
    with cloud.database.write() as connection:  # a person closes it without counting
        connection.execute(tasks.update().values(closed_at=at(1900)))
    weigh(cloud, 2000, 2)
    weigh(cloud, 4000, 3)
    assert opened(cloud) == [], "once, not repeatedly"
    weigh(cloud, 4010, 4)
    assert count(cloud, level_differences) == 0
    for second in (5000, 5700):
        weigh(cloud, second, 1)
    assert opened(cloud) == [("recount", "A1")], "another difference is another matter"
    weigh(cloud, 5800, 4)
    assert opened(cloud) == []


def test_what_passes_or_is_on_its_way_is_no_difference(cloud: Cloud) -> None:
    for minute in range(0, 60, 5):
        weigh(cloud, 60.0 * minute, 3)
        weigh(cloud, 60.0 * minute + 100, 4)  # agrees in between
        weigh(cloud, 60.0 * minute + 110, 2, stable=False)
        weigh(cloud, 60.0 * minute + 120, 2, held_s=30)  # its events are not booked yet
        weigh(cloud, 60.0 * minute + 130, None)
    assert opened(cloud) == []


@pytest.mark.parametrize("condition", [Condition.SERVICE, Condition.UNCERTAIN, Condition.NEEDS_CHECK])
def test_a_bay_that_does_not_count_is_not_held_against_the_ledger(cloud: Cloud, condition: Condition) -> None:
    cloud.book(state(condition, 0))
    before = opened(cloud)
    for second in minutes(1, 6, 12, 20):
        weigh(cloud, second, 1)
    assert opened(cloud) == before


def weigh_both(cloud: Cloud, seconds: float, tea: int | None, jam: int | None) -> None:
    """Telemetry of A2, which is meant for both."""
    agent = AgentHealth(
        run=RUN,
        version="1",
        events_held=0,
        oldest_held_s=0.0,
        quarantined=0,
        journal_bytes=0,
        disk_free_bytes=1,
    )
    said = tuple(
        Level(shelf="aisle-1", bay="A2", grams=100.0, item=item, units=units, stable=True)
        for item, units in ((TEA, tea), (JAM, jam))
    )
    telemetry = Telemetry(edge=EDGE, at=at(seconds), agent=agent, levels=said)
    cloud.now = at(seconds)
    cloud.ingest.newest([Delivery(EDGE, encode_telemetry(telemetry), at(seconds))], [])


def recount(cloud: Cloud) -> list[tuple[str, int, float]]:
    return [(one["item"], one["level"], one["booked"]) for one in details(cloud, "recount")["differences"]]


def test_of_a_bay_with_several_kinds_each_is_held_against_the_ledger(cloud: Cloud) -> None:
    cloud.book(change(2, 1, bay="A2", item=TEA), change(3, 2, bay="A2", item=JAM))
    for second in minutes(0.1, 6):
        weigh_both(cloud, second, 2, 5)
    weigh_both(cloud, 400, None, 5)  # what it cannot tell is no difference
    weigh_both(cloud, 420, 1, 5)
    assert opened(cloud) == []
    weigh_both(cloud, 620, 1, 5)
    assert opened(cloud) == [("recount", "A2")]
    assert recount(cloud) == [(JAM, 5, 3.0)], "the tea has differed for three minutes only"
    weigh_both(cloud, 1100, 1, 5)
    assert recount(cloud) == [(TEA, 1, 2.0), (JAM, 5, 3.0)], "and then for ten"
    assert reason(details(cloud, "recount")) == (
        "for 10 minutes the scale has said other than the ledger: 1 × Coffee (ledger 2); 5 × Tomatoes (ledger 3)"
    )
    weigh_both(cloud, 1200, 1, 3)
    assert (opened(cloud), recount(cloud)) == ([("recount", "A2")], [(TEA, 1, 2.0)])
    weigh_both(cloud, 1300, 2, 3)
    assert opened(cloud) == []


def test_what_differed_of_an_item_that_is_not_meant_to_stand_there_any_more_is_over(cloud: Cloud) -> None:
    cloud.book(change(3, 2, bay="A2", item=JAM))
    for second in minutes(0.1, 11):
        weigh_both(cloud, second, 1, 3)
    assert opened(cloud) == [("recount", "A2")]
    with cloud.database.write() as connection:
        (here,) = connection.scalars(select(locations.c.id).where(locations.c.name == "A2"))
        author = store.Author(by="manager", source="test", at=at(700))
        store.change(connection, {here: (Stand(gtin=JAM, capacity=12),)}, author)
    weigh(cloud, 720, 3, bay="A2")
    assert (opened(cloud), count(cloud, level_differences)) == ([], 0)


def test_the_scale_s_units_of_each_kind_are_kept(cloud: Cloud) -> None:
    weigh_both(cloud, 10, 4, None)
    cloud.now = at(3600)
    cloud.book(change(-1, 20, bay="A2", item=TEA, level_units=3))
    with cloud.database.read() as connection:
        kept = connection.execute(select(item_levels.c.gtin, item_levels.c.units, item_levels.c.at)).all()
    assert sorted(map(tuple, kept)) == [(TEA, 3, at(20)), (JAM, None, at(10))]


def test_an_uncertain_change_is_over_when_the_edge_is_sure_again_and_the_ledger_agrees(cloud: Cloud) -> None:
    cloud.book(change(None, 30, item=None, outcome=Change.AMBIGUOUS), state(Condition.UNCERTAIN, 31, "why"))
    weigh(cloud, 35, 4)
    assert opened(cloud) == [("uncertain", "A1")]
    cloud.book(state(Condition.OK, 40))
    weigh(cloud, 50, 3)
    assert opened(cloud) == [("uncertain", "A1")], "it counts other than the ledger"
    weigh(cloud, 60, 4)
    assert opened(cloud) == []
    with cloud.database.read() as connection:
        assert connection.scalars(select(levels.c.uncertain)).all() == [""]


def test_something_that_lies_there_is_not_over_because_the_goods_agree(cloud: Cloud) -> None:
    cloud.book(state(Condition.OK, 5), change(None, 30, item=None, outcome=Change.UNKNOWN_MASS))
    weigh(cloud, 60, 4)
    assert opened(cloud) == [("uncertain", "A1")]


def test_a_recount_that_something_else_asked_for_is_not_ended_by_a_level(cloud: Cloud) -> None:
    cloud.book(change(-1, seconds=100))
    cloud.book(change(-2, seconds=101, outcome=Change.OFFLINE_CHANGE, span_s=10))
    cloud.now = at(3600)
    weigh(cloud, 4000, 3)
    assert opened(cloud) == [("recount", "A1")]


def counted(units: int | None, outcome: Change, *told: int) -> ShelfChange:
    said = change(units, 100, outcome=outcome, item=None if units is None else CAN, level_units=units)
    candidates = tuple(Candidate(changes=(ItemUnits(item=CAN, units=each),), odds=0.5) for each in told)
    return replace(said, grams=8000.0, candidates=candidates, confirm=True)


@pytest.mark.parametrize("units", [None, 24])
def test_more_than_one_weighing_can_count_is_asked_of_a_person_and_their_count_is_booked(
    cloud: Cloud, units: int | None
) -> None:
    cloud.book(counted(units, Change.AMBIGUOUS if units is None else Change.OK, 24, 25))
    assert opened(cloud) == [("confirm", "A1")]
    assert details(cloud, "confirm")["question"] == "24 or 25"
    assert cloud.stock(CAN)["A1"] == (4 if units is None else 28)
    with cloud.database.write() as connection:
        here = connection.scalar(select(locations.c.id).where(locations.c.name == "A1"))
        assert here is not None
        lock_head(connection, 1)
        said = shelves.Confirmation(
            location_id=here, counts={CAN: 29}, by="clerk", source="command:x", at=at(200)
        )
        shelves.confirm(connection, master.read(connection), said)
    assert opened(cloud) == []
    assert cloud.stock(CAN)["A1"] == 29


def test_goods_in_the_wrong_bay_are_to_be_put_back(cloud: Cloud) -> None:
    cloud.book(change(1, 5, bay="A2", item=TEA), change(-1, 6, bay="A2", item=TEA))
    wrong = replace(change(1, 10, item=TEA), from_shelf="aisle-1", from_bay="A2")
    cloud.book(wrong)
    assert opened(cloud) == [("misplaced", f"A1/{TEA}")]
    assert details(cloud, "misplaced")["from"] == "aisle-1/A2"
    cloud.book(change(-1, 20, item=TEA))
    assert opened(cloud) == []


def test_while_an_edge_holds_events_nothing_lasts(cloud: Cloud) -> None:
    for second in minutes(0, 6, 12, 18):
        weigh(cloud, second, 2, held_s=30)
    assert opened(cloud) == []
    assert count(cloud, level_differences) == 0


def test_a_recount_that_something_else_has_taken_over_is_not_ended_by_a_level(cloud: Cloud) -> None:
    cloud.book(change(-1, seconds=1))
    for second in minutes(1, 12):
        weigh(cloud, second, 1)
    cloud.book(change(-2, seconds=2, outcome=Change.OFFLINE_CHANGE, span_s=10))
    weigh(cloud, 3700, 3)
    assert opened(cloud) == [("recount", "A1")]


def states_kept(cloud: Cloud) -> list[tuple[str, Any, Any]]:
    query = select(bay_states.c.state, bay_states.c.since, bay_states.c.at)
    with cloud.database.read() as connection:
        return [tuple(row) for row in connection.execute(query)]


def test_a_state_that_is_said_again_is_as_old_as_it_was_and_asks_nothing_anew(cloud: Cloud) -> None:
    for condition, kind in ((Condition.NEEDS_CHECK, "needs_check"), (Condition.UNCERTAIN, "uncertain")):
        cloud.book(state(condition, 10, "why"))
        cloud.book(state(condition, 500, "why"), run="c" * 32)  # its agent was started again
        assert opened(cloud) == [(kind, "A1")]
        assert states_kept(cloud) == [(condition.value, at(10), at(500))]
        cloud.book(state(Condition.OK, 600))
        assert opened(cloud) == []
        cloud.book(state(Condition.OK, 9), state(Condition.OK, 700))
        assert states_kept(cloud) == [("ok", at(600), at(700))]
        with cloud.database.write() as connection:
            connection.execute(bay_states.delete())


def test_something_that_lies_there_is_not_over_because_its_agent_was_started_again(cloud: Cloud) -> None:
    cloud.book(state(Condition.OK, 5), change(None, 30, item=None, outcome=Change.UNKNOWN_MASS))
    cloud.book(state(Condition.OK, 50))
    weigh(cloud, 60, 4)
    assert opened(cloud) == [("uncertain", "A1")]


def test_what_could_not_be_told_is_a_recount_once_the_edge_counts_again_but_other_than_the_ledger(
    cloud: Cloud,
) -> None:
    """Its agent has lost what it knew, and weighs three of them."""
    cloud.book(change(None, 30, item=None, outcome=Change.AMBIGUOUS), state(Condition.UNCERTAIN, 31, "why"))
    weigh(cloud, 40, None)
    cloud.book(state(Condition.OK, 50))
    for second in (60, 500):
        weigh(cloud, second, 3)
        assert opened(cloud) == [("uncertain", "A1")]
    weigh(cloud, 700, 3)
    assert opened(cloud) == [("recount", "A1")]
    with cloud.database.read() as connection:
        assert connection.scalars(select(levels.c.uncertain)).all() == [""]


def served(cloud: Cloud, from_s: float, to_s: float) -> None:
    cloud.book(state(Condition.SERVICE, from_s), state(Condition.OK, to_s))


def test_what_differs_after_service_is_asked_at_once_and_once(cloud: Cloud) -> None:
    served(cloud, 10, 100)
    weigh(cloud, 99, 3)  # as it was before it was weighed anew
    assert opened(cloud) == []
    weigh(cloud, 101, 3)
    assert opened(cloud) == [("recount", "A1")]
    assert reason(details(cloud, "recount")) == (
        "since service ended the scale says other than the ledger: 3, and the ledger 4"
    )
    with cloud.database.write() as connection:  # a person closes it without counting
        connection.execute(tasks.update().values(closed_at=at(110)))
    weigh(cloud, 120, 3)
    weigh(cloud, 1500, 3)
    assert opened(cloud) == []
    served(cloud, 1600, 1700)
    weigh(cloud, 1701, 3)
    assert opened(cloud) == [("recount", "A1")], "people have worked there once more"
    weigh(cloud, 1702, 4)
    assert opened(cloud) == []


def test_what_differs_since_a_change_after_service_has_to_last(cloud: Cloud) -> None:
    served(cloud, 10, 100)
    cloud.book(change(-1, 150))
    for second in (160, 700):
        weigh(cloud, second, 2)
    assert opened(cloud) == []
    weigh(cloud, 761, 2)
    assert opened(cloud) == [("recount", "A1")]
    assert details(cloud, "recount")["why"].startswith("for 10 minutes")


def test_what_differs_long_after_service_has_to_last(cloud: Cloud) -> None:
    served(cloud, 10, 100)
    weigh(cloud, 101, 4)
    weigh(cloud, 800, 3)
    assert opened(cloud) == []


def thing(grams: float, seconds: float) -> ShelfChange:
    return replace(change(None, seconds, item=None, outcome=Change.UNKNOWN_MASS), grams=grams)


def test_a_thing_that_was_put_and_is_taken_away_asks_for_nothing_any_more(cloud: Cloud) -> None:
    cloud.book(state(Condition.OK, 5), thing(512.0, 30))
    assert opened(cloud) == [("uncertain", "A1")]
    cloud.book(thing(-511.0, 90))
    assert opened(cloud) == []
    with cloud.database.read() as connection:
        assert connection.scalars(select(levels.c.uncertain)).all() == [""]
    cloud.book(thing(-512.0, 100))
    assert opened(cloud) == [("uncertain", "A1")], "the same mass once more is no thing that had come"


def test_several_things_are_over_when_all_of_them_are_gone(cloud: Cloud) -> None:
    cloud.book(thing(512.0, 30), thing(2040.0, 40), thing(-2043.0, 50))
    assert opened(cloud) == [("uncertain", "A1")]
    cloud.book(thing(-300.0, 60), thing(-512.0, 70))
    assert opened(cloud) == [("uncertain", "A1")], "one mass has gone that nobody had seen come"


@pytest.mark.parametrize("other", ["ambiguous", "another mass", "the edge is not sure either"])
def test_a_thing_that_goes_ends_no_other_question(cloud: Cloud, other: str) -> None:
    if other == "ambiguous":
        cloud.book(change(None, 20, item=None, outcome=Change.AMBIGUOUS))
    cloud.book(thing(512.0, 30))
    if other == "the edge is not sure either":
        cloud.book(state(Condition.UNCERTAIN, 31, "its goods were exchanged"))
    cloud.book(thing(-560.0 if other == "another mass" else -512.0, 60))
    assert opened(cloud) == [("uncertain", "A1")]
