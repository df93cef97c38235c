"""Commands in the ledger: asked, sent until answered, and what an answer brings about."""

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import select

from cloud.commands.ask import AskError, ask
from cloud.commands.post import Post
from cloud.ledger.tables import bay_items, bays, commands, envelopes, items, levels, movements, tasks
from cloud.ledger.verify import verify
from cloud.planogram import store
from cloud.planogram.plan import Plan, Stand
from tests.support.ledger import CAN, EDGE, Cloud, at, change, new_ledger, write_master
from wire.codec import decode_command, encode_reply
from wire.commands import (
    Assign,
    AssignedItem,
    Confirm,
    ItemCount,
    Order,
    Outcome,
    Reload,
    Reply,
    ServiceBegin,
    Zero,
)
from wire.events import BayState, Change, Clock, Condition
from wire.messages import Level

COFFEE = "09506000211008"


class Desk:
    """The cloud's post with a clock set by hand, and an edge that answers what the test says."""

    def __init__(self, folder: Path) -> None:
        self.cloud = Cloud(new_ledger(f"sqlite:///{folder / 'ledger.db'}"), write_master(folder / "master"))
        self.told = 0
        self.post = Post(self.cloud.database, lambda: self.cloud.now, self._tell)

    def _tell(self) -> None:
        self.told += 1

    def ask(self, order: Order, edge: str = EDGE) -> str:
        with self.cloud.database.write() as connection:
            return ask(connection, edge, order, by="manager", now=self.cloud.now).id

    def answer(
        self,
        command: str,
        outcome: Outcome = Outcome.DONE,
        words: str = "done",
        levels: tuple[Level, ...] = (),
    ) -> None:
        reply = Reply(id=command, edge=EDGE, at=self.cloud.now, outcome=outcome, words=words, levels=levels)
        self.post.arrived(EDGE, encode_reply(reply))

    def row(self, command: str) -> tuple[str, str]:
        with self.cloud.database.read() as connection:
            query = select(commands.c.state, commands.c.words).where(commands.c.id == command)
            state, words = connection.execute(query).one()
        return state, words

    def wait(self, seconds: float) -> None:
        self.cloud.now += timedelta(seconds=seconds)

    def open_tasks(self) -> list[tuple[str, str]]:
        with self.cloud.database.read() as connection:
            rows = connection.execute(
                select(tasks.c.kind, tasks.c.subject).where(tasks.c.closed_at.is_(None))
            )
            return sorted((kind, subject) for kind, subject in rows)


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Desk]:
    made = Desk(tmp_path)
    yield made
    with made.cloud.database.read() as connection:
        assert verify(connection) == []
    made.cloud.database.close()


def state(condition: Condition, seconds: float, bay: str = "A1") -> BayState:
    return BayState(
        at=at(seconds), clock=Clock.SYNCED, boot="boot-1", mono_ms=int(seconds * 1000), shelf="aisle-1", bay=bay,
        state=condition,
    )  # fmt: skip


def test_a_command_is_sent_again_until_it_is_answered(desk: Desk) -> None:
    command = desk.ask(Zero(shelf="aisle-1", bay="A1"))
    [(edge, line)] = desk.post.due()
    assert (edge, decode_command(line).id) == (EDGE, command)
    assert decode_command(line).order == Zero(shelf="aisle-1", bay="A1")
    assert desk.post.due() == []
    desk.wait(2.0)
    assert desk.post.due() == [(edge, line)]  # byte for byte
    desk.answer(command, words="A1 is zeroed")
    desk.wait(10.0)
    assert desk.post.due() == []
    assert desk.row(command) == ("done", "A1 is zeroed")
    assert desk.told == 1


def test_nothing_is_sent_after_its_time_and_a_late_answer_still_counts(desk: Desk) -> None:
    command = desk.ask(Zero(shelf="aisle-1", bay="A1"))
    desk.post.due()
    desk.wait(60.0)
    assert desk.post.due() == []
    assert desk.row(command)[0] == "expired"
    assert "did not answer" in desk.row(command)[1]
    desk.answer(command)
    assert desk.row(command) == ("done", "done")


