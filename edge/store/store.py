"""What an edge keeps safe: events until the ledger has them, reads until they are aggregated, and the state between.

Use one Store from one thread at a time (thread.py sees to it). Everything that returned is on the disk.
"""

import logging
import secrets
import sqlite3
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from edge.errors import StoreError, StoreFull
from edge.store import commands, journal, meta, outbox, schema
from edge.store.commands import Handled
from edge.store.held import Counts, HeldRun, Range, Trusted
from edge.store.journal import Timed
from edge.store.lock import Lock
from wire.codec import encode
from wire.envelope import Envelope
from wire.events import Event

log = logging.getLogger(__name__)

# "database or disk is full", and the same while the shared memory file of the WAL grows.
FULL = (sqlite3.SQLITE_FULL, sqlite3.SQLITE_IOERR_SHMSIZE)
VACUUM_PAGES = 2_000  # 8 MB a transaction go back to the disk when it is short


@dataclass(frozen=True, slots=True)
class Started:
    """What the first event of a run says of the one before it."""

    previous_run: str | None
    previous_last_seq: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Cycle:
    """What one transaction of the agent takes.

    Attributes:
        said: events of the previous aggregation, in order.
        state: what changed in the aggregator since it was last saved, None when it is not saved this time. It belongs
            to `position`: everything up to there has been aggregated.
        reads: new reads, to be aggregated once they are safe.
        handled: commands that were carried out, or refused, by what is in `said` and `state`.
        steady_ms: the agent's steady clock now.
    """

    said: Sequence[Event] = ()
    state: Mapping[str, bytes] | None = None
    position: int = 0
    reads: Sequence[Timed] = ()
    handled: Sequence[Handled] = ()
    steady_ms: int


