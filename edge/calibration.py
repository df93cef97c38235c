"""What a gate has learned of itself: a small TOML file that `stockbeat gates learn` writes and `[[gates]]` names."""

import hashlib
import tomllib
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field, ValidationError

from edge.aggregator.gate import Side
from edge.aggregator.model import CERTAIN, WEIGHTS, Antenna, Factor, Model
from edge.errors import ConfigError
from edge.problems import NAME, what, where
from edge.section import Section

Finite = Annotated[float, Field(allow_inf_nan=False)]


class AntennaSection(Section):
    side: Side
    base: Finite = Field(ge=-5, le=10)
    per_db: Finite = Field(ge=0, le=5)


class OddsSection(Section):
    moving: Finite = Field(ge=-10, le=10)
    rest_db: Finite = Field(ge=0.05, le=10)
    own: Finite = Field(ge=0, le=2)
    load: Finite = Field(ge=0, le=20)


class ConfidenceSection(Section):
    scale: Finite = Field(gt=0, le=2)
    shift: Finite = Field(ge=-10, le=10)
    most: Finite = Field(gt=0.5, le=CERTAIN)


class LearnedSection(Section):
    """How it came about, for people; nothing is decided by it."""

    at: datetime
    recordings: int = Field(ge=0)
    tags_in: int = Field(ge=0)
    tags_out: int = Field(ge=0)
    tags_none: int = Field(ge=0)
    right_percent: Finite = Field(ge=0, le=100)
    right_percent_before: Finite = Field(ge=0, le=100)
    remark: str = ""


class Calibration(Section):
    version: Literal[1]
    gate: str = Field(pattern=NAME)
    learned: LearnedSection
    antennas: dict[Annotated[int, Field(ge=1, le=65_535)], AntennaSection] = Field({})
    weights: dict[Factor, Annotated[Finite, Field(ge=0, le=10)]]
    odds: OddsSection
    confidence: ConfidenceSection


@dataclass(frozen=True, slots=True)
class Calibrated:
    """A calibration, where it came from, and the SHA-256 of the file's bytes."""

    path: Path
    digest: str
    values: Calibration

    def misfit(self, gate: str, antennas: dict[int, Side]) -> str | None:
        """Why it is not for this gate, in words."""
        if self.values.gate != gate:
            return (
                f"{self.path} was learned at gate {self.values.gate!r}, not at {gate!r}; learn this one too"
            )
        for number, found in self.values.antennas.items():
            if number not in antennas:
                there = ", ".join(map(str, antennas))
                return f"{self.path} knows antenna {number}, which is not among this gate's: {there}; learn it anew"
            if found.side is not antennas[number]:
                return (
                    f"{self.path} was learned while antenna {number} looked {found.side}, not {antennas[number]}; "
                    "learn it anew"
                )
        return None

    def model(self) -> Model:
        values = self.values
        return Model(
            antennas={number: Antenna(each.base, each.per_db) for number, each in values.antennas.items()},
            weights=dict(WEIGHTS) | values.weights,
            moving=values.odds.moving,
            rest_db=values.odds.rest_db,
            own=values.odds.own,
            load=values.odds.load,
            scale=values.confidence.scale,
            shift=values.confidence.shift,
            certain=values.confidence.most,
        )


def load(path: Path) -> Calibrated:
    """Read and check a calibration.

    Raises:
        ConfigError: naming the file and, a line each, every value that is wrong and what would be right.
    """
    try:
        content = path.read_bytes()
    except OSError as error:
        raise ConfigError(f"{path}: {error.strerror or error}; `stockbeat gates learn` writes it") from error
    try:
        written = tomllib.loads(content.decode("utf-8"))
    except (UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise ConfigError(f"{path}: {error}") from error
    try:
        values = Calibration.model_validate(written)
    except ValidationError as error:
        problems = [f"{where(each['loc'], written)}: {what(each)}" for each in error.errors()]
        raise ConfigError("\n".join([f"{path}:", *(f"    {problem}" for problem in problems)])) from None
    return Calibrated(path, hashlib.sha256(content).hexdigest(), values)
