"""The planogram in the ledger: what holds now, and every change with who made it."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, delete, func, insert, select, update

from cloud.alerts import watch
from cloud.ledger import registers
from cloud.ledger.tables import (
    balances,
    bay_items,
    bays,
    edges,
    items,
    ledgers,
    locations,
    planogram_changes,
    sites,
)
from cloud.planogram.files import BayName, Draft
from cloud.planogram.plan import Plan, PlanogramError, Stand, ordered, written
from cloud.planogram.sheets import Problem


@dataclass(frozen=True, slots=True)
class Known:
    """One bay that the ledger has, and what is planned for it."""

    location_id: int
    site_id: int
    place: str
    name: BayName
    plan: Plan


@dataclass(frozen=True, slots=True, kw_only=True)
class Author:
    """Who changes the planogram, by what, when."""

    by: str
    source: str
    at: datetime


def known(connection: Connection, site_id: int | None = None) -> list[Known]:
    """Every bay, of one site or of all, by site, edge, shelf and bay."""
    query = (
        select(
            bays.c.location_id, edges.c.site_id, locations.c.name.label("place"), sites.c.name.label("site"),
            bays.c.edge, bays.c.shelf, bays.c.bay,
        )
        .join(edges, edges.c.edge == bays.c.edge)
        .join(sites, sites.c.id == edges.c.site_id)
        .join(locations, locations.c.id == bays.c.location_id)
        .order_by(sites.c.name, bays.c.edge, bays.c.shelf, bays.c.bay)
    )  # fmt: skip
    if site_id is not None:
        query = query.where(edges.c.site_id == site_id)
    plans = _plans(connection)
    return [
        Known(
            row.location_id, row.site_id, row.place, BayName(row.site, row.edge, row.shelf, row.bay),
            ordered(plans.get(row.location_id, ())),
        )
        for row in connection.execute(query)
    ]  # fmt: skip


def plan_of(connection: Connection, location_id: int) -> Plan:
    return ordered(_plans(connection, location_id).get(location_id, ()))


def _plans(connection: Connection, location_id: int | None = None) -> dict[int, list[Stand]]:
    query = select(
        bay_items.c.location_id, items.c.gtin, bay_items.c.capacity, bay_items.c.facings, bay_items.c.low,
        bay_items.c.unit_grams, bay_items.c.unit_tare_grams, bay_items.c.unit_cv,
    ).join(items, items.c.id == bay_items.c.item_id)  # fmt: skip
    if location_id is not None:
        query = query.where(bay_items.c.location_id == location_id)
    found: dict[int, list[Stand]] = {}
    for row in connection.execute(query):
        values = row._asdict()
        found.setdefault(values.pop("location_id"), []).append(Stand(**values))
    return found


def resolve(connection: Connection, file: Draft) -> dict[int, Plan]:
    """Which bay of the ledger each bay of a file is.

    Raises:
        PlanogramError: all that is wrong with the file, with the bays and items in it that the ledger does not have,
            and the bays that could be several.
    """
    there = known(connection)
    gtins = set(connection.scalars(select(items.c.gtin)))
    wrong: list[Problem] = []
    found: dict[int, Plan] = {}
    first: dict[int, str] = {}
    for each in file.bays:
        meant = [one for one in there if _is_meant(each.bay, one.name)]
        wrong += [
            (line, f"{where}: no item has the GTIN {stand.gtin}; add it to items.csv and load it")
            for stand in each.plan
            if stand.gtin not in gtins
            for line, where in [each.of(stand.gtin)]
        ]
        if len(meant) != 1:
            wrong.append((each.line, f"{each.where}: {_which(each.bay, meant, there)}"))
        elif meant[0].location_id in found:
            already = first[meant[0].location_id]
            told = f"bay {each.bay.bay} of shelf {each.bay.shelf} is told by {already} already"
            wrong.append((each.line, f"{each.where}: {told}"))
        else:
            found[meant[0].location_id], first[meant[0].location_id] = each.plan, each.where
    file.refuse(wrong)
    return found


def _is_meant(named: BayName, there: BayName) -> bool:
    return (
        (named.shelf, named.bay) == (there.shelf, there.bay)
        and named.site in ("", there.site)
        and named.edge in ("", there.edge)
    )


def _which(named: BayName, meant: Sequence[Known], there: Sequence[Known]) -> str:
    what = f"bay {named.bay} of shelf {named.shelf}"
    if meant:
        where = " and ".join(f"site {one.name.site}, edge {one.name.edge}" for one in meant[:3])
        return f"{what} could be that of {where}: say which, with columns site and edge"
    beside = [one.name.bay for one in there if one.name.shelf == named.shelf]
    if beside:
        return (
            f"the ledger has no {what}; the shelf has {', '.join(beside[:12])}. Bays are added in sites.toml"
        )
    return f"the ledger has no shelf {named.shelf}; bays are added in sites.toml"


def change(connection: Connection, wanted: Mapping[int, Plan], author: Author) -> list[int]:
    """Make these the plans of these bays; return which of them changed. Others stay as they are.

    Items that a bay is not meant for any more, and of which the ledger still has some there, ask for a count.

    Raises:
        PlanogramError: an item that the ledger does not have.
    """
    _lock(connection)
    ids: dict[str, int] = dict(connection.execute(select(items.c.gtin, items.c.id)).all())
    if strange := sorted({stand.gtin for plan in wanted.values() for stand in plan} - ids.keys()):
        raise PlanogramError(f"no item has the GTIN {strange[0]}; add it to items.csv and load it")
    plans = _plans(connection)
    changed = [here for here in sorted(wanted) if ordered(plans.get(here, ())) != wanted[here]]
    for here in changed:
        _store(connection, here, wanted[here], ids)
        _log(connection, here, ordered(plans.get(here, ())), wanted[here], author)
        _ask_for_what_is_left(connection, here, [ids[stand.gtin] for stand in wanted[here]], author.at)
    if changed:
        connection.execute(update(ledgers).values(master=ledgers.c.master + 1))
        watch.settle_all(connection, author.at)
    return changed


def planned(connection: Connection) -> frozenset[int]:
    """Bays whose plan was ever changed: sites.toml seeds the others."""
    return frozenset(connection.scalars(select(planogram_changes.c.location_id).distinct()))


def _lock(connection: Connection) -> None:
    """All sites' heads, in order, as loading master data does: the rules of all are judged anew."""
    connection.execute(select(sites.c.id).order_by(sites.c.id).with_for_update())


