"""Opening stock: what stood where when the ledger began, booked once for ever."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from sqlalchemy import Connection, select

from cloud.ledger.book import KEYS_A_QUERY, Posting, post
from cloud.ledger.tables import items, locations, movements, sites
from cloud.masterdata.files import Files


@dataclass(frozen=True, slots=True, kw_only=True)
class _Opening:
    where: str
    site: str
    place: str
    gtin: str
    item_id: int
    scale: int
    quantity: int

    @property
    def source(self) -> str:
        return f"opening:{self.site}:{self.place}:{self.gtin}"


def book_opening(connection: Connection, files: Files, at: datetime) -> int:
    """Book what is not booked yet; return how many. A quantity that differs from the one booked is a problem.

    Raises:
        MasterDataError: with every problem of the files.
    """
    site_ids = dict(connection.execute(select(sites.c.name, sites.c.id)).all())
    only = files.sites[0].row.name if len(files.sites) == 1 else next(iter(site_ids), "")
    wanted = list(_wanted(connection, files, only))
    booked = _booked(connection, [opening.source for opening in wanted])
    for opening in wanted:
        if booked.get(opening.source, opening.quantity) != opening.quantity:
            files.problems.append(_changed(opening, booked[opening.source]))
    files.refuse()
    fresh: dict[str, list[_Opening]] = {}
    for opening in wanted:
        if opening.quantity and opening.source not in booked:
            fresh.setdefault(opening.site, []).append(opening)
    return sum(
        len(post(connection, site_ids[site], _postings(connection, site_ids[site], some, at)))
        for site, some in sorted(fresh.items())
    )


def _wanted(connection: Connection, files: Files, only: str) -> Iterator[_Opening]:
    known = {row.gtin: row for row in connection.execute(select(items.c.gtin, items.c.id, items.c.scale))}
    for line in files.opening:
        item = known[line.row.gtin]
        yield _Opening(
            where=line.where,
            site=line.row.site or only,
            place=line.row.place,
            gtin=item.gtin,
            item_id=item.id,
            scale=item.scale,
            quantity=int(line.row.quantity.scaleb(item.scale)),
        )


def _booked(connection: Connection, sources: list[str]) -> Mapping[str, int]:
    booked: dict[str, int] = {}
    for start in range(0, len(sources), KEYS_A_QUERY):
        some = sources[start : start + KEYS_A_QUERY]
        query = select(movements.c.source, movements.c.quantity).where(movements.c.source.in_(some))
        booked.update(connection.execute(query).all())
    return booked


def _changed(opening: _Opening, was: int) -> str:
    now, before = (Decimal(quantity).scaleb(-opening.scale) for quantity in (opening.quantity, was))
    return (
        f"  {opening.where}, column quantity: {now:f} is new, but {before:f} was booked when this place was opened,"
        f" and movements followed. Leave {before:f} here, and correct the stock by a count"
    )


def _postings(connection: Connection, site_id: int, some: list[_Opening], at: datetime) -> list[Posting]:
    places = dict(
        connection.execute(
            select(locations.c.name, locations.c.id).where(locations.c.site_id == site_id)
        ).all()
    )
    return [
        Posting(
            item_id=opening.item_id,
            src_id=places["opening"],
            dst_id=places[opening.place],
            quantity=opening.quantity,
            kind="opening",
            event_at=at,
            recorded_at=at,
            source=opening.source,
            line=0,
            evidence={"file": "opening.csv"},
        )
        for opening in some
    ]
