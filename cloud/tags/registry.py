"""The registry of tags and of their crossings: read for a batch, kept in memory, written back at once."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, bindparam, select, tuple_, update

from cloud.ledger.database import insert_many
from cloud.ledger.tables import EPOCH, crossings, passages, tags
from cloud.tags.story import Crossing, Standing, State, Verdict
from wire.envelope import Key
from wire.epc import decode

KEYS_A_QUERY = 500
PassageKey = tuple[str, str]  # edge, passage
CrossingKey = tuple[str, str, str]  # edge, passage, EPC


@dataclass(slots=True, kw_only=True)
class Tag:
    """One EPC as the registry has it. `judged_at` is the time of its newest crossing that counts; EPOCH without one."""

    epc: str
    scheme: str
    item_id: int | None
    quantity: int  # units that it stands for
    parent: str | None
    standing: Standing
    judged_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """A crossing as stored: what counts of it, which event said it, and what came of it."""

    crossing: Crossing
    epc: str
    gate: str
    key: Key
    confidence: float
    verdict: Verdict


class Registry:
    """Tags and crossings of one transaction. What is changed here is written by `write`."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._tags: dict[str, Tag] = {}
        self._dirty: set[str] = set()
        self._fresh: set[str] = set()  # without a row as yet
        self._crossings: list[dict[str, Any]] = []
        self._verdicts: dict[CrossingKey, Verdict] = {}
        self._known: set[CrossingKey] = set()
        self.loads: dict[PassageKey, str] = {}  # of passages that have ended

    def prefetch(self, epcs: Iterable[str], of_passages: Iterable[PassageKey]) -> None:
        """Read and lock these tags, and read what is known of the passages.

        One that nobody has seen is made when it is written. Should two transactions make the same one, then the
        second fails on its key, is rolled back to its savepoint and finds the first one's.
        """
        wanted = sorted(set(epcs) - self._tags.keys())
        for start in range(0, len(wanted), KEYS_A_QUERY):
            some = wanted[start : start + KEYS_A_QUERY]
            query = select(tags).where(tags.c.epc.in_(some)).order_by(tags.c.epc).with_for_update()
            for row in self._connection.execute(query):
                self._tags[row.epc] = _tag(row)
        for epc in wanted:
            if epc not in self._tags:
                self._tags[epc] = _unseen(epc)
                self._fresh.add(epc)
        self._prefetch_passages(sorted(set(of_passages)))

    def _prefetch_passages(self, keys: Sequence[PassageKey]) -> None:
        for start in range(0, len(keys), KEYS_A_QUERY):
            some = keys[start : start + KEYS_A_QUERY]
            told = select(crossings.c.edge, crossings.c.passage, crossings.c.epc).where(
                tuple_(crossings.c.edge, crossings.c.passage).in_(some)
            )
            self._known.update((row.edge, row.passage, row.epc) for row in self._connection.execute(told))
            ended = select(passages.c.edge, passages.c.passage, passages.c.load).where(
                tuple_(passages.c.edge, passages.c.passage).in_(some)
            )
            for row in self._connection.execute(ended):
                self.loads[row.edge, row.passage] = row.load

    def tag(self, epc: str) -> Tag:
        if epc not in self._tags:
            self.prefetch([epc], ())
        return self._tags[epc]

    def touch(self, tag: Tag) -> None:
        """The tag was changed: write it back."""
        self._dirty.add(tag.epc)

    def knows(self, key: CrossingKey) -> bool:
        """Whether this tag's passage was told before, in whatever run. The passage must have been prefetched."""
        return key in self._known

    def record(self, seen: Seen, *, outcome: str, counted: bool) -> None:
        crossing = seen.crossing
        self._known.add((crossing.edge, crossing.passage, seen.epc))
        self._crossings.append(
            {
                "edge": crossing.edge,
                "passage": crossing.passage,
                "epc": seen.epc,
                "gate": seen.gate,
                "at": crossing.at,
                "outcome": outcome,
                "confidence": seen.confidence,
                "tid": crossing.tid,
                "run": seen.key.run,
                "seq": seen.key.seq,
                "role": crossing.role,
                "outside_id": crossing.outside_id,
                "inside_id": crossing.inside_id,
                "counted": counted,
                "verdict": seen.verdict.value,
            }
        )

    def rejudge(self, seen: Seen, verdict: Verdict) -> None:
        """Say what came of a stored crossing, now that more is known."""
        self._verdicts[seen.crossing.edge, seen.crossing.passage, seen.epc] = verdict

    def story(self, epc: str, sites: Mapping[int, int]) -> list[Seen]:
        """Every counted crossing of a tag, in order. `sites` tells the site of a location."""
        self.write()
        query = select(crossings).where(crossings.c.epc == epc, crossings.c.counted)
        found = [_seen(row, sites) for row in self._connection.execute(query)]
        return sorted(found, key=lambda seen: seen.crossing.order)

    def passage(self, key: PassageKey, sites: Mapping[int, int]) -> list[Seen]:
        """Every counted crossing in a passage."""
        self.write()
        query = select(crossings).where(
            crossings.c.edge == key[0], crossings.c.passage == key[1], crossings.c.counted
        )
        return [_seen(row, sites) for row in self._connection.execute(query)]

    def write(self) -> None:
        """Write what has changed. The rows stay in memory: nobody else may change them in this transaction."""
        rows, self._crossings = self._crossings, []
        if rows:
            insert_many(self._connection, crossings, rows)
        verdicts, self._verdicts = self._verdicts, {}
        if verdicts:
            self._connection.execute(
                _REJUDGE,
                [
                    {"of_edge": edge, "of_passage": passage, "of_epc": epc, "new_verdict": verdict.value}
                    for (edge, passage, epc), verdict in verdicts.items()
                ],
            )
        fresh, self._fresh = self._fresh, set()
        dirty, self._dirty = self._dirty - fresh, set()
        if fresh:
            insert_many(self._connection, tags, [_row(self._tags[epc]) for epc in sorted(fresh)])
        if dirty:
            rows = [
                {f"new_{name}": value for name, value in _row(self._tags[epc]).items()}
                for epc in sorted(dirty)
            ]
            self._connection.execute(_SAVE, rows)


