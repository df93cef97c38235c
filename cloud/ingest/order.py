"""Which events may be booked yet.

What a change of a shelf means depends on the changes before it: what the basket holds, how long the bay had been low.
So it waits, stored and acknowledged, until everything that its edge said before it is there: its own run up to it, and
the runs before that one. After PATIENCE it is booked all the same, because an event that never comes must not stand in
the way of others. Tags need not wait: a crossing is judged by its history whenever it arrives.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import Connection, exists, select, tuple_

from cloud.ingest.lines import Delivery, Line, read
from cloud.ingest.progress import Progress
from cloud.ingest.runs import RunKey
from cloud.ledger.tables import envelopes, runs
from wire.envelope import Key
from wire.events import RunStarted, ShelfChange

WAITING = "waiting"

# An edge sends again what it sees was overtaken, else after 15 s, then 30 s, up to a quarter more by chance.
PATIENCE = timedelta(seconds=60)
RUNS_BACK = 8  # earlier runs asked for; an agent that starts more often within PATIENCE is in a crash loop
MOST = 2000  # of them looked at in one transaction


@dataclass(frozen=True, slots=True)
class Turn:
    now: list[Line]  # to be booked, as they were said: the earlier run first, then by `seq`
    later: list[Key]  # to wait
    released: list[Key]  # those of `now` that had been waiting


@dataclass(frozen=True, slots=True)
class _Run:
    through: int
    previous: RunKey | None = None
    previous_last_seq: int = 0


class Order:
    """Remembers only which holes it no longer waits for; after a restart it waits for them once more."""

    def __init__(self) -> None:
        self._given_up: dict[RunKey, int] = {}  # run -> its `through` when patience ended

    def turn(
        self,
        connection: Connection,
        fresh: Sequence[Line],
        progress: Mapping[RunKey, Progress],
        now: datetime,
    ) -> Turn:
        """Tell what is to be booked of `fresh`, and of what has been waiting for the edges of `progress`.

        `progress` has the runs of `fresh` at least, and `fresh` settled in them.
        """
        waiting = _stored(connection, {edge for edge, _ in progress})
        changes = [*waiting, *(line for line in fresh if isinstance(line.event, ShelfChange))]
        known = _chain(connection, {_run(line) for line in changes}, fresh, progress)
        for line in waiting:
            hole = self._hole(known, line)
            if hole is not None and now - line.received_at >= PATIENCE:
                self._given_up[hole] = known[hole].through
        held = {line.key for line in changes if self._hole(known, line)}
        ready = [line for line in (*fresh, *waiting) if line.key not in held]
        ready.sort(key=lambda line: (line.key.edge, _rank(known, _run(line)), line.key.run, line.key.seq))
        fresh_keys = {line.key for line in fresh}
        return Turn(
            now=ready,
            later=[key for key in held if key in fresh_keys],
            released=[line.key for line in waiting if line.key not in held],
        )

    def _hole(self, known: Mapping[RunKey, _Run], line: Line) -> RunKey | None:
        """The run that lacks something which was said before this line; the earliest such run."""
        found = None
        run: RunKey | None = _run(line)
        needed = line.key.seq
        for _ in range(RUNS_BACK):
            if run is None or run not in known:
                break
            through = known[run].through
            if through < needed and self._given_up.get(run) != through:
                found = run
            needed = known[run].previous_last_seq
            run = known[run].previous
        return found


def any_waiting(connection: Connection) -> bool:
    return bool(connection.scalar(select(exists().where(envelopes.c.state == WAITING))))


def edges_waiting(connection: Connection) -> set[RunKey]:
    """The runs that have events waiting."""
    rows = connection.execute(
        select(envelopes.c.edge, envelopes.c.run).where(envelopes.c.state == WAITING).distinct()
    )
    return {(row.edge, row.run) for row in rows}


def _stored(connection: Connection, edges: Iterable[str]) -> list[Line]:
    """What waits of these edges, oldest receipt first."""
    rows = connection.execute(
        select(envelopes.c.edge, envelopes.c.line, envelopes.c.received_at)
        .where(envelopes.c.state == WAITING, envelopes.c.edge.in_(sorted(edges)))
        .order_by(envelopes.c.received_at, envelopes.c.seq)
        .limit(MOST)
    ).all()
    return read([Delivery(row.edge, row.line, row.received_at) for row in rows]).lines


def _chain(
    connection: Connection, wanted: set[RunKey], fresh: Iterable[Line], progress: Mapping[RunKey, Progress]
) -> dict[RunKey, _Run]:
    """These runs and those before them, as far as the ledger has heard of them."""
    started = {_run(line): line.event for line in fresh if isinstance(line.event, RunStarted)}
    known: dict[RunKey, _Run] = {}
    for _ in range(RUNS_BACK):
        if not wanted:
            break
        rows = connection.execute(
            select(
                runs.c.edge, runs.c.run, runs.c.through, runs.c.previous_run, runs.c.previous_last_seq
            ).where(tuple_(runs.c.edge, runs.c.run).in_(sorted(wanted)))
        )
        for row in rows:
            key = (row.edge, row.run)
            previous, last = row.previous_run, row.previous_last_seq
            if event := started.get(key):
                previous, last = event.previous_run, event.previous_last_seq
            through = progress[key].through if key in progress else row.through
            known[key] = _Run(through, (row.edge, previous) if previous else None, last or 0)
        wanted = {run.previous for run in known.values() if run.previous} - known.keys()
    return known


def _rank(known: Mapping[RunKey, _Run], run: RunKey) -> int:
    """How many known runs came before this one."""
    for rank in range(RUNS_BACK):
        previous = known[run].previous if run in known else None
        if previous is None or previous not in known:
            return rank
        run = previous
    return RUNS_BACK


def _run(line: Line) -> RunKey:
    return line.key.edge, line.key.run
