"""What an EPC means: from the hexadecimal digits on a tag to GTIN, SSCC, GLN, GRAI, GIAI and the ways to write them.

Source: GS1 EPC Tag Data Standard (TDS) 2.3, section 14.4 (decoding), by the tables in `wire.epc_schemes`; section 7
(what the URI says as GS1 keys); check digit by the GS1 General Specifications, section 7.9. A tag may hold anything,
so nothing here raises: what is no EPC of a scheme decoded here comes back as `raw`, with the reason.

What the standard leaves to nobody's taste, and so is done its way (section 14.4):
  * bits beyond the scheme's own are cut off unread, as readers hand over whole words (step 3); fewer make it raw;
  * SSCC-96's reserved 24 bits have to be zeros (step 5); so have all bits behind a text's last character;
  * partition 7, and a number of more digits than its partition value gives it, make it raw (14.4.3).
"""

import re
from collections.abc import Iterable
from functools import lru_cache
from typing import NamedTuple
from urllib.parse import quote

import msgspec

from wire.epc_schemes import (
    CHARACTERS,
    COMPANY,
    ESCAPES,
    GID,
    GID_BITS,
    GID_CLASS_BITS,
    GID_NAME,
    GID_SERIAL_BITS,
    HEADERS,
    PARTITIONED,
    SEGMENT,
    Scheme,
)

RAW = "raw"
RESOLVER = "https://id.gs1.org"  # of canonical links (GS1 Digital Link Standard: URI Syntax)
UNESCAPED = "'"  # besides letters, digits and -._~: as GS1's own examples of canonical links have it
WORD = 4  # hexadecimal digits of 16 bits: what a tag's length is counted in

_HEXADECIMAL = re.compile("[0-9A-F]{2,}")


class Epc(msgspec.Struct, frozen=True, gc=False, kw_only=True):
    """One decoded EPC. What its scheme does not have is None.

    `hex` is what was given, in upper case. `identity` is the same for every way that readers hand over one tag: the
    scheme's own bits, filled up with zeros to whole words; of a raw EPC, `hex`. `header` names the scheme that the
    first eight bits stand for, understood or not. `why` says in words why an EPC is raw.

    `gtin` has 14 digits, `sscc` 18, `gln` 13; `grai` is what AI 8003 carries (0, 13 digits, serial), `giai` what AI
    8004 does. `serial` is the serial number of an SGTIN, GRAI or GID and the extension of an SGLN, as it is on a label.
    `uri` is the pure identity URI.
    """

    hex: str
    identity: str
    scheme: str = RAW
    header: str | None = None
    why: str | None = None
    filter: int | None = None
    company_prefix: str | None = None
    gtin: str | None = None
    sscc: str | None = None
    gln: str | None = None
    grai: str | None = None
    giai: str | None = None
    serial: str | None = None
    uri: str | None = None

    @property
    def family(self) -> str | None:
        """The kind of thing that the header names, in whatever length: sgtin, sscc, grai, …"""
        return self.header.partition("-")[0].rstrip("+") if self.header else None

    @property
    def tag_uri(self) -> str | None:
        """The EPC Tag URI (TDS, section 12): the pure identity with scheme and filter."""
        if self.uri is None:
            return None
        value = self.uri.split(":", 4)[4]
        return f"urn:epc:tag:{self.scheme}:{value if self.filter is None else f'{self.filter}.{value}'}"

    @property
    def element_string(self) -> str | None:
        """The GS1 element string with its application identifiers in parentheses, as printed under a barcode."""
        parts = self._elements()
        return "".join(f"({identifier}){value}" for identifier, value in parts) if parts else None

    @property
    def digital_link(self) -> str | None:
        """The canonical GS1 Digital Link."""
        parts = self._elements()
        return digital_link(parts) if parts else None

    def _elements(self) -> list[tuple[str, str]]:
        """Application identifiers and their values (GS1 General Specifications, section 3)."""
        if self.gtin is not None and self.serial is not None:
            return [("01", self.gtin), ("21", self.serial)]
        if self.sscc is not None:
            return [("00", self.sscc)]
        if self.gln is not None and self.serial is not None:
            # An SGLN with the extension 0 is the GLN alone (TDS, section 6.3.3).
            return [("414", self.gln)] + ([("254", self.serial)] if self.serial != "0" else [])
        if self.grai is not None:
            return [("8003", self.grai)]
        return [("8004", self.giai)] if self.giai is not None else []


