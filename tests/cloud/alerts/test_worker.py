from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import event, select

from cloud.alerts.acknowledge import acknowledge
from cloud.alerts.watch import settle
from cloud.alerts.worker import RuleWorker
from cloud.ledger.database import Database
from cloud.ledger.tables import alerts, notifications, rule_states
from tests.support import shop
from tests.support.shop import A1, A2, BACKROOM, BAY_LOW, NINE


class Bench:
    """A shop, its rule worker, and a clock that is set by hand."""

    def __init__(self, database: Database) -> None:
        self.database = database
        self.clock = NINE
        self.changes = 0
        self.worker = RuleWorker(database, now=lambda: self.clock, changed=self._changed)
        shop.rules(database, BAY_LOW)
        with database.write() as connection:
            shop.balance(connection, BACKROOM, 1, 40, NINE)

    def _changed(self) -> None:
        self.changes += 1

    def stock(self, location: int, item: int, quantity: int, seconds: float) -> None:
        with self.database.write() as connection:
            shop.balance(connection, location, item, quantity, at(seconds))
            settle(connection, {(item, location)}, at(seconds))

    def step(self, seconds: float) -> None:
        self.clock = at(seconds)
        self.worker.step()

    def alerts(self) -> list[Any]:
        with self.database.read() as connection:
            return list(connection.execute(select(alerts).order_by(alerts.c.id)))

    def told(self) -> list[tuple[int, str, str]]:
        with self.database.read() as connection:
            query = select(notifications).order_by(notifications.c.id)
            return [(row.alert_id, row.event, row.recipient) for row in connection.execute(query)]


def at(seconds: float) -> datetime:
    return NINE + timedelta(seconds=seconds)


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[Bench]:
    database = shop.sqlite(tmp_path)
    yield Bench(database)
    database.close()


RETAIL = "retail@store-042.example"


def test_the_worked_example(bench: Bench) -> None:
    bench.stock(A1, 1, 3, 2)
    bench.step(31.9)
    assert bench.alerts() == []
    bench.step(32)
    (alert,) = bench.alerts()
    assert alert.text == "A1: 3 of 24 left. Refill 21: the backroom has 40."
    assert alert.suggestion == {"refill": 21, "reorder": 0}
    assert (alert.pending_at, alert.fired_at, alert.cleared_at) == (at(2), at(32), None)
    assert (alert.severity, alert.value) == ("warning", 3.0)
    assert bench.told() == [(alert.id, "fired", RETAIL)]


def test_the_mail_says_where_and_why(bench: Bench) -> None:
    bench.stock(A1, 1, 3, 2)
    bench.step(32)
    with bench.database.read() as connection:
        (row,) = connection.execute(select(notifications)).all()
    assert row.subject == "[store-042] A1: 3 of 24 left. Refill 21: the backroom has 40."
    assert row.body == (
        "A1: 3 of 24 left. Refill 21: the backroom has 40.\n\n"
        "Item: Cola 0.33 l (09506000134352)\nPlace: A1, store-042\n"
        "Rule: bay-low (below 4), since 2026-11-22 09:00:02 UTC\nIt clears at 8.\n"
    )


def test_one_open_alert_a_place_and_one_clearance(bench: Bench) -> None:
    bench.stock(A1, 1, 3, 0)
    for seconds, quantity in ((40, 2), (50, 1), (60, 7)):
        bench.step(seconds)
        bench.stock(A1, 1, quantity, seconds)
    bench.step(61)
    assert [alert.cleared_at for alert in bench.alerts()] == [None]
    bench.stock(A1, 1, 8, 70)
    bench.step(71)
    bench.step(72)
    (alert,) = bench.alerts()
    assert alert.cleared_at == at(70)
    assert bench.told() == [(alert.id, "fired", RETAIL), (alert.id, "cleared", RETAIL)]
    assert bench.changes == 2


def test_a_second_fall_before_the_worker_looked_is_a_second_alert(bench: Bench) -> None:
    bench.stock(A1, 1, 3, 0)
    bench.step(30)
    bench.stock(A1, 1, 24, 40)
    bench.stock(A1, 1, 2, 50)
    bench.step(80)
    first, second = bench.alerts()
    assert (first.pending_at, first.cleared_at) == (at(0), at(50))
    assert (second.pending_at, second.cleared_at) == (at(50), None)


