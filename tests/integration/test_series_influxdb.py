"""The series writer against a real InfluxDB 1.6 behind a shim for the v2 write API."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import insert, select, update

from cloud.ledger.database import Database
from cloud.ledger.tables import (
    agents,
    alerts,
    cursors,
    devices,
    envelopes,
    levels,
    runs,
)
from cloud.series.influx import Influx, SeriesDown
from cloud.series.lines import line
from cloud.series.writer import SeriesWriter
from tests.support import shop
from tests.support.influx import TOKEN, InfluxServer, influx
from tests.support.said import EDGE, ENVELOPES, RUN
from tests.support.shop import A1, BACKROOM, BASKET, BAY_LOW, COLA
from wire.codec import encode

pytestmark = [
    pytest.mark.timeout(60),
    pytest.mark.xdist_group("series"),
]  # one process has the server they share


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[InfluxServer]:
    with influx(tmp_path_factory.mktemp("influx")) as server:
        yield server


@pytest.fixture
def empty(server: InfluxServer) -> InfluxServer:
    server.query("DROP SERIES FROM /.*/")
    return server


@pytest.fixture
def database(tmp_path: Path) -> Iterator[Database]:
    database = shop.sqlite(tmp_path)
    yield database
    database.close()


class Writer:
    """A series writer over a shop's ledger, with a clock set by hand that starts now."""

    def __init__(self, database: Database, server: InfluxServer, *, token: str = TOKEN) -> None:
        self.clock = datetime.now(UTC)
        self.influx = Influx(server.config(), token)
        self.writer = SeriesWriter(database, self.influx, now=lambda: self.clock)

    def step(self, later_s: float = 0) -> float:
        self.clock += timedelta(seconds=later_s)
        return self.writer.step()


@pytest.fixture
def make_writer(database: Database, empty: InfluxServer) -> Iterator[Any]:
    made: list[Writer] = []

    def make(**options: Any) -> Writer:
        made.append(Writer(database, empty, **options))
        return made[-1]

    yield make
    for writer in made:
        writer.influx.close()


def sell(database: Database, count: int, at: datetime) -> None:
    with database.write() as connection:
        for _ in range(count):
            shop.move(connection, A1, BASKET, 1, 1, at)


def count(server: InfluxServer, measurement: str = "movement", field: str = "quantity") -> int:
    rows = server.query(f'SELECT count("{field}") FROM "{measurement}"')
    return sum(row["count"] for row in rows)


def test_movements_at_one_instant_stay_as_many_points(
    database: Database, empty: InfluxServer, make_writer: Any
) -> None:
    writer = make_writer()
    sell(database, 700, writer.clock)
    writer.step()
    assert count(empty) == 700
    (row,) = empty.query("SELECT sum(quantity) AS units FROM movement WHERE src = 'A1' AND dst = 'basket'")
    assert row["units"] == 700


def test_a_restart_writes_nothing_twice_and_goes_on_where_it_was(
    database: Database, empty: InfluxServer, make_writer: Any
) -> None:
    first = make_writer()
    sell(database, 3, first.clock)
    first.step()
    with database.write() as connection:  # it died between writing and saving the cursor
        connection.execute(update(cursors).values(position=1))
    sell(database, 2, first.clock)
    make_writer().step()
    assert count(empty) == 5


def test_more_than_a_request_holds(database: Database, empty: InfluxServer, make_writer: Any) -> None:
    writer = make_writer()
    for minute in range(11):
        sell(database, 500, writer.clock - timedelta(minutes=minute))
    writer.step()
    assert count(empty) == 5500


def test_a_future_time_is_written_at_its_booking(
    database: Database, empty: InfluxServer, make_writer: Any
) -> None:
    writer = make_writer()
    with database.write() as connection:
        shop.move(connection, BACKROOM, A1, 1, 5, writer.clock + timedelta(days=1), recorded_at=writer.clock)
    writer.step()
    (row,) = empty.query("SELECT quantity FROM movement")
    assert row["time"] <= writer.clock.timestamp() * 1e9 + 1000


