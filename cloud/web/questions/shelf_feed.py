"""What has happened on the shelves, newest first: bays that ran out, got low, were filled?"""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, select

from cloud.ledger import tables as t

EVENTS = 12  # as many as a person follows
QUIET = ("unknown",)  # says only that nothing is known yet


@dataclass(frozen=True, slots=True)
class Filled:
    """How full a bay came to be. `item` is "" where it was not said which; `id` is an event's, for ever."""

    id: str
    edge: str
    shelf: str
    bay: str
    place: str
    gtin: str
    item: str
    state: str
    units: int | None
    capacity: int | None
    fraction: float | None
    at: datetime


def shelf_feed(connection: Connection, site_id: int, limit: int = EVENTS) -> list[Filled]:
    query = (
        select(
            t.fill_log.c.run,
            t.fill_log.c.seq,
            t.bays.c.edge,
            t.bays.c.shelf,
            t.bays.c.bay,
            t.locations.c.name.label("place"),
            t.fill_log.c.gtin,
            t.items.c.name.label("item"),
            t.fill_log.c.state,
            t.fill_log.c.units,
            t.fill_log.c.capacity,
            t.fill_log.c.fraction,
            t.fill_log.c.at,
        )
        .join_from(t.fill_log, t.bays, t.bays.c.location_id == t.fill_log.c.location_id)
        .join(t.locations, t.locations.c.id == t.bays.c.location_id)
        .outerjoin(t.items, t.items.c.gtin == t.fill_log.c.gtin)
        .where(t.locations.c.site_id == site_id, t.fill_log.c.state.not_in(QUIET))
        .order_by(t.fill_log.c.at.desc(), t.fill_log.c.run, t.fill_log.c.seq.desc())
        .limit(limit)
    )
    return [
        Filled(
            f"{row.run}-{row.seq}", row.edge, row.shelf, row.bay, row.place, row.gtin, row.item or "", row.state,
            row.units, row.capacity, row.fraction, row.at,
        )
        for row in connection.execute(query)
    ]  # fmt: skip
