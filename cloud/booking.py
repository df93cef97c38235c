"""What one transaction is about to book: collected event by event, written with few statements."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection, select

from cloud.alerts import watch
from cloud.ledger.book import Posting, post
from cloud.ledger.master import Master
from cloud.ledger.tables import balances
from wire.envelope import Key
from wire.events import Clock, Stamped

# Machines that ask NTP agree within a second (RFC 5905 speaks of tens of milliseconds on the internet); beyond this
# an event from the future is a wrong clock and not jitter.
AHEAD = timedelta(seconds=5)


@dataclass(frozen=True, slots=True, kw_only=True)
class Occasion:
    """One event as it is booked: what said it, and which time counts."""

    key: Key
    source: str  # under which its movements are booked
    at: datetime
    recorded_at: datetime
    doubt: Mapping[str, str]  # why `at` is not what was said; empty when it is
    decided_at: datetime | None = None  # when the edge had made up its mind, by its own clock


def source(key: Key) -> str:
    """The name under which what an event said is booked."""
    return f"event:{key.edge}:{key.run}:{key.seq}"


def occasion(key: Key, event: Stamped, received_at: datetime, now: datetime) -> Occasion:
    """A time from the future or from a clock that was not synchronised gives way to the time of receipt."""
    at, doubt = event.at, {}
    if event.clock is not Clock.SYNCED or event.at > received_at + AHEAD:
        why = "clock not synchronised" if event.clock is not Clock.SYNCED else "from the future"
        at, doubt = received_at, {"said_at": event.at.isoformat(), "booked_at_receipt": why}
    decided_at = getattr(event, "decided_at", None)
    return Occasion(key=key, source=source(key), at=at, recorded_at=now, doubt=doubt, decided_at=decided_at)


class Batch:
    """Postings in order, and the bays to be judged by the rules once they are written.

    A rule judges each change of a bay by the balance right after it. So before a bay's item changes a second time,
    what was collected is written and judged: `turn_to` says which comes next.
    """

    def __init__(self, connection: Connection, master: Master) -> None:
        self.connection = connection
        self.master = master
        self.posted = 0
        self.before_flush: list[Callable[[], None]] = []
        self._postings: dict[int, list[Posting]] = {}
        self._changed: dict[tuple[int, int], datetime] = {}  # (item, bay) -> when
        self._balances: dict[tuple[int, int], int] = {}

    def turn_to(self, item_id: int, location_id: int) -> None:
        """Say that this bay's item is going to change: its rules must know all that was before."""
        if (item_id, location_id) in self._changed:
            self.flush()

    def balance(self, item_id: int, location_id: int) -> int:
        """What the ledger will have there once this batch is written. The caller holds the site's head lock."""
        place = (item_id, location_id)
        if place not in self._balances:
            stored = self.connection.scalar(
                select(balances.c.quantity).where(
                    balances.c.item_id == item_id, balances.c.location_id == location_id
                )
            )
            pending = sum(
                posting.quantity * ((posting.dst_id == location_id) - (posting.src_id == location_id))
                for postings in self._postings.values()
                for posting in postings
                if posting.item_id == item_id
            )
            self._balances[place] = (stored or 0) + pending
        return self._balances[place]

    def add(self, site_id: int, posting: Posting) -> None:
        self._postings.setdefault(site_id, []).append(posting)
        for location_id, sign in ((posting.src_id, -1), (posting.dst_id, 1)):
            place = (posting.item_id, location_id)
            if place in self._balances:
                self._balances[place] += sign * posting.quantity
            if self.master.locations[location_id].usage == "bay":
                self._changed[place] = posting.event_at

    def flush(self) -> None:
        """Write what was collected, then let the rules judge the bays it changed, each at its own time."""
        for write in self.before_flush:
            write()
        postings, self._postings = self._postings, {}
        changed, self._changed = self._changed, {}
        for site_id in sorted(postings):
            self.posted += len(post(self.connection, site_id, postings[site_id]))
        watch.settle_each(self.connection, changed)


def evidence(occasion: Occasion, **facts: Any) -> dict[str, Any]:
    """What a movement cites: the facts that are there, when it was decided, and any doubt about its time."""
    if occasion.decided_at is not None:
        facts["decided_at"] = occasion.decided_at.isoformat()
    return {name: fact for name, fact in facts.items() if fact is not None} | dict(occasion.doubt)
