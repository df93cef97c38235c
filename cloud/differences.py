"""Where a bay's scale and the ledger say different units for long: somebody is asked to count, once.

A shopper's hand makes both differ for a moment, and events that an edge still holds make the ledger late; neither is
a difference. One that lasts is: goods came or went while nobody weighed, or were booked wrongly. Levels never book.
After service nothing need last: what differs then was done by people who are still there.
A bay that is meant for several kinds is compared kind by kind; one task asks for all of them.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection, and_, delete, func, select

from cloud.ledger import registers
from cloud.ledger.database import insert
from cloud.ledger.master import Bay, Item, Master
from cloud.ledger.tables import (
    balances,
    bay_states,
    level_differences,
    levels,
    service_times,
    shelf_changes,
)
from cloud.levels import Level, certain, settle_level
from wire.messages import AgentHealth

# Longer than any visit of a customer or a clerk to a bay, and short enough to be known before the shelf is empty.
LASTING = timedelta(minutes=10)
# Events that are held for longer than this are late: what the edge has seen is not booked yet.
LATE_S = 5.0
RECOUNT = "recount"
COUNTS = ("ok", None)  # states in which a bay's level may be held against the ledger; None is never said
LEVELS, BOOKED = "differences", "level"  # what tells a recount that was asked for here from others


_Known = Mapping[str, tuple[datetime, bool]]  # by GTIN: since when it differs, and whether somebody was told


@dataclass(frozen=True, slots=True)
class _Compared:
    """One item of a bay. `booked` in its base units; `since` when they differ, as far as it was known before."""

    item: Item
    level: int
    booked: int
    since: datetime | None
    told: bool

    @property
    def differs(self) -> bool:
        return self.item.quantity(self.level) != self.booked

    def after(self, served: datetime | None) -> "_Compared":
        """Where people have worked since it was first seen, it is another difference, and as old as their work."""
        if served is None or (self.since is not None and self.since >= served):
            return self
        return replace(self, since=served, told=False)

    def lasts(self, at: datetime, served: datetime | None) -> bool:
        return self.since is not None and (self.told or self.since == served or at - self.since >= LASTING)

    def in_words(self) -> dict[str, Any]:
        return {
            "item": self.item.gtin,
            "name": self.item.name,
            "level": self.level,
            "booked": self.booked / 10**self.item.scale,
        }


def compare(
    connection: Connection, master: Master, said: Sequence[Level], agent: AgentHealth, at: datetime
) -> None:
    """Hold the levels that have just been kept against the ledger. `at` is when the edge said them."""
    if agent.events_held and agent.oldest_held_s > LATE_S:
        return
    bays = {bay.location_id: bay for bay in master.bays.values()}
    weighed = {
        level.location_id: found
        for level in said
        if level.stable and (found := _weighed(master, bays[level.location_id], level))
    }
    served_at = _served(connection, sorted(weighed), at)
    for here, row in _states(connection, sorted(weighed)).items():
        bay, booked = bays[here], row.booked
        if row.state not in COUNTS or row.at > at or not booked.keys() <= bay.item_ids:
            continue
        items = [
            _Compared(item, units, booked.get(item.id, 0), *row.known.get(item.gtin, (None, False)))
            for item, units in weighed[here]
        ]
        if row.uncertain:
            if not _counts_again(connection, bay, row):
                continue
            if len(items) == len(bay.item_ids) and not any(each.differs for each in items):
                _settle(connection, master, bay, at)
        served = served_at.get(here)
        if (
            _judge(connection, master, bay, items, _gone(master, bay, row.known), at, served)
            and row.uncertain
        ):
            # What differs is asked about now, with both figures: of what could not be told nothing more is known.
            registers.close_task(connection, bay.site_id, "uncertain", master.locations[here].name, at)
            certain(connection, here)


def _gone(master: Master, bay: Bay, known: _Known) -> _Known:
    """What differed of items that are not meant to stand there any more."""
    return {gtin: each for gtin, each in known.items() if master.items[gtin].id not in bay.item_ids}


def _weighed(master: Master, bay: Bay, level: Level) -> list[tuple[Item, int]]:
    """What the scale says of each of the bay's items, as far as it can tell."""
    if len(bay.item_ids) == 1:
        (item_id,) = bay.item_ids
        return [] if level.units is None else [(master.items_by_id[item_id], level.units)]
    return [(master.items[gtin], units) for gtin, units in sorted(level.items.items()) if units is not None]


@dataclass(frozen=True, slots=True)
class _State:
    """What is known of a bay: `booked` by item, other than 0; `known`, what has differed before."""

    uncertain: str
    at: datetime
    state: str | None
    state_since: datetime | None
    booked: dict[int, int]
    known: _Known


