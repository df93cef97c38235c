"""What an Impinj reader adds once it is asked to: the parts of its Octane LLRP extensions that a gate uses.

Source: Impinj's Octane LLRP extensions. Vendor 25882; a message has a subtype of one byte, a parameter of four.
"""

import struct
from collections.abc import Iterable
from enum import IntEnum
from zlib import crc32

from simulators.llrp.layout import Param, Status, tlv
from simulators.llrp.parse import Found, Refused, parameter_error, parameters, unpack

VENDOR = 25882
ENABLE_EXTENSIONS, ENABLE_EXTENSIONS_RESPONSE = 21, 22
_MESSAGE = struct.Struct("!IB")
_PARAMETER = struct.Struct("!II")


class Extra(IntEnum):
    """Subtypes of the parameters that switch on what is said of each tag."""

    SERIALIZED_TID = 51
    PHASE = 52
    PEAK_RSSI = 53
    DOPPLER = 67


_SEARCH_MODE = 23
_CONTENT_SELECTOR = 50
_SAID_AS = {Extra.SERIALIZED_TID: 55, Extra.PHASE: 56, Extra.PEAK_RSSI: 57, Extra.DOPPLER: 68}


def asks_for_extensions(body: bytes) -> bool:
    """Whether the body of a CUSTOM_MESSAGE is IMPINJ_ENABLE_EXTENSIONS."""
    return len(body) >= _MESSAGE.size and _MESSAGE.unpack_from(body) == (VENDOR, ENABLE_EXTENSIONS)


def answer(status: bytes) -> bytes:
    """The body of IMPINJ_ENABLE_EXTENSIONS_RESPONSE."""
    return _MESSAGE.pack(VENDOR, ENABLE_EXTENSIONS_RESPONSE) + status


def _of_ours(found: Found, subtype: int, inside: str) -> bytes:
    """The content of a parameter of ours. Raises Refused when it is another's, or another one."""
    if found.kind != Param.CUSTOM or unpack("II", found.body, found.kind) != (VENDOR, subtype):
        raise parameter_error(found.kind, Status.UNSUPPORTED_PARAMETER, f"{inside}: not known here")
    return found.body[_PARAMETER.size :]


def extras(found: Iterable[Found]) -> frozenset[Extra]:
    """What a client wants to know of each tag: its Custom parameters of a ROReportSpec. Raises Refused."""
    wanted = set()
    for each in found:
        for switch in parameters(_of_ours(each, _CONTENT_SELECTOR, "ROReportSpec")):
            known = [extra for extra in Extra if unpack("II", switch.body, switch.kind) == (VENDOR, extra)]
            if switch.kind != Param.CUSTOM or not known:
                raise Refused(Status.PARAMETER_ERROR, "ImpinjTagReportContentSelector: not known here")
            if unpack("H", switch.body[_PARAMETER.size :], switch.kind) == (1,):
                wanted.add(known[0])
    return frozenset(wanted)


def check_search_mode(found: Found) -> None:
    """Raises Refused for anything but a search mode that there is."""
    (mode,) = unpack("H", _of_ours(found, _SEARCH_MODE, "C1G2InventoryCommand"), found.kind)
    if mode > 3:
        raise parameter_error(found.kind, Status.OUT_OF_RANGE, f"search mode {mode}: there are 0 to 3")


def said(extra: Extra, epc: bytes, antenna: int, channel: int, rssi_dbm: float) -> bytes:
    """One thing that is said of a tag.

    Assumed, for the world knows neither: phase is the same whenever a tag that stands is read by one antenna on one
    channel; the TID is the tag's own for ever; nothing moves fast enough for a Doppler shift.
    """
    match extra:
        case Extra.SERIALIZED_TID:
            content = struct.pack("!H", 6) + bytes.fromhex("E2801160") + crc32(epc).to_bytes(8, "big")
        case Extra.PHASE:
            content = struct.pack("!H", crc32(epc + bytes((antenna & 0xFF, channel & 0xFF))) % 4096)
        case Extra.PEAK_RSSI:
            content = struct.pack("!h", round(rssi_dbm * 100))
        case Extra.DOPPLER:
            content = struct.pack("!h", 0)
    return tlv(Param.CUSTOM, _PARAMETER.pack(VENDOR, _SAID_AS[extra]) + content)
