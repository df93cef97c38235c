"""One bay's plan, and what it may say. Pure."""

import hashlib
import json
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Annotated, Any

from pydantic import BeforeValidator, Field, ValidationError, ValidationInfo, field_validator

from cloud.errors import CloudError
from cloud.gtin import Gtin
from cloud.section import Section, problems

MOST_ITEMS = 8  # in one bay: what a command to an edge carries
MOST_UNITS = 1_000_000
MOST_CV = 0.5  # what an edge takes: single units that differ by more tell nothing about their number


class PlanogramError(CloudError):
    """Nothing of it was taken. A line for each thing that is wrong, naming where it is and what would be right."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Stand:
    """One item in one bay. `unit_grams` is absent where the item's own weight holds; `low` in units, exclusive."""

    gtin: str
    capacity: int
    facings: int | None = None
    low: int | None = None
    unit_grams: float | None = None
    unit_tare_grams: float | None = None  # of a tray or hanger that comes and goes with each unit
    unit_cv: float | None = (
        None  # how much single units differ: standard deviation over mean; absent, the edge's own
    )


Plan = tuple[Stand, ...]  # by GTIN; empty where nothing is meant to stand


def _blank(value: object) -> object:
    """Spreadsheets and forms leave a cell empty where there is nothing to say."""
    return None if isinstance(value, str) and not value.strip() else value


_Blank = BeforeValidator(_blank)


class StandRow(Section):
    """One item as files, forms and the API write it."""

    gtin: Gtin
    capacity: Annotated[int, Field(ge=1, le=MOST_UNITS)]
    facings: Annotated[Annotated[int, Field(ge=1, le=10_000)] | None, _Blank] = None
    low: Annotated[Annotated[int, Field(ge=0, le=MOST_UNITS)] | None, _Blank] = None
    unit_grams: Annotated[Annotated[float, Field(gt=0, le=1e6, allow_inf_nan=False)] | None, _Blank] = None
    unit_tare_grams: Annotated[Annotated[float, Field(ge=0, le=1e6, allow_inf_nan=False)] | None, _Blank] = (
        None
    )
    unit_cv: Annotated[Annotated[float, Field(ge=0, allow_inf_nan=False)] | None, _Blank] = None

    @field_validator("unit_cv")
    @classmethod
    def _a_share(cls, value: float | None) -> float | None:
        if value is not None and value > MOST_CV:
            raise ValueError(
                f"{value:g} is more than {MOST_CV}; it is a share of the unit's weight: "
                f"write {value / 100:g} for {value:g} %"
            )
        return value

    @field_validator("facings", "low")
    @classmethod
    def _within(cls, value: int | None, info: ValidationInfo) -> int | None:
        capacity = info.data.get("capacity")  # not there when it is wrong itself
        if value is not None and capacity is not None and value > capacity:
            raise ValueError(
                f"{value} is more than the {capacity} that fit; write a number up to the capacity"
            )
        return value

    @property
    def stand(self) -> Stand:
        return Stand(**self.model_dump())


def read_stands(rows: Iterable[Mapping[str, Any]]) -> Plan:
    """One bay's items as an API or a form gives them. Raises PlanogramError."""
    found: list[Stand] = []
    wrong: list[str] = []
    for number, row in enumerate(rows, start=1):
        try:
            found.append(StandRow.model_validate(row).stand)
        except ValidationError as error:
            wrong += [f"item {number}, {problem}" for problem in problems(error)]
    wrong += clashes(found)
    if wrong:
        raise PlanogramError("\n".join(wrong))
    return ordered(found)


def clashes(stands: Sequence[Stand]) -> list[str]:
    """What is wrong between the items of one bay."""
    wrong = [
        f"{gtin} stands there {count} times; name each item once"
        for gtin, count in Counter(stand.gtin for stand in stands).items()
        if count > 1
    ]
    if len(stands) > MOST_ITEMS:
        wrong.append(f"{len(stands)} items in one bay; at most {MOST_ITEMS} can be told apart")
    return wrong


def ordered(stands: Iterable[Stand]) -> Plan:
    return tuple(sorted(stands, key=lambda stand: stand.gtin))


def written(plan: Plan) -> list[dict[str, Any]]:
    """As the history keeps it: without what is not said."""
    return [{key: value for key, value in asdict(stand).items() if value is not None} for stand in plan]


def digest(plan: Plan, unit_grams: Mapping[str, float | None]) -> str:
    """Changes with anything that an edge is told; `unit_grams` are the items' own."""
    told: Any = [
        stand | {"unit_grams": stand.get("unit_grams", unit_grams.get(stand["gtin"]))}
        for stand in written(plan)
    ]
    if len(told) > 1:
        told = {"each": told}  # edges that were told of all kinds together are told again
    return hashlib.sha256(json.dumps(told, sort_keys=True).encode()).hexdigest()
