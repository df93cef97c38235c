"""The events that are to be told, in the ledger's own database, from being made until their repository has them.

Made and stored in one transaction with the cursor that they earn; what is handed over is what was stored, so that it
is the same however often it is.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any

from sqlalchemy import Connection, delete, func, select, update

from cloud.epcis import ledger
from cloud.epcis.events import events
from cloud.epcis.manner import Manner
from cloud.ledger import registers
from cloud.ledger.cursors import advance, positions
from cloud.ledger.database import insert
from cloud.ledger.tables import epcis_events, epcis_told, sites

CURSOR = "epcis"
AT_ONCE = 100  # events a document: some hundred kilobytes, where a load has a hundred tags
KEEP = timedelta(days=30)  # what was taken, for people who ask; what was refused is kept until somebody looks
INCIDENT = "epcis_refused"


class State(StrEnum):
    DUE = "due"
    HANDED = "handed"  # its repository has it and is looking at it
    TAKEN = "taken"
    REFUSED = "refused"


@dataclass(frozen=True, slots=True)
class Due:
    id: int
    event: dict[str, Any]


@dataclass(frozen=True, slots=True)
class Handed:
    job: str
    ids: tuple[int, ...]


def is_behind(connection: Connection, now: datetime) -> bool:
    """Whether any site has movements that can be told by now."""
    done = positions(connection)
    heads = connection.execute(select(sites.c.id, sites.c.head)).all()
    return any(
        head > done.get((CURSOR, site_id), 0)
        and ledger.portion(connection, site_id, done.get((CURSOR, site_id), 0), now) is not None
        for site_id, head in heads
    )


def make(connection: Connection, manner: Manner, since: datetime | None, now: datetime) -> bool:
    """Make the next events of every site; return whether there may be more."""
    done = positions(connection)
    moved = False
    for site_id in connection.scalars(select(sites.c.id).order_by(sites.c.id)).all():
        portion = ledger.portion(connection, site_id, done.get((CURSOR, site_id), 0), now)
        if portion is None:
            continue
        moved = True
        before = ledger.told_before(connection, portion.passages)
        groups = ledger.together(connection, portion, manner, before)
        wanted = [one for one in groups if since is None or max(tag.at for tag in one.tags) >= since]
        _store(connection, site_id, [event for one in wanted for event in events(one, manner.ids)], now)
        fresh = [(one.edge, one.passage, tag.epc) for one in groups for tag in one.tags]
        if fresh:
            rows = [{"edge": edge, "passage": passage, "epc": epc} for edge, passage, epc in fresh]
            connection.execute(insert(connection, epcis_told), rows)
        advance(connection, CURSOR, site_id, portion.position)
    return moved


def _store(connection: Connection, site_id: int, made: Sequence[dict[str, Any]], now: datetime) -> None:
    rows = [
        {
            "site_id": site_id,
            "event_id": event["eventID"],
            "event": event,
            "state": State.DUE.value,
            "alone": False,
            "made_at": now,
            "changed_at": now,
        }
        for event in made
    ]
    if rows:
        statement = insert(connection, epcis_events).on_conflict_do_nothing(index_elements=["event_id"])
        connection.execute(statement, rows)


def due(connection: Connection) -> list[Due]:
    """The next document's events, oldest first; one that was refused together with others comes alone."""
    rows = connection.execute(
        select(epcis_events.c.id, epcis_events.c.event, epcis_events.c.alone)
        .where(epcis_events.c.state == State.DUE.value)
        .order_by(epcis_events.c.id)
        .limit(AT_ONCE)
    ).all()
    if rows and rows[0].alone:
        rows = rows[:1]
    return [Due(row.id, row.event) for row in rows if not row.alone or len(rows) == 1]


def handed(connection: Connection) -> list[Handed]:
    """Documents whose repository has not yet said what became of them, oldest first."""
    rows = connection.execute(
        select(epcis_events.c.job, epcis_events.c.id)
        .where(epcis_events.c.state == State.HANDED.value)
        .order_by(epcis_events.c.id)
    ).all()
    jobs: dict[str, list[int]] = {}
    for job, event in rows:
        jobs.setdefault(job, []).append(event)
    return [Handed(job, tuple(ids)) for job, ids in jobs.items()]


def settle(
    connection: Connection, ids: Sequence[int], state: State, at: datetime, job: str | None = None
) -> None:
    connection.execute(
        update(epcis_events)
        .where(epcis_events.c.id.in_(ids))
        .values(state=state.value, job=job, changed_at=at)
    )


def refuse(connection: Connection, ids: Sequence[int], why: str, at: datetime) -> None:
    """One event is set aside and shown; several are each handed over alone, as most of them are good."""
    if len(ids) > 1:
        connection.execute(
            update(epcis_events)
            .where(epcis_events.c.id.in_(ids))
            .values(state=State.DUE.value, alone=True, job=None, changed_at=at)
        )
        return
    row = connection.execute(select(epcis_events).where(epcis_events.c.id == ids[0])).one()
    connection.execute(
        update(epcis_events)
        .where(epcis_events.c.id == row.id)
        .values(state=State.REFUSED.value, why=why, job=None, changed_at=at)
    )
    details = {
        "why": why,
        "event": row.event["type"],
        "bizStep": row.event.get("bizStep"),
        "gate": row.event.get("stockbeat:gate"),
        "passage": row.event.get("stockbeat:passage"),
    }
    registers.open_incident(connection, row.site_id, INCIDENT, row.event_id, details, at)


def again(connection: Connection, at: datetime) -> int:
    """Make what was refused due again, and its incidents closed; return how many were."""
    refused = connection.execute(
        select(epcis_events.c.id, epcis_events.c.event_id).where(epcis_events.c.state == State.REFUSED.value)
    ).all()
    for row in refused:
        registers.close_incident(connection, INCIDENT, row.event_id, at)
        connection.execute(
            update(epcis_events)
            .where(epcis_events.c.id == row.id)
            .values(state=State.DUE.value, alone=True, why="", changed_at=at)
        )
    return len(refused)


def forget(connection: Connection, now: datetime) -> None:
    connection.execute(
        delete(epcis_events).where(
            epcis_events.c.state == State.TAKEN.value, epcis_events.c.changed_at < now - KEEP
        )
    )


def counts(connection: Connection) -> dict[str, int]:
    """How many events are in each state."""
    query = select(epcis_events.c.state, func.count()).group_by(epcis_events.c.state)
    found: dict[str, int] = dict(connection.execute(query).all())
    return {state.value: found.get(state.value, 0) for state in State}


def refused(connection: Connection) -> list[tuple[str, str]]:
    """What was refused, oldest first: event id and why."""
    query = select(epcis_events.c.event_id, epcis_events.c.why).where(
        epcis_events.c.state == State.REFUSED.value
    )
    return [(row.event_id, row.why) for row in connection.execute(query.order_by(epcis_events.c.id))]
