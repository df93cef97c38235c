"""The outbox: what was said, what the ledger has of it, what is still to be sent. SQL only; the caller's transaction.

`(run, seq)` names an event for ever. A row goes only when it is acknowledged without a gap before it, is old enough,
and is not the last of its run: that one is what a restored ledger is asked with.
"""

from collections.abc import Iterable, Sequence
from sqlite3 import Connection

from edge.store.held import Counts, HeldRun, Range, spans

# The last event of a run, by which a restored ledger can be asked about it, is kept for so long: nobody restores a
# backup of last quarter and expects the edges to fill the gap from keep_days of events.
PROBE_DAYS = 90
DAY_US = 86_400_000_000
TRIM_ROWS = (
    2_000  # a transaction: about 2 MB of lines, some ten milliseconds, so that reads are not kept waiting
)


def add_run(connection: Connection, run: str, now_us: int) -> int:
    """Returns the run's row id."""
    cursor = connection.execute(
        "INSERT INTO runs (run, started_us, last_seq) VALUES (?, ?, 0)", (run, now_us)
    )
    return int(cursor.lastrowid or 0)


def newest_run(connection: Connection) -> tuple[str, int] | None:
    """The run that began last, and its last `seq`."""
    row: tuple[str, int] | None = connection.execute(
        "SELECT run, last_seq FROM runs ORDER BY id DESC LIMIT 1"
    ).fetchone()
    return row


def append(connection: Connection, run_id: int, lines: Iterable[tuple[int, bytes]], now_us: int) -> None:
    rows = [(run_id, seq, now_us, line) for seq, line in lines]
    connection.executemany("INSERT INTO outbox (run_id, seq, said_us, line) VALUES (?, ?, ?, ?)", rows)
    connection.execute("UPDATE runs SET last_seq = ? WHERE id = ?", (rows[-1][1], run_id))


def lines(connection: Connection, run: str, seqs: Sequence[int]) -> list[tuple[int, bytes]]:
    """Those of the ascending `seqs` that are here, with the bytes that stand for them."""
    found: list[tuple[int, bytes]] = []
    for first, last in spans(seqs):
        found += connection.execute(
            "SELECT seq, line FROM outbox WHERE run_id = (SELECT id FROM runs WHERE run = ?)"
            " AND seq BETWEEN ? AND ? ORDER BY seq",
            (run, first, last),
        )
    return found


def settle(connection: Connection, run: str, ranges: Sequence[Range], through: int, now_us: int) -> None:
    """The ledger has `ranges`, and everything up to `through`."""
    connection.executemany(
        "UPDATE outbox SET settled_us = ? WHERE run_id = (SELECT id FROM runs WHERE run = ?)"
        " AND seq BETWEEN ? AND ? AND settled_us IS NULL",
        [(now_us, run, first, last) for first, last in ranges],
    )
    connection.execute("UPDATE runs SET through = ?, probe = 0 WHERE run = ?", (through, run))


def forget_settlements(connection: Connection) -> None:
    """The ledger was restored, or is another: nothing that an earlier one said counts."""
    connection.execute("UPDATE outbox SET settled_us = NULL WHERE settled_us IS NOT NULL")
    connection.execute("UPDATE runs SET through = 0, probe = 1")
    connection.execute("DELETE FROM missing")


def quarantine(connection: Connection, run: str, first: int, last: int, now_us: int) -> None:
    connection.execute(
        "UPDATE outbox SET quarantined_us = ? WHERE run_id = (SELECT id FROM runs WHERE run = ?)"
        " AND seq BETWEEN ? AND ? AND quarantined_us IS NULL",
        (now_us, run, first, last),
    )


def declare(connection: Connection, run: str, first: int, last: int, reason: str, now_us: int) -> None:
    """Keep in mind that a range was said to be missing, so that it is said once."""
    connection.execute(
        "INSERT INTO missing (run_id, first_seq, last_seq, reason, said_us)"
        " SELECT id, ?, ?, ?, ? FROM runs WHERE run = ?",
        (first, last, reason, now_us, run),
    )


