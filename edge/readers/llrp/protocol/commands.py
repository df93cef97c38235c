"""What a client says to a reader: whole messages, ready to be sent. Source: LLRP 1.1, section 17.1."""

import struct
from enum import IntEnum

from edge.readers.llrp.protocol.framing import HEADER
from edge.readers.llrp.protocol.params import tlv

_VERSION = 1  # 1.0.1: what we use is the same in 1.1, and a reader answers in the version it is asked in


class Type(IntEnum):
    """The message types that we send or understand. Source: LLRP 1.1, Table 3."""

    GET_READER_CAPABILITIES = 1
    SET_READER_CONFIG = 3
    CLOSE_CONNECTION_RESPONSE = 4
    GET_READER_CAPABILITIES_RESPONSE = 11
    SET_READER_CONFIG_RESPONSE = 13
    CLOSE_CONNECTION = 14
    ADD_ROSPEC = 20
    DELETE_ROSPEC = 21
    START_ROSPEC = 22
    ENABLE_ROSPEC = 24
    GET_ROSPECS = 26
    ADD_ROSPEC_RESPONSE = 30
    DELETE_ROSPEC_RESPONSE = 31
    START_ROSPEC_RESPONSE = 32
    ENABLE_ROSPEC_RESPONSE = 34
    GET_ROSPECS_RESPONSE = 36
    RO_ACCESS_REPORT = 61
    KEEPALIVE = 62
    READER_EVENT_NOTIFICATION = 63
    ENABLE_EVENTS_AND_REPORTS = 64
    KEEPALIVE_ACK = 72
    ERROR_MESSAGE = 100


ANSWER_TO = {
    Type.GET_READER_CAPABILITIES: Type.GET_READER_CAPABILITIES_RESPONSE,
    Type.SET_READER_CONFIG: Type.SET_READER_CONFIG_RESPONSE,
    Type.CLOSE_CONNECTION: Type.CLOSE_CONNECTION_RESPONSE,
    Type.ADD_ROSPEC: Type.ADD_ROSPEC_RESPONSE,
    Type.DELETE_ROSPEC: Type.DELETE_ROSPEC_RESPONSE,
    Type.START_ROSPEC: Type.START_ROSPEC_RESPONSE,
    Type.ENABLE_ROSPEC: Type.ENABLE_ROSPEC_RESPONSE,
    Type.GET_ROSPECS: Type.GET_ROSPECS_RESPONSE,
}

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


def message(type: Type, message_id: int, body: bytes = b"") -> bytes:
    return HEADER.pack(_VERSION << 10 | type, HEADER.size + len(body), message_id) + body


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


def read_all_antennas(rospec: int, session: int | None) -> bytes:
    """The body of an ADD_ROSPEC that reads on all antennas, by itself and for ever, a report for each read of a tag.

    Args:
        rospec: its number, by which it is known again.
        session: of Gen2, 0 to 3; None leaves it, and all else about the air, as the reader is set.
    """
    start = tlv(179, b"\x01")  # ROSpecStartTrigger: Immediate, as soon as it is enabled
    stop = tlv(182, struct.pack("!BI", 0, 0))  # ROSpecStopTrigger: Null
    antennas = struct.pack("!HH", 1, 0)  # one antenna ID, and 0 stands for all
    air = b""
    if session is not None:
        # The reader weighs population and transit time by itself: 32 tags, 0 for unknown.
        singulation = tlv(336, struct.pack("!BHI", session << 6, 32, 0))
        air = tlv(222, struct.pack("!H", 0), tlv(330, b"\x00", singulation))
    inventory = tlv(186, struct.pack("!HB", 1, 1), air)  # InventoryParameterSpec 1 of air protocol 1, Gen2
    scan = tlv(183, antennas, tlv(184, struct.pack("!BI", 0, 0)), inventory)  # AISpecStopTrigger: Null
    content = tlv(238, struct.pack("!H", _CONTENT), tlv(348, b"\x00"))
    report = tlv(237, struct.pack("!BH", 2, 1), content)  # after every tag, and at the end of the ROSpec
    return tlv(177, struct.pack("!IBB", rospec, 0, 0), tlv(178, start, stop), scan, report)
