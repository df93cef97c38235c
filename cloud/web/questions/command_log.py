"""What was asked of edges, by whom, and what became of it?"""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, select

from cloud.ledger.tables import commands


@dataclass(frozen=True, slots=True)
class Asked:
    """`state`: asked (not answered yet), done, refused, stale, failed, expired. `words` are of the answer."""

    id: str
    edge: str
    subject: str
    kind: str
    by: str
    state: str
    words: str
    levels: list[dict[str, Any]]
    asked_at: datetime
    expires_at: datetime
    answered_at: datetime | None


_COMMANDS = select(
    commands.c.id,
    commands.c.edge,
    commands.c.subject,
    commands.c.kind,
    commands.c.asked_by,
    commands.c.state,
    commands.c.words,
    commands.c.levels,
    commands.c.asked_at,
    commands.c.expires_at,
    commands.c.answered_at,
)


def commands_of(
    connection: Connection, site_id: int, *, location_id: int | None = None, limit: int = 20
) -> list[Asked]:
    """Of a site, or of one bay of it; the newest first."""
    query = _COMMANDS.where(commands.c.site_id == site_id)
    if location_id is not None:
        query = query.where(commands.c.location_id == location_id)
    found = connection.execute(query.order_by(commands.c.asked_at.desc(), commands.c.id).limit(limit))
    return [Asked(*row) for row in found]


def command_of_id(connection: Connection, command: str) -> Asked | None:
    row = connection.execute(_COMMANDS.where(commands.c.id == command)).first()
    return Asked(*row) if row else None
