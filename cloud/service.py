"""How bays count, as their edges say, and when people worked at them: nothing of that time is booked."""

from datetime import datetime

from sqlalchemy import Connection, case, func, or_, select, update

from cloud.booking import Occasion
from cloud.errors import BookingError
from cloud.ledger.database import insert
from cloud.ledger.master import Master
from cloud.ledger.tables import bay_states, service_times
from wire.events import BayState, Condition


def state_changed(connection: Connection, master: Master, occasion: Occasion, event: BayState) -> None:
    """Keep how a bay counts from now on. Edges say it at each start: `since` is when it came to be so.

    Raises:
        BookingError: no site has such a bay.
    """
    bay = master.bays.get((occasion.key.edge, event.shelf, event.bay))
    if bay is None:
        raise BookingError(
            f"no site has a bay {event.bay!r} on shelf {event.shelf!r} of edge {occasion.key.edge!r}: "
            "add it to sites.toml"
        )
    here = bay.location_id
    row = insert(connection, bay_states).values(
        location_id=here, state=event.state.value, reason=event.reason, until=event.until, at=occasion.at,
        since=occasion.at,
    )  # fmt: skip
    same = bay_states.c.state == row.excluded.state
    since = case((same, func.coalesce(bay_states.c.since, bay_states.c.at)), else_=row.excluded.since)
    connection.execute(
        row.on_conflict_do_update(
            index_elements=[bay_states.c.location_id],
            set_={name: row.excluded[name] for name in ("state", "reason", "until", "at")} | {"since": since},
            where=bay_states.c.at <= row.excluded.at,
        )
    )
    if event.state is Condition.SERVICE:
        _began(connection, here, occasion.at)
    else:
        connection.execute(
            update(service_times)
            .where(
                service_times.c.location_id == here,
                service_times.c.ended_at.is_(None),
                service_times.c.began_at <= occasion.at,
            )
            .values(ended_at=occasion.at)
        )


def _began(connection: Connection, here: int, at: datetime) -> None:
    """Service that is asked for again goes on."""
    lasting = select(service_times.c.began_at).where(
        service_times.c.location_id == here,
        service_times.c.ended_at.is_(None),
        service_times.c.began_at <= at,
    )
    if connection.execute(lasting).first() is None:
        row = insert(connection, service_times).values(location_id=here, began_at=at)
        connection.execute(row.on_conflict_do_nothing())


def served(connection: Connection) -> frozenset[int]:
    """The bays at which people ever worked: `during` need be asked of no other."""
    return frozenset(connection.scalars(select(service_times.c.location_id).distinct()))


def during(connection: Connection, location_id: int, from_at: datetime, to_at: datetime) -> bool:
    """Whether people worked at a bay at some time between two rests of it."""
    found = select(service_times.c.began_at).where(
        service_times.c.location_id == location_id,
        service_times.c.began_at < to_at,
        or_(service_times.c.ended_at.is_(None), service_times.c.ended_at > from_at),
    )
    return connection.execute(found).first() is not None
