"""Tags that a person must look at: one task or incident for each load, with its tags."""

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, select, update

from cloud.ledger import registers
from cloud.ledger.tables import incidents, tasks
from cloud.tags.story import Verdict

TASKS = {
    Verdict.UNDECIDED: "undecided",
    Verdict.UNCLAIMED: "identify",
    Verdict.MISSED_EXIT: "missed_exit",
    Verdict.MISSED_ENTRY: "missed_entry",
    Verdict.RETURNED: "returned",
    Verdict.OTHER_DOOR: "other_door",
}
INCIDENTS = {
    Verdict.LEFT: "left_unexpectedly",
    Verdict.DUPLICATE_ENCODING: "duplicate_encoding",
}


@dataclass(slots=True)
class _Flag:
    load: str
    gate: str
    at: datetime
    add: dict[str, dict[str, Any]] = field(default_factory=dict)
    remove: set[str] = field(default_factory=set)


class Flags:
    """Collects what to tell, and writes it at once. The caller holds the head locks of the sites."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._flags: dict[tuple[int, Verdict, str], _Flag] = {}

    def add(self, site_id: int, verdict: Verdict, where: "Where", tag: dict[str, Any], at: datetime) -> None:
        """Put a tag (with at least its `epc`) on the list of its load; verdicts that need nobody are passed over."""
        if verdict in TASKS or verdict in INCIDENTS:
            flag = self._flag(site_id, verdict, where, at)
            flag.remove.discard(tag["epc"])
            flag.add[tag["epc"]] = tag

    def remove(self, site_id: int, verdict: Verdict, where: "Where", epc: str, at: datetime) -> None:
        """Take a tag off again: what came late has explained it."""
        if verdict in TASKS or verdict in INCIDENTS:
            flag = self._flag(site_id, verdict, where, at)
            flag.add.pop(epc, None)
            flag.remove.add(epc)

    def _flag(self, site_id: int, verdict: Verdict, where: "Where", at: datetime) -> _Flag:
        return self._flags.setdefault((site_id, verdict, where.subject), _Flag(where.load, where.gate, at))

    def write(self) -> None:
        flags, self._flags = self._flags, {}
        for (site_id, verdict, subject), flag in sorted(flags.items(), key=lambda one: one[0]):
            kind = TASKS.get(verdict) or INCIDENTS[verdict]
            table = tasks if verdict in TASKS else incidents
            known = _open_details(self._connection, table is tasks, site_id, kind, subject)
            tags = {tag["epc"]: tag for tag in (known or {}).get("tags", ())}
            tags |= flag.add
            for epc in flag.remove:
                tags.pop(epc, None)
            details = {"gate": flag.gate, "load": flag.load, "tags": list(tags.values())}
            if tags and table is tasks:
                registers.open_task(self._connection, site_id, kind, subject, details, flag.at)
            elif tags:
                registers.open_incident(self._connection, site_id, kind, subject, details, flag.at)
            elif known is not None and table is tasks:
                registers.close_task(self._connection, site_id, kind, subject, flag.at)
            elif known is not None:
                registers.close_incident(self._connection, kind, subject, flag.at)


@dataclass(frozen=True, slots=True)
class Where:
    """The load that a tag was part of; its first passage, as long as the load is not known."""

    edge: str
    gate: str
    load: str

    @property
    def subject(self) -> str:
        return f"{self.edge}/{self.load}"


def _open_details(
    connection: Connection, is_task: bool, site_id: int, kind: str, subject: str
) -> dict[str, Any] | None:
    if is_task:
        return registers.task_details(connection, site_id, kind, subject)
    return registers.incident_details(connection, kind, subject)


def join_load(connection: Connection, site_id: int, passage: Where, load: Where) -> None:
    """The passage turns out to be part of a load: what was told of it becomes part of what is told of the load."""
    if passage == load:
        return
    for table, kinds in ((tasks, TASKS.values()), (incidents, INCIDENTS.values())):
        rows = connection.execute(
            select(table).where(
                table.c.site_id == site_id,
                table.c.kind.in_(list(kinds)),
                table.c.subject == passage.subject[: registers.SUBJECT],
                table.c.closed_at.is_(None),
            )
        ).all()
        for row in rows:
            _rename(connection, table is tasks, row, load)


def _rename(connection: Connection, is_task: bool, row: Any, load: Where) -> None:
    table = tasks if is_task else incidents
    there = _open_details(connection, is_task, row.site_id, row.kind, load.subject)
    tags = [*(there or {}).get("tags", ()), *row.details["tags"]]
    details = row.details | {"load": load.load, "tags": tags}
    if there is None:
        connection.execute(
            update(table)
            .where(table.c.id == row.id)
            .values(subject=load.subject[: registers.SUBJECT], details=details)
        )
        return
    connection.execute(table.delete().where(table.c.id == row.id))
    told = (row.kind, load.subject, details, row.opened_at)
    if is_task:
        registers.open_task(connection, row.site_id, *told)
    else:
        registers.open_incident(connection, row.site_id, *told)