def _states(connection: Connection, here: list[int]) -> dict[int, _State]:
    if not here:
        return {}
    booked: dict[int, dict[int, int]] = {}
    there = and_(balances.c.location_id.in_(here), balances.c.quantity != 0)
    for row in connection.execute(
        select(balances.c.location_id, balances.c.item_id, balances.c.quantity).where(there)
    ):
        booked.setdefault(row.location_id, {})[row.item_id] = row.quantity
    differing: dict[int, dict[str, tuple[datetime, bool]]] = {}
    for row in connection.execute(select(level_differences).where(level_differences.c.location_id.in_(here))):
        differing.setdefault(row.location_id, {})[row.gtin] = (row.since, bool(row.told))
    query = (
        select(
            levels.c.location_id, levels.c.uncertain, levels.c.at, bay_states.c.state,
            func.coalesce(bay_states.c.since, bay_states.c.at).label("state_since"),
        )
        .outerjoin(bay_states, bay_states.c.location_id == levels.c.location_id)
        .where(levels.c.location_id.in_(here))
        .order_by(levels.c.location_id)
    )  # fmt: skip
    return {
        row.location_id: _State(
            row.uncertain, row.at, row.state, row.state_since, booked.get(row.location_id, {}),
            differing.get(row.location_id, {}),
        )
        for row in connection.execute(query)
    }  # fmt: skip


def _served(connection: Connection, here: list[int], at: datetime) -> dict[int, datetime]:
    """Bays at which people ended to work lately, and when; but those of which something was said since."""
    later = shelf_changes.alias()
    query = (
        select(service_times.c.location_id, func.max(service_times.c.ended_at))
        .where(
            service_times.c.location_id.in_(here),
            service_times.c.ended_at > at - LASTING,
            service_times.c.ended_at <= at,
            ~select(later.c.seq)
            .where(
                later.c.location_id == service_times.c.location_id, later.c.to_at > service_times.c.ended_at
            )
            .exists(),
        )
        .group_by(service_times.c.location_id)
    )
    return {row[0]: row[1] for row in connection.execute(query)} if here else {}


def _counts_again(connection: Connection, bay: Bay, row: _State) -> bool:
    """Whether its edge came to be sure of what stands there after the last change that could not be told."""
    untold = connection.scalar(
        select(func.max(shelf_changes.c.to_at)).where(
            shelf_changes.c.location_id == bay.location_id, ~shelf_changes.c.booked
        )
    )
    since = row.state_since
    return row.state == "ok" and since is not None and untold is not None and since >= untold


def _settle(connection: Connection, master: Master, bay: Bay, at: datetime) -> None:
    """A change that could not be told asks for nothing any more: all that the edge counts is what the ledger has."""
    place = master.locations[bay.location_id].name
    for kind in ("uncertain", "confirm"):
        registers.close_task(connection, bay.site_id, kind, place, at)
    settle_level(connection, bay.location_id)


def _judge(
    connection: Connection,
    master: Master,
    bay: Bay,
    found: Sequence[_Compared],
    gone: _Known,
    at: datetime,
    served: datetime | None,
) -> bool:
    """`served`: when service ended, if that is why something differs. Returns whether somebody is asked from now on."""
    here, place = bay.location_id, master.locations[bay.location_id].name
    over = [each.item.gtin for each in found if not each.differs and each.since is not None] + list(gone)
    if over:
        connection.execute(
            delete(level_differences).where(
                level_differences.c.location_id == here, level_differences.c.gtin.in_(over)
            )
        )
    differing = [each.after(served) for each in found if each.differs]
    lasting = [each for each in differing if each.lasts(at, served)]
    for each in differing:
        if each.since is None:
            _keep(connection, here, each.item.gtin, at, told=False)
    news = [each for each in lasting if not each.told]
    for each in news:
        assert each.since is not None, "those that have just begun were left out"
        _keep(connection, here, each.item.gtin, each.since, told=True)
    ended = any(each.told and not each.differs for each in found) or any(told for _, told in gone.values())
    if not news and not ended:
        return False
    open_now = registers.task_details(connection, bay.site_id, RECOUNT, place)
    ours = open_now is not None and (LEVELS in open_now or BOOKED in open_now)
    if ended and ours and not lasting:
        registers.close_task(connection, bay.site_id, RECOUNT, place, at)
    elif lasting and (ours or (news and open_now is None)):
        details = _details(place, bay, lasting, served if news else None)
        registers.open_task(connection, bay.site_id, RECOUNT, place, details, at)
    return bool(news)


def _details(place: str, bay: Bay, lasting: Sequence[_Compared], served: datetime | None) -> dict[str, Any]:
    minutes = int(LASTING.total_seconds() // 60)
    why = f"for {minutes} minutes the scale has said other than the ledger"
    if served is not None and all(each.since == served for each in lasting):
        why = "since service ended the scale says other than the ledger"
    details = {"place": place, "why": why}
    since = min(each.since for each in lasting if each.since is not None).isoformat()
    if len(bay.item_ids) == 1:
        return details | lasting[0].in_words() | {"since": since}
    return details | {LEVELS: [each.in_words() for each in lasting], "since": since}


def _keep(connection: Connection, location_id: int, gtin: str, since: datetime, *, told: bool) -> None:
    row = insert(connection, level_differences).values(
        location_id=location_id, gtin=gtin, since=since, told=told
    )
    connection.execute(
        row.on_conflict_do_update(
            index_elements=[level_differences.c.location_id, level_differences.c.gtin],
            set_={"since": row.excluded.since, "told": row.excluded.told},
        )
    )
