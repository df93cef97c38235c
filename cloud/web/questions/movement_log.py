"""What moved, in the order it was booked?"""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, select

from cloud.ledger import tables as t


@dataclass(frozen=True, slots=True)
class Movement:
    """`quantity` is in base units times 10^scale; `evidence` cites what was observed."""

    position: int
    gtin: str
    scale: int
    src: str
    dst: str
    quantity: int
    kind: str
    event_at: datetime
    recorded_at: datetime
    source: str
    line: int
    evidence: Any


def movements_of(connection: Connection, site_id: int, *, after: int, limit: int) -> list[Movement]:
    """By position, from the first behind `after`."""
    question = (
        _MOVEMENTS.where(t.movements.c.site_id == site_id, t.movements.c.position > after)
        .order_by(t.movements.c.position)
        .limit(limit)
    )
    return [Movement(**row._mapping) for row in connection.execute(question)]


_SRC, _DST = t.locations.alias("src"), t.locations.alias("dst")
_MOVEMENTS = (
    select(
        t.movements.c.position,
        t.items.c.gtin,
        t.items.c.scale,
        _SRC.c.name.label("src"),
        _DST.c.name.label("dst"),
        t.movements.c.quantity,
        t.movements.c.kind,
        t.movements.c.event_at,
        t.movements.c.recorded_at,
        t.movements.c.source,
        t.movements.c.line,
        t.movements.c.evidence,
    )
    .join_from(t.movements, t.items, t.items.c.id == t.movements.c.item_id)
    .join(_SRC, _SRC.c.id == t.movements.c.src_id)
    .join(_DST, _DST.c.id == t.movements.c.dst_id)
)
