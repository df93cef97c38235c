"""Rules judged where stock changes: inside the booking's own transaction, in the time of events.

One row of `rule_states` for each (rule, item, place) that is or was not ok; no row means ok. The rule worker turns
rows marked `dirty`, and pending ones whose hold has passed, into alerts and notifications.
"""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row, bindparam, select

from cloud.alerts.changes import stamp
from cloud.alerts.rulebook import active
from cloud.ledger.database import insert
from cloud.ledger.tables import alerts, balances, bay_items, items, locations, rule_states, sites
from cloud.rules.measures import MEASURES, Source
from cloud.rules.rule import Rule, State, Status, Suggest, firing_by, judge, ripen

# SQLite takes 32,766 parameters in a statement; ours have at most a few a place.
PLACES_AT_ONCE = 1000

StateKey = tuple[str, int, int]  # rule, item_id, location_id


# Every item that a bay is meant to hold, with what the ledger has of it there. Made once: a booking asks it each time,
# and making a statement costs more than running it.
_BALANCES = (
    select(
        locations.c.site_id,
        sites.c.name.label("site"),
        locations.c.name.label("place"),
        items.c.gtin.label("item"),
        items.c.scale,
        bay_items.c.item_id,
        bay_items.c.location_id,
        balances.c.quantity,
    )
    .select_from(bay_items)
    .join(locations, locations.c.id == bay_items.c.location_id)
    .join(sites, sites.c.id == locations.c.site_id)
    .join(items, items.c.id == bay_items.c.item_id)
    .outerjoin(
        balances,
        (balances.c.item_id == bay_items.c.item_id) & (balances.c.location_id == bay_items.c.location_id),
    )
)
_BALANCES_AT = _BALANCES.where(bay_items.c.location_id.in_(bindparam("places", expanding=True)))
_STATES_AT = select(rule_states).where(rule_states.c.location_id.in_(bindparam("places", expanding=True)))


@dataclass(frozen=True, slots=True, kw_only=True)
class Watched:
    """A place where a measure can be read now, and what it reads."""

    site_id: int
    site: str
    place: str
    item: str
    item_id: int
    location_id: int
    value: float


def settle(connection: Connection, places: Collection[tuple[int, int]], at: datetime) -> None:
    """Judge each (item_id, location_id) by its balance, which is taken to hold from `at` on.

    Call it after the balances have changed, in the same transaction and under the site's head lock.
    """
    settle_each(connection, dict.fromkeys(places, at))


def settle_each(connection: Connection, changed: Mapping[tuple[int, int], datetime]) -> None:
    """As `settle`, each place from a time of its own: a batch costs three queries, however many places changed.

    Places that are no bay, or not meant to hold the item, are passed over.
    """
    if not changed or not (judging := active(connection)):
        return
    wanted = sorted({location_id for _, location_id in changed})
    for start in range(0, len(wanted), PLACES_AT_ONCE):
        part = {"places": wanted[start : start + PLACES_AT_ONCE]}
        found = _watched(connection.execute(_BALANCES_AT, part))
        watched = [place for place in found if (place.item_id, place.location_id) in changed]
        if watched:
            before = _states(connection.execute(_STATES_AT, part))
            _judge(connection, judging, watched, before, changed)


def settle_all(connection: Connection, at: datetime) -> None:
    """Judge everything that can be watched: after master data or rules were loaded, so that a bay which never moved
    is judged too, and what is watched no longer is let go."""
    judging = active(connection)
    watched = _watched(connection.execute(_BALANCES))
    before = _states(connection.execute(select(rule_states)))
    now = {(place.item_id, place.location_id): at for place in watched}
    _judge(connection, judging, watched, before, now)
    kept = {
        (rule.name, place.item_id, place.location_id)
        for rule in judging
        for place in watched
        if rule.watches(site=place.site, place=place.place, item=place.item)
    }
    stale = {key: row for key, row in before.items() if key not in kept and row[0].state is not State.OK}
    _save(connection, {key: (Status(State.OK, at), value) for key, (_, value) in stale.items()})


