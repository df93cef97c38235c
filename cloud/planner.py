"""Tells edges what the planogram says of their bays: a follower of the ledger; see cloud/followers.py.

Only bays whose plan was changed here are told: until then an edge's own file says what stands there. One that is not
connected is told when it is; what it refuses is a task, and told again when the plan changes.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, select

from cloud.commands.ask import AskError, ask
from cloud.commands.states import ASKED as SENT
from cloud.commands.states import EXPIRED
from cloud.ledger import registers
from cloud.ledger.database import Database
from cloud.ledger.tables import commands, edges
from cloud.planogram import told
from cloud.planogram.plan import Plan, digest
from cloud.planogram.store import Known, known, planned
from wire.commands import Assign, AssignedItem

POLL_S = 2.0
MOST = 50  # bays told at once: a command each, of which an edge answers some hundred a second
TASK = "planogram"


@dataclass(frozen=True, slots=True)
class _Due:
    bay: Known
    digest: str
    sent: str | None  # the command that is out; None where there is none


class Planner:
    name = "planner"

    def __init__(
        self, database: Database, *, now: Callable[[], datetime], changed: Callable[[], None]
    ) -> None:
        """`changed` is called after each commit: what is asked is sent then."""
        self._database = database
        self._now = now
        self._changed = changed

    def step(self) -> float:
        """Settle what edges have answered, and ask for what they do not have; in how many seconds to look again."""
        with self._database.read() as connection:
            due = _due(connection)
        if due:
            with self._database.write() as connection:
                acted = [_act(connection, each, self._now()) for each in _due(connection)]
            if any(acted):
                self._changed()
        return POLL_S


def _due(connection: Connection) -> list[_Due]:
    """Bays with a command that is out, and those whose edge is connected and does not have their plan."""
    ours = planned(connection)
    if not ours:
        return []
    online = set(connection.scalars(select(edges.c.edge).where(edges.c.presence == "online")))
    grams, have = told.unit_grams(connection), told.all_told(connection)
    found = []
    for bay in known(connection):
        if bay.location_id not in ours:
            continue
        had, wanted = have.get(bay.location_id), digest(bay.plan, grams)
        if had is not None and had.state == told.ASKED:
            found.append(_Due(bay, wanted, had.command))
        elif bay.name.edge in online and (had is None or had.digest != wanted):
            found.append(_Due(bay, wanted, None))
    return found[:MOST]


def _act(connection: Connection, due: _Due, now: datetime) -> bool:
    """Whether anything changed."""
    if due.sent is not None:
        return _settle(connection, due, due.sent, now)
    here, name = due.bay.location_id, due.bay.name
    order = _order(due.bay, told.unit_grams(connection))
    if isinstance(order, str):
        _refused(connection, due, "", order, now)
        return True
    try:
        asked = ask(connection, name.edge, order, by=told.PLANNER, now=now)
    except AskError as error:
        _refused(connection, due, "", str(error), now)
        return True
    told.keep(connection, here, due.digest, told.ASKED, asked.id, "", now)
    return True


def _order(bay: Known, usual: Mapping[str, float | None]) -> Assign | str:
    """What the edge is asked for; or why it cannot be."""
    weighed = []
    several = len(bay.plan) > 1
    for stand in bay.plan:
        grams = stand.unit_grams or usual.get(stand.gtin)
        if grams is None:
            return (
                f"nobody says what one {stand.gtin} weighs: give unit_grams in the planogram or in items.csv"
            )
        weighed.append(
            AssignedItem(
                gtin=stand.gtin, unit_grams=grams, unit_cv=stand.unit_cv, unit_tare_grams=stand.unit_tare_grams or 0.0,
                capacity=stand.capacity if several else None, facings=stand.facings if several else None,
                low=stand.low if several else None,
            )
        )  # fmt: skip
    return Assign(
        shelf=bay.name.shelf,
        bay=bay.name.bay,
        items=tuple(weighed),
        capacity=sum(stand.capacity for stand in bay.plan) or None,
        facings=_together(bay.plan),
        low=None if several or not bay.plan else bay.plan[0].low,
    )


def _together(plan: Plan) -> int | None:
    """Facings of the whole bay; None where those of an item are not known."""
    some = [stand.facings for stand in plan if stand.facings is not None]
    return sum(some) if some and len(some) == len(plan) else None


def _settle(connection: Connection, due: _Due, command: str, now: datetime) -> bool:
    row = connection.execute(
        select(commands.c.state, commands.c.words).where(commands.c.id == command)
    ).first()
    if row is not None and row.state == SENT:
        return False
    had = told.all_told(connection)[due.bay.location_id]
    if row is not None and row.state == told.DONE:
        told.keep(connection, due.bay.location_id, had.digest, told.DONE, command, row.words, now)
        registers.close_task(connection, due.bay.site_id, TASK, due.bay.place, now)
    elif row is None or row.state in (EXPIRED, "stale"):
        # Nobody heard it in time: asked again when the edge is connected.
        told.keep(
            connection, due.bay.location_id, "", EXPIRED, command, "" if row is None else row.words, now
        )
    else:
        _refused(connection, _Due(due.bay, had.digest, command), command, row.words, now)
    return True


def _refused(connection: Connection, due: _Due, command: str, words: str, now: datetime) -> None:
    told.keep(connection, due.bay.location_id, due.digest, told.REFUSED, command, words, now)
    details = {"place": due.bay.place, "why": words}
    registers.open_task(connection, due.bay.site_id, TASK, due.bay.place, details, now)
