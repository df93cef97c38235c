"""What a client says to a reader: whole messages, ready to be sent. Source: LLRP 1.1, section 17.1."""

import struct
from collections.abc import Sequence

from edge.readers.llrp.protocol.framing import HEADER
from edge.readers.llrp.protocol.params import tlv
from edge.readers.llrp.protocol.types import Type

ALL_CAPABILITIES = b"\x00"  # RequestedData 0

# Events a reader can be asked to report (ReaderEventType of EventNotificationState, section 17.2.7.2).
_EVENTS_WANTED = {
    0: False,  # hopping to another channel
    1: True,  # an input changed
    2: True,  # an ROSpec started or ended
    3: True,  # the report buffer fills up
    4: True,  # an exception in the reader
    5: False,  # RF survey
    6: False,  # AISpec ended
    7: False,  # AISpec ended, with singulation details
    8: True,  # an antenna was connected or lost
}

# TagReportContentSelector (section 17.2.7.1.1): AntennaID, ChannelIndex, PeakRSSI, FirstSeen-, LastSeenTimestamp,
# TagSeenCount.
_CONTENT = 0x1000 | 0x0800 | 0x0400 | 0x0200 | 0x0100 | 0x0080


def message(type: Type, message_id: int, body: bytes = b"", *, version: int = 1) -> bytes:
    """`version` 1 is LLRP 1.0.1, 2 is 1.1: what we use is laid out alike in both."""
    return HEADER.pack(version << 10 | type, HEADER.size + len(body), message_id) + body


def rospec_id(rospec: int) -> bytes:
    """The body of DELETE_, START_ and ENABLE_ROSPEC."""
    return struct.pack("!I", rospec)


def keepalive_config(keepalive_ms: int) -> bytes:
    """The body of a SET_READER_CONFIG that asks for a KEEPALIVE in each period and leaves the rest as it is."""
    return b"\x00" + tlv(220, struct.pack("!BI", 1, keepalive_ms))


def full_config(keepalive_ms: int, gpis: int, *, hold: bool) -> bytes:
    """As `keepalive_config`; besides, events of interest, `gpis` inputs switched on, and holding of reports.

    To hold is to keep events and reports that come up while no client is connected until the next one is ready for them
    (HoldEventsAndReportsUponReconnect, section 13.2.6.4).
    """
    states = [tlv(245, struct.pack("!HB", event, wanted << 7)) for event, wanted in _EVENTS_WANTED.items()]
    inputs = [
        tlv(225, struct.pack("!HBB", port, 1 << 7, 2)) for port in range(1, gpis + 1)
    ]  # 2: level not said
    return (
        keepalive_config(keepalive_ms) + tlv(244, *states) + b"".join(inputs) + tlv(226, bytes([hold << 7]))
    )


def antenna_configuration(antenna: int, *settings: bytes) -> bytes:
    """What one antenna is told, 0 for all: the parameters below, in this order."""
    return tlv(222, struct.pack("!H", antenna), *settings)


def rf_transmitter(hop_table: int, channel: int, power: int) -> bytes:
    """`power` is an index of the reader's table; of hop table and channel the one that its region has no use for is
    passed over."""
    return tlv(224, struct.pack("!HHH", hop_table, channel, power))


def inventory_command(*controls: bytes) -> bytes:
    """How to talk to Gen2 tags: the parameters below, in this order, and a vendor's own behind them."""
    return tlv(330, b"\x00", *controls)


def rf_control(mode: int, tari_ns: int) -> bytes:
    """Tari 0 leaves it to the reader."""
    return tlv(335, struct.pack("!HH", mode, tari_ns))


def singulation_control(session: int, population: int, transit_ms: int) -> bytes:
    return tlv(336, struct.pack("!BHI", session << 6, population, transit_ms))


def add_rospec(rospec: int, antennas: Sequence[int], told: bytes = b"", selector: bytes = b"") -> bytes:
    """The body of an ADD_ROSPEC that reads by itself and for ever, and reports each read of a tag.

    Args:
        rospec: its number, by which it is known again.
        antennas: to read on; 0 is all.
        told: to the antennas, as AntennaConfiguration parameters; empty leaves the air as the reader is set.
        selector: a vendor's own, of what to report beyond the standard's fields.
    """
    start = tlv(179, b"\x01")  # ROSpecStartTrigger: Immediate, as soon as it is enabled
    stop = tlv(182, struct.pack("!BI", 0, 0))  # ROSpecStopTrigger: Null
    places = struct.pack(f"!H{len(antennas)}H", len(antennas), *antennas)
    inventory = tlv(186, struct.pack("!HB", 1, 1), told)  # InventoryParameterSpec 1 of air protocol 1, Gen2
    scan = tlv(183, places, tlv(184, struct.pack("!BI", 0, 0)), inventory)  # AISpecStopTrigger: Null
    content = tlv(238, struct.pack("!H", _CONTENT), tlv(348, b"\x00"))
    report = tlv(
        237, struct.pack("!BH", 2, 1), content, selector
    )  # after every tag, and at the end of the ROSpec
    return tlv(177, struct.pack("!IBB", rospec, 0, 0), tlv(178, start, stop), scan, report)


# GET_READER_CONFIG's body: AntennaConfiguration (3) of all antennas; no input and no output.
PRESENT_ANTENNAS = struct.pack("!HBHH", 0, 3, 0, 0)
