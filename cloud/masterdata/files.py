"""Reading the folder: every problem found in one go, each with its file, line and column. Writes nothing."""

import csv
import io
import tomllib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Generic, Protocol, TypeVar

from pydantic import ValidationError

from cloud.errors import MasterDataError
from cloud.masterdata.rows import ContentsRow, ItemRow, OpeningRow, SiteSection, SitesFile
from cloud.planogram import files as planogram
from cloud.planogram.files import Draft
from cloud.planogram.plan import PlanogramError
from cloud.rules.parse import RulesError, parse
from cloud.rules.rule import Rule
from cloud.section import Section, problems

R = TypeVar("R", bound=Section)
KNOWN_FILES = ("items.csv", "sites.toml", "opening.csv", "contents.csv", "rules.toml", *planogram.NAMES)


@dataclass(frozen=True, slots=True)
class Line(Generic[R]):
    """A row with the place it was read from, as `items.csv line 3`."""

    where: str
    row: R


@dataclass(slots=True)
class Files:
    """What the folder says. A file that is not there says nothing, and is no problem."""

    folder: Path
    items: list[Line[ItemRow]] = field(default_factory=list)
    sites: list[Line[SiteSection]] = field(default_factory=list)
    opening: list[Line[OpeningRow]] = field(default_factory=list)
    contents: list[Line[ContentsRow]] = field(default_factory=list)
    rules: list[Rule] | None = None
    planogram: Draft = field(default_factory=lambda: Draft((), ()))
    problems: list[str] = field(default_factory=list)
    partial: set[str] = field(default_factory=set)  # names of files of which something could not be read

    def refuse(self) -> None:
        """Raises MasterDataError with every problem found so far, if there is any."""
        if self.problems:
            raise MasterDataError("\n".join([f"{self.folder}: nothing was loaded:", *self.problems]))


def read(folder: Path) -> Files:
    """Read and check each file by itself; what one says about another is for the loader.

    Raises:
        MasterDataError: the folder holds none of the files.
    """
    if not any((folder / name).is_file() for name in KNOWN_FILES):
        raise MasterDataError(f"{folder}: has none of {', '.join(KNOWN_FILES)}")
    files = Files(folder)
    with _noting(files, "items.csv"):
        files.items = list(_rows(files, "items.csv", ItemRow))
    files.opening = list(_rows(files, "opening.csv", OpeningRow))
    files.contents = list(_rows(files, "contents.csv", ContentsRow))
    with _noting(files, "sites.toml"):
        _sites(files)
    _rules(files)
    _planogram(files)
    return files


@contextmanager
def _noting(files: Files, name: str) -> Iterator[None]:
    """Others refer to this file: what they miss in it may be what could not be read, and is no fault of theirs."""
    before = len(files.problems)
    yield
    if len(files.problems) > before:
        files.partial.add(name)


class _Reader(Protocol):
    """What csv.reader gives, whose own type has no public name."""

    line_num: int

    def __iter__(self) -> Iterator[list[str]]: ...
    def __next__(self) -> list[str]: ...


def _rows(files: Files, name: str, kind: type[R]) -> Iterator[Line[R]]:
    text = _text(files, name)
    if text is None:
        return
    reader = csv.reader(io.StringIO(text, newline=""), strict=True)
    try:
        yield from _lines(files, name, kind, reader)
    except csv.Error as error:
        files.problems.append(f"  {name} line {reader.line_num}: {error}")


def _lines(files: Files, name: str, kind: type[R], reader: _Reader) -> Iterator[Line[R]]:
    columns = list(kind.model_fields)
    needed = [column for column, about in kind.model_fields.items() if about.is_required()]
    header = [cell.strip() for cell in next(reader, [])]
    wrong = [f"{column!r} is no column here" for column in header if column not in columns]
    wrong += [f"column {column!r} is needed" for column in needed if column not in header]
    wrong += [f"column {column!r} comes twice" for column in sorted(set(header)) if header.count(column) > 1]
    if wrong:
        about = f"; the columns are {', '.join(columns)}"
        files.problems += [f"  {name} line 1: {one}{about}" for one in wrong]
        return
    for cells in reader:
        where = f"{name} line {reader.line_num}"
        if not any(cell.strip() for cell in cells):
            continue
        if len(cells) != len(header):
            files.problems.append(f"  {where}: has {len(cells)} columns, the first line has {len(header)}")
            continue
        values = {column: cell.strip() for column, cell in zip(header, cells, strict=True)}
        given = {column: value for column, value in values.items() if value or column in needed}
        try:
            yield Line(where, kind.model_validate(given))
        except ValidationError as error:
            files.problems += [f"  {where}, column {problem}" for problem in problems(error)]


def _sites(files: Files) -> None:
    document = _toml(files, "sites.toml")
    if document is None:
        return
    try:
        sites = SitesFile.model_validate(document).site
    except ValidationError as error:
        files.problems += [f"  sites.toml: {problem}" for problem in problems(error)]
        return
    files.sites = [Line(f"sites.toml: site[{number}]", site) for number, site in enumerate(sites, start=1)]


def _rules(files: Files) -> None:
    document = _toml(files, "rules.toml")
    if document is None:
        return
    try:
        files.rules = parse(document)
    except RulesError as error:
        files.problems += [f"  rules.toml: {problem}" for problem in error.problems]


def _planogram(files: Files) -> None:
    there = [name for name in planogram.NAMES if (files.folder / name).is_file()]
    if len(there) > 1:
        files.problems.append(f"  {' and '.join(there)}: keep one of them")
    for name in there[:1]:
        try:
            files.planogram = planogram.read(files.folder / name)
            files.planogram.refuse()
        except PlanogramError as error:
            files.problems += [f"  {line}" for line in str(error).splitlines()]


def _toml(files: Files, name: str) -> dict[str, object] | None:
    text = _text(files, name)
    if text is None:
        return None
    try:
        return tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        files.problems.append(f"  {name}: {error}")
        return None


def _text(files: Files, name: str) -> str | None:
    path = files.folder / name
    if not path.is_file():
        return None
    try:
        return path.read_text("utf-8-sig")  # spreadsheets put a byte-order mark before CSV
    except (OSError, UnicodeDecodeError) as error:
        files.problems.append(f"  {name}: {error}")
        return None