@pytest.mark.parametrize("how", ["database", "503"])
def test_an_outage_delays_and_loses_nothing(
    database: Database, empty: InfluxServer, make_writer: Any, how: str, caplog: pytest.LogCaptureFixture
) -> None:
    writer = make_writer()
    if how == "database":
        empty.database.stop()
    else:
        empty.answer_503(True)
    try:
        sell(database, 10, writer.clock)
        wait = writer.step()
        assert wait == (2 if how == "503" else 1), "the server's own wish, or ours"
        assert writer.writer.trouble.startswith("50")
        assert writer.step(wait / 2) == pytest.approx(wait / 2), "news does not hurry it"
        writer.step(wait)
    finally:
        if how == "database":
            empty.database.start()
        else:
            empty.answer_503(False)
    sell(database, 5, writer.clock)
    assert writer.step(60) == 5
    assert (count(empty), writer.writer.trouble) == (15, "")
    said = [record for record in caplog.records if record.name.startswith("cloud.series")]
    assert [record.levelname for record in said] == ["WARNING", "DEBUG", "INFO"], (
        "said once, and its end once"
    )


def test_nothing_listening_delays(database: Database, empty: InfluxServer, make_writer: Any) -> None:
    writer = make_writer()
    sell(database, 1, writer.clock)
    empty.shim.stop()
    try:
        assert writer.step() == 1
        assert "refused" in writer.writer.trouble
    finally:
        empty.shim.start()
    writer.step(2)
    assert count(empty) == 1


def test_a_wrong_token_waits_for_the_right_one(
    database: Database, empty: InfluxServer, make_writer: Any
) -> None:
    wrong = make_writer(token="another")  # that it is wrong is the point
    sell(database, 1, wrong.clock)
    wrong.step()
    assert wrong.writer.trouble.startswith("401: ")
    make_writer().step()
    assert count(empty) == 1


def test_a_missing_bucket_waits_for_it(empty: InfluxServer) -> None:
    nowhere = Influx(empty.config(bucket="nowhere"), TOKEN)
    with pytest.raises(SeriesDown, match="404: "):
        nowhere.write(["m n=1i 1"])
    nowhere.close()


def test_a_bad_line_is_said_and_holds_up_no_other(
    empty: InfluxServer, caplog: pytest.LogCaptureFixture
) -> None:
    influx = Influx(empty.config(), TOKEN)
    influx.write(['bad n="text" 1000000000000000000'])
    influx.write([f"bad n={n}i 1000000000000000000" for n in range(3000)] + ["good n=1i 1000000000000000000"])
    influx.close()
    assert count(empty, "good", "n") == 1
    assert influx.refused > 0
    (record,) = [record for record in caplog.records if record.levelname == "WARNING"]
    assert "partial write" in record.getMessage()
    assert len(record.getMessage()) < 500


def test_events_follow_the_settled_part_of_a_run(
    database: Database, empty: InfluxServer, make_writer: Any
) -> None:
    writer = make_writer()
    with database.write() as connection:
        for name, envelope in ENVELOPES.items():
            connection.execute(
                insert(envelopes).values(
                    edge=EDGE,
                    run=RUN,
                    seq=envelope.seq,
                    line=encode(envelope),
                    state="booked" if name != "watermark" else "unbooked",
                    received_at=writer.clock,
                )
            )
        unreadable = {"edge": EDGE, "run": RUN, "seq": len(ENVELOPES) + 1, "line": b"{", "state": "parked"}
        connection.execute(insert(envelopes).values(**unreadable, received_at=writer.clock))
        progress = {"edge": EDGE, "run": RUN, "first_at": writer.clock, "last_at": writer.clock, "ranges": []}
        connection.execute(insert(runs).values(**progress, through=4))
    writer.step()
    assert (count(empty, "crossing", "reads"), count(empty, "passage", "ins")) == (2, 1)
    assert count(empty, "shelf_change", "grams") == 0, "5 and 6 are not settled yet"
    with database.write() as connection:
        connection.execute(update(runs).values(through=len(ENVELOPES) + 1))
    writer.step()
    assert (count(empty, "shelf_change", "grams"), count(empty, "device_event", "detail")) == (4, 3)
    with database.read() as connection:
        names = connection.execute(select(cursors.c.name, cursors.c.position)).all()
    assert [tuple(row) for row in names] == [(f"series:{RUN}", len(ENVELOPES) + 1)]


