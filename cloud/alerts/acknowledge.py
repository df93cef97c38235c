"""A person says: seen, and mine. It changes nothing about what the rule judges."""

from datetime import datetime

from sqlalchemy import Connection, select, update

from cloud.alerts.changes import lock_site, stamp
from cloud.ledger.tables import alerts


def acknowledge(connection: Connection, alert_id: int, by: str, at: datetime) -> bool:
    """Mark an alert as seen by `by`; the first to say so stays. Return whether there is such an alert at all."""
    site_id = connection.execute(select(alerts.c.site_id).where(alerts.c.id == alert_id)).scalar()
    if site_id is None:
        return False
    lock_site(connection, site_id)
    connection.execute(
        update(alerts)
        .where(alerts.c.id == alert_id, alerts.c.acknowledged_at.is_(None))
        .values(acknowledged_at=at, acknowledged_by=by, changed_at=stamp(connection, site_id, at))
    )
    return True
