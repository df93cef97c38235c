"""Which ledger this is, and how often it was restored: what acknowledgements say to the edges."""

import secrets
from dataclasses import dataclass

from sqlalchemy import Connection, select, update

from cloud.errors import LedgerError
from cloud.ledger.database import insert
from cloud.ledger.tables import ledgers


@dataclass(frozen=True, slots=True)
class Identity:
    ledger: str
    generation: int


def establish(connection: Connection) -> Identity:
    """Give a new ledger its identity, or read the one it has."""
    if connection.scalar(select(ledgers.c.ledger)) is None:
        connection.execute(
            insert(connection, ledgers)
            .values(ledger=secrets.token_hex(16), generation=1, master=0)
            .on_conflict_do_nothing()
        )
    return read(connection)


def read(connection: Connection) -> Identity:
    """Raises LedgerError when the ledger has no identity, or more than one."""
    rows = connection.execute(select(ledgers.c.ledger, ledgers.c.generation)).all()
    if len(rows) != 1:
        raise LedgerError(
            f"the ledger has {len(rows)} identities, not 1: it was never opened, or two were mixed"
        )
    return Identity(rows[0].ledger, rows[0].generation)


def restored(connection: Connection) -> Identity:
    """Raise the generation: this ledger came back from a backup, and the edges are to refill what it lost."""
    read(connection)
    connection.execute(update(ledgers).values(generation=ledgers.c.generation + 1))
    return read(connection)
