"""What has gone through the dock doors, newest first, load by load?"""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, func, select, tuple_

from cloud.ledger import tables as t
from wire import epc

NEWEST = 600  # crossings looked at for finding the newest passages: six loads of a hundred tags
LOADS = 12  # as many as a person follows


# Verdicts that need nobody.
USUAL = frozenset({"received", "moved", "turned_back", "ignored", "awaited"})


@dataclass(frozen=True, slots=True)
class Line:
    """The tags of one passage that went alike. `what` names the item, or the tag where nothing claims it."""

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
    rows = connection.execute(_LINES.where(tuple_(t.crossings.c.edge, t.crossings.c.passage).in_(keys)))
    loads = list(_loads(rows.all(), _passages(connection, keys)))
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


def _loads(rows: Iterable[Any], passages: Mapping[tuple[str, str], Any]) -> Iterable[Load]:
    grouped: dict[tuple[str, str, str], list[Any]] = defaultdict(list)
    for row in rows:
        whole = passages.get((row.edge, row.passage))
        grouped[row.edge, row.gate, whole.load if whole else row.passage].append(row)
    for (edge, gate, load), of_load in grouped.items():
        wholes = [passages[key] for key in {(row.edge, row.passage) for row in of_load} if key in passages]
        yield Load(
            edge,
            gate,
            load,
            at=max(row.at for row in of_load),
            lines=_lines(of_load),
            strays=sum(whole.strays for whole in wholes),
            healthy=all(whole.healthy for whole in wholes),
        )


def _lines(rows: Iterable[Any]) -> tuple[Line, ...]:
    """Rows of several passages that say the same become one line."""
    alike: dict[tuple[str, bool, str, str], Line] = {}
    for line in map(_line, rows):
        key = (line.what, line.claimed, line.outcome, line.verdict)
        alike[key] = _both(alike[key], line) if key in alike else line
    return tuple(sorted(alike.values(), key=lambda line: (line.outcome, -line.tags, line.what)))


def _both(one: Line, other: Line) -> Line:
    return replace(
        one,
        tags=one.tags + other.tags,
        units=one.units + other.units,
        confidence=min(one.confidence, other.confidence),
    )


def _line(row: Any) -> Line:
    return Line(
        what=row.item or _named(row.first_epc, row.tags),
        claimed=row.item is not None,
        outcome=row.outcome,
        verdict=row.verdict,
        tags=row.tags,
        units=int(row.units or row.tags),
        confidence=row.confidence,
    )


def _named(hex_digits: str, tags: int) -> str:
    """A tag that no item claims, by what its EPC says."""
    tag = epc.decode(hex_digits)
    if tags > 1:
        return "tags that no item claims" if tag.sscc is None else "logistic units"
    if tag.sscc is not None:
        return f"SSCC {tag.sscc}"
    return f"GTIN {tag.gtin}, serial {tag.serial}" if tag.gtin is not None else f"tag {tag.hex}"


_LINES = (
    select(
        t.crossings.c.edge,
        t.crossings.c.gate,
        t.crossings.c.passage,
        t.crossings.c.outcome,
        t.crossings.c.verdict,
        t.items.c.name.label("item"),
        t.tags.c.scheme,
        func.count().label("tags"),
        func.sum(t.tags.c.quantity).label("units"),
        func.min(t.crossings.c.confidence).label("confidence"),
        func.min(t.crossings.c.epc).label("first_epc"),
        func.max(t.crossings.c.at, type_=t.crossings.c.at.type).label("at"),
    )
    .outerjoin_from(t.crossings, t.tags, t.tags.c.epc == t.crossings.c.epc)
    .outerjoin(t.items, t.items.c.id == t.tags.c.item_id)
    .group_by(
        t.crossings.c.edge,
        t.crossings.c.gate,
        t.crossings.c.passage,
        t.crossings.c.outcome,
        t.crossings.c.verdict,
        t.items.c.name,
        t.tags.c.scheme,
    )
)
