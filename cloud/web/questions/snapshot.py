"""Everything the page of one site shows, at one moment, from one view of the ledger. Each part is asked for once."""

from datetime import datetime, time, timedelta
from functools import cached_property
from zoneinfo import ZoneInfo

from sqlalchemy import Connection

from cloud.web.questions.alert_list import Alert, alerts_to_show
from cloud.web.questions.door_feed import Load, Traffic, door_feed, traffic_since
from cloud.web.questions.open_work import Pile, open_incidents, open_tasks
from cloud.web.questions.shelf_feed import Filled, shelf_feed
from cloud.web.questions.shelf_levels import FIRING, Shelf, shelf_levels
from cloud.web.questions.site_health import Device, Edge, site_health
from cloud.web.questions.sites import Site

HISTORY = timedelta(hours=12)  # how long a cleared alert is still shown: a shift and its handover
SILENCE = timedelta(seconds=30)  # agents tell of themselves every few seconds
ALERTS = 50  # shown at once; more than a person can work through is no list


class Snapshot:
    """Asks lazily: only what a template touches is read. Valid while `connection`'s transaction is open."""

    def __init__(self, connection: Connection, site: Site, now: datetime) -> None:
        self._connection = connection
        self.site = site
        self.now = now
        self.zone = ZoneInfo(site.time_zone)

    @cached_property
    def shelves(self) -> list[Shelf]:
        return shelf_levels(self._connection, self.site.id)

    @cached_property
    def shelf_events(self) -> list[Filled]:
        return shelf_feed(self._connection, self.site.id)

    @cached_property
    def loads(self) -> list[Load]:
        return door_feed(self._connection, self.site.id)

    @cached_property
    def today(self) -> Traffic:
        """What crossed since midnight at the site."""
        midnight = datetime.combine(self.now.astimezone(self.zone).date(), time(), self.zone)
        return traffic_since(self._connection, self.site.id, midnight)

    @cached_property
    def alerts(self) -> list[Alert]:
        return alerts_to_show(self._connection, self.site.id, self.now - HISTORY, ALERTS)

    @cached_property
    def tasks(self) -> Pile:
        return open_tasks(self._connection, self.site.id)

    @cached_property
    def incidents(self) -> Pile:
        return open_incidents(self._connection, self.site.id)

    @cached_property
    def edges(self) -> list[Edge]:
        return site_health(self._connection, self.site.id)

    @property
    def devices(self) -> list[Device]:
        return [device for edge in self.edges for device in edge.devices]

    @property
    def has_thresholds(self) -> bool:
        return any(stand.threshold for shelf in self.shelves for bay in shelf.bays for stand in bay.stands)

    @property
    def health_state(self) -> str:
        """good, warn (never heard from) or bad."""
        presences = {edge.presence for edge in self.edges}
        if "offline" in presences or any(device.state == "down" for device in self.devices):
            return "bad"
        return "good" if presences == {"online"} else "warn"

    @property
    def health_in_words(self) -> str:
        """What is worst."""
        away = [edge.edge for edge in self.edges if edge.presence != "online"]
        down = [device.device for device in self.devices if device.state == "down"]
        if not self.edges:
            return "no edge yet"
        if away:
            return "edge not online" if len(away) == 1 else f"{len(away)} edges not online"
        if down:
            return f"{down[0]} down" if len(down) == 1 else f"{len(down)} down"
        return "edge online" if len(self.edges) == 1 else "all edges online"

    def silent(self, edge: Edge) -> bool:
        """Whether an agent that is said to be online has sent no telemetry for long."""
        heard = edge.agent.at if edge.agent else edge.presence_at
        return edge.presence == "online" and heard is not None and self.now - heard > SILENCE

    @property
    def open_alerts(self) -> list[Alert]:
        return [alert for alert in self.alerts if alert.cleared_at is None]

    @property
    def bays(self) -> int:
        return sum(len(shelf.bays) for shelf in self.shelves)

    @property
    def empty_bays(self) -> int:
        return sum(
            any(stand.fill == "out" for stand in bay.stands) for shelf in self.shelves for bay in shelf.bays
        )

    @property
    def low_bays(self) -> int:
        return sum(
            any(stand.state == FIRING for stand in bay.stands) for shelf in self.shelves for bay in shelf.bays
        )
