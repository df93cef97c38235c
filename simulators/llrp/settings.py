"""What the reader is and how it is set: its capabilities, its configuration, and how both are asked for and told."""

import struct
from collections.abc import Sequence
from dataclasses import dataclass, field

from simulators.llrp.layout import Param, Status, text, tlv
from simulators.llrp.parse import Found, field_error, known, parameter_error, parameters, unpack
from simulators.llrp.rospec import AIR_C1G2, ReportSpec, report_spec

MANUFACTURER = 0  # no IANA enterprise number: this is nobody's product
MODEL = 1
FIRMWARE = "simulated 1.0"
MAX_ROSPECS = 16
# The four upper channels of the lower band, in kHz, and 30 dBm in steps of a hundredth: ETSI EN 302 208.
CHANNELS_KHZ = (865_700, 866_300, 866_900, 867_500)
POWER_CENTI_DBM = 3000
ETSI_302_208 = 2  # CommunicationsStandard
COUNTRY = 250  # France, ISO 3166

EVENT_TYPES = range(9)  # EventNotificationState: 0 hopping to 8 antenna
EVENT_ROSPEC, EVENT_BUFFER_WARNING, EVENT_ANTENNA = 2, 3, 8


@dataclass(frozen=True, slots=True)
class About:
    """What cannot be changed."""

    antennas: tuple[int, ...]
    mac: bytes


@dataclass
class Settings:
    """What SET_READER_CONFIG changes; the defaults are how it is delivered."""

    keepalive_ms: int = 0  # 0: none
    hold: bool = False
    events: set[int] = field(default_factory=set)
    report: ReportSpec = field(default_factory=ReportSpec)

    def change(self, body: bytes, antennas: Sequence[int]) -> None:
        """Obey a SET_READER_CONFIG; a wrong one changes nothing. Raises Refused."""
        (flags,) = unpack("B", body, 0)
        found = parameters(body[1:])
        known(found, CHANGEABLE, "SET_READER_CONFIG")
        new = (
            Settings()
            if flags & 0x80
            else Settings(self.keepalive_ms, self.hold, set(self.events), self.report)
        )
        for each in found:
            new._set(each, antennas)
        self.keepalive_ms, self.hold = new.keepalive_ms, new.hold
        self.events, self.report = new.events, new.report

    def _set(self, found: Found, antennas: Sequence[int]) -> None:
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
                (antenna,) = unpack("H", found.body, found.kind)
                if antenna != 0 and antenna not in antennas:
                    raise parameter_error(found.kind, Status.OUT_OF_RANGE, f"there is no antenna {antenna}")

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


# Taken, though an access report or a GPI port makes no difference to a reader that has neither.
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


def capabilities(about: About, body: bytes) -> bytes:
    """The parameters that answer GET_READER_CAPABILITIES. Raises Refused."""
    (asked,) = unpack("B", body, 0)
    parts = {
        1: _general(about),
        2: _llrp(),
        3: _regulatory(),
        4: tlv(Param.C1G2_LLRP_CAPABILITIES, b"\0\0\0"),
    }
    if asked == 0:
        return b"".join(parts.values())
    if asked not in parts:
        raise field_error(0, Status.OUT_OF_RANGE, f"RequestedData {asked}: expected 0 to 4")
    return parts[asked]


def _general(about: About) -> bytes:
    utc_clock = 0x4000
    air = b"".join(
        tlv(Param.PER_ANTENNA_AIR_PROTOCOL, struct.pack("!HHB", antenna, 1, AIR_C1G2))
        for antenna in about.antennas
    )
    return tlv(
        Param.GENERAL_DEVICE_CAPABILITIES,
        struct.pack("!HHII", max(about.antennas), utc_clock, MANUFACTURER, MODEL)
        + text(FIRMWARE)
        + tlv(Param.RECEIVE_SENSITIVITY_ENTRY, struct.pack("!HH", 1, 0))
        + tlv(Param.GPIO_CAPABILITIES, struct.pack("!HH", 0, 0))
        + air,
    )


def _llrp() -> bytes:
    warns_and_holds = 0x48  # CanReportBufferFillWarning, SupportsEventAndReportHolding
    return tlv(
        Param.LLRP_CAPABILITIES,
        struct.pack("!BBHIIIII", warns_and_holds, 0, 0, MAX_ROSPECS, 16, 1, 0, 0),
    )


def _regulatory() -> bytes:
    power = tlv(Param.TRANSMIT_POWER_ENTRY, struct.pack("!Hh", 1, POWER_CENTI_DBM))
    table = tlv(
        Param.FIXED_FREQUENCY_TABLE,
        struct.pack(f"!H{len(CHANNELS_KHZ)}I", len(CHANNELS_KHZ), *CHANNELS_KHZ),
    )
    frequencies = tlv(Param.FREQUENCY_INFORMATION, b"\0" + table)
    # Miller 4, DR 64/3, 250 kbit/s backscatter, Tari 25 us: a dense-reader mode (values in the units of the field).
    mode = tlv(
        Param.UHF_RF_MODE_ENTRY,
        struct.pack("!IBBBBIIIII", 1, 0x80, 2, 2, 2, 250_000, 1500, 25_000, 25_000, 0),
    )
    band = tlv(Param.UHF_BAND_CAPABILITIES, power + frequencies + tlv(Param.UHF_RF_MODE_TABLE, mode))
    return tlv(Param.REGULATORY_CAPABILITIES, struct.pack("!HH", COUNTRY, ETSI_302_208) + band)


def configuration(about: About, settings: Settings, connected: set[int], body: bytes) -> bytes:
    """The parameters that answer GET_READER_CONFIG. Raises Refused."""
    antenna, asked, _, _ = unpack("HBHH", body, 0)
    if antenna != 0 and antenna not in about.antennas:
        raise field_error(0, Status.OUT_OF_RANGE, f"there is no antenna {antenna}")
    ports = about.antennas if antenna == 0 else (antenna,)
    parts = {
        1: tlv(Param.IDENTIFICATION, b"\0" + struct.pack("!H", len(about.mac)) + about.mac),
        2: b"".join(_antenna_properties(port, port in connected) for port in ports),
        3: b"".join(_antenna_configuration(port) for port in ports),
        5: _notifications(settings),
        4: settings.report.encoded(),
        6: tlv(Param.ACCESS_REPORT_SPEC, b"\0"),
        7: tlv(Param.CONFIGURATION_STATE, struct.pack("!I", 0)),
        8: tlv(Param.KEEPALIVE_SPEC, struct.pack("!BI", settings.keepalive_ms > 0, settings.keepalive_ms)),
        9: b"",
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


def _antenna_configuration(port: int) -> bytes:
    receiver = tlv(Param.RF_RECEIVER, struct.pack("!H", 1))
    transmitter = tlv(Param.RF_TRANSMITTER, struct.pack("!HHH", 0, 1, 1))
    return tlv(Param.ANTENNA_CONFIGURATION, struct.pack("!H", port) + receiver + transmitter)


def _notifications(settings: Settings) -> bytes:
    states = b"".join(
        tlv(Param.EVENT_NOTIFICATION_STATE, struct.pack("!HB", kind, (kind in settings.events) << 7))
        for kind in EVENT_TYPES
    )
    return tlv(Param.EVENT_NOTIFICATION_SPEC, states)