def held(connection: Connection) -> list[HeldRun]:
    """Every run of which something is held, oldest first."""
    found = []
    for run_id, run, last, through, probe in connection.execute(
        "SELECT id, run, last_seq, through, probe FROM runs ORDER BY id"
    ).fetchall():
        first = connection.execute("SELECT min(seq) FROM outbox WHERE run_id = ?", (run_id,)).fetchone()[0]
        if first is None:
            continue
        above = spans(_column(connection, run_id, "settled_us IS NOT NULL AND seq > ?", through))
        declared = connection.execute(
            "SELECT first_seq, last_seq FROM missing WHERE run_id = ? ORDER BY first_seq", (run_id,)
        ).fetchall()
        found.append(
            HeldRun(
                run=run,
                held_from=first,
                last=last,
                settled=(*([(1, through)] if through else ()), *above),
                quarantined=tuple(_column(connection, run_id, "quarantined_us IS NOT NULL AND seq > ?", 0)),
                declared=tuple(declared),
                probe=bool(probe),
            )
        )
    return found


def counts(connection: Connection) -> Counts:
    waiting = connection.execute(
        "SELECT count(*) FROM outbox WHERE settled_us IS NULL AND quarantined_us IS NULL"
    ).fetchone()[0]
    quarantined = connection.execute(
        "SELECT count(*) FROM outbox WHERE settled_us IS NULL AND quarantined_us IS NOT NULL"
    ).fetchone()[0]
    return Counts(waiting, quarantined, oldest_waiting_us(connection))


def oldest_waiting_us(connection: Connection) -> int | None:
    """When the first event that is neither acknowledged nor quarantined was said."""
    row = connection.execute(
        "SELECT said_us FROM outbox WHERE settled_us IS NULL AND quarantined_us IS NULL"
        " ORDER BY run_id, seq LIMIT 1"
    ).fetchone()
    return row[0] if row else None


def trim(connection: Connection, settled_before_us: int, now_us: int) -> dict[str, int]:
    """Delete acknowledged history, oldest first, at most TRIM_ROWS rows; returns from where each run is held now."""
    left = TRIM_ROWS
    held_from: dict[str, int] = {}
    for run_id, run, last, through in connection.execute(
        "SELECT id, run, last_seq, through FROM runs ORDER BY id"
    ).fetchall():
        first_kept = min(_first_kept(connection, run_id, settled_before_us, left), through + 1, last)
        gone = connection.execute(
            "DELETE FROM outbox WHERE id IN"
            " (SELECT id FROM outbox WHERE run_id = ? AND seq < ? ORDER BY seq LIMIT ?)",
            (run_id, first_kept, left),
        ).rowcount
        if gone:
            left -= gone
            held_from[run] = connection.execute(
                "SELECT min(seq) FROM outbox WHERE run_id = ?", (run_id,)
            ).fetchone()[0]
        if left <= 0:
            break
    _trim_runs(connection, now_us - PROBE_DAYS * DAY_US)
    return held_from


def _first_kept(connection: Connection, run_id: int, settled_before_us: int, limit: int) -> int:
    """The first `seq` that is not old history, looking at no more than `limit` events."""
    seq = 0
    for seq, settled_us in connection.execute(
        "SELECT seq, settled_us FROM outbox WHERE run_id = ? ORDER BY seq LIMIT ?", (run_id, limit)
    ):
        if settled_us is None or settled_us >= settled_before_us:
            return int(seq)
    return seq + 1


def _trim_runs(connection: Connection, before_us: int) -> None:
    """Forget runs, never the newest, of which only the last event is left and that long acknowledged."""
    ended = connection.execute(
        "SELECT runs.id FROM runs JOIN outbox ON outbox.run_id = runs.id"
        " WHERE runs.through >= runs.last_seq AND runs.id < (SELECT max(id) FROM runs)"
        " GROUP BY runs.id HAVING count(*) = 1 AND max(outbox.settled_us) < ?",
        (before_us,),
    ).fetchall()
    for table, key in (("outbox", "run_id"), ("missing", "run_id"), ("runs", "id")):
        connection.executemany(f"DELETE FROM {table} WHERE {key} = ?", ended)


def _column(connection: Connection, run_id: int, where: str, above: int) -> list[int]:
    rows = connection.execute(
        f"SELECT seq FROM outbox WHERE run_id = ? AND {where} ORDER BY seq", (run_id, above)
    )
    return [seq for (seq,) in rows]