@lru_cache(maxsize=65536)  # a tag is read tens of times a passage; 65,536 SGTIN-96 take 36 MB
def decode(digits: str) -> Epc:
    """Say what an EPC means. Never raises; `scheme` is "raw" for what is not understood."""
    hexadecimal = digits.upper()
    if _HEXADECIMAL.fullmatch(hexadecimal) is None:
        return Epc(hex=hexadecimal, identity=hexadecimal, why="not hexadecimal digits, two at least")
    number = int(hexadecimal[:2], 16)
    header = HEADERS.get(number)
    try:
        scheme = PARTITIONED.get(number)
        if scheme is not None:
            return _partitioned(hexadecimal, scheme)
        if number == GID:
            return _gid(hexadecimal)
        raise _Undecodable(f"{header} is not decoded" if header else f"no scheme has the header {number:02X}")
    except _Undecodable as error:
        return Epc(hex=hexadecimal, identity=hexadecimal, header=header, why=str(error))


class _Undecodable(Exception):
    """The standard's "stop: this binary encoding cannot be decoded". Never leaves this module."""


class _Body(NamedTuple):
    """The fields behind header, filter and partition value. Text is as it is on a label, not as in a URI."""

    company: str
    reference: str
    serial: str | None


def _value(hexadecimal: str, name: str, bits: int) -> int:
    """The scheme's own bits; those behind them are filling."""
    there = 4 * len(hexadecimal)
    if there < bits:
        raise _Undecodable(f"{there} bits, and {name} has {bits}")
    return int(hexadecimal, 16) >> (there - bits)


