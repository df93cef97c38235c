"""Loading a folder of master data: all of it in one transaction, or none. Loading it again changes nothing."""

from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, Table, delete, select, tuple_, update

from cloud.alerts import rulebook, watch
from cloud.errors import MasterDataError
from cloud.ledger.database import Database, insert
from cloud.ledger.master import GIVEN
from cloud.ledger.tables import (
    bay_items,
    bays,
    contents,
    edges,
    epc_prefixes,
    gates,
    ignored_tags,
    items,
    ledgers,
    locations,
    site_mail,
    sites,
    unit_contents,
)
from cloud.masterdata import files as folder_files
from cloud.masterdata.check import Known, check
from cloud.masterdata.files import Files
from cloud.masterdata.opening import book_opening
from cloud.masterdata.rows import BaySection, SiteSection
from cloud.planogram import store as planogram
from cloud.planogram.plan import PlanogramError


@dataclass(frozen=True, slots=True, kw_only=True)
class Loaded:
    """What a load found and did."""

    items: int
    sites: int
    opened: int  # opening quantities booked now; those booked before are not booked again
    contents: int
    rules: int | None  # None: there was no rules.toml, and the rules are as before
    planned: int  # bays whose plan the planogram's file changed


def load(database: Database, folder: Path, at: datetime) -> Loaded:
    """Load a folder; `at` is when, for what it books.

    Raises:
        MasterDataError: with every problem, each naming its file, line and column. Nothing was loaded.
    """
    files = folder_files.read(folder)
    with database.write() as connection:
        check(files, _known(connection))
        files.refuse()
        _lock(connection)
        _store_items(connection, files)
        for line in files.sites:
            _store_site(connection, line.row)
        _store_contents(connection, files)
        planned = _store_planogram(connection, files, at)
        files.refuse()
        opened = book_opening(connection, files, at)
        files.refuse()
        if files.rules is not None:
            rulebook.store(connection, files.rules, at)
        watch.settle_all(connection, at)
        connection.execute(update(ledgers).values(master=ledgers.c.master + 1))
    return Loaded(
        items=len(files.items),
        sites=len(files.sites),
        opened=opened,
        contents=len(files.contents),
        rules=None if files.rules is None else len(files.rules),
        planned=planned,
    )


def _known(connection: Connection) -> Known:
    places: dict[str, dict[str, str]] = {name: {} for name in connection.scalars(select(sites.c.name))}
    for site, name, usage in connection.execute(
        select(sites.c.name, locations.c.name, locations.c.usage).join(
            sites, sites.c.id == locations.c.site_id
        )
    ):
        places[site][name] = usage
    owners = select(edges.c.edge, sites.c.name).join(sites, sites.c.id == edges.c.site_id)
    return Known(
        scales=dict(connection.execute(select(items.c.gtin, items.c.scale)).all()),
        places=places,
        edges=dict(connection.execute(owners).all()),
    )


def _lock(connection: Connection) -> None:
    """All sites' heads, in order: two loads, or a load and a booking, come one after the other."""
    connection.execute(select(sites.c.id).order_by(sites.c.id).with_for_update())


def _upsert(connection: Connection, table: Table, rows: list[dict[str, Any]]) -> None:
    """Insert rows, or bring those with the same key up to date. All rows have the same columns."""
    if not rows:
        return
    keys = _keys(table)
    statement = insert(connection, table)
    rest = {name: statement.excluded[name] for name in rows[0] if name not in keys}
    if rest:
        statement = statement.on_conflict_do_update(index_elements=keys, set_=rest)
    else:
        statement = statement.on_conflict_do_nothing(index_elements=keys)
    connection.execute(statement, rows)


def _keys(table: Table) -> list[str]:
    natural = {"items": ["gtin"], "sites": ["name"], "locations": ["site_id", "name"]}
    return natural.get(table.name) or [column.name for column in table.primary_key.columns]


def _store_items(connection: Connection, files: Files) -> None:
    rows = [
        {
            "gtin": line.row.gtin,
            "name": line.row.name,
            "uom": line.row.uom,
            "scale": line.row.scale,
            "unit_grams": None if line.row.unit_grams is None else float(line.row.unit_grams),
            "abc": line.row.abc,
        }
        for line in files.items
    ]
    _upsert(connection, items, rows)
    ids = _item_ids(connection)
    loaded = [ids[line.row.gtin] for line in files.items]
    connection.execute(delete(epc_prefixes).where(epc_prefixes.c.item_id.in_(loaded)))
    claims = [
        {"prefix": prefix, "item_id": ids[line.row.gtin]}
        for line in files.items
        for prefix in line.row.epc_prefix
    ]
    _upsert(connection, epc_prefixes, claims)


def _item_ids(connection: Connection) -> dict[str, int]:
    return dict(connection.execute(select(items.c.gtin, items.c.id)).all())


