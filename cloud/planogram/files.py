"""The planogram as a file: CSV, a line an item of a bay, or TOML, a table a bay. Pure but for reading the file."""

import csv
import io
import json
import tomllib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Annotated, Any

from pydantic import Field, ValidationError

from cloud.planogram.plan import Plan, PlanogramError, Stand, StandRow, clashes, ordered
from cloud.section import Section, problems

NAMES = ("planogram.csv", "planogram.toml")
COLUMNS = (
    "site",
    "edge",
    "shelf",
    "bay",
    "gtin",
    "capacity",
    "facings",
    "low",
    "unit_grams",
    "unit_tare_grams",
    "unit_cv",
)
_NEEDED = ("shelf", "bay", "gtin")
_WHERE = ("site", "edge", "shelf", "bay")
MOST_BYTES = 8_000_000  # a hundred thousand bays

Name = Annotated[str, Field(pattern="^[A-Za-z0-9][A-Za-z0-9._-]{0,39}$")]


@dataclass(frozen=True, slots=True, order=True)
class BayName:
    """A bay as a file names it; site and edge are "" where the file leaves them out."""

    site: str
    edge: str
    shelf: str
    bay: str


@dataclass(frozen=True, slots=True)
class Written:
    """One bay of a file. `where` is where it is first spoken of, as `planogram.csv line 3`."""

    where: str
    bay: BayName
    plan: Plan


class _BayTable(Section):
    site: Name | None = None
    edge: Name | None = None
    shelf: Name
    bay: Name
    items: list[StandRow]


class _File(Section):
    bay: list[_BayTable]


class _Place(Section):
    site: Name | None = None
    edge: Name | None = None
    shelf: Name
    bay: Name


def read(path: Path) -> list[Written]:
    """Raises PlanogramError, a line for each thing that is wrong."""
    try:
        if path.stat().st_size > MOST_BYTES:
            raise PlanogramError(
                f"{path.name}: is larger than {MOST_BYTES // 1_000_000} MB; give it in parts"
            )
        text = path.read_text("utf-8-sig")  # spreadsheets put a byte-order mark before CSV
    except OSError as error:
        raise PlanogramError(f"{path}: {error.strerror or error}") from error
    except UnicodeDecodeError as error:
        raise PlanogramError(f"{path.name}: is not UTF-8 text: {error}") from error
    return parse(text, path.name)


def parse(text: str, name: str) -> list[Written]:
    """The bays of a file whose name ends in .csv or .toml. Raises PlanogramError, as `read` does."""
    if name.lower().endswith(".toml"):
        return _toml(text, name)
    if name.lower().endswith(".csv"):
        return _csv(text, name)
    raise PlanogramError(f"{name}: a planogram's name ends in .csv or .toml")


def _csv(text: str, name: str) -> list[Written]:
    wrong: list[str] = []
    stands: dict[BayName, list[Stand]] = {}
    first: dict[BayName, str] = {}
    for where, row in _rows(text, name):
        place = _checked(_Place, {key: row[key] for key in _WHERE if row.get(key)}, where, wrong)
        if place is None:
            continue
        bay = BayName(place.site or "", place.edge or "", place.shelf, place.bay)
        first.setdefault(bay, where)
        some = stands.setdefault(bay, [])
        told = {key: value for key, value in row.items() if key not in _WHERE and value}
        if told:  # a line without an item: nothing is meant to stand there
            stand = _checked(StandRow, told, where, wrong)
            some += [stand.stand] if stand else []
    for bay, some in stands.items():
        wrong += [f"{first[bay]}: bay {bay.bay}: {clash}" for clash in clashes(some)]
    if wrong:
        raise PlanogramError("\n".join(wrong))
    return [Written(first[bay], bay, ordered(some)) for bay, some in stands.items()]


def _rows(text: str, name: str) -> Iterator[tuple[str, dict[str, str]]]:
    reader = csv.reader(io.StringIO(text, newline=""), strict=True)
    try:
        header = [cell.strip() for cell in next(reader, [])]
        problems_found = [f"{column!r} is no column here" for column in header if column not in COLUMNS]
        problems_found += [f"column {column!r} is needed" for column in _NEEDED if column not in header]
        problems_found += [
            f"column {column!r} comes twice" for column in sorted(set(header)) if header.count(column) > 1
        ]
        if problems_found:
            about = f"; the columns are {', '.join(COLUMNS)}"
            raise PlanogramError("\n".join(f"{name} line 1: {one}{about}" for one in problems_found))
        for cells in reader:
            if not any(cell.strip() for cell in cells):
                continue
            where = f"{name} line {reader.line_num}"
            if len(cells) != len(header):
                raise PlanogramError(f"{where}: has {len(cells)} columns, the first line has {len(header)}")
            yield where, {column: cell.strip() for column, cell in zip(header, cells, strict=True)}
    except csv.Error as error:
        raise PlanogramError(f"{name} line {reader.line_num}: {error}") from None


def _checked(kind: Any, row: Mapping[str, str], where: str, wrong: list[str]) -> Any:
    try:
        return kind.model_validate(row)
    except ValidationError as error:
        wrong += [f"{where}, column {problem}" for problem in problems(error)]
        return None


def _toml(text: str, name: str) -> list[Written]:
    try:
        tables = _File.model_validate(tomllib.loads(text)).bay
    except tomllib.TOMLDecodeError as error:
        raise PlanogramError(f"{name}: {error}") from None
    except ValidationError as error:
        raise PlanogramError("\n".join(f"{name}: {problem}" for problem in problems(error))) from None
    wrong: list[str] = []
    found: dict[BayName, Written] = {}
    for number, table in enumerate(tables, start=1):
        where = f"{name}: bay[{number}]"
        bay = BayName(table.site or "", table.edge or "", table.shelf, table.bay)
        stands = [row.stand for row in table.items]
        wrong += [f"{where}: {clash}" for clash in clashes(stands)]
        if bay in found:
            wrong.append(f"{where}: bay {bay.bay} is told by {found[bay].where} already; write each bay once")
        found[bay] = Written(where, bay, ordered(stands))
    if wrong:
        raise PlanogramError("\n".join(wrong))
    return list(found.values())


def to_csv(bays: Iterable[tuple[BayName, Plan]]) -> str:
    """A line an item; a bay that is meant to be empty has a line without one."""
    out = io.StringIO(newline="")
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(COLUMNS)
    for bay, plan in bays:
        place = [bay.site, bay.edge, bay.shelf, bay.bay]
        for stand in plan:
            values = [getattr(stand, field) for field in COLUMNS[4:]]
            writer.writerow([*place, *("" if value is None else value for value in values)])
        if not plan:
            writer.writerow([*place, *[""] * (len(COLUMNS) - len(place))])
    return out.getvalue()


def to_toml(bays: Iterable[tuple[BayName, Plan]]) -> str:
    return "\n".join(_bay_in_toml(bay, plan) for bay, plan in bays)


def _bay_in_toml(bay: BayName, plan: Plan) -> str:
    lines = ["[[bay]]", *(f"{field.name} = {json.dumps(getattr(bay, field.name))}" for field in fields(bay))]
    if not plan:
        return "\n".join([*lines, "items = []", ""])
    return "\n".join([*lines, "items = [", *(f"  {_stand_in_toml(stand)}," for stand in plan), "]", ""])


def _stand_in_toml(stand: Stand) -> str:
    values = {field: getattr(stand, field) for field in COLUMNS[4:]}
    told = ", ".join(f"{key} = {json.dumps(value)}" for key, value in values.items() if value is not None)
    return f"{{ {told} }}"
