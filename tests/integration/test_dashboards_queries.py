"""Every query of every dashboard, run against an InfluxDB that our writer filled."""

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import insert

from cloud.alerts.watch import settle
from cloud.alerts.worker import RuleWorker
from cloud.ledger.database import Database
from cloud.ledger.tables import agents, bay_fills, bay_states, devices, envelopes, item_levels, levels, runs
from cloud.series.influx import Influx
from cloud.series.writer import SeriesWriter
from dashboards.render import all_dashboards
from tests.support import shop
from tests.support.influx import TOKEN, InfluxServer, influx
from tests.support.said import CAN, EDGE, ENVELOPES, RUN
from tests.support.shop import A1, BACKROOM, BASKET, BAY_LOW
from wire.codec import encode

pytestmark = pytest.mark.xdist_group("dashboards")  # one process has the server they share

BOARDS = {name: json.loads(text) for name, text in all_dashboards().items()}
QUERIES = [
    pytest.param(target["query"], id=f"{name}: {panel['title']}")
    for name, board in BOARDS.items()
    for panel in board["panels"]
    for target in panel.get("targets", ())
]
VARIABLES = [
    pytest.param(variable["query"], id=f"{name}: {variable['name']}")
    for name, board in BOARDS.items()
    for variable in board["templating"]["list"]
]


@pytest.fixture(scope="module")
def filled(tmp_path_factory: pytest.TempPathFactory) -> Iterator[InfluxServer]:
    """A morning at store-042, written as the cloud writes it."""
    database = shop.sqlite(tmp_path_factory.mktemp("ledger"))
    with influx(tmp_path_factory.mktemp("influx")) as server:
        _live(database, server)
        yield server
    database.close()


def _live(database: Database, server: InfluxServer) -> None:
    clock = datetime(2026, 11, 22, 9, tzinfo=UTC)
    shop.rules(database, BAY_LOW)
    _happen(database, clock)
    influx = Influx(server.config(), TOKEN)
    writer = SeriesWriter(database, influx, now=lambda: clock)
    worker = RuleWorker(database, now=lambda: clock, changed=lambda: None)
    for minutes, quantity in ((10, 3), (15, 3), (20, 24)):
        clock = datetime(2026, 11, 22, 9, minutes, tzinfo=UTC)
        with database.write() as connection:
            shop.balance(connection, A1, 1, quantity, clock)
            settle(connection, {(1, A1)}, clock)
        worker.step()
        writer.step()
    influx.close()
    assert writer.trouble == ""


def _happen(database: Database, clock: datetime) -> None:
    received = clock + timedelta(minutes=10)
    with database.write() as connection:
        shop.move(connection, 5, BACKROOM, 1, 40, clock)
        shop.move(connection, A1, BASKET, 1, 1, clock + timedelta(minutes=5))
        for envelope in ENVELOPES.values():
            row = {"edge": EDGE, "run": RUN, "seq": envelope.seq, "line": encode(envelope), "state": "booked"}
            connection.execute(insert(envelopes).values(**row, received_at=received))
        progress = {"edge": EDGE, "run": RUN, "first_at": clock, "last_at": received, "ranges": []}
        connection.execute(insert(runs).values(**progress, through=len(ENVELOPES)))
        connection.execute(insert(levels).values(location_id=A1, grams=991.2, units=3, stable=True, at=clock))
        connection.execute(insert(item_levels).values(location_id=A1, gtin=CAN, units=3, at=clock))
        connection.execute(
            insert(bay_states).values(location_id=A1, state="blind", reason="cell 0 is silent", at=clock)
        )
        connection.execute(
            insert(bay_fills).values(
                location_id=A1, gtin=CAN, state="out", units=0, capacity=24, fraction=0.0, at=clock
            )
        )
        device = {"edge": EDGE, "device": "dock-1", "state": "up", "since": clock, "reads_per_s": 12.5}
        connection.execute(insert(devices).values(**device, clock_offset_ms=3.5, heard_at=clock))
        connection.execute(
            insert(agents).values(edge=EDGE, at=clock, health={"events_held": 3, "faults": []})
        )


def as_grafana_asks(query: str, *, site: str = "store-042", many: str = ".*") -> str:
    """The variables and macros filled in as Grafana does, with a choice of all where there may be several."""
    filled = query.replace("$timeFilter", "time >= '2026-11-22T08:00:00Z' AND time <= '2026-11-22T10:00:00Z'")
    filled = filled.replace("$__interval", "1m").replace("$site", site)
    for name in ("gate", "place"):
        filled = filled.replace(f"${name}", many)
    assert "$" not in filled.replace("$/", ""), filled
    return filled


@pytest.mark.timeout(60)
@pytest.mark.parametrize("query", QUERIES)
def test_a_panel_shows_something(filled: InfluxServer, query: str) -> None:
    rows = filled.query(as_grafana_asks(query))
    shown = [row for row in rows if any(value is not None for key, value in row.items() if key != "time")]
    assert shown, query


@pytest.mark.timeout(60)
@pytest.mark.parametrize("query", QUERIES)
def test_a_panel_shows_nothing_of_another_site(filled: InfluxServer, query: str) -> None:
    assert filled.query(as_grafana_asks(query, site="store-04")) == []


@pytest.mark.timeout(60)
@pytest.mark.parametrize("query", VARIABLES)
def test_a_variable_has_values(filled: InfluxServer, query: str) -> None:
    values = {row["value"] for row in filled.query(as_grafana_asks(query))}
    assert values & {"store-042", "dock-1", "A1"}


@pytest.mark.timeout(60)
def test_each_bay_has_its_threshold_line(filled: InfluxServer) -> None:
    board: dict[str, Any] = BOARDS["shelf-levels.json"]
    (panel,) = [panel for panel in board["panels"] if panel.get("repeat") == "place"]
    rows = filled.query(as_grafana_asks(panel["targets"][0]["query"], many="A1"))
    seen = [row for row in rows if row["units"] is not None]
    assert {row["threshold"] for row in seen} == {4}
    assert {row["clears at"] for row in seen} == {8}
    assert {row["capacity"] for row in seen} == {24}
    assert {3, 24} <= {row["units"] for row in seen}


@pytest.mark.timeout(60)
def test_what_is_so_now_is_told_though_it_began_long_ago(filled: InfluxServer) -> None:
    """A window in which nobody said anything of the bay still shows how it is."""

    def asked(title: str) -> list[dict[str, Any]]:
        (query,) = (
            target["query"]
            for panel in BOARDS["shelf-levels.json"]["panels"]
            if panel["title"] == title
            for target in panel["targets"]
        )
        late = query.replace(
            "$timeFilter", "time >= '2026-11-22T09:12:00Z' AND time <= '2026-11-22T10:00:00Z'"
        )
        return filled.query(as_grafana_asks(late))

    (bay,) = asked("Bays that do not count now")
    assert (bay["place"], bay["state"], bay["reason"]) == ("A1", "blind", "cell 0 is silent")
    assert [row["sum"] for row in asked("Out of stock now")] == [1]
    assert [row["sum"] for row in asked("Low now")] == [0]
