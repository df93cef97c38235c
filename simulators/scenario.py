"""A scenario: which devices stand where, what is on the shelves, and how busy the place is.

Read from TOML and checked whole; `simulators/scenarios/store.toml` shows every key.
"""

import tomllib
from pathlib import Path
from typing import Annotated

import msgspec

from simulators.errors import ScenarioError

Positive = Annotated[float, msgspec.Meta(gt=0)]
Gtin = Annotated[str, msgspec.Meta(pattern=r"^[0-9]{14}$")]


class _Part(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A table of the file. An unknown key is an error: it is a misspelt one."""


class GateSite(_Part, frozen=True, kw_only=True):
    name: str
    outside: tuple[int, ...]  # antenna numbers of the reader, by side
    inside: tuple[int, ...]
    strays_outside: int = 0
    strays_inside: int = 0
    broker: str = ""  # mqtt://host:port, of a reader that publishes
    driver: str = "llrp"  # what its reader speaks: a row of simulators.gates

    @property
    def antennas(self) -> tuple[int, ...]:
        return self.outside + self.inside


class Cargo(_Part, frozen=True, kw_only=True):
    gtin: Gtin
    company_prefix: str
    filter: Annotated[int, msgspec.Meta(ge=0, le=7)]


class Pallet(_Part, frozen=True, kw_only=True):
    company_prefix: str
    extension: Annotated[int, msgspec.Meta(ge=0, le=9)]


class Docks(_Part, frozen=True, kw_only=True):
    least_tags: Annotated[int, msgspec.Meta(ge=2)]  # of a load, its pallet's tag included
    most_tags: int
    gap_s: Positive
    cargo: Annotated[tuple[Cargo, ...], msgspec.Meta(min_length=1)]
    pallet: Pallet


class Shop(_Part, frozen=True, kw_only=True):
    low: int
    clear: int
    low_for_s: Positive
    rest_s: Positive
    gap_s: Positive
    most_per_go: int


class Item(_Part, frozen=True, kw_only=True):
    gtin: Gtin
    unit_grams: Positive
    unit_cv: Annotated[float, msgspec.Meta(ge=0, le=0.2)]
    opening: int
    backroom: int
    most: int | None = None  # of this item in the bay; without it, what the bay holds


class Shelf(_Part, frozen=True, kw_only=True):
    name: str
    bay: str
    capacity: int
    max_grams: Positive
    tray_grams: float = 0.0
    items: Annotated[tuple[Item, ...], msgspec.Meta(min_length=1)]

    def most(self, item: Item) -> int:
        return self.capacity if item.most is None else item.most


class Scenario(_Part, frozen=True, kw_only=True):
    name: str
    gates: tuple[GateSite, ...]
    docks: Docks
    shop: Shop
    shelves: tuple[Shelf, ...]

    @property
    def devices(self) -> list[str]:
        return [gate.name for gate in self.gates] + [shelf.name for shelf in self.shelves]


def load(path: Path) -> Scenario:
    """Read and check a scenario.

    Raises:
        ScenarioError: the file cannot be read, or a key is missing, unknown or wrong; it is named.
    """
    try:
        scenario = msgspec.convert(tomllib.loads(path.read_text()), Scenario)
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError, msgspec.ValidationError) as error:
        raise ScenarioError(f"{path}: {error}") from error
    for shelf in scenario.shelves:
        if (opening := sum(item.opening for item in shelf.items)) > shelf.capacity:
            raise ScenarioError(f"{path}: {shelf.bay} opens with {opening} units but holds {shelf.capacity}")
    names = scenario.devices
    if len(set(names)) != len(names):
        raise ScenarioError(f"{path}: two devices share a name, of {', '.join(sorted(names))}")
    return scenario
