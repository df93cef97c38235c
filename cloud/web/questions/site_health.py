"""Are the agents and devices of a site well?"""

from collections import defaultdict
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, func, select

from cloud.ledger import tables as t


@dataclass(frozen=True, slots=True)
class Device:
    device: str
    state: str  # up, down
    since: datetime
    detail: str
    reads_per_s: float | None
    last_read_at: datetime | None
    clock_offset_ms: float | None
    heard_at: datetime


@dataclass(frozen=True, slots=True)
class Agent:
    """What an agent said of itself in its newest telemetry."""

    at: datetime
    version: str
    events_held: int
    oldest_held_s: float
    quarantined: int
    disk_free_bytes: int | None
    faults: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Edge:
    edge: str
    presence: str  # online, offline, unknown
    presence_at: datetime | None
    complete_to: datetime | None
    parked: int  # events that could not be booked and wait for a person
    agent: Agent | None
    devices: tuple[Device, ...]

    @property
    def well(self) -> bool:
        agent_well = self.agent is None or not (self.agent.faults or self.agent.quarantined)
        devices_up = all(device.state == "up" for device in self.devices)
        return self.presence == "online" and agent_well and devices_up and not self.parked


def site_health(connection: Connection, site_id: int) -> list[Edge]:
    at_site = t.edges.c.site_id == site_id
    devices: dict[str, list[Device]] = defaultdict(list)
    for row in connection.execute(_DEVICES.where(at_site)):
        devices[row.edge].append(Device(*row[1:]))
    agents = {row.edge: _agent(row) for row in connection.execute(_AGENTS.where(at_site))}
    parked = {row.edge: row.parked for row in connection.execute(_PARKED.where(at_site))}
    return [
        Edge(
            row.edge,
            row.presence,
            row.presence_at,
            row.complete_to,
            parked.get(row.edge, 0),
            agents.get(row.edge),
            tuple(devices[row.edge]),
        )
        for row in connection.execute(select(t.edges).where(at_site).order_by(t.edges.c.edge))
    ]


def _agent(row: Any) -> Agent:
    health = row.health
    return Agent(
        at=row.at,
        version=health.get("version", ""),
        events_held=health.get("events_held", 0),
        oldest_held_s=health.get("oldest_held_s", 0.0),
        quarantined=health.get("quarantined", 0),
        disk_free_bytes=health.get("disk_free_bytes"),
        faults=tuple(health.get("faults", ())),
    )


_DEVICES = (
    select(
        t.devices.c.edge,
        t.devices.c.device,
        t.devices.c.state,
        t.devices.c.since,
        t.devices.c.detail,
        t.devices.c.reads_per_s,
        t.devices.c.last_read_at,
        t.devices.c.clock_offset_ms,
        t.devices.c.heard_at,
    )
    .join(t.edges, t.edges.c.edge == t.devices.c.edge)
    .order_by(t.devices.c.device)
)
_AGENTS = select(t.agents).join(t.edges, t.edges.c.edge == t.agents.c.edge)
_PARKED = (
    select(t.envelopes.c.edge, func.count().label("parked"))
    .join(t.edges, t.edges.c.edge == t.envelopes.c.edge)
    .where(t.envelopes.c.state == "parked")
    .group_by(t.envelopes.c.edge)
)
