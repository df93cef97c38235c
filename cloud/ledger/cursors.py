"""How far each follower has come, by name and site. A cursor moves in the transaction that stores what it earned, or
after what it stands for was done, so that a crash at worst does the last of it again."""

from sqlalchemy import Connection, select

from cloud.ledger.database import insert
from cloud.ledger.tables import cursors


def positions(connection: Connection) -> dict[tuple[str, int], int]:
    """Every follower's position: (name, site id) -> position."""
    return {(row.name, row.site_id): row.position for row in connection.execute(select(cursors))}


def advance(connection: Connection, name: str, site_id: int, position: int) -> None:
    statement = insert(connection, cursors).values(name=name, site_id=site_id, position=position)
    connection.execute(
        statement.on_conflict_do_update(
            index_elements=["name", "site_id"], set_={"position": statement.excluded.position}
        )
    )
