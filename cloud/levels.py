"""What bays weigh now: for display and conflict checks. Levels never book."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime

from sqlalchemy import Connection, case, delete, update

from cloud.ledger.database import insert
from cloud.ledger.tables import item_levels, level_differences, levels


@dataclass(frozen=True, slots=True, kw_only=True)
class Level:
    """One bay's level. `uncertain` says why its last change could not be told, "" that it could; None leaves it.

    `items`: units by GTIN where the bay is meant for several kinds, whose `units` in all would say nothing.
    """

    location_id: int
    grams: float
    units: int | None
    stable: bool
    at: datetime
    uncertain: str | None = None
    items: dict[str, int | None] = field(default_factory=dict)


def save(connection: Connection, newest: Sequence[Level]) -> None:
    """Store each level, unless something newer is known of its bay. At most one for each bay.

    Why a change could not be told is kept whatever was weighed meanwhile: a change is as old as it is, and telemetry,
    which says nothing of it, is newer.
    """
    for judged in (False, True):
        some = [level for level in newest if (level.uncertain is not None) is judged]
        if not some:
            continue
        rows = [
            {
                "location_id": level.location_id,
                "grams": level.grams,
                "units": level.units,
                "stable": level.stable,
                "at": level.at,
                "uncertain": level.uncertain or "",
            }
            for level in sorted(some, key=lambda level: level.location_id)
        ]
        statement = insert(connection, levels)
        newer = levels.c.at <= statement.excluded.at
        news = {
            name: case((newer, statement.excluded[name]), else_=levels.c[name])
            for name in ("grams", "units", "stable", "at")
        }
        if judged:
            news["uncertain"] = statement.excluded.uncertain
        connection.execute(
            statement.on_conflict_do_update(index_elements=[levels.c.location_id], set_=news), rows
        )
    _save_items(connection, newest)


def _save_items(connection: Connection, newest: Sequence[Level]) -> None:
    rows = [
        {"location_id": level.location_id, "gtin": gtin, "units": units, "at": level.at}
        for level in sorted(newest, key=lambda level: level.location_id)
        for gtin, units in sorted(level.items.items())
    ]
    if not rows:
        return
    statement = insert(connection, item_levels)
    connection.execute(
        statement.on_conflict_do_update(
            index_elements=[item_levels.c.location_id, item_levels.c.gtin],
            set_={name: statement.excluded[name] for name in ("units", "at")},
            where=item_levels.c.at <= statement.excluded.at,
        ),
        rows,
    )


def settle_level(connection: Connection, location_id: int) -> None:
    """A person has said what stands there: nothing about it is uncertain, and no difference has lasted, any more."""
    connection.execute(delete(level_differences).where(level_differences.c.location_id == location_id))
    certain(connection, location_id)


def certain(connection: Connection, location_id: int) -> None:
    """Nothing about it is uncertain any more."""
    connection.execute(update(levels).where(levels.c.location_id == location_id).values(uncertain=""))
