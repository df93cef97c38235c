"""What of the ledger is still to be written: batches of lines, each with the cursor that writing it earns."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, func, literal, select

from cloud.ledger.cursors import positions
from cloud.ledger.tables import (
    EPOCH,
    MICROSECOND,
    alerts,
    bays,
    cursors,
    edges,
    envelopes,
    items,
    locations,
    movements,
    runs,
    sites,
)
from cloud.series import points
from wire.codec import decode
from wire.errors import DecodeError

LINES_AT_ONCE = 5000  # what InfluxData advise for a request; 300,000 points/s were seen with it

MOVEMENTS = "series"
ALERTS = "series:alerts"
RUN = "series:"  # and the run's 32 digits: 39 of the column's 40 characters


@dataclass(frozen=True, slots=True)
class Batch:
    """Lines to write, and how far the follower named `cursor` has come at `site_id` once they are."""

    lines: list[str]
    cursor: str
    site_id: int
    position: int


def pending(connection: Connection) -> Iterator[Batch]:
    """The next batch of each thing that is behind: movements, events and alerts. None when nothing is."""
    at = positions(connection)
    for site in connection.execute(select(sites).order_by(sites.c.id)).all():
        done = at.get((MOVEMENTS, site.id), 0)
        if site.head > done:
            yield _movements(connection, site, done)
        newest = _alerts(connection, site, at.get((ALERTS, site.id), 0))
        if newest is not None:
            yield newest
    yield from _events(connection)


def _movements(connection: Connection, site: Any, done: int) -> Batch:
    src, dst = locations.alias("src"), locations.alias("dst")
    rows = connection.execute(
        select(
            movements,
            items.c.gtin,
            items.c.scale,
            src.c.name.label("src"),
            dst.c.name.label("dst"),
        )
        .join(items, items.c.id == movements.c.item_id)
        .join(src, src.c.id == movements.c.src_id)
        .join(dst, dst.c.id == movements.c.dst_id)
        .where(movements.c.site_id == site.id, movements.c.position > done)
        .order_by(movements.c.position)
        .limit(LINES_AT_ONCE)
    ).all()
    lines = [
        points.movement(
            points.Movement(
                site=site.name,
                item=row.gtin,
                src=row.src,
                dst=row.dst,
                kind=row.kind,
                quantity=row.quantity / 10**row.scale,
                position=row.position,
                event_at=row.event_at,
                recorded_at=row.recorded_at,
            )
        )
        for row in rows
    ]
    return Batch(lines, MOVEMENTS, site.id, rows[-1].position if rows else site.head)


def _alerts(connection: Connection, site: Any, done: int) -> Batch | None:
    """Changes of alerts after the moment `done`, in microseconds since 1970: they grow within a site."""
    rows = connection.execute(
        select(alerts, locations.c.name.label("place"), items.c.gtin)
        .join(locations, locations.c.id == alerts.c.location_id)
        .join(items, items.c.id == alerts.c.item_id)
        .where(alerts.c.site_id == site.id, alerts.c.changed_at > EPOCH + done * MICROSECOND)
        .order_by(alerts.c.changed_at)
        .limit(LINES_AT_ONCE // 3)  # up to three points each
    ).all()
    if not rows:
        return None
    lines = [
        line
        for row in rows
        for line in points.alert(
            points.Alert(
                id=row.id,
                site=site.name,
                rule=row.rule,
                place=row.place,
                item=row.gtin,
                severity=row.severity,
                value=row.value,
                text=row.text,
                fired_at=row.fired_at,
                acknowledged_at=row.acknowledged_at,
                cleared_at=row.cleared_at,
                changed_at=row.changed_at,
            )
        )
    ]
    return Batch(lines, ALERTS, site.id, (rows[-1].changed_at - EPOCH) // MICROSECOND)


def _events(connection: Connection) -> Iterator[Batch]:
    """The settled part of each run: up to `through` nothing is still to come, so the last `seq` written is a cursor.

    Events of an edge that no site has enrolled wait until one does.
    """
    behind = connection.execute(
        select(
            runs.c.edge,
            runs.c.run,
            runs.c.through,
            edges.c.site_id,
            sites.c.name.label("site"),
            func.coalesce(cursors.c.position, 0).label("done"),
        )
        .join(edges, edges.c.edge == runs.c.edge)
        .join(sites, sites.c.id == edges.c.site_id)
        .outerjoin(
            cursors, (cursors.c.name == literal(RUN) + runs.c.run) & (cursors.c.site_id == edges.c.site_id)
        )
        .where(runs.c.through > func.coalesce(cursors.c.position, 0))
        .order_by(runs.c.first_at)
    ).all()
    places = _places(connection) if behind else {}
    for run in behind:
        rows = connection.execute(
            select(envelopes.c.seq, envelopes.c.line, envelopes.c.received_at)
            .where(
                envelopes.c.edge == run.edge,
                envelopes.c.run == run.run,
                envelopes.c.seq > run.done,
                envelopes.c.seq <= run.through,
            )
            .order_by(envelopes.c.seq)
            .limit(LINES_AT_ONCE)
        ).all()
        lines = [line for row in rows if (line := _event(run.site, row, places))]
        done = rows[-1].seq if len(rows) == LINES_AT_ONCE else run.through
        yield Batch(lines, f"{RUN}{run.run}", run.site_id, done)


def _places(connection: Connection) -> points.Places:
    rows = connection.execute(
        select(bays.c.edge, bays.c.shelf, bays.c.bay, locations.c.name).join(
            locations, locations.c.id == bays.c.location_id
        )
    )
    return {(row.edge, row.shelf, row.bay): row.name for row in rows}


def _event(site: str, row: Any, places: points.Places) -> str:
    try:
        envelope = decode(row.line)
    except DecodeError:
        return ""  # parked: shown to people as such, and no point of anything
    return points.event(site, envelope, row.received_at, places)
