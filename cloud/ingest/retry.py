"""Trying parked events again, once a person has put right what was wrong."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, select, tuple_

from cloud.booking import Batch
from cloud.ingest import runs
from cloud.ingest.booker import Booker
from cloud.ingest.keep import BOOKED, PARKED, UNBOOKED, mark
from cloud.ingest.lines import Delivery, Line, read
from cloud.ledger import master
from cloud.ledger.book import lock_head
from cloud.ledger.database import Database
from cloud.ledger.tables import envelopes
from cloud.tags.gatebook import GateBook
from wire.envelope import Key
from wire.events import Missing

EVENTS_A_TRANSACTION = 500


@dataclass(frozen=True, slots=True)
class Retried:
    booked: int
    parked: dict[str, int]  # those that are parked still: reason -> how many
    identified: int  # tags that an item claims by now, and units whose contents are known by now


def retry(database: Database, now: datetime) -> Retried:
    """Book what can be booked by now: parked events, in their order, then tags that were waiting for an item."""
    after = Key("", "", 0)
    booked = 0
    parked: dict[str, int] = {}
    while True:
        with database.write() as connection:
            lines = _parked(connection, after)
            if not lines:
                identified = _identify(connection, now)
                return Retried(booked, parked, identified)
            states = _book(connection, lines, now)
        after = lines[-1].key
        booked += len(lines) - len(states)
        for _, reason in states.values():
            parked[reason] = parked.get(reason, 0) + 1


def _parked(connection: Connection, after: Key) -> list[Line]:
    rows = connection.execute(
        select(envelopes)
        .where(
            envelopes.c.state.in_((PARKED, UNBOOKED)),
            tuple_(envelopes.c.edge, envelopes.c.run, envelopes.c.seq) > tuple_(*after),
        )
        .order_by(envelopes.c.edge, envelopes.c.run, envelopes.c.seq)
        .limit(EVENTS_A_TRANSACTION)
    ).all()
    found = read([Delivery(row.edge, row.line, row.received_at) for row in rows])
    return found.lines


def _book(connection: Connection, lines: Sequence[Line], now: datetime) -> dict[Key, tuple[str, str]]:
    named = {(line.key.edge, line.key.run) for line in lines}
    named |= {(line.key.edge, line.event.run) for line in lines if isinstance(line.event, Missing)}
    progress = runs.lock(connection, named, now)
    booker = Booker(connection, master.read(connection), progress, now)
    states = booker.book(lines)
    runs.save(connection, progress, now)
    mark(connection, {line.key: states.get(line.key, (BOOKED, "")) for line in lines})
    return states


def _identify(connection: Connection, now: datetime) -> int:
    known = master.read(connection)
    for site_id in sorted(known.sites):
        lock_head(connection, site_id)
    batch = Batch(connection, known)
    count = GateBook(batch).identify(now)
    batch.flush()
    return count
