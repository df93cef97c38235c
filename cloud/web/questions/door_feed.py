"""What has gone through the dock doors, newest first, load by load?"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, func, select, true, tuple_

from cloud.ledger import tables as t
from wire import epc

NEWEST = 600  # crossings looked at for finding the newest passages: six loads of a hundred tags
LOADS = 12  # as many as a person follows
GRAI_DIGITS = 14  # of the kind of crate or pallet; its serial number follows
PREFIX = 8  # digits of an EPC of no known scheme: a vendor's own numbers begin alike


# Verdicts that need nobody.
USUAL = frozenset({"received", "moved", "turned_back", "ignored", "awaited"})


@dataclass(frozen=True, slots=True)
class Line:
    """The tags of one load that went alike. `what` names the item, or the tag where nothing claims it."""

    what: str
    claimed: bool
    outcome: str  # in, out, turned_back, undecided
    verdict: str
    tags: int
    units: int  # base units in those tags, of a claimed item
    confidence: float  # the lowest among them

    @property
    def held(self) -> bool:
        """Whether a person should look: it went through but was not booked as usual, or cannot be told."""
        return self.verdict not in USUAL


@dataclass(frozen=True, slots=True)
class Load:
    """What went through a door together: one passage, or all that the gate took for one load."""

    edge: str
    gate: str
    load: str
    at: datetime  # its newest crossing
    lines: tuple[Line, ...]
    strays: int  # tags seen that did not go through
    healthy: bool  # reader and antennas answered throughout

    def tags(self, outcome: str) -> int:
        return sum(line.tags for line in self.lines if line.outcome == outcome)


@dataclass(frozen=True, slots=True)
class Traffic:
    """Tags that crossed since a time."""

    ins: int
    outs: int


@dataclass(frozen=True, slots=True)
class _Part:
    """Tags of one passage that went alike, before those of the same load are put together."""

    edge: str
    gate: str
    passage: str
    outcome: str
    verdict: str
    what: str
    claimed: bool
    tags: int
    units: int
    confidence: float
    at: datetime


def door_feed(connection: Connection, site_id: int, limit: int = LOADS) -> list[Load]:
    edges = _edges_of(connection, site_id)
    newest = (
        select(t.crossings.c.edge, t.crossings.c.passage, t.crossings.c.at)
        .where(t.crossings.c.edge.in_(edges))
        .order_by(t.crossings.c.at.desc())
        .limit(NEWEST)
    )
    keys = list(dict.fromkeys((row.edge, row.passage) for row in connection.execute(newest)))[:limit]
    if not keys:
        return []
    here = tuple_(t.crossings.c.edge, t.crossings.c.passage).in_(keys)
    parts = [_Part(**row._mapping) for row in connection.execute(_CLAIMED.where(here))]
    parts += _unclaimed(connection, connection.execute(_OTHERS.where(here)).all())
    loads = list(_loads(parts, _passages(connection, keys)))
    return sorted(loads, key=lambda load: (load.at, load.load), reverse=True)


def traffic_since(connection: Connection, site_id: int, since: datetime) -> Traffic:
    counts = {
        row.outcome: row.tags
        for row in connection.execute(
            select(t.crossings.c.outcome, func.count().label("tags"))
            .where(t.crossings.c.edge.in_(_edges_of(connection, site_id)), t.crossings.c.at >= since)
            .group_by(t.crossings.c.outcome)
        )
    }
    return Traffic(counts.get("in", 0), counts.get("out", 0))


def _edges_of(connection: Connection, site_id: int) -> list[str]:
    return list(connection.scalars(select(t.edges.c.edge).where(t.edges.c.site_id == site_id)))


def _passages(connection: Connection, keys: list[tuple[str, str]]) -> dict[tuple[str, str], Any]:
    """What the gates said of these passages as a whole: comes after their tags, so it may be missing yet."""
    question = select(t.passages).where(tuple_(t.passages.c.edge, t.passages.c.passage).in_(keys))
    return {(row.edge, row.passage): row for row in connection.execute(question)}


def _unclaimed(connection: Connection, rows: Sequence[Any]) -> list[_Part]:
    """Tags that the registry gives no item: it has not judged them (yet), or nothing claims them."""
    meant = {row.epc: epc.decode(row.epc) for row in rows}
    gtins = {tag.gtin for tag in meant.values() if tag.gtin is not None}
    named = select(t.items.c.gtin, t.items.c.name).where(t.items.c.gtin.in_(gtins))
    names = {row.gtin: row.name for row in connection.execute(named)} if gtins else {}
    return [_part_of_tag(row, meant[row.epc], names) for row in rows]


def _part_of_tag(row: Any, tag: epc.Epc, names: Mapping[str, str]) -> _Part:
    item = names.get(tag.gtin or "")
    return _Part(
        edge=row.edge,
        gate=row.gate,
        passage=row.passage,
        outcome=row.outcome,
        verdict=row.verdict,
        what=item or _named(tag),
        claimed=item is not None,
        tags=1,
        units=1,
        confidence=row.confidence,
        at=row.at,
    )


def _named(tag: epc.Epc) -> str:
    """What a tag's EPC says, so far that tags alike are named alike."""
    if tag.sscc is not None:
        return f"SSCC {tag.sscc}"
    if tag.gtin is not None:
        return f"GTIN {tag.gtin}"
    if tag.grai is not None:
        return f"GRAI {tag.grai[:GRAI_DIGITS]}"
    return f"GIAI {tag.giai}" if tag.giai is not None else f"tag {tag.hex[:PREFIX]}…"


