"""What is known of sites, gates, bays and items, read whole: bookings ask it thousands of times a second."""

from dataclasses import dataclass
from functools import cached_property

from sqlalchemy import Connection, select

from cloud.ledger.tables import (
    bay_items,
    bays,
    edges,
    epc_prefixes,
    gates,
    ignored_tags,
    items,
    ledgers,
    locations,
    sites,
)

# Places that every site has without saying so: name and usage.
GIVEN = {
    "supplier": "supplier",
    "customer": "customer",
    "transit": "transit",
    "basket": "basket",
    "unplaced": "unplaced",
    "loss": "loss",
    "returns-hold": "returns_hold",
    "opening": "opening",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Site:
    id: int
    name: str
    sscc_policy: str
    given: dict[str, int]  # usage -> location id, of the places in GIVEN


@dataclass(frozen=True, slots=True, kw_only=True)
class Location:
    id: int
    site_id: int
    name: str
    usage: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Item:
    id: int
    gtin: str
    name: str
    scale: int

    def quantity(self, units: int) -> int:
        """So many units as the ledger counts them."""
        return units * int(10**self.scale)


@dataclass(frozen=True, slots=True, kw_only=True)
class Gate:
    site_id: int
    role: str
    outside_id: int
    inside_id: int
    book_at: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Bay:
    location_id: int
    site_id: int
    backroom_id: int
    item_ids: frozenset[int]  # what it is meant to hold


@dataclass(frozen=True, kw_only=True)
class Master:
    """One version of the master data."""

    version: int
    sites: dict[int, Site]
    edges: dict[str, int]  # edge -> site id
    locations: dict[int, Location]
    items: dict[str, Item]  # by GTIN
    gates: dict[tuple[str, str], Gate]  # by edge and gate
    bays: dict[tuple[str, str, str], Bay]  # by edge, shelf and bay
    prefixes: dict[str, int]  # EPC prefix -> item id
    ignored: dict[
        int, tuple[str, ...]
    ]  # site id -> what EPCs or their URIs begin with that are never stock there

    @cached_property
    def items_by_id(self) -> dict[int, Item]:
        return {item.id: item for item in self.items.values()}

    @cached_property
    def _lengths(self) -> tuple[int, ...]:
        return tuple(sorted({len(prefix) for prefix in self.prefixes}, reverse=True))

    def claim(self, epc: str, gtin: str | None) -> Item | None:
        """Whose tag this is: the item with the longest prefix of its EPC, else the one with its GTIN."""
        for length in self._lengths:
            item_id = self.prefixes.get(epc[:length])
            if item_id is not None:
                return self.items_by_id[item_id]
        return self.items.get(gtin) if gtin else None

    def ignores(self, site_id: int, epc: str, uri: str | None) -> bool:
        """Whether a site's master data says that such tags are never stock: badges, other people's pallets."""
        prefixes = self.ignored.get(site_id, ())
        return epc.startswith(prefixes) or (uri is not None and uri.startswith(prefixes))


def _ignored(connection: Connection) -> dict[int, tuple[str, ...]]:
    ignored: dict[int, tuple[str, ...]] = {}
    query = select(ignored_tags.c.site_id, ignored_tags.c.prefix).order_by(ignored_tags.c.prefix)
    for site_id, prefix in connection.execute(query):
        ignored[site_id] = (*ignored.get(site_id, ()), prefix)
    return ignored


def version(connection: Connection) -> int:
    """Which version of the master data the ledger holds."""
    return int(connection.scalar(select(ledgers.c.master)) or 0)


def read(connection: Connection) -> Master:
    """Read all of it."""
    places = {
        row.id: Location(id=row.id, site_id=row.site_id, name=row.name, usage=row.usage)
        for row in connection.execute(select(locations))
    }
    given: dict[int, dict[str, int]] = {}
    for place in places.values():
        if GIVEN.get(place.name) == place.usage:
            given.setdefault(place.site_id, {})[place.usage] = place.id
    meant: dict[int, set[int]] = {}
    for location_id, item_id in connection.execute(select(bay_items.c.location_id, bay_items.c.item_id)):
        meant.setdefault(location_id, set()).add(item_id)
    return Master(
        version=version(connection),
        sites={
            row.id: Site(id=row.id, name=row.name, sscc_policy=row.sscc_policy, given=given.get(row.id, {}))
            for row in connection.execute(select(sites.c.id, sites.c.name, sites.c.sscc_policy))
        },
        edges=dict(connection.execute(select(edges.c.edge, edges.c.site_id)).all()),
        locations=places,
        items={
            row.gtin: Item(id=row.id, gtin=row.gtin, name=row.name, scale=row.scale)
            for row in connection.execute(select(items.c.id, items.c.gtin, items.c.name, items.c.scale))
        },
        gates={
            (row.edge, row.gate): Gate(
                site_id=places[row.inside_id].site_id,
                role=row.role,
                outside_id=row.outside_id,
                inside_id=row.inside_id,
                book_at=row.book_at,
            )
            for row in connection.execute(select(gates))
        },
        bays={
            (row.edge, row.shelf, row.bay): Bay(
                location_id=row.location_id,
                site_id=places[row.location_id].site_id,
                backroom_id=row.backroom_id,
                item_ids=frozenset(meant.get(row.location_id, ())),
            )
            for row in connection.execute(select(bays))
        },
        prefixes=dict(connection.execute(select(epc_prefixes.c.prefix, epc_prefixes.c.item_id)).all()),
        ignored=_ignored(connection),
    )