_REJUDGE = (
    update(crossings)
    .where(
        crossings.c.edge == bindparam("of_edge"),
        crossings.c.passage == bindparam("of_passage"),
        crossings.c.epc == bindparam("of_epc"),
    )
    .values(verdict=bindparam("new_verdict"))
)
_SAVED = ("scheme", "item_id", "parent", "tid", "state", "site_id", "location_id", "judged_at")
_SAVE = (
    update(tags)
    .where(tags.c.epc == bindparam("new_epc"))
    .values({name: bindparam(f"new_{name}") for name in _SAVED})
)


def _row(tag: Tag) -> dict[str, Any]:
    return {
        "epc": tag.epc,
        "scheme": tag.scheme,
        "item_id": tag.item_id,
        "parent": tag.parent,
        "tid": tag.standing.tid,
        "state": tag.standing.state.value,
        "site_id": tag.standing.site_id,
        "location_id": tag.standing.location_id,
        "judged_at": tag.judged_at,
    }


def _unseen(epc: str) -> Tag:
    return Tag(
        epc=epc,
        scheme=decode(epc).scheme,
        item_id=None,
        quantity=1,
        parent=None,
        standing=Standing(),
        judged_at=EPOCH,
    )


def _tag(row: Any) -> Tag:
    return Tag(
        epc=row.epc,
        scheme=row.scheme,
        item_id=row.item_id,
        quantity=row.quantity,
        parent=row.parent,
        standing=Standing(
            state=State(row.state), site_id=row.site_id, location_id=row.location_id, tid=row.tid
        ),
        judged_at=row.judged_at,
    )


def _seen(row: Any, sites: Mapping[int, int]) -> Seen:
    return Seen(
        crossing=Crossing(
            at=row.at,
            edge=row.edge,
            passage=row.passage,
            inward=row.outcome == "in",
            role=row.role,
            site_id=sites[row.inside_id],
            outside_id=row.outside_id,
            inside_id=row.inside_id,
            tid=row.tid,
            confidence=row.confidence,
        ),
        epc=row.epc,
        gate=row.gate,
        key=Key(row.edge, row.run, row.seq),
        confidence=row.confidence,
        verdict=Verdict(row.verdict),
    )
