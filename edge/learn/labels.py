"""labels.csv: of what became of the tags in recordings of one door, as a person knows it.

    recording,epc,direction
    pass-01.jsonl,,in
    pass-02.jsonl,3074257BF7194E4000001A85,none

A recording's path starts at the folder of the file; no EPC means every tag of the recording that has no line of its
own; a direction is `in`, `out` or `none`.
"""

import csv
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from edge.errors import LabelsError

COLUMNS = ("recording", "epc", "direction")
EPC = re.compile(r"(?:[0-9A-F]{4}){1,32}")  # whole 16-bit words, as Gen2 stores it


class Way(StrEnum):
    IN = "in"
    OUT = "out"
    NONE = "none"


@dataclass(frozen=True, slots=True)
class Labelled:
    """One recording: `name` as it was written; the way of `every` tag, but for those in `tags`."""

    name: str
    path: Path
    every: Way | None
    tags: Mapping[str, Way]

    def way(self, epc: str) -> Way | None:
        return self.tags.get(epc, self.every)


def read_labels(path: Path) -> list[Labelled]:
    """Recordings in the order in which they are first named.

    Raises:
        LabelsError: naming the file and, a line each, everything that is wrong and what would be right.
    """
    try:
        with path.open(newline="", encoding="utf-8-sig") as file:  # spreadsheets put a byte-order mark
            rows = list(csv.reader(file))
    except OSError as error:
        raise LabelsError(f"{path}: {error.strerror or error}") from error
    except (UnicodeDecodeError, csv.Error) as error:
        raise LabelsError(f"{path}: {error}") from error
    problems, found = _taken(rows, path.parent)
    problems += [
        f"{each.name}: there is no such file in {path.parent}" for each in found if not each.path.is_file()
    ]
    if not found and not problems:
        problems.append("labels nothing; write a line for each recorded pass, such as pass-01.jsonl,,in")
    if problems:
        raise LabelsError("\n".join([f"{path}:", *(f"  {problem}" for problem in problems)]))
    return found


def _taken(rows: list[list[str]], folder: Path) -> tuple[list[str], list[Labelled]]:
    if not rows or tuple(cell.strip().lower() for cell in rows[0]) != COLUMNS:
        first = ",".join(rows[0])[:80] if rows else ""
        return [f"line 1: the columns are recording,epc,direction, not {first!r}"], []
    problems: list[str] = []
    every: dict[str, Way] = {}
    tags: dict[str, dict[str, Way]] = {}
    for number, row in _filled(rows):
        label = _label(row)
        if isinstance(label, str):
            problems.append(f"line {number}: {label}")
            continue
        name, epc, way = label
        mine = tags.setdefault(name, {})
        before = mine.setdefault(epc, way) if epc else every.setdefault(name, way)
        if before is not way:
            what = epc or "every tag"
            problems.append(f"line {number}: {what} of {name} is said to be {way}, and before to be {before}")
    return problems, [Labelled(name, folder / name, every.get(name), mine) for name, mine in tags.items()]


def _filled(rows: list[list[str]]) -> Iterator[tuple[int, list[str]]]:
    for number, row in enumerate(rows[1:], 2):
        cells = [cell.strip() for cell in row]
        if any(cells):
            yield number, cells


def _label(row: list[str]) -> tuple[str, str, Way] | str:
    """The three cells of a line, or what is wrong with them."""
    if len(row) != len(COLUMNS):
        return f"has {len(row)} cells, not the three recording,epc,direction"
    name, epc, direction = row[0], row[1].upper(), row[2].lower()
    if not name:
        return "names no recording"
    if epc and not EPC.fullmatch(epc):
        return f"{row[1]!r} is no EPC; write its hexadecimal digits, or leave it empty for every tag"
    if direction not in list(Way):
        return f"a direction is in, out or none, not {row[2]!r}"
    return name, epc, Way(direction)
