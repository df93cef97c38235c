"""Sartorius SBI: lines of 16 characters, or of 22 with an identification in front, CR LF among them.

Sources: Sartorius, Master series and GC803S manuals, "Data output format": sign, blank or bracket, eight characters of
weight, blank or bracket, three of unit; Entris II and LE2202S manuals, special codes (Stat, High, Low, H, L, C) and
error codes (Err ###). The unit is blank while the weight is not stable.
"""

import re
from collections.abc import Iterator

from edge.errors import ProtocolError
from edge.readers.ascii_scale.protocol.answers import Answer, Fault, Nothing, Weight
from edge.readers.ascii_scale.protocol.cutting import Cutter, lines
from edge.readers.masses import grams

SHORT, LONG = 14, 20  # without the line end
_HEADER = LONG - SHORT
_WEIGHT = re.compile(r"([+ -])([ \[]*[\d.]+(?:\[[\d.]+\]?)?[ \]]*)([A-Za-z%/ ]{3})", re.ASCII)
_SPECIAL: dict[str, Fault | Nothing] = {
    "": Nothing.NO_WEIGHT,  # the display is blank
    "OFF": Nothing.NO_WEIGHT,
    "C": Nothing.NO_WEIGHT,  # it adjusts itself
    "H": Fault("overload"),
    "HH": Fault("overload"),
    "HIGH": Fault("overload"),
    "L": Fault("underload"),
    "LL": Fault("underload"),
    "LOW": Fault("underload"),
}
_ERROR = re.compile(r"(?:ERR *#?[\w ]*|(?:APP|DIS|PRT)\.ER\w*)", re.ASCII)
_NAMES = re.compile(r"[NG](?:#|\d)?", re.ASCII)  # of a weight
_TARES = re.compile(r"(?:T|PT)(?:#|\d)?", re.ASCII)


class Sartorius:
    """Attributes: unit: what is shown while the unit is blank, until a stable weight says it."""

    def __init__(self, unit: str | None = None) -> None:
        self._unit = unit
        self._decimals: int | None = None  # of the last weight in it: another unit has others
        self._long: bool | None = None  # as the last good line was
        self._lines: Cutter = lines()
        self.receive = self._lines.receive
        self.frames = self._lines.frames

    def parse(self, frame: bytes) -> Answer:
        text = frame.decode("ascii", "replace")
        error: ProtocolError | None = None
        for width in self._widths(len(text)):
            try:
                answer = self._line(text[-width:])
            except ProtocolError as refused:
                error = error or refused
            else:
                self._long = width == LONG
                return answer
        raise error or ProtocolError(
            f"{len(text)} characters {text[:40]!r}: an SBI line has {SHORT} or {LONG} before its end"
        )

    def _widths(self, length: int) -> Iterator[int]:
        """As wide as it is; and where noise stands before it, as wide as the last good one was."""
        if length in (SHORT, LONG):
            yield length
        if self._long is not None and length > (usual := LONG if self._long else SHORT):
            yield usual

    def _line(self, text: str) -> Answer:
        name, body = text[:-SHORT].strip(), text[-SHORT:]
        if name.startswith("Stat"):
            return self._special(name[4:] + body)
        if name and not _NAMES.fullmatch(name) and not _TARES.fullmatch(name):
            raise ProtocolError(f"{name!r} is no weight of an SBI scale: {text!r}")
        if found := _WEIGHT.fullmatch(body):
            sign, shown, unit = found.groups()
            return self._weight(
                name, sign + shown.strip(" []").replace("[", "").replace("]", ""), unit.strip()
            )
        return self._special(body)

    def _weight(self, name: str, weight: str, unit: str) -> Answer:
        if _TARES.fullmatch(name):
            return Nothing.NO_WEIGHT
        decimals = len(weight.partition(".")[2])
        if unit:
            value = grams(weight, unit)
            self._unit, self._decimals = unit, decimals
            return Weight(value, stable=True)
        if self._unit is None or self._decimals not in (None, decimals):
            return Nothing.NO_WEIGHT  # in which unit, the next stable weight will say
        self._decimals = decimals
        return Weight(grams(weight, self._unit), stable=False)

    @staticmethod
    def _special(words: str) -> Answer:
        said = words.strip().upper()
        if said in _SPECIAL:
            return _SPECIAL[said]
        if said.startswith("CAL"):
            return Nothing.NO_WEIGHT
        if _ERROR.fullmatch(said):
            return Fault(f"device_error: {' '.join(said.split())}")
        raise ProtocolError(f"not a line of an SBI scale: {words[:40]!r}")
