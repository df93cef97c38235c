"""Follows the ledger into InfluxDB. What it writes is decided by positions in the ledger, so that an outage delays it
and loses nothing, and a restart at worst writes the same points again."""

import logging
from collections.abc import Callable
from datetime import datetime, timedelta

from cloud.ledger.cursors import advance
from cloud.ledger.database import Database
from cloud.series.influx import Influx, SeriesDown
from cloud.series.ledger import LINES_AT_ONCE, Batch, pending
from cloud.series.samples import EVERY, Sampler

log = logging.getLogger(__name__)

RETRY_FIRST_S = 1.0
RETRY_MOST_S = 30.0


class SeriesWriter:
    """A follower of the ledger; see cloud/followers.py."""

    name = "series"

    def __init__(self, database: Database, influx: Influx, *, now: Callable[[], datetime]) -> None:
        self._database = database
        self._influx = influx
        self._now = now
        self._sampler = Sampler()
        self._retry_s = RETRY_FIRST_S
        self._not_before: datetime | None = None
        self._trouble = ""

    @property
    def trouble(self) -> str:
        """Why nothing can be written, for a person; empty when it can."""
        return self._trouble

    def step(self) -> float:
        """Write everything that is not yet written; return the seconds until to look again."""
        now = self._now()
        if self._not_before is not None and now < self._not_before:
            return (self._not_before - now).total_seconds()  # news does not make the server any better
        try:
            while self._catch_up():
                pass
            self._sample()
        except SeriesDown as error:
            return self._down(error)
        self._up()
        return EVERY.total_seconds()

    def _catch_up(self) -> bool:
        """Write about a request's worth of what is behind, a little of each; return whether there was any."""
        batches: list[Batch] = []
        lines: list[str] = []
        with self._database.read() as connection:
            for batch in pending(connection):
                batches.append(batch)
                lines += batch.lines
                if len(lines) >= LINES_AT_ONCE:
                    break
        for start in range(0, len(lines), LINES_AT_ONCE):
            self._influx.write(lines[start : start + LINES_AT_ONCE])
        if batches:
            with self._database.write() as connection:
                for batch in batches:
                    advance(connection, batch.cursor, batch.site_id, batch.position)
        return bool(batches)

    def _sample(self) -> None:
        now = self._now()
        if not self._sampler.due(now):
            return
        with self._database.read() as connection:
            lines = self._sampler.sample(connection, now)
        try:
            self._influx.write(lines)
        except SeriesDown:
            self._sampler.forget()
            raise

    def _down(self, error: SeriesDown) -> float:
        # Said once, until it works again or the reason is another.
        level = logging.DEBUG if self._trouble == str(error) else logging.WARNING
        log.log(level, "the series database takes nothing, and what is due waits: %s", error)
        self._trouble = str(error)
        wait_s = self._retry_s if error.retry_after_s is None else error.retry_after_s
        self._retry_s = min(2 * self._retry_s, RETRY_MOST_S)
        self._not_before = self._now() + timedelta(seconds=wait_s)
        return wait_s

    def _up(self) -> None:
        if self._trouble:
            log.info("the series database takes points again")
        self._trouble, self._not_before, self._retry_s = "", None, RETRY_FIRST_S