def test_what_a_late_event_undid_is_cleared_not_before_it_fired(bench: Bench) -> None:
    bench.stock(A1, 1, 3, 0)
    bench.step(31)
    bench.stock(A1, 1, 5, 20)
    bench.step(32)
    (alert,) = bench.alerts()
    assert (alert.fired_at, alert.cleared_at) == (at(30), at(30))


def test_two_kinds_of_goods_in_a_bay_are_two_alerts_that_name_them(bench: Bench) -> None:
    bench.stock(A2, 1, 0, 0)
    bench.stock(A2, 2, 3, 0)
    bench.step(30)
    assert sorted(alert.text for alert in bench.alerts()) == [
        "A2, Cola 0.33 l: 0 of 10 left. Refill 10: the backroom has 40.",
        "A2, Green tea 50 g: 3 of 6 left. Reorder 3: the backroom has none.",
    ]


def test_a_dead_process_left_all_or_nothing(bench: Bench) -> None:
    """Stop before each write of the worker's transaction in turn; the next run does all of it, once."""
    writes = limit = 0

    def count(
        _connection: Any, _cursor: Any, statement: str, _values: Any, _context: Any, _many: bool
    ) -> None:
        nonlocal writes
        if statement.startswith(("INSERT", "UPDATE")):
            writes += 1
            if writes > limit:
                raise KeyboardInterrupt(statement)

    bench.stock(A1, 1, 3, 0)
    engine = bench.database._writer
    event.listen(engine, "before_cursor_execute", count)
    for allowed in range(3):
        writes, limit = 0, allowed
        with pytest.raises(KeyboardInterrupt):
            bench.step(30)
        assert (bench.alerts(), bench.told()) == ([], [])
    event.remove(engine, "before_cursor_execute", count)
    bench.step(30)
    assert len(bench.alerts()) == 1
    assert len(bench.told()) == 1
    with bench.database.read() as connection:
        assert [
            tuple(row) for row in connection.execute(select(rule_states.c.state, rule_states.c.dirty))
        ] == [("firing", False)]


def test_an_acknowledgement_names_the_first_who_saw_it(bench: Bench) -> None:
    bench.stock(A1, 1, 3, 0)
    bench.step(30)
    (alert,) = bench.alerts()
    with bench.database.write() as connection:
        assert acknowledge(connection, alert.id, "console", at(40))
        assert acknowledge(connection, alert.id, "another", at(50))
        assert not acknowledge(connection, alert.id + 1, "console", at(50))
    (after,) = bench.alerts()
    assert (after.acknowledged_by, after.acknowledged_at, after.cleared_at) == ("console", at(40), None)
    assert after.changed_at > alert.changed_at


def test_changes_of_a_site_never_share_a_moment(bench: Bench) -> None:
    for location, item in ((A1, 1), (A2, 1), (A2, 2)):
        bench.stock(location, item, 0, 0)
    bench.step(30)
    assert len({alert.changed_at for alert in bench.alerts()}) == 3


def test_a_bay_taken_out_of_the_plan_alerts_nobody(bench: Bench) -> None:
    bench.stock(A1, 1, 3, 0)
    bench.step(30)
    with bench.database.write() as connection:
        connection.exec_driver_sql("DELETE FROM bay_items WHERE location_id = 3")
        connection.execute(rule_states.update().values(dirty=True))
    bench.step(40)
    assert [alert.cleared_at for alert in bench.alerts()] == [at(40)]


def test_nobody_is_mailed_where_a_site_names_nobody(bench: Bench) -> None:
    with bench.database.write() as connection:
        connection.exec_driver_sql("DELETE FROM site_mail")
    bench.stock(A1, 1, 3, 0)
    bench.step(30)
    bench.stock(A1, 1, 9, 40)
    bench.step(40)
    assert [alert.cleared_at for alert in bench.alerts()] == [at(40)]
    assert bench.told() == []
