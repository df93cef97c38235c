"""What has come from the broker and waits to be booked: bounded. What does not fit is dropped; edges send it again."""

import threading
from collections import deque
from dataclasses import dataclass

from cloud.ingest.lines import Delivery

MAX_BYTES = 64 * 1024 * 1024  # 256 deliveries of the largest size: some seconds of booking
MAX_NEWEST = 10_000  # edges of which the newest telemetry waits; each at most 1 MiB, usually some KiB


@dataclass(frozen=True, slots=True)
class Taken:
    """Deliveries in the order they came, and what only counts when newest: telemetry and presence by edge."""

    deliveries: list[Delivery]
    telemetry: list[Delivery]
    presence: list[Delivery]

    def __bool__(self) -> bool:
        return bool(self.deliveries or self.telemetry or self.presence)


class Inbox:
    """Filled by the broker's task, emptied by booking threads."""

    def __init__(self, max_bytes: int = MAX_BYTES) -> None:
        self._max_bytes = max_bytes
        self._bytes = 0
        self._deliveries: deque[Delivery] = deque()
        self._telemetry: dict[str, Delivery] = {}
        self._presence: dict[str, Delivery] = {}
        self._filled = threading.Condition()
        self._closed = False
        self.dropped = 0

    def offer(self, delivery: Delivery) -> bool:
        """Add a payload of events; False when it does not fit and is dropped."""
        with self._filled:
            if self._bytes + len(delivery.payload) > self._max_bytes:
                self.dropped += 1
                return False
            self._bytes += len(delivery.payload)
            self._deliveries.append(delivery)
            self._filled.notify()
            return True

    def telemetry(self, delivery: Delivery) -> None:
        self._newest(self._telemetry, delivery)

    def presence(self, delivery: Delivery) -> None:
        self._newest(self._presence, delivery)

    def _newest(self, newest: dict[str, Delivery], delivery: Delivery) -> None:
        with self._filled:
            if delivery.edge in newest or len(newest) < MAX_NEWEST:
                newest[delivery.edge] = delivery
                self._filled.notify()

    def take(self, max_bytes: int, timeout_s: float) -> Taken:
        """Wait for something; take deliveries of up to so many bytes (but at least one), and all of the rest."""
        with self._filled:
            self._filled.wait_for(lambda: self._closed or self._any(), timeout_s)
            deliveries: list[Delivery] = []
            size = 0
            while self._deliveries and (
                not deliveries or size + len(self._deliveries[0].payload) <= max_bytes
            ):
                delivery = self._deliveries.popleft()
                size += len(delivery.payload)
                deliveries.append(delivery)
            self._bytes -= size
            telemetry, self._telemetry = list(self._telemetry.values()), {}
            presence, self._presence = list(self._presence.values()), {}
            return Taken(deliveries, telemetry, presence)

    def close(self) -> None:
        """Nobody waits any more."""
        with self._filled:
            self._closed = True
            self._filled.notify_all()

    def _any(self) -> bool:
        return bool(self._deliveries or self._telemetry or self._presence)
