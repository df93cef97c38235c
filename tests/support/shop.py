"""A small site in a ledger, for tests of what follows the ledger: its balances are simply said."""

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, insert, select, update

from cloud.alerts import rulebook
from cloud.ledger import tables
from cloud.ledger.database import Database
from cloud.ledger.database import insert as upsert
from cloud.rules.rule import Rule

NINE = datetime(2026, 11, 22, 9, tzinfo=UTC)
COLA = "09506000134352"
TEA = "09506000134369"
BAY_LOW = {
    "name": "bay-low",
    "measure": "bay_units",
    "test": "below",
    "limit": 4,
    "clear": 8,
    "hold": "30s",
    "suggest": "refill",
}

LOCATIONS = (
    (1, "yard", "yard"),
    (2, "backroom", "internal"),
    (3, "A1", "bay"),
    (4, "A2", "bay"),
    (5, "supplier", "supplier"),
    (6, "basket", "basket"),
    (7, "customer", "customer"),
)
A1, A2, BACKROOM, BASKET = 3, 4, 2, 6


def sqlite(folder: Path) -> Database:
    database = Database(f"sqlite:///{folder / 'ledger.db'}")
    fill(database)
    return database


def fill(database: Database) -> None:
    """Site store-042: bay A1 for cola (24), bay A2 for cola (10) and tea (6), a backroom."""
    with database.write() as connection:
        tables.metadata.create_all(connection)
        _rows(connection, tables.ledgers, {"ledger": "f" * 32, "generation": 1})
        _rows(connection, tables.sites, {"id": 1, "name": "store-042", "time_zone": "Europe/Paris"})
        _rows(connection, tables.edges, {"edge": "store-042", "site_id": 1})
        for number, name, usage in LOCATIONS:
            _rows(connection, tables.locations, {"id": number, "site_id": 1, "name": name, "usage": usage})
        for number, gtin, name in ((1, COLA, "Cola 0.33 l"), (2, TEA, "Green tea 50 g")):
            _rows(connection, tables.items, {"id": number, "gtin": gtin, "name": name, "uom": "unit"})
        for location, bay in ((A1, "A1"), (A2, "A2")):
            row = {"location_id": location, "edge": "store-042", "shelf": "aisle-1", "bay": bay}
            _rows(connection, tables.bays, {**row, "backroom_id": BACKROOM})
        for location, item, capacity in ((A1, 1, 24), (A2, 1, 10), (A2, 2, 6)):
            row = {"location_id": location, "item_id": item, "capacity": capacity}
            _rows(connection, tables.bay_items, row)
        _rows(
            connection,
            tables.site_mail,
            {"site_id": 1, "role": "retail", "address": "retail@store-042.example"},
        )


def _rows(connection: Connection, table: Any, row: dict[str, Any]) -> None:
    connection.execute(insert(table).values(**row))


def rules(database: Database, *written: dict[str, Any], at: datetime = NINE) -> list[Rule]:
    parsed = rulebook.check({"rule": list(written)})
    with database.write() as connection:
        rulebook.store(connection, parsed, at)
    return parsed


def lock(connection: Connection) -> None:
    """The site's head lock, as a booking takes it."""
    connection.execute(select(tables.sites.c.head).where(tables.sites.c.id == 1).with_for_update())


def balance(connection: Connection, location: int, item: int, quantity: int, at: datetime) -> None:
    """Say what the ledger has of an item at a place, from `at` on."""
    row = {"item_id": item, "location_id": location, "quantity": quantity, "position": 1, "event_at": at}
    statement = upsert(connection, tables.balances).values(**row)
    connection.execute(
        statement.on_conflict_do_update(
            index_elements=["item_id", "location_id"],
            set_={"quantity": statement.excluded.quantity, "event_at": statement.excluded.event_at},
        )
    )


def move(
    connection: Connection,
    src: int,
    dst: int,
    item: int,
    quantity: int,
    at: datetime,
    *,
    recorded_at: datetime | None = None,
    evidence: dict[str, Any] | None = None,
) -> int:
    """Append one movement of site 1 and return its position."""
    head = connection.execute(select(tables.sites.c.head).where(tables.sites.c.id == 1)).scalar_one()
    position = int(head) + 1
    connection.execute(
        insert(tables.movements).values(
            site_id=1,
            position=position,
            item_id=item,
            src_id=src,
            dst_id=dst,
            quantity=quantity,
            kind="test",
            event_at=at,
            recorded_at=recorded_at or at,
            source=f"test:{position}",
            line=0,
            evidence=evidence or {},
        )
    )
    connection.execute(update(tables.sites).where(tables.sites.c.id == 1).values(head=position))
    return position
