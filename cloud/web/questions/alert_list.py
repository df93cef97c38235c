"""Which alerts are open, and which were lately?"""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Connection, and_, func, or_, select, true

from cloud.ledger import tables as t


@dataclass(frozen=True, slots=True)
class Alert:
    """`text`, `suggestion` and `value` are of the time it fired; `on_hand` is now, in base units times 10^scale."""

    id: int
    rule: str
    site: str
    place: str
    gtin: str
    item: str
    severity: str
    text: str
    suggestion: dict[str, Any]
    value: float
    pending_at: datetime
    fired_at: datetime
    cleared_at: datetime | None
    acknowledged_at: datetime | None
    acknowledged_by: str | None
    changed_at: datetime
    on_hand: int
    scale: int

    @property
    def units(self) -> float:
        return self.on_hand / float(10**self.scale)


def alerts_of(
    connection: Connection, site_id: int, state: str = "open", *, after: int = 0, limit: int = 100
) -> list[Alert]:
    """By id, from the first behind `after`; `state` is open, cleared or all."""
    wanted: dict[str, ColumnElement[bool]] = {
        "open": t.alerts.c.cleared_at.is_(None),
        "cleared": t.alerts.c.cleared_at.is_not(None),
        "all": true(),
    }
    question = (
        _ALERTS.where(t.alerts.c.site_id == site_id, wanted[state], t.alerts.c.id > after)
        .order_by(t.alerts.c.id)
        .limit(limit)
    )
    return [Alert(**row._mapping) for row in connection.execute(question)]


def alert_of_id(connection: Connection, alert_id: int) -> Alert | None:
    row = connection.execute(_ALERTS.where(t.alerts.c.id == alert_id)).one_or_none()
    return None if row is None else Alert(**row._mapping)


def alerts_to_show(connection: Connection, site_id: int, cleared_since: datetime, limit: int) -> list[Alert]:
    """Open ones, newest first with the unacknowledged on top; then those cleared since, newest first."""
    recent = or_(
        t.alerts.c.cleared_at.is_(None),
        and_(t.alerts.c.cleared_at >= cleared_since, t.alerts.c.changed_at >= cleared_since),
    )
    question = (
        _ALERTS.where(t.alerts.c.site_id == site_id, recent)
        .order_by(
            t.alerts.c.cleared_at.is_not(None),
            t.alerts.c.acknowledged_at.is_not(None),
            t.alerts.c.fired_at.desc(),
        )
        .limit(limit)
    )
    return [Alert(**row._mapping) for row in connection.execute(question)]


_ALERTS = (
    select(
        t.alerts.c.id,
        t.alerts.c.rule,
        t.sites.c.name.label("site"),
        t.locations.c.name.label("place"),
        t.items.c.gtin,
        t.items.c.name.label("item"),
        t.alerts.c.severity,
        t.alerts.c.text,
        t.alerts.c.suggestion,
        t.alerts.c.value,
        t.alerts.c.pending_at,
        t.alerts.c.fired_at,
        t.alerts.c.cleared_at,
        t.alerts.c.acknowledged_at,
        t.alerts.c.acknowledged_by,
        t.alerts.c.changed_at,
        func.coalesce(t.balances.c.quantity, 0).label("on_hand"),
        t.items.c.scale,
    )
    .join_from(t.alerts, t.sites, t.sites.c.id == t.alerts.c.site_id)
    .join(t.locations, t.locations.c.id == t.alerts.c.location_id)
    .join(t.items, t.items.c.id == t.alerts.c.item_id)
    .outerjoin(
        t.balances,
        (t.balances.c.item_id == t.alerts.c.item_id) & (t.balances.c.location_id == t.alerts.c.location_id),
    )
)
