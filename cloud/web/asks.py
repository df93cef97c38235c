"""Asking edges for things over HTTP: each answer names a command, whose state then tells what became of it."""

from collections.abc import Callable
from datetime import datetime
from typing import Annotated, Any

from fastapi import APIRouter, Body, Depends, HTTPException, Path, Query, Request
from pydantic import BaseModel, ConfigDict, Field
from sqlalchemy import Connection

from cloud.commands.ask import EXPIRES_S, AskError, ask
from cloud.ledger.database import Database
from cloud.planogram.plan import MOST_CV, Stand
from cloud.planogram.store import plan_of
from cloud.web.answers import TEXT
from cloud.web.guard import this_machine_only
from cloud.web.questions.bay import Where, goods, where_is
from cloud.web.questions.command_log import Asked, command_of_id, commands_of
from cloud.web.site_choice import SiteName, choose
from wire.commands import (
    MAX_SERVICE_S,
    MIN_SERVICE_S,
    Assign,
    AssignedItem,
    Calibrate,
    Confirm,
    ItemCount,
    Order,
    ReadLevels,
    Reload,
    ServiceBegin,
    ServiceEnd,
    Step,
    Zero,
)

MAX_ID = 2**31 - 1
PATIENT_S = 120  # a step of calibrating waits for the plate to come to rest

