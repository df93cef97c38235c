"""The ledger on both engines: the same schema, the same figures, and nothing that two workers could break."""

import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from alembic import command
from sqlalchemy import Connection, func, inspect, select, text, update
from sqlalchemy.exc import DBAPIError

from cloud.errors import LedgerError
from cloud.ingest.lines import Delivery
from cloud.ledger import identity
from cloud.ledger.book import Posting, lock_head, post
from cloud.ledger.database import Database
from cloud.ledger.tables import (
    agents,
    balances,
    envelopes,
    incidents,
    items,
    locations,
    metadata,
    movements,
    sites,
)
from cloud.ledger.verify import rebuild, verify
from cloud.masterdata.load import load
from cloud.migrations.upgrade import check, config, upgrade
from tests.support.ledger import CAN, CASE, EDGE, Cloud, at, change, crossing, passage, write_master
from tests.support.said import EVENTS, TELEMETRY
from tests.support.servers import Postgres
from wire.codec import encode_telemetry
from wire.events import DeviceDown
from wire.messages import DeviceHealth, DeviceState

Url = Callable[[], str]
pytestmark = pytest.mark.timeout(60)


@pytest.fixture(params=["sqlite", "postgresql"])
def url(request: pytest.FixtureRequest, tmp_path: Path) -> Url:
    """Makes URLs of fresh, empty databases of one engine."""
    if request.param == "sqlite":
        made = iter(range(100))
        return lambda: f"sqlite:///{tmp_path / f'ledger-{next(made)}.db'}"
    cluster: Postgres = request.getfixturevalue("postgres")
    return cluster.url


@pytest.fixture
def database(url: Url) -> Iterator[Database]:
    database = Database(url())
    upgrade(database)
    yield database
    database.close()


@pytest.fixture
def stocked(database: Database, tmp_path: Path) -> Database:
    load(database, write_master(tmp_path / "master"), at(0))
    return database


def _plain(value: Any) -> Any:
    """What the inspector says, in values that can be compared and sorted: SQL text has no equality."""
    if isinstance(value, dict):
        return sorted((key, _plain(inner)) for key, inner in value.items())
    return [_plain(inner) for inner in value] if isinstance(value, list | tuple) else str(value)


def _reflected(connection: Connection) -> dict[str, Any]:
    """All that a database says of its tables."""
    inspector = inspect(connection)
    asked: list[Callable[[str], Any]] = [
        inspector.get_columns,
        inspector.get_foreign_keys,
        inspector.get_unique_constraints,
        inspector.get_check_constraints,
        inspector.get_indexes,
    ]
    tables = [name for name in inspector.get_table_names() if name != "alembic_version"]
    keys = {name: _plain(inspector.get_pk_constraint(name)) for name in tables}
    return {name: [keys[name], *(sorted(map(_plain, ask(name))) for ask in asked)] for name in tables}


def test_migrations_end_at_exactly_the_tables(url: Url) -> None:
    migrated, created = Database(url()), Database(url())
    upgrade(migrated)
    with created.write() as connection:
        metadata.create_all(connection)
    with migrated.read() as one, created.read() as other:
        assert _reflected(one) == _reflected(other)
    with migrated.write() as connection:
        command.check(config(connection))
    migrated.close()
    created.close()


def test_a_ledger_keeps_its_identity_and_a_restore_raises_its_generation(database: Database) -> None:
    first = upgrade(database)
    assert (len(first.ledger), first.generation) == (32, 1)
    with database.write() as connection:
        assert identity.restored(connection).generation == 2
    assert upgrade(database) == identity.Identity(first.ledger, 2)


def test_a_ledger_of_a_newer_program_is_refused(database: Database) -> None:
    with database.write() as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = '9999'"))
    with pytest.raises(LedgerError, match=r"version 9999.*newer program"):
        upgrade(database)
    with pytest.raises(LedgerError, match=r"version 9999"):
        check(database)


