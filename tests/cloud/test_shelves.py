"""What shelves say, booked between bay, basket, backroom and nowhere known, on SQLite."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import select

from cloud.ledger.tables import incidents, levels, movements, shelf_changes, tasks
from cloud.ledger.verify import verify
from tests.support.ledger import CAN, Cloud, at, change, new_ledger, write_master
from wire.events import Change


@pytest.fixture
def cloud(tmp_path: Path) -> Iterator[Cloud]:
    database = new_ledger(f"sqlite:///{tmp_path / 'ledger.db'}")
    yield Cloud(database, write_master(tmp_path / "master"))
    with database.read() as connection:
        assert verify(connection) == []
    database.close()


def _kinds(cloud: Cloud) -> list[tuple[str, int]]:
    query = select(movements.c.kind, movements.c.quantity).where(movements.c.kind != "opening")
    with cloud.database.read() as connection:
        return [tuple(row) for row in connection.execute(query.order_by(movements.c.position))]


def _open_tasks(cloud: Cloud) -> list[tuple[str, str]]:
    query = select(tasks.c.kind, tasks.c.subject).where(tasks.c.closed_at.is_(None)).order_by(tasks.c.id)
    with cloud.database.read() as connection:
        return [tuple(row) for row in connection.execute(query)]


def _uncertain(cloud: Cloud) -> str:
    with cloud.database.read() as connection:
        return str(connection.scalar(select(levels.c.uncertain)))


def test_units_taken_go_to_the_basket_and_come_back_from_it(cloud: Cloud) -> None:
    cloud.book(change(5, seconds=1))  # nothing in the basket: from the backroom
    cloud.book(change(-3, seconds=2), change(2, seconds=3))
    assert _kinds(cloud) == [("restock", 5), ("pick", 3), ("put_back", 2)]
    assert cloud.stock(CAN) == {"opening": -44, "A1": 8, "basket": 1, "backroom": 35}


def test_more_than_the_basket_has_comes_from_the_backroom_then_from_nowhere_known(cloud: Cloud) -> None:
    cloud.book(change(20, seconds=1))
    cloud.book(change(-1, seconds=2), change(30, seconds=3))
    assert _kinds(cloud) == [("restock", 20), ("pick", 1), ("put_back", 1), ("restock", 20), ("unplaced", 9)]
    with cloud.database.read() as connection:
        found = connection.execute(select(incidents.c.kind, incidents.c.subject)).all()
    assert found == [("negative_stock", f"store-042/unplaced/{CAN}")]


def test_while_a_refill_is_asked_for_an_addition_is_a_restock_whatever_the_basket_holds(cloud: Cloud) -> None:
    cloud.book(change(-2, seconds=0), change(1, seconds=29))  # not held for 30 s yet: put back
    assert _kinds(cloud)[-1] == ("put_back", 1)
    cloud.book(change(4, seconds=31))
    assert _kinds(cloud)[-1] == ("restock", 4)


def test_one_late_batch_is_judged_as_prompt_ones_would_be(cloud: Cloud) -> None:
    cloud.book(change(-2, seconds=0), change(1, seconds=29), change(4, seconds=31))
    assert _kinds(cloud) == [("pick", 2), ("put_back", 1), ("restock", 4)]


@pytest.mark.parametrize("outcome", [Change.AMBIGUOUS, Change.UNKNOWN_MASS])
def test_what_cannot_be_told_books_nothing_and_asks(cloud: Cloud, outcome: Change) -> None:
    cloud.book(change(None, seconds=1, item=None, outcome=outcome))
    assert _kinds(cloud) == []
    assert _open_tasks(cloud) == [("uncertain", "A1")]
    assert _uncertain(cloud) != ""

    cloud.book(change(-1, seconds=2, level_units=2))  # the shelf says 2, the ledger 3
    assert _uncertain(cloud) != ""
    cloud.book(change(-1, seconds=3, level_units=2))
    assert (_uncertain(cloud), _open_tasks(cloud)) == ("", [])


def test_a_change_while_nobody_weighed_is_booked_once(cloud: Cloud) -> None:
    cloud.book(change(-1, seconds=100))
    offline = change(-2, seconds=101, outcome=Change.OFFLINE_CHANGE, span_s=10)
    twin = change(-1, seconds=301, outcome=Change.OFFLINE_CHANGE, span_s=10)
    cloud.book(offline, twin)
    assert _kinds(cloud) == [("pick", 1), ("pick", 1)]
    assert _open_tasks(cloud) == [("recount", "A1")]
    with cloud.database.read() as connection:
        assert connection.scalars(select(incidents.c.kind)).all() == ["overlapping_change"]
        booked = select(shelf_changes.c.booked).order_by(shelf_changes.c.seq)
        assert connection.scalars(booked).all() == [True, False, True]


def test_two_kinds_moved_while_nobody_weighed_are_both_booked(cloud: Cloud) -> None:
    both = [
        change(1, 100, bay="A2", item=gtin, outcome=Change.OFFLINE_CHANGE)
        for gtin in ("09506000211008", "09506000312071")
    ]
    cloud.book(*both)
    assert _kinds(cloud) == [("restock", 1), ("restock", 1)]


def test_the_level_shown_is_the_newest(cloud: Cloud) -> None:
    cloud.book(change(-1, seconds=50, level_units=3))
    cloud.book(change(-1, seconds=40, level_units=4))
    with cloud.database.read() as connection:
        row = connection.execute(select(levels)).one()
    assert (row.units, row.at) == (3, at(50))
