"""How much of each item is where?"""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, select

from cloud.ledger import tables as t


@dataclass(frozen=True, slots=True)
class Balance:
    """`quantity` is in base units times 10^scale; `position` is the newest movement that touched it."""

    location: str
    usage: str
    gtin: str
    item: str
    uom: str
    scale: int
    quantity: int
    position: int
    event_at: datetime


def balances_of(
    connection: Connection, site_id: int, *, location: str | None = None, gtin: str | None = None
) -> list[Balance]:
    """By place and item; the outside (supplier, customer, ...) included, so that each item sums to zero."""
    question = _BALANCES.where(t.locations.c.site_id == site_id)
    if location is not None:
        question = question.where(t.locations.c.name == location)
    if gtin is not None:
        question = question.where(t.items.c.gtin == gtin)
    return [Balance(*row) for row in connection.execute(question)]


_BALANCES = (
    select(
        t.locations.c.name,
        t.locations.c.usage,
        t.items.c.gtin,
        t.items.c.name,
        t.items.c.uom,
        t.items.c.scale,
        t.balances.c.quantity,
        t.balances.c.position,
        t.balances.c.event_at,
    )
    .join_from(t.balances, t.locations, t.locations.c.id == t.balances.c.location_id)
    .join(t.items, t.items.c.id == t.balances.c.item_id)
    .order_by(t.locations.c.name, t.items.c.gtin)
)
