"""GTINs as people write them: 8, 12, 13 or 14 digits, kept as 14."""

import re
from typing import Annotated

from pydantic import AfterValidator

from wire.epc import check_digit, is_key

_AS_NUMBER = re.compile(r"\d+([.,]\d+)?[eE]\+?\d+", re.ASCII)  # 9.50600E+12
LENGTHS = (8, 12, 13, 14)  # GS1 General Specifications, section 3.3: GTIN-8, -12, -13, -14


def gtin14(text: str) -> str:
    """Raises ValueError, saying what would be right."""
    if _AS_NUMBER.fullmatch(text):
        raise ValueError(
            f"a spreadsheet has made a number of it, {text!r}, and has lost its digits: give the column the format "
            "'Text' and write the GTIN in again, of 8, 12, 13 or 14 digits"
        )
    if not text.isascii() or not text.isdigit() or len(text) not in LENGTHS:
        raise ValueError(f"write a GTIN of 8, 12, 13 or 14 digits, not {text!r}")
    if not is_key(text):
        raise ValueError(f"the check digit of {text} would be {check_digit(text[:-1])}")
    return text.zfill(14)


Gtin = Annotated[str, AfterValidator(gtin14)]
