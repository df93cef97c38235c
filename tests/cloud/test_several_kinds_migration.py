"""A ledger of the version before, brought up to date: nothing that was known is lost."""

from pathlib import Path

from alembic import command
from sqlalchemy import select, text

from cloud.ledger.database import Database
from cloud.ledger.tables import cursors, level_differences
from cloud.migrations.upgrade import config, upgrade
from tests.support.ledger import CAN, at

TEA = "09506000211008"


def before(path: Path) -> Database:
    """A1 is meant for cans and differs, of which somebody was told; A2, meant for both, cannot have differed."""
    database = Database(f"sqlite:///{path}")
    since = int(at(100).timestamp() * 1e6)
    with database.write() as connection:
        command.upgrade(config(connection), "0003")
        for line in (
            "INSERT INTO sites (id, name, time_zone) VALUES (1, 's', 'UTC')",
            "INSERT INTO edges (edge, site_id) VALUES ('e', 1)",
            "INSERT INTO locations (id, site_id, name, usage) VALUES (1, 1, 'A1', 'bay'), (2, 1, 'A2', 'bay')",
            f"INSERT INTO items (id, gtin, name, uom) VALUES (1, '{CAN}', 'Can', 'each'), (2, '{TEA}', 'Tea', 'each')",
            "INSERT INTO bays (location_id, edge, shelf, bay, backroom_id) VALUES (1, 'e', 's', 'A1', 1),"
            " (2, 'e', 's', 'A2', 1)",
            "INSERT INTO bay_items (location_id, item_id, capacity) VALUES (1, 1, 24), (2, 1, 12), (2, 2, 12)",
            f"INSERT INTO level_differences (location_id, since, told) VALUES (1, {since}, 1), (2, {since}, 0)",
            f"INSERT INTO cursors (name, site_id, position) VALUES ('series', 1, 7), ('series:alerts', 1, 8), "
            f"('series:{'0' * 32}', 1, 9), ('rules', 1, 3)",
        ):
            connection.execute(text(line))
    return database


def test_what_differed_is_of_the_item_that_stands_there(tmp_path: Path) -> None:
    database = before(tmp_path / "ledger.db")
    upgrade(database)
    with database.read() as connection:
        kept = connection.execute(select(level_differences)).all()
    assert [tuple(row) for row in kept] == [(1, CAN, at(100), True)]
    database.close()


def test_what_edges_said_is_written_to_the_series_once_more_and_nothing_else(tmp_path: Path) -> None:
    database = before(tmp_path / "ledger.db")
    upgrade(database)
    with database.read() as connection:
        names = sorted(connection.scalars(select(cursors.c.name)))
    assert names == ["rules", "series", "series:alerts"]
    database.close()
