"""The booking thread: takes what came, books it in one transaction, and only then acknowledges."""

import logging
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, exc

from cloud.followers import Changes
from cloud.ingest import edgebook, runs
from cloud.ingest.acks import Acks
from cloud.ingest.booker import Booker, States
from cloud.ingest.inbox import Inbox
from cloud.ingest.keep import BOOKED, Kept, keep, keep_conflict, mark
from cloud.ingest.lines import Delivery, Line, read
from cloud.ingest.order import WAITING, Order, any_waiting, edges_waiting
from cloud.ingest.progress import Progress
from cloud.ingest.runs import RunKey
from cloud.ledger import identity, master
from cloud.ledger.database import Database
from cloud.ledger.master import Master
from wire.codec import decode_presence, decode_telemetry
from wire.errors import DecodeError
from wire.events import Missing
from wire.messages import Ack

log = logging.getLogger(__name__)

# A transaction takes deliveries of this much, about 4,000 events: long enough to make a commit cheap, and short enough
# (a fraction of a second) for what else writes to a SQLite ledger to wait.
BATCH_BYTES = 1024 * 1024
ACKED_RANGES = 1000  # what the contract allows; the rest is acknowledged when these have closed up
IDLE_S = 1.0
RETRY_FIRST_S, RETRY_MOST_S = 0.5, 15.0


@dataclass(slots=True)
class Counts:
    """What has been booked since the start, for health and metrics."""

    deliveries: int = 0
    events: int = 0  # stored now for the first time
    movements: int = 0
    duplicates: int = 0
    conflicts: int = 0
    parked: int = 0
    unreadable: int = 0
    foreign: int = 0


@dataclass(frozen=True, slots=True)
class Booked:
    """What one transaction did."""

    acks: list[tuple[str, Ack]]
    kept: Kept
    parked: dict[str, int]  # reason -> how many
    movements: int


