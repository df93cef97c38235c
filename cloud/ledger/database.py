"""The ledger's database: SQLite for one process, PostgreSQL for several. One place knows the difference."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import lru_cache
from typing import Any

from sqlalchemy import Connection, Dialect, Engine, Table, create_engine, event
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.engine import make_url
from sqlalchemy.exc import ArgumentError
from sqlalchemy.pool import QueuePool

from cloud.errors import LedgerError

BUSY_S = 30  # how long a write waits for the one before it; ingest's own take milliseconds

_INSERT: dict[str, Callable[[Table], Any]] = {"postgresql": postgresql.insert, "sqlite": sqlite.insert}


class Database:
    """Connections to one ledger.

    With SQLite there is one writing connection, which also checkpoints, and any number of reading ones: two that
    write and checkpoint at once can corrupt a WAL before SQLite 3.51.3.
    """

    def __init__(self, url: str) -> None:
        """Raises LedgerError when the URL names neither engine. Connects to nothing."""
        try:
            name = make_url(url).get_backend_name()
        except ArgumentError as error:
            raise LedgerError(f"ledger.url: {error}") from None
        if name not in _INSERT:
            raise LedgerError(f"ledger.url: sqlite or postgresql, not {name!r}")
        self.dialect = name
        self.file = make_url(url).database if name == "sqlite" else None  # a SQLite ledger's
        if name == "sqlite":
            self._writer = _sqlite(url, size=1, read_only=False)
            self._reader = _sqlite(url, size=8, read_only=True)
        else:
            self._writer = create_engine(url, pool_pre_ping=True)
            self._reader = self._writer

    @contextmanager
    def write(self) -> Iterator[Connection]:
        """One transaction that may write: committed at the end, rolled back on any error."""
        with self._writer.begin() as connection:
            yield connection

    @contextmanager
    def read(self) -> Iterator[Connection]:
        """One consistent view; sees only what was committed before it began."""
        with self._reader.connect() as connection:
            if self.dialect == "postgresql":
                connection = connection.execution_options(
                    isolation_level="REPEATABLE READ", postgresql_readonly=True
                )
            with connection.begin():
                yield connection

    def close(self) -> None:
        self._writer.dispose()
        self._reader.dispose()


def insert(connection: Connection, table: Table) -> Any:
    """The dialect's own INSERT, which has `on_conflict_do_nothing` and `on_conflict_do_update` on both engines."""
    return _INSERT[connection.dialect.name](table)


def insert_many(connection: Connection, table: Table, rows: Sequence[Mapping[str, Any]]) -> None:
    """INSERT rows that have the same columns, as SQLAlchemy would, but at a third of its cost for each row.

    SQLAlchemy prepares every row by itself, which is most of what a large executemany costs; here the statement and
    what each type does to its values are looked up once.
    """
    if rows:
        columns = tuple(rows[0])
        text, order, adapt = _compiled(connection.dialect, table, columns)
        adapted: list[Any]
        if order is not None:
            plan = [(name, adapt.get(name)) for name in order]
            adapted = [tuple(to(row[name]) if to else row[name] for name, to in plan) for row in rows]
        else:
            plan = [(name, adapt.get(name)) for name in columns]
            adapted = [{name: to(row[name]) if to else row[name] for name, to in plan} for row in rows]
        connection.exec_driver_sql(text, adapted)


@lru_cache(maxsize=64)
def _compiled(
    dialect: Dialect, table: Table, columns: tuple[str, ...]
) -> tuple[str, tuple[str, ...] | None, dict[str, Callable[[Any], Any]]]:
    """An INSERT's text, the order of its parameters (None: they are named), and how some of them are adapted."""
    statement = _INSERT[dialect.name](table).compile(dialect=dialect, column_keys=list(columns))
    adapt: dict[str, Callable[[Any], Any]] = {}
    for name in columns:
        processor = table.c[name].type.dialect_impl(dialect).bind_processor(dialect)
        if processor is not None:
            adapt[name] = processor
    order = tuple(statement.positiontup) if statement.positional else None
    return str(statement), order, adapt


def _sqlite(url: str, *, size: int, read_only: bool) -> Engine:
    engine = create_engine(
        url,
        poolclass=QueuePool,
        pool_size=size,
        max_overflow=0,
        pool_timeout=BUSY_S,
        connect_args={"check_same_thread": False, "timeout": BUSY_S},
    )

    @event.listens_for(engine, "connect")
    def _configure(connection: Any, _record: Any) -> None:
        connection.isolation_level = None  # we say BEGIN ourselves, below
        cursor = connection.cursor()
        if read_only:
            cursor.execute("PRAGMA query_only = ON")
        else:
            cursor.execute("PRAGMA journal_mode = WAL")
            cursor.execute("PRAGMA synchronous = FULL")
        cursor.execute("PRAGMA foreign_keys = ON")
        cursor.close()

    @event.listens_for(engine, "begin")
    def _begin(connection: Connection) -> None:
        # IMMEDIATE: a transaction that starts by reading and then writes would fail where another wrote between.
        connection.exec_driver_sql("BEGIN" if read_only else "BEGIN IMMEDIATE")

    return engine
