"""A&D and Dini Argeo: fields between commas.

Sources: A&D, EK-L and GC series instruction manuals, "Data format" (ST, US, QT, OL; a second header for comparison,
or for gross and net on indicators; the CSV format has a comma before the unit) and the error codes EC,Exx; Dini Argeo,
DGT4X technical manual, "Communication protocols", and 3590 series technical manual, sections 5.4 and 5.8 (READ, REXT).
"""

import re

from edge.errors import ProtocolError
from edge.readers.ascii_scale.protocol.answers import Answer, Fault, Nothing, NotUnderstood, Weight
from edge.readers.ascii_scale.protocol.cutting import Cutter, Width, lines
from edge.readers.masses import grams, number

_NUMBER = r" *([+-]? *[\d.]+) *"
_AND = re.compile(
    rf"(ST|US|QT),(?:(GS|NT|TR|PT|LO|OK|HI|--),)?{_NUMBER},? *([A-Za-z%]+) *", re.ASCII
)  # status, second header, weight, unit
_AND_RANGE = re.compile(r"(OL|UL),(?:(?:GS|NT|LO|OK|HI|--),)? *([+-]?)[ \d.+E]*,? *[A-Za-z%]* *", re.ASCII)
_AND_ERROR = re.compile(r"EC,E(\d\d)", re.ASCII)
_AND_BUSY = ("02",)  # not ready
_AND_AMBIGUOUS = "t"  # a tonne on platforms, a tola on balances

_DINI = re.compile(rf"(\d\d)?(ST|US),(GS|NT|TR|PT|VL|RZ),{_NUMBER}, *([A-Za-z]*) *", re.ASCII)
# DGT4X: [address] scale status, 1, weight, [PT] tare, pieces, unit; 3590: [address] scale, status, net, [PT] tare,
# one or two numbers, unit. With REXD, date and time follow.
_REXT = re.compile(
    rf"(\d\d)?(\d)(,)?(ST|US),(?:\d,)?{_NUMBER},(?:PT)?{_NUMBER},(?: *\d+,){{1,2}} *([A-Za-z]+) *(?:,[\d/: ]+)?",
    re.ASCII,
)
_DINI_RANGE = re.compile(r"(\d\d)?(?:\d,?)?(OL|UL|ER),[ -~]*", re.ASCII)  # whatever stands for the weight
_DINI_ERROR = re.compile(r"ERR(\d\d)", re.ASCII)
_FAULTS = {"OL": Fault("overload"), "UL": Fault("underload"), "ER": Fault("device_error: ER")}


class And:
    """A&D's standard and CSV formats."""

    def __init__(self) -> None:
        self._lines: Cutter = lines()
        self._width = Width(first_is_whole=True)  # it begins with its status
        self.receive = self._lines.receive
        self.frames = self._lines.frames

    def parse(self, frame: bytes) -> Answer:
        text = frame.decode("ascii", "replace")
        if found := _last(_AND, text):
            status, second, weight, unit = found.groups()
            if second in ("TR", "PT"):
                return Nothing.NO_WEIGHT  # a tare, for the printer
            if unit == _AND_AMBIGUOUS:
                raise ProtocolError("the scale shows 't', which is tonne or tola; set it to kg or g")
            read = Weight(grams(weight, unit), status != "US", net=second == "NT")
            return (
                read
                if self._width.believes(found.end(4) - found.start(), unit, read.grams)
                else Nothing.NO_WEIGHT
            )
        if found := _last(_AND_RANGE, text):
            return Fault("underload" if found[1] == "UL" or found[2] == "-" else "overload")
        if found := _last(_AND_ERROR, text):
            return Nothing.NO_WEIGHT if found[1] in _AND_BUSY else NotUnderstood(f"error E{found[1]}")
        raise ProtocolError(f"not a line in A&D's standard format: {frame[:40]!r}")


class Dini:
    """Dini Argeo's standard and extended strings; on RS-485 with the address of the indicator in front."""

    def __init__(self, address: str | None = None) -> None:
        self._address = address
        self._lines: Cutter = lines()
        self._width = Width(first_is_whole=True)
        self.receive = self._lines.receive
        self.frames = self._lines.frames

    def parse(self, frame: bytes) -> Answer:
        text = frame.decode("ascii", "replace")
        if found := _last(_DINI, text):
            address, status, kind, weight, unit = found.groups()
            if not self._ours(address):
                return Nothing.OTHERS
            if kind in ("TR", "PT"):
                return Nothing.NO_WEIGHT
            if kind in ("VL", "RZ"):
                raise ProtocolError(
                    f"the indicator sends {kind}, its converter's figures; set it to send weights"
                )
            read = Weight(grams(weight, unit), status == "ST", net=kind == "NT")
            return self._whole(read, found.end(5) - found.start(), unit)
        if found := _last(_REXT, text):
            return self._extended(found)
        if found := _last(_DINI_RANGE, text):
            return _FAULTS[found[2]] if self._ours(found[1]) else Nothing.OTHERS
        if found := _last(_DINI_ERROR, text):
            return NotUnderstood(f"error {found[1]}")
        raise ProtocolError(f"not a string of a Dini Argeo indicator: {frame[:40]!r}")

    def _extended(self, found: re.Match[str]) -> Answer:
        address, _, net_first, status, weight, tare, unit = found.groups()
        if not self._ours(address):
            return Nothing.OTHERS
        shown = grams(weight, unit)
        if net_first:  # 3590: the manual says that the weight is net
            read = Weight(shown + grams(tare, unit), status == "ST")
        else:  # DGT4X: the manual does not say
            read = Weight(shown, status == "ST", net=number(tare) != 0.0)
        return self._whole(read, found.end(7) - found.start(), unit)

    def _ours(self, address: str | None) -> bool:
        if address == self._address:
            return True
        if self._address is None:
            raise ProtocolError(f'the indicator says its address, {address}; write address = "{address}"')
        if address is None:
            raise ProtocolError(
                f"the indicator says no address, so it is not in RS-485 mode; leave out address, or set {self._address}"
            )
        return False

    def _whole(self, read: Weight, width: int, unit: str) -> Answer:
        return read if self._width.believes(width, unit, read.grams) else Nothing.NO_WEIGHT


def _last(form: re.Pattern[str], text: str) -> re.Match[str] | None:
    """The first match that ends with the line: noise, or half a line, may stand before it."""
    at = 0
    while found := form.search(text, at):
        if found.end() == len(text):
            return found
        at = found.start() + 1
    return None