def _identity(hexadecimal: str, value: int, bits: int) -> str:
    words = -(-bits // 16)
    if len(hexadecimal) == words * WORD and bits % 16 == 0:
        return hexadecimal
    return f"{value << (16 * words - bits):0{words * WORD}X}"


def _partitioned(hexadecimal: str, scheme: Scheme) -> Epc:
    value = _value(hexadecimal, scheme.name, scheme.bits)
    body = _body(value, scheme)
    company, reference, serial = body
    names = _NAMES[scheme.family](body)
    written = reference if scheme.reference != "text" else reference.translate(ESCAPES)
    uri = f"urn:epc:id:{scheme.family}:{company}.{written}"
    if serial is not None:
        uri += "." + (serial.translate(ESCAPES) if scheme.tail == "text" else serial)
    return Epc(
        hex=hexadecimal,
        identity=_identity(hexadecimal, value, scheme.bits),
        scheme=scheme.name,
        header=scheme.name,
        filter=value >> scheme.bits - 11 & 0b111,
        company_prefix=company,
        serial=serial,
        uri=uri,
        **names,
    )


def _body(value: int, scheme: Scheme) -> _Body:
    partition = value >> scheme.bits - 14 & 0b111
    if partition >= len(COMPANY):
        raise _Undecodable(f"partition value {partition}, the highest is {len(COMPANY) - 1}")
    company_bits, company_digits = COMPANY[partition]
    reference_bits = scheme.body_bits - company_bits
    reference = value >> scheme.tail_bits & (1 << reference_bits) - 1
    company = value >> scheme.tail_bits + reference_bits & (1 << company_bits) - 1
    if company >= 10**company_digits:
        raise _Undecodable(f"company prefix {company} has more than {company_digits} digits")
    return _Body(
        f"{company:0{company_digits}}",
        _reference(reference, scheme, partition, reference_bits, scheme.digits - company_digits),
        _tail(value & (1 << scheme.tail_bits) - 1, scheme),
    )


def _reference(reference: int, scheme: Scheme, partition: int, bits: int, digits: int) -> str:
    if scheme.reference == "padded":
        if reference >= 10**digits:
            raise _Undecodable(f"reference {reference} has more than {digits} digits")
        return f"{reference:0{digits}}" if digits else ""
    if scheme.reference == "number":
        return str(reference)
    return _text(reference, bits, scheme.characters[partition])


def _tail(tail: int, scheme: Scheme) -> str | None:
    if scheme.tail == "text":
        return _text(tail, scheme.tail_bits, scheme.tail_bits // SEGMENT)
    if scheme.tail == "zeros":
        if tail:
            raise _Undecodable(f"reserved bits are {tail:X}, not zeros")
        return None
    return str(tail) if scheme.tail_bits else None


def _text(value: int, bits: int, most: int) -> str:
    """Characters of seven bits, then zeros to the end."""
    characters = []
    while value and bits >= SEGMENT:
        bits -= SEGMENT
        characters.append(chr(value >> bits))
        value &= (1 << bits) - 1
    text, end, _ = "".join(characters).partition("\0")
    if value or end:
        raise _Undecodable(f"more than zeros behind {text!r}")
    if not text or len(text) > most:
        raise _Undecodable(f"{len(text)} characters, not 1 to {most}")
    if not CHARACTERS.issuperset(text):
        raise _Undecodable(f"{text!r} has characters that no serial number has")
    return text


def _gid(hexadecimal: str) -> Epc:
    value = _value(hexadecimal, GID_NAME, GID_BITS)
    serial = value & (1 << GID_SERIAL_BITS) - 1
    kind = value >> GID_SERIAL_BITS & (1 << GID_CLASS_BITS) - 1
    manager = value >> GID_SERIAL_BITS + GID_CLASS_BITS & (1 << 28) - 1
    return Epc(
        hex=hexadecimal,
        identity=_identity(hexadecimal, value, GID_BITS),
        scheme=GID_NAME,
        header=GID_NAME,
        serial=str(serial),
        uri=f"urn:epc:id:gid:{manager}.{kind}.{serial}",
    )


def _trade_item(body: _Body) -> dict[str, str]:
    """The first digit of the reference is the indicator, which a GTIN puts first."""
    return {"gtin": _checked(body.reference[0] + body.company + body.reference[1:])}


def _logistic_unit(body: _Body) -> dict[str, str]:
    """The first digit of the reference is the extension digit, which an SSCC puts first."""
    return {"sscc": _checked(body.reference[0] + body.company + body.reference[1:])}


def _location(body: _Body) -> dict[str, str]:
    return {"gln": _checked(body.company + body.reference)}


def _returnable_asset(body: _Body) -> dict[str, str]:
    return {"grai": f"0{_checked(body.company + body.reference)}{body.serial}"}


def _individual_asset(body: _Body) -> dict[str, str]:
    return {"giai": body.company + body.reference}


_NAMES = {
    "sgtin": _trade_item,
    "sscc": _logistic_unit,
    "sgln": _location,
    "grai": _returnable_asset,
    "giai": _individual_asset,
}


def _checked(digits: str) -> str:
    return digits + check_digit(digits)


def digital_link(parts: Iterable[tuple[str, str]]) -> str:
    """The canonical GS1 Digital Link of a key and its qualifiers: application identifiers and their values."""
    return RESOLVER + "".join(f"/{identifier}/{quote(value, safe=UNESCAPED)}" for identifier, value in parts)


def check_digit(digits: str) -> str:
    """The GS1 check digit that belongs behind `digits`: weights 3 and 1 from the right."""
    numbers = [int(digit) for digit in reversed(digits)]
    return str(-(3 * sum(numbers[::2]) + sum(numbers[1::2])) % 10)


def is_key(digits: str) -> bool:
    """Whether a GTIN, SSCC or other GS1 key is all digits and its last one is the right check digit."""
    return (
        digits.isascii() and digits.isdigit() and len(digits) > 1 and check_digit(digits[:-1]) == digits[-1]
    )
