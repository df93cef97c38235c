"""Booking the events of one transaction: what each is, and what becomes of one that cannot be booked."""

import logging
from collections.abc import Mapping, Sequence
from datetime import datetime

from sqlalchemy import Connection, exc

from cloud import conditions, fills, service
from cloud.booking import Batch, Occasion, occasion
from cloud.errors import BookingError, LedgerError
from cloud.ingest import edgebook
from cloud.ingest.keep import PARKED, UNBOOKED
from cloud.ingest.lines import Line
from cloud.ingest.progress import Progress
from cloud.ingest.runs import RunKey
from cloud.ledger.book import lock_head
from cloud.ledger.master import Master
from cloud.shelves import ShelfBook
from cloud.tags.gatebook import GateBook, sites_of
from wire.envelope import Key
from wire.events import (
    BayFill,
    BayState,
    Blind,
    DeviceDown,
    DeviceUp,
    Event,
    Missing,
    Passage,
    RunStarted,
    ShelfChange,
    TagMovement,
    UnknownEvent,
    Watermark,
)

log = logging.getLogger(__name__)

# Trouble of the database or of the connection to it, not of an event: nothing is booked, and all is tried again.
TROUBLE = (exc.OperationalError, exc.InterfaceError, exc.InternalError, exc.TimeoutError, LedgerError)
States = dict[Key, tuple[str, str]]  # of envelopes that are not booked: state and reason


class Booker:
    """Books lines into one transaction, together if it can, else one by one."""

    def __init__(
        self, connection: Connection, master: Master, progress: dict[RunKey, Progress], now: datetime
    ) -> None:
        """`progress` has every run that a line belongs to or names; Missing changes it."""
        self._connection = connection
        self._master = master
        self._progress = progress
        self._now = now
        self.posted = 0

    def book(self, lines: Sequence[Line]) -> States:
        """Book all of them; return the states of those that are not booked."""
        self._lock_sites(lines)
        states: States = {}
        progress = dict(self._progress)
        try:
            with self._connection.begin_nested():
                self._book_together(lines, states)
        except TROUBLE:
            raise
        except Exception:
            # Something only showed when it was written. Find it by booking each event in a savepoint of its own.
            self._progress.update(progress)
            return self._book_singly(lines)
        return states

    def _book_singly(self, lines: Sequence[Line]) -> States:
        states: States = {}
        for line in lines:
            progress = dict(self._progress)
            own: States = {}
            try:
                with self._connection.begin_nested():
                    self._book_together([line], own)
            except TROUBLE:
                raise
            except Exception as error:
                # Whatever it is, one event must not stand in the way of all others: a person will look at it.
                if not isinstance(error, BookingError):
                    log.exception("event %s/%s/%d cannot be booked", *line.key)
                self._progress.update(progress)
                own = {line.key: (PARKED, _reason(error))}
            states |= own
        return states

    def _lock_sites(self, lines: Sequence[Line]) -> None:
        """In order, and before anything else is read: a tag may stand at another site than its gate's."""
        site_ids = {
            self._master.edges[line.key.edge] for line in lines if line.key.edge in self._master.edges
        }
        crossed = [line.event for line in lines if isinstance(line.event, TagMovement)]
        if site_ids and crossed:
            site_ids |= sites_of(self._connection, crossed)
        for site_id in sorted(site_ids):
            lock_head(self._connection, site_id)

    def _book_together(self, lines: Sequence[Line], states: States) -> None:
        batch = Batch(self._connection, self._master)
        books = _Books(batch, self._progress)
        books.gates.prefetch(
            (line.key, line.event) for line in lines if isinstance(line.event, TagMovement | Passage)
        )
        for line in lines:
            if line.event is None:
                states[line.key] = (PARKED, line.problem)
            elif isinstance(line.event, UnknownEvent):
                states[line.key] = (UNBOOKED, f"type {line.event.type!r} is not known to this version")
            else:
                try:
                    books.book(occasion(line.key, line.event, line.received_at, self._now), line.event)
                except BookingError as error:  # raised before anything of the event was collected
                    states[line.key] = (PARKED, _reason(error))
        batch.flush()
        self.posted += batch.posted


class _Books:
    """One batch's books, and which event goes into which."""

    def __init__(self, batch: Batch, progress: dict[RunKey, Progress]) -> None:
        self._connection = batch.connection
        self._master = batch.master
        self._enrolled: Mapping[str, int] = batch.master.edges
        self._progress = progress
        self.gates = GateBook(batch)
        self._shelves = ShelfBook(batch)

    def book(self, at: Occasion, event: Event) -> None:
        """Raises BookingError."""
        connection, site_id = self._connection, self._enrolled.get(at.key.edge)
        match event:
            case RunStarted():
                edgebook.run_started(connection, site_id, at, event)
            case Missing():
                edgebook.missing(connection, site_id, at, event, self._progress)
            case DeviceUp() | DeviceDown():
                edgebook.device(connection, at, event)
            case _ if site_id is None:
                raise BookingError(
                    f"edge {at.key.edge!r} is enrolled at no site: add it to sites.toml, load it, then retry"
                )
            case _:
                self._book_here(site_id, at, event)

    def _book_here(self, site_id: int, at: Occasion, event: Event) -> None:
        """What is said of a site. Raises BookingError."""
        match event:
            case TagMovement():
                self.gates.crossed(at, event)
            case Passage():
                self.gates.passed(at, event)
            case ShelfChange():
                self._shelves.changed(at, event)
            case BayState():
                service.state_changed(self._connection, self._master, at, event)
                conditions.asked(self._connection, self._master, at, event)
                self._shelves.forget_service()
            case BayFill():
                fills.filled(self._connection, self._master, at, event)
            case Blind():
                edgebook.blind(self._connection, site_id, at, event)
            case Watermark():
                edgebook.watermark(self._connection, at, event)


def _reason(error: Exception) -> str:
    """What to tell a person: the first line, as a database adds its statement and parameters."""
    text = str(error).partition("\n")[0]
    return text if isinstance(error, BookingError | exc.DBAPIError) else f"{type(error).__name__}: {text}"
