"""Opening a ledger: made when it is absent, brought up to date when it is old, refused when it is newer than us."""

from pathlib import Path
from typing import Any

from alembic import command
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import BigInteger, Connection, text
from sqlalchemy.exc import DBAPIError

from cloud.errors import LedgerError
from cloud.ledger import identity
from cloud.ledger.database import Database
from cloud.ledger.identity import Identity
from cloud.ledger.tables import At

FOLDER = Path(__file__).parent
LOCK = (
    0x53746F63  # "Stoc": an advisory lock of PostgreSQL, so that of programs that start at once one upgrades
)


def _render(kind: str, item: Any, _context: Any) -> str | bool:
    """Migrations stand alone: our own type is written as what it is in the database."""
    return "sa.BigInteger()" if kind == "type" and isinstance(item, At) else False


def _same_type(
    _context: Any, _inspected: Any, _metadata: Any, inspected_type: Any, metadata_type: Any
) -> bool | None:
    """Whether a column's type differs; None leaves it to Alembic."""
    if isinstance(metadata_type, At):
        return not isinstance(inspected_type, BigInteger)
    return None


OPTIONS: dict[str, Any] = {
    "render_as_batch": True,  # SQLite alters a table by making it anew
    "render_item": _render,
    "compare_type": _same_type,
    "transaction_per_migration": False,
}


def config(connection: Connection) -> Config:
    """Alembic's settings for one connection, on which the caller has begun a transaction."""
    settings = Config()
    settings.set_main_option("script_location", str(FOLDER).replace("%", "%%"))
    settings.attributes["connection"] = connection
    return settings


def upgrade(database: Database) -> Identity:
    """Bring a ledger to this program's version, in one transaction; return which ledger it is.

    Raises:
        LedgerError: it cannot be opened, or a newer program has upgraded it.
    """
    try:
        with database.write() as connection:
            if connection.dialect.name == "postgresql":
                connection.execute(text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": LOCK})
            settings = config(connection)
            scripts = ScriptDirectory.from_config(settings)
            if _refuse_newer(connection, scripts) != scripts.get_current_head():
                command.upgrade(settings, "head")
            return identity.establish(connection)
    except DBAPIError as error:
        raise LedgerError(f"the ledger cannot be opened: {error.orig}") from error


def check(database: Database) -> None:
    """For reading only: the ledger must be there, and of this program's version. Raises LedgerError."""
    if database.file is not None and not Path(database.file).exists():
        raise LedgerError(f"there is no ledger at {database.file}: 'stockbeat cloud run' or 'load' makes one")
    try:
        with database.read() as connection:
            scripts = ScriptDirectory.from_config(config(connection))
            current = _refuse_newer(connection, scripts)
    except DBAPIError as error:
        raise LedgerError(f"the ledger cannot be opened: {error.orig}") from error
    if current != scripts.get_current_head():
        raise LedgerError(
            "the ledger is of an older version, or empty: 'stockbeat cloud run' or 'load' upgrades it"
        )


def _refuse_newer(connection: Connection, scripts: ScriptDirectory) -> str | None:
    """The ledger's version; None for an empty one. Raises LedgerError for one that we do not know."""
    current = MigrationContext.configure(connection).get_current_revision()
    known = {script.revision for script in scripts.walk_revisions()}
    if current is not None and current not in known:
        raise LedgerError(
            f"the ledger is of version {current}, which this program does not know (it knows up to"
            f" {scripts.get_current_head()}): a newer program has upgraded it. Install that one, or restore a backup"
        )
    return current
