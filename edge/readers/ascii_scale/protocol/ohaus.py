"""Ohaus: a right-justified weight, its unit, "?" while it moves, and a legend.

Sources: Ohaus, RS232 interface manual (Scout Pro, Traveler, Navigator), "Output examples" and commands; Defender 3000
indicator manual, section 5.2, "Output format"; Navigator manual, RS232 command table.
"""

import re

from edge.errors import ProtocolError
from edge.readers.ascii_scale.protocol.answers import Answer, Fault, Nothing, NotUnderstood, Weight
from edge.readers.ascii_scale.protocol.cutting import Cutter, Width, lines
from edge.readers.masses import grams

# The weight is right-justified, so a blank or a sign stands before its first digit: without, a digit may be missing.
_WEIGHT = re.compile(r"([ +-]+[\d.]+) ?([A-Za-z%][A-Za-z%:]{0,4})(?![A-Za-z%:])(.*)", re.ASCII)
_TAIL = re.compile(r"\?|\*|[A-Za-z/]+|\d\d:\d\d:\d\d", re.ASCII)  # of the words behind the unit, each
_GROSS = {"G", "B", "B/G", "?", "*", "A", "C", "Z"}
_NET = {"N", "NET"}
_NO_WEIGHTS = {"T", "TARE", "PT", "TOTAL"}
_RANGES = {"^": Fault("overload"), "_": Fault("underload"), "-": Fault("device_error: no zero")}
_RANGE = re.compile(r" *([\^_-])\1{2,} *[A-Za-z]{0,5} *")
_ERROR = re.compile(r"\[? *(Err[ .:]*[\w.]+) *\]?", re.ASCII | re.IGNORECASE)


class Ohaus:
    def __init__(self) -> None:
        self._lines: Cutter = lines()
        self._width = Width(first_is_whole=False)
        self.receive = self._lines.receive
        self.frames = self._lines.frames

    def parse(self, frame: bytes) -> Answer:
        text = frame.decode("ascii", "replace")
        usual = self._width.usual
        found = _weight(text)
        if found and found.start() and usual and found.end(2) - found.start() > usual:
            # Noise before it that ends as a number may begin: what is as wide as its neighbours is the line.
            text = text[found.end(2) - usual :]
        return self._line(text)

    def _line(self, text: str) -> Answer:
        if found := _weight(text):
            weight, unit, tail = found.groups()
            words = set(_words(tail))
            value = grams(weight, unit)
            if words & _NO_WEIGHTS:
                return Nothing.NO_WEIGHT
            read = Weight(value, "?" not in words, net=bool(words & _NET))
            return (
                read if self._width.believes(found.end(2) - found.start(), unit, value) else Nothing.NO_WEIGHT
            )
        stripped = text.strip()
        if found := _RANGE.fullmatch(text):
            return _RANGES[found[1]]
        if found := _ERROR.fullmatch(stripped):
            return Fault(f"device_error: {found[1]}")
        if stripped == "ES":
            return NotUnderstood("ES")
        if stripped in ("", "OK!", "OK"):
            return Nothing.NO_WEIGHT
        raise ProtocolError(f"not a line of an Ohaus scale: {text[:40]!r}")


def _weight(text: str) -> re.Match[str] | None:
    """The first weight that only what belongs there stands behind: noise may look like one, too."""
    found = _WEIGHT.search(text)
    while found and _WEIGHT.search(text, found.end(2)):
        found = _WEIGHT.search(text, found.end(2))
    return found


def _words(tail: str) -> list[str]:
    """The words behind the unit; "?" may touch the legend. Raises ProtocolError: there is something else."""
    words = []
    for word in tail.replace("?", " ? ").split():
        upper = word.upper()
        if not _TAIL.fullmatch(word) or not (
            upper in _GROSS | _NET | _NO_WEIGHTS or ":" in word or upper in ("O", "U")
        ):
            raise ProtocolError(f"{word[:20]!r} stands behind the unit of an Ohaus scale's line")
        words.append(upper)
    return words