def _store(connection: Connection, here: int, plan: Plan, ids: Mapping[str, int]) -> None:
    connection.execute(delete(bay_items).where(bay_items.c.location_id == here))
    for stand in plan:
        values = asdict(stand)
        item_id = ids[values.pop("gtin")]
        connection.execute(insert(bay_items).values(location_id=here, item_id=item_id, **values))


def _log(connection: Connection, here: int, before: Plan, after: Plan, author: Author) -> None:
    newest = connection.scalar(
        select(func.max(planogram_changes.c.version)).where(planogram_changes.c.location_id == here)
    )
    connection.execute(
        insert(planogram_changes).values(
            location_id=here,
            version=(newest or 0) + 1,
            before=written(before),
            after=written(after),
            changed_by=author.by,
            source=author.source,
            at=author.at,
        )
    )


def _ask_for_what_is_left(connection: Connection, here: int, meant: Sequence[int], at: datetime) -> None:
    left: Sequence[Any] = connection.execute(
        select(items.c.gtin, items.c.name, balances.c.quantity)
        .join(items, items.c.id == balances.c.item_id)
        .where(balances.c.location_id == here, balances.c.quantity != 0, balances.c.item_id.not_in(meant))
        .order_by(items.c.gtin)
    ).all()
    if not left:
        return
    place, site_id = connection.execute(
        select(locations.c.name, locations.c.site_id).where(locations.c.id == here)
    ).one()
    details = {
        "place": place,
        "why": "the bay is meant for others now, and the ledger still has these there",
        "items": [{"gtin": row.gtin, "name": row.name, "quantity": row.quantity} for row in left],
    }
    registers.open_task(connection, site_id, "recount", place, details, at)