LocationId = Annotated[int, Path(ge=1, le=MAX_ID, description="`location_id` of /api/v1/shelves")]
Name = Annotated[str, Path(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]{0,39}$")]
Gtin = Annotated[str, Field(pattern=r"^[0-9]{14}$")]
Units = Annotated[int, Field(ge=0, le=1_000_000)]
Grams = Annotated[float, Field(ge=0, le=1e6, allow_inf_nan=False)]


class _Ask(BaseModel):
    model_config = ConfigDict(extra="forbid")

    by: str = Field(default="console", min_length=1, max_length=80, pattern=TEXT)


class PlainAsk(_Ask):
    pass


class ServiceAsk(_Ask):
    minutes: float = Field(default=30, ge=MIN_SERVICE_S / 60, le=MAX_SERVICE_S / 60, allow_inf_nan=False)
    reason: str = Field(default="", max_length=200, pattern=TEXT)


class Counted(BaseModel):
    model_config = ConfigDict(extra="forbid")

    gtin: Gtin
    units: Units


class ConfirmAsk(_Ask):
    counts: list[Counted] = Field(min_length=1, max_length=8)


class Stands(BaseModel):
    """What is left out of weights is as planned for the bay, or as the item's master data says.

    `capacity`, `facings` and `low` are of this item alone, where the bay holds several.
    """

    model_config = ConfigDict(extra="forbid")

    gtin: Gtin
    unit_grams: Annotated[float, Field(gt=0, le=1e6)] | None = None
    unit_tare_grams: Grams | None = None
    unit_cv: Annotated[float, Field(ge=0, le=MOST_CV)] | None = None
    capacity: Annotated[int, Field(ge=1, le=1_000_000)] | None = None
    facings: Annotated[int, Field(ge=1, le=10_000)] | None = None
    low: Units | None = None


class AssignAsk(_Ask):
    items: list[Stands] = Field(max_length=8)
    capacity: Annotated[int, Field(ge=1, le=1_000_000)] | None = None
    facings: Annotated[int, Field(ge=1, le=10_000)] | None = None
    low: Units | None = None
    tare_grams: Grams | None = None


class CalibrateAsk(_Ask):
    step: Step
    cell: Annotated[int, Field(ge=0, le=65_535)] | None = None
    mass_grams: Annotated[float, Field(gt=0, le=1e6)] | None = None


class Commands(BaseModel):
    site: str
    commands: list[Asked]


class _Desk:
    """What every way of asking needs: the ledger and the time."""

    def __init__(self, request: Request) -> None:
        self.database: Database = request.app.state.database
        now: Callable[[], datetime] = request.app.state.now
        self.now = now()

    def bay(self, location_id: int, make: Callable[[Connection, Where], Order], by: str) -> Asked:
        with self.database.write() as connection:
            where = where_is(connection, location_id)
            if where is None:
                raise HTTPException(404, f"there is no bay {location_id}; /api/v1/shelves lists them")
            return self._ask(connection, where.edge, make(connection, where), by)

    def edge(self, edge: str, order: Order, by: str, expires_s: int = EXPIRES_S) -> Asked:
        with self.database.write() as connection:
            return self._ask(connection, edge, order, by, expires_s)

    def _ask(
        self, connection: Connection, edge: str, order: Order, by: str, expires_s: int = EXPIRES_S
    ) -> Asked:
        try:
            asked = ask(connection, edge, order, by=by, now=self.now, expires_s=expires_s)
        except AskError as error:
            raise HTTPException(422, str(error)) from error
        found = command_of_id(connection, asked.id)
        assert found is not None
        return found


Desk = Annotated[_Desk, Depends()]
Plain = Annotated[PlainAsk | None, Body()]

router = APIRouter(prefix="/api/v1")
_WRITES: dict[str, Any] = {"status_code": 202, "dependencies": [Depends(this_machine_only)]}


def _by(asked: _Ask | None) -> str:
    return (asked or PlainAsk()).by


@router.post("/bays/{location_id}/service", **_WRITES)
def service_begin(desk: Desk, location_id: LocationId, asked: ServiceAsk | None = None) -> Asked:
    """Somebody works at the bay: nothing is booked until service is ended, or its time is over."""
    wanted = asked or ServiceAsk()
    seconds = round(60 * wanted.minutes)
    return desk.bay(
        location_id,
        lambda _, at: ServiceBegin(shelf=at.shelf, bay=at.bay, timeout_s=seconds, reason=wanted.reason),
        wanted.by,
    )


@router.post("/bays/{location_id}/service/end", **_WRITES)
def service_end(desk: Desk, location_id: LocationId, asked: Plain = None) -> Asked:
    """The work is done: the bay is weighed anew, and goes on from there."""
    return desk.bay(location_id, lambda _, at: ServiceEnd(shelf=at.shelf, bay=at.bay), _by(asked))


@router.post("/bays/{location_id}/zero", **_WRITES)
def zero(desk: Desk, location_id: LocationId, asked: Plain = None) -> Asked:
    """The bay is empty now, but for its trays and fixtures: what it weighs is its tare."""
    return desk.bay(location_id, lambda _, at: Zero(shelf=at.shelf, bay=at.bay), _by(asked))


@router.post("/bays/{location_id}/levels", **_WRITES)
def read_levels(desk: Desk, location_id: LocationId, asked: Plain = None) -> Asked:
    """What the scale of the bay's shelf says now."""
    return desk.bay(location_id, lambda _, at: ReadLevels(shelf=at.shelf), _by(asked))


@router.post("/bays/{location_id}/confirm", **_WRITES)
def confirm(desk: Desk, location_id: LocationId, asked: ConfirmAsk) -> Asked:
    """A person says how many of each item stand there. Once the edge has it, the difference is booked."""
    counts = tuple(ItemCount(gtin=each.gtin, units=each.units) for each in asked.counts)
    return desk.bay(location_id, lambda _, at: Confirm(shelf=at.shelf, bay=at.bay, counts=counts), asked.by)


@router.post("/bays/{location_id}/assign", **_WRITES)
def assign(desk: Desk, location_id: LocationId, asked: AssignAsk) -> Asked:
    """What stands in the bay from now on. Once the edge has it, the ledger expects it there too."""

    def order(connection: Connection, at: Where) -> Order:
        return Assign(
            shelf=at.shelf, bay=at.bay, items=_weighed(connection, location_id, asked.items), capacity=asked.capacity,
            facings=asked.facings, low=asked.low, tare_grams=asked.tare_grams,
        )  # fmt: skip

    return desk.bay(location_id, order, asked.by)


def _weighed(connection: Connection, location_id: int, wanted: list[Stands]) -> tuple[AssignedItem, ...]:
    """With the weights of the bay's plan, or of the master data, where none were given."""
    planned = {stand.gtin: stand for stand in plan_of(connection, location_id)}
    known = {one.gtin: one for one in goods(connection)}
    found = []
    for each in wanted:
        item = known.get(each.gtin)
        if item is None:
            raise HTTPException(422, f"no item has the GTIN {each.gtin}: add it to items.csv and load it")
        was = planned.get(each.gtin, Stand(gtin=each.gtin, capacity=1))
        grams = each.unit_grams or was.unit_grams or item.unit_grams
        if grams is None:
            raise HTTPException(
                422,
                f"{item.name} ({each.gtin}) has no weight in the master data: say what one weighs, in grams",
            )
        tare = was.unit_tare_grams if each.unit_tare_grams is None else each.unit_tare_grams
        found.append(
            AssignedItem(
                gtin=each.gtin, unit_grams=grams, unit_cv=was.unit_cv if each.unit_cv is None else each.unit_cv,
                unit_tare_grams=tare or 0.0, capacity=each.capacity, facings=each.facings, low=each.low,
            )
        )  # fmt: skip
    return tuple(found)


@router.post("/edges/{edge}/shelves/{shelf}/calibrate", **_WRITES)
def calibrate(desk: Desk, edge: Name, shelf: Name, asked: CalibrateAsk) -> Asked:
    """One step of calibrating a shelf: zero, span, check, crosstalk; then keep or cancel."""
    order = Calibrate(shelf=shelf, step=asked.step, cell=asked.cell, mass_grams=asked.mass_grams)
    return desk.edge(edge, order, asked.by, PATIENT_S)


@router.post("/edges/{edge}/shelves/{shelf}/service", **_WRITES)
def shelf_service_begin(desk: Desk, edge: Name, shelf: Name, asked: ServiceAsk | None = None) -> Asked:
    """Somebody works at all of a shelf."""
    wanted = asked or ServiceAsk()
    order = ServiceBegin(shelf=shelf, timeout_s=round(60 * wanted.minutes), reason=wanted.reason)
    return desk.edge(edge, order, wanted.by)


@router.post("/edges/{edge}/shelves/{shelf}/service/end", **_WRITES)
def shelf_service_end(desk: Desk, edge: Name, shelf: Name, asked: Plain = None) -> Asked:
    return desk.edge(edge, ServiceEnd(shelf=shelf), _by(asked))


@router.post("/edges/{edge}/reload", **_WRITES)
def reload(desk: Desk, edge: Name, asked: Plain = None) -> Asked:
    """The agent checks its configuration file, and begins anew with it if it is right."""
    return desk.edge(edge, Reload(), _by(asked))


@router.get("/commands")
def commands(
    desk: Desk, site: SiteName = None, limit: Annotated[int, Query(ge=1, le=1000)] = 100
) -> Commands:
    """What was asked of a site's edges, the newest first."""
    with desk.database.read() as connection:
        chosen = choose(connection, site)
        return Commands(site=chosen.name, commands=commands_of(connection, chosen.id, limit=limit))


@router.get("/commands/{command}")
def command(desk: Desk, command: Annotated[str, Path(pattern=r"^[0-9a-f]{32}$")]) -> Asked:
    with desk.database.read() as connection:
        found = command_of_id(connection, command)
    if found is None:
        raise HTTPException(404, f"there is no command {command}")
    return found
