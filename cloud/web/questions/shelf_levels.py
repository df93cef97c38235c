"""What stands on the shelves, against capacity and thresholds, and how is it known?"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import groupby
from typing import Any

from sqlalchemy import Connection, and_, select

from cloud.alerts.rulebook import active
from cloud.ledger import tables as t
from cloud.rules.rule import Test

MEASURE = "bay_units"  # the measure whose limits are marks on a bay's bar
OK, PENDING, FIRING = URGENCY = ("ok", "pending", "firing")  # of a rule at one place


@dataclass(frozen=True, slots=True)
class Threshold:
    """What one rule says of one item in one bay; limit and clear in whole units."""

    rule: str
    limit: float
    clear: float
    state: str


@dataclass(frozen=True, slots=True)
class Proof:
    """When a figure was last physically proven, and how: weighed, or the kind of movement that said so."""

    at: datetime
    how: str


@dataclass(frozen=True, slots=True)
class Stand:
    """One item in one bay. `on_hand` is in base units times 10^scale, `capacity` in whole units."""

    gtin: str
    item: str
    uom: str
    scale: int
    on_hand: int
    capacity: int
    threshold: Threshold | None
    proof: Proof | None
    facings: int | None
    fill: str  # as its edge says: full, ok, low, out, unknown; empty where it never said
    weighed: int | None  # units by weight, where the bay is meant for several kinds

    @property
    def fraction(self) -> float:
        """How full it is, by what the ledger has there."""
        return max(self.units / self.capacity, 0.0)

    @property
    def units(self) -> float:
        return self.on_hand / float(10**self.scale)

    @property
    def below_zero(self) -> bool:
        """More was taken than the ledger knew of."""
        return self.on_hand < 0

    @property
    def state(self) -> str:
        return OK if self.threshold is None else self.threshold.state


@dataclass(frozen=True, slots=True)
class Weight:
    """What the bay weighs now, from telemetry. `differs`: at rest, it says other units than the ledger."""

    grams: float
    units: int | None
    stable: bool
    differs: bool
    at: datetime


@dataclass(frozen=True, slots=True)
class Condition:
    """How the bay counts, as its edge says: ok, uncertain, service, needs_check, blind; `until` service ends."""

    state: str
    reason: str
    until: datetime | None
    at: datetime


@dataclass(frozen=True, slots=True)
class Bay:
    location_id: int
    place: str
    bay: str
    uncertain: str  # why its last change could not be told; empty when it could
    condition: Condition | None
    weight: Weight | None
    stands: tuple[Stand, ...]

    @property
    def state(self) -> str:
        """The most urgent of its items'."""
        return max((stand.state for stand in self.stands), key=URGENCY.index, default=OK)


@dataclass(frozen=True, slots=True)
class Shelf:
    edge: str
    shelf: str
    down: str | None  # why its scale cannot be read now
    bays: tuple[Bay, ...]


def shelf_levels(connection: Connection, site_id: int) -> list[Shelf]:
    """Every bay of a site with what it should hold, by shelf and bay."""
    thresholds = _thresholds(connection, site_id)
    rows = connection.execute(_STANDS.where(t.edges.c.site_id == site_id))
    return [
        Shelf(edge, shelf, next(iter(down)), tuple(_bays(of_shelf, thresholds)))
        for (edge, shelf), of_shelf, down in _by_shelf(rows)
    ]


_Places = Mapping[tuple[int, int], Threshold]


def _by_shelf(rows: Any) -> Iterator[tuple[tuple[str, str], list[Any], set[str | None]]]:
    for key, group in groupby(rows, key=lambda row: (row.edge, row.shelf)):
        of_shelf = list(group)
        yield key, of_shelf, {row.detail if row.device_state == "down" else None for row in of_shelf}


def _bays(rows: Sequence[Any], thresholds: _Places) -> Iterator[Bay]:
    for location_id, group in groupby(rows, key=lambda row: row.location_id):
        of_bay = list(group)
        first = of_bay[0]
        stands = tuple(_stand(row, thresholds, len(of_bay) > 1) for row in of_bay if row.item_id is not None)
        yield Bay(
            location_id, first.place, first.bay, first.uncertain or "", _condition(first), _weight(first, stands),
            stands,
        )  # fmt: skip


def _condition(row: Any) -> Condition | None:
    if row.condition is None:
        return None
    return Condition(row.condition, row.condition_reason, row.condition_until, row.condition_at)


def _weight(row: Any, stands: Sequence[Stand]) -> Weight | None:
    if row.grams is None:
        return None
    # The weight of several kinds of goods is no count of any one of them: of that, each item says its own.
    told = row.weighed_units if len(stands) == 1 else None
    units = [(told, stands[0])] if len(stands) == 1 else [(stand.weighed, stand) for stand in stands]
    differs = row.stable and any(n is not None and n != stand.units for n, stand in units)
    return Weight(row.grams, told, row.stable, differs, row.weighed_at)


def _stand(row: Any, thresholds: _Places, several: bool) -> Stand:
    return Stand(
        gtin=row.gtin,
        item=row.item,
        uom=row.uom,
        scale=row.scale,
        on_hand=row.on_hand or 0,
        capacity=row.capacity,
        threshold=thresholds.get((row.item_id, row.location_id)),
        proof=_proof(row, row.item_units if several else row.weighed_units),
        facings=row.facings,
        fill=row.fill or "",
        weighed=row.item_units if several else None,
    )


