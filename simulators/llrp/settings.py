"""How the reader is set, and how that is asked for and told."""

import struct
from dataclasses import dataclass, field, replace

from simulators.llrp.about import About
from simulators.llrp.air import Air, antenna_configuration
from simulators.llrp.layout import Param, Status, tlv
from simulators.llrp.parse import Found, field_error, known, parameter_error, parameters, unpack
from simulators.llrp.rospec import ReportSpec, report_spec

EVENT_TYPES = range(9)  # EventNotificationState: 0 hopping to 8 antenna
EVENT_GPI, EVENT_ROSPEC, EVENT_BUFFER_WARNING, EVENT_ANTENNA = 1, 2, 3, 8


@dataclass
class Settings:
    """What SET_READER_CONFIG changes; the defaults are how it is delivered."""

    keepalive_ms: int = 0  # 0: none
    hold: bool = False
    events: set[int] = field(default_factory=set)
    report: ReportSpec = field(default_factory=ReportSpec)
    inputs: set[int] = field(default_factory=set)  # those that are looked at
    air: dict[int, Air] = field(
        default_factory=dict
    )  # by antenna, where it differs from what it was delivered with

    def change(self, body: bytes, about: About) -> "Settings":
        """The settings after a SET_READER_CONFIG; a wrong one changes nothing. Raises Refused."""
        (flags,) = unpack("B", body, 0)
        found = parameters(body[1:])
        known(found, CHANGEABLE, "SET_READER_CONFIG")
        new = (
            Settings()
            if flags & 0x80
            else replace(self, events={*self.events}, inputs={*self.inputs}, air={**self.air})
        )
        for each in found:
            new._set(each, about)
        return new

    def _set(self, found: Found, about: About) -> None:
        match found.kind:
            case Param.KEEPALIVE_SPEC:
                kind, period_ms = unpack("BI", found.body, found.kind)
                if kind > 1 or (kind == 1 and period_ms == 0):
                    raise parameter_error(
                        found.kind, Status.OUT_OF_RANGE, f"keepalive {kind} every {period_ms} ms"
                    )
                self.keepalive_ms = period_ms if kind else 0
            case Param.EVENTS_AND_REPORTS:
                self.hold = bool(unpack("B", found.body, found.kind)[0] & 0x80)
            case Param.EVENT_NOTIFICATION_SPEC:
                self._listen(parameters(found.body))
            case Param.RO_REPORT_SPEC:
                self.report = report_spec(found)
            case Param.ANTENNA_CONFIGURATION:
                self._tune(found, about)
            case Param.GPI_PORT_STATE:
                self._look(found, about)

    def _tune(self, found: Found, about: About) -> None:
        (antenna,) = unpack("H", found.body, found.kind)
        for port in about.antennas if antenna == 0 else (antenna,):
            now = self.air.get(port, Air())
            _, self.air[port] = antenna_configuration(found, about, now, extended=False)

    def _look(self, found: Found, about: About) -> None:
        """Look at an input, or no longer."""
        port, flags = unpack("HB", found.body, found.kind)
        if not 1 <= port <= about.inputs:
            raise parameter_error(found.kind, Status.OUT_OF_RANGE, f"there is no input {port}")
        (self.inputs.add if flags & 0x80 else self.inputs.discard)(port)

    def _listen(self, states: list[Found]) -> None:
        for state in states:
            kind, flags = unpack("HB", state.body, Param.EVENT_NOTIFICATION_STATE)
            if kind not in EVENT_TYPES:
                raise parameter_error(
                    state.kind, Status.OUT_OF_RANGE, f"event type {kind}: LLRP 1.0.1 has 0 to 8"
                )
            if flags & 0x80:
                self.events.add(kind)
            else:
                self.events.discard(kind)


# Taken, though an access report makes no difference to a reader that makes none.
CHANGEABLE: set[int] = {
    Param.KEEPALIVE_SPEC,
    Param.EVENTS_AND_REPORTS,
    Param.EVENT_NOTIFICATION_SPEC,
    Param.RO_REPORT_SPEC,
    Param.ACCESS_REPORT_SPEC,
    Param.ANTENNA_CONFIGURATION,
    Param.ANTENNA_PROPERTIES,
    Param.GPI_PORT_STATE,
    Param.GPO_WRITE_DATA,
}


def configuration(
    about: About, settings: Settings, connected: set[int], high: set[int], body: bytes
) -> bytes:
    """The parameters that answer GET_READER_CONFIG. Raises Refused."""
    antenna, asked, _, _ = unpack("HBHH", body, 0)
    if antenna != 0 and antenna not in about.antennas:
        raise field_error(0, Status.OUT_OF_RANGE, f"there is no antenna {antenna}")
    ports = about.antennas if antenna == 0 else (antenna,)
    parts = {
        1: tlv(Param.IDENTIFICATION, b"\0" + struct.pack("!H", len(about.mac)) + about.mac),
        2: b"".join(_antenna_properties(port, port in connected) for port in ports),
        3: b"".join(settings.air.get(port, Air()).encoded(port) for port in ports),
        5: _notifications(settings),
        4: settings.report.encoded(),
        6: tlv(Param.ACCESS_REPORT_SPEC, b"\0"),
        7: tlv(Param.CONFIGURATION_STATE, struct.pack("!I", 0)),
        8: tlv(Param.KEEPALIVE_SPEC, struct.pack("!BI", settings.keepalive_ms > 0, settings.keepalive_ms)),
        9: b"".join(_input(port, settings, high) for port in range(1, about.inputs + 1)),
        10: b"",
        11: tlv(Param.EVENTS_AND_REPORTS, bytes([settings.hold << 7])),
    }
    if asked == 0:
        return b"".join(parts.values())
    if asked not in parts:
        raise field_error(1, Status.OUT_OF_RANGE, f"RequestedData {asked}: expected 0 to 11")
    return parts[asked]


def _antenna_properties(port: int, connected: bool) -> bytes:
    gain_centi_dbi = 600
    return tlv(Param.ANTENNA_PROPERTIES, struct.pack("!BHh", connected << 7, port, gain_centi_dbi))


def _input(port: int, settings: Settings, high: set[int]) -> bytes:
    """GPIPortCurrentState: looked at or not, then 0 low, 1 high, 2 unknown."""
    looked_at = port in settings.inputs
    state = int(port in high) if looked_at else 2
    return tlv(Param.GPI_PORT_STATE, struct.pack("!HBB", port, looked_at << 7, state))


def _notifications(settings: Settings) -> bytes:
    states = b"".join(
        tlv(Param.EVENT_NOTIFICATION_STATE, struct.pack("!HB", kind, (kind in settings.events) << 7))
        for kind in EVENT_TYPES
    )
    return tlv(Param.EVENT_NOTIFICATION_SPEC, states)
