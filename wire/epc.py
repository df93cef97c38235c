"""What an EPC means: from the hexadecimal digits on a tag to GTIN, SSCC and pure identity URI.

Source: GS1 EPC Tag Data Standard 1.13, sections 14.2 (partition tables) and 14.6 (schemes); check digit by the GS1
General Specifications, section 7.9. A tag may hold anything, so nothing here raises: what is no EPC of a scheme
listed below comes back as `raw`.
"""

from dataclasses import dataclass
from functools import lru_cache

RAW = "raw"

# Partition value -> (bits, digits) of the GS1 Company Prefix; the reference takes what is left of both.
_COMPANY = ((40, 12), (37, 11), (34, 10), (30, 9), (27, 8), (24, 7), (20, 6))


@dataclass(frozen=True, slots=True)
class _Scheme:
    """A 96-bit scheme: header, filter (3 bits), partition (3), company prefix and reference, tail.

    The first digit of the reference is the indicator (GTIN) or extension digit (SSCC), which the GS1 key puts first.
    """

    name: str
    key_bits: int  # company prefix and reference together
    key_digits: int
    tail_bits: int  # a serial number, or zeros
    has_serial: bool


_SCHEMES = {
    0x30: _Scheme("sgtin-96", key_bits=44, key_digits=13, tail_bits=38, has_serial=True),
    0x31: _Scheme("sscc-96", key_bits=58, key_digits=17, tail_bits=24, has_serial=False),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Epc:
    """One decoded EPC.

    `hex` is the tag's own digits in upper case; `gtin` (14 digits) or `sscc` (18), where the scheme has one;
    `serial` as digits without leading zeros; `uri` is the pure identity URI; `filter` is the tag's filter value.
    """

    hex: str
    scheme: str = RAW
    filter: int | None = None
    company_prefix: str | None = None
    gtin: str | None = None
    sscc: str | None = None
    serial: str | None = None
    uri: str | None = None


@lru_cache(maxsize=65536)  # a tag is read tens of times a passage; 65,536 of them take about 40 MB
def decode(digits: str) -> Epc:
    """Say what an EPC means. Never raises; `scheme` is "raw" for what is not understood."""
    raw = Epc(hex=digits.upper())
    if len(digits) != 24:
        return raw
    try:
        value = int(digits, 16)
    except ValueError:
        return raw
    scheme = _SCHEMES.get(value >> 88)
    partition = value >> 82 & 0b111
    if scheme is None or partition >= len(_COMPANY):
        return raw
    company_bits, company_digits = _COMPANY[partition]
    reference_bits = scheme.key_bits - company_bits
    reference_digits = scheme.key_digits - company_digits
    tail = value & (1 << scheme.tail_bits) - 1
    reference = value >> scheme.tail_bits & (1 << reference_bits) - 1
    company = value >> scheme.tail_bits + reference_bits & (1 << company_bits) - 1
    if company >= 10**company_digits or reference >= 10**reference_digits or (tail and not scheme.has_serial):
        return raw
    return _named(
        scheme,
        raw.hex,
        value >> 85 & 0b111,
        f"{company:0{company_digits}}",
        f"{reference:0{reference_digits}}",
        tail,
    )


def _named(scheme: _Scheme, digits: str, filter_value: int, company: str, reference: str, tail: int) -> Epc:
    key = reference[0] + company + reference[1:]
    key += check_digit(key)
    if scheme.has_serial:
        return Epc(
            hex=digits,
            scheme=scheme.name,
            filter=filter_value,
            company_prefix=company,
            gtin=key,
            serial=str(tail),
            uri=f"urn:epc:id:sgtin:{company}.{reference}.{tail}",
        )
    return Epc(
        hex=digits,
        scheme=scheme.name,
        filter=filter_value,
        company_prefix=company,
        sscc=key,
        uri=f"urn:epc:id:sscc:{company}.{reference}",
    )


def check_digit(digits: str) -> str:
    """The GS1 check digit that belongs behind `digits`: weights 3 and 1 from the right."""
    total = sum(int(digit) * (3 if i % 2 == 0 else 1) for i, digit in enumerate(reversed(digits)))
    return str(-total % 10)


def is_key(digits: str) -> bool:
    """Whether a GTIN, SSCC or other GS1 key is all digits and its last one is the right check digit."""
    return (
        digits.isascii() and digits.isdigit() and len(digits) > 1 and check_digit(digits[:-1]) == digits[-1]
    )
