"""The durable outbox: what is to be told, and what became of it. One row for each recipient of each event.

A message is leased before it is sent and settled afterwards. A process that dies in between leaves the lease to run
out, and the same message, under the same Message-ID, may then be sent again: at least once, never silently not.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from sqlalchemy import ColumnElement, Connection, select, update

from cloud.ledger.tables import ledgers, notifications

# Longer than one delivery may take (mail.SEND_S), so that nobody else sends what is being sent.
LEASE = timedelta(seconds=120)

# After each failed attempt; the last holds for all that follow. A mail server that greylists wants minutes (RFC 6647,
# section 2.1), one that restarts needs seconds, and a low shelf is worth knowing about all day.
RETRY = tuple(timedelta(seconds=seconds) for seconds in (5, 30, 120, 600, 1800))
GIVE_UP = timedelta(hours=24)  # yesterday's shelf is no news


class Verdict(StrEnum):
    SENT = "sent"
    RETRY = "retry"
    FAILED = "failed"  # refused for good


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of one recipient's copy. `error` is the server's own words, or ours."""

    verdict: Verdict
    error: str = ""


@dataclass(frozen=True, slots=True)
class Letter:
    """One message, leased to be sent now to `due`: those of `everyone` it is for who have not had it yet."""

    ledger: str
    alert_id: int
    event: str
    subject: str
    body: str
    created_at: datetime
    everyone: tuple[str, ...]
    due: tuple[str, ...]


def waits(connection: Connection, channel: str, now: datetime) -> bool:
    """Whether anything is due: asked on a reading connection, so that asking never makes a booking wait."""
    return (
        connection.execute(select(notifications.c.id).where(_is_due(channel, now)).limit(1)).first()
        is not None
    )


def _is_due(channel: str, now: datetime) -> ColumnElement[bool]:
    return (
        (notifications.c.channel == channel)
        & (notifications.c.state == "pending")
        & (notifications.c.next_at <= now)
    )


def lease(connection: Connection, channel: str, now: datetime) -> Letter | None:
    """Take the oldest message that is due; None when there is none."""
    due_now = _is_due(channel, now)
    first = (
        select(notifications).where(due_now).order_by(notifications.c.next_at, notifications.c.id).limit(1)
    )
    while (oldest := connection.execute(first).first()) is not None:
        same = (
            (notifications.c.alert_id == oldest.alert_id)
            & (notifications.c.event == oldest.event)
            & (notifications.c.channel == channel)
        )
        # All its rows at once and in order, or two processes could each hold a row that the other wants.
        rows = connection.execute(
            select(notifications.c.id, notifications.c.recipient)
            .where(same, due_now)
            .order_by(notifications.c.id)
            .with_for_update()
        ).all()
        if rows:
            break  # else another process took it meanwhile: look for the next
    else:
        return None
    connection.execute(
        update(notifications)
        .where(notifications.c.id.in_([row.id for row in rows]))
        .values(next_at=now + LEASE, attempts=notifications.c.attempts + 1)
    )
    everyone = connection.execute(select(notifications.c.recipient).where(same)).scalars()
    return Letter(
        ledger=connection.execute(select(ledgers.c.ledger)).scalar_one(),
        alert_id=oldest.alert_id,
        event=oldest.event,
        subject=oldest.subject,
        body=oldest.body,
        created_at=oldest.created_at,
        everyone=tuple(sorted(everyone)),
        due=tuple(sorted(row.recipient for row in rows)),
    )


def settle(
    connection: Connection, channel: str, letter: Letter, outcomes: dict[str, Outcome], now: datetime
) -> None:
    """Record what became of each recipient of a leased letter. One that failed for now is due again by the schedule."""
    for recipient, outcome in sorted(outcomes.items()):
        row = (
            (notifications.c.alert_id == letter.alert_id)
            & (notifications.c.event == letter.event)
            & (notifications.c.channel == channel)
            & (notifications.c.recipient == recipient)
        )
        attempts = connection.execute(select(notifications.c.attempts).where(row)).scalar_one()
        connection.execute(update(notifications).where(row).values(**_after(letter, outcome, attempts, now)))


def retry_after(attempts: int) -> timedelta:
    """How long to wait after that many failed attempts."""
    return RETRY[min(attempts, len(RETRY)) - 1]


def _after(letter: Letter, outcome: Outcome, attempts: int, now: datetime) -> dict[str, object]:
    if outcome.verdict is Verdict.SENT:
        return {"state": "sent", "sent_at": now, "last_error": ""}
    if outcome.verdict is Verdict.FAILED:
        return {"state": "failed", "last_error": outcome.error}
    if now - letter.created_at >= GIVE_UP:
        hours = GIVE_UP // timedelta(hours=1)
        return {"state": "failed", "last_error": f"gave up after {hours} hours: {outcome.error}"}
    return {"next_at": now + retry_after(attempts), "last_error": outcome.error}


def said(errors: Iterable[tuple[str, Outcome]]) -> str:
    """The distinct errors of some recipients, for a log line."""
    return "; ".join(sorted({f"{recipient}: {outcome.error}" for recipient, outcome in errors}))
