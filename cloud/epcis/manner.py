"""How a company wants things told: under which ids, and what makes a tag a unit's child. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

from cloud.epcis.events import Ids
from wire.epc import decode


@dataclass(frozen=True, slots=True)
class Place:
    name: str
    biz_location: str | None


@dataclass(frozen=True, slots=True)
class Manner:
    """How things are told.

    Places are told under the ids that master data gives them, else as addresses below `base`. A tag is a unit's child
    where the unit is `declared` to hold it; also, of a unit of unknown contents, where both went through `together`
    and no other unit did.
    """

    base: str
    ids: Ids = "digital_link"
    aggregate: Literal["declared", "together"] = "declared"

    def read_point(self, crossing: Any) -> str:
        """Of a crossing's gate: a row with `read_point`, `site`, `edge` and `gate`."""
        return crossing.read_point or f"{self.base}/{crossing.site}/gates/{crossing.edge}/{crossing.gate}"

    def biz_location(self, crossing: Any, place: Place) -> str:
        """Of a place at a crossing's site: a row with `site_location` and `site`."""
        return (
            place.biz_location or crossing.site_location or f"{self.base}/{crossing.site}/places/{place.name}"
        )

    def only_unit(self, epcs: Sequence[tuple[str, bool]]) -> str | None:
        """The unit that all other tags of a passage are in; each EPC with whether its contents are declared."""
        units = [(epc, declared) for epc, declared in epcs if decode(epc).sscc is not None]
        if self.aggregate != "together" or len(units) != 1 or units[0][1]:
            return None
        return units[0][0]
