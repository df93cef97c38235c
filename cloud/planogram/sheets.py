"""Rows of a CSV file as spreadsheets save it: with commas, semicolons or tabs between cells. Pure.

Where a list separator is not a comma, the comma is the decimal sign, as in most of Europe.
"""

import csv
import io
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

SEPARATORS = ",;\t"
HINT = re.compile(r"sep=(.)", re.IGNORECASE)  # Excel's own line, before the columns
DECIMAL = re.compile(r"[+-]?\d*,\d+")
# What files begin with: zip (xlsx, ods) and OLE2 (xls), by their published formats; as text, where a browser read them.
ZIP, OLE, OLE_AS_TEXT = "PK\x03\x04", b"\xd0\xcf\x11\xe0", "\ufffd\ufffd\x11\u0871"
NOT_TEXT = "\x00"
UTF_16 = (b"\xff\xfe", b"\xfe\xff")

Problem = tuple[int, str]  # where in the file, to be put in order by; and what is wrong, in words


@dataclass(frozen=True, slots=True)
class Row:
    """One line with something on it; `cells` by column, without blanks around them."""

    line: int
    where: str
    cells: dict[str, str]


def not_text(begins: bytes | str) -> str:
    """What a file is that begins so, where it is no text that can be read here; "" where it may be."""
    save = "open it in a spreadsheet and save it as 'CSV UTF-8'"
    as_text = begins if isinstance(begins, str) else begins.decode("latin-1")
    if as_text.startswith(ZIP):
        return f"is a workbook (.xlsx or .ods) or another archive, not CSV: {save}"
    if as_text.startswith((OLE_AS_TEXT, OLE.decode("latin-1"))):
        return f"is a workbook of an old Excel (.xls), not CSV: {save}"
    if isinstance(begins, bytes) and begins.startswith(UTF_16):
        return f"is text in UTF-16, not UTF-8: {save}"
    if NOT_TEXT in as_text:
        return f"is no text, or text in UTF-16: {save}"
    return ""


def rows(
    text: str, name: str, columns: Sequence[str], needed: Sequence[str], wrong: list[Problem]
) -> Iterator[Row]:
    """What is wrong with the columns, or with how a line is written, is added to `wrong`; other lines go on."""
    separator = _separator(text, columns)
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=separator, strict=True)
    header: list[str] = []
    try:
        for cells in reader:
            line, where = reader.line_num, f"{name} line {reader.line_num}"
            filled = any(cell.strip() for cell in cells)
            if not filled or (not header and HINT.fullmatch(separator.join(cells))):
                continue
            if not header:
                header = [cell.strip() for cell in cells]
                if found := _of_header(header, columns, needed):
                    wrong += [(line, f"{where}: {one}") for one in found]
                    return
            elif len(cells) != len(header):
                told = f"has {len(cells)} columns, the first line has {len(header)}"
                wrong.append((line, f"{where}: {told}"))
            else:
                plain = _plain if separator == "," else _with_points
                yield Row(line, where, {c: plain(cell) for c, cell in zip(header, cells, strict=True)})
    except csv.Error as error:
        wrong.append((reader.line_num, f"{name} line {reader.line_num}: {error}"))


def _of_header(header: Sequence[str], columns: Sequence[str], needed: Sequence[str]) -> list[str]:
    found = [f"{column!r} is no column here" for column in header if column not in columns]
    found += [f"column {column!r} is needed" for column in needed if column not in header]
    found += [f"column {column!r} comes twice" for column in sorted(set(header)) if header.count(column) > 1]
    about = f"; the columns are {', '.join(columns)}, with commas, semicolons or tabs between them"
    return [f"{one}{about}" for one in found]


def _separator(text: str, columns: Sequence[str]) -> str:
    """What tells most of the columns apart; a comma where nothing does."""
    lines = (line for line in text.splitlines() if line.strip())
    first = next((line for line in lines if not HINT.fullmatch(line)), "")
    return max(SEPARATORS, key=lambda each: sum(cell.strip(' "') in columns for cell in first.split(each)))


def _plain(cell: str) -> str:
    return cell.strip()


def _with_points(cell: str) -> str:
    """A decimal comma as a point; whatever else it is stays, and is refused as it was written."""
    plain = cell.strip()
    return plain.replace(",", ".") if DECIMAL.fullmatch(plain) else plain
