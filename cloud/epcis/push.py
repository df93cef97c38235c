"""Follows the ledger into an EPCIS repository. What is told is stored before it is sent, and is sent as it is stored
until its repository has it: an outage delays it and loses nothing. A crash between the two at worst sends it again,
under the id that says it is the same."""

import logging
from collections.abc import Callable
from datetime import datetime, timedelta

from cloud.epcis import outbox
from cloud.epcis.capture import CaptureDown, Refused, Repository
from cloud.epcis.events import document
from cloud.epcis.manner import Manner
from cloud.epcis.outbox import State
from cloud.ledger.database import Database

log = logging.getLogger(__name__)

RETRY_FIRST_S = 1.0
RETRY_MOST_S = 60.0
LOOK_S = 5.0  # passages whose end has not been told come of age, and jobs end, without the ledger saying so


class EpcisPush:
    """A follower of the ledger; see cloud/followers.py."""

    name = "epcis"

    def __init__(
        self,
        database: Database,
        repository: Repository,
        manner: Manner,
        *,
        since: datetime | None = None,
        now: Callable[[], datetime],
    ) -> None:
        self._database = database
        self._repository = repository
        self._manner = manner
        self._since = since
        self._now = now
        self._retry_s = RETRY_FIRST_S
        self._not_before: datetime | None = None
        self._trouble = ""

    @property
    def trouble(self) -> str:
        """Why nothing can be told, for a person; empty when it can."""
        return self._trouble

    def step(self) -> float:
        """Make and hand over everything that is due; return the seconds until to look again."""
        while self._make():
            pass
        now = self._now()
        if self._not_before is not None and now < self._not_before:
            return min(
                (self._not_before - now).total_seconds(), LOOK_S
            )  # news does not make the server any better
        try:
            while self._hand_over():
                pass
            self._ask()
        except CaptureDown as error:
            return self._down(error)
        self._up()
        return LOOK_S

    def _make(self) -> bool:
        """A write transaction only where there is something to write."""
        now = self._now()
        with self._database.read() as connection:
            if not outbox.is_behind(connection, now):
                return False
        with self._database.write() as connection:
            outbox.forget(connection, now)
            return outbox.make(connection, self._manner, self._since, now)

    def _hand_over(self) -> bool:
        """Hand one document over; return whether there was one."""
        with self._database.read() as connection:
            due = outbox.due(connection)
        if not due:
            return False
        ids = [one.id for one in due]
        try:
            job = self._repository.capture(document((one.event for one in due), self._now()))
        except Refused as error:
            self._refused(ids, str(error))
            return True
        with self._database.write() as connection:
            outbox.settle(connection, ids, State.HANDED if job else State.TAKEN, self._now(), job)
        return True

    def _ask(self) -> None:
        """What became of documents that were handed over. Those refused are due again, each event alone."""
        with self._database.read() as connection:
            waiting = outbox.handed(connection)
        for handed in waiting:
            try:
                job = self._repository.job(handed.job)
            except CaptureDown as error:
                # It took the document and cannot say yet what came of it: no reason to hand over no more.
                log.debug("what became of %d events is not known yet: %s", len(handed.ids), error)
                return
            if job.errors:
                self._refused(handed.ids, job.errors)
            elif not job.running:
                with self._database.write() as connection:
                    outbox.settle(connection, handed.ids, State.TAKEN, self._now())

    def _refused(self, ids: tuple[int, ...] | list[int], why: str) -> None:
        with self._database.write() as connection:
            outbox.refuse(connection, ids, why, self._now())
        if len(ids) == 1:
            log.warning("the EPCIS repository refused an event, which is set aside: %s", why)

    def _down(self, error: CaptureDown) -> float:
        # Said once, until it works again or the reason is another.
        level = logging.DEBUG if self._trouble == str(error) else logging.WARNING
        log.log(level, "the EPCIS repository takes nothing, and what is due waits: %s", error)
        self._trouble = str(error)
        wait_s = self._retry_s if error.retry_after_s is None else error.retry_after_s
        self._retry_s = min(2 * self._retry_s, RETRY_MOST_S)
        self._not_before = self._now() + timedelta(seconds=wait_s)
        return min(wait_s, LOOK_S)

    def _up(self) -> None:
        if self._trouble:
            log.info("the EPCIS repository takes events again")
        self._trouble, self._not_before, self._retry_s = "", None, RETRY_FIRST_S
