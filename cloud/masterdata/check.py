"""What the files say about each other and about what the ledger already has. Pure: adds to the problems found."""

from collections import Counter
from collections.abc import Hashable, Iterable, Mapping, Sequence, Set
from dataclasses import dataclass
from decimal import Decimal

from cloud.ledger.master import GIVEN
from cloud.masterdata.files import Files, Line
from cloud.masterdata.rows import OpeningRow, SiteSection


@dataclass(frozen=True, slots=True, kw_only=True)
class Known:
    """What the ledger already has: the files may refer to it."""

    scales: Mapping[str, int]  # GTIN -> decimals kept
    places: Mapping[str, Mapping[str, str]]  # site -> name -> usage of each location
    edges: Mapping[str, str]  # edge -> site


def check(files: Files, known: Known) -> None:
    """Find every disagreement. Nothing may be loaded when `files.problems` is not empty afterwards.

    What refers to a file that could not be read whole is not held against it: one fault would be told many times.
    """
    scales = {**known.scales, **{line.row.gtin: line.row.scale for line in files.items}}
    _items(files, known)
    _sites(files, known, scales)
    _opening(files, known, scales)
    for contents in files.contents:
        where = f"{contents.where}, column"
        _quantity(files, where, contents.row.gtin, contents.row.quantity, scales)
    _once(files, ((line.where, (line.row.sscc, line.row.gtin)) for line in files.contents), "sscc and gtin")


def _items(files: Files, known: Known) -> None:
    _once(files, ((line.where, line.row.gtin) for line in files.items), "gtin")
    prefixes = ((line.where, prefix) for line in files.items for prefix in line.row.epc_prefix)
    _once(files, prefixes, "epc_prefix")
    for line in files.items:
        was = known.scales.get(line.row.gtin)
        if was is not None and was != line.row.scale:
            files.problems.append(
                f"  {line.where}, column uom: {line.row.uom!r} would keep {line.row.scale} decimals, but"
                f" {line.row.gtin} is booked with {was}: give the item another GTIN, or keep its unit"
            )


def _sites(files: Files, known: Known, scales: Mapping[str, int]) -> None:
    _once(files, ((line.where, line.row.name) for line in files.sites), "name")
    _once(files, ((line.where, edge) for line in files.sites for edge in line.row.edges), "edges")
    for line in files.sites:
        site = line.row
        _once(files, ((line.where, place) for place in _named(site)), "places and bays")
        _once(files, ((line.where, (gate.edge, gate.gate)) for gate in site.gates), "gates")
        _once(files, ((line.where, (bay.edge, bay.shelf, bay.bay)) for bay in site.bays), "bays")
        _references(files, line, scales)
        for edge in site.edges:
            if known.edges.get(edge, site.name) != site.name:
                files.problems.append(
                    f"  {line.where}.edges: {edge!r} belongs to site {known.edges[edge]!r}, where its stock is booked"
                )
        _usages(files, line, known.places.get(site.name, {}))


def _named(site: SiteSection) -> list[str]:
    return [*site.places, *(bay.location for bay in site.bays)]


def _references(files: Files, line: Line[SiteSection], scales: Mapping[str, int]) -> None:
    site = line.row
    for number, gate in enumerate(site.gates, start=1):
        at = f"{line.where}.gates[{number}]"
        _one_of(files, f"{at}.edge", gate.edge, site.edges)
        _one_of(files, f"{at}.outside", gate.outside, site.places)
        _one_of(files, f"{at}.inside", gate.inside, site.places)
        if gate.outside == gate.inside:
            files.problems.append(f"  {at}.inside: joins {gate.inside!r} to itself")
    for place in site.biz_locations:
        _one_of(files, f"{line.where}.biz_locations", place, [*_named(site), *GIVEN])
    for number, bay in enumerate(site.bays, start=1):
        at = f"{line.where}.bays[{number}]"
        _one_of(files, f"{at}.edge", bay.edge, site.edges)
        _one_of(files, f"{at}.backroom", bay.backroom, site.places)
        for gtin in bay.capacity:
            _known_item(files, f"{at}.capacity", gtin, scales)


def _one_of(files: Files, where: str, name: str, names: Sequence[str]) -> None:
    if name not in names:
        files.problems.append(f"  {where}: {name!r} is none of the site's: {', '.join(names)}")


def _usages(files: Files, line: Line[SiteSection], were: Mapping[str, str]) -> None:
    now = dict.fromkeys(line.row.places, "internal") | {bay.location: "bay" for bay in line.row.bays}
    for place, usage in now.items():
        was = were.get(place)
        if was is not None and (was == "bay") != (usage == "bay"):
            files.problems.append(
                f"  {line.where}: {place!r} is booked as a {was} and cannot become a {usage}"
            )


def _opening(files: Files, known: Known, scales: Mapping[str, int]) -> None:
    sites = {line.row.name for line in files.sites} or set(known.places)
    places: dict[str, Set[str]] = {site: set(names) for site, names in known.places.items()}
    for site in files.sites:
        places[site.row.name] = places.get(site.row.name, set()) | set(_named(site.row))
    for line in files.opening:
        row = line.row
        _quantity(files, f"{line.where}, column", row.gtin, row.quantity, scales)
        if "sites.toml" not in files.partial:
            _place(files, line, sites, places)
    _once(
        files,
        ((line.where, (line.row.site, line.row.place, line.row.gtin)) for line in files.opening),
        "place",
    )


def _place(files: Files, line: Line[OpeningRow], sites: Set[str], places: Mapping[str, Set[str]]) -> None:
    row = line.row
    site = row.site or (next(iter(sites)) if len(sites) == 1 else None)
    if site is None:
        files.problems.append(f"  {line.where}, column site: is needed, as there are {len(sites)} sites")
    elif site not in places:
        files.problems.append(f"  {line.where}, column site: there is no site {site!r}")
    elif row.place not in places[site]:
        files.problems.append(f"  {line.where}, column place: {row.place!r} is no place or bay of the site")


def _quantity(files: Files, where: str, gtin: str, quantity: Decimal, scales: Mapping[str, int]) -> None:
    if not _known_item(files, f"{where} gtin", gtin, scales):
        return
    if quantity.scaleb(scales[gtin]) % 1:
        files.problems.append(
            f"  {where} quantity: {quantity} has more decimals than the {scales[gtin]} that {gtin} is counted with"
        )


def _known_item(files: Files, where: str, gtin: str, scales: Mapping[str, int]) -> bool:
    known = gtin in scales
    if not known and "items.csv" not in files.partial:
        files.problems.append(f"  {where}: no item has the GTIN {gtin}; add it to items.csv")
    return known


def _once(files: Files, keys: Iterable[tuple[str, Hashable]], what: str) -> None:
    seen = list(keys)
    for key, count in Counter(key for _, key in seen).items():
        if count > 1:
            places = ", ".join(dict.fromkeys(where for where, one in seen if one == key))
            spelled = key if isinstance(key, str) else " ".join(str(part) for part in _parts(key) if part)
            files.problems.append(f"  {places}: {what}: {spelled} is given {count} times")


def _parts(key: Hashable) -> tuple[object, ...]:
    return key if isinstance(key, tuple) else (key,)
