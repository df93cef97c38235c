"""Whether a ledger is what its rows say: balances are the sum of movements, nothing comes from nowhere, no gaps."""

from sqlalchemy import Connection, Select, delete, func, select, union_all

from cloud.ledger.database import insert
from cloud.ledger.tables import balances, items, locations, movements, sites

MOST = 50  # problems of one kind that are spelled out


def verify(connection: Connection) -> list[str]:
    """Everything that is wrong, a sentence each; an empty list when all is well. Reads only."""
    return [
        *_capped(_positions(connection)),
        *_capped(_places(connection)),
        *_capped(_balances(connection)),
        *_capped(_sums(connection)),
    ]


def rebuild(connection: Connection) -> int:
    """Make all balances anew from the movements; return how many there are."""
    connection.execute(select(sites.c.id).order_by(sites.c.id).with_for_update())
    connection.execute(delete(balances))
    rows = [dict(row._mapping) for row in connection.execute(_replayed())]
    if rows:
        connection.execute(insert(connection, balances), rows)
    return len(rows)


def _replayed() -> Select[tuple[int, int, int, int, object]]:
    """Every balance as the movements give it."""
    sides = union_all(
        select(
            movements.c.item_id,
            movements.c.src_id.label("location_id"),
            (-movements.c.quantity).label("quantity"),
            movements.c.position,
            movements.c.event_at,
        ),
        select(
            movements.c.item_id,
            movements.c.dst_id.label("location_id"),
            movements.c.quantity,
            movements.c.position,
            movements.c.event_at,
        ),
    ).subquery()
    return (
        select(
            sides.c.item_id,
            sides.c.location_id,
            func.sum(sides.c.quantity).label("quantity"),
            func.max(sides.c.position).label("position"),
            func.max(sides.c.event_at).label("event_at"),
        )
        .group_by(sides.c.item_id, sides.c.location_id)
        .order_by(sides.c.item_id, sides.c.location_id)
    )


def _positions(connection: Connection) -> list[str]:
    found = select(
        movements.c.site_id,
        func.count().label("rows"),
        func.min(movements.c.position).label("first"),
        func.max(movements.c.position).label("last"),
    ).group_by(movements.c.site_id)
    by_site = {row.site_id: row for row in connection.execute(found)}
    problems = []
    for site_id, name, head in connection.execute(select(sites.c.id, sites.c.name, sites.c.head)):
        row = by_site.get(site_id)
        rows, first, last = (row.rows, row.first, row.last) if row else (0, 1, 0)
        if last != head:
            problems.append(f"site {name}: its head is at position {head}, its newest movement at {last}")
        if first != 1 or rows != last:
            problems.append(f"site {name}: {rows} movements have the positions {first} to {last}, with gaps")
    return problems


def _places(connection: Connection) -> list[str]:
    foreign = (
        select(movements.c.site_id, movements.c.position, locations.c.name)
        .join(locations, (locations.c.id == movements.c.src_id) | (locations.c.id == movements.c.dst_id))
        .where(locations.c.site_id != movements.c.site_id)
        .order_by(movements.c.site_id, movements.c.position)
        .limit(MOST + 1)
    )
    return [
        f"movement {row.position} of site {row.site_id} touches {row.name!r}, a place of another site"
        for row in connection.execute(foreign)
    ]


def _balances(connection: Connection) -> list[str]:
    right = {(row.item_id, row.location_id): int(row.quantity) for row in connection.execute(_replayed())}
    stored = {
        (row.item_id, row.location_id): int(row.quantity) for row in connection.execute(select(balances))
    }
    gtins = dict(connection.execute(select(items.c.id, items.c.gtin)).all())
    names = dict(connection.execute(select(locations.c.id, locations.c.name)).all())
    return [
        f"balance of {gtins[place[0]]} at {names[place[1]]!r} is {stored.get(place)},"
        f" its movements give {right.get(place)}"
        for place in sorted(right.keys() | stored.keys())
        if right.get(place) != stored.get(place)
    ]


def _sums(connection: Connection) -> list[str]:
    query = (
        select(items.c.gtin, func.sum(balances.c.quantity).label("total"))
        .join(items, items.c.id == balances.c.item_id)
        .group_by(items.c.gtin)
        .having(func.sum(balances.c.quantity) != 0)
    )
    return [
        f"{row.gtin}: its balances over all places sum to {row.total}, not 0"
        for row in connection.execute(query)
    ]


def _capped(problems: list[str]) -> list[str]:
    if len(problems) <= MOST:
        return problems
    return [*problems[:MOST], f"and {len(problems) - MOST} more like the last"]
