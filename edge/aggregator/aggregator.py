"""All gates and shelves of a site: the one thing that the agent and a replay feed with reads.

Results depend on the reads and their times alone, never on how often `advance` is called, as long as reads arrive
less than gate.LATE_MS behind it.
"""

from collections.abc import Mapping, Sequence

from edge.aggregator.gate import Gate, GateWatch
from edge.aggregator.moments import Stamp
from edge.aggregator.shelf import Shelf, ShelfWatch
from edge.reads import Read, TagRead, WeightSample
from wire.events import Clock, Event
from wire.messages import Level


class Aggregator:
    """Steady time (`mono_ms`) measures durations and order; wall time (`at_us`) only dates events."""

    def __init__(self, gates: Sequence[Gate], shelves: Sequence[Shelf], *, boot: str) -> None:
        self._stamp = Stamp(Clock.SYNCED, boot)
        self._gates = {gate.name: GateWatch(gate) for gate in gates}
        self._shelves = {shelf.name: ShelfWatch(shelf) for shelf in shelves}
        self._watches: dict[str, GateWatch | ShelfWatch] = {
            **{f"gate:{name}": watch for name, watch in self._gates.items()},
            **{f"shelf:{name}": watch for name, watch in self._shelves.items()},
        }

    @property
    def clock(self) -> Clock:
        """Whether the wall clock is synchronised: said in every event made from now on."""
        return self._stamp.clock

    @clock.setter
    def clock(self, clock: Clock) -> None:
        self._stamp = Stamp(clock, self._stamp.boot)

    def observe(self, read: Read, mono_ms: int) -> list[Event]:
        """Take one read; a read of a gate, shelf, antenna or cell that is not configured is passed over."""
        if isinstance(read, WeightSample):
            shelf = self._shelves.get(read.shelf)
            return shelf.observe(read, mono_ms, self._stamp) if shelf else []
        gate = self._gates.get(read.gate)
        if gate is None:
            return []
        if isinstance(read, TagRead):
            return gate.observe(read, mono_ms, self._stamp)
        gate.trigger(read)
        return []

    def advance(self, mono_ms: int, at_us: int) -> list[Event]:
        """Time has passed: close what is quiet."""
        events: list[Event] = []
        for watch in self._watches.values():
            events += watch.advance(mono_ms, self._stamp)
        return events

    def device_up(self, name: str, mono_ms: int, at_us: int) -> list[Event]:
        """The reader of this gate or shelf answers. Everything starts as down."""
        if watch := self._gates.get(name) or self._shelves.get(name):
            watch.up(mono_ms)
        return []

    def device_down(self, name: str, mono_ms: int, at_us: int, reason: str) -> list[Event]:
        if watch := self._gates.get(name) or self._shelves.get(name):
            watch.down(mono_ms)
        return []

    def changed_state(self) -> dict[str, bytes]:
        """What changed since last asked, by key (`gate:dock-1`, `shelf:aisle-1`); opaque to the caller."""
        return {key: watch.save() for key, watch in self._watches.items() if watch.changed}

    def restore(self, states: Mapping[str, bytes]) -> None:
        """Go on from saved states; keys of gates and shelves that are configured no longer are passed over."""
        for key, blob in states.items():
            if watch := self._watches.get(key):
                watch.restore(blob)

    def levels(self) -> list[Level]:
        """What every bay weighs now, for telemetry."""
        return [level for shelf in self._shelves.values() for level in shelf.levels()]
