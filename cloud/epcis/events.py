"""What crossed a gate, as EPCIS 2.0 events. Pure.

Each passage gives one ObjectEvent for what went through it alike, and one AggregationEvent for each logistic unit in
it with the tags that are its declared contents. Both say OBSERVE: a gate sees things, it neither makes nor packs them.

| gate's role | in                                     | out                                  |
|-------------|----------------------------------------|--------------------------------------|
| dock        | receiving, in_progress (or returned)   | shipping, in_transit, no bizLocation |
| exit        | entering_exiting, in_progress (or returned) | entering_exiting, no bizLocation |
| staging     | arriving, in_progress                  | staging_outbound, in_progress        |
| doorway     | arriving, in_progress                  | arriving, in_progress                |

Words are of the Core Business Vocabulary 2.0, sections 7.1 and 7.2. Where a thing is once it has left is not known,
so it has no bizLocation then (EPCIS 2.0: where it may be found after the event, until another one says otherwise).
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Literal
from zoneinfo import ZoneInfo

from cloud.epcis.hashid import event_id
from wire.epc import decode

Ids = Literal["digital_link", "urn"]

GS1_CONTEXT = "https://ref.gs1.org/standards/epcis/2.0.0/epcis-context.jsonld"
# What EPCIS has no word for. A name that nobody can own (RFC 2606), so that it is nobody else's.
NAMESPACE = "https://stockbeat.example/epcis#"
CONTEXT: list[Any] = [GS1_CONTEXT, {"stockbeat": NAMESPACE}]


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """One tag that went through. `reads` is None where nobody knows any more."""

    epc: str
    at: datetime
    confidence: float
    reads: int | None
    parent: str | None  # EPC of the logistic unit that holds it


@dataclass(frozen=True, slots=True, kw_only=True)
class Together:
    """The tags of one passage that went the same way and came to the same: what one event tells."""

    edge: str
    gate: str
    role: str  # dock, doorway, staging, exit
    passage: str
    load: str | None  # None: the passage is not known to have ended
    inward: bool
    expected: bool  # False: it left with nothing expecting it
    returned: bool
    time_zone: str
    read_point: str
    biz_location: str  # of the place that it went to
    tags: tuple[Seen, ...]


def epc_uri(epc: str, ids: Ids) -> str:
    """A tag's EPC as others know it. What no GS1 key names has its URN in either case (TDS 2.3, section 12)."""
    meant = decode(epc)
    if ids == "digital_link" and meant.digital_link is not None:
        return meant.digital_link
    return meant.uri or f"urn:epc:raw:{4 * len(epc)}.x{epc}"


def events(together: Together, ids: Ids) -> list[dict[str, Any]]:
    """The events of one group, with their ids."""
    made = [_object_event(together, ids)]
    seen = {tag.epc for tag in together.tags}
    units = sorted({tag.parent for tag in together.tags if tag.parent in seen and tag.parent is not None})
    made += [_aggregation_event(together, unit, ids) for unit in units]
    return [{"eventID": event_id(event, CONTEXT)} | event for event in made]


def document(told: Iterable[Mapping[str, Any]], created: datetime) -> dict[str, Any]:
    """One EPCISDocument with these events."""
    return {
        "@context": CONTEXT,
        "type": "EPCISDocument",
        "schemaVersion": "2.0",
        "creationDate": _time(created),
        "epcisBody": {"eventList": list(told)},
    }


def _object_event(together: Together, ids: Ids) -> dict[str, Any]:
    tags = sorted(together.tags, key=lambda tag: tag.epc)
    return (
        _head("ObjectEvent", together, tags)
        | {"epcList": [epc_uri(tag.epc, ids) for tag in tags], "action": "OBSERVE"}
        | _where_and_why(together)
        | _evidence(together, tags)
    )


def _aggregation_event(together: Together, unit: str, ids: Ids) -> dict[str, Any]:
    children = sorted((tag for tag in together.tags if tag.parent == unit), key=lambda tag: tag.epc)
    return (
        _head("AggregationEvent", together, children)
        | {
            "parentID": epc_uri(unit, ids),
            "childEPCs": [epc_uri(tag.epc, ids) for tag in children],
            "action": "OBSERVE",
        }
        | _where_and_why(together)
        | _evidence(together, children)
    )


def _head(kind: str, together: Together, tags: Sequence[Seen]) -> dict[str, Any]:
    """By the time of its last tag all of them were through."""
    at = max(tag.at for tag in tags)
    offset = at.astimezone(ZoneInfo(together.time_zone)).strftime("%z")
    return {
        "type": kind,
        "eventTime": _time(at),
        "eventTimeZoneOffset": f"{offset[:3]}:{offset[3:5]}",
    }


_STEPS = {  # (role, inward): bizStep, disposition, whether it is known where things are after it
    ("dock", True): ("receiving", "in_progress", True),
    ("dock", False): ("shipping", "in_transit", False),
    ("exit", True): ("entering_exiting", "in_progress", True),
    ("exit", False): ("entering_exiting", None, False),
    ("staging", True): ("arriving", "in_progress", True),
    ("staging", False): ("staging_outbound", "in_progress", True),
    ("doorway", True): ("arriving", "in_progress", True),
    ("doorway", False): ("arriving", "in_progress", True),
}


def _where_and_why(together: Together) -> dict[str, Any]:
    step, disposition, is_there = _STEPS[together.role, together.inward]
    said: dict[str, Any] = {"bizStep": step}
    if together.returned:
        disposition = "returned"
    if disposition is not None:
        said["disposition"] = disposition
    said["readPoint"] = {"id": together.read_point}
    if is_there:
        said["bizLocation"] = {"id": together.biz_location}
    return said


def _evidence(together: Together, tags: Sequence[Seen]) -> dict[str, Any]:
    """What the gate knows beyond EPCIS's words. A tag is named by its own digits, the same in either form of ids."""
    said: dict[str, Any] = {
        "stockbeat:edge": together.edge,
        "stockbeat:gate": together.gate,
        "stockbeat:passage": together.passage,
    }
    if together.load is not None:
        said["stockbeat:load"] = together.load
    if not together.expected:
        said["stockbeat:expected"] = False
    said["stockbeat:confidence"] = min(tag.confidence for tag in tags)
    said["stockbeat:tags"] = [
        {"stockbeat:tag": tag.epc, "stockbeat:at": _time(tag.at), "stockbeat:confidence": tag.confidence}
        | ({} if tag.reads is None else {"stockbeat:reads": tag.reads})
        for tag in tags
    ]
    return said


def _time(at: datetime) -> str:
    return at.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
