"""What gates say, event by event: tags as they cross, then the passage that they were part of."""

from collections.abc import Iterable
from datetime import datetime

from sqlalchemy import Connection, select

from cloud.booking import Batch, Occasion
from cloud.errors import BookingError
from cloud.ledger.database import insert
from cloud.ledger.tables import EPOCH, MICROSECOND, contents, crossings, passages, tags, unit_contents
from cloud.tags import units
from cloud.tags.flags import Flags, Where, join_load
from cloud.tags.judge import SSCC, Judge
from cloud.tags.registry import KEYS_A_QUERY, PassageKey, Registry
from cloud.tags.story import Verdict
from wire.envelope import Key
from wire.epc import decode
from wire.events import Passage, TagMovement

GateEvent = TagMovement | Passage


class GateBook:
    """Books the gate events of one batch; the caller holds the head locks of the sites concerned."""

    def __init__(self, batch: Batch) -> None:
        self._batch = batch
        self._registry = Registry(batch.connection)
        self._flags = Flags(batch.connection)
        self._judge = Judge(batch, self._registry, self._flags)
        batch.before_flush.append(self._write)

    def prefetch(self, events: Iterable[tuple[Key, GateEvent]]) -> None:
        """Read at once what booking these events will ask for."""
        epcs: set[str] = set()
        keys: set[PassageKey] = set()
        for key, event in events:
            keys.add((key.edge, event.passage))
            if isinstance(event, TagMovement):
                epcs.add(decode(event.epc).identity)
        self._registry.prefetch(epcs, keys)

    def crossed(self, occasion: Occasion, event: TagMovement) -> None:
        """Raises BookingError."""
        passage = (occasion.key.edge, event.passage)
        if self._judge.crossed(occasion, event) and passage in self._registry.loads:
            units.settle(self._judge, occasion, passage)  # the tag came after its passage had ended

    def passed(self, occasion: Occasion, event: Passage) -> None:
        """Raises BookingError."""
        key = occasion.key
        gate = self._batch.master.gates.get((key.edge, event.gate))
        if gate is None:
            raise BookingError(
                f"no site has a gate {event.gate!r} of edge {key.edge!r}: add it to sites.toml"
            )
        if (key.edge, event.passage) in self._registry.loads:
            return
        self._write()
        statement = insert(self._batch.connection, passages).values(
            edge=key.edge,
            passage=event.passage,
            gate=event.gate,
            load=event.load,
            began_at=event.began_at,
            ended_at=event.ended_at,
            strays=event.strays,
            healthy=event.healthy,
        )
        self._batch.connection.execute(statement)
        self._registry.loads[key.edge, event.passage] = event.load
        first = Where(key.edge, event.gate, event.passage)
        join_load(self._batch.connection, gate.site_id, first, Where(key.edge, event.gate, event.load))
        if self._has_units((key.edge, event.passage)):
            units.settle(self._judge, occasion, (key.edge, event.passage))

    def _has_units(self, passage: PassageKey) -> bool:
        epcs = self._batch.connection.scalars(
            select(crossings.c.epc).where(
                crossings.c.edge == passage[0], crossings.c.passage == passage[1], crossings.c.counted
            )
        )
        return any(decode(epc).scheme == SSCC for epc in epcs)

    def identify(self, recorded_at: datetime) -> int:
        """Book the story of every tag that an item claims by now, and of units whose contents are declared by now.

        Returns:
            How many were.
        """
        found = self._newly_claimed()
        self._registry.prefetch(found, ())
        for epc in found:
            story = self._registry.story(epc, self._judge.site_of)
            keys = [(seen.crossing.edge, seen.crossing.passage) for seen in story]
            self._registry.prefetch((), keys)
            if not story:
                continue
            last = story[-1]
            again = Occasion(
                key=last.key,
                source=f"identified:{epc}:{(recorded_at - EPOCH) // MICROSECOND}",
                at=last.crossing.at,
                recorded_at=recorded_at,
                doubt={},
            )
            if decode(epc).scheme != SSCC:
                self._judge.identify(again, self._registry.tag(epc))
            for passage in sorted(set(keys) & self._registry.loads.keys()):
                units.settle(self._judge, again, passage)
        return len(found)

    def _newly_claimed(self) -> list[str]:
        connection, master = self._batch.connection, self._batch.master
        unclaimed = connection.scalars(
            select(crossings.c.epc)
            .where(crossings.c.verdict == Verdict.UNCLAIMED.value, crossings.c.counted)
            .distinct()
        )
        claimed = {epc for epc in unclaimed if master.claim(epc, decode(epc).gtin)}
        declared = set(connection.scalars(select(contents.c.sscc).distinct()))
        booked = select(unit_contents.c.epc)
        without = connection.scalars(
            select(tags.c.epc).where(tags.c.scheme == SSCC, tags.c.epc.not_in(booked))
        )
        return sorted(claimed | {epc for epc in without if decode(epc).sscc in declared})

    def _write(self) -> None:
        self._registry.write()
        self._flags.write()


def sites_of(connection: Connection, events: Iterable[TagMovement]) -> set[int]:
    """The sites where these tags stand: their head locks are needed beside those of the gates."""
    epcs = sorted({decode(event.epc).identity for event in events})
    found: set[int] = set()
    for start in range(0, len(epcs), KEYS_A_QUERY):
        query = select(tags.c.site_id).where(tags.c.epc.in_(epcs[start : start + KEYS_A_QUERY])).distinct()
        found.update(site_id for site_id in connection.scalars(query) if site_id is not None)
    return found
