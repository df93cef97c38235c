"""Where a bay's scale and the ledger say different units for long: somebody is asked to count, once.

A shopper's hand makes both differ for a moment, and events that an edge still holds make the ledger late; neither is
a difference. One that lasts is: goods came or went while nobody weighed, or were booked wrongly. Levels never book.
A bay that is meant for several kinds is compared kind by kind; one task asks for all of them.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection, and_, delete, func, select

from cloud.ledger import registers
from cloud.ledger.database import insert
from cloud.ledger.master import Bay, Item, Master
from cloud.ledger.tables import balances, bay_states, level_differences, levels, shelf_changes
from cloud.levels import Level, settle_level
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
    for here, row in _states(connection, sorted(weighed)).items():
        bay, booked = bays[here], row.booked
        if row.state not in COUNTS or row.at > at or not booked.keys() <= bay.item_ids:
            continue
        items = [
            _Compared(item, units, booked.get(item.id, 0), *row.known.get(item.gtin, (None, False)))
            for item, units in weighed[here]
        ]
        agree = len(items) == len(bay.item_ids) and not any(each.differs for each in items)
        if row.uncertain and not (agree and _is_over(connection, master, bay, row, at)):
            continue
        _judge(connection, master, bay, items, _gone(master, bay, row.known), at)


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
    state_at: datetime | None
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
            bay_states.c.at.label("state_at"),
        )
        .outerjoin(bay_states, bay_states.c.location_id == levels.c.location_id)
        .where(levels.c.location_id.in_(here))
        .order_by(levels.c.location_id)
    )  # fmt: skip
    return {
        row.location_id: _State(
            row.uncertain, row.at, row.state, row.state_at, booked.get(row.location_id, {}),
            differing.get(row.location_id, {}),
        )
        for row in connection.execute(query)
    }  # fmt: skip


def _is_over(connection: Connection, master: Master, bay: Bay, row: _State, at: datetime) -> bool:
    """A change that could not be told asks for nothing any more: its edge said since that it counts again, and all that
    it counts is what the ledger has.
    """
    untold = connection.scalar(
        select(func.max(shelf_changes.c.to_at)).where(
            shelf_changes.c.location_id == bay.location_id, ~shelf_changes.c.booked
        )
    )
    if row.state != "ok" or row.state_at is None or untold is None or row.state_at < untold:
        return False
    place = master.locations[bay.location_id].name
    for kind in ("uncertain", "confirm"):
        registers.close_task(connection, bay.site_id, kind, place, at)
    settle_level(connection, bay.location_id)
    return True


def _judge(
    connection: Connection, master: Master, bay: Bay, found: Sequence[_Compared], gone: _Known, at: datetime
) -> None:
    here, place = bay.location_id, master.locations[bay.location_id].name
    over = [each.item.gtin for each in found if not each.differs and each.since is not None] + list(gone)
    if over:
        connection.execute(
            delete(level_differences).where(
                level_differences.c.location_id == here, level_differences.c.gtin.in_(over)
            )
        )
    differing = [each for each in found if each.differs]
    lasting = [each for each in differing if each.since is not None and at - each.since >= LASTING]
    for each in differing:
        if each.since is None:
            _keep(connection, here, each.item.gtin, at, told=False)
    news = [each for each in lasting if not each.told]
    for each in news:
        assert each.since is not None, "those that have just begun were left out"
        _keep(connection, here, each.item.gtin, each.since, told=True)
    ended = any(each.told and not each.differs for each in found) or any(told for _, told in gone.values())
    if not news and not ended:
        return
    open_now = registers.task_details(connection, bay.site_id, RECOUNT, place)
    ours = open_now is not None and (LEVELS in open_now or BOOKED in open_now)
    if ended and ours and not lasting:
        registers.close_task(connection, bay.site_id, RECOUNT, place, at)
    elif lasting and (ours or (news and open_now is None)):
        registers.open_task(connection, bay.site_id, RECOUNT, place, _details(place, bay, lasting), at)


def _details(place: str, bay: Bay, lasting: Sequence[_Compared]) -> dict[str, Any]:
    minutes = int(LASTING.total_seconds() // 60)
    details = {"place": place, "why": f"for {minutes} minutes the scale has said other than the ledger"}
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
