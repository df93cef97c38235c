"""What of the ledger is to be told: passages that booked something, as groups of tags that went alike.

The ledger's movements say which passages to look at, in the order of their positions. A passage is told whole once it
has ended, so that the same ledger gives the same events, however it is gone through.
"""

from collections import defaultdict
from collections.abc import Iterable, Sequence, Set
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection, Row, exists, select, tuple_

from cloud.epcis.events import Seen, Together
from cloud.epcis.manner import Manner, Place
from cloud.ledger.tables import (
    crossings,
    envelopes,
    epcis_told,
    gates,
    locations,
    movements,
    passages,
    sites,
    tags,
    unit_contents,
)
from cloud.tags.story import Verdict
from wire.codec import decode
from wire.errors import DecodeError
from wire.events import TagMovement

MOVEMENTS_AT_ONCE = 500
KEYS_A_QUERY = 200  # three parameters each, of the 32,766 that SQLite allows
# A passage whose end is not told within this is told without: the agent says it right behind the passage's tags, so
# this long only while parts of a load are under way or its end was lost.
WAIT_FOR_END = timedelta(seconds=60)

# Verdicts of crossings that booked. One that shows another to be missing may have, too: then a movement cites it.
BOOKED = frozenset({Verdict.RECEIVED, Verdict.MOVED, Verdict.LEFT, Verdict.RETURNED})

PassageKey = tuple[str, str]  # edge, passage
CrossingKey = tuple[str, str, str]  # edge, passage, EPC


@dataclass(frozen=True, slots=True)
class Portion:
    """Passages that some movements of a site stand for, and how far that goes."""

    site_id: int
    position: int
    passages: tuple[PassageKey, ...]
    booked: frozenset[CrossingKey]  # the crossings that caused these movements


def portion(connection: Connection, site_id: int, after: int, now: datetime) -> Portion | None:
    """The passages of the next movements of a site; None when there are none yet that can be told."""
    rows = connection.execute(
        select(movements.c.position, movements.c.evidence, movements.c.recorded_at)
        .where(movements.c.site_id == site_id, movements.c.position > after)
        .order_by(movements.c.position)
        .limit(MOVEMENTS_AT_ONCE)
    ).all()
    caused = {row.position: _crossing_of(row.evidence) for row in rows}
    keys = _keys(connection, site_id, {key for key in caused.values() if key is not None})
    ended = _ended(connection, {key for found in keys.values() for key in found})
    booked: dict[CrossingKey, None] = {}
    position = after
    for row in rows:
        crossed = [
            (*key, epc) for passage, epc in [caused[row.position] or ("", "")] for key in keys[passage, epc]
        ]
        if any(key[:2] not in ended for key in crossed) and row.recorded_at > now - WAIT_FOR_END:
            break
        booked |= dict.fromkeys(crossed)
        position = row.position
    if position == after:
        return None
    told = dict.fromkeys((edge, passage) for edge, passage, _ in booked)
    return Portion(site_id, position, tuple(told), frozenset(booked))


def _crossing_of(evidence: Any) -> tuple[str, str] | None:
    """Passage and EPC of the crossing that caused a movement, if one did."""
    passage, epc = evidence.get("passage"), evidence.get("epc")
    return (passage, epc) if passage and epc else None


def _keys(
    connection: Connection, site_id: int, caused: Iterable[tuple[str, str]]
) -> dict[tuple[str, str], list[PassageKey]]:
    """The passages at this site's own gates; a tag that came to another site is told by that one."""
    wanted = sorted(caused)
    found: dict[tuple[str, str], list[PassageKey]] = defaultdict(list)
    for start in range(0, len(wanted), KEYS_A_QUERY):
        query = (
            select(crossings.c.edge, crossings.c.passage, crossings.c.epc)
            .join(locations, locations.c.id == crossings.c.inside_id)
            .where(
                locations.c.site_id == site_id,
                tuple_(crossings.c.passage, crossings.c.epc).in_(wanted[start : start + KEYS_A_QUERY]),
                crossings.c.epc.in_({epc for _, epc in wanted[start : start + KEYS_A_QUERY]}),
            )
        )
        for edge, passage, epc in connection.execute(query):
            found[passage, epc].append((edge, passage))
    return found


def _ended(connection: Connection, keys: Iterable[PassageKey]) -> set[PassageKey]:
    wanted = sorted(keys)
    found: set[PassageKey] = set()
    for start in range(0, len(wanted), KEYS_A_QUERY):
        query = select(passages.c.edge, passages.c.passage).where(
            tuple_(passages.c.edge, passages.c.passage).in_(wanted[start : start + KEYS_A_QUERY])
        )
        found.update((row.edge, row.passage) for row in connection.execute(query))
    return found


