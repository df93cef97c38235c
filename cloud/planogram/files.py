"""The planogram as a file: CSV, a line an item of a bay, or TOML, a table a bay. Pure but for reading the file."""

import csv
import io
import json
import tomllib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Annotated, Any

from pydantic import Field, ValidationError

from cloud.planogram.plan import Plan, PlanogramError, Stand, StandRow, clashes, ordered
from cloud.planogram.sheets import Problem, Row, not_text, rows
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
BEGINNING = 4096  # of a file, to know what it is

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
    """One bay of a file. `where` is where it is first spoken of, as `planogram.csv line 3`, and `line` puts that in
    order; `wheres` are those of its items, by GTIN, where they are others.
    """

    line: int
    where: str
    bay: BayName
    plan: Plan
    wheres: Mapping[str, tuple[int, str]] = field(default_factory=dict)

    def of(self, gtin: str) -> tuple[int, str]:
        return self.wheres.get(gtin, (self.line, self.where))


@dataclass(frozen=True, slots=True)
class Draft:
    """A file as far as it can be understood, and what is wrong with the rest of it."""

    bays: Sequence[Written]
    wrong: Sequence[Problem]

    def refuse(self, more: Sequence[Problem] = ()) -> None:
        """Raises PlanogramError with all that is wrong, in the order of the file, if anything is."""
        if wrong := sorted([*self.wrong, *more], key=lambda problem: problem[0]):
            raise PlanogramError("\n".join(words for _, words in wrong))


class _Place(Section):
    site: Name | None = None
    edge: Name | None = None
    shelf: Name
    bay: Name

    @property
    def name(self) -> BayName:
        return BayName(self.site or "", self.edge or "", self.shelf, self.bay)


class _BayTable(_Place):
    items: list[StandRow]


class _File(Section):
    bay: list[_BayTable]


def read(path: Path) -> Draft:
    """Raises PlanogramError where it cannot be read as a planogram at all."""
    try:
        if path.stat().st_size > MOST_BYTES:
            raise PlanogramError(
                f"{path.name}: is larger than {MOST_BYTES // 1_000_000} MB; give it in parts"
            )
        data = path.read_bytes()
    except OSError as error:
        raise PlanogramError(f"{path}: {error.strerror or error}") from error
    if what := not_text(data[:BEGINNING]):
        raise PlanogramError(f"{path.name}: {what}")
    try:
        text = data.decode("utf-8-sig")  # spreadsheets put a byte-order mark before CSV
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        raise PlanogramError(
            f"{path.name} line {line}: holds a character that is not UTF-8; save the file as 'CSV UTF-8'"
        ) from error
    return draft(text, path.name)


def draft(text: str, name: str, kind: str = "") -> Draft:
    """The bays of a file, `kind` csv or toml, or as its name ends. Raises PlanogramError, as `read` does."""
    if what := not_text(text[:BEGINNING]):
        raise PlanogramError(f"{name}: {what}")
    if not text.strip():
        raise PlanogramError(
            f"{name}: is empty; its first line names columns ({', '.join(COLUMNS)}), and each line after it tells one "
            "item of a bay. 'stockbeat cloud planogram export', or the console, gives out what is planned now"
        )
    match kind or name.lower().rpartition(".")[2]:
        case "toml":
            return _toml(text, name)
        case "csv":
            return _csv(text, name)
        case _:
            raise PlanogramError(f"{name}: a planogram's name ends in .csv or .toml")


class _Bays:
    """The bays of a file, as they are found."""

    def __init__(self) -> None:
        self._stands: dict[BayName, list[Stand]] = {}
        self._first: dict[BayName, tuple[int, str]] = {}
        self._wheres: dict[BayName, dict[str, tuple[int, str]]] = {}

    def meet(self, bay: BayName, line: int, where: str) -> None:
        self._first.setdefault(bay, (line, where))
        self._stands.setdefault(bay, [])

    def add(self, bay: BayName, stand: Stand, line: int, where: str) -> None:
        self._stands[bay].append(stand)
        self._wheres.setdefault(bay, {}).setdefault(stand.gtin, (line, where))

    def draft(self, wrong: list[Problem]) -> Draft:
        for bay, some in self._stands.items():
            line, where = self._first[bay]
            wrong += [(line, f"{where}: bay {bay.bay}: {clash}") for clash in clashes(some)]
        return Draft(
            [
                Written(*self._first[bay], bay, ordered(some), self._wheres.get(bay, {}))
                for bay, some in self._stands.items()
            ],
            wrong,
        )


def _csv(text: str, name: str) -> Draft:
    wrong: list[Problem] = []
    bays = _Bays()
    for row in rows(text, name, COLUMNS, _NEEDED, wrong):
        place = _checked(_Place, {key: row.cells[key] for key in _WHERE if row.cells.get(key)}, row, wrong)
        told = {key: value for key, value in row.cells.items() if key not in _WHERE and value}
        # a line without an item: nothing is meant to stand there
        stand = _checked(StandRow, told, row, wrong) if told else None
        if place is not None:
            bays.meet(place.name, row.line, row.where)
            if stand is not None:
                bays.add(place.name, stand.stand, row.line, row.where)
    return bays.draft(wrong)


def _checked(kind: Any, cells: Mapping[str, str], row: Row, wrong: list[Problem]) -> Any:
    try:
        return kind.model_validate(cells)
    except ValidationError as error:
        wrong += [(row.line, f"{row.where}, column {problem}") for problem in problems(error)]
        return None


def _toml(text: str, name: str) -> Draft:
    try:
        document = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise PlanogramError(f"{name}: {error}") from None
    wrong: list[Problem] = []
    try:
        tables: list[Any] = list(_File.model_validate(document).bay)
    except ValidationError as error:
        wrong += [(_number(each["loc"]), f"{name}: {words}")
                  for each, words in zip(error.errors(), problems(error), strict=True)]  # fmt: skip
        tables = _understood(document)
    bays: dict[BayName, Written] = {}
    for number, table in enumerate(tables, start=1):
        if table is None:
            continue
        where = f"{name}: bay[{number}]"
        stands = [row.stand for row in table.items]
        wrong += [(number, f"{where}: {clash}") for clash in clashes(stands)]
        if before := bays.get(table.name):
            told = f"bay {table.bay} is told by {before.where} already; write each bay once"
            wrong.append((number, f"{where}: {told}"))
        bays.setdefault(table.name, Written(number, where, table.name, ordered(stands)))
    return Draft(list(bays.values()), wrong)


def _number(loc: tuple[int | str, ...]) -> int:
    """Of the bay in which something is wrong; 0 of the file itself."""
    return loc[1] + 1 if len(loc) > 1 and isinstance(loc[1], int) else 0


def _understood(document: Mapping[str, Any]) -> list[_BayTable | None]:
    """Of a file in which something is wrong, the bays whose own names are right, with the items that are."""
    found: list[_BayTable | None] = []
    tables = document.get("bay")
    for table in tables if isinstance(tables, list) else []:
        try:
            place = _Place.model_validate({key: table[key] for key in _WHERE if key in table})
        except (ValidationError, TypeError):
            found.append(None)
            continue
        some = table.get("items")
        items = [row for each in (some if isinstance(some, list) else []) if (row := _stand_row(each))]
        found.append(_BayTable(**place.model_dump(), items=items))
    return found


def _stand_row(table: Any) -> StandRow | None:
    try:
        return StandRow.model_validate(table)
    except ValidationError:
        return None


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
