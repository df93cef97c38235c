"""EPC decoding, against the Tag Data Standard's own examples (TDS 1.13, annex E.3) and against anything at all."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from wire.epc import Epc, check_digit, decode, is_key

SGTIN = "3074257BF7194E4000001A85"  # TDS 1.13, annex E.3
SSCC = "3174257BF4499602D2000000"


def test_the_standards_sgtin_96_example() -> None:
    assert decode(SGTIN) == Epc(
        hex=SGTIN,
        scheme="sgtin-96",
        filter=3,
        company_prefix="0614141",
        gtin="80614141123458",
        serial="6789",
        uri="urn:epc:id:sgtin:0614141.812345.6789",
    )


def test_the_standards_sscc_96_example() -> None:
    assert decode(SSCC) == Epc(
        hex=SSCC,
        scheme="sscc-96",
        filter=3,
        company_prefix="0614141",
        sscc="106141412345678908",
        uri="urn:epc:id:sscc:0614141.1234567890",
    )


def test_lower_case_digits_mean_the_same() -> None:
    assert decode(SGTIN.lower()) == decode(SGTIN)


@pytest.mark.parametrize(
    "digits, why",
    [
        ("", "empty"),
        ("3074257BF7194E4000001A8", "a digit short"),
        ("3074257BF7194E4000001A85" * 2, "too long"),
        ("AD3830770CCDD0AD38300206", "no header of a known scheme"),
        ("307C257BF7194E4000001A85", "partition 7 does not exist"),
        ("3017FFFFFF194E4000001A85", "a company prefix of more digits than its partition holds"),
        ("3174257BF4499602D2000001", "an SSCC whose reserved bits are not zero"),
        ("30ZZ257BF7194E4000001A85", "not hexadecimal"),
        (" 74257BF7194E4000001A85+", "not hexadecimal though int() bears signs and blanks"),
    ],
)
def test_what_is_not_understood_is_raw(digits: str, why: str) -> None:
    assert decode(digits) == Epc(hex=digits.upper()), why


@given(st.text(max_size=30) | st.binary(max_size=16).map(bytes.hex))
def test_nothing_on_a_tag_raises(digits: str) -> None:
    assert decode(digits).hex == digits.upper()


@given(
    partition=st.integers(0, 6),
    company=st.integers(0, 10**12 - 1),
    reference=st.integers(0, 10**7 - 1),
    serial=st.integers(0, 2**38 - 1),
    filter_value=st.integers(0, 7),
)
def test_every_sgtin_96_comes_back(
    partition: int, company: int, reference: int, serial: int, filter_value: int
) -> None:
    bits, digits = ((40, 12), (37, 11), (34, 10), (30, 9), (27, 8), (24, 7), (20, 6))[partition]
    company %= 10**digits
    reference %= 10 ** (13 - digits)
    fields = [
        (0x30, 8),
        (filter_value, 3),
        (partition, 3),
        (company, bits),
        (reference, 44 - bits),
        (serial, 38),
    ]
    value = int("".join(f"{number:0{width}b}" for number, width in fields), 2)

    epc = decode(f"{value:024X}")

    assert epc.uri == f"urn:epc:id:sgtin:{company:0{digits}}.{reference:0{13 - digits}}.{serial}"
    assert epc.gtin is not None
    assert is_key(epc.gtin)
    assert epc.filter == filter_value


def test_check_digits_of_published_keys() -> None:
    assert check_digit("629104150021") == "3"  # GS1 General Specifications, figure 7.9.1-1
    assert is_key("10614141000415")
    assert not is_key("10614141000416")
    assert not is_key("1061414100041X")
    assert not is_key("")
