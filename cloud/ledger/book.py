"""Posting movements: rows that never change, and the balances they move, in one transaction.

Locks are taken in one order everywhere, so that nothing deadlocks: runs, then sites, then balances, each sorted.
"""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, case, select, update

from cloud.errors import LedgerError
from cloud.ledger import registers
from cloud.ledger.database import insert, insert_many
from cloud.ledger.tables import balances, items, locations, movements, sites

# Places where goods may stand. Below zero there, some movement was not seen. The others are the far side of a
# movement: what has come from the supplier is that place's negative balance.
STOCKED = frozenset({"internal", "yard", "bay", "basket", "unplaced", "returns_hold"})
KEYS_A_QUERY = 500  # SQLite allows 32,766 parameters, and long lists are slow to parse on both engines


@dataclass(frozen=True, slots=True, kw_only=True)
class Posting:
    """`quantity` (above 0, base units × 10^scale) of an item goes from one location to another of the same site.

    `(source, line)` names it for ever: posting it again changes nothing.
    """

    item_id: int
    src_id: int
    dst_id: int
    quantity: int
    kind: str
    event_at: datetime
    recorded_at: datetime
    source: str
    line: int
    evidence: Mapping[str, Any]


@dataclass(slots=True)
class _Delta:
    quantity: int
    position: int
    event_at: datetime


def lock_head(connection: Connection, site_id: int) -> int:
    """Take the site's head lock until the transaction ends; return the position of its newest movement."""
    head = connection.scalar(select(sites.c.head).where(sites.c.id == site_id).with_for_update())
    if head is None:
        raise LedgerError(f"there is no site with id {site_id}")
    return int(head)


def post(connection: Connection, site_id: int, postings: Sequence[Posting]) -> list[int]:
    """Book what is not booked yet, in order; return the positions it was given (gapless, ascending).

    Balances may go negative: what was observed is not refused. That opens an incident, which ends when they recover.

    Under the head lock nobody else can book the same source at this site. Should another site, then the database
    refuses the second one's key.

    Raises:
        LedgerError: no such site.
    """
    if not postings:
        return []
    head = lock_head(connection, site_id)
    known = _known(connection, postings)
    fresh: dict[tuple[str, int], Posting] = {}
    for posting in postings:
        if (posting.source, posting.line) not in known:
            fresh.setdefault((posting.source, posting.line), posting)
    if not fresh:
        return []
    numbered = list(enumerate(fresh.values(), start=head + 1))
    _write(connection, site_id, numbered)
    connection.execute(update(sites).where(sites.c.id == site_id).values(head=numbered[-1][0]))
    _move(connection, site_id, numbered)
    return [position for position, _ in numbered]


def _known(connection: Connection, postings: Sequence[Posting]) -> set[tuple[str, int]]:
    sources = sorted({posting.source for posting in postings})
    known: set[tuple[str, int]] = set()
    for start in range(0, len(sources), KEYS_A_QUERY):
        some = sources[start : start + KEYS_A_QUERY]
        rows = connection.execute(
            select(movements.c.source, movements.c.line).where(movements.c.source.in_(some))
        )
        known.update((row.source, row.line) for row in rows)
    return known


def _write(connection: Connection, site_id: int, numbered: Sequence[tuple[int, Posting]]) -> None:
    rows = [
        {
            "site_id": site_id,
            "position": position,
            "item_id": posting.item_id,
            "src_id": posting.src_id,
            "dst_id": posting.dst_id,
            "quantity": posting.quantity,
            "kind": posting.kind,
            "event_at": posting.event_at,
            "recorded_at": posting.recorded_at,
            "source": posting.source,
            "line": posting.line,
            "evidence": posting.evidence,
        }
        for position, posting in numbered
    ]
    insert_many(connection, movements, rows)


def _move(connection: Connection, site_id: int, numbered: Sequence[tuple[int, Posting]]) -> None:
    deltas: dict[tuple[int, int], _Delta] = {}
    for position, posting in numbered:
        for location_id, sign in ((posting.src_id, -1), (posting.dst_id, 1)):
            key = (posting.item_id, location_id)
            delta = deltas.get(key)
            if delta is None:
                deltas[key] = _Delta(sign * posting.quantity, position, posting.event_at)
            else:
                delta.quantity += sign * posting.quantity
                delta.position = position
                delta.event_at = max(delta.event_at, posting.event_at)
    upsert = insert(connection, balances)
    new = upsert.excluded
    rows = connection.execute(
        upsert.on_conflict_do_update(
            index_elements=[balances.c.item_id, balances.c.location_id],
            set_={
                "quantity": balances.c.quantity + new.quantity,
                "position": new.position,
                "event_at": case(
                    (balances.c.event_at > new.event_at, balances.c.event_at), else_=new.event_at
                ),
            },
        ).returning(balances.c.item_id, balances.c.location_id, balances.c.quantity),
        [
            {
                "item_id": item_id,
                "location_id": location_id,
                "quantity": delta.quantity,
                "position": delta.position,
                "event_at": delta.event_at,
            }
            for (item_id, location_id), delta in sorted(deltas.items())
        ],
    )
    crossed: dict[bool, dict[tuple[int, int], int]] = defaultdict(dict)
    for item_id, location_id, quantity in rows:
        before = quantity - deltas[item_id, location_id].quantity
        if (quantity < 0) != (before < 0):
            crossed[quantity < 0][item_id, location_id] = quantity
    if crossed:
        _tell(connection, site_id, crossed, numbered[-1][1].recorded_at)


def _tell(
    connection: Connection,
    site_id: int,
    crossed: Mapping[bool, Mapping[tuple[int, int], int]],
    at: datetime,
) -> None:
    """Open an incident where a balance has gone below zero, and close it where one has come back."""
    places = [key for some in crossed.values() for key in some]
    named = _named(connection, site_id, places)
    for (item_id, location_id), (site, place, gtin) in named.items():
        subject = f"{site}/{place}/{gtin}"
        quantity = crossed.get(True, {}).get((item_id, location_id))
        if quantity is None:
            registers.close_incident(connection, "negative_stock", subject, at)
        else:
            details = {"place": place, "item": gtin, "quantity": quantity}
            registers.open_incident(connection, site_id, "negative_stock", subject, details, at)


def _named(
    connection: Connection, site_id: int, places: Sequence[tuple[int, int]]
) -> dict[tuple[int, int], tuple[str, str, str]]:
    site = str(connection.scalar(select(sites.c.name).where(sites.c.id == site_id)))
    gtins = dict(
        connection.execute(
            select(items.c.id, items.c.gtin).where(items.c.id.in_({item_id for item_id, _ in places}))
        ).all()
    )
    stocked = dict(
        connection.execute(
            select(locations.c.id, locations.c.name).where(
                locations.c.id.in_({location_id for _, location_id in places}),
                locations.c.usage.in_(STOCKED),
            )
        ).all()
    )
    return {
        (item_id, location_id): (site, stocked[location_id], gtins[item_id])
        for item_id, location_id in places
        if location_id in stocked
    }
