"""What the ledger holds, as points. Pure. A field keeps its type for ever: InfluxDB refuses a point that changes it.

| measurement  | one point for each                             | tags                                     |
|--------------|------------------------------------------------|------------------------------------------|
| movement     | movement of the ledger                         | site, item, src, dst, kind               |
| crossing     | tag's passage through a gate                   | site, edge, gate, outcome                |
| passage      | passage as a whole                             | site, edge, gate                         |
| shelf_change | change that a bay reported                     | site, edge, shelf, bay, outcome, item    |
| bay_state    | time that a bay came to count, or not          | site, edge, shelf, bay, place, state     |
| bay_fill     | time that a bay came to be full, low, out …    | site, edge, shelf, bay, place, item, state |
| device_event | device that came, went or could not see        | site, edge, device, what                 |
| alert        | alert that fired, was seen or cleared          | site, rule, place, item, severity, event |
| stock        | sample: what the ledger has of an item at a bay | site, place, item                       |
| level        | sample: what a bay weighs                      | site, place, edge, shelf, bay            |
| item_level   | sample: units by weight, in bays of several kinds | site, place, edge, shelf, bay, item  |
| bay          | sample: whether a bay counts, and why not      | site, place, edge, shelf, bay            |
| fill         | sample: how full a bay is of an item           | site, place, edge, shelf, bay, item      |
| device       | sample: how a device does                      | site, edge, device                       |
| agent        | sample: how an edge's agent does               | site, edge                               |
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from cloud.series.lines import at_ns, line
from wire.envelope import Envelope
from wire.events import (
    BayFill,
    BayState,
    Blind,
    Condition,
    DeviceDown,
    DeviceUp,
    Fill,
    Passage,
    ShelfChange,
    TagMovement,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Movement:
    """A movement with its ids spelled out, in units of the item."""

    site: str
    item: str
    src: str
    dst: str
    kind: str
    quantity: float
    position: int
    event_at: datetime
    recorded_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Alert:
    id: int
    site: str
    rule: str
    place: str
    item: str
    severity: str
    value: float
    text: str
    fired_at: datetime
    acknowledged_at: datetime | None
    cleared_at: datetime | None
    changed_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Stock:
    """An item at a bay that is meant to hold it, and the rule that watches it, if one does."""

    site: str
    place: str
    item: str
    units: float
    capacity: float
    limit: float | None
    clear: float | None


def movement(row: Movement) -> str:
    return line(
        "movement",
        {"site": row.site, "item": row.item, "src": row.src, "dst": row.dst, "kind": row.kind},
        {"quantity": float(row.quantity), "position": row.position},
        at_ns(row.event_at, row.position, row.recorded_at),
    )


Places = Mapping[tuple[str, str, str], str]  # the names of bays' places, by edge, shelf and bay


def event(site: str, envelope: Envelope, received_at: datetime, places: Places) -> str:
    """A point for an event that a dashboard shows; "" for one that none does."""
    said, where = envelope.event, {"site": site, "edge": envelope.edge}
    match said:
        case TagMovement():
            name, tags = "crossing", {"gate": said.gate, "outcome": said.outcome.value}
            fields: dict[str, Any] = {
                "epc": said.epc,
                "confidence": float(said.confidence),
                "reads": said.reads,
            }
        case Passage():
            name, tags = "passage", {"gate": said.gate}
            fields = _passage(said)
        case ShelfChange():
            name = "shelf_change"
            tags = {
                "shelf": said.shelf,
                "bay": said.bay,
                "outcome": said.outcome.value,
                "item": said.item or "",
            }
            fields = {
                "units": said.units,
                "grams": float(said.grams),
                "confidence": float(said.confidence),
                "level_grams": float(said.level_grams),
            }
        case BayState() | BayFill():
            bay = {"shelf": said.shelf, "bay": said.bay, "state": said.state.value}
            tags = bay | {"place": places.get((envelope.edge, said.shelf, said.bay), "")}
            name, own, fields = _bay_state(said) if isinstance(said, BayState) else _bay_fill(said)
            tags |= own
        case DeviceUp():
            name, tags = "device_event", {"device": said.device, "what": "up"}
            fields = {"detail": said.detail, "up": 1}
        case DeviceDown():
            name, tags = "device_event", {"device": said.device, "what": "down"}
            fields = {"detail": said.reason, "up": 0}
        case Blind():
            name, tags = "device_event", {"device": said.device, "what": "blind"}
            fields = {"detail": said.reason, "blind_s": (said.to_at - said.from_at).total_seconds()}
        case _:
            return ""
    return line(name, where | tags, fields, at_ns(said.at, envelope.seq, received_at))


def _bay_state(said: BayState) -> tuple[str, dict[str, str], dict[str, Any]]:
    counting = int(said.state is Condition.OK)
    return "bay_state", {}, {"count": 1, "counting": counting, "reason": said.reason}


def _bay_fill(said: BayFill) -> tuple[str, dict[str, str], dict[str, Any]]:
    fields = {
        "count": 1,
        "units": said.units,
        "capacity": said.capacity,
        "facings": said.facings,
        "fraction": _float(said.fraction),
    }
    return "bay_fill", {"item": said.item or ""}, fields


def _passage(said: Passage) -> dict[str, Any]:
    return {
        "ins": said.ins,
        "outs": said.outs,
        "turned_back": said.turned_back,
        "undecided": said.undecided,
        "strays": said.strays,
        "seconds": (said.ended_at - said.began_at).total_seconds(),
        "healthy": said.healthy,
    }


def alert(row: Alert) -> Iterator[str]:
    """A point for each thing that has happened to it: writing one again changes nothing."""
    tags = {
        "site": row.site,
        "rule": row.rule,
        "place": row.place,
        "item": row.item,
        "severity": row.severity,
    }
    happened = (("fired", row.fired_at), ("acknowledged", row.acknowledged_at), ("cleared", row.cleared_at))
    for what, at in happened:
        if at is not None:
            fields: dict[str, Any] = {
                "text": row.text,
                "value": float(row.value),
                "alert": row.id,
                "count": 1,
            }
            yield line("alert", tags | {"event": what}, fields, at_ns(at, row.id, row.changed_at))


def stock(row: Stock, now: datetime) -> str:
    fields = {
        "units": float(row.units),
        "capacity": float(row.capacity),
        "limit": None if row.limit is None else float(row.limit),
        "clear": None if row.clear is None else float(row.clear),
    }
    return line("stock", {"site": row.site, "place": row.place, "item": row.item}, fields, at_ns(now, 0, now))


def level(row: Mapping[str, Any], now: datetime) -> str:
    """A row of `levels` with the names of its site, place, edge, shelf and bay."""
    tags = _of_bay(row)
    fields: dict[str, Any] = {
        "grams": float(row["grams"]),
        "units": row["units"],
        "stable": bool(row["stable"]),
        "uncertain": bool(row["uncertain"]),
    }
    return line("level", tags, fields, at_ns(row["at"], 0, now))


def item_level(row: Mapping[str, Any], now: datetime) -> str:
    """A row of `item_levels` with the names of its site, place, edge, shelf and bay."""
    return line("item_level", _of_bay(row, "gtin"), {"units": row["units"]}, at_ns(row["at"], 0, now))


def bay(row: Mapping[str, Any], now: datetime) -> str:
    """A row of `bay_states` with such names. It holds until another is said, so that it is at `now`."""
    fields = {"state": row["state"], "counting": int(row["state"] == Condition.OK), "reason": row["reason"]}
    return line("bay", _of_bay(row), fields, at_ns(now, 0, now))


def fill(row: Mapping[str, Any], now: datetime) -> str:
    """A row of `bay_fills` with such names; at `now`, as `bay`."""
    fields: dict[str, Any] = {
        "state": row["state"],
        "out": int(row["state"] == Fill.OUT),
        "low": int(row["state"] == Fill.LOW),
        "units": row["units"],
        "capacity": row["capacity"],
        "fraction": _float(row["fraction"]),
    }
    return line("fill", _of_bay(row, "gtin"), fields, at_ns(now, 0, now))


def _of_bay(row: Mapping[str, Any], item: str | None = None) -> dict[str, str]:
    tags = {key: row[key] for key in ("site", "place", "edge", "shelf", "bay")}
    return tags if item is None else tags | {"item": row[item]}


def device(row: Mapping[str, Any], now: datetime) -> str:
    """A row of `devices` with the name of its site."""
    reads_per_s, offset = row["reads_per_s"], row["clock_offset_ms"]
    fields: dict[str, Any] = {
        "up": int(row["state"] == "up"),
        "reads_per_s": None if reads_per_s is None else float(reads_per_s),
        "clock_offset_ms": None if offset is None else float(offset),
    }
    tags = {key: row[key] for key in ("site", "edge", "device")}
    return line("device", tags, fields, at_ns(row["heard_at"], 0, now))


def agent(row: Mapping[str, Any], now: datetime) -> str:
    """A row of `agents` with the site and presence of its edge. `health` is wire.messages.AgentHealth as JSON."""
    health = row["health"]
    fields: dict[str, Any] = {
        "online": int(row["presence"] == "online"),
        "events_held": _int(health.get("events_held")),
        "oldest_held_s": _float(health.get("oldest_held_s")),
        "quarantined": _int(health.get("quarantined")),
        "journal_bytes": _int(health.get("journal_bytes")),
        "disk_free_bytes": _int(health.get("disk_free_bytes")),
        "faults": len(health.get("faults") or ()),
    }
    return line("agent", {key: row[key] for key in ("site", "edge")}, fields, at_ns(row["at"], 0, now))


def _int(value: Any) -> int | None:
    return None if value is None else int(value)


def _float(value: Any) -> float | None:
    return None if value is None else float(value)
