"""All gates and shelves of a site: the one thing that the agent and a replay feed with reads.

Results depend on the reads and their times alone, never on how often `advance` is called, as long as reads arrive
less than gate.LATE_MS behind it.
"""

from bisect import bisect_left
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from itertools import compress, groupby
from operator import itemgetter
from typing import cast

from edge.aggregator.antennas import AntennaWatch
from edge.aggregator.doors import Doors
from edge.aggregator.found import Recorder
from edge.aggregator.gate import Gate, GateWatch
from edge.aggregator.goods import Goods
from edge.aggregator.inbox import LATE_MS, slice_end
from edge.aggregator.moments import Stamp, moment
from edge.aggregator.orders import Order
from edge.aggregator.scales import Scales
from edge.aggregator.shelf import Shelf, ShelfWatch
from edge.aggregator.taken import TakenLately
from edge.reads import Antenna, Lost, Read, Scale, TagRead, TimedRead, WeightFault, WeightSample
from wire.events import Blind, Clock, Direction, Event, Passage, TagMovement
from wire.messages import Level


class Aggregator:
    """Steady time (`mono_ms`) measures durations and order; wall time (`at_us`) only dates events."""

    def __init__(
        self,
        gates: Sequence[Gate],
        shelves: Sequence[Shelf],
        *,
        boot: str,
        references: Mapping[str, Mapping[int, Iterable[str]]] | None = None,
        recorder: Recorder | None = None,
    ) -> None:
        """`references`: by gate and antenna, the EPCs of tags fixed there; see antennas.py. `recorder` is told of every
        passage that is decided, what it was decided from, and why.
        """
        self._stamp = Stamp(Clock.SYNCED, boot)
        self._doors = Doors()
        several = self._doors if len(gates) > 1 else None
        self._gates = {gate.name: GateWatch(gate, recorder, several) for gate in gates}
        self._in_step_ms = 0
        self._scales = Scales(shelves)
        self._shelves = self._scales.shelves
        self._heard_ms: dict[str, int] = {}
        self._antennas = {
            gate.name: AntennaWatch(gate.name, gate.antennas, (references or {}).get(gate.name))
            for gate in gates
        }
        self._doors_watched = {name: (gate, self._antennas[name]) for name, gate in self._gates.items()}
        self._watches: dict[str, GateWatch | ShelfWatch | AntennaWatch | Doors | Goods | TakenLately] = {
            "doors": self._doors,
            "goods": self._scales.goods,
            "taken": self._scales.taken,
            **{f"gate:{name}": watch for name, watch in self._gates.items()},
            **{f"shelf:{name}": watch for name, watch in self._shelves.items()},
            **{f"antennas:{name}": watch for name, watch in self._antennas.items()},
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
        if isinstance(read, TagRead):
            return self._observe_tag(read, mono_ms)
        if isinstance(read, WeightSample):
            return self._scales.observe(read, mono_ms, self._stamp)
        if isinstance(read, Scale):
            return self._scales.scale(read, mono_ms, self._stamp)
        if isinstance(read, WeightFault):
            return self._scales.fault(read, mono_ms, self._stamp)
        if isinstance(read, Lost):
            return self._lost(read, mono_ms)
        gate = self._gates.get(read.gate)
        if gate is None:
            return []
        if isinstance(read, Antenna):
            return self._antennas[read.gate].connected(read, mono_ms, self._stamp)
        gate.trigger(read, mono_ms)
        return []

    def observe_all(self, reads: Sequence[TimedRead]) -> list[Event]:
        """As `observe` of each in turn. Nearly all only wait for their slice of time to be complete: those together."""
        if not reads:
            return []
        ms, bare = zip(*reads, strict=True)
        if set(map(type, bare)) == {WeightSample}:
            return self._scales.observe_all(ms, cast("Sequence[WeightSample]", bare), self._stamp)
        events: list[Event] = []
        for kind, some in groupby(reads, _kind):
            if kind is TagRead:
                events += self._observe_tags(list(some))
            elif kind is WeightSample:
                events += self.observe_all(list(some))
            else:
                for mono_ms, read in some:
                    events += self.observe(read, mono_ms)
        return events

    def _observe_tags(self, reads: Sequence[TimedRead]) -> list[Event]:
        events: list[Event] = []
        rest = [reads]
        while rest:
            some = rest.pop()
            if len(some) < 2:
                for mono_ms, read in some:
                    events += self.observe(read, mono_ms)
            elif some[-1][0] >= self._in_step_ms or not self._keep(some):
                # Wherever they are cut, the same is said. Here, the first part most probably only waits.
                before = bisect_left(some, self._in_step_ms, key=itemgetter(0))
                cut = max(1, before if before < len(some) else len(some) // 2)
                rest += [some[cut:], some[:cut]]
        return events

    def _keep(self, timed: Sequence[TimedRead]) -> bool:
        """Take reads, if all of them are of tags and only wait."""
        reads = [read for _, read in timed if isinstance(read, TagRead)]
        ms = [mono_ms for mono_ms, _ in timed]
        first_ms, last_ms = min(ms), max(ms)
        names = {read.gate for read in reads}
        if len(reads) < len(ms) or last_ms >= self._in_step_ms:
            return False
        doors = [(name, *self._doors_watched[name]) for name in names if name in self._doors_watched]
        for _, gate, antennas in doors:
            if not (gate.waits(first_ms, last_ms) and antennas.waits(last_ms)):
                return False
        for name, gate, antennas in doors:
            here = _chosen(ms, reads, [read.gate == name for read in reads] if len(names) > 1 else None)
            gate.keep(*_chosen(*here, antennas.keep(*here, self._stamp)))
        return True

    def _observe_tag(self, read: TagRead, mono_ms: int) -> list[Event]:
        """The fast path: most of what comes are reads of tags, and most of them change nothing at once."""
        watches = self._doors_watched.get(read.gate)
        if watches is None:
            return []
        gate, antennas = watches
        said = antennas.observe(read, mono_ms, self._stamp)
        if said is not None and antennas.is_reference(read.epc):
            return said
        if mono_ms >= self._in_step_ms:
            said = [*self._in_step(mono_ms, read.gate), *(said or ())]
        events = gate.observe(read, mono_ms, self._stamp)
        if events:
            events = self._seen(read.gate, events)
        return said + events if said else events

    def advance(self, mono_ms: int, at_us: int) -> list[Event]:
        """Time has passed: close what is quiet."""
        events = self._in_step(mono_ms)
        for name in self._gates:
            events += self._antennas[name].advance(self._known_ms(name, mono_ms), self._stamp)
        return events + self._scales.advance(mono_ms, self._stamp)

    def _known_ms(self, gate: str, now_ms: int) -> int:
        return min(now_ms, self._heard_ms.get(gate, now_ms))

    def _in_step(self, now_ms: int, reading: str | None = None) -> list[Event]:
        """Take all gates as far as is known, in order of time: what one decides depends on what others have read.

        `reading`: a gate from which there is a read of now, so that all it had read before is known.
        """
        known = {
            name: (now_ms if name == reading else self._known_ms(name, now_ms)) - LATE_MS
            for name, gate in self._gates.items()
            if name == reading or gate.follows(self._known_ms(name, now_ms))
        }
        self._in_step_ms = slice_end(now_ms - LATE_MS) + LATE_MS
        events: list[Event] = []
        while due := [
            at_ms for name in known if (at_ms := self._gates[name].due_ms(known[name])) is not None
        ]:
            at_ms = min(due)
            for name, until_ms in known.items():
                if at_ms <= until_ms:
                    events += self._seen(name, self._gates[name].advance_to(at_ms, self._stamp))
        return events

    def device_up(self, name: str, mono_ms: int, at_us: int) -> list[Event]:
        """The reader of this gate or shelf answers. Everything starts as down."""
        for watch in self._of(name):
            watch.up(mono_ms)
        return []

    def device_heard(self, name: str, mono_ms: int) -> None:
        """All that this device saw until then has been told; later, its silence is not known to be that of its gate.

        Of a device that never says so, until it goes down again, silence is taken for what it seems.
        """
        if gate := self._gates.get(name):
            self._heard_ms[name] = mono_ms
            gate.link.told(mono_ms)

    def device_down(self, name: str, mono_ms: int, at_us: int, reason: str) -> list[Event]:
        self._heard_ms.pop(name, None)
        for watch in self._of(name):
            watch.down(mono_ms)
        if name in self._shelves:
            self._scales.down(name)
        return []

    def order(self, order: Order, mono_ms: int, at_us: int) -> list[Event]:
        """Carry out what a person or the cloud orders of a shelf.

        Raises:
            OrderError: it does not fit the shelf; nothing has changed.
        """
        return self._scales.order(order, mono_ms, at_us, self._stamp)

    def unseen(self, name: str, from_ms: int, to_ms: int) -> None:
        """What this device saw between two times will never come: it was away, or we were, and it keeps nothing."""
        if gate := self._gates.get(name):
            gate.unseen(from_ms, to_ms)
            self._antennas[name].lost(from_ms, to_ms)

    def changed_state(self) -> dict[str, bytes]:
        """What changed since last asked, by key (`gate:dock-1`, `shelf:aisle-1`); opaque to the caller."""
        for gate, antennas in self._doors_watched.values():
            antennas.changed |= gate.changed  # when each has last read something is kept up by every read
        return {key: watch.save() for key, watch in self._watches.items() if watch.changed}

    def restore(self, states: Mapping[str, bytes]) -> None:
        """Go on from saved states; keys of gates and shelves that are configured no longer are passed over."""
        for key, blob in states.items():
            if watch := self._watches.get(key):
                watch.restore(blob)
        self._scales.restored()  # calibrations that were ordered are kept too

    def undecided_since_us(self) -> int | None:
        """Wall time from which something is under way somewhere: what is said of it may be dated so early."""
        since = [at_us for gate in self._gates.values() if (at_us := gate.undecided_since_us()) is not None]
        return min([*since, *self._scales.undecided_since_us()], default=None)

    def troubles(self) -> list[str]:
        """What is wrong with antennas now, in words; each begins with a name of its own, up to a colon."""
        watches: list[AntennaWatch | GateWatch] = [*self._antennas.values(), *self._gates.values()]
        return [trouble for watch in watches for trouble in watch.troubles()]

    def levels(self) -> list[Level]:
        """What every bay weighs now, for telemetry."""
        return self._scales.levels()

    def _of(self, name: str) -> list[GateWatch | ShelfWatch | AntennaWatch]:
        kinds = (self._gates, self._shelves, self._antennas)
        return [watch for watches in kinds if (watch := watches.get(name))]

    def _seen(self, gate: str, events: list[Event]) -> list[Event]:
        """A gate's events, held against whether its antennas saw throughout the passage that they are of.

        What came near and was not seen beyond the sill has turned back only if antennas saw there.
        """
        said: list[Event] = []
        for event in events:
            said.append(event)
            if isinstance(event, Passage) and not (self._antennas[gate].passed(event) and event.healthy):
                said = [
                    _doubted(each) if getattr(each, "passage", None) == event.passage else each
                    for each in said
                ]
        return said

    def _lost(self, lost: Lost, mono_ms: int) -> list[Event]:
        if lost.device in self._gates:
            ago_ms = [(lost.at_us - at_us) // 1000 for at_us in (lost.from_us, lost.to_us)]
            self.unseen(lost.device, mono_ms - max(ago_ms), mono_ms - min(ago_ms))
        elif lost.device not in self._shelves:
            return []
        return [
            Blind(
                at=moment(lost.at_us),
                clock=self._stamp.clock,
                boot=self._stamp.boot,
                mono_ms=mono_ms,
                device=lost.device,
                from_at=moment(min(lost.from_us, lost.to_us)),
                to_at=moment(max(lost.from_us, lost.to_us)),
                reason=lost.reason[:500],
            )
        ]


def _doubted(event: Event) -> Event:
    """What is to be said of a passage that not all antennas saw."""
    if isinstance(event, TagMovement) and event.outcome is Direction.TURNED_BACK:
        return replace(event, outcome=Direction.UNDECIDED, confidence=1.0 - event.confidence)
    if isinstance(event, Passage):
        doubted = event.undecided + event.turned_back
        return replace(event, healthy=False, turned_back=0, undecided=doubted)
    return event


def _kind(timed: TimedRead) -> type[Read]:
    return type(timed[1])


def _chosen(
    ms: Sequence[int], reads: Sequence[TagRead], chosen: Sequence[bool] | None
) -> tuple[Sequence[int], Sequence[TagRead]]:
    """Some of the reads and their times; all for None."""
    if chosen is None:
        return ms, reads
    return list(compress(ms, chosen)), list(compress(reads, chosen))
