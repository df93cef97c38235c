"""What is every bay meant to hold, does its edge have that, and who changed it?"""

from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, select

from cloud.ledger import tables as t
from cloud.planogram import told
from cloud.planogram.plan import digest
from cloud.planogram.store import known, planned

HISTORY = 20  # changes shown of one bay


@dataclass(frozen=True, slots=True)
class Planned:
    """One item in one bay. `unit_grams` is what one weighs there; `usual` what its master data says."""

    gtin: str
    item: str
    capacity: int
    facings: int | None
    low: int | None
    unit_grams: float | None
    unit_tare_grams: float | None
    unit_cv: float | None
    usual: float | None


@dataclass(frozen=True, slots=True)
class PlannedBay:
    """`edge_has`: yes, asked, refused, waiting (its edge is away), or "" where sites.toml alone planned it."""

    location_id: int
    site: str
    edge: str
    shelf: str
    bay: str
    place: str
    items: tuple[Planned, ...]
    edge_has: str
    words: str


@dataclass(frozen=True, slots=True)
class Changed:
    """One change of one bay's plan."""

    version: int
    by: str
    source: str
    at: datetime
    before: Any
    after: Any


def plan_of_site(connection: Connection, site_id: int) -> list[PlannedBay]:
    """By edge, shelf and bay."""
    names = dict(connection.execute(select(t.items.c.gtin, t.items.c.name)).all())
    grams, have, ours = told.unit_grams(connection), told.all_told(connection), planned(connection)
    found = []
    for bay in known(connection, site_id):
        state, words = "", ""
        if bay.location_id in ours:
            had = have.get(bay.location_id)
            state, words = "waiting", ""
            if had is not None and had.state == told.ASKED:
                state = "asked"
            elif had is not None and had.digest == digest(bay.plan, grams):
                state, words = {told.DONE: "yes"}.get(had.state, had.state), had.words
        stands = tuple(
            Planned(item=names.get(stand.gtin, ""), usual=grams.get(stand.gtin), **asdict(stand))
            for stand in bay.plan
        )
        found.append(
            PlannedBay(
                bay.location_id, bay.name.site, bay.name.edge, bay.name.shelf, bay.name.bay, bay.place, stands, state,
                words if state == told.REFUSED else "",
            )
        )  # fmt: skip
    return found


def history_of(connection: Connection, location_id: int, limit: int = HISTORY) -> list[Changed]:
    """The newest first."""
    query = (
        select(
            t.planogram_changes.c.version, t.planogram_changes.c.changed_by, t.planogram_changes.c.source,
            t.planogram_changes.c.at, t.planogram_changes.c.before, t.planogram_changes.c.after,
        )
        .where(t.planogram_changes.c.location_id == location_id)
        .order_by(t.planogram_changes.c.version.desc())
        .limit(limit)
    )  # fmt: skip
    return [Changed(*row) for row in connection.execute(query)]
