"""What Impinj's readers can beyond the standard, once asked. Source: Impinj's Octane LLRP extensions.

A vendor's message and parameter begin with its IANA private enterprise number and a type of its own.
"""

import struct
from enum import IntEnum

from edge.readers.llrp.protocol.params import IMPINJ, VENDOR, tlv

_CUSTOM = 1023
_U16 = struct.Struct("!H")

# IMPINJ_ENABLE_EXTENSIONS (21), whose answer is 22: must come first in each connection. Four reserved bytes.
ENABLE_EXTENSIONS = struct.pack("!IB", IMPINJ, 21) + bytes(4)
ANSWER_HEAD = struct.calcsize("!IB")  # before the LLRPStatus of the answer to a vendor's message

_SEARCH_MODE = 23
_TAG_REPORT_CONTENT_SELECTOR = 50
_ENABLE_SERIALIZED_TID, _ENABLE_RF_PHASE_ANGLE, _ENABLE_PEAK_RSSI = 51, 52, 53


class Search(IntEnum):
    """Which tags answer again: by their flag A or B in the session."""

    SINGLE = 1  # from A to B, and then quiet until the flag falls back
    DUAL = 2  # from A to B and from B to A: again and again
    FOCUS = 3  # once, and then quiet as long as it has power (session 1)


def _custom(subtype: int, content: bytes) -> bytes:
    return tlv(_CUSTOM, VENDOR.pack(IMPINJ, subtype), content)


def search_mode(mode: Search) -> bytes:
    """Belongs in a C1G2InventoryCommand, behind all others."""
    return _custom(_SEARCH_MODE, _U16.pack(mode))


def content_selector(*, tid: bool) -> bytes:
    """Belongs in an ROReportSpec: phase and fine strength with each tag, and its serialized TID if asked for."""
    wanted = [_ENABLE_RF_PHASE_ANGLE, _ENABLE_PEAK_RSSI]
    if tid:
        wanted.insert(
            0, _ENABLE_SERIALIZED_TID
        )  # in the order of their numbers, as the definition lists them
    return _custom(
        _TAG_REPORT_CONTENT_SELECTOR, b"".join(_custom(subtype, _U16.pack(1)) for subtype in wanted)
    )
