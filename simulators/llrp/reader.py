"""The reader itself: obeys commands, runs its ROSpec, reports what it sees. No I/O; time is told to it.

It goes on reading while nobody is connected, and keeps its reports for the next client: until that client sends
ENABLE_EVENTS_AND_REPORTS if it had been told to hold them, else sending them at once. Only one client at a time.
"""

import struct
from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

from simulators.llrp.layout import HEADER, VERSION, Param, Status, Type, message, status, tlv
from simulators.llrp.parse import Message, Refused, field_error, parameters, unpack
from simulators.llrp.reports import Gatherer, Read, Source
from simulators.llrp.rospec import AiSpec, Report, RoSpec, Start, State, Stop, rospec
from simulators.llrp.settings import (
    EVENT_ANTENNA,
    EVENT_BUFFER_WARNING,
    EVENT_ROSPEC,
    MAX_ROSPECS,
    About,
    Settings,
    capabilities,
    configuration,
)

MOST_HELD = 50_000  # tag reports; about ten minutes of a busy door. Assumed: a full buffer takes no more
WARN_AT = 0.9
MOST_UNANSWERED = 3  # keepalives; then the client is taken for dead, so that another can connect. Assumed
CONNECTED, OTHER_CLIENT = 0, 2  # ConnectionAttemptEvent: 2 is "a client initiated connection already exists"


@dataclass
class _Running:
    """The ROSpec at work."""

    spec: RoSpec
    gatherer: Gatherer
    began_ms: float
    place: int = 0  # which of its inventories
    inventory_began_ms: float = 0.0
    seen: set[bytes] = field(default_factory=set)

    @property
    def inventory(self) -> AiSpec:
        return self.spec.inventories[self.place]


