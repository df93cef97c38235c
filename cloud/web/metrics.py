"""GET /metrics: the state of the sites as Prometheus gauges, asked of the ledger at each scrape."""

from collections.abc import Callable, Iterator

from prometheus_client.core import GaugeMetricFamily
from prometheus_client.registry import Collector
from sqlalchemy import Connection, func, select

from cloud.ledger import tables as t
from cloud.ledger.database import Database
from cloud.web.questions.site_health import Edge, site_health
from cloud.web.questions.sites import list_sites


class LedgerCollector(Collector):
    """Gauges by site, edge and device. A scrape fails where the ledger cannot be read."""

    def __init__(self, database: Database, clients: Callable[[], int]) -> None:
        self._database = database
        self._clients = clients

    def collect(self) -> Iterator[GaugeMetricFamily]:
        yield GaugeMetricFamily(
            "stockbeat_console_clients", "Open event streams of the console", value=self._clients()
        )
        with self._database.read() as connection:
            sites = list_sites(connection)
            edges = [(site.name, edge) for site in sites for edge in site_health(connection, site.id)]
            position = _gauge("position", "Position of the newest movement", "site")
            for site in sites:
                position.add_metric([site.name], site.head)
            alerts = _open_alerts(connection)
        yield position
        yield alerts
        yield from _edge_gauges(edges)

    def describe(self) -> Iterator[GaugeMetricFamily]:
        """Nothing: registering must not ask the ledger."""
        return iter(())


def _open_alerts(connection: Connection) -> GaugeMetricFamily:
    gauge = _gauge("open_alerts", "Alerts that have not cleared", "site")
    counts = (
        select(t.sites.c.name, func.count(t.alerts.c.id))
        .outerjoin_from(
            t.sites, t.alerts, (t.alerts.c.site_id == t.sites.c.id) & t.alerts.c.cleared_at.is_(None)
        )
        .group_by(t.sites.c.name)
    )
    for site, count in connection.execute(counts):
        gauge.add_metric([site], count)
    return gauge


def _edge_gauges(edges: list[tuple[str, Edge]]) -> Iterator[GaugeMetricFamily]:
    online = _gauge("edge_online", "1 while the agent says it is online", "site", "edge")
    held = _gauge("edge_events_held", "Events not yet acknowledged, by its telemetry", "site", "edge")
    parked = _gauge("parked_events", "Events that could not be booked", "site", "edge")
    up = _gauge("device_up", "1 while the device answers", "site", "edge", "device")
    for site, edge in edges:
        online.add_metric([site, edge.edge], edge.presence == "online")
        parked.add_metric([site, edge.edge], edge.parked)
        if edge.agent is not None:
            held.add_metric([site, edge.edge], edge.agent.events_held)
        for device in edge.devices:
            up.add_metric([site, edge.edge, device.device], device.state == "up")
    return iter((online, held, parked, up))


def _gauge(name: str, says: str, *labels: str) -> GaugeMetricFamily:
    return GaugeMetricFamily(f"stockbeat_{name}", says, labels=labels)
