"""Every event is kept as it was said. The same identity with other bytes is kept beside the first."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from sqlalchemy import Connection, bindparam, select, tuple_, update

from cloud.ingest.lines import Line
from cloud.ingest.progress import Progress
from cloud.ingest.runs import RunKey
from cloud.ledger import registers
from cloud.ledger.database import insert, insert_many
from cloud.ledger.tables import conflicts, envelopes
from wire.envelope import Key

KEYS_A_QUERY = 200  # three parameters each

BOOKED, UNBOOKED, PARKED = "booked", "unbooked", "parked"


@dataclass(frozen=True, slots=True)
class Kept:
    fresh: list[Line]  # never seen before, in the order they came
    duplicates: int
    conflicting: list[Line]


def keep(connection: Connection, lines: Sequence[Line], progress: Mapping[RunKey, Progress]) -> Kept:
    """Store what is new (as booked, until told otherwise by `mark`) and sort out what is not.

    The caller holds the locks of the runs, whose progress this is: whatever is stored is settled.
    """
    first: dict[Key, Line] = {}
    again: list[Line] = []
    for line in lines:
        if line.key in first:
            again.append(line)
        else:
            first[line.key] = line
    maybe = [key for key in first if key.seq <= progress[key.edge, key.run].highest]
    known = _stored_text(connection, maybe)
    fresh = [line for key, line in first.items() if key not in known]
    repeated = again + [line for key, line in first.items() if key in known]
    known |= {line.key: line.text for line in fresh}
    _store(connection, fresh)
    conflicting = [line for line in repeated if known[line.key] != line.text]
    return Kept(fresh, len(repeated) - len(conflicting), conflicting)


def _store(connection: Connection, lines: Iterable[Line]) -> None:
    rows = [
        {
            "edge": line.key.edge,
            "run": line.key.run,
            "seq": line.key.seq,
            "line": line.text,
            "state": BOOKED,
            "received_at": line.received_at,
        }
        for line in lines
    ]
    insert_many(connection, envelopes, rows)


def _stored_text(connection: Connection, keys: Sequence[Key]) -> dict[Key, bytes]:
    found: dict[Key, bytes] = {}
    for start in range(0, len(keys), KEYS_A_QUERY):
        some = keys[start : start + KEYS_A_QUERY]
        rows = connection.execute(
            select(envelopes.c.edge, envelopes.c.run, envelopes.c.seq, envelopes.c.line).where(
                tuple_(envelopes.c.edge, envelopes.c.run, envelopes.c.seq).in_(some)
            )
        )
        found.update((Key(row.edge, row.run, row.seq), row.line) for row in rows)
    return found


def keep_conflict(connection: Connection, site_id: int | None, line: Line) -> None:
    """Keep the other bytes, once, and open an incident: two edges under one name, or one that forgot."""
    edge, run, seq = line.key
    known = connection.scalars(
        select(conflicts.c.line).where(
            conflicts.c.edge == edge, conflicts.c.run == run, conflicts.c.seq == seq
        )
    ).all()
    if line.text in known:
        return
    connection.execute(
        insert(connection, conflicts).values(
            edge=edge, run=run, seq=seq, line=line.text, received_at=line.received_at
        )
    )
    details = {"edge": edge, "run": run, "seq": seq, "said": len(known) + 2}
    registers.open_incident(
        connection, site_id, "conflicting_event", f"{edge}/{run}/{seq}", details, line.received_at
    )


def mark(connection: Connection, states: Mapping[Key, tuple[str, str]]) -> None:
    """Say of some envelopes that they are not booked: (state, reason) by key."""
    if not states:
        return
    connection.execute(
        update(envelopes)
        .where(
            envelopes.c.edge == bindparam("of_edge"),
            envelopes.c.run == bindparam("of_run"),
            envelopes.c.seq == bindparam("of_seq"),
        )
        .values(state=bindparam("new_state"), reason=bindparam("new_reason")),
        [
            {
                "of_edge": key.edge,
                "of_run": key.run,
                "of_seq": key.seq,
                "new_state": state,
                "new_reason": reason,
            }
            for key, (state, reason) in states.items()
        ],
    )