def test_without_a_connection_it_says_so(desk: Desk) -> None:
    command = desk.ask(Zero(shelf="aisle-1", bay="A1"))
    desk.wait(61.0)
    assert desk.post.due() == []
    assert desk.row(command) == ("expired", "it was never sent: this cloud had no connection to its broker")


def test_the_first_answer_stands(desk: Desk) -> None:
    command = desk.ask(Zero(shelf="aisle-1", bay="A1"))
    desk.answer(command, Outcome.REFUSED, "it moves")
    desk.answer(command, Outcome.DONE, "done")
    assert desk.row(command) == ("refused", "it moves")


def test_replies_that_are_none_or_of_another_edge_change_nothing(desk: Desk) -> None:
    command = desk.ask(Zero(shelf="aisle-1", bay="A1"))
    desk.post.arrived(EDGE, b"{")
    reply = encode_reply(Reply(id=command, edge="store-007", at=at(0), outcome=Outcome.DONE, words=""))
    desk.post.arrived("store-007", reply)
    desk.post.arrived(EDGE, reply)
    desk.answer("c-unknown")
    assert desk.row(command)[0] == "asked"
    assert desk.told == 0


def test_levels_that_were_asked_for_are_kept_with_the_answer(desk: Desk) -> None:
    command = desk.ask(Reload())
    desk.answer(
        command, levels=(Level(shelf="aisle-1", bay="A1", grams=1320.5, item=CAN, units=4, stable=True),)
    )
    with desk.cloud.database.read() as connection:
        [told] = connection.scalars(select(commands.c.levels)).one()
    assert (told["bay"], told["units"], told["grams"]) == ("A1", 4, 1320.5)


@pytest.mark.parametrize(
    "order, edge, says",
    [
        (Zero(shelf="aisle-1", bay="A9"), EDGE, "has no bay 'A9'; it has A1, A2"),
        (Zero(shelf="aisle-9", bay="A1"), EDGE, "has no shelf 'aisle-9'"),
        (Reload(), "store-000", "no site has an edge 'store-000'"),
        (
            Assign(shelf="aisle-1", bay="A1", items=(AssignedItem(gtin="0" * 14, unit_grams=1.0),)),
            EDGE,
            "no item has the GTIN 00000000000000",
        ),
        (
            Confirm(
                shelf="aisle-1", bay="A1", counts=(ItemCount(gtin=CAN, units=1), ItemCount(gtin=CAN, units=2))
            ),
            EDGE,
            "named twice",
        ),
        (ServiceBegin(shelf="aisle-1", bay="A1", timeout_s=5), EDGE, "greater than or equal to 10"),
    ],
)
def test_what_cannot_be_asked_is_said(desk: Desk, order: Order, edge: str, says: str) -> None:
    with pytest.raises(AskError, match=says):
        desk.ask(order, edge)
    assert desk.post.due() == []


def test_a_confirmed_count_books_the_difference_and_ends_the_uncertainty(desk: Desk) -> None:
    cloud = desk.cloud
    cloud.book(change(outcome=Change.AMBIGUOUS, units=None, item=None))
    assert desk.open_tasks() == [("uncertain", "A1")]
    command = desk.ask(Confirm(shelf="aisle-1", bay="A1", counts=(ItemCount(gtin=CAN, units=28),)))
    assert cloud.stock(CAN)["A1"] == 4  # nothing before the edge has it
    desk.answer(command)
    assert cloud.stock(CAN) == {"A1": 28, "backroom": 16, "opening": -44}
    assert desk.open_tasks() == []
    with cloud.database.read() as connection:
        [row] = connection.execute(select(movements).where(movements.c.kind == "count")).all()
        assert connection.scalars(select(levels.c.uncertain)).all() == [""]
    assert (row.source, row.evidence["by"]) == (f"command:{command}", "manager")
    fewer = desk.ask(Confirm(shelf="aisle-1", bay="A1", counts=(ItemCount(gtin=CAN, units=25),)))
    desk.answer(fewer)
    assert (cloud.stock(CAN)["A1"], cloud.stock(CAN)["basket"]) == (25, 3)


def test_an_item_that_is_not_named_stands_there_no_more(desk: Desk) -> None:
    desk.answer(desk.ask(Confirm(shelf="aisle-1", bay="A1", counts=(ItemCount(gtin=COFFEE, units=0),))))
    assert desk.cloud.stock(CAN) == {"basket": 4, "backroom": 40, "opening": -44}