def _store_site(connection: Connection, site: SiteSection) -> None:
    row = {
        "name": site.name,
        "time_zone": site.time_zone,
        "sscc_policy": site.sscc_policy,
        "biz_location": site.biz_location,
    }
    _upsert(connection, sites, [row])
    site_id = connection.scalars(select(sites.c.id).where(sites.c.name == site.name)).one()
    outside = {gate.outside for gate in site.gates if gate.role in ("dock", "exit")}
    usages = GIVEN | {place: "yard" if place in outside else "internal" for place in site.places}
    usages |= {bay.location: "bay" for bay in site.bays}
    _upsert(
        connection,
        locations,
        [
            {"site_id": site_id, "name": name, "usage": usage, "biz_location": site.biz_locations.get(name)}
            for name, usage in usages.items()
        ],
    )
    places = dict(
        connection.execute(
            select(locations.c.name, locations.c.id).where(locations.c.site_id == site_id)
        ).all()
    )
    _upsert(connection, edges, [{"edge": edge, "site_id": site_id} for edge in site.edges])
    _store_gates(connection, site, places)
    _store_bays(connection, site, places)
    connection.execute(delete(ignored_tags).where(ignored_tags.c.site_id == site_id))
    _upsert(connection, ignored_tags, [{"site_id": site_id, "prefix": prefix} for prefix in site.ignored])
    connection.execute(delete(site_mail).where(site_mail.c.site_id == site_id))
    told = [(role, address) for role, some in site.mail.items() for address in dict.fromkeys(some)]
    _upsert(connection, site_mail, [{"site_id": site_id, "role": r, "address": a} for r, a in told])


def _store_gates(connection: Connection, site: SiteSection, places: dict[str, int]) -> None:
    rows = [
        {
            "edge": gate.edge,
            "gate": gate.gate,
            "outside_id": places[gate.outside],
            "inside_id": places[gate.inside],
            "role": gate.role,
            "book_at": gate.book_at,
            "read_point": gate.read_point,
        }
        for gate in site.gates
    ]
    _upsert(connection, gates, rows)


def _store_bays(connection: Connection, site: SiteSection, places: dict[str, int]) -> None:
    ids = _item_ids(connection)
    keys = [(bay.edge, bay.shelf, bay.bay) for bay in site.bays]
    here = [places[bay.location] for bay in site.bays]
    # A bay that is named anew gives its scale to the new place; the old place keeps its stock and its history.
    taken = select(bays.c.location_id).where(tuple_(bays.c.edge, bays.c.shelf, bays.c.bay).in_(keys))
    moved = sorted(set(connection.scalars(taken)) - set(here))
    if moved:
        names = dict(connection.execute(select(locations.c.id, locations.c.name)).all())
        raise MasterDataError(
            "sites.toml: a bay's place cannot be renamed while the ledger has it: "
            + ", ".join(f"{names[location_id]!r}" for location_id in moved)
        )
    rows = [
        {
            "location_id": places[bay.location],
            "edge": bay.edge,
            "shelf": bay.shelf,
            "bay": bay.bay,
            "backroom_id": places[bay.backroom],
        }
        for bay in site.bays
    ]
    _upsert(connection, bays, rows)
    # The file seeds: what was planned since, in the console or by a planogram, stays.
    seeded = set(here) - planogram.planned(connection)
    connection.execute(delete(bay_items).where(bay_items.c.location_id.in_(seeded)))
    _upsert(
        connection,
        bay_items,
        [
            {"location_id": places[bay.location], "item_id": ids[gtin], "capacity": capacity}
            for bay in site.bays
            if places[bay.location] in seeded
            for gtin, capacity in _capacities(bay)
        ],
    )


def _store_planogram(connection: Connection, files: Files, at: datetime) -> int:
    if not files.planogram.bays or files.problems:
        return 0
    source = files.planogram.bays[0].where.split(":")[0].split(" ")[0]
    try:
        wanted = planogram.resolve(connection, files.planogram)
        return len(
            planogram.change(connection, wanted, planogram.Author(by="cloud load", source=source, at=at))
        )
    except PlanogramError as error:
        files.problems += [f"  {line}" for line in str(error).splitlines()]
        return 0


def _capacities(bay: BaySection) -> list[tuple[str, int]]:
    return sorted(bay.capacity.items())


def _store_contents(connection: Connection, files: Files) -> None:
    """What was booked as declared stays declared so: another quantity for a unit already received is refused."""
    gtins = {row.gtin: row for row in connection.execute(select(items.c.gtin, items.c.id, items.c.scale))}
    declared = {
        (sscc, item_id): quantity
        for sscc, item_id, quantity in connection.execute(
            select(contents.c.sscc, contents.c.item_id, contents.c.quantity)
        )
    }
    received = set(connection.scalars(select(unit_contents.c.sscc)))
    rows = []
    for line in files.contents:
        item = gtins[line.row.gtin]
        quantity = int(line.row.quantity.scaleb(item.scale))
        was = declared.get((line.row.sscc, item.id))
        if was == quantity:
            continue
        if line.row.sscc in received:
            files.problems.append(
                f"  {line.where}: {line.row.sscc} was received as declared before; correct its stock by a count"
            )
        rows.append({"sscc": line.row.sscc, "item_id": item.id, "quantity": quantity})
    _upsert(connection, contents, rows)
