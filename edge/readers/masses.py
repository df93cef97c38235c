"""Units of mass as scales write them. Pure."""

import re

from edge.errors import ProtocolError

# Exact by definition, but for the troy ounce's last digit: NIST Handbook 44, appendix C. What has one name and several
# values (tael, and "t", which is a tonne on floor scales and a tola on some balances) is left to each driver.
GRAMS = {
    "mg": 0.001,
    "g": 1.0,
    "kg": 1000.0,
    "t": 1_000_000.0,
    "ct": 0.2,  # metric carat
    "lb": 453.59237,  # international pound
    "oz": 28.349523125,  # a sixteenth of it
    "ozt": 31.1034768,  # troy ounce
    "dwt": 1.55517384,  # pennyweight, a twentieth of it
    "gn": 0.06479891,  # grain
}
SHOWN = "mg, g, kg, lb, oz"  # what a shelf's scale may be set to, for messages
_POWERS = {"mg": "e-3", "g": "", "kg": "e3", "t": "e6"}  # moves the point: 1.001 * 1000 is not quite 1001
_NUMBER = re.compile(r"([+-]?) *(\d{1,12}(?:\.\d{0,9})?|\.\d{1,9})", re.ASCII)


def number(text: str, power: str = "") -> float:
    """A displayed number, times a power of ten ("e3"). Its sign may stand apart, and it may have no decimal point.

    Raises:
        ProtocolError: it is none; exponents, separators and words such as "nan" are not shown by scales.
    """
    found = _NUMBER.fullmatch(text.strip(" "))
    if found is None:
        raise ProtocolError(f"{text[:40]!r} is no weight")
    return float(f"{found[1]}{found[2]}{power}")


def grams(text: str, unit: str) -> float:
    """A displayed weight in grams; "Kg" and "LB" are understood as they are meant.

    Raises:
        ProtocolError: no number, or a unit that is no mass.
    """
    name = unit.strip(" ").lower()
    if (power := _POWERS.get(name)) is not None:
        return number(text, power)
    if (factor := GRAMS.get(name)) is None:
        raise ProtocolError(f"the scale shows {unit[:20]!r}, which is no mass; set it to one of {SHOWN}")
    return number(text) * factor
