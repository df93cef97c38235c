"""Where a bay's scale and the ledger say different units for long: somebody is asked to count, once.

A shopper's hand makes both differ for a moment, and events that an edge still holds make the ledger late; neither is
a difference. One that lasts is: goods came or went while nobody weighed, or were booked wrongly. Levels never book.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection, and_, delete, select

from cloud.ledger import registers
from cloud.ledger.database import insert
from cloud.ledger.master import Bay, Master
from cloud.ledger.tables import balances, bay_states, level_differences, levels
from cloud.levels import Level
from wire.messages import AgentHealth

# Longer than any visit of a customer or a clerk to a bay, and short enough to be known before the shelf is empty.
LASTING = timedelta(minutes=10)
# Events that are held for longer than this are late: what the edge has seen is not booked yet.
LATE_S = 5.0
RECOUNT = "recount"
COUNTS = ("ok", None)  # states in which a bay's level may be held against the ledger; None is never said


@dataclass(frozen=True, slots=True)
class _Compared:
    bay: Bay
    level: int
    booked: int  # in the item's base units
    scale: int
    since: datetime | None  # since when they have differed, as far as it was known before
    told: bool

    @property
    def differs(self) -> bool:
        return self.level * int(10**self.scale) != self.booked


def compare(
    connection: Connection, master: Master, said: Sequence[Level], agent: AgentHealth, at: datetime
) -> None:
    """Hold the levels that have just been kept against the ledger. `at` is when the edge said them."""
    if agent.events_held and agent.oldest_held_s > LATE_S:
        return
    bays = {bay.location_id: bay for bay in master.bays.values()}
    weighed = {level.location_id: level.units for level in said if level.stable and level.units is not None}
    for row in _rows(connection, sorted(weighed)):
        bay = bays[row.location_id]
        if len(bay.item_ids) != 1 or row.uncertain or row.state not in COUNTS or row.at > at:
            continue
        (item_id,) = bay.item_ids
        if row.item_id not in (item_id, None):
            continue
        scale = master.items_by_id[item_id].scale
        units = weighed[row.location_id]
        assert units is not None, "those without were left out"
        _judge(
            connection, master, _Compared(bay, units, row.quantity or 0, scale, row.since, bool(row.told)), at
        )


def _rows(connection: Connection, location_ids: list[int]) -> list[Any]:
    """What is known of each bay; one row an item that the ledger has there, or one without."""
    if not location_ids:
        return []
    query = (
        select(
            levels.c.location_id, levels.c.uncertain, levels.c.at, bay_states.c.state, balances.c.item_id,
            balances.c.quantity, level_differences.c.since, level_differences.c.told,
        )
        .outerjoin(bay_states, bay_states.c.location_id == levels.c.location_id)
        .outerjoin(balances, and_(balances.c.location_id == levels.c.location_id, balances.c.quantity != 0))
        .outerjoin(level_differences, level_differences.c.location_id == levels.c.location_id)
        .where(levels.c.location_id.in_(location_ids))
        .order_by(levels.c.location_id)
    )  # fmt: skip
    found: dict[int, Any] = {}
    for row in connection.execute(query):
        found[row.location_id] = (
            None if row.location_id in found else row
        )  # several kinds: nothing to compare
    return [row for row in found.values() if row is not None]


def _judge(connection: Connection, master: Master, found: _Compared, at: datetime) -> None:
    here, place = found.bay.location_id, master.locations[found.bay.location_id].name
    if not found.differs:
        if found.since is not None:
            connection.execute(delete(level_differences).where(level_differences.c.location_id == here))
        if found.told and _is_ours(connection, found.bay.site_id, place):
            registers.close_task(connection, found.bay.site_id, RECOUNT, place, at)
        return
    if found.since is None:
        _keep(connection, here, at, told=False)
        return
    if found.told or at - found.since < LASTING:
        return
    if registers.task_details(connection, found.bay.site_id, RECOUNT, place) is None:
        (item_id,) = found.bay.item_ids
        item = master.items_by_id[item_id]
        details = {
            "place": place,
            "why": f"for {int(LASTING.total_seconds() // 60)} minutes the scale has said other than the ledger",
            "item": item.gtin,
            "name": item.name,
            "level": found.level,
            "booked": found.booked / 10**found.scale,
            "since": found.since.isoformat(),
        }
        registers.open_task(connection, found.bay.site_id, RECOUNT, place, details, at)
    _keep(connection, here, found.since, told=True)


def _is_ours(connection: Connection, site_id: int, place: str) -> bool:
    """Whether the open recount was asked for by a difference: others are not ended by a level."""
    details = registers.task_details(connection, site_id, RECOUNT, place)
    return details is not None and "level" in details


def _keep(connection: Connection, location_id: int, since: datetime, *, told: bool) -> None:
    row = insert(connection, level_differences).values(location_id=location_id, since=since, told=told)
    connection.execute(
        row.on_conflict_do_update(
            index_elements=[level_differences.c.location_id],
            set_={"since": row.excluded.since, "told": row.excluded.told},
        )
    )
