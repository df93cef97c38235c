"""What a rule can watch: a table. A new measure is a row here and its source in cloud/alerts/watch.py."""

from dataclasses import dataclass
from enum import StrEnum


class Source(StrEnum):
    """Where a measure is read."""

    BAY_BALANCE = "bay_balance"  # the ledger's balance of an item that a bay is meant to hold


@dataclass(frozen=True, slots=True, kw_only=True)
class Measure:
    name: str
    unit: str
    source: Source
    says: str


MEASURES = {
    measure.name: measure
    for measure in (
        Measure(
            name="bay_units",
            unit="units",
            source=Source.BAY_BALANCE,
            says="how many of an item the ledger has in a bay that is meant to hold it",
        ),
    )
}