class Reader:
    """One reader. `now_us` is its own clock, UTC microseconds, right or wrong."""

    def __init__(self, about: About, now_us: Callable[[], int], *, most_held: int = MOST_HELD) -> None:
        self.about = about
        self.settings = Settings()
        self.connected_antennas = set(about.antennas)
        self.rospecs: dict[int, RoSpec] = {}
        self.has_client = False
        self._now_us = now_us
        self._most_held = most_held
        self._mono_ms = 0.0
        self._running: _Running | None = None
        self._holding = False
        self._held: deque[tuple[Type, bytes, int]] = deque()  # what to say, with the number of tags in it
        self._tags_held = 0
        self._warned = self._overflowed = False
        self._next_id = 0
        self._keepalive_due_ms: float | None = None
        self._unanswered = 0
        self._commands: dict[int, Callable[[bytes], bytes]] = {
            Type.GET_READER_CAPABILITIES: lambda body: capabilities(self.about, body),
            Type.GET_READER_CONFIG: self._get_config,
            Type.SET_READER_CONFIG: self._set_config,
            Type.ADD_ROSPEC: self._add,
            Type.DELETE_ROSPEC: self._delete,
            Type.START_ROSPEC: self._start,
            Type.STOP_ROSPEC: self._stop,
            Type.ENABLE_ROSPEC: self._enable,
            Type.DISABLE_ROSPEC: self._disable,
            Type.GET_ROSPECS: lambda body: b"".join(spec.encoded() for spec in self.rospecs.values()),
            Type.DELETE_ACCESSSPEC: self._delete_access,
            Type.GET_ACCESSSPECS: lambda body: b"",
            Type.CLOSE_CONNECTION: lambda body: b"",
        }

    # The client's side.

    def connect(self) -> bytes:
        """Take a client; returns what to tell it first."""
        self.has_client = True
        self._holding = self.settings.hold
        self._unanswered = 0
        self._keepalive_due_ms = None
        return self._event(tlv(Param.CONNECTION_ATTEMPT_EVENT, struct.pack("!H", CONNECTED)))

    def refuse(self) -> bytes:
        """What to tell a second client before closing its connection."""
        return self._event(tlv(Param.CONNECTION_ATTEMPT_EVENT, struct.pack("!H", OTHER_CLIENT)))

    def disconnect(self) -> None:
        self.has_client = False

    @property
    def reading(self) -> bool:
        return self._running is not None

    @property
    def client_is_dead(self) -> bool:
        return self._unanswered > MOST_UNANSWERED

    def receive(self, command: Message) -> Iterator[bytes]:
        """Obey one message; yields the answers."""
        if command.version != VERSION:
            words = f"version {command.version}: this reader speaks LLRP 1.0.1"
            yield message(Type.ERROR_MESSAGE, command.id, status(Status.UNSUPPORTED_VERSION, words))
            return
        match command.kind:
            case Type.KEEPALIVE_ACK:
                self._unanswered = 0
            case Type.ENABLE_EVENTS_AND_REPORTS:
                self._holding = False
            case Type.GET_REPORT:
                if self._running:
                    self._report(self._running.gatherer.all())
                self._holding = False
                yield from self.outgoing()
            case kind if kind in self._commands:
                answer = Type.CLOSE_CONNECTION_RESPONSE if kind == Type.CLOSE_CONNECTION else Type(kind + 10)
                try:
                    body = status() + self._commands[kind](command.body)
                except Refused as refusal:
                    body = refusal.status
                yield message(answer, command.id, body)
            case kind:
                words = f"message type {kind} is not supported"
                yield message(Type.ERROR_MESSAGE, command.id, status(Status.UNSUPPORTED_MESSAGE, words))

    def outgoing(self) -> Iterator[bytes]:
        """What there is to say unasked, oldest first; each is forgotten as it is taken."""
        while self._held and self.has_client and not self._holding:
            kind, body, tags = self._held.popleft()
            self._tags_held -= tags
            yield message(kind, self._new_id(), body)
        if not self._held:
            self._warned = self._overflowed = False

    def keepalive(self) -> bytes | None:
        """The KEEPALIVE that is due, if one is."""
        period_ms = self.settings.keepalive_ms
        if not period_ms or not self.has_client:
            self._keepalive_due_ms = None
            return None
        if self._keepalive_due_ms is None:
            self._keepalive_due_ms = self._mono_ms + period_ms
        if self._mono_ms < self._keepalive_due_ms:
            return None
        self._keepalive_due_ms = self._mono_ms + period_ms
        self._unanswered += 1
        return message(Type.KEEPALIVE, self._new_id())

    # The world's side.

    def sighted(self, epc: bytes, antenna: int, rssi_dbm: int, channel: int, at_us: int) -> None:
        """The radio has read a tag. Counts only while a ROSpec is at work on this antenna."""
        running = self._running
        if running is None or antenna not in running.inventory.antennas & self.connected_antennas:
            return
        source = Source(running.spec.id, running.place + 1, running.inventory.inventory_spec_id)
        self._report(running.gatherer.take(Read(epc, antenna, rssi_dbm, channel, at_us), source))
        running.seen.add(epc)
        if running.inventory.stop is Stop.TAG_OBSERVATION and len(running.seen) >= running.inventory.tags > 0:
            self._end_inventory(running)

    def plug_antenna(self, antenna: int, *, connected: bool) -> None:
        """An antenna's cable is plugged in or pulled out."""
        if connected:
            self.connected_antennas.add(antenna)
        else:
            self.connected_antennas.discard(antenna)
        if EVENT_ANTENNA in self.settings.events:
            self._tell(tlv(Param.ANTENNA_EVENT, struct.pack("!BH", connected, antenna)))

    def tick(self, mono_ms: float) -> None:
        """Time has passed: `mono_ms` is a steady clock. Ends what was to last so long."""
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

    # Commands: each takes the message's body and returns the parameters after the status, or raises Refused.

    def _get_config(self, body: bytes) -> bytes:
        return configuration(self.about, self.settings, self.connected_antennas, body)

    def _set_config(self, body: bytes) -> bytes:
        self.settings.change(body, self.about.antennas)
        self._keepalive_due_ms = None
        return b""

    def _add(self, body: bytes) -> bytes:
        found = parameters(body)
        if len(found) != 1 or found[0].kind != Param.ROSPEC:
            raise Refused(Status.MISSING_PARAMETER, "ADD_ROSPEC takes exactly one ROSpec")
        spec = rospec(found[0], self.about.antennas)
        if spec.id in self.rospecs:
            raise field_error(0, Status.INVALID, f"ROSpec {spec.id} exists already")
        if len(self.rospecs) >= MAX_ROSPECS:
            raise Refused(Status.OVERFLOW_PARAMETER, f"there are {MAX_ROSPECS} ROSpecs already")
        self.rospecs[spec.id] = spec
        return b""

    def _delete(self, body: bytes) -> bytes:
        for spec in self._named(body):
            self._become(spec, State.DISABLED)
            del self.rospecs[spec.id]
        return b""

    def _enable(self, body: bytes) -> bytes:
        for spec in self._named(body):
            if spec.state is State.DISABLED:
                self._become(spec, State.INACTIVE)
                self._start_if_immediate(spec.id)
        return b""

    def _disable(self, body: bytes) -> bytes:
        for spec in self._named(body):
            self._become(spec, State.DISABLED)
        return b""

    def _start(self, body: bytes) -> bytes:
        (spec,) = self._named(body, zero_is_all=False)
        if spec.state is State.DISABLED:
            raise field_error(0, Status.INVALID, f"ROSpec {spec.id} is disabled")
        if spec.state is State.INACTIVE:
            if self._running is not None:
                raise field_error(0, Status.INVALID, f"ROSpec {self._running.spec.id} is active")
            self._begin(spec)
        return b""

    def _stop(self, body: bytes) -> bytes:
        (spec,) = self._named(body, zero_is_all=False)
        if spec.state is not State.ACTIVE:
            raise field_error(0, Status.INVALID, f"ROSpec {spec.id} is not active")
        self._become(spec, State.INACTIVE)
        return b""

    def _delete_access(self, body: bytes) -> bytes:
        (spec_id,) = unpack("I", body, 0)
        if spec_id != 0:
            raise field_error(0, Status.INVALID, f"there is no AccessSpec {spec_id}")
        return b""

    def _named(self, body: bytes, *, zero_is_all: bool = True) -> list[RoSpec]:
        (spec_id,) = unpack("I", body, 0)
        if spec_id == 0 and zero_is_all:
            return list(self.rospecs.values())
        if spec_id not in self.rospecs:
            raise field_error(0, Status.INVALID, f"there is no ROSpec {spec_id}")
        return [self.rospecs[spec_id]]

    # ROSpecs at work.

    def _become(self, spec: RoSpec, state: State) -> None:
        if self._running is not None and self._running.spec.id == spec.id:
            self._finish(self._running)
        self.rospecs[spec.id] = spec.now(state)

    def _begin(self, spec: RoSpec) -> None:
        self.rospecs[spec.id] = spec.now(State.ACTIVE)
        gatherer = Gatherer(spec.report or self.settings.report)
        self._running = _Running(spec, gatherer, self._mono_ms, inventory_began_ms=self._mono_ms)
        self._tell_rospec(0, spec.id)

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
        self.rospecs[running.spec.id] = running.spec.now(State.INACTIVE)
        self._start_if_immediate(running.spec.id)

    def _finish(self, running: _Running) -> None:
        if running.gatherer.spec.trigger is not Report.NEVER:
            self._report(running.gatherer.all())
        self._running = None
        self._tell_rospec(1, running.spec.id)

    def _start_if_immediate(self, spec_id: int) -> None:
        spec = self.rospecs[spec_id]
        if spec.start is Start.IMMEDIATE and self._running is None:
            self._begin(spec)

    # What it says unasked.

    def _report(self, tags: list[bytes]) -> None:
        if not tags:
            return
        if self._tags_held + len(tags) > self._most_held:
            if not self._overflowed:
                self._overflowed = True
                self._tell(tlv(Param.BUFFER_OVERFLOW))
            return
        self._held.append((Type.RO_ACCESS_REPORT, b"".join(tags), len(tags)))
        self._tags_held += len(tags)
        if self._tags_held >= WARN_AT * self._most_held and not self._warned:
            self._warned = True
            if EVENT_BUFFER_WARNING in self.settings.events:
                percent = int(100 * self._tags_held / self._most_held)
                self._tell(tlv(Param.BUFFER_LEVEL_WARNING, bytes([percent])))

    def _tell_rospec(self, kind: int, spec_id: int) -> None:
        if EVENT_ROSPEC in self.settings.events:
            self._tell(tlv(Param.ROSPEC_EVENT, struct.pack("!BII", kind, spec_id, 0)))

    def _tell(self, event: bytes) -> None:
        self._held.append((Type.READER_EVENT_NOTIFICATION, self._event(event)[HEADER.size :], 0))

    def _event(self, event: bytes) -> bytes:
        at = tlv(Param.UTC_TIMESTAMP, struct.pack("!Q", self._now_us()))
        return message(
            Type.READER_EVENT_NOTIFICATION, self._new_id(), tlv(Param.EVENT_NOTIFICATION_DATA, at + event)
        )

    def _new_id(self) -> int:
        number = self._next_id
        self._next_id = (number + 1) & 0xFFFFFFFF
        return number
