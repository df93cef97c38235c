"""Rules, alerts, mail and series on PostgreSQL, where several processes do the same work at once."""

import threading
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import select

from cloud.alerts.mail import Mailer
from cloud.alerts.smtp import mail_server
from cloud.alerts.watch import refill_open, settle
from cloud.alerts.worker import RuleWorker
from cloud.ledger.database import Database
from cloud.ledger.tables import alerts, notifications, site_mail
from cloud.series.influx import Influx
from cloud.series.writer import SeriesWriter
from tests.support import shop
from tests.support.influx import TOKEN, influx
from tests.support.servers import Postgres
from tests.support.shop import A1, A2, BASKET, BAY_LOW
from tests.support.smtp import Postbox, smtp_server

pytestmark = pytest.mark.timeout(60)

PLACES = ((A1, 1), (A2, 1), (A2, 2))


@pytest.fixture
def database(postgres: Postgres) -> Iterator[Database]:
    database = Database(postgres.url())
    shop.fill(database)
    shop.rules(database, BAY_LOW)
    yield database
    database.close()


def stock(database: Database, quantity: int, at: datetime) -> None:
    """Set every bay, as a booking does: under the site's lock."""
    with database.write() as connection:
        shop.lock(connection)
        for location, item in PLACES:
            shop.balance(connection, location, item, quantity, at)
        settle(connection, {(item, location) for location, item in PLACES}, at)


def together(*works: Callable[[], object]) -> None:
    """Run all at once; an error in any is an error here."""
    failed: list[BaseException] = []

    def run(work: Callable[[], object]) -> None:
        try:
            work()
        except BaseException as error:
            failed.append(error)

    threads = [threading.Thread(target=run, args=(work,)) for work in works]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failed == []


def test_two_workers_and_a_busy_ledger_alert_once(database: Database) -> None:
    start = datetime.now(UTC) - timedelta(hours=1)
    now = datetime.now(UTC)

    def book() -> None:
        for minute in range(20):
            stock(database, 3 if minute % 2 else 24, start + timedelta(minutes=minute))

    def work() -> None:
        worker = RuleWorker(database, now=lambda: now, changed=lambda: None)
        for _ in range(20):
            worker.step()

    together(book, work, work)
    work()
    with database.read() as connection:
        rows = connection.execute(select(alerts).order_by(alerts.c.id)).all()
        fired = connection.execute(select(notifications).where(notifications.c.event == "fired")).all()
        assert refill_open(connection, A1, 1, now)
    episodes = [(row.item_id, row.location_id, row.pending_at) for row in rows]
    assert len(set(episodes)) == len(episodes) == 10 * len(PLACES), "each fall once, told or not"
    assert sorted(row.cleared_at is None for row in rows)[-len(PLACES) :] == [True] * len(PLACES)
    assert sum(row.cleared_at is None for row in rows) == len(PLACES), "the last fall is open"
    assert len({(row.alert_id, row.recipient) for row in fired}) == len(fired)


def test_four_mailers_send_each_letter_once(database: Database) -> None:
    now = datetime.now(UTC)
    with database.write() as connection:
        for number in range(5):
            address = f"retail-{number}@store-042.example"
            connection.execute(site_mail.insert().values(site_id=1, role="retail", address=address))
    stock(database, 0, now - timedelta(minutes=1))
    RuleWorker(database, now=lambda: now, changed=lambda: None).step()
    postbox = Postbox()
    with smtp_server(postbox) as port:
        server = mail_server(f"smtp://127.0.0.1:{port}", None)
        mailers = [Mailer(database, server, "s@cloud.example", now=lambda: now) for _ in range(4)]
        together(*(mailer.step for mailer in mailers))
    assert [len(recipients) for recipients, _ in postbox.took] == [6] * len(PLACES)
    assert len({message["Message-ID"] for _, message in postbox.took}) == len(PLACES)


def test_the_series_follow_a_ledger_on_postgresql(database: Database, tmp_path: Path) -> None:
    now = datetime.now(UTC)
    with database.write() as connection:
        for _ in range(5):
            shop.move(connection, A1, BASKET, 1, 1, now)
    stock(database, 0, now - timedelta(minutes=1))
    RuleWorker(database, now=lambda: now, changed=lambda: None).step()
    with influx(tmp_path / "influx") as server:
        client = Influx(server.config(), TOKEN)
        writer = SeriesWriter(database, client, now=lambda: now)
        writer.step()
        writer.step()
        client.close()
        counted = {
            name: server.query(f'SELECT count("{field}") AS n FROM "{name}"')[0]["n"]
            for name, field in (("movement", "quantity"), ("alert", "count"), ("stock", "units"))
        }
    assert counted == {"movement": 5, "alert": 3, "stock": 3}
