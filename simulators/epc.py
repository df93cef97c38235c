"""Writes EPCs into 96 bits, as a label printer would.

Source: GS1 EPC Tag Data Standard 1.13, sections 14.5.1 (SGTIN-96) and 14.5.2 (SSCC-96), and their partition
tables 14-2 and 14-5. The simulators share no code with what decodes these tags.
"""

SGTIN_96 = 0x30
SSCC_96 = 0x31

# Digits of the company prefix -> (partition, its bits, bits of the reference). Tables 14-2 and 14-5.
SGTIN_PARTITIONS = {
    12: (0, 40, 4),
    11: (1, 37, 7),
    10: (2, 34, 10),
    9: (3, 30, 14),
    8: (4, 27, 17),
    7: (5, 24, 20),
    6: (6, 20, 24),
}
SSCC_PARTITIONS = {
    12: (0, 40, 18),
    11: (1, 37, 21),
    10: (2, 34, 24),
    9: (3, 30, 28),
    8: (4, 27, 31),
    7: (5, 24, 34),
    6: (6, 20, 38),
}
SGTIN_SERIAL_BITS = 38
SSCC_SPARE_BITS = 24


def check_digit(digits: str) -> str:
    """The GS1 check digit of a number without it: weights 3 and 1 from the right."""
    total = sum(int(digit) * (3 if place % 2 == 0 else 1) for place, digit in enumerate(reversed(digits)))
    return str(-total % 10)


def sgtin_96(gtin: str, *, company_prefix: str, serial: int, filter_value: int) -> str:
    """The tag of one trade item: 24 hexadecimal digits in upper case.

    Args:
        gtin: 14 digits, check digit included.
        company_prefix: the 6 to 12 digits that follow the indicator digit; a GTIN does not say how many.
        serial: below 2**38.
        filter_value: 0 to 7; 1 is a point-of-sale item, 2 a full case.

    Raises:
        ValueError: a number that cannot be written, with the number.
    """
    if len(gtin) != 14 or not gtin.isdecimal() or gtin[1 : 1 + len(company_prefix)] != company_prefix:
        raise ValueError(f"GTIN {gtin!r} does not have 14 digits with company prefix {company_prefix!r}")
    if check_digit(gtin[:13]) != gtin[13]:
        raise ValueError(f"GTIN {gtin!r} should end in {check_digit(gtin[:13])}")
    if not 0 <= serial < 1 << SGTIN_SERIAL_BITS:
        raise ValueError(f"serial {serial} does not fit {SGTIN_SERIAL_BITS} bits")
    partition, prefix_bits, reference_bits = SGTIN_PARTITIONS[len(company_prefix)]
    reference = int(gtin[0] + gtin[1 + len(company_prefix) : 13])
    value = SGTIN_96 << 3 | filter_value
    value = value << 3 | partition
    value = value << prefix_bits | int(company_prefix)
    value = value << reference_bits | reference
    return f"{value << SGTIN_SERIAL_BITS | serial:024X}"


def sscc_96(*, company_prefix: str, extension: int, serial: int, filter_value: int = 6) -> str:
    """The tag of one logistic unit: 24 hexadecimal digits in upper case. Filter 6 is a unit load.

    Raises:
        ValueError: the serial reference does not fit the digits that the company prefix leaves.
    """
    partition, prefix_bits, reference_bits = SSCC_PARTITIONS[len(company_prefix)]
    digits = 16 - len(company_prefix)
    if not 0 <= serial < 10**digits:
        raise ValueError(f"serial reference {serial} has more than {digits} digits")
    value = SSCC_96 << 3 | filter_value
    value = value << 3 | partition
    value = value << prefix_bits | int(company_prefix)
    value = value << reference_bits | (extension * 10**digits + serial)
    return f"{value << SSCC_SPARE_BITS:024X}"
