"""One bay: where it is, what stands there, what was asked of it, and what might stand there instead."""

from dataclasses import dataclass

from sqlalchemy import Connection, select

from cloud.ledger import tables as t
from cloud.web.questions.command_log import Asked, commands_of
from cloud.web.questions.shelf_levels import Bay, Shelf, shelf_levels
from cloud.web.questions.sites import Site, list_sites

LOG = 10  # commands shown


@dataclass(frozen=True, slots=True)
class Goods:
    gtin: str
    name: str
    unit_grams: float | None


@dataclass(frozen=True, slots=True)
class BayPage:
    site: Site
    shelf: Shelf
    bay: Bay
    asked: list[Asked]
    goods: list[Goods]  # all items there are


@dataclass(frozen=True, slots=True)
class Where:
    site_id: int
    edge: str
    shelf: str
    bay: str


def where_is(connection: Connection, location_id: int) -> Where | None:
    row = connection.execute(
        select(t.edges.c.site_id, t.bays.c.edge, t.bays.c.shelf, t.bays.c.bay)
        .join(t.edges, t.edges.c.edge == t.bays.c.edge)
        .where(t.bays.c.location_id == location_id)
    ).first()
    return Where(*row) if row else None


def bay_page(connection: Connection, edge: str, shelf: str, bay: str) -> BayPage | None:
    site_id = connection.scalar(select(t.edges.c.site_id).where(t.edges.c.edge == edge))
    site = next((site for site in list_sites(connection) if site.id == site_id), None)
    if site is None:
        return None
    for there in shelf_levels(connection, site.id):
        for one in there.bays:
            if (there.edge, there.shelf, one.bay) == (edge, shelf, bay):
                asked = commands_of(connection, site.id, location_id=one.location_id, limit=LOG)
                return BayPage(site, there, one, asked, goods(connection))
    return None


def goods(connection: Connection) -> list[Goods]:
    rows = connection.execute(
        select(t.items.c.gtin, t.items.c.name, t.items.c.unit_grams).order_by(t.items.c.name)
    )
    return [Goods(*row) for row in rows]
