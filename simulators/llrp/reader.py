"""The reader itself: obeys commands, reports what it sees. No I/O; time is told to it.

It goes on reading while nobody is connected, and keeps its reports for the next client: until that client sends
ENABLE_EVENTS_AND_REPORTS if it had been told to hold them, else sending them at once. Only one client at a time.
"""

import struct
from collections.abc import Callable, Iterator

from simulators.llrp.held import MOST_HELD, Held
from simulators.llrp.layout import VERSION, Param, Status, Type, message, status, tlv
from simulators.llrp.parse import Message, Refused, field_error, unpack
from simulators.llrp.reports import Read
from simulators.llrp.settings import (
    EVENT_ANTENNA,
    EVENT_BUFFER_WARNING,
    EVENT_ROSPEC,
    About,
    Settings,
    capabilities,
    configuration,
)
from simulators.llrp.work import Work

MOST_UNANSWERED = 3  # keepalives; then the client is taken for dead, so that another can connect. Assumed
CONNECTED, OTHER_CLIENT = 0, 2  # ConnectionAttemptEvent: 2 is "a client initiated connection already exists"


class Reader:
    """One reader. `now_us` is its own clock, UTC microseconds, right or wrong."""

    def __init__(self, about: About, now_us: Callable[[], int], *, most_held: int = MOST_HELD) -> None:
        self.about = about
        self.settings = Settings()
        self.connected_antennas = set(about.antennas)
        self.has_client = False
        self._held = Held(now_us, most_held)
        self._work = Work(about.antennas, lambda: self.settings.report, self._report, self._tell_rospec)
        self._holding = False
        self._mono_ms = 0.0
        self._keepalive_due_ms: float | None = None
        self._unanswered = 0
        self._commands: dict[int, Callable[[bytes], bytes]] = {
            Type.GET_READER_CAPABILITIES: lambda body: capabilities(self.about, body),
            Type.GET_READER_CONFIG: self._get_config,
            Type.SET_READER_CONFIG: self._set_config,
            Type.ADD_ROSPEC: self._work.add,
            Type.DELETE_ROSPEC: self._work.delete,
            Type.START_ROSPEC: self._work.start,
            Type.STOP_ROSPEC: self._work.stop,
            Type.ENABLE_ROSPEC: self._work.enable,
            Type.DISABLE_ROSPEC: self._work.disable,
            Type.GET_ROSPECS: self._work.listed,
            Type.DELETE_ACCESSSPEC: _delete_access,
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
        return self._held.notification(tlv(Param.CONNECTION_ATTEMPT_EVENT, struct.pack("!H", CONNECTED)))

    def refuse(self) -> bytes:
        """What to tell a second client before closing its connection."""
        return self._held.notification(tlv(Param.CONNECTION_ATTEMPT_EVENT, struct.pack("!H", OTHER_CLIENT)))

    def disconnect(self) -> None:
        self.has_client = False

    @property
    def reading(self) -> bool:
        return self._work.reading

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
                self._report(self._work.gathered())
                self._holding = False
                yield from self.outgoing()
            case kind if kind in self._commands:
                yield self._obey(kind, command)
            case kind:
                words = f"message type {kind} is not supported"
                yield message(Type.ERROR_MESSAGE, command.id, status(Status.UNSUPPORTED_MESSAGE, words))

    def outgoing(self) -> Iterator[bytes]:
        """What there is to say unasked, oldest first; each is forgotten as it is taken."""
        while self.has_client and not self._holding and (words := self._held.take()) is not None:
            yield words

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
        return message(Type.KEEPALIVE, self._held.new_id())

    # The world's side.

    def sighted(self, epc: bytes, antenna: int, rssi_dbm: int, channel: int, at_us: int) -> None:
        """The radio has read a tag; what comes of it depends on what the reader was told to do."""
        self._work.take(Read(epc, antenna, rssi_dbm, channel, at_us), self.connected_antennas)

    def plug_antenna(self, antenna: int, *, connected: bool) -> None:
        """An antenna's cable is plugged in or pulled out."""
        if connected:
            self.connected_antennas.add(antenna)
        else:
            self.connected_antennas.discard(antenna)
        if EVENT_ANTENNA in self.settings.events:
            self._held.event(tlv(Param.ANTENNA_EVENT, struct.pack("!BH", connected, antenna)))

    def tick(self, mono_ms: float) -> None:
        """Time has passed: `mono_ms` is a steady clock."""
        self._mono_ms = mono_ms
        self._work.tick(mono_ms)

    def _obey(self, kind: int, command: Message) -> bytes:
        answer = Type.CLOSE_CONNECTION_RESPONSE if kind == Type.CLOSE_CONNECTION else Type(kind + 10)
        try:
            body = status() + self._commands[kind](command.body)
        except Refused as refusal:
            body = refusal.status
        return message(answer, command.id, body)

    def _get_config(self, body: bytes) -> bytes:
        return configuration(self.about, self.settings, self.connected_antennas, body)

    def _set_config(self, body: bytes) -> bytes:
        self.settings.change(body, self.about.antennas)
        self._keepalive_due_ms = None
        return b""

    def _report(self, tags: list[bytes]) -> None:
        self._held.report(tags, warn=EVENT_BUFFER_WARNING in self.settings.events)

    def _tell_rospec(self, kind: int, spec_id: int) -> None:
        if EVENT_ROSPEC in self.settings.events:
            self._held.event(tlv(Param.ROSPEC_EVENT, struct.pack("!BII", kind, spec_id, 0)))


def _delete_access(body: bytes) -> bytes:
    (spec_id,) = unpack("I", body, 0)
    if spec_id != 0:
        raise field_error(0, Status.INVALID, f"there is no AccessSpec {spec_id}")
    return b""