def test_an_assignment_holds_once_the_edge_has_it_and_what_is_left_asks_for_a_count(desk: Desk) -> None:
    order = Assign(
        shelf="aisle-1", bay="A1", items=(AssignedItem(gtin=COFFEE, unit_grams=520.0),), capacity=12
    )
    refused = desk.ask(order)
    desk.answer(refused, Outcome.REFUSED, "it moves")
    assert _meant(desk) == {(CAN, 24)}
    desk.answer(desk.ask(order))
    assert _meant(desk) == {(COFFEE, 12)}
    assert desk.open_tasks() == [("recount", "A1")]
    desk.cloud.book(change(2, item=COFFEE))  # booked by the new master data
    assert desk.cloud.stock(COFFEE)["A1"] == 2


def test_of_several_items_each_has_its_own_figures_or_a_share_of_the_bay(desk: Desk) -> None:
    own = AssignedItem(gtin=CAN, unit_grams=330.0, unit_cv=0.02, capacity=10, facings=2, low=3)
    desk.answer(
        desk.ask(
            Assign(
                shelf="aisle-1",
                bay="A1",
                items=(own, AssignedItem(gtin=COFFEE, unit_grams=520.0)),
                capacity=24,
            )
        )
    )
    assert _planned(desk) == (
        Stand(gtin=CAN, capacity=10, facings=2, low=3, unit_cv=0.02), Stand(gtin=COFFEE, capacity=14),
    )  # fmt: skip
    desk.answer(
        desk.ask(Assign(shelf="aisle-1", bay="A1", items=(AssignedItem(gtin=CAN, unit_grams=330.0),)))
    )
    assert _planned(desk) == (Stand(gtin=CAN, capacity=10, facings=2, low=3, unit_cv=0.02),), (
        "what was not said stays"
    )


def _planned(desk: Desk) -> Plan:
    with desk.cloud.database.read() as connection:
        return next(bay.plan for bay in store.known(connection) if bay.name.bay == "A1")


def _meant(desk: Desk) -> set[tuple[str, int]]:
    query = (
        select(items.c.gtin, bay_items.c.capacity)
        .join(items, items.c.id == bay_items.c.item_id)
        .join(bays, bays.c.location_id == bay_items.c.location_id)
        .where(bays.c.bay == "A1")
    )
    with desk.cloud.database.read() as connection:
        return {(gtin, capacity) for gtin, capacity in connection.execute(query)}


def test_nothing_that_changes_during_service_is_booked(desk: Desk) -> None:
    cloud = desk.cloud
    cloud.book(state(Condition.SERVICE, 100.0))
    cloud.book(
        change(-3, 120.0),
        change(None, 130.0, item=None, outcome=Change.UNKNOWN_MASS),
        change(2, 140.0, bay="A2", item=COFFEE),
    )
    assert cloud.stock(CAN)["A1"] == 4
    assert cloud.stock(COFFEE)["A2"] == 2  # the neighbour's goes on
    assert desk.open_tasks() == []
    cloud.book(state(Condition.OK, 200.0), change(-1, 210.0))
    assert cloud.stock(CAN)["A1"] == 3


def test_a_change_that_reaches_into_service_is_not_booked_and_one_before_it_is(desk: Desk) -> None:
    cloud = desk.cloud
    cloud.book(state(Condition.SERVICE, 100.0), state(Condition.OK, 200.0))
    cloud.book(change(-1, 100.0), change(-1, 199.9), change(-1, 200.2))
    assert cloud.stock(CAN)["A1"] == 4
    cloud.book(change(-1, 99.0), change(-1, 201.0))
    assert cloud.stock(CAN)["A1"] == 2


def test_a_state_of_a_bay_that_nobody_knows_is_parked(desk: Desk) -> None:
    desk.cloud.book(state(Condition.SERVICE, 100.0, bay="A9"))
    with desk.cloud.database.read() as connection:
        [row] = connection.execute(select(envelopes.c.state, envelopes.c.reason)).all()
    assert row.state == "parked"
    assert "no site has a bay 'A9'" in row.reason
