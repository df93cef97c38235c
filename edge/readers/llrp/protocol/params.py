"""Parameters: the two forms that everything inside a message takes. Source: LLRP 1.1, sections 17.2.1 and 17.2.7.3."""

import struct
from collections.abc import Iterator
from typing import NamedTuple

from edge.errors import ProtocolError

# What we hand on of a text that a device wrote.
_LONGEST_WORDS = 200

TLV_HEADER = struct.Struct("!HH")  # 6 reserved bits, 10 of type; length with this header

VENDOR = struct.Struct(
    "!II"
)  # what a Custom parameter begins with: IANA private enterprise number, vendor's own type
IMPINJ = 25882

# The types in the short form (TV: one byte, the type with its top bit set), and how many bytes follow that byte.
TV_SIZES = {
    1: 2,  # AntennaID
    2: 8,  # FirstSeenTimestampUTC
    3: 8,  # FirstSeenTimestampUptime
    4: 8,  # LastSeenTimestampUTC
    5: 8,  # LastSeenTimestampUptime
    6: 1,  # PeakRSSI
    7: 2,  # ChannelIndex
    8: 2,  # TagSeenCount
    9: 4,  # ROSpecID
    10: 2,  # InventoryParameterSpecID
    11: 2,  # C1G2CRC
    12: 2,  # C1G2PC
    13: 12,  # EPC-96
    14: 2,  # SpecIndex
    15: 2,  # ClientRequestOpSpecResult
    16: 4,  # AccessSpecID
    17: 2,  # OpSpecID
    18: 4,  # C1G2SingulationDetails
    19: 2,  # C1G2XPCW1
    20: 2,  # C1G2XPCW2
}


class Param(NamedTuple):
    """One parameter of `body`: its content is body[start:end]. `tv` tells the short form from the long one."""

    type: int
    start: int
    end: int
    tv: bool


def walk(body: bytes, start: int, end: int) -> Iterator[Param]:
    """Each parameter in body[start:end], in order; what is inside one is left to the caller.

    Raises:
        ProtocolError: the bytes do not divide into parameters.
    """
    at = start
    while at < end:
        first = body[at]
        if first & 0x80:
            size = TV_SIZES.get(first & 0x7F)
            if size is None:
                raise ProtocolError(f"LLRP parameter of unknown short type {first & 0x7F}")
            param = Param(first & 0x7F, at + 1, at + 1 + size, True)
        else:
            if end - at < TLV_HEADER.size:
                raise ProtocolError(
                    f"LLRP parameter header cut off after {end - at} bytes: {body[at:end].hex()}"
                )
            head, length = TLV_HEADER.unpack_from(body, at)
            if length < TLV_HEADER.size:
                raise ProtocolError(
                    f"LLRP parameter {head & 0x3FF} of {length} bytes; its header alone has 4"
                )
            param = Param(head & 0x3FF, at + TLV_HEADER.size, at + length, False)
        if param.end > end:
            raise ProtocolError(
                f"LLRP parameter {param.type} runs {param.end - end} bytes over its container"
            )
        yield param
        at = param.end


def unpack(layout: struct.Struct, body: bytes, param: Param) -> tuple[int, ...]:
    """The fixed fields at the front of a parameter.

    Raises:
        ProtocolError: it is shorter than they are.
    """
    if param.end - param.start < layout.size:
        raise ProtocolError(
            f"LLRP parameter {param.type} holds {param.end - param.start} bytes, expected at least {layout.size}"
        )
    return layout.unpack_from(body, param.start)


def tlv(type: int, *content: bytes) -> bytes:
    """One parameter in the long form."""
    inside = b"".join(content)
    return TLV_HEADER.pack(type, TLV_HEADER.size + len(inside)) + inside


def long_params(body: bytes, start: int, end: int) -> Iterator[Param]:
    """The parameters in the long form: where we look for one, a short one of the same number is another thing."""
    return (param for param in walk(body, start, end) if not param.tv)


def words(body: bytes, start: int, size: int, end: int) -> str:
    """A text that the device wrote, fit for a log: printable, and not longer than anyone reads.

    Raises:
        ProtocolError: it runs over the end of its parameter.
    """
    if start + size > end:
        raise ProtocolError(f"LLRP text of {size} bytes in {end - start}")
    text = body[start : start + size].decode("utf-8", "replace")
    return "".join(c if c.isprintable() else "?" for c in text)[:_LONGEST_WORDS]
