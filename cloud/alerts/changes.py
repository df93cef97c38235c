"""What makes `alerts.changed_at` a cursor: within a site it only ever grows, in the order of commits."""

from datetime import datetime

from sqlalchemy import Connection, func, select

from cloud.ledger.tables import MICROSECOND, alerts, sites


def lock_site(connection: Connection, site_id: int) -> None:
    """Take the site's head lock, as every booking does: before the states and alerts of the site are touched.

    SQLite needs none, because one transaction writes at a time; it has no FOR UPDATE and is given none.
    """
    connection.execute(select(sites.c.head).where(sites.c.id == site_id).with_for_update())


def stamp(connection: Connection, site_id: int, at: datetime) -> datetime:
    """The `changed_at` of a change made now, under the site's lock: `at`, or just after the newest there is."""
    newest = connection.execute(
        select(func.max(alerts.c.changed_at)).where(alerts.c.site_id == site_id)
    ).scalar()
    return at if newest is None else max(at, newest + MICROSECOND)
