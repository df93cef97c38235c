"""Tags are written as GS1's own examples are (EPC Tag Data Standard, annex E.3)."""

import pytest

from simulators.epc import check_digit, sgtin_96, sscc_96


def test_writes_the_standards_sgtin() -> None:
    assert (
        sgtin_96("80614141123458", company_prefix="0614141", serial=6789, filter_value=3)
        == "3074257BF7194E4000001A85"
    )


def test_writes_the_standards_sscc() -> None:
    # The standard's example has extension digit 1 and filter 3: urn:epc:id:sscc:0614141.1234567890
    assert (
        sscc_96(company_prefix="0614141", extension=1, serial=234567890, filter_value=3)
        == "3174257BF4499602D2000000"
    )


@pytest.mark.parametrize(
    "digits, expected", [("8061414112345", "8"), ("0950600013435", "2"), ("10614141234567890", "8")]
)
def test_check_digits(digits: str, expected: str) -> None:
    assert check_digit(digits) == expected


@pytest.mark.parametrize(
    "gtin, prefix, serial, complaint",
    [
        ("80614141123457", "0614141", 1, "should end in 8"),
        ("80614141123458", "9506000", 1, "company prefix '9506000'"),
        ("8061414112345", "0614141", 1, "14 digits"),
        ("80614141123458", "0614141", 1 << 38, "does not fit 38 bits"),
    ],
)
def test_refuses_what_cannot_be_written(gtin: str, prefix: str, serial: int, complaint: str) -> None:
    with pytest.raises(ValueError, match=complaint):
        sgtin_96(gtin, company_prefix=prefix, serial=serial, filter_value=1)


def test_refuses_a_serial_reference_with_too_many_digits() -> None:
    with pytest.raises(ValueError, match="more than 9 digits"):
        sscc_96(company_prefix="0614141", extension=1, serial=10**9)
