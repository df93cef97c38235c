"""Which sites are there?"""

from dataclasses import dataclass

from sqlalchemy import Connection, select

from cloud.ledger import tables as t

MAX_LISTED = 500  # what a person can choose from in one list; any site can still be named


@dataclass(frozen=True, slots=True)
class Site:
    id: int
    name: str
    time_zone: str
    head: int  # the position of its newest movement


def site_named(connection: Connection, name: str) -> Site | None:
    row = connection.execute(_SITES.where(t.sites.c.name == name)).one_or_none()
    return None if row is None else Site(*row)


def list_sites(connection: Connection, limit: int = MAX_LISTED) -> list[Site]:
    """By name."""
    return [Site(*row) for row in connection.execute(_SITES.order_by(t.sites.c.name).limit(limit))]


_SITES = select(t.sites.c.id, t.sites.c.name, t.sites.c.time_zone, t.sites.c.head)
