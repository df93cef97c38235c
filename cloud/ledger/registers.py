"""What people must look at: tasks (something to do) and incidents (something that went wrong).

Of each kind and subject at most one is open; telling it again brings its details up to date.
"""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, select, update

from cloud.ledger.database import insert
from cloud.ledger.tables import incidents, tasks

SUBJECT = 160  # characters; longer ones are cut, as a subject is for people


def open_incident(
    connection: Connection,
    site_id: int | None,
    kind: str,
    subject: str,
    details: Mapping[str, Any],
    at: datetime,
) -> None:
    """Open an incident, or bring the open one's details up to date."""
    row = insert(connection, incidents).values(
        site_id=site_id, kind=kind, subject=subject[:SUBJECT], details=dict(details), opened_at=at
    )
    connection.execute(
        row.on_conflict_do_update(
            index_elements=[incidents.c.kind, incidents.c.subject],
            index_where=incidents.c.closed_at.is_(None),
            set_={"details": row.excluded.details},
        )
    )


def incident_details(connection: Connection, kind: str, subject: str) -> dict[str, Any] | None:
    """The details of the open incident; None when none is open."""
    details: dict[str, Any] | None = connection.scalar(
        select(incidents.c.details).where(
            incidents.c.kind == kind,
            incidents.c.subject == subject[:SUBJECT],
            incidents.c.closed_at.is_(None),
        )
    )
    return details


def close_incident(connection: Connection, kind: str, subject: str, at: datetime) -> None:
    connection.execute(
        update(incidents)
        .where(
            incidents.c.kind == kind,
            incidents.c.subject == subject[:SUBJECT],
            incidents.c.closed_at.is_(None),
        )
        .values(closed_at=at)
    )


def open_task(
    connection: Connection, site_id: int, kind: str, subject: str, details: Mapping[str, Any], at: datetime
) -> None:
    """Open a task, or bring the open one's details up to date."""
    row = insert(connection, tasks).values(
        site_id=site_id, kind=kind, subject=subject[:SUBJECT], details=dict(details), opened_at=at
    )
    connection.execute(
        row.on_conflict_do_update(
            index_elements=[tasks.c.site_id, tasks.c.kind, tasks.c.subject],
            index_where=tasks.c.closed_at.is_(None),
            set_={"details": row.excluded.details},
        )
    )


def task_details(connection: Connection, site_id: int, kind: str, subject: str) -> dict[str, Any] | None:
    """The details of the open task; None when none is open."""
    details: dict[str, Any] | None = connection.scalar(
        select(tasks.c.details).where(
            tasks.c.site_id == site_id,
            tasks.c.kind == kind,
            tasks.c.subject == subject[:SUBJECT],
            tasks.c.closed_at.is_(None),
        )
    )
    return details


def close_task(connection: Connection, site_id: int, kind: str, subject: str, at: datetime) -> None:
    connection.execute(
        update(tasks)
        .where(
            tasks.c.site_id == site_id,
            tasks.c.kind == kind,
            tasks.c.subject == subject[:SUBJECT],
            tasks.c.closed_at.is_(None),
        )
        .values(closed_at=at)
    )
