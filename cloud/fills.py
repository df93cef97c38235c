"""How full bays are, as their edges say: what holds now, and every time that it became another. Books nothing."""

from sqlalchemy import Connection

from cloud.booking import Occasion
from cloud.errors import BookingError
from cloud.ledger.database import insert
from cloud.ledger.master import Master
from cloud.ledger.tables import bay_fills, fill_log
from wire.events import BayFill

_KEPT = ("state", "units", "capacity", "facings", "fraction", "at")


def filled(connection: Connection, master: Master, occasion: Occasion, event: BayFill) -> None:
    """Keep it. One that comes late is part of the history, and does not hold now.

    Raises:
        BookingError: no site has such a bay.
    """
    bay = master.bays.get((occasion.key.edge, event.shelf, event.bay))
    if bay is None:
        raise BookingError(
            f"no site has a bay {event.bay!r} on shelf {event.shelf!r} of edge {occasion.key.edge!r}: "
            "add it to sites.toml"
        )
    said = {
        "location_id": bay.location_id,
        "gtin": event.item or "",
        "state": event.state.value,
        "units": event.units,
        "capacity": event.capacity,
        "fraction": event.fraction,
        "at": occasion.at,
    }
    logged = insert(connection, fill_log).values(
        edge=occasion.key.edge, run=occasion.key.run, seq=occasion.key.seq, **said
    )
    connection.execute(logged.on_conflict_do_nothing())
    row = insert(connection, bay_fills).values(**said, facings=event.facings)
    connection.execute(
        row.on_conflict_do_update(
            index_elements=[bay_fills.c.location_id, bay_fills.c.gtin],
            set_={name: row.excluded[name] for name in _KEPT},
            where=bay_fills.c.at <= row.excluded.at,
        )
    )