class Store:
    """The one writer of an edge's file.

    Raises:
        StoreError: the file cannot be opened, belongs to another edge, or another agent has it.
    """

    def __init__(
        self, path: Path, edge: str, *, now_us: Callable[[], int], journal_bytes: int = 2_000_000_000
    ) -> None:
        self.path = path
        self.edge = edge
        self.run = ""
        self.last_seq = 0
        self.refused = (
            0  # events that broke the contract of the wire and could not be said: a fault of this program
        )
        self._run_id = 0
        self.now_us = now_us
        self._journal_limit = journal_bytes
        self._lock = Lock(path)
        try:
            self.connection = schema.open_to_write(path)
        except StoreError:
            self._lock.release()
            raise
        try:
            self._must_be_of(edge)
            self.position = meta.number(self.connection, "position")
            self.journal_bytes = meta.number(self.connection, "journal_bytes")
        except StoreError:
            self.close()
            raise

    def close(self) -> None:
        self.connection.close()
        self._lock.release()

    def start_run(self, first: Callable[[Started], Event]) -> str:
        """Draw a new run and say its first event; returns the run."""
        run = secrets.token_hex(16)
        with self._transaction():
            before = outbox.newest_run(self.connection)
            run_id = outbox.add_run(self.connection, run, self.now_us())
            event = first(Started(*before) if before else Started(None, None))
            line = encode(Envelope(edge=self.edge, run=run, seq=1, event=event))
            outbox.append(self.connection, run_id, [(1, line)], self.now_us())
        self.run, self._run_id, self.last_seq = run, run_id, 1
        return run

    def commit(self, cycle: Cycle) -> int:
        """One cycle of the agent, in one transaction; returns the position of `cycle.reads` in the journal.

        Raises:
            StoreFull: nothing of it was written; it may be tried again as it is.
        """
        lines = self._encode(cycle.said)
        saved = self.position if cycle.state is None else cycle.position
        position, size = saved, 0
        with self._transaction():
            if lines:
                outbox.append(self.connection, self._run_id, lines, self.now_us())
            if cycle.state is not None:
                meta.save(self.connection, cycle.state)
                meta.put(self.connection, "position", saved)
            if cycle.handled:
                commands.save(self.connection, cycle.handled, self.now_us())
            if cycle.reads:
                position, size = journal.append(self.connection, cycle.reads)
            size -= self._trim_journal(self.journal_bytes + size - self._journal_limit, saved)
            if size:
                meta.put(self.connection, "journal_bytes", self.journal_bytes + size)
            meta.put(self.connection, "steady_ms", cycle.steady_ms)
        self.last_seq += len(lines)
        self.position = saved
        self.journal_bytes += size
        return position

    def lines(self, run: str, seqs: Sequence[int]) -> list[tuple[int, bytes]]:
        """Those of the ascending `seqs` of a run that are held, with the bytes that stand for them."""
        with self._reading():
            return outbox.lines(self.connection, run, seqs)

    def settle(self, run: str, ranges: Sequence[Range], through: int) -> None:
        """The ledger has `ranges` of a run, and all of it up to `through`."""
        with self._transaction():
            outbox.settle(self.connection, run, ranges, through, self.now_us())

    def trust(self, trusted: Trusted, *, forget: bool) -> None:
        """Keep in mind whose acknowledgements count; `forget` what was settled by them before."""
        with self._transaction():
            meta.trust(self.connection, trusted)
            if forget:
                outbox.forget_settlements(self.connection)

    def declare(self, event: Event, run: str, span: Range, reason: str, *, quarantine: bool) -> None:
        """Say that a range of a run will not come, once and for all; `event` says it, in the present run."""
        lines = self._encode([event])
        with self._transaction():
            if quarantine:
                outbox.quarantine(self.connection, run, *span, self.now_us())
            outbox.declare(self.connection, run, *span, reason, self.now_us())
            if lines:
                outbox.append(self.connection, self._run_id, lines, self.now_us())
        self.last_seq += len(lines)

    def trim(self, keep_us: int) -> dict[str, int]:
        """Delete some of the history that was acknowledged longer ago; returns from where each run is held now."""
        now_us = self.now_us()
        with self._transaction():
            return outbox.trim(self.connection, now_us - keep_us, now_us)

    def make_room(self) -> dict[str, int] | None:
        """Give some history back to the disk, whatever its age: acknowledged events and the aggregated journal.

        Returns as `trim`, or None when there is nothing left to give.
        """
        now_us = self.now_us()
        with self._transaction():
            held_from = outbox.trim(self.connection, now_us + 1, now_us)
            gone = self._trim_journal(self.journal_bytes, self.position)
            if gone:
                meta.put(self.connection, "journal_bytes", self.journal_bytes - gone)
        self.journal_bytes -= gone
        with self._reading():
            self.connection.execute(f"PRAGMA incremental_vacuum({VACUUM_PAGES})").fetchall()
            self.connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()
            spare = self.connection.execute("PRAGMA freelist_count").fetchone()[0]
        return held_from if held_from or gone or spare else None

    def states(self) -> dict[str, bytes]:
        with self._reading():
            return meta.states(self.connection)

    def handled(self, command: str) -> Handled | None:
        """What became of a command that came before; None of one that is new, or so old that it is forgotten."""
        with self._reading():
            return commands.find(self.connection, command)

    def tail(self, position: int | None = None, *, limit: int = 100) -> list[tuple[int, list[Timed]]]:
        """Journalled batches behind a position, or behind what `states` covers, oldest first."""
        with self._reading():
            return journal.after(self.connection, self.position if position is None else position, limit)

    def held(self) -> list[HeldRun]:
        with self._reading():
            return outbox.held(self.connection)

    def counts(self) -> Counts:
        with self._reading():
            return outbox.counts(self.connection)

    def oldest_waiting_us(self) -> int | None:
        with self._reading():
            return outbox.oldest_waiting_us(self.connection)

    def trusted(self) -> Trusted | None:
        with self._reading():
            return meta.trusted(self.connection)

    def steady_ms(self) -> int:
        """The steady clock when it was last saved; 0 in a new store."""
        with self._reading():
            return meta.number(self.connection, "steady_ms")

    def _encode(self, events: Sequence[Event]) -> list[tuple[int, bytes]]:
        lines: list[tuple[int, bytes]] = []
        for event in events:
            seq = self.last_seq + len(lines) + 1
            try:
                lines.append((seq, encode(Envelope(edge=self.edge, run=self.run, seq=seq, event=event))))
            except ValueError as error:
                # Saying nothing would be silent, stopping would lose what comes after: counted, logged and shown.
                self.refused += 1
                log.error("an event could not be said: %s: %r", error, event)
        return lines

    def _trim_journal(self, excess: int, aggregated: int) -> int:
        return journal.trim(self.connection, excess, aggregated) if excess > 0 else 0

    def _must_be_of(self, edge: str) -> None:
        with self._transaction():
            owner = meta.get(self.connection, "edge")
            if owner is None:
                meta.put(self.connection, "edge", edge)
            elif owner != edge:
                raise StoreError(
                    f"{self.path} belongs to the edge {owner!r}, not {edge!r}; choose another path"
                )

    @contextmanager
    def _reading(self) -> Iterator[None]:
        try:
            yield
        except sqlite3.Error as error:
            raise self._said(error) from error

    @contextmanager
    def _transaction(self) -> Iterator[None]:
        try:
            self.connection.execute("BEGIN IMMEDIATE")
            try:
                yield
                self.connection.execute("COMMIT")
            except BaseException:
                if self.connection.in_transaction:
                    self.connection.execute("ROLLBACK")
                raise
        except sqlite3.Error as error:
            raise self._said(error) from error

    def _said(self, error: sqlite3.Error) -> StoreError:
        full = getattr(error, "sqlite_errorcode", None) in FULL
        return (StoreFull if full else StoreError)(f"{self.path}: {error}")
