"""The planogram, fills, states and lasting differences on PostgreSQL, with several at work at once."""

import threading
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path

import pytest
from sqlalchemy import select

from cloud.ingest.lines import Delivery
from cloud.ledger.tables import bay_fills, edges, fill_log, planogram_changes, planogram_told, tasks
from cloud.planner import Planner
from cloud.planogram import store
from cloud.planogram.plan import Stand
from tests.support.ledger import CAN, EDGE, RUN, Cloud, at, new_ledger, write_master
from tests.support.servers import Postgres
from wire.codec import encode_telemetry
from wire.events import BayFill, BayState, Clock, Condition, Fill
from wire.messages import AgentHealth, Level, Telemetry

AUTHOR = store.Author(by="manager", source="test", at=at(100))


@pytest.fixture
def cloud(postgres: Postgres, tmp_path: Path) -> Iterator[Cloud]:
    database = new_ledger(postgres.url())
    yield Cloud(database, write_master(tmp_path / "master"))
    database.close()


def here(cloud: Cloud, bay: str = "A1") -> int:
    with cloud.database.read() as connection:
        return next(one.location_id for one in store.known(connection) if one.name.bay == bay)


def test_changes_at_the_same_time_are_kept_one_after_the_other(cloud: Cloud) -> None:
    place, wrong = here(cloud), []

    def change(number: int) -> None:
        try:
            for capacity in range(10 + number, 30, 2):
                with cloud.database.write() as connection:
                    store.change(connection, {place: (Stand(gtin=CAN, capacity=capacity),)}, AUTHOR)
        except Exception as error:  # whatever it is, the test must say so
            wrong.append(error)

    threads = [threading.Thread(target=change, args=(number,)) for number in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert wrong == []
    with cloud.database.read() as connection:
        rows = connection.execute(select(planogram_changes).order_by(planogram_changes.c.version)).all()
    assert [row.version for row in rows] == list(range(1, len(rows) + 1))
    assert all(one.after == next_.before for one, next_ in pairwise(rows))


def test_a_plan_is_told_to_the_edge_once_by_two_planners(cloud: Cloud) -> None:
    with cloud.database.write() as connection:
        connection.execute(edges.update().values(presence="online"))
        store.change(connection, {here(cloud): (Stand(gtin=CAN, capacity=30),)}, AUTHOR)
    for _ in range(2):
        for _ in range(2):
            Planner(cloud.database, now=lambda: at(200), changed=lambda: None).step()
    with cloud.database.read() as connection:
        told = connection.execute(select(planogram_told)).all()
    assert [row.state for row in told] == ["asked"]


def test_fills_states_and_lasting_differences(cloud: Cloud) -> None:
    def said(seconds: float, state: Fill, units: int) -> BayFill:
        return BayFill(
            at=at(seconds), clock=Clock.SYNCED, boot="b", mono_ms=1, shelf="aisle-1", bay="A1", item=CAN, units=units,
            capacity=24, facings=2, fraction=units / 24, state=state,
        )  # fmt: skip

    needs = BayState(
        at=at(5), clock=Clock.SYNCED, boot="b", mono_ms=1, shelf="aisle-1", bay="A2", state=Condition.NEEDS_CHECK,
        reason="another serial number",
    )  # fmt: skip
    cloud.book(said(10, Fill.LOW, 3), said(20, Fill.OUT, 0), said(15, Fill.OK, 9), needs)
    agent = AgentHealth(
        run=RUN,
        version="1",
        events_held=0,
        oldest_held_s=0,
        quarantined=0,
        journal_bytes=0,
        disk_free_bytes=1,
    )
    level = Level(shelf="aisle-1", bay="A1", grams=1.0, item=CAN, units=2, stable=True)
    for seconds in (60, 500, 700, 800):
        cloud.now = at(seconds)
        payload = encode_telemetry(Telemetry(edge=EDGE, at=at(seconds), agent=agent, levels=(level,)))
        cloud.ingest.newest([Delivery(EDGE, payload, at(seconds))], [])
    with cloud.database.read() as connection:
        assert connection.execute(select(bay_fills.c.state, bay_fills.c.fraction)).all() == [("out", 0.0)]
        assert len(connection.execute(select(fill_log)).all()) == 3
        opened = connection.execute(select(tasks.c.kind, tasks.c.subject).order_by(tasks.c.id)).all()
    assert opened == [("needs_check", "A2"), ("recount", "A1")]
