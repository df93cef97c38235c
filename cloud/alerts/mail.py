"""Delivers the outbox by mail."""

import asyncio
import logging
from collections.abc import Callable
from datetime import datetime

from cloud.alerts import outbox
from cloud.alerts.outbox import Letter, Outcome, Verdict
from cloud.alerts.smtp import MailServer, ServerDown, deliver
from cloud.alerts.told import MAIL
from cloud.ledger.database import Database

log = logging.getLogger(__name__)

POLL_S = 1.0  # the outbox's schedule counts in seconds; news wakes the follower at once
DOWN_S = 5.0  # between attempts, whatever is due, while the server cannot be reached


class Mailer:
    """A follower of the ledger; see cloud/followers.py."""

    name = "mail"

    def __init__(
        self, database: Database, server: MailServer, sender: str, *, now: Callable[[], datetime]
    ) -> None:
        self._database = database
        self._server = server
        self._sender = sender
        self._now = now
        self._trouble = ""

    @property
    def trouble(self) -> str:
        """Why the server cannot be reached, for a person; empty when it can."""
        return self._trouble

    def step(self) -> float:
        """Send everything that is due; return the seconds until to look again."""
        while True:
            letter = self._lease()
            if letter is None:
                return POLL_S
            try:
                outcomes = asyncio.run(deliver(self._server, letter, self._sender))
                self._reached()
            except ServerDown as error:
                self._unreachable(str(error))
                outcomes = dict.fromkeys(letter.due, Outcome(Verdict.RETRY, str(error)))
            with self._database.write() as connection:
                outbox.settle(connection, MAIL, letter, outcomes, self._now())
            if self._trouble:
                return DOWN_S
            refused = [item for item in outcomes.items() if item[1].verdict is not Verdict.SENT]
            if refused:
                log.warning("mail of alert %d was refused: %s", letter.alert_id, outbox.said(refused))

    def _lease(self) -> Letter | None:
        now = self._now()
        with self._database.read() as connection:
            if not outbox.waits(connection, MAIL, now):
                return None
        with self._database.write() as connection:
            return outbox.lease(connection, MAIL, now)

    def _reached(self) -> None:
        if self._trouble:
            log.info("mail goes out again")
        self._trouble = ""

    def _unreachable(self, why: str) -> None:
        # Said once, until it works again or the reason is another.
        log.log(logging.DEBUG if self._trouble == why else logging.WARNING, "mail waits: %s", why)
        self._trouble = why