def _proof(row: Any, weighed: int | None) -> Proof | None:
    """A weight at rest that agrees with the figure proves it anew; otherwise the newest movement did."""
    agrees = row.stable and weighed is not None and not row.uncertain
    if agrees and weighed is not None and weighed * 10**row.scale == (row.on_hand or 0):
        return Proof(row.weighed_at, "weighed")
    return None if row.kind is None else Proof(row.moved_at, row.kind)


def _thresholds(connection: Connection, site_id: int) -> dict[tuple[int, int], Threshold]:
    """For each item and place the rule nearest to trouble."""
    judging = [rule for rule in active(connection) if rule.measure == MEASURE and rule.test is Test.BELOW]
    if not judging:
        return {}
    states = {
        (row.rule, row.item_id, row.location_id): row.state
        for row in connection.execute(_STATES.where(t.edges.c.site_id == site_id))
    }
    found: dict[tuple[int, int], Threshold] = {}
    for row in connection.execute(_WATCHABLE.where(t.edges.c.site_id == site_id)):
        key = (row.item_id, row.location_id)
        told = [
            Threshold(rule.name, rule.limit, rule.clear, states.get((rule.name, *key), OK))
            for rule in judging
            if rule.watches(site=row.site, place=row.place, item=row.gtin)
        ]
        if told:
            found[key] = max(told, key=_urgency)
    return found


def _urgency(threshold: Threshold) -> tuple[int, float]:
    return (URGENCY.index(threshold.state), threshold.limit)


_STANDS = (
    select(
        t.bays.c.edge,
        t.bays.c.shelf,
        t.bays.c.bay,
        t.bays.c.location_id,
        t.locations.c.name.label("place"),
        t.bay_items.c.item_id,
        t.bay_items.c.capacity,
        t.bay_items.c.facings,
        t.bay_fills.c.state.label("fill"),
        t.item_levels.c.units.label("item_units"),
        t.items.c.gtin,
        t.items.c.name.label("item"),
        t.items.c.uom,
        t.items.c.scale,
        t.balances.c.quantity.label("on_hand"),
        t.movements.c.kind,
        t.movements.c.event_at.label("moved_at"),
        t.levels.c.grams,
        t.levels.c.units.label("weighed_units"),
        t.levels.c.stable,
        t.levels.c.uncertain,
        t.levels.c.at.label("weighed_at"),
        t.bay_states.c.state.label("condition"),
        t.bay_states.c.reason.label("condition_reason"),
        t.bay_states.c.until.label("condition_until"),
        t.bay_states.c.at.label("condition_at"),
        t.devices.c.state.label("device_state"),
        t.devices.c.detail,
    )
    .join_from(t.bays, t.edges, t.edges.c.edge == t.bays.c.edge)
    .join(t.locations, t.locations.c.id == t.bays.c.location_id)
    .outerjoin(t.bay_items, t.bay_items.c.location_id == t.bays.c.location_id)
    .outerjoin(t.items, t.items.c.id == t.bay_items.c.item_id)
    .outerjoin(
        t.bay_fills,
        and_(t.bay_fills.c.location_id == t.bays.c.location_id, t.bay_fills.c.gtin == t.items.c.gtin),
    )
    .outerjoin(
        t.item_levels,
        and_(t.item_levels.c.location_id == t.bays.c.location_id, t.item_levels.c.gtin == t.items.c.gtin),
    )
    .outerjoin(
        t.balances,
        and_(
            t.balances.c.item_id == t.bay_items.c.item_id,
            t.balances.c.location_id == t.bay_items.c.location_id,
        ),
    )
    .outerjoin(
        t.movements,
        and_(
            t.movements.c.site_id == t.edges.c.site_id,
            t.movements.c.position == t.balances.c.position,
        ),
    )
    .outerjoin(t.levels, t.levels.c.location_id == t.bays.c.location_id)
    .outerjoin(t.bay_states, t.bay_states.c.location_id == t.bays.c.location_id)
    .outerjoin(t.devices, and_(t.devices.c.edge == t.bays.c.edge, t.devices.c.device == t.bays.c.shelf))
    .order_by(t.bays.c.edge, t.bays.c.shelf, t.bays.c.bay, t.items.c.name)
)

_WATCHABLE = (
    select(
        t.bay_items.c.item_id,
        t.bay_items.c.location_id,
        t.sites.c.name.label("site"),
        t.locations.c.name.label("place"),
        t.items.c.gtin,
    )
    .join_from(t.bay_items, t.bays, t.bays.c.location_id == t.bay_items.c.location_id)
    .join(t.edges, t.edges.c.edge == t.bays.c.edge)
    .join(t.sites, t.sites.c.id == t.edges.c.site_id)
    .join(t.locations, t.locations.c.id == t.bays.c.location_id)
    .join(t.items, t.items.c.id == t.bay_items.c.item_id)
)
_STATES = (
    select(t.rule_states.c.rule, t.rule_states.c.item_id, t.rule_states.c.location_id, t.rule_states.c.state)
    .join(t.bays, t.bays.c.location_id == t.rule_states.c.location_id)
    .join(t.edges, t.edges.c.edge == t.bays.c.edge)
)