def _loads(parts: Iterable[_Part], passages: Mapping[tuple[str, str], Any]) -> Iterable[Load]:
    grouped: dict[tuple[str, str, str], list[_Part]] = defaultdict(list)
    for part in parts:
        whole = passages.get((part.edge, part.passage))
        grouped[part.edge, part.gate, whole.load if whole else part.passage].append(part)
    for (edge, gate, load), of_load in grouped.items():
        wholes = [passages[key] for key in {(part.edge, part.passage) for part in of_load} if key in passages]
        yield Load(
            edge,
            gate,
            load,
            at=max(part.at for part in of_load),
            lines=_lines(of_load),
            strays=sum(whole.strays for whole in wholes),
            healthy=all(whole.healthy for whole in wholes),
        )


def _lines(parts: Iterable[_Part]) -> tuple[Line, ...]:
    """Parts that say the same become one line."""
    alike: dict[tuple[str, bool, str, str], list[_Part]] = defaultdict(list)
    for part in parts:
        alike[part.what, part.claimed, part.outcome, part.verdict].append(part)
    lines = [
        Line(
            *key,
            tags=sum(part.tags for part in same),
            units=sum(int(part.units) for part in same),
            confidence=min(part.confidence for part in same),
        )
        for key, same in alike.items()
    ]
    return tuple(sorted(lines, key=lambda line: (line.outcome, -line.tags, line.what)))


_KEY = (
    t.crossings.c.edge,
    t.crossings.c.gate,
    t.crossings.c.passage,
    t.crossings.c.outcome,
    t.crossings.c.verdict,
)
_CLAIMED = (
    select(
        *_KEY,
        t.items.c.name.label("what"),
        true().label("claimed"),
        func.count().label("tags"),
        func.sum(t.tags.c.quantity).label("units"),
        func.min(t.crossings.c.confidence).label("confidence"),
        func.max(t.crossings.c.at, type_=t.crossings.c.at.type).label("at"),
    )
    .join_from(t.crossings, t.tags, t.tags.c.epc == t.crossings.c.epc)
    .join(t.items, t.items.c.id == t.tags.c.item_id)
    .group_by(*_KEY, t.items.c.name)
)
_OTHERS = (
    select(*_KEY, t.crossings.c.epc, t.crossings.c.confidence, t.crossings.c.at)
    .outerjoin_from(t.crossings, t.tags, t.tags.c.epc == t.crossings.c.epc)
    .where(t.tags.c.item_id.is_(None))
)
