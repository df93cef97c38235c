"""A run's progress: one locked row, from which its acknowledgements are made."""

from collections.abc import Iterable, Mapping
from datetime import datetime

from sqlalchemy import Connection, select, tuple_, update

from cloud.ingest.progress import Progress
from cloud.ledger.database import insert
from cloud.ledger.tables import runs

RunKey = tuple[str, str]  # edge, run
RUNS_A_QUERY = 500


def lock(connection: Connection, keys: Iterable[RunKey], at: datetime) -> dict[RunKey, Progress]:
    """Lock the rows of these runs, in order, making those that are new; return their progress."""
    wanted = sorted(set(keys))
    connection.execute(
        insert(connection, runs).on_conflict_do_nothing(index_elements=[runs.c.edge, runs.c.run]),
        [
            {"edge": edge, "run": run, "through": 0, "ranges": [], "first_at": at, "last_at": at}
            for edge, run in wanted
        ],
    )
    found: dict[RunKey, Progress] = {}
    for start in range(0, len(wanted), RUNS_A_QUERY):
        rows = connection.execute(
            select(runs.c.edge, runs.c.run, runs.c.through, runs.c.ranges)
            .where(tuple_(runs.c.edge, runs.c.run).in_(wanted[start : start + RUNS_A_QUERY]))
            .order_by(runs.c.edge, runs.c.run)
            .with_for_update()
        )
        for row in rows:
            ranges = tuple((first, last) for first, last in row.ranges)
            found[row.edge, row.run] = Progress(row.through, ranges)
    return found


def save(connection: Connection, progress: Mapping[RunKey, Progress], at: datetime) -> None:
    for (edge, run), settled in sorted(progress.items()):
        connection.execute(
            update(runs)
            .where(runs.c.edge == edge, runs.c.run == run)
            .values(through=settled.through, ranges=[list(span) for span in settled.ranges], last_at=at)
        )
