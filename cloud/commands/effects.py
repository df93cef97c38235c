"""What follows in the ledger when an edge has done what was asked."""

from datetime import datetime
from typing import Any

from sqlalchemy import Connection, delete, insert, select, update

from cloud import shelves
from cloud.alerts import watch
from cloud.ledger import master, registers
from cloud.ledger.book import lock_head
from cloud.ledger.tables import balances, bay_items, items, ledgers, locations, sites
from wire.commands import Assign, Confirm, Order

NO_CAPACITY = 1  # of an item that was assigned without saying how many fit


def follow(connection: Connection, command: Any, order: Order, now: datetime) -> None:
    """Book what the command brings about. `command` is its row.

    Raises:
        BookingError: an item is gone meanwhile.
    """
    match order:
        case Confirm():
            _confirmed(connection, command, order, now)
        case Assign():
            _assigned(connection, command, order, now)
        case _:
            pass


def _confirmed(connection: Connection, command: Any, order: Confirm, now: datetime) -> None:
    """A person's count is booked as the difference to what the ledger had."""
    lock_head(connection, command.site_id)
    counts = {count.gtin: count.units for count in order.counts}
    shelves.confirm(
        connection,
        master.read(connection),
        shelves.Confirmation(
            location_id=command.location_id,
            counts=counts,
            by=command.asked_by,
            source=f"command:{command.id}",
            at=now,
        ),
    )


def _assigned(connection: Connection, command: Any, order: Assign, now: datetime) -> None:
    """The bay is meant for these items from now on; what the ledger still has of others there asks for a count."""
    for site_id in connection.scalars(select(sites.c.id).order_by(sites.c.id)).all():
        lock_head(connection, site_id)  # the rules of all are judged anew, as after loading master data
    here: int = command.location_id
    known = dict(connection.execute(select(items.c.gtin, items.c.id)).all())
    before: dict[int, int] = dict(
        connection.execute(
            select(bay_items.c.item_id, bay_items.c.capacity).where(bay_items.c.location_id == here)
        ).all()
    )
    connection.execute(delete(bay_items).where(bay_items.c.location_id == here))
    meant = [known[item.gtin] for item in order.items]
    for item_id in meant:
        capacity = order.capacity or before.get(item_id) or max(before.values(), default=NO_CAPACITY)
        connection.execute(insert(bay_items).values(location_id=here, item_id=item_id, capacity=capacity))
    connection.execute(update(ledgers).values(master=ledgers.c.master + 1))
    watch.settle_all(connection, now)
    left = connection.execute(
        select(items.c.gtin, items.c.name, balances.c.quantity)
        .join(items, items.c.id == balances.c.item_id)
        .where(balances.c.location_id == here, balances.c.quantity != 0, balances.c.item_id.not_in(meant))
        .order_by(items.c.gtin)
    ).all()
    if left:
        place = connection.scalar(select(locations.c.name).where(locations.c.id == here)) or ""
        details = {
            "place": place,
            "why": "the bay was assigned anew, and the ledger still has other items there",
            "items": [{"gtin": row.gtin, "name": row.name, "quantity": row.quantity} for row in left],
        }
        registers.open_task(connection, command.site_id, "recount", place, details, now)
