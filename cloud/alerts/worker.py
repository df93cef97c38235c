"""Turns judged states into alerts and notifications: state, alert and notifications in one transaction.

It reads what is due from the ledger each time, so a process that dies at any point leaves either the state still due
or all of it done; unique constraints keep two workers from telling twice.
"""

from collections.abc import Callable
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row, or_, select, update

from cloud.alerts.changes import lock_site, stamp
from cloud.alerts.rulebook import active
from cloud.alerts.told import notify_cleared, notify_fired, read_bay
from cloud.alerts.words import Bay, alert_text, suggestion
from cloud.ledger.database import Database, insert
from cloud.ledger.tables import alerts, locations, rule_states
from cloud.rules.rule import Rule, State, Status, firing_by, ripen

POLL_S = 0.2  # a hold may pass without any event: at most this late
STATES_AT_ONCE = 200  # a transaction's worth: some 100 ms, for which a SQLite ledger's ingest waits


class RuleWorker:
    """A follower of the ledger; see cloud/followers.py."""

    name = "rules"

    def __init__(
        self, database: Database, *, now: Callable[[], datetime], changed: Callable[[], None]
    ) -> None:
        """`changed` is called after each commit that opened or cleared alerts: mail, series and console follow."""
        self._database = database
        self._now = now
        self._changed = changed

    def step(self) -> float:
        """Bring alerts up to every state that is due by now; return the seconds until to look again."""
        while site_ids := self._due_sites():
            for site_id in site_ids:
                with self._database.write() as connection:
                    told = _settle_site(connection, site_id, self._now())
                if told:
                    self._changed()
        return POLL_S

    def _due_sites(self) -> list[int]:
        """Looked up on a reading connection, so that looking never makes a booking wait."""
        with self._database.read() as connection:
            return sorted({row.site_id for row in _due(connection, _by_name(connection), self._now())})


def _by_name(connection: Connection) -> dict[str, Rule]:
    return {rule.name: rule for rule in active(connection)}


def _due(connection: Connection, rules: dict[str, Rule], now: datetime) -> list[Row[Any]]:
    """States with news, and pending ones whose hold has passed; the oldest first."""
    states = (
        select(rule_states, locations.c.site_id)
        .join(locations, locations.c.id == rule_states.c.location_id)
        .where(or_(rule_states.c.dirty, rule_states.c.state == State.PENDING.value))
        .order_by(rule_states.c.since, rule_states.c.rule, rule_states.c.item_id, rule_states.c.location_id)
    )
    return [
        row
        for row in connection.execute(states)
        if row.dirty or (row.rule in rules and firing_by(rules[row.rule], _status(row), now))
    ]


def _status(row: Row[Any]) -> Status:
    return Status(State(row.state), row.since)


def _settle_site(connection: Connection, site_id: int, now: datetime) -> bool:
    """Do a site's due states, under its lock: nothing is booked there meanwhile. Return whether alerts changed."""
    lock_site(connection, site_id)
    rules = _by_name(connection)
    due = [row for row in _due(connection, rules, now) if row.site_id == site_id][:STATES_AT_ONCE]
    changes = [_settle(connection, rules.get(row.rule), row, now) for row in due]
    return any(changes)


def _settle(connection: Connection, rule: Rule | None, row: Row[Any], now: datetime) -> bool:
    bay = read_bay(connection, row.item_id, row.location_id)
    # A rule that was withdrawn, or a bay that is no longer meant to hold the item, has nothing to alert about.
    status = Status(State.OK, now) if rule is None or bay is None else ripen(rule, _status(row), now)
    open_alert = connection.execute(
        select(alerts).where(
            alerts.c.rule == row.rule,
            alerts.c.item_id == row.item_id,
            alerts.c.location_id == row.location_id,
            alerts.c.cleared_at.is_(None),
        )
    ).one_or_none()
    changed = False
    # One that began at another time is an earlier episode, whose end nobody saw: this one's beginning bounds it.
    if open_alert is not None and (status.state is not State.FIRING or open_alert.pending_at != status.since):
        _clear(connection, open_alert, status.since, now)
        open_alert, changed = None, True
    if rule is not None and bay is not None and status.state is State.FIRING and open_alert is None:
        _open(connection, rule, bay, row, status.since, now)
        changed = True
    connection.execute(
        update(rule_states)
        .where(
            rule_states.c.rule == row.rule,
            rule_states.c.item_id == row.item_id,
            rule_states.c.location_id == row.location_id,
        )
        .values(state=status.state.value, since=status.since, dirty=False)
    )
    return changed


def _open(
    connection: Connection, rule: Rule, bay: Bay, row: Row[Any], pending_at: datetime, now: datetime
) -> None:
    text = alert_text(rule, bay)
    opened = insert(connection, alerts).values(
        rule=rule.name,
        site_id=row.site_id,
        item_id=row.item_id,
        location_id=row.location_id,
        severity=rule.severity.value,
        text=text,
        suggestion=suggestion(rule, bay),
        value=bay.units,
        pending_at=pending_at,
        fired_at=pending_at + rule.hold,
        changed_at=stamp(connection, row.site_id, now),
    )
    alert_id = connection.execute(opened.returning(alerts.c.id)).scalar_one()
    notify_fired(connection, alert_id, rule, row.site_id, bay, text, pending_at, now)


def _clear(connection: Connection, alert: Row[Any], ended_at: datetime, now: datetime) -> None:
    cleared_at = max(ended_at, alert.fired_at)  # a late event may have ended it before it was known to fire
    connection.execute(
        update(alerts)
        .where(alerts.c.id == alert.id)
        .values(cleared_at=cleared_at, changed_at=stamp(connection, alert.site_id, now))
    )
    notify_cleared(connection, alert, cleared_at, now)
