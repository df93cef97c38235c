"""What is only sampled: stock against its thresholds, levels, bays, devices, agents. An outage leaves a gap there."""

from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection, Select, Table, select

from cloud.alerts.rulebook import active
from cloud.ledger.tables import (
    agents,
    balances,
    bay_fills,
    bay_items,
    bay_states,
    bays,
    devices,
    edges,
    item_levels,
    items,
    levels,
    locations,
    sites,
)
from cloud.rules.rule import Rule, Test
from cloud.series import points

EVERY = timedelta(seconds=5)  # a dashboard refreshes about as often
REPEAT = timedelta(seconds=60)  # what has not changed is said again, so that a short window still shows it


class Sampler:
    """Remembers what it last said, and says what has changed since or was not said for a while."""

    def __init__(self) -> None:
        self._next: datetime | None = None
        self._said: dict[tuple[str, ...], tuple[object, datetime]] = {}

    def due(self, now: datetime) -> bool:
        return self._next is None or now >= self._next

    def sample(self, connection: Connection, now: datetime) -> list[str]:
        """Lines of everything that is worth saying now. Call `spoken` once they are written."""
        lines = [
            line for key, value, line in self._all(connection, now) if self._news(key, value, now) and line
        ]
        self._next = now + EVERY
        return lines

    def forget(self) -> None:
        """What was sampled last was not written: say everything again."""
        self._said.clear()

    def _news(self, key: tuple[str, ...], value: object, now: datetime) -> bool:
        said = self._said.get(key)
        if said is not None and said[0] == value and now - said[1] < REPEAT:
            return False
        self._said[key] = (value, now)
        return True

    def _all(self, connection: Connection, now: datetime) -> Iterator[tuple[tuple[str, ...], object, str]]:
        for row in stocks(connection):
            yield ("stock", row.site, row.place, row.item), row, points.stock(row, now)
        for name, query, key, at, point in _TABLES:
            for found in connection.execute(query()).mappings():
                identity = (name, *(found[part] for part in key))
                yield identity, found[at], point(found, now)


def stocks(connection: Connection) -> list[points.Stock]:
    """Every item at every bay that is meant to hold it. Of several rules, the one that fires first."""
    low = [rule for rule in active(connection) if rule.test is Test.BELOW]
    low.sort(key=lambda rule: -rule.limit)
    rows = connection.execute(
        select(
            sites.c.name.label("site"),
            locations.c.name.label("place"),
            items.c.gtin,
            items.c.scale,
            bay_items.c.capacity,
            balances.c.quantity,
        )
        .select_from(bay_items)
        .join(locations, locations.c.id == bay_items.c.location_id)
        .join(sites, sites.c.id == locations.c.site_id)
        .join(items, items.c.id == bay_items.c.item_id)
        .outerjoin(
            balances,
            (balances.c.item_id == bay_items.c.item_id) & (balances.c.location_id == bay_items.c.location_id),
        )
    )
    return [_stock(row, low) for row in rows]


def _stock(row: Any, low: list[Rule]) -> points.Stock:
    rule = next((rule for rule in low if rule.watches(site=row.site, place=row.place, item=row.gtin)), None)
    return points.Stock(
        site=row.site,
        place=row.place,
        item=row.gtin,
        units=(row.quantity or 0) / 10**row.scale,
        capacity=row.capacity,
        limit=rule.limit if rule else None,
        clear=rule.clear if rule else None,
    )


def _of_bays(table: Table) -> Select[Any]:
    """A table that has rows of bays, with the names of each."""
    return (
        select(
            table,
            bays.c.edge,
            bays.c.shelf,
            bays.c.bay,
            locations.c.name.label("place"),
            sites.c.name.label("site"),
        )
        .join(bays, bays.c.location_id == table.c.location_id)
        .join(locations, locations.c.id == table.c.location_id)
        .join(sites, sites.c.id == locations.c.site_id)
    )


def _devices() -> Select[Any]:
    return (
        select(devices, sites.c.name.label("site"))
        .join(edges, edges.c.edge == devices.c.edge)
        .join(sites, sites.c.id == edges.c.site_id)
    )


def _agents() -> Select[Any]:
    return (
        select(agents, edges.c.presence, sites.c.name.label("site"))
        .join(edges, edges.c.edge == agents.c.edge)
        .join(sites, sites.c.id == edges.c.site_id)
    )


# Each sampled table: its rows, what names one, when it was said, and its point. A row is news when it was said anew.
_TABLES: tuple[tuple[str, Callable[[], Select[Any]], tuple[str, ...], str, Callable[..., str]], ...] = (
    ("level", lambda: _of_bays(levels), ("site", "place"), "at", points.level),
    ("item_level", lambda: _of_bays(item_levels), ("site", "place", "gtin"), "at", points.item_level),
    ("bay", lambda: _of_bays(bay_states), ("site", "place"), "at", points.bay),
    ("fill", lambda: _of_bays(bay_fills), ("site", "place", "gtin"), "at", points.fill),
    ("device", _devices, ("edge", "device"), "heard_at", points.device),
    ("agent", _agents, ("edge",), "at", points.agent),
)
