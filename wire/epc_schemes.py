"""The tables of the GS1 EPC Tag Data Standard that `wire.epc` decodes by.

Source: TDS 2.3, table 14-1 (headers and lengths), section 14.6 (coding and partition tables of the schemes below,
unchanged since TDS 1.13), annex A (the 82 characters of a serial number and how a URI writes them).
"""

from collections.abc import Mapping
from dataclasses import dataclass

# Partition value -> (bits, digits) of the GS1 Company Prefix; the reference takes what is left of both. The same in
# every scheme's partition table (section 14.6).
COMPANY = ((40, 12), (37, 11), (34, 10), (30, 9), (27, 8), (24, 7), (20, 6))

SEGMENT = 7  # bits of one character ("String", section 14.4.2)


@dataclass(frozen=True, slots=True, kw_only=True)
class Scheme:
    """One coding table: header (8 bits), filter (3), partition (3), company prefix and reference, tail.

    `reference` is "padded" (a number of so many digits as the company prefix leaves of `digits`), "number" (without
    leading zeros) or "text". `tail` is "number", "text" or "zeros" (reserved bits), and of `tail_bits` bits.
    """

    name: str
    family: str
    bits: int  # of the whole, header included
    body_bits: int  # company prefix and reference together
    digits: int = 0
    reference: str = "padded"
    tail: str = "number"
    tail_bits: int = 0
    characters: tuple[int, ...] = ()  # the most that a text reference has, by partition value


GIAI_202_CHARACTERS = (18, 19, 20, 21, 22, 23, 24)  # section 14.6, GIAI-202

PARTITIONED: Mapping[int, Scheme] = {
    0x30: Scheme(name="sgtin-96", family="sgtin", bits=96, body_bits=44, digits=13, tail_bits=38),
    0x31: Scheme(name="sscc-96", family="sscc", bits=96, body_bits=58, digits=17, tail="zeros", tail_bits=24),
    0x32: Scheme(name="sgln-96", family="sgln", bits=96, body_bits=41, digits=12, tail_bits=41),
    0x33: Scheme(name="grai-96", family="grai", bits=96, body_bits=44, digits=12, tail_bits=38),
    0x34: Scheme(name="giai-96", family="giai", bits=96, body_bits=82, reference="number"),
    0x36: Scheme(
        name="sgtin-198", family="sgtin", bits=198, body_bits=44, digits=13, tail="text", tail_bits=140
    ),
    0x37: Scheme(
        name="grai-170", family="grai", bits=170, body_bits=44, digits=12, tail="text", tail_bits=112
    ),
    0x38: Scheme(
        name="giai-202",
        family="giai",
        bits=202,
        body_bits=188,
        reference="text",
        characters=GIAI_202_CHARACTERS,
    ),
    0x39: Scheme(
        name="sgln-195", family="sgln", bits=195, body_bits=41, digits=12, tail="text", tail_bits=140
    ),
}

# GID-96 has no filter and no partition: manager number, object class, serial number (section 14.6).
GID = 0x35
GID_NAME, GID_BITS = "gid-96", 96
GID_CLASS_BITS, GID_SERIAL_BITS = 24, 36

# Every header that table 14-1 assigns to a scheme; those not decoded here are given back raw under this name.
HEADERS: Mapping[int, str] = {
    0x2C: "gdti-96",
    0x2D: "gsrn-96",
    0x2E: "gsrnp-96",
    0x2F: "usdod-96",
    **{header: scheme.name for header, scheme in PARTITIONED.items()},
    GID: GID_NAME,
    0x3A: "gdti-113",
    0x3B: "adi-var",
    0x3C: "cpi-96",
    0x3D: "cpi-var",
    0x3E: "gdti-174",
    0x3F: "sgcn-96",
    0x40: "itip-110",
    0x41: "itip-212",
    # With a custom domain name behind the serial number, new in TDS 2.3.
    0xE6: "cpi++",
    0xE7: "gsrn++",
    0xE8: "gsrnp++",
    0xE9: "sgln++",
    0xEA: "gdti++",
    0xEB: "grai++",
    0xEC: "sgcn++",
    0xED: "itip++",
    0xEE: "giai++",
    0xEF: "sscc++",
    # With other data behind the EPC, new in TDS 2.0.
    0xF0: "cpi+",
    0xF1: "grai+",
    0xF2: "sgln+",
    0xF3: "itip+",
    0xF4: "gsrn+",
    0xF5: "gsrnp+",
    0xF6: "gdti+",
    0xF7: "sgtin+",
    0xF8: "sgcn+",
    0xF9: "sscc+",
    0xFA: "giai+",
    0xFB: "dsgtin+",
    0xFC: "dsgtin++",
    0xFD: "sgtin++",
}

# Table A-1: what a serial number may be made of, and the seven characters that a URI escapes.
CHARACTERS = frozenset("!\"%&'()*+,-./0123456789:;<=>?ABCDEFGHIJKLMNOPQRSTUVWXYZ_abcdefghijklmnopqrstuvwxyz")
ESCAPES = str.maketrans({character: f"%{ord(character):02X}" for character in '"%&/<>?'})
