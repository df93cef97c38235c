"""What edges say of themselves: runs, devices, gaps, watermarks; and their telemetry, of which the newest counts."""

from collections.abc import Mapping
from datetime import datetime

from sqlalchemy import Connection, func, or_, select, update
from sqlalchemy.sql import ColumnElement

from cloud import differences, levels
from cloud.booking import Occasion
from cloud.ingest.progress import Progress
from cloud.ingest.runs import RunKey
from cloud.ledger import registers
from cloud.ledger.database import insert
from cloud.ledger.master import Master
from cloud.ledger.tables import agents, devices, edges, runs
from wire.events import Blind, DeviceDown, DeviceUp, Missing, RunStarted, Watermark
from wire.messages import Level, Presence, Telemetry

SPANS = 50  # of a device's blindness: two days of an antenna that is off, said each hour


def run_started(connection: Connection, site_id: int | None, occasion: Occasion, event: RunStarted) -> None:
    """Compare what the agent remembers of its last run with what the ledger has of it."""
    edge, run, _ = occasion.key
    others = connection.execute(
        select(runs.c.run, runs.c.previous_run, runs.c.through, runs.c.ranges).where(
            runs.c.edge == edge, runs.c.run != run
        )
    ).all()
    connection.execute(
        update(runs)
        .where(runs.c.edge == edge, runs.c.run == run)
        .values(previous_run=event.previous_run, previous_last_seq=event.previous_last_seq)
    )
    details = {"edge": edge, "run": run, "previous_run": event.previous_run}
    if event.previous_run is None:
        if others:
            why = "the agent remembers no earlier run, but the ledger has some: its store was lost"
            _incident(connection, site_id, "lost_outbox", f"{edge}/{run}", details | {"why": why}, occasion)
        return
    remembered = event.previous_last_seq or 0
    for other in others:
        ranges = tuple((first, last) for first, last in other.ranges)
        highest = Progress(other.through, ranges).highest
        if other.run == event.previous_run and highest > remembered:
            why = f"the agent remembers {remembered} events of its last run, the ledger has {highest}"
            _incident(connection, site_id, "restored_edge", f"{edge}/{run}", details | {"why": why}, occasion)
            return
        if other.previous_run == event.previous_run:
            why = f"run {other.run} also says that it came after that run: an old image, or two edges of one name"
            _incident(connection, site_id, "restored_edge", f"{edge}/{run}", details | {"why": why}, occasion)
            return


def missing(
    connection: Connection,
    site_id: int | None,
    occasion: Occasion,
    event: Missing,
    progress: dict[RunKey, Progress],
) -> None:
    """Step over what the edge no longer holds, and say so, unless the ledger has it all."""
    run = (occasion.key.edge, event.run)
    if event.to_seq < event.from_seq:
        return
    before = progress[run]
    progress[run] = before.settle_ranges([(event.from_seq, event.to_seq)])
    if progress[run] == before:
        return
    subject = f"{occasion.key.edge}/{event.run}/{event.from_seq}-{event.to_seq}"
    details = {
        "edge": occasion.key.edge,
        "run": event.run,
        "from_seq": event.from_seq,
        "to_seq": event.to_seq,
        "why": event.reason,
    }
    _incident(connection, site_id, "missing_events", subject, details, occasion)


def blind(connection: Connection, site_id: int | None, occasion: Occasion, event: Blind) -> None:
    """What happened meanwhile is not known: what the device watches needs a look.

    One incident a device, from the first time to the last until a person closes it, with the latest of them one by one.
    """
    subject = f"{occasion.key.edge}/{event.device}"
    span = {"from": event.from_at.isoformat(), "to": event.to_at.isoformat(), "why": event.reason}
    before = registers.incident_details(connection, "blind", subject) or {}
    details = {
        "device": event.device,
        "from": min(span["from"], before.get("from", span["from"])),
        "to": max(span["to"], before.get("to", span["to"])),
        "why": event.reason,
        "spans": [*before.get("spans", ()), span][-SPANS:],
    }
    _incident(connection, site_id, "blind", subject, details, occasion)


def _incident(
    connection: Connection,
    site_id: int | None,
    kind: str,
    subject: str,
    details: Mapping[str, object],
    occasion: Occasion,
) -> None:
    registers.open_incident(connection, site_id, kind, subject, details, occasion.recorded_at)


