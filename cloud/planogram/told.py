"""Which bays' plans their edges have: kept so that a change is told once, and told again until it is there."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, select

from cloud.ledger.database import insert
from cloud.ledger.tables import items, planogram_told
from cloud.planogram.plan import digest
from cloud.planogram.store import plan_of

PLANNER = "the planogram"  # who asks edges for what it says
ASKED, DONE, REFUSED = "asked", "done", "refused"


@dataclass(frozen=True, slots=True)
class Told:
    digest: str
    state: str
    command: str
    words: str
    at: datetime


def all_told(connection: Connection) -> dict[int, Told]:
    """By bay."""
    query = select(
        planogram_told.c.location_id, planogram_told.c.digest, planogram_told.c.state, planogram_told.c.command,
        planogram_told.c.words, planogram_told.c.at,
    )  # fmt: skip
    return {row[0]: Told(*row[1:]) for row in connection.execute(query)}


def keep(
    connection: Connection, here: int, digest: str, state: str, command: str, words: str, at: datetime
) -> None:
    row = insert(connection, planogram_told).values(
        location_id=here, digest=digest, state=state, command=command, words=words, at=at
    )
    names = ("digest", "state", "command", "words", "at")
    connection.execute(
        row.on_conflict_do_update(
            index_elements=[planogram_told.c.location_id],
            set_={name: row.excluded[name] for name in names},
        )
    )


def unit_grams(connection: Connection) -> dict[str, float | None]:
    """What one of each item weighs, as its master data says."""
    return dict(connection.execute(select(items.c.gtin, items.c.unit_grams)).all())


def digest_of(connection: Connection, here: int) -> str:
    """Of what is planned for a bay now."""
    return digest(plan_of(connection, here), unit_grams(connection))
