"""What ingest has done since the start, for /metrics."""

from collections.abc import Iterator

from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from cloud.ingest.inbox import Inbox
from cloud.ingest.ingest import Ingest
from cloud.ingest.link import Link

SAYS = {
    "deliveries": "Payloads of events that were taken from the inbox",
    "events": "Events stored for the first time",
    "movements": "Movements booked",
    "duplicates": "Events that were delivered again",
    "conflicts": "Events that came again with other bytes",
    "parked": "Events that could not be booked as they stood",
    "unreadable": "Lines without a readable identity",
    "foreign": "Events said in the name of another edge",
}


class IngestCollector(Collector):
    """Reads the counters where they are kept."""

    def __init__(self, ingest: Ingest, inbox: Inbox, link: Link) -> None:
        self._ingest = ingest
        self._inbox = inbox
        self._link = link

    def collect(self) -> Iterator[Metric]:
        counts = self._ingest.counts
        for name, says in SAYS.items():
            yield CounterMetricFamily(f"stockbeat_ingest_{name}", says, value=getattr(counts, name))
        dropped = "Payloads that did not fit the inbox; edges send them again"
        yield CounterMetricFamily("stockbeat_ingest_dropped", dropped, value=self._inbox.dropped)
        connected = "1 while the broker is connected"
        yield GaugeMetricFamily("stockbeat_broker_connected", connected, value=float(self._link.connected))