def device(connection: Connection, occasion: Occasion, event: DeviceUp | DeviceDown) -> None:
    """The newest that is known of a device stays."""
    up = isinstance(event, DeviceUp)
    row = {
        "edge": occasion.key.edge,
        "device": event.device,
        "state": "up" if up else "down",
        "since": occasion.at,
        "detail": event.detail if isinstance(event, DeviceUp) else event.reason,
        "heard_at": occasion.recorded_at,
    }
    statement = insert(connection, devices).values(**row)
    kept = ("state", "since", "detail", "heard_at")
    connection.execute(
        statement.on_conflict_do_update(
            index_elements=[devices.c.edge, devices.c.device],
            set_={name: statement.excluded[name] for name in kept},
            where=devices.c.since <= statement.excluded.since,
        )
    )


def watermark(connection: Connection, occasion: Occasion, event: Watermark) -> None:
    connection.execute(
        update(edges)
        .where(
            edges.c.edge == occasion.key.edge,
            or_(edges.c.complete_to.is_(None), edges.c.complete_to < event.complete_to),
        )
        .values(complete_to=event.complete_to)
    )


def presence(connection: Connection, edge: str, said: Presence, at: datetime) -> None:
    """An edge that nobody enrolled has no row, and is passed over."""
    connection.execute(
        update(edges)
        .where(edges.c.edge == edge, or_(edges.c.presence != said.value, edges.c.presence_at.is_(None)))
        .values(presence=said.value, presence_at=at)
    )


def telemetry(connection: Connection, master: Master, said: Telemetry, received_at: datetime) -> None:
    """Keep the newest state of an agent, its devices and its bays. Books nothing."""
    at = min(said.at, received_at)  # a wrong clock must not outlive the next telemetry
    agent = insert(connection, agents).values(edge=said.edge, at=at, health=_health(said))
    connection.execute(
        agent.on_conflict_do_update(
            index_elements=[agents.c.edge],
            set_={"at": agent.excluded.at, "health": agent.excluded.health},
            where=agents.c.at <= agent.excluded.at,
        )
    )
    _devices(connection, said, received_at)
    newest = _levels(master, said, at)
    levels.save(connection, newest)
    differences.compare(connection, master, newest, said.agent, at)


def _levels(master: Master, said: Telemetry, at: datetime) -> list[levels.Level]:
    """One of each bay. Units are the bay's only where it is meant for one kind of goods; else they are an item's."""
    whole: dict[int, Level] = {}
    items: dict[int, dict[str, int | None]] = {}
    several = set()
    for level in said.levels:
        bay = master.bays.get((said.edge, level.shelf, level.bay))
        if bay is None:
            continue
        whole[bay.location_id] = level
        if len(bay.item_ids) == 1:
            continue
        several.add(bay.location_id)
        item = master.items.get(level.item or "")
        if item is not None and item.id in bay.item_ids:
            items.setdefault(bay.location_id, {})[item.gtin] = level.units
    return [
        levels.Level(
            location_id=here, grams=level.grams, units=None if here in several else level.units, stable=level.stable,
            at=at, items=items.get(here, {}),
        )
        for here, level in whole.items()
    ]  # fmt: skip


def _health(said: Telemetry) -> dict[str, object]:
    agent = said.agent
    return {
        "run": agent.run,
        "version": agent.version,
        "events_held": agent.events_held,
        "oldest_held_s": agent.oldest_held_s,
        "quarantined": agent.quarantined,
        "journal_bytes": agent.journal_bytes,
        "disk_free_bytes": agent.disk_free_bytes,
        "faults": list(agent.faults),
    }


def _devices(connection: Connection, said: Telemetry, received_at: datetime) -> None:
    newest = {health.device: health for health in said.devices}
    if not newest:
        return
    rows = [
        {
            "edge": said.edge,
            "device": name,
            "state": health.state.value,
            "since": min(health.since, received_at),
            "detail": health.reason,
            "reads_per_s": health.reads_per_s,
            "last_read_at": health.last_read_at,
            "clock_offset_ms": health.clock_offset_ms,
            "heard_at": received_at,
        }
        for name, health in sorted(newest.items())
    ]
    statement = insert(connection, devices)
    new = statement.excluded
    kept = ("state", "since", "reads_per_s", "last_read_at", "clock_offset_ms", "heard_at")
    values: dict[str, ColumnElement[object]] = {name: new[name] for name in kept}
    # A device that is up says nothing here; what it said of itself when it came is worth more.
    values["detail"] = func.coalesce(func.nullif(new.detail, ""), devices.c.detail)
    connection.execute(
        statement.on_conflict_do_update(
            index_elements=[devices.c.edge, devices.c.device],
            set_=values,
            where=devices.c.heard_at <= new.heard_at,
        ),
        rows,
    )
