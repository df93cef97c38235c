"""What the HTTP API answers and takes, beyond the values that the questions return."""

from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

from cloud.web.questions.alert_list import Alert
from cloud.web.questions.door_feed import Load
from cloud.web.questions.movement_log import Movement
from cloud.web.questions.open_work import Matter
from cloud.web.questions.shelf_feed import Filled
from cloud.web.questions.shelf_levels import Shelf
from cloud.web.questions.site_health import Edge
from cloud.web.questions.stock import Balance

TEXT = r"^[^\x00-\x1f\x7f]*$"  # no control characters: PostgreSQL refuses NUL, and logs are lines


class Acknowledgement(BaseModel):
    model_config = ConfigDict(extra="forbid")

    by: str = Field(default="console", min_length=1, max_length=80, pattern=TEXT)


@dataclass(frozen=True, slots=True)
class Balances:
    """Of one site, as they were when its newest movement was `position`."""

    site: str
    position: int
    balances: list[Balance]


@dataclass(frozen=True, slots=True)
class Movements:
    """Ask again with `after` = `next`; `head` is the newest position there is."""

    site: str
    head: int
    next: int
    movements: list[Movement]


@dataclass(frozen=True, slots=True)
class Shelves:
    site: str
    position: int
    shelves: list[Shelf]


@dataclass(frozen=True, slots=True)
class ShelfEvents:
    site: str
    events: list[Filled]


@dataclass(frozen=True, slots=True)
class Loads:
    site: str
    loads: list[Load]


@dataclass(frozen=True, slots=True)
class Alerts:
    site: str
    next: int
    alerts: list[Alert]


@dataclass(frozen=True, slots=True)
class Tasks:
    site: str
    next: int
    tasks: list[Matter]


@dataclass(frozen=True, slots=True)
class Incidents:
    site: str
    next: int
    incidents: list[Matter]


@dataclass(frozen=True, slots=True)
class SiteHealth:
    site: str
    position: int
    edges: list[Edge]


@dataclass(frozen=True, slots=True)
class Health:
    """`degraded`: an edge is not online, a device is down, or an agent holds a fault or parked events."""

    status: Literal["ok", "degraded"]
    at: datetime
    sites: list[SiteHealth]
