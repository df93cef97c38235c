"""Has anything changed that a page shows? Cheap enough to ask ten times a second.

Every event that an edge delivers moves its run on, so most changes show there; the rest have a time or a position
of their own. What changes without either (master data, say) is found by the regular refresh.
"""

from dataclasses import dataclass
from itertools import islice
from typing import Any

from sqlalchemy import BindParameter, Connection, Integer, Select, bindparam, func, select

from cloud.ledger import tables as t

Mark = tuple[Any, ...]  # compared, never interpreted


@dataclass(frozen=True, slots=True)
class Revision:
    """Two of one site are equal where nothing was committed that concerns it between them."""

    booked: Mark
    heard: Mark
    levels: Mark
    alerts: Mark
    rules: Mark
    tasks: Mark
    incidents: Mark
    health: Mark


_SITE: BindParameter[int] = bindparam("site", type_=Integer())
_EDGES = select(t.edges.c.edge).where(t.edges.c.site_id == _SITE)
_PLACES = select(t.bays.c.location_id).where(t.bays.c.edge.in_(_EDGES))

# One row a field of Revision, in its order: the values that make its mark.
_MARKS: dict[str, list[Select[Any]]] = {
    "booked": [select(t.sites.c.head).where(t.sites.c.id == _SITE)],
    "heard": [
        select(func.max(t.runs.c.last_at)).where(t.runs.c.edge.in_(_EDGES)),
        select(func.sum(t.runs.c.through)).where(t.runs.c.edge.in_(_EDGES)),
        select(func.max(t.crossings.c.at)).where(t.crossings.c.edge.in_(_EDGES)),
    ],
    "levels": [
        select(func.max(t.levels.c.at)).where(t.levels.c.location_id.in_(_PLACES)),
        select(func.sum(t.levels.c.grams)).where(t.levels.c.location_id.in_(_PLACES)),
        select(func.max(t.bay_states.c.at)).where(t.bay_states.c.location_id.in_(_PLACES)),
    ],
    "alerts": [
        select(func.max(t.alerts.c.changed_at)).where(t.alerts.c.site_id == _SITE),
        select(func.max(t.alerts.c.id)).where(t.alerts.c.site_id == _SITE),
    ],
    "rules": [
        select(func.max(t.rule_states.c.since)).where(t.rule_states.c.location_id.in_(_PLACES)),
        select(func.count()).where(t.rule_states.c.location_id.in_(_PLACES), t.rule_states.c.state != "ok"),
    ],
    "tasks": [
        select(func.max(t.tasks.c.id)).where(t.tasks.c.site_id == _SITE),
        select(func.count()).where(t.tasks.c.site_id == _SITE, t.tasks.c.closed_at.is_(None)),
    ],
    "incidents": [
        select(func.max(t.incidents.c.id)),
        select(func.count()).where(t.incidents.c.closed_at.is_(None)),
    ],
    "health": [
        select(func.max(t.devices.c.heard_at)).where(t.devices.c.edge.in_(_EDGES)),
        select(func.max(t.devices.c.since)).where(t.devices.c.edge.in_(_EDGES)),
        select(func.max(t.agents.c.at)).where(t.agents.c.edge.in_(_EDGES)),
        select(func.max(t.edges.c.presence_at)).where(t.edges.c.site_id == _SITE),
        select(func.count()).where(t.edges.c.site_id == _SITE, t.edges.c.presence == "online"),
    ],
}
_REVISION = select(*(mark.scalar_subquery() for marks in _MARKS.values() for mark in marks))


def revision_of(connection: Connection, site_id: int) -> Revision:
    values = iter(connection.execute(_REVISION, {"site": site_id}).one())
    return Revision(**{name: tuple(islice(values, len(marks))) for name, marks in _MARKS.items()})
