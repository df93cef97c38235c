"""The ROSpecs of a reader and the one that is at work: commands that change them, and reads that pass through."""

from collections.abc import Callable
from dataclasses import dataclass, field

from simulators.llrp.about import MAX_ROSPECS, About
from simulators.llrp.layout import Param, Status
from simulators.llrp.parse import Refused, field_error, parameters, unpack
from simulators.llrp.reports import Gatherer, Read, Source
from simulators.llrp.rospec import AiSpec, Report, ReportSpec, RoSpec, Start, State, Stop, rospec

STARTED, ENDED = 0, 1  # ROSpecEvent


@dataclass
class _Running:
    """The ROSpec at work."""

    spec: RoSpec
    gatherer: Gatherer
    began_ms: float
    inventory_began_ms: float
    place: int = 0  # which of its inventories
    seen: set[bytes] = field(default_factory=set)

    @property
    def inventory(self) -> AiSpec:
        return self.spec.inventories[self.place]


class Work:
    """One ROSpec works at a time; priorities are taken and make no difference (assumed: nothing preempts).

    `report` is told of TagReportData parameters that are due, `tell` of an ROSpec's start and end.
    """

    def __init__(
        self,
        about: About,
        default_report: Callable[[], ReportSpec],
        report: Callable[[list[bytes]], None],
        tell: Callable[[int, int], None],
    ) -> None:
        self.extended = False  # the present client has switched its maker's extensions on
        self._about = about
        self._default_report = default_report
        self._report = report
        self._tell = tell
        self._rospecs: dict[int, RoSpec] = {}
        self._running: _Running | None = None
        self._mono_ms = 0.0

    @property
    def reading(self) -> bool:
        return self._running is not None

    def take(self, read: Read, connected: set[int]) -> None:
        """A tag was read; counts only while a ROSpec is at work on this antenna, and its cable is plugged in."""
        running = self._running
        if running is None or read.antenna not in running.inventory.antennas & connected:
            return
        source = Source(running.spec.id, running.place + 1, running.inventory.inventory_spec_id)
        self._report(running.gatherer.take(read, source))
        running.seen.add(read.epc)
        if running.inventory.stop is Stop.TAG_OBSERVATION and len(running.seen) >= running.inventory.tags > 0:
            self._end_inventory(running)

    def tick(self, mono_ms: float) -> None:
        """Time has passed, on a steady clock: end what was to last so long."""
        self._mono_ms = mono_ms
        if (running := self._running) is None:
            return
        spec, inventory = running.spec, running.inventory
        if spec.stop is Stop.DURATION and mono_ms - running.began_ms >= spec.duration_ms:
            self._end(running)
        elif (
            inventory.stop is not Stop.NULL
            and inventory.duration_ms
            and mono_ms - running.inventory_began_ms >= inventory.duration_ms
        ):
            self._end_inventory(running)

    def gathered(self) -> list[bytes]:
        """What was read and is not reported yet; it is then forgotten."""
        return self._running.gatherer.all() if self._running else []

    # Commands: each takes the message's body and returns the parameters after the status, or raises Refused.

    def listed(self, body: bytes) -> bytes:
        return b"".join(spec.encoded() for spec in self._rospecs.values())

    def add(self, body: bytes) -> bytes:
        found = parameters(body)
        if len(found) != 1 or found[0].kind != Param.ROSPEC:
            raise Refused(Status.MISSING_PARAMETER, "ADD_ROSPEC takes exactly one ROSpec")
        spec = rospec(found[0], self._about, extended=self.extended)
        if spec.id in self._rospecs:
            raise field_error(0, Status.INVALID, f"ROSpec {spec.id} exists already")
        if len(self._rospecs) >= MAX_ROSPECS:
            raise Refused(Status.OVERFLOW_PARAMETER, f"there are {MAX_ROSPECS} ROSpecs already")
        self._rospecs[spec.id] = spec
        return b""

    def delete(self, body: bytes) -> bytes:
        for spec in self._named(body):
            self._become(spec, State.DISABLED)
            del self._rospecs[spec.id]
        return b""

    def enable(self, body: bytes) -> bytes:
        for spec in self._named(body):
            if spec.state is State.DISABLED:
                self._become(spec, State.INACTIVE)
                self._start_if_immediate(spec.id)
        return b""

    def disable(self, body: bytes) -> bytes:
        for spec in self._named(body):
            self._become(spec, State.DISABLED)
        return b""

    def start(self, body: bytes) -> bytes:
        (spec,) = self._named(body, zero_is_all=False)
        if spec.state is State.DISABLED:
            raise field_error(0, Status.INVALID, f"ROSpec {spec.id} is disabled")
        if spec.state is State.INACTIVE:
            if self._running is not None:
                raise field_error(0, Status.INVALID, f"ROSpec {self._running.spec.id} is active")
            self._begin(spec)
        return b""

    def stop(self, body: bytes) -> bytes:
        (spec,) = self._named(body, zero_is_all=False)
        if spec.state is not State.ACTIVE:
            raise field_error(0, Status.INVALID, f"ROSpec {spec.id} is not active")
        self._become(spec, State.INACTIVE)
        return b""

    def _named(self, body: bytes, *, zero_is_all: bool = True) -> list[RoSpec]:
        (spec_id,) = unpack("I", body, 0)
        if spec_id == 0 and zero_is_all:
            return list(self._rospecs.values())
        if spec_id not in self._rospecs:
            raise field_error(0, Status.INVALID, f"there is no ROSpec {spec_id}")
        return [self._rospecs[spec_id]]

    # What follows from them.

    def _become(self, spec: RoSpec, state: State) -> None:
        if self._running is not None and self._running.spec.id == spec.id:
            self._finish(self._running)
        self._rospecs[spec.id] = spec.now(state)

    def _begin(self, spec: RoSpec) -> None:
        self._rospecs[spec.id] = spec.now(State.ACTIVE)
        gatherer = Gatherer(spec.report or self._default_report(), has_utc=self._about.has_utc)
        self._running = _Running(spec, gatherer, self._mono_ms, self._mono_ms)
        self._tell(STARTED, spec.id)

    def _end_inventory(self, running: _Running) -> None:
        """The present inventory is over: the next one, or the end of the ROSpec."""
        if running.gatherer.spec.trigger is Report.TAGS_OR_END_OF_AISPEC:
            self._report(running.gatherer.all())
        if running.place + 1 == len(running.spec.inventories):
            self._end(running)
            return
        running.place += 1
        running.inventory_began_ms = self._mono_ms
        running.seen.clear()

    def _end(self, running: _Running) -> None:
        """The ROSpec is over by itself; one with an immediate start begins again, since its trigger still holds."""
        self._finish(running)
        self._rospecs[running.spec.id] = running.spec.now(State.INACTIVE)
        self._start_if_immediate(running.spec.id)

    def _finish(self, running: _Running) -> None:
        if running.gatherer.spec.trigger is not Report.NEVER:
            self._report(running.gatherer.all())
        self._running = None
        self._tell(ENDED, running.spec.id)

    def _start_if_immediate(self, spec_id: int) -> None:
        spec = self._rospecs[spec_id]
        if spec.start is Start.IMMEDIATE and self._running is None:
            self._begin(spec)