def test_alerts_are_written_as_they_change(database: Database, empty: InfluxServer, make_writer: Any) -> None:
    writer = make_writer()
    fired = writer.clock - timedelta(minutes=5)
    row = {
        "rule": "bay-low",
        "site_id": 1,
        "item_id": 1,
        "location_id": A1,
        "severity": "warning",
        "text": 'A1: 3 of 24 left. "Refill" 21.',
        "suggestion": {},
        "value": 3.0,
        "pending_at": fired,
    }
    with database.write() as connection:
        connection.execute(insert(alerts).values(**row, fired_at=fired, changed_at=fired))
    writer.step()
    with database.write() as connection:
        connection.execute(update(alerts).values(cleared_at=writer.clock, changed_at=writer.clock))
    writer.step()
    rows = empty.query("SELECT text, value, \"count\" FROM alert WHERE place = 'A1' GROUP BY event")
    assert sorted((row["event"], row["text"], row["value"]) for row in rows) == [
        ("cleared", 'A1: 3 of 24 left. "Refill" 21.', 3.0),
        ("fired", 'A1: 3 of 24 left. "Refill" 21.', 3.0),
    ]


def test_samples_hold_thresholds_levels_devices_and_agents(
    database: Database, empty: InfluxServer, make_writer: Any
) -> None:
    writer = make_writer()
    shop.rules(database, BAY_LOW)
    with database.write() as connection:
        shop.balance(connection, A1, 1, 3, writer.clock)
        connection.execute(
            insert(levels).values(location_id=A1, grams=991.2, units=3, stable=True, at=writer.clock)
        )
        device = {"edge": EDGE, "device": "dock-1", "state": "up", "since": writer.clock, "reads_per_s": 12.5}
        connection.execute(insert(devices).values(**device, heard_at=writer.clock))
        health = {"events_held": 3, "oldest_held_s": 0.4, "faults": ["no acknowledgement for 60 s"]}
        connection.execute(insert(agents).values(edge=EDGE, at=writer.clock, health=health))
    writer.step()
    (stock,) = empty.query(f"SELECT * FROM stock WHERE place = 'A1' AND item = '{COLA}'")
    assert (stock["units"], stock["limit"], stock["clear"], stock["capacity"]) == (3, 4, 8, 24)
    (level,) = empty.query("SELECT grams, units FROM level WHERE bay = 'A1'")
    assert (level["grams"], level["units"]) == (991.2, 3)
    (device_row,) = empty.query("SELECT up, reads_per_s FROM device")
    assert (device_row["up"], device_row["reads_per_s"]) == (1, 12.5)
    (agent,) = empty.query("SELECT online, events_held, faults FROM agent")
    assert (agent["online"], agent["events_held"], agent["faults"]) == (0, 3, 1)


def test_a_sample_is_repeated_only_when_it_changed_or_was_not_said_for_a_minute(
    database: Database, empty: InfluxServer, make_writer: Any
) -> None:
    writer = make_writer()
    for later_s in (0, 5, 50, 5, 5):
        writer.step(later_s)
    assert count(empty, "stock", "units") == 2 * 3, "three bay items, at 0 s and at 60 s"
    with database.write() as connection:
        shop.balance(connection, A1, 1, 2, writer.clock)
    writer.step(5)
    assert count(empty, "stock", "units") == 2 * 3 + 1


names = st.text(st.characters(codec="utf-8"), max_size=12)


@given(tag=names, key=names, text=names, number=st.floats(allow_nan=False, allow_infinity=False))
@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_whatever_a_name_holds_the_database_reads_one_point(
    server: InfluxServer, tag: str, key: str, text: str, number: float
) -> None:
    """Every escape, against the real parser: the point is there, and its neighbours are as they were."""
    server.query("DROP SERIES FROM /.*/")
    influx = Influx(server.config(), TOKEN)
    middle = line("m", {"t": tag, "u": key}, {"s": text, "f": number}, 2)
    influx.write([line("m", {}, {"s": "before"}, 1), middle, line("m", {}, {"s": "after"}, 3)])
    influx.close()
    assert influx.refused == 0
    before, row, after = server.query("SELECT * FROM m")
    assert (before["s"], after["s"]) == ("before", "after")
    assert row["f"] == pytest.approx(number)
    if text.isprintable():
        assert row["s"] == text
    if tag.isprintable() and "\\" not in tag and tag.strip():
        assert row["t"] == tag.strip()
