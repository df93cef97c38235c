"""What a reader is and cannot be told to change: antennas, inputs, powers, channels and versions; its capabilities."""

import struct
from dataclasses import dataclass

from simulators.llrp.impinj import VENDOR
from simulators.llrp.layout import V1_0_1, Param, Status, text, tlv
from simulators.llrp.parse import field_error, unpack

NOBODY = 0  # no IANA enterprise number: this is nobody's product
MODEL = 1
FIRMWARE = "simulated 1.0"
MAX_ROSPECS = 16
AIR_C1G2 = 1
# The four upper channels of the lower band, in kHz, and 30 dBm in steps of a hundredth: ETSI EN 302 208.
CHANNELS_KHZ = (865_700, 866_300, 866_900, 867_500)
ETSI_302_208 = 2  # CommunicationsStandard
COUNTRY = 250  # France, ISO 3166
HAS_UTC_CLOCK = 0x4000
# Miller 4, DR 64/3, 250 kbit/s backscatter, Tari 25 us: a dense-reader mode (values in the units of the field).
MODE, TARI_NS = 1, 25_000


@dataclass(frozen=True, slots=True)
class About:
    """`impinj` readers take their maker's extensions, unless they are told to refuse them."""

    antennas: tuple[int, ...]
    mac: bytes
    newest: int = V1_0_1  # version of LLRP
    has_utc: bool = True
    inputs: int = 0
    powers_centi_dbm: tuple[int, ...] = (3000,)  # by index, which counts from 1
    impinj: bool = False
    refuses_extensions: bool = False


def capabilities(about: About, body: bytes) -> bytes:
    """The parameters that answer GET_READER_CAPABILITIES. Raises Refused."""
    (asked,) = unpack("B", body, 0)
    parts = {
        1: _general(about),
        2: _llrp(),
        3: _regulatory(about),
        4: tlv(Param.C1G2_LLRP_CAPABILITIES, b"\0\0\0"),
    }
    if asked == 0:
        return b"".join(parts.values())
    if asked not in parts:
        raise field_error(0, Status.OUT_OF_RANGE, f"RequestedData {asked}: expected 0 to 4")
    return parts[asked]


def _general(about: About) -> bytes:
    air = b"".join(
        tlv(Param.PER_ANTENNA_AIR_PROTOCOL, struct.pack("!HHB", antenna, 1, AIR_C1G2))
        for antenna in about.antennas
    )
    maker = VENDOR if about.impinj else NOBODY
    return tlv(
        Param.GENERAL_DEVICE_CAPABILITIES,
        struct.pack("!HHII", max(about.antennas), HAS_UTC_CLOCK if about.has_utc else 0, maker, MODEL)
        + text(FIRMWARE)
        + tlv(Param.RECEIVE_SENSITIVITY_ENTRY, struct.pack("!HH", 1, 0))
        + tlv(Param.GPIO_CAPABILITIES, struct.pack("!HH", about.inputs, 0))
        + air,
    )


def _llrp() -> bytes:
    warns_and_holds = 0x48  # CanReportBufferFillWarning, SupportsEventAndReportHolding
    return tlv(
        Param.LLRP_CAPABILITIES,
        struct.pack("!BBHIIIII", warns_and_holds, 0, 0, MAX_ROSPECS, 16, 1, 0, 0),
    )


def _regulatory(about: About) -> bytes:
    powers = b"".join(
        tlv(Param.TRANSMIT_POWER_ENTRY, struct.pack("!Hh", index, centi_dbm))
        for index, centi_dbm in enumerate(about.powers_centi_dbm, start=1)
    )
    table = tlv(
        Param.FIXED_FREQUENCY_TABLE,
        struct.pack(f"!H{len(CHANNELS_KHZ)}I", len(CHANNELS_KHZ), *CHANNELS_KHZ),
    )
    frequencies = tlv(Param.FREQUENCY_INFORMATION, b"\0" + table)
    mode = tlv(
        Param.UHF_RF_MODE_ENTRY,
        struct.pack("!IBBBBIIIII", MODE, 0x80, 2, 2, 2, 250_000, 1500, TARI_NS, TARI_NS, 0),
    )
    band = tlv(Param.UHF_BAND_CAPABILITIES, powers + frequencies + tlv(Param.UHF_RF_MODE_TABLE, mode))
    return tlv(Param.REGULATORY_CAPABILITIES, struct.pack("!HH", COUNTRY, ETSI_302_208) + band)
