"""The reader itself: obeys commands, reports what it sees. No I/O; time is told to it.

It goes on reading while nobody is connected, and keeps its reports for the next client: until that client sends
ENABLE_EVENTS_AND_REPORTS if it had been told to hold them, else sending them at once. Only one client at a time.
"""

import struct
from collections.abc import Callable, Iterator

from simulators.llrp.about import About, capabilities
from simulators.llrp.clock import Clock
from simulators.llrp.held import MOST_HELD, Held
from simulators.llrp.impinj import answer, asks_for_extensions
from simulators.llrp.layout import V1_0_1, V1_1, Param, Status, Type, message, status, tlv
from simulators.llrp.parse import Message, Refused, field_error, unpack
from simulators.llrp.reports import Read
from simulators.llrp.settings import (
    EVENT_ANTENNA,
    EVENT_BUFFER_WARNING,
    EVENT_GPI,
    EVENT_ROSPEC,
    Settings,
    configuration,
)
from simulators.llrp.work import Work

MOST_UNANSWERED = 3  # keepalives; then the client is taken for dead, so that another can connect. Assumed
CONNECTED, OTHER_CLIENT = 0, 2  # ConnectionAttemptEvent: 2 is "a client initiated connection already exists"
OF_VERSIONS = (Type.GET_SUPPORTED_VERSION, Type.SET_PROTOCOL_VERSION)


