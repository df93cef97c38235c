"""Who is told of an alert, and what: rows of the outbox, written in the alert's own transaction."""

from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row, func, select

from cloud.alerts.words import Bay, cleared_mail, fired_mail
from cloud.ledger.database import insert
from cloud.ledger.tables import (
    balances,
    bay_items,
    bays,
    items,
    locations,
    notifications,
    site_mail,
    sites,
)
from cloud.rules.rule import Rule

FIRED, CLEARED = "fired", "cleared"
MAIL = "mail"


def read_bay(connection: Connection, item_id: int, location_id: int) -> Bay | None:
    """One item at one bay, with what its backroom has of it; None where the bay is not meant to hold it."""
    backroom = locations.alias("backroom")
    here, there = balances.alias("here"), balances.alias("there")
    kinds = (
        select(func.count())
        .select_from(bay_items)
        .where(bay_items.c.location_id == location_id)
        .scalar_subquery()
    )
    row = connection.execute(
        select(
            sites.c.name.label("site"),
            locations.c.name.label("place"),
            items.c.name.label("item"),
            items.c.gtin,
            items.c.scale,
            bay_items.c.capacity,
            backroom.c.name.label("backroom"),
            here.c.quantity.label("quantity"),
            there.c.quantity.label("backroom_quantity"),
            kinds.label("kinds"),
        )
        .select_from(bay_items)
        .join(bays, bays.c.location_id == bay_items.c.location_id)
        .join(locations, locations.c.id == bay_items.c.location_id)
        .join(backroom, backroom.c.id == bays.c.backroom_id)
        .join(sites, sites.c.id == locations.c.site_id)
        .join(items, items.c.id == bay_items.c.item_id)
        .outerjoin(here, (here.c.item_id == item_id) & (here.c.location_id == location_id))
        .outerjoin(there, (there.c.item_id == item_id) & (there.c.location_id == bays.c.backroom_id))
        .where(bay_items.c.item_id == item_id, bay_items.c.location_id == location_id)
    ).one_or_none()
    if row is None:
        return None
    unit = 10**row.scale
    return Bay(
        site=row.site,
        place=row.place,
        item=row.item,
        gtin=row.gtin,
        mixed=row.kinds > 1,
        units=(row.quantity or 0) / unit,
        capacity=row.capacity,
        backroom=row.backroom,
        backroom_units=(row.backroom_quantity or 0) / unit,
    )


def notify_fired(
    connection: Connection,
    alert_id: int,
    rule: Rule,
    site_id: int,
    bay: Bay,
    text: str,
    pending_at: datetime,
    now: datetime,
) -> None:
    """One row for each address of the roles that the rule tells."""
    addresses = (
        select(site_mail.c.address)
        .where(site_mail.c.site_id == site_id, site_mail.c.role.in_(rule.tell))
        .distinct()
        .order_by(site_mail.c.address)
    )
    subject, body = fired_mail(rule, bay, text, pending_at)
    _notify(connection, alert_id, FIRED, list(connection.execute(addresses).scalars()), subject, body, now)


def notify_cleared(connection: Connection, alert: Row[Any], cleared_at: datetime, now: datetime) -> None:
    """One row for each address that was told of the alert: whoever may act on it must hear that it is over."""
    told = (
        select(notifications.c.recipient)
        .where(notifications.c.alert_id == alert.id, notifications.c.event == FIRED)
        .order_by(notifications.c.recipient)
    )
    site = connection.execute(select(sites.c.name).where(sites.c.id == alert.site_id)).scalar_one()
    subject, body = cleared_mail(site, alert.rule, alert.text, cleared_at)
    _notify(connection, alert.id, CLEARED, list(connection.execute(told).scalars()), subject, body, now)


def _notify(
    connection: Connection,
    alert_id: int,
    event: str,
    recipients: list[str],
    subject: str,
    body: str,
    now: datetime,
) -> None:
    if not recipients:
        return
    rows = [
        {
            "alert_id": alert_id,
            "event": event,
            "channel": MAIL,
            "recipient": recipient,
            "subject": subject,
            "body": body,
            "state": "pending",
            "next_at": now,
            "created_at": now,
        }
        for recipient in recipients
    ]
    connection.execute(insert(connection, notifications).on_conflict_do_nothing(), rows)
