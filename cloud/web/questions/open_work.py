"""What must people look at: open tasks and incidents?"""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Table, func, or_, select
from sqlalchemy.sql import ColumnElement

from cloud.ledger import tables as t

NEWEST = 8  # shown of each; the rest is counted


@dataclass(frozen=True, slots=True)
class Matter:
    """One task or incident."""

    id: int
    kind: str
    subject: str
    details: Any
    opened_at: datetime
    closed_at: datetime | None


@dataclass(frozen=True, slots=True)
class Pile:
    """How many are open, of each kind, and the newest of them."""

    counts: dict[str, int]
    newest: tuple[Matter, ...]

    @property
    def total(self) -> int:
        return sum(self.counts.values())


def open_tasks(connection: Connection, site_id: int) -> Pile:
    return _pile(connection, t.tasks, t.tasks.c.site_id == site_id)


def open_incidents(connection: Connection, site_id: int) -> Pile:
    """Those of the site, and those of edges that nobody enrolled: they may be anyone's."""
    return _pile(connection, t.incidents, _incidents_at(site_id))


def tasks_of(connection: Connection, site_id: int, state: str, *, after: int, limit: int) -> list[Matter]:
    """By id, from the first behind `after`; `state` is open, closed or all."""
    return _matters(connection, t.tasks, t.tasks.c.site_id == site_id, state, after, limit)


def incidents_of(connection: Connection, site_id: int, state: str, *, after: int, limit: int) -> list[Matter]:
    """As `tasks_of`; with those of edges that nobody enrolled."""
    return _matters(connection, t.incidents, _incidents_at(site_id), state, after, limit)


def _incidents_at(site_id: int) -> ColumnElement[bool]:
    return or_(t.incidents.c.site_id == site_id, t.incidents.c.site_id.is_(None))


def _pile(connection: Connection, table: Table, where: ColumnElement[bool]) -> Pile:
    still_open = table.c.closed_at.is_(None)
    counts = select(table.c.kind, func.count()).where(where, still_open).group_by(table.c.kind)
    newest = _matter(table).where(where, still_open).order_by(table.c.id.desc()).limit(NEWEST)
    return Pile(
        counts={row[0]: row[1] for row in connection.execute(counts.order_by(func.count().desc()))},
        newest=tuple(Matter(**row._mapping) for row in connection.execute(newest)),
    )


def _matters(
    connection: Connection, table: Table, where: ColumnElement[bool], state: str, after: int, limit: int
) -> list[Matter]:
    question = _matter(table).where(where, table.c.id > after).order_by(table.c.id).limit(limit)
    if state != "all":
        is_open = table.c.closed_at.is_(None)
        question = question.where(is_open if state == "open" else ~is_open)
    return [Matter(**row._mapping) for row in connection.execute(question)]


def _matter(table: Table) -> Any:
    return select(
        table.c.id, table.c.kind, table.c.subject, table.c.details, table.c.opened_at, table.c.closed_at
    )