class Reader:
    """One reader. `now_us` is its own clock, UTC microseconds, right or wrong, until something is done to it."""

    def __init__(self, about: About, now_us: Callable[[], int], *, most_held: int = MOST_HELD) -> None:
        self.about = about
        self.clock = Clock(now_us, has_utc=about.has_utc)
        self.connected_antennas = set(about.antennas)
        self.has_client = False
        self.taken = False  # by a client of another program
        self.starts = 0  # how often it was switched on again
        self._most_held = most_held
        self._high: set[int] = set()  # inputs
        self._mono_ms = 0.0
        self._keepalive_due_ms: float | None = None
        self._unanswered = 0
        self._commands: dict[int, Callable[[bytes], bytes]] = {
            Type.GET_READER_CAPABILITIES: lambda body: capabilities(self.about, body),
            Type.GET_READER_CONFIG: self._get_config,
            Type.SET_READER_CONFIG: self._set_config,
            Type.ADD_ROSPEC: lambda body: self._work.add(body),
            Type.DELETE_ROSPEC: lambda body: self._work.delete(body),
            Type.START_ROSPEC: lambda body: self._work.start(body),
            Type.STOP_ROSPEC: lambda body: self._work.stop(body),
            Type.ENABLE_ROSPEC: lambda body: self._work.enable(body),
            Type.DISABLE_ROSPEC: lambda body: self._work.disable(body),
            Type.GET_ROSPECS: lambda body: self._work.listed(body),
            Type.SET_PROTOCOL_VERSION: self._set_version,
            Type.DELETE_ACCESSSPEC: _delete_access,
            Type.GET_ACCESSSPECS: lambda body: b"",
            Type.CLOSE_CONNECTION: lambda body: b"",
        }
        self._begin()

    def _begin(self) -> None:
        """As delivered: nothing that it was told is known, and nothing is held."""
        self.settings = Settings()
        self.leaving = False  # it is about to close its client's connection
        self._held = Held(self.clock, self._most_held)
        self._work = Work(self.about, lambda: self.settings.report, self._report, self._tell_rospec)
        self._holding = False

    # The client's side.

    def connect(self) -> bytes:
        """Take a client; returns what to tell it first."""
        self.has_client = True
        self._held.version = V1_0_1  # until another is agreed on (LLRP 1.1, 9.1)
        self._work.extended = False
        self._holding = self.settings.hold
        self._unanswered = 0
        self._keepalive_due_ms = None
        return self._held.notification(tlv(Param.CONNECTION_ATTEMPT_EVENT, struct.pack("!H", CONNECTED)))

    def refuse(self) -> bytes:
        """What to tell a second client before closing its connection."""
        return self._held.notification(tlv(Param.CONNECTION_ATTEMPT_EVENT, struct.pack("!H", OTHER_CLIENT)))

    def goodbye(self) -> bytes:
        """What to tell the client before the reader closes the connection by itself."""
        self.leaving = False
        return self._held.notification(tlv(Param.CONNECTION_CLOSE_EVENT))

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
        if refusal := self._wrong_version(command):
            yield self._error(command, Status.UNSUPPORTED_VERSION, refusal)
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
            case Type.GET_SUPPORTED_VERSION:
                body = bytes([self._held.version, self.about.newest]) + status()
                yield message(Type.GET_SUPPORTED_VERSION_RESPONSE, command.id, body, V1_1)
            case Type.CUSTOM_MESSAGE if self.about.impinj and asks_for_extensions(command.body):
                yield self._extend(command)
            case kind if kind in self._commands:
                yield self._obey(kind, command)
            case kind:
                yield self._error(
                    command, Status.UNSUPPORTED_MESSAGE, f"message type {kind} is not supported"
                )

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
        return message(Type.KEEPALIVE, self._held.new_id(), version=self._held.version)

    # The world's side.

    def sighted(self, epc: bytes, antenna: int, rssi_dbm: float, channel: int, at_us: int) -> None:
        """The radio has read a tag; what comes of it depends on what the reader was told to do.

        `at_us` is by the clock that the reader was given.
        """
        read = Read(epc, antenna, rssi_dbm, channel, self.clock.stamp_us(at_us))
        self._work.take(read, self.connected_antennas)

    def plug_antenna(self, antenna: int, *, connected: bool) -> None:
        """An antenna's cable is plugged in or pulled out."""
        if connected:
            self.connected_antennas.add(antenna)
        else:
            self.connected_antennas.discard(antenna)
        if EVENT_ANTENNA in self.settings.events:
            self._held.event(tlv(Param.ANTENNA_EVENT, struct.pack("!BH", connected, antenna)))

    def set_input(self, port: int, *, high: bool) -> None:
        """The level at an input is now this; told if it changed, and the client wants to know."""
        if high == (port in self._high):
            return
        (self._high.add if high else self._high.discard)(port)
        if EVENT_GPI in self.settings.events and port in self.settings.inputs:
            self._held.event(tlv(Param.GPI_EVENT, struct.pack("!HB", port, high << 7)))

    def power_cycle(self) -> None:
        """The power was gone for a moment: ROSpecs, settings, reads and time are forgotten, and the client is lost."""
        self.starts += 1
        self.clock.restart()
        self._begin()

    def shrink(self, most_held: int) -> None:
        """From now on its buffer holds no more than so many reads."""
        self._most_held = most_held
        self._held.most = most_held

    def tick(self, mono_ms: float) -> None:
        """Time has passed: `mono_ms` is a steady clock."""
        self._mono_ms = mono_ms
        self._work.tick(mono_ms)

    def _wrong_version(self, command: Message) -> str:
        """Why a message is of the wrong version; empty when it is not."""
        if command.kind in OF_VERSIONS and command.version == V1_1 <= self.about.newest:
            return ""
        if command.version == self._held.version:
            return ""
        return f"version {command.version}: this reader speaks version {self._held.version} now"

    def _error(self, command: Message, code: Status, words: str) -> bytes:
        return message(Type.ERROR_MESSAGE, command.id, status(code, words), self._held.version)

    def _obey(self, kind: int, command: Message) -> bytes:
        reply = Type.CLOSE_CONNECTION_RESPONSE if kind == Type.CLOSE_CONNECTION else Type(kind + 10)
        try:
            body = status() + self._commands[kind](command.body)
        except Refused as refusal:
            body = refusal.status
        version = V1_1 if kind in OF_VERSIONS else self._held.version
        return message(reply, command.id, body, version)

    def _set_version(self, body: bytes) -> bytes:
        (version,) = unpack("B", body, 0)
        if not V1_0_1 <= version <= self.about.newest:
            words = f"version {version}: this reader speaks up to {self.about.newest}"
            raise Refused(Status.UNSUPPORTED_VERSION, words)
        self._held.version = version
        return b""

    def _extend(self, command: Message) -> bytes:
        """Switch our own extensions on for this connection."""
        self._work.extended = not self.about.refuses_extensions
        said = status() if self._work.extended else status(Status.UNSUPPORTED_MESSAGE, "no extensions here")
        return message(Type.CUSTOM_MESSAGE, command.id, answer(said), self._held.version)

    def _get_config(self, body: bytes) -> bytes:
        return configuration(self.about, self.settings, self.connected_antennas, self._high, body)

    def _set_config(self, body: bytes) -> bytes:
        self.settings = self.settings.change(body, self.about)
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
