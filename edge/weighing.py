"""How a shelf's cells weigh: a small TOML file that `stockbeat shelves calibrate` writes and `[[shelves]]` names."""

import hashlib
import tomllib
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field, ValidationError

from edge.errors import ConfigError
from edge.problems import NAME, what, where
from edge.section import Section

Finite = Annotated[float, Field(allow_inf_nan=False)]
Cell = Annotated[int, Field(ge=0, le=65_535)]


class Share(Section):
    """Of a load on cell `from`, so much shows on cell `to`."""

    from_: Cell = Field(alias="from")
    to: Cell
    share: Finite = Field(ge=-0.5, le=0.5)


class CellSection(Section):
    """Grams are `factor` times what the device says, plus `offset_grams`.

    `serial` and `calibration` are what the device said of itself then: another one is noticed.
    """

    cell: Cell
    factor: Finite = Field(1.0, ge=-1e6, le=1e6)
    offset_grams: Finite = Field(0.0, ge=-1e8, le=1e8)
    serial: str = Field("", max_length=500)
    calibration: str = Field("", max_length=500)


class Made(Section):
    """How it came about, for people; nothing is decided by it."""

    at: datetime
    by: str = ""
    remark: str = ""


class Weighing(Section):
    version: Literal[1]
    shelf: str = Field(pattern=NAME)
    made: Made
    cells: tuple[CellSection, ...] = ()
    crosstalk: tuple[Share, ...] = ()


@dataclass(frozen=True, slots=True)
class ShelfFile:
    """A shelf's calibration, where it came from, and the SHA-256 of the file's bytes."""

    path: Path
    digest: str
    values: Weighing

    @property
    def factors(self) -> dict[int, tuple[float, float]]:
        """Factor and offset of each cell: grams are factor times what the device says, plus offset."""
        return {each.cell: (each.factor, each.offset_grams) for each in self.values.cells}

    def misfit(self, shelf: str, cells: frozenset[int]) -> str | None:
        """Why it is not for this shelf, in words."""
        if self.values.shelf != shelf:
            return (
                f"{self.path} was made for shelf {self.values.shelf!r}, not {shelf!r}; calibrate this one too"
            )
        for found in self.values.cells:
            if found.cell not in cells:
                there = ", ".join(map(str, sorted(cells)))
                return f"{self.path} knows cell {found.cell}, which is not among this shelf's: {there}"
        return None


def load(path: Path) -> ShelfFile:
    """Read and check a shelf's calibration.

    Raises:
        ConfigError: naming the file and, a line each, every value that is wrong and what would be right.
    """
    try:
        content = path.read_bytes()
    except OSError as error:
        raise ConfigError(
            f"{path}: {error.strerror or error}; `stockbeat shelves calibrate` writes it"
        ) from error
    try:
        written = tomllib.loads(content.decode("utf-8"))
    except (UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise ConfigError(f"{path}: {error}") from error
    try:
        values = Weighing.model_validate(written)
    except ValidationError as error:
        problems = [f"{where(each['loc'], written)}: {what(each)}" for each in error.errors()]
        raise ConfigError("\n".join([f"{path}:", *(f"    {problem}" for problem in problems)])) from None
    return ShelfFile(path, hashlib.sha256(content).hexdigest(), values)


def written(weighing: Weighing) -> str:
    """The text of the file, which `load` reads back as it was."""
    lines = [
        "# How the cells of this shelf weigh. Written by `stockbeat shelves calibrate`.",
        "version = 1",
        f"shelf = {_quoted(weighing.shelf)}",
        f"made = {{ at = {weighing.made.at.isoformat()}, by = {_quoted(weighing.made.by)}, "
        f"remark = {_quoted(weighing.made.remark)} }}",
    ]
    if weighing.crosstalk:
        lines.append("crosstalk = [")
        lines += [f"  {{ from = {s.from_}, to = {s.to}, share = {s.share!r} }}," for s in weighing.crosstalk]
        lines.append("]")
    for cell in weighing.cells:
        lines += [
            "",
            "[[cells]]",
            f"cell = {cell.cell}",
            f"factor = {cell.factor!r}",
            f"offset_grams = {cell.offset_grams!r}",
            f"serial = {_quoted(cell.serial)}",
            f"calibration = {_quoted(cell.calibration)}",
        ]
    return "\n".join(lines) + "\n"


def _quoted(text: str) -> str:
    """A TOML basic string (TOML 1.0, "String")."""
    escaped = "".join(_ESCAPES.get(c) or (c if c.isprintable() else f"\\U{ord(c):08X}") for c in text)
    return f'"{escaped}"'


_ESCAPES = {'"': '\\"', "\\": "\\\\", "\n": "\\n", "\t": "\\t", "\r": "\\r"}
