"""The planogram over HTTP: its page, what a person changes in it, and its file."""

from collections.abc import Callable
from datetime import datetime
from typing import Annotated, Any
from zoneinfo import ZoneInfo

from fastapi import APIRouter, Body, Depends, HTTPException, Path, Query, Request
from fastapi.responses import HTMLResponse, PlainTextResponse
from pydantic import BaseModel, ConfigDict, Field

from cloud.ledger.database import Database
from cloud.planogram import files, store
from cloud.planogram.plan import MOST_ITEMS, PlanogramError, read_stands
from cloud.web.answers import TEXT
from cloud.web.guard import may_write, this_machine_only
from cloud.web.pages import NOT_STORED
from cloud.web.questions.bay import goods
from cloud.web.questions.plan import Changed, PlannedBay, history_of, plan_of_site
from cloud.web.questions.sites import list_sites
from cloud.web.render import Renderer
from cloud.web.site_choice import SiteName, choose

MAX_ID = 2**31 - 1
KINDS = {"csv": "text/csv; charset=utf-8", "toml": "application/toml; charset=utf-8"}

LocationId = Annotated[int, Path(ge=1, le=MAX_ID, description="`location_id` of /api/v1/shelves")]
By = Annotated[str, Query(min_length=1, max_length=80, pattern=TEXT)]
WRITES = [Depends(this_machine_only)]


class PlanChange(BaseModel):
    """What stands there from now on; `items` as in a planogram's file: gtin, capacity, facings, low and so on."""

    model_config = ConfigDict(extra="forbid")

    by: str = Field(default="console", min_length=1, max_length=80, pattern=TEXT)
    items: list[dict[str, Any]] = Field(max_length=MOST_ITEMS)


class Planogram(BaseModel):
    site: str
    bays: list[PlannedBay]


class Imported(BaseModel):
    bays: int
    changed: int


def planning_router(database: Database, renderer: Renderer, now: Callable[[], datetime]) -> APIRouter:
    router = APIRouter()
    api = APIRouter(prefix="/api/v1")

    @router.get("/planogram", include_in_schema=False)
    def page(request: Request, site: SiteName = None) -> HTMLResponse:
        with database.read() as connection:
            chosen = choose(connection, site)
            html = renderer.view(
                "planogram.html", ZoneInfo(chosen.time_zone), now(), site=chosen, may_write=may_write(request),
                site_names=[each.name for each in list_sites(connection)], goods=goods(connection),
                bays=plan_of_site(connection, chosen.id), most=MOST_ITEMS,
            )  # fmt: skip
        return HTMLResponse(html, headers=NOT_STORED)

    @api.get("/planogram")
    def planogram(site: SiteName = None) -> Planogram:
        """What every bay is meant to hold, and whether its edge has that."""
        with database.read() as connection:
            chosen = choose(connection, site)
            return Planogram(site=chosen.name, bays=plan_of_site(connection, chosen.id))

    @api.get("/planogram.{kind}", response_class=PlainTextResponse)
    def exported(
        kind: Annotated[str, Path(pattern="^(csv|toml)$")], site: SiteName = None
    ) -> PlainTextResponse:
        """As a file, which POST takes as it is."""
        with database.read() as connection:
            chosen = choose(connection, site)
            bays = [(bay.name, bay.plan) for bay in store.known(connection, chosen.id)]
        text = files.to_toml(bays) if kind == "toml" else files.to_csv(bays)
        name = f"planogram-{chosen.name}.{kind}"
        headers = NOT_STORED | {"Content-Disposition": f'attachment; filename="{name}"'}
        return PlainTextResponse(text, headers=headers, media_type=KINDS[kind])

    @api.post("/planogram.{kind}", dependencies=WRITES)
    def imported(
        kind: Annotated[str, Path(pattern="^(csv|toml)$")],
        text: Annotated[str, Body(media_type="text/plain", max_length=files.MOST_BYTES)],
        by: By = "console",
        name: Annotated[str, Query(max_length=100, pattern=TEXT)] = "",
    ) -> Imported:
        """Make a file the plan of the bays that it names; others stay as they are. All of it, or nothing."""
        shown = name or f"planogram.{kind}"
        try:
            written = files.draft(text.removeprefix("\ufeff"), shown, kind)
            with database.write() as connection:
                wanted = store.resolve(connection, written)
                author = store.Author(by=by, source=shown, at=now())
                changed = store.change(connection, wanted, author)
        except PlanogramError as error:
            raise HTTPException(422, str(error)) from error
        return Imported(bays=len(wanted), changed=len(changed))

    @api.put("/bays/{location_id}/plan", dependencies=WRITES)
    def change(location_id: LocationId, wanted: PlanChange) -> PlannedBay:
        """What one bay is meant to hold from now on. Its edge is told as soon as it is connected."""
        try:
            plan = read_stands(wanted.items)
            with database.write() as connection:
                bay = _bay(connection, location_id)
                author = store.Author(by=wanted.by, source="console", at=now())
                store.change(connection, {location_id: plan}, author)
                return next(
                    each for each in plan_of_site(connection, bay.site_id) if each.location_id == location_id
                )
        except PlanogramError as error:
            raise HTTPException(422, str(error)) from error

    @api.get("/bays/{location_id}/plan/history")
    def history(location_id: LocationId) -> list[Changed]:
        """Who changed what, the newest first."""
        with database.read() as connection:
            _bay(connection, location_id)
            return history_of(connection, location_id)

    router.include_router(api)
    return router


def _bay(connection: Any, location_id: int) -> store.Known:
    bay = next((bay for bay in store.known(connection) if bay.location_id == location_id), None)
    if bay is None:
        raise HTTPException(404, f"there is no bay {location_id}; /api/v1/shelves lists them")
    return bay
