"""The post between the ledger and the broker: which commands go out now, and what their replies bring about.

A command is sent until its edge answers or its time is over. An edge that hears it twice does it once.
"""

import logging
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta

from sqlalchemy import select, update

from cloud.commands import effects
from cloud.commands.states import ASKED, EXPIRED
from cloud.errors import BookingError
from cloud.ledger.database import Database
from cloud.ledger.tables import commands
from wire.codec import decode_command, decode_reply
from wire.commands import Outcome, Reply
from wire.errors import DecodeError

log = logging.getLogger(__name__)

FIRST_AGAIN_S, LONGEST_AGAIN_S = 2.0, 10.0  # an edge that is there answers within a second
MOST = 100  # sent at once


class Post:
    """Blocking: call it from a thread."""

    def __init__(self, database: Database, now: Callable[[], datetime], changed: Callable[[], None]) -> None:
        self._database = database
        self._now = now
        self._changed = changed

    def due(self) -> Sequence[tuple[str, bytes]]:
        """Edges and the commands to send them now; those whose time is over are closed."""
        now = self._now()
        query = (
            select(commands.c.id, commands.c.edge, commands.c.line, commands.c.sends, commands.c.expires_at)
            .where(commands.c.state == ASKED, commands.c.next_at <= now)
            .order_by(commands.c.asked_at)
            .limit(MOST)
        )
        with self._database.read() as connection:
            if connection.execute(query).first() is None:
                return []
        with self._database.write() as connection:
            found: list[tuple[str, bytes]] = []
            # Several processes share a PostgreSQL ledger: each command is sent by one of them at a time.
            for row in connection.execute(query.with_for_update(skip_locked=True)).all():
                if now >= row.expires_at:
                    values = {"state": EXPIRED, "words": _unanswered(row.edge, row.sends)}
                else:
                    again_s = min(FIRST_AGAIN_S * 2.0 ** min(row.sends, 10), LONGEST_AGAIN_S)
                    next_at = min(now + timedelta(seconds=again_s), row.expires_at)
                    values = {"sends": row.sends + 1, "next_at": next_at}
                    found.append((row.edge, row.line))
                connection.execute(update(commands).where(commands.c.id == row.id).values(**values))
        return found

    def arrived(self, edge: str, payload: bytes) -> None:
        """A reply has come. Whatever it is, it harms nothing else."""
        try:
            reply = decode_reply(payload)
        except DecodeError as error:
            log.warning("edge %s: not a reply: %s", edge, error)
            return
        if reply.edge != edge:
            log.warning("a reply of edge %s says that it is of %s: passed over", edge, reply.edge)
            return
        if self._settle(reply):
            self._changed()

    def _settle(self, reply: Reply) -> bool:
        """Whether it was the answer to something that was asked, and not answered yet."""
        now = self._now()
        query = (
            select(commands)
            .where(
                commands.c.id == reply.id,
                commands.c.edge == reply.edge,
                commands.c.state.in_([ASKED, EXPIRED]),
            )
            .with_for_update()
        )
        with self._database.write() as connection:
            row = connection.execute(query).first()
            if row is None:
                return False
            words = reply.words
            if reply.outcome is Outcome.DONE:
                try:
                    with connection.begin_nested():
                        effects.follow(connection, row, decode_command(row.line).order, now)
                except BookingError as error:
                    words = f"{words}; but the ledger could not follow: {error}"
                    log.error("command %s of %s: %s", reply.id, reply.edge, error)
            connection.execute(
                update(commands)
                .where(commands.c.id == reply.id)
                .values(
                    state=reply.outcome.value,
                    words=words,
                    answered_at=now,
                    levels=[_level(level) for level in reply.levels],
                )
            )
        return True


def _level(level: object) -> dict[str, object]:
    names = ("shelf", "bay", "grams", "item", "units", "stable")
    return {name: getattr(level, name) for name in names}


def _unanswered(edge: str, sends: int) -> str:
    if not sends:
        return "it was never sent: this cloud had no connection to its broker"
    return (
        f"{edge} did not answer: it is not connected, or older than commands. If it heard this after all, its answer "
        "still counts"
    )
