"""All gates and shelves of a site: the one thing that the agent and a replay feed with reads.

Results depend on the reads and their times alone, never on how often `advance` is called, as long as reads arrive
less than gate.LATE_MS behind it.
"""

from collections.abc import Mapping, Sequence

from edge.aggregator.gate import Gate
from edge.aggregator.shelf import Shelf
from edge.reads import Read
from wire.events import Clock, Event
from wire.messages import Level


class Aggregator:
    """Steady time (`mono_ms`) measures durations and order; wall time (`at_us`) only dates events."""

    def __init__(self, gates: Sequence[Gate], shelves: Sequence[Shelf], *, boot: str) -> None:
        self.clock = Clock.SYNCED
        self._boot = boot
        self._gates = gates
        self._shelves = shelves

    def observe(self, read: Read, mono_ms: int) -> list[Event]:
        """Take one read; a read of a gate, shelf, antenna or cell that is not configured is passed over."""
        return []

    def advance(self, mono_ms: int, at_us: int) -> list[Event]:
        """Time has passed: close what is quiet."""
        return []

    def device_up(self, name: str, mono_ms: int, at_us: int) -> list[Event]:
        """The reader of this gate or shelf answers. Everything starts as down."""
        return []

    def device_down(self, name: str, mono_ms: int, at_us: int, reason: str) -> list[Event]:
        return []

    def changed_state(self) -> dict[str, bytes]:
        """What changed since last asked, by key (`gate:dock-1`, `shelf:aisle-1`); opaque to the caller."""
        return {}

    def restore(self, states: Mapping[str, bytes]) -> None:
        """Go on from saved states; keys of gates and shelves that are configured no longer are passed over."""

    def levels(self) -> list[Level]:
        """What every bay weighs now, for telemetry."""
        return []