class Ingest:
    """Books deliveries. Several of these may work on one PostgreSQL ledger at once."""

    def __init__(
        self, database: Database, inbox: Inbox, acks: Acks, changes: Changes, now: Callable[[], datetime]
    ) -> None:
        self._database = database
        self._inbox = inbox
        self._acks = acks
        self._changes = changes
        self._now = now
        self._master: Master | None = None
        self._order = Order()
        self.counts = Counts()

    def run(self, stop: threading.Event) -> None:
        """Book until told to stop (set `stop`, then close the inbox). What the database refuses is tried again."""
        while not stop.is_set():
            taken = self._inbox.take(BATCH_BYTES, IDLE_S)
            retry_s = RETRY_FIRST_S
            while not stop.is_set():
                try:
                    if taken:
                        self.newest(taken.telemetry, taken.presence)
                        self.book(taken.deliveries)
                    self.release()
                    break
                except Exception as error:
                    # The database is away, full or busy: nothing was acknowledged, so nothing is lost by trying again.
                    log.warning(
                        "booking failed, again in %.1f s: %s",
                        retry_s,
                        error,
                        exc_info=retry_s == RETRY_MOST_S,
                    )
                    self._master = None
                    stop.wait(retry_s)
                    retry_s = min(2 * retry_s, RETRY_MOST_S)

    def release(self) -> None:
        """Book what waited for an earlier event that has come, or has not come for too long."""
        with self._database.read() as connection:
            if not any_waiting(connection):
                return
        with self._database.write() as connection:
            progress = runs.lock(connection, edges_waiting(connection), self._now())
            posted = self._in_turn(connection, Kept([], 0, []), progress)[1]
        if posted:
            self.counts.movements += posted
            self._changes.tell()

    def book(self, deliveries: Sequence[Delivery]) -> None:
        """Store, book, commit, acknowledge, tell. Raises what the database raises; nothing is booked then."""
        if not deliveries:
            return
        found = read(deliveries)
        for problem in found.problems or ():
            log.warning("passed over: %s", problem)
        self.counts.deliveries += len(deliveries)
        self.counts.unreadable += found.unreadable
        self.counts.foreign += found.foreign
        if not found.lines:
            return
        with self._database.write() as connection:
            booked = self._book(connection, found.lines)
        for edge, ack in booked.acks:
            self._acks.put(edge, ack)
        self._count(booked)
        if booked.kept.fresh:
            self._changes.tell()

    def _book(self, connection: Connection, lines: Sequence[Line]) -> Booked:
        now = self._now()
        known = self._current_master(connection)
        progress = runs.lock(connection, _runs(lines), now)
        kept = keep(connection, lines, progress)
        for line in kept.conflicting:
            keep_conflict(connection, known.edges.get(line.key.edge), line)
        settled: dict[RunKey, list[int]] = {}
        for line in lines:
            settled.setdefault((line.key.edge, line.key.run), []).append(line.key.seq)
        for run, seqs in settled.items():
            progress[run] = progress[run].settle(seqs)
        states, posted = self._in_turn(connection, kept, progress)
        runs.save(connection, progress, now)
        who = identity.read(connection)
        parked: dict[str, int] = {}
        for state, reason in states.values():
            if state == "parked":
                parked[reason] = parked.get(reason, 0) + 1
        acks = [(edge, _ack(who, run, settled_run)) for (edge, run), settled_run in progress.items()]
        return Booked(acks, kept, parked, posted)

    def _in_turn(
        self, connection: Connection, kept: Kept, progress: dict[RunKey, Progress]
    ) -> tuple[States, int]:
        """Book what may be booked by now; return what is not booked and why, and how many movements there are."""
        now = self._now()
        turn = self._order.turn(connection, kept.fresh, progress, now)
        booker = Booker(connection, self._current_master(connection), progress, now)
        states = booker.book(turn.now) if turn.now else {}
        states |= dict.fromkeys(turn.later, (WAITING, ""))
        mark(connection, dict.fromkeys(turn.released, (BOOKED, "")) | states)
        return states, booker.posted

    def _current_master(self, connection: Connection) -> Master:
        if self._master is None or self._master.version != master.version(connection):
            self._master = master.read(connection)
        return self._master

    def _count(self, booked: Booked) -> None:
        for reason, count in booked.parked.items():
            log.warning("parked %d events: %s", count, reason)
        for line in booked.kept.conflicting:
            log.warning("event %s/%s/%d came again with other bytes; both are kept", *line.key)
        self.counts.events += len(booked.kept.fresh)
        self.counts.duplicates += booked.kept.duplicates
        self.counts.conflicts += len(booked.kept.conflicting)
        self.counts.parked += sum(booked.parked.values())
        self.counts.movements += booked.movements

    def newest(self, telemetry: Sequence[Delivery], presence: Sequence[Delivery]) -> None:
        """Store the newest state of each edge."""
        if not telemetry and not presence:
            return
        with self._database.write() as connection:
            known = self._current_master(connection)
            for delivery in sorted(telemetry, key=lambda one: one.edge):
                try:
                    self._telemetry(connection, known, delivery)
                except (DecodeError, exc.DataError, exc.IntegrityError, ArithmeticError) as error:
                    self.counts.unreadable += 1
                    log.warning("telemetry of %s passed over: %s", delivery.edge, error)
            for delivery in sorted(presence, key=lambda one: one.edge):
                try:
                    edgebook.presence(
                        connection, delivery.edge, decode_presence(delivery.payload), delivery.received_at
                    )
                except DecodeError as error:
                    self.counts.unreadable += 1
                    log.warning("status of %s passed over: %s", delivery.edge, error)
        self._changes.tell()

    def _telemetry(self, connection: Connection, known: Master, delivery: Delivery) -> None:
        said = decode_telemetry(delivery.payload)
        if said.edge != delivery.edge:
            self.counts.foreign += 1
            return
        with connection.begin_nested():
            edgebook.telemetry(connection, known, said, delivery.received_at)


def _runs(lines: Sequence[Line]) -> set[RunKey]:
    """Every run that is said or spoken of: all are locked, in order, before anything else."""
    found = {(line.key.edge, line.key.run) for line in lines}
    return found | {(line.key.edge, line.event.run) for line in lines if isinstance(line.event, Missing)}


def _ack(who: identity.Identity, run: str, progress: Progress) -> Ack:
    return Ack(
        ledger=who.ledger,
        generation=who.generation,
        run=run,
        through=progress.through,
        ranges=progress.ranges[:ACKED_RANGES],
    )
