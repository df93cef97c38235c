"""Booking what shelves say: units taken go to the basket; units added come from it, the backroom, or nowhere known.

What a person confirms of a bay is booked as its difference to what the ledger had, in the same way.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, or_, select

from cloud import foreign, service
from cloud.alerts import watch
from cloud.booking import Batch, Occasion, evidence
from cloud.errors import BookingError
from cloud.ledger import registers
from cloud.ledger.book import Posting
from cloud.ledger.database import insert_many
from cloud.ledger.master import Bay, Item, Master
from cloud.ledger.tables import balances, levels, shelf_changes
from cloud.levels import Level, save, settle_level
from wire.events import Change, ShelfChange

UNTOLD = {
    Change.AMBIGUOUS: "several explanations fit its last change",
    Change.UNKNOWN_MASS: "no item explains its last change",
    Change.OFFLINE_CHANGE: "it changed while nobody was weighing, and no item explains how",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Confirmation:
    """How many units of each item, by GTIN, a person says stand in a bay; of others there stand none."""

    location_id: int
    counts: Mapping[str, int]
    by: str
    source: str
    at: datetime


def confirm(connection: Connection, master: Master, said: Confirmation) -> None:
    """Book what a person says stands in a bay. The caller holds its site's head lock.

    Raises:
        BookingError: no such item, or no such bay any more.
    """
    batch = Batch(connection, master)
    ShelfBook(batch).confirmed(said)
    batch.flush()


class ShelfBook:
    """Books the shelf events of one batch; the caller holds the head locks of the sites concerned."""

    def __init__(self, batch: Batch) -> None:
        self._batch = batch
        self._master = batch.master
        self._changes: list[dict[str, Any]] = []
        self._levels: dict[int, Level] = {}
        self._uncertain_bays: frozenset[int] | None = None  # as stored; None: to be read
        self._served: frozenset[int] | None = None  # bays at which people ever worked; None: to be read
        batch.before_flush.append(self._write)

    def changed(self, occasion: Occasion, event: ShelfChange) -> None:
        """Book one change of one bay.

        Raises:
            BookingError: no site has such a bay, or no item such a GTIN, or it says how sure it is but not of what.
        """
        key = occasion.key
        bay = self._master.bays.get((key.edge, event.shelf, event.bay))
        if bay is None:
            raise BookingError(
                f"no site has a bay {event.bay!r} on shelf {event.shelf!r} of edge {key.edge!r}: add it to sites.toml"
            )
        item = self._item(event)
        if event.outcome is Change.OK and (item is None or event.units is None):
            raise BookingError(
                f"bay {event.bay!r}: outcome 'ok' says item and units; they are {event.item!r} and {event.units!r}"
            )
        if self._in_service(bay, event):
            # People worked at it: what they did is no sale and no restock. The bay is weighed anew afterwards.
            self._record(occasion, bay, event, item, False)
            return
        told = item is not None and event.units is not None
        books = told and event.outcome in (Change.OK, Change.OFFLINE_CHANGE)
        overlaps = books and event.outcome is Change.OFFLINE_CHANGE and self._overlaps(bay, event)
        if overlaps:
            self._conflict(occasion, bay, event)
            books = False
        gone = not books and self._all_gone(occasion, bay, event)
        if not (books or gone or event.confirm or overlaps):
            self._uncertain(occasion, bay, event)
        self._record(occasion, bay, event, item, books)
        if books and item is not None and event.units:
            self._move(occasion, bay, event, item, event.units)
            self._misplaced(occasion, bay, event, item, event.units)
        if event.confirm:
            self._to_confirm(occasion, bay, event)
        self._level(occasion, bay, event, item, booked=books, gone=gone)

    def forget_service(self) -> None:
        """Somebody began or ended to work at a bay."""
        self._served = None

    def _in_service(self, bay: Bay, event: ShelfChange) -> bool:
        connection = self._batch.connection
        if self._served is None:
            self._served = service.served(connection)
        return bay.location_id in self._served and service.during(
            connection, bay.location_id, event.from_at, event.to_at
        )

    def _item(self, event: ShelfChange) -> Item | None:
        if event.item is None:
            return None
        item = self._master.items.get(event.item)
        if item is None:
            raise BookingError(f"bay {event.bay!r}: no item has the GTIN {event.item}; add it to items.csv")
        return item

    def _move(self, occasion: Occasion, bay: Bay, event: ShelfChange, item: Item, units: int) -> None:
        self._batch.turn_to(item.id, bay.location_id)
        quantity = item.quantity(abs(units))
        given = self._master.sites[bay.site_id].given
        if units < 0:
            parts = iter([(bay.location_id, given["basket"], quantity, "pick")])
        else:
            parts = self._origins(occasion.at, bay, item, quantity)
        cited = evidence(
            occasion,
            shelf=event.shelf,
            bay=event.bay,
            grams=event.grams,
            confidence=event.confidence,
            outcome=event.outcome.value,
        )
        for line, (src_id, dst_id, part, kind) in enumerate(parts):
            self._batch.add(
                bay.site_id,
                Posting(
                    item_id=item.id,
                    src_id=src_id,
                    dst_id=dst_id,
                    quantity=part,
                    kind=kind,
                    event_at=occasion.at,
                    recorded_at=occasion.recorded_at,
                    source=occasion.source,
                    line=line,
                    evidence=cited,
                ),
            )

    def confirmed(self, said: Confirmation) -> None:
        """Book a person's count of a bay. Raises BookingError."""
        bay = next((bay for bay in self._master.bays.values() if bay.location_id == said.location_id), None)
        if bay is None:
            raise BookingError("the bay is not in the master data any more")
        line = 0
        for item, units in self._counted(bay, said):
            here = self._batch.balance(item.id, bay.location_id)
            difference = item.quantity(units) - here
            if not difference:
                continue
            parts = (
                self._origins(said.at, bay, item, difference)
                if difference > 0
                else iter(
                    [(bay.location_id, self._master.sites[bay.site_id].given["basket"], -difference, "")]
                )
            )
            for src_id, dst_id, part, _ in parts:
                self._batch.add(
                    bay.site_id,
                    Posting(
                        item_id=item.id,
                        src_id=src_id,
                        dst_id=dst_id,
                        quantity=part,
                        kind="count",
                        event_at=said.at,
                        recorded_at=said.at,
                        source=said.source,
                        line=line,
                        evidence={"by": said.by, "counted": units, "booked_before": here},
                    ),
                )
                line += 1
        place = self._master.locations[bay.location_id].name
        for kind in ("uncertain", "recount", "confirm"):
            registers.close_task(self._batch.connection, bay.site_id, kind, place, said.at)
        settle_level(self._batch.connection, bay.location_id)

    def _counted(self, bay: Bay, said: Confirmation) -> Iterator[tuple[Item, int]]:
        """The items that were counted, and none of whatever else the ledger has there."""
        for gtin, units in sorted(said.counts.items()):
            if gtin not in self._master.items:
                raise BookingError(f"no item has the GTIN {gtin}; add it to items.csv")
            yield self._master.items[gtin], units
        there = self._batch.connection.scalars(
            select(balances.c.item_id).where(
                balances.c.location_id == bay.location_id, balances.c.quantity != 0
            )
        )
        for item_id in sorted(there):
            item = self._master.items_by_id[item_id]
            if item.gtin not in said.counts:
                yield item, 0

    def _origins(
        self, at: datetime, bay: Bay, item: Item, quantity: int
    ) -> Iterator[tuple[int, int, int, str]]:
        """Where added units come from: an open refill explains all of them; else baskets first, then the backroom."""
        here, given = bay.location_id, self._master.sites[bay.site_id].given
        if watch.refill_open(self._batch.connection, here, item.id, at):
            yield bay.backroom_id, here, quantity, "restock"
            return
        for origin, kind in ((given["basket"], "put_back"), (bay.backroom_id, "restock")):
            part = min(quantity, max(self._batch.balance(item.id, origin), 0))
            if part:
                yield origin, here, part, kind
                quantity -= part
        if quantity:
            yield given["unplaced"], here, quantity, "unplaced"

    def _overlaps(self, bay: Bay, event: ShelfChange) -> bool:
        """Whether a change already booked happened within this one's time. One with the very same times is its twin."""
        self._write()
        found = self._batch.connection.execute(
            select(shelf_changes.c.item_id).where(
                shelf_changes.c.location_id == bay.location_id,
                shelf_changes.c.booked,
                shelf_changes.c.to_at > event.from_at,
                shelf_changes.c.from_at < event.to_at,
                or_(shelf_changes.c.from_at != event.from_at, shelf_changes.c.to_at != event.to_at),
            )
        )
        return found.first() is not None

    def _conflict(self, occasion: Occasion, bay: Bay, event: ShelfChange) -> None:
        place = self._master.locations[bay.location_id].name
        site = self._master.sites[bay.site_id]
        details = {
            "place": place,
            "item": event.item,
            "units": event.units,
            "from": event.from_at.isoformat(),
            "to": event.to_at.isoformat(),
        }
        connection, at = self._batch.connection, occasion.at
        registers.open_incident(
            connection, site.id, "overlapping_change", f"{site.name}/{place}", details, at
        )
        registers.open_task(connection, site.id, "recount", place, details, at)

    def _all_gone(self, occasion: Occasion, bay: Bay, event: ShelfChange) -> bool:
        """Whether the things that a task asked about are away again; it ends."""
        self._write()
        connection, place = self._batch.connection, self._master.locations[bay.location_id].name
        gone = foreign.all_gone(connection, bay, place, event)
        if gone:
            registers.close_task(connection, bay.site_id, "uncertain", place, occasion.at)
        return gone

    def _uncertain(self, occasion: Occasion, bay: Bay, event: ShelfChange) -> None:
        place = self._master.locations[bay.location_id].name
        details = {
            "why": UNTOLD[event.outcome],
            "grams": event.grams,
            "candidates": _candidates(event),
        }
        registers.open_task(self._batch.connection, bay.site_id, "uncertain", place, details, occasion.at)

    def _to_confirm(self, occasion: Occasion, bay: Bay, event: ShelfChange) -> None:
        """One weighing cannot count so many: a person says which it was, and that is booked as a count."""
        place = self._master.locations[bay.location_id].name
        details = {
            "place": place,
            "why": "one weighing cannot count so many",
            "question": _question(event),
            "item": event.item,
            "units": event.units,
            "grams": event.grams,
            "candidates": _candidates(event),
        }
        registers.open_task(self._batch.connection, bay.site_id, "confirm", place, details, occasion.at)

    def _misplaced(self, occasion: Occasion, bay: Bay, event: ShelfChange, item: Item, units: int) -> None:
        """Goods that were put where they do not belong are to be put back; the task ends when they are gone."""
        connection, place = self._batch.connection, self._master.locations[bay.location_id].name
        if units > 0 and event.from_bay is not None and item.id not in bay.item_ids:
            here = self._batch.balance(item.id, bay.location_id)
            details = {
                "place": place,
                "item": item.gtin,
                "name": item.name,
                "units": here / 10**item.scale,
                "from": f"{event.from_shelf or event.shelf}/{event.from_bay}",
            }
            registers.open_task(
                connection, bay.site_id, "misplaced", f"{place}/{item.gtin}", details, occasion.at
            )
        elif units < 0 and item.id not in bay.item_ids and self._batch.balance(item.id, bay.location_id) <= 0:
            registers.close_task(connection, bay.site_id, "misplaced", f"{place}/{item.gtin}", occasion.at)

    def _record(
        self, occasion: Occasion, bay: Bay, event: ShelfChange, item: Item | None, booked: bool
    ) -> None:
        self._changes.append(
            {
                "edge": occasion.key.edge,
                "run": occasion.key.run,
                "seq": occasion.key.seq,
                "location_id": bay.location_id,
                "item_id": item.id if item else None,
                "units": event.units,
                "grams": event.grams,
                "outcome": event.outcome.value,
                "booked": booked,
                "from_at": event.from_at,
                "to_at": event.to_at,
            }
        )

    def _level(
        self, occasion: Occasion, bay: Bay, event: ShelfChange, item: Item | None, *, booked: bool, gone: bool
    ) -> None:
        """The level after a change. It books nothing; but one that agrees with the ledger ends an uncertainty."""
        alone = len(bay.item_ids) == 1
        uncertain = None if booked else UNTOLD.get(event.outcome, "it contradicts what was booked")
        uncertain = "" if gone else uncertain
        if booked and item and alone and self._was_uncertain(bay) and self._agrees(bay, event, item):
            uncertain = ""
            place = self._master.locations[bay.location_id].name
            for kind in ("uncertain", "confirm"):
                registers.close_task(self._batch.connection, bay.site_id, kind, place, occasion.at)
        before = self._levels.get(bay.location_id)
        if before and before.at > occasion.at:
            return
        self._levels[bay.location_id] = Level(
            location_id=bay.location_id,
            grams=event.level_grams,
            units=event.level_units if alone else None,
            stable=True,
            at=occasion.at,
            uncertain=before.uncertain if before and uncertain is None else uncertain,
            items=(before.items if before else {}) | ({} if alone else self._item_level(bay, event, item)),
        )

    @staticmethod
    def _item_level(bay: Bay, event: ShelfChange, item: Item | None) -> dict[str, int | None]:
        return {item.gtin: event.level_units} if item is not None and item.id in bay.item_ids else {}

    def _was_uncertain(self, bay: Bay) -> bool:
        before = self._levels.get(bay.location_id)
        if before and before.uncertain is not None:
            return before.uncertain != ""
        if self._uncertain_bays is None:
            found = self._batch.connection.scalars(
                select(levels.c.location_id).where(levels.c.uncertain != "")
            )
            self._uncertain_bays = frozenset(found)
        return bay.location_id in self._uncertain_bays

    def _agrees(self, bay: Bay, event: ShelfChange, item: Item) -> bool:
        if event.level_units is None:
            return False
        return self._batch.balance(item.id, bay.location_id) == item.quantity(event.level_units)

    def _write(self) -> None:
        changes, self._changes = self._changes, []
        if changes:
            insert_many(self._batch.connection, shelf_changes, changes)
        now, self._levels = self._levels, {}
        if now:
            save(self._batch.connection, list(now.values()))
            self._uncertain_bays = None


def _candidates(event: ShelfChange) -> list[dict[str, Any]]:
    return [
        {
            "odds": one.odds,
            "changes": [{"item": change.item, "units": change.units} for change in one.changes],
        }
        for one in event.candidates
    ]


def _question(event: ShelfChange) -> str:
    """Such as "24 or 25"; empty where no candidate is of one item."""
    told = [one.changes[0].units for one in event.candidates if len(one.changes) == 1]
    told += [event.units] if event.units is not None else []
    return " or ".join(str(units) for units in sorted({abs(units) for units in told}))
