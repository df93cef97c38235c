"""Single values of the store, and the aggregator's saved state. SQL only; the caller's transaction."""

from collections.abc import Mapping
from sqlite3 import Connection

from edge.store.held import Trusted


def get(connection: Connection, key: str) -> int | str | None:
    row = connection.execute("SELECT value FROM meta WHERE key = ?", (key,)).fetchone()
    return row[0] if row else None


def number(connection: Connection, key: str) -> int:
    """0 when it was never put."""
    return int(get(connection, key) or 0)


def put(connection: Connection, key: str, value: int | str) -> None:
    connection.execute(
        "INSERT INTO meta (key, value) VALUES (?, ?) ON CONFLICT (key) DO UPDATE SET value = excluded.value",
        (key, value),
    )


def trusted(connection: Connection) -> Trusted | None:
    ledger = get(connection, "ledger")
    return None if ledger is None else Trusted(str(ledger), number(connection, "generation"))


def trust(connection: Connection, whom: Trusted) -> None:
    put(connection, "ledger", whom.ledger)
    put(connection, "generation", whom.generation)


def states(connection: Connection) -> dict[str, bytes]:
    return dict(connection.execute("SELECT key, value FROM state"))


def save(connection: Connection, state: Mapping[str, bytes]) -> None:
    connection.executemany(
        "INSERT INTO state (key, value) VALUES (?, ?) ON CONFLICT (key) DO UPDATE SET value = excluded.value",
        list(state.items()),
    )
