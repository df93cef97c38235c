"""The HTTP API, version 1: typed answers, described at /api/v1/openapi.json. Lists go on behind a cursor."""

from collections.abc import Callable
from datetime import datetime
from typing import Annotated, Literal

from fastapi import APIRouter, Depends, HTTPException, Path, Query, Request

from cloud.alerts.acknowledge import acknowledge
from cloud.ledger.database import Database
from cloud.web.answers import (
    TEXT,
    Acknowledgement,
    Alerts,
    Balances,
    Health,
    Incidents,
    Loads,
    Movements,
    ShelfEvents,
    Shelves,
    SiteHealth,
    Tasks,
)
from cloud.web.guard import this_machine_only
from cloud.web.questions.alert_list import Alert, alert_of_id, alerts_of
from cloud.web.questions.door_feed import door_feed
from cloud.web.questions.movement_log import movements_of
from cloud.web.questions.open_work import incidents_of, tasks_of
from cloud.web.questions.shelf_feed import shelf_feed
from cloud.web.questions.shelf_levels import shelf_levels
from cloud.web.questions.site_health import site_health
from cloud.web.questions.sites import Site, list_sites
from cloud.web.questions.stock import balances_of
from cloud.web.site_choice import SiteName, choose

MAX_ID = 2**63 - 1  # what a BIGINT holds
MAX_LIST = 1000  # rows in one answer

After = Annotated[int, Query(ge=0, le=MAX_ID, description="the last one already seen")]
Limit = Annotated[int, Query(ge=1, le=MAX_LIST)]
State = Literal["open", "closed", "all"]
AlertState = Literal["open", "cleared", "all"]


def _database(request: Request) -> Database:
    database: Database = request.app.state.database
    return database


def _now(request: Request) -> datetime:
    now: Callable[[], datetime] = request.app.state.now
    return now()


Ledger = Annotated[Database, Depends(_database)]
Now = Annotated[datetime, Depends(_now)]

router = APIRouter(prefix="/api/v1")


@router.get("/sites")
def sites(database: Ledger) -> list[Site]:
    with database.read() as connection:
        return list_sites(connection)


@router.get("/balances")
def balances(
    database: Ledger,
    site: SiteName = None,
    location: Annotated[str | None, Query(max_length=40, pattern=TEXT)] = None,
    gtin: Annotated[str | None, Query(pattern=r"^[0-9]{14}$")] = None,
) -> Balances:
    """How much of each item is where; the outside included, so that each item sums to zero."""
    with database.read() as connection:
        chosen = choose(connection, site)
        found = balances_of(connection, chosen.id, location=location, gtin=gtin)
    return Balances(chosen.name, chosen.head, found)


@router.get("/movements")
def movements(database: Ledger, site: SiteName = None, after: After = 0, limit: Limit = 100) -> Movements:
    """What was booked, in order of position."""
    with database.read() as connection:
        chosen = choose(connection, site)
        found = movements_of(connection, chosen.id, after=after, limit=limit)
    return Movements(chosen.name, chosen.head, found[-1].position if found else after, found)


@router.get("/shelves")
def shelves(database: Ledger, site: SiteName = None) -> Shelves:
    """Every bay with what stands there, its thresholds, and how that is known."""
    with database.read() as connection:
        chosen = choose(connection, site)
        return Shelves(chosen.name, chosen.head, shelf_levels(connection, chosen.id))


@router.get("/shelf-events")
def shelf_events(
    database: Ledger, site: SiteName = None, limit: Annotated[int, Query(ge=1, le=100)] = 12
) -> ShelfEvents:
    """Bays that ran out, got low or were filled, newest first."""
    with database.read() as connection:
        chosen = choose(connection, site)
        return ShelfEvents(chosen.name, shelf_feed(connection, chosen.id, limit))


@router.get("/loads")
def loads(database: Ledger, site: SiteName = None, limit: Annotated[int, Query(ge=1, le=100)] = 12) -> Loads:
    """What went through the dock doors lately, newest first."""
    with database.read() as connection:
        chosen = choose(connection, site)
        return Loads(chosen.name, door_feed(connection, chosen.id, limit))


@router.get("/alerts")
def alerts(
    database: Ledger, site: SiteName = None, state: AlertState = "open", after: After = 0, limit: Limit = 100
) -> Alerts:
    """In order of id."""
    with database.read() as connection:
        chosen = choose(connection, site)
        found = alerts_of(connection, chosen.id, state, after=after, limit=limit)
    return Alerts(chosen.name, found[-1].id if found else after, found)


@router.post("/alerts/{alert_id}/acknowledge", dependencies=[Depends(this_machine_only)])
def acknowledge_alert(
    database: Ledger,
    now: Now,
    alert_id: Annotated[int, Path(ge=1, le=MAX_ID)],
    acknowledgement: Acknowledgement | None = None,
) -> Alert:
    """Say that an alert is seen and being dealt with. The first to say so stands."""
    by = (acknowledgement or Acknowledgement()).by
    with database.write() as connection:
        acknowledge(connection, alert_id, by, now)
        found = alert_of_id(connection, alert_id)
    if found is None:
        raise HTTPException(404, f"there is no alert {alert_id}")
    return found


@router.get("/tasks")
def tasks(
    database: Ledger, site: SiteName = None, state: State = "open", after: After = 0, limit: Limit = 100
) -> Tasks:
    """What a person has to decide or do, in order of id."""
    with database.read() as connection:
        chosen = choose(connection, site)
        found = tasks_of(connection, chosen.id, state, after=after, limit=limit)
    return Tasks(chosen.name, found[-1].id if found else after, found)


@router.get("/incidents")
def incidents(
    database: Ledger, site: SiteName = None, state: State = "open", after: After = 0, limit: Limit = 100
) -> Incidents:
    """What went wrong, in order of id; with what concerns edges that nobody enrolled."""
    with database.read() as connection:
        chosen = choose(connection, site)
        found = incidents_of(connection, chosen.id, state, after=after, limit=limit)
    return Incidents(chosen.name, found[-1].id if found else after, found)


@router.get("/health", responses={503: {"description": "the ledger cannot be read"}})
def health(database: Ledger, now: Now, site: SiteName = None) -> Health:
    """Whether the ledger answers, and how the edges are; without `site`, of all sites."""
    with database.read() as connection:
        asked = [choose(connection, site)] if site is not None else list_sites(connection)
        found = [SiteHealth(one.name, one.head, site_health(connection, one.id)) for one in asked]
    well = all(edge.well for one in found for edge in one.edges)
    return Health("ok" if well else "degraded", now, found)