def test_an_empty_database_is_no_ledger_to_read(url: Url) -> None:
    database = Database(url())
    with pytest.raises(LedgerError, match="'stockbeat cloud run' or 'load'"):
        check(database)
    database.close()


@pytest.mark.parametrize("statement", ["UPDATE movements SET quantity = 9", "DELETE FROM movements"])
def test_movements_cannot_be_changed_or_deleted(stocked: Database, statement: str) -> None:
    with pytest.raises(DBAPIError, match="append-only"), stocked.write() as connection:
        connection.execute(text(statement))


def _posting(
    connection: Connection, source: str, src: str, dst: str, quantity: int = 1, line: int = 0
) -> Posting:
    places = dict(
        connection.execute(select(locations.c.name, locations.c.id).where(locations.c.site_id == 1)).all()
    )
    return Posting(
        item_id=connection.scalars(select(items.c.id).where(items.c.gtin == CAN)).one(),
        src_id=places[src],
        dst_id=places[dst],
        quantity=quantity,
        kind="test",
        event_at=at(1),
        recorded_at=at(2),
        source=source,
        line=line,
        evidence={},
    )


def _stock(database: Database) -> dict[str, int]:
    return Cloud(database).stock(CAN)


def test_a_source_is_booked_once_and_positions_have_no_gap(stocked: Database) -> None:
    def book(*names: str) -> list[int]:
        with stocked.write() as connection:
            return post(connection, 1, [_posting(connection, name, "backroom", "A1") for name in names])

    assert book("a", "b", "a") == [3, 4]
    assert book("b", "c") == [5]
    assert book("a", "c") == []
    assert _stock(stocked) == {"opening": -44, "A1": 7, "backroom": 37}
    with stocked.read() as connection:
        assert verify(connection) == []


def test_what_was_rolled_back_leaves_no_gap(stocked: Database) -> None:
    def fail() -> None:
        with stocked.write() as connection:
            assert post(connection, 1, [_posting(connection, "a", "backroom", "A1")]) == [3]
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        fail()
    with stocked.write() as connection:
        assert post(connection, 1, [_posting(connection, "b", "backroom", "A1")]) == [3]


def test_threads_that_book_opposite_ways_lose_nothing(stocked: Database) -> None:
    def book(worker: int) -> None:
        for n in range(20):
            ends = ("backroom", "A1") if worker % 2 else ("A1", "backroom")
            with stocked.write() as connection:
                own = _posting(connection, f"{worker}:{n}", *ends)
                shared = _posting(connection, f"shared:{n}", "supplier", "backroom")
                post(connection, 1, [own, shared])

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(book, range(4)))

    assert _stock(stocked) == {"opening": -44, "A1": 4, "backroom": 60, "supplier": -20}
    with stocked.read() as connection:
        assert verify(connection) == []
        assert connection.scalar(select(func.max(movements.c.position))) == 2 + 80 + 20


def test_verify_finds_what_is_wrong_and_rebuild_puts_balances_right(stocked: Database) -> None:
    with stocked.write() as connection:
        connection.execute(update(balances).where(balances.c.quantity == 40).values(quantity=41))
        connection.execute(update(sites).where(sites.c.id == 1).values(head=7))
    with stocked.read() as connection:
        problems = verify(connection)
    assert len(problems) == 3
    assert "head is at position 7, its newest movement at 2" in problems[0]
    assert f"balance of {CAN} at 'backroom' is 41, its movements give 40" in problems[1]
    assert "sum to 1, not 0" in problems[2]

    with stocked.write() as connection:
        connection.execute(update(sites).where(sites.c.id == 1).values(head=2))
        rebuild(connection)
    with stocked.read() as connection:
        assert verify(connection) == []


def test_a_booking_waits_for_the_head_of_its_site(stocked: Database) -> None:
    entered, booked = threading.Event(), threading.Event()

    def book() -> None:
        entered.set()
        with stocked.write() as connection:
            post(connection, 1, [_posting(connection, "late", "backroom", "A1")])
        booked.set()

    thread = threading.Thread(target=book)
    with stocked.write() as connection:
        lock_head(connection, 1)
        thread.start()
        assert entered.wait(5)
        assert not booked.wait(0.2)
    assert booked.wait(5)
    thread.join()