def together(
    connection: Connection, portion: Portion, manner: Manner, told: Set[CrossingKey]
) -> list[Together]:
    """What these passages have to tell, but for crossings that were told before."""
    groups: dict[tuple[Any, ...], list[Row[Any]]] = {}
    for row in _rows(connection, portion.passages):
        key = (row.edge, row.passage, row.epc)
        if key in told or (row.verdict not in BOOKED and key not in portion.booked):
            continue
        group = (
            row.edge,
            row.passage,
            row.outcome == "in",
            row.verdict == Verdict.RETURNED,
            row.verdict != Verdict.LEFT,
        )
        groups.setdefault(group, []).append(row)
    reads = _reads(connection, [row for rows in groups.values() for row in rows])
    names = {
        row.id: Place(row.name, row.biz_location)
        for row in connection.execute(select(locations.c.id, locations.c.name, locations.c.biz_location))
    }
    return [_together(group, rows, reads, names, manner) for group, rows in groups.items()]


def told_before(connection: Connection, keys: Sequence[PassageKey]) -> set[CrossingKey]:
    found: set[CrossingKey] = set()
    for start in range(0, len(keys), KEYS_A_QUERY):
        some = keys[start : start + KEYS_A_QUERY]
        query = select(epcis_told).where(tuple_(epcis_told.c.edge, epcis_told.c.passage).in_(some))
        found.update((row.edge, row.passage, row.epc) for row in connection.execute(query))
    return found


def _rows(connection: Connection, keys: Sequence[PassageKey]) -> list[Row[Any]]:
    """Every counted crossing in these passages, in the order of the passages."""
    rows: dict[PassageKey, list[Row[Any]]] = {key: [] for key in keys}
    for start in range(0, len(keys), KEYS_A_QUERY):
        some = keys[start : start + KEYS_A_QUERY]
        query = _CROSSINGS.where(tuple_(crossings.c.edge, crossings.c.passage).in_(some))
        for row in connection.execute(query.order_by(crossings.c.epc)):
            rows[row.edge, row.passage].append(row)
    return [row for key in keys for row in rows[key]]


_CROSSINGS = (
    select(
        crossings,
        passages.c.load,
        sites.c.name.label("site"),
        sites.c.time_zone,
        sites.c.biz_location.label("site_location"),
        gates.c.read_point,
        tags.c.parent,
        exists().where(unit_contents.c.epc == crossings.c.epc).label("declared"),
    )
    .join(locations, locations.c.id == crossings.c.inside_id)
    .join(sites, sites.c.id == locations.c.site_id)
    .outerjoin(passages, (passages.c.edge == crossings.c.edge) & (passages.c.passage == crossings.c.passage))
    .outerjoin(gates, (gates.c.edge == crossings.c.edge) & (gates.c.gate == crossings.c.gate))
    .outerjoin(tags, tags.c.epc == crossings.c.epc)
    .where(crossings.c.counted)
)


def _together(
    group: tuple[Any, ...],
    rows: Sequence[Row[Any]],
    reads: dict[tuple[str, str, int], int],
    names: dict[int, Place],
    manner: Manner,
) -> Together:
    edge, passage, inward, returned, expected = group
    first = rows[0]
    only = manner.only_unit([(row.epc, row.declared) for row in rows])
    went_to = names[first.inside_id if inward else first.outside_id]
    return Together(
        edge=edge,
        gate=first.gate,
        role=first.role,
        passage=passage,
        load=first.load,
        inward=inward,
        expected=expected,
        returned=returned,
        time_zone=first.time_zone,
        read_point=manner.read_point(first),
        biz_location=manner.biz_location(first, went_to),
        tags=tuple(
            Seen(
                epc=row.epc,
                at=row.at,
                confidence=row.confidence,
                reads=reads.get((row.edge, row.run, row.seq)),
                parent=row.parent or (only if row.epc != only else None),
            )
            for row in rows
        ),
    )


def _reads(connection: Connection, rows: Sequence[Row[Any]]) -> dict[tuple[str, str, int], int]:
    """How many reads each decision rests on, as the edge said it."""
    wanted = sorted({(row.edge, row.run, row.seq) for row in rows})
    found: dict[tuple[str, str, int], int] = {}
    for start in range(0, len(wanted), KEYS_A_QUERY):
        query = select(envelopes.c.edge, envelopes.c.run, envelopes.c.seq, envelopes.c.line).where(
            tuple_(envelopes.c.edge, envelopes.c.run, envelopes.c.seq).in_(
                wanted[start : start + KEYS_A_QUERY]
            )
        )
        for row in connection.execute(query):
            try:
                event = decode(row.line).event
            except DecodeError:
                continue
            if isinstance(event, TagMovement):
                found[row.edge, row.run, row.seq] = event.reads
    return found


def sites_named(connection: Connection) -> dict[str, int]:
    return dict(connection.execute(select(sites.c.name, sites.c.id).order_by(sites.c.name)).all())