def refill_open(connection: Connection, location_id: int, item_id: int, at: datetime) -> bool:
    """Whether a rule that suggests a refill of this item at this bay had been firing by `at`.

    Ask before booking the addition. A pending rule whose hold had passed by `at` counts as firing: a late batch is
    judged as a prompt one would be.
    """
    found = select(rule_states).where(
        rule_states.c.location_id == location_id,
        rule_states.c.item_id == item_id,
        rule_states.c.state != State.OK.value,
    )
    statuses = _states(connection.execute(found))
    if not statuses:
        return False
    by_name = {rule.name: rule for rule in active(connection) if rule.suggest is Suggest.REFILL}
    return any(
        firing_by(by_name[name], status, at)
        for (name, _, _), (status, _) in statuses.items()
        if name in by_name
    )


def _judge(
    connection: Connection,
    judging: Iterable[Rule],
    watched: Collection[Watched],
    before: Mapping[StateKey, tuple[Status, float]],
    times: Mapping[tuple[int, int], datetime],
) -> None:
    changed: dict[StateKey, tuple[Status, float]] = {}
    for rule in judging:
        if MEASURES[rule.measure].source is not Source.BAY_BALANCE:
            continue
        for place in watched:
            if not rule.watches(site=place.site, place=place.place, item=place.item):
                continue
            key = (rule.name, place.item_id, place.location_id)
            at = times[place.item_id, place.location_id]
            old, lowest = before.get(key, (Status(State.OK, at), place.value))
            new = judge(rule, old, place.value, at)
            if new != old:
                changed[key] = (new, place.value)
            if new.state is State.OK and firing_by(rule, old, new.since):
                _keep_unseen(connection, rule, place, ripen(rule, old, new.since), lowest, new.since)
    _save(connection, changed)


def _keep_unseen(
    connection: Connection, rule: Rule, place: Watched, fired: Status, value: float, cleared_at: datetime
) -> None:
    """Keep an alert that fired and cleared before the worker could see it, as after a long time offline.

    It is history: nobody is told, because nothing is left to do.
    """
    known = select(alerts.c.id).where(
        alerts.c.rule == rule.name,
        alerts.c.item_id == place.item_id,
        alerts.c.location_id == place.location_id,
        alerts.c.pending_at == fired.since,
    )
    if connection.execute(known).first() is not None:
        return
    connection.execute(
        insert(connection, alerts).values(
            rule=rule.name,
            site_id=place.site_id,
            item_id=place.item_id,
            location_id=place.location_id,
            severity=rule.severity.value,
            text=f"{place.place}: went to {value:g}, and back to {place.value:g} before anyone was told.",
            suggestion={},
            value=value,
            pending_at=fired.since,
            fired_at=fired.since + rule.hold,
            cleared_at=cleared_at,
            changed_at=stamp(connection, place.site_id, cleared_at),
        )
    )


def _watched(rows: Iterable[Row[Any]]) -> list[Watched]:
    return [
        Watched(
            site_id=row.site_id,
            site=row.site,
            place=row.place,
            item=row.item,
            item_id=row.item_id,
            location_id=row.location_id,
            value=(row.quantity or 0) / 10**row.scale,
        )
        for row in rows
    ]


def _states(rows: Iterable[Row[Any]]) -> dict[StateKey, tuple[Status, float]]:
    return {
        (row.rule, row.item_id, row.location_id): (Status(State(row.state), row.since), row.value)
        for row in rows
    }


def _save(connection: Connection, changed: dict[StateKey, tuple[Status, float]]) -> None:
    if not changed:
        return
    rows = [
        {
            "rule": rule,
            "item_id": item_id,
            "location_id": location_id,
            "state": status.state.value,
            "since": status.since,
            "value": value,
            "dirty": True,
        }
        for (rule, item_id, location_id), (status, value) in sorted(changed.items())
    ]
    statement = insert(connection, rule_states)
    keep = ("state", "since", "value", "dirty")
    connection.execute(
        statement.on_conflict_do_update(
            index_elements=["rule", "item_id", "location_id"],
            set_={name: statement.excluded[name] for name in keep},
        ),
        rows,
    )