def _day() -> list[Any]:
    """A load with a logistic unit's worth of tags, then picks and restocks: 200 events and more."""
    tags = [f"3074257BF7194E400000{n:04X}" for n in range(100)]
    events: list[Any] = [crossing(tag, seconds=n, passage=f"p{n // 10}") for n, tag in enumerate(tags)]
    events += [passage(f"p{n}", 10.0 * n) for n in range(10)]
    events += [change(-1 if n % 3 else 2, seconds=200 + n) for n in range(100)]
    return events


def test_two_workers_on_the_same_events_book_them_once(stocked: Database) -> None:
    """Each has all deliveries, in another order; a worker whose transaction is refused tries again, as it does live."""
    lines = Cloud(stocked).lines(_day())
    batches = [lines[start : start + 7] for start in range(0, len(lines), 7)]
    workers = [Cloud(stocked), Cloud(stocked)]

    def work(worker: int) -> None:
        for batch in batches if worker == 0 else [*batches[1::2], *batches[::2]]:
            workers[worker].deliver(batch)

    with ThreadPoolExecutor(2) as pool:
        list(pool.map(work, range(2)))

    with stocked.read() as connection:
        assert verify(connection) == []
        assert connection.scalar(select(func.count()).select_from(envelopes)) == len(lines)
        assert connection.scalars(select(envelopes.c.reason).where(envelopes.c.state != "booked")).all() == []
        assert connection.scalars(select(incidents.c.kind)).all() == []
    assert sum(worker.ingest.counts.events for worker in workers) == len(lines)
    assert Cloud(stocked).stock(CASE, EDGE) == {"supplier": -100, "backroom": 100}
    cans = Cloud(stocked).stock(CAN, EDGE)
    assert cans["A1"] == 4 + sum(-1 if n % 3 else 2 for n in range(100))


def test_text_that_a_database_cannot_hold_harms_nothing_else(stocked: Database) -> None:
    """PostgreSQL's text has no NUL; JSON, and so the wire, has."""
    down = EVENTS["device_down"]
    assert isinstance(down, DeviceDown)
    nul = replace(down, reason="a\0b")
    health = DeviceHealth(device="dock-1", state=DeviceState.UP, since=at(0), reason="a\0b")
    telemetry = encode_telemetry(replace(TELEMETRY, devices=(health,)))
    fine = encode_telemetry(replace(TELEMETRY, edge="store-007"))

    cloud = Cloud(stocked)
    cloud.book(change(-1), nul, change(-1))
    cloud.ingest.newest([Delivery(EDGE, telemetry, at(50)), Delivery("store-007", fine, at(50))], [])

    assert cloud.stock(CAN)["A1"] == 2
    with stocked.read() as connection:
        assert "store-007" in connection.scalars(select(agents.c.edge)).all()
        states = connection.scalars(select(envelopes.c.state).order_by(envelopes.c.seq)).all()
    assert states[::2] == ["booked", "booked"]


def test_an_item_that_is_counted_in_thousandths(database: Database, tmp_path: Path) -> None:
    flour = "gtin,name,uom\n09506000134352,Flour,kg\n"
    sites_toml = (
        '[[site]]\nname="store-042"\ntime_zone="Europe/Paris"\nedges=["store-042"]\nplaces=["backroom"]\n'
        '[[site.bays]]\nedge="store-042"\nshelf="aisle-1"\nbay="A1"\nbackroom="backroom"\n'
        'capacity={"09506000134352"=24}\n'
    )
    opening = "place,gtin,quantity\nbackroom,09506000134352,12.345\n"
    master = write_master(tmp_path / "kg", items=flour, sites=sites_toml, opening=opening, rules="")
    cloud = Cloud(database, master)
    cloud.book(change(2))
    assert cloud.stock(CAN) == {"opening": -12345, "backroom": 10345, "A1": 2000}
