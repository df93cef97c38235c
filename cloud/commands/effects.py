"""What follows in the ledger when an edge has done what was asked."""

from datetime import datetime
from typing import Any

from sqlalchemy import Connection, select

from cloud import shelves
from cloud.ledger import master
from cloud.ledger.book import lock_head
from cloud.ledger.tables import items
from cloud.planogram import store, told
from cloud.planogram.plan import Stand, ordered
from wire.commands import Assign, AssignedItem, Confirm, Order

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
    if command.asked_by == told.PLANNER:
        return  # the planogram says more of it than the command could
    here: int = command.location_id
    before = {stand.gtin: stand for stand in store.plan_of(connection, here)}
    usual: dict[str, float | None] = dict(connection.execute(select(items.c.gtin, items.c.unit_grams)).all())
    most = max((stand.capacity for stand in before.values()), default=NO_CAPACITY)
    plan = ordered(
        _stand(item, order, before.get(item.gtin), most, usual.get(item.gtin)) for item in order.items
    )
    store.change(
        connection,
        {here: plan},
        store.Author(by=command.asked_by, source=f"command:{command.id}", at=now),
    )
    told.keep(connection, here, told.digest_of(connection, here), told.DONE, command.id, "", now)


def _stand(item: AssignedItem, order: Assign, before: Stand | None, most: int, usual: float | None) -> Stand:
    """What was not said stays as it was; what is said of the bay as a whole is its only item's, or for all to share."""
    before = before or Stand(gtin=item.gtin, capacity=most)
    alone = len(order.items) == 1
    low, facings = item.low, item.facings
    if alone:
        low, facings = order.low if low is None else low, facings or order.facings
    low, facings = before.low if low is None else low, facings or before.facings
    capacity = item.capacity or _share(order) or before.capacity
    return Stand(
        gtin=item.gtin,
        capacity=capacity,
        facings=min(facings, capacity) if facings else None,
        low=None if low is None else min(low, capacity),
        unit_grams=None if item.unit_grams == usual else item.unit_grams,
        unit_tare_grams=item.unit_tare_grams or None,
        unit_cv=before.unit_cv if item.unit_cv is None else item.unit_cv,
    )


def _share(order: Assign) -> int | None:
    """What fits of an item that has no capacity of its own: an equal share of what the others leave."""
    if order.capacity is None:
        return None
    own = [item.capacity for item in order.items if item.capacity is not None]
    sharing = len(order.items) - len(own)
    return max(NO_CAPACITY, (order.capacity - sum(own)) // sharing) if sharing else None
