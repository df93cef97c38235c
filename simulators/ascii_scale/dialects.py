"""How each maker writes what an indicator shows. Pure: what is shown in, bytes out.

Sources: A&D EK-L and GC series manuals, "Data format"; Dini Argeo DGT4X technical manual, "Communication protocols",
and 3590 series technical manual, section 5.8; Ohaus RS232 interface manual and Defender 3000 manual, section 5.2;
Sartorius Entris II and GC803S manuals, data output formats; Avery Weigh-Tronix 7821 and Ohaus Courier 7000 manuals,
NCI protocol; METTLER TOLEDO IND445 and KERN FTC manuals, section 5.2. What no manual says is marked as assumed.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from simulators.sics.indicator import Range

GRAMS = {"g": 1.0, "kg": 1000.0, "lb": 453.59237, "oz": 28.349523125}
DECIMALS = {"g": 1, "kg": 4, "lb": 4, "oz": 3}  # about the same division in each


@dataclass(frozen=True, slots=True)
class Shown:
    """What the display says. `grams` is net of `tare_grams`."""

    grams: float
    at_rest: bool
    range: Range
    unit: str
    tare_grams: float = 0.0

    @property
    def number(self) -> str:
        """As displayed: with its sign only below zero."""
        return f"{self.grams / GRAMS[self.unit] + 0.0:.{DECIMALS[self.unit]}f}"

    @property
    def tare(self) -> str:
        return f"{self.tare_grams / GRAMS[self.unit]:.{DECIMALS[self.unit]}f}"


def and_(shown: Shown) -> bytes:
    """A header, nine characters with a sign and leading zeros, three of unit."""
    unit = f"{shown.unit:>3}"
    if shown.range is not Range.WITHIN:
        sign = "+" if shown.range is Range.OVER else "-"
        return f"OL,{sign}9999999E+19{unit}\r\n".encode()
    return f"{'ST' if shown.at_rest else 'US'},{float(shown.number):+09.{DECIMALS[shown.unit]}f}{unit}\r\n".encode()


def and_indicator(shown: Shown) -> bytes:
    """With a second header, gross or net, and eight characters."""
    kind = "NT" if shown.tare_grams else "GS"
    if shown.range is not Range.WITHIN:
        return f"OL,{kind},{'+' if shown.range is Range.OVER else '-'}9999.999{shown.unit:>2}\r\n".encode()
    status = "ST" if shown.at_rest else "US"
    return f"{status},{kind},{float(shown.number):+08.{DECIMALS[shown.unit]}f}{shown.unit:>2}\r\n".encode()


def dini(shown: Shown) -> bytes:
    kind = "NT" if shown.tare_grams else "GS"
    if shown.range is not Range.WITHIN:
        return f"{'OL' if shown.range is Range.OVER else 'UL'},{kind},--------,{shown.unit:>2}\r\n".encode()
    return f"{'ST' if shown.at_rest else 'US'},{kind},{shown.number:>8},{shown.unit:>2}\r\n".encode()


def dini_extended(shown: Shown) -> bytes:
    """As the 3590 answers REXT: net, tare, two zeros."""
    status = {Range.OVER: "OL", Range.UNDER: "UL", Range.WITHIN: "ST" if shown.at_rest else "US"}[shown.range]
    return (
        f"1,{status},{shown.number:>10},  {shown.tare:>10},{'0':>10},{'0':>10},{shown.unit:>2}\r\n".encode()
    )


def ohaus(shown: Shown) -> bytes:
    """Eleven characters, right-justified; what it prints out of range is assumed."""
    if shown.range is not Range.WITHIN:
        return b"Err 8.3\r\n" if shown.range is Range.OVER else b"Err 8.4\r\n"
    legend = "NET" if shown.tare_grams else "   "
    return f"{shown.number:>11} {shown.unit:<5}{' ' if shown.at_rest else '?'}{legend}\r\n".encode()


def sartorius(shown: Shown, header: str = "") -> bytes:
    """Sixteen characters; the unit is blank while it moves."""
    if shown.range is not Range.WITHIN:
        letter = "H" if shown.range is Range.OVER else "L"
        return f"{'Stat  ' if header else ''}{letter:>10}    \r\n".encode()
    sign = "-" if shown.number.startswith("-") else "+"
    unit = shown.unit if shown.at_rest else ""
    return f"{header}{sign} {shown.number.lstrip('-'):>8} {unit:<3}\r\n".encode()


def sartorius_22(shown: Shown) -> bytes:
    return sartorius(shown, "N     ")


def nci(shown: Shown) -> bytes:
    first = 0x30 | (0 if shown.at_rest else 1)
    if shown.range is not Range.WITHIN:
        dashes, second = ("^^^^^^^^", 0x32) if shown.range is Range.OVER else ("________", 0x31)
        return f"\n{dashes}{shown.unit.upper()}\r\n".encode() + bytes([first, second]) + b"\r\x03"
    return f"\n{shown.number:>9}{shown.unit.upper():<2}\r\n".encode() + bytes([first, 0x30]) + b"\r\x03"


def toledo(shown: Shown, *, checksum: bool = True) -> bytes:
    """Six digits without a point, net where there is a tare; kilograms unless it shows pounds or grams."""
    decimals = min(DECIMALS[shown.unit], 3)
    digits = round(abs(shown.grams) / GRAMS[shown.unit] * 10**decimals)
    tare = round(shown.tare_grams / GRAMS[shown.unit] * 10**decimals)
    second = 0x20 | (shown.unit == "kg") << 4 | (not shown.at_rest) << 3 | (shown.grams < 0) << 1
    second |= (shown.range is not Range.WITHIN) << 2 | (shown.range is Range.UNDER) << 1 | (tare != 0)
    third = 0x20 | {"g": 1, "oz": 3}.get(shown.unit, 0)
    block = bytes([0x02, 0x28 | 2 + decimals, second, third]) + f"{digits % 1_000_000:>6}{tare:>6}\r".encode()
    return block + bytes([-sum(block) & 0x7F]) if checksum else block


def toledo_without(shown: Shown) -> bytes:
    return toledo(shown, checksum=False)


@dataclass(frozen=True, slots=True)
class Manner:
    """`sends`: what it writes by itself, if it is set to; `unknown`: what it answers to other questions."""

    sends: Callable[[Shown], bytes]
    answers: Mapping[bytes, Callable[[Shown], bytes]]
    unknown: bytes
    end: bytes = b"\n"  # of a question
    starts: bytes = b""  # has it send by itself


MANNERS: Mapping[str, Manner] = {
    "and": Manner(and_, {b"Q": and_, b"SI": and_}, b"EC,E01\r\n"),
    "and-indicator": Manner(and_indicator, {b"Q": and_indicator}, b"EC,E01\r\n"),
    "dini": Manner(dini, {b"READ": dini, b"R": dini, b"REXT": dini_extended}, b"ERR01\r\n"),
    "ohaus": Manner(ohaus, {b"IP": ohaus, b"P": ohaus}, b"ES\r\n", starts=b"CP"),
    "sartorius": Manner(sartorius, {b"\x1bP": sartorius}, b""),
    "sartorius-22": Manner(sartorius_22, {b"\x1bP": sartorius_22}, b""),
    "nci": Manner(nci, {b"W": nci}, b"\n?\r\x03", end=b"\r"),
    "toledo": Manner(toledo, {}, b""),
    "toledo-without": Manner(toledo_without, {}, b""),
}
