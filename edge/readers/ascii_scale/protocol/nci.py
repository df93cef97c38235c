"""NCI, also called SCP-01: blocks that end with ETX, a weight and status bytes in each.

Sources: Avery Weigh-Tronix 7821 and NCI 7800 manuals, "NCI communications protocol"; Ohaus Courier 7000 manual, section
6.3.4, "NCI-SCP01 protocol" (lines of ^, _ and - when there is no weight; lb and oz together).
"""

import re

from edge.errors import ProtocolError
from edge.readers.ascii_scale.protocol.answers import Answer, Fault, Nothing, NotUnderstood, Weight
from edge.readers.ascii_scale.protocol.cutting import Cutter, Width
from edge.readers.masses import grams

ETX = 0x03
_BLOCK = re.compile(r"(?:\n([^\r\n]{1,24})\r)?\n([0-\x7f]{2,4})\r")
_WEIGHT = re.compile(r"( *[+-]? *[\d.]+) *([A-Za-z]+) *", re.ASCII)
_TOGETHER = re.compile(r" *(-? *\d+) *lb *([\d.]+) *oz *", re.ASCII | re.IGNORECASE)
_RANGE = re.compile(r" *([\^_-])\1{2,} *[A-Za-z:]*")
_RANGES = {"^": Fault("overload"), "_": Fault("underload"), "-": Fault("device_error: no zero")}

# Bits 4 and 5 of each status byte are one. Of the first byte:
_MOTION, _RAM, _EEPROM = 0x01, 0x04, 0x08
# Of the second:
_UNDER, _OVER, _ROM, _CALIBRATION = 0x01, 0x02, 0x04, 0x08


class Nci:
    def __init__(self) -> None:
        self._blocks = Cutter(bytes([ETX]))
        self._width = Width(first_is_whole=True)  # it begins with LF
        self.receive = self._blocks.receive
        self.frames = self._blocks.frames

    def parse(self, frame: bytes) -> Answer:
        text = frame.decode("latin-1")
        if text.endswith("\n?\r"):
            return NotUnderstood("?")
        found = next((each for each in _BLOCK.finditer(text) if each.end() == len(text)), None)
        if found is None:
            raise ProtocolError(f"not a block of an NCI scale: {frame[:40]!r}")
        weight, status = found[1], found[2].encode("latin-1")
        if any(byte & 0x30 != 0x30 for byte in status):
            raise ProtocolError(f"{status!r} are no status bytes of an NCI scale")
        if fault := _fault(status):
            return fault
        if weight is None:
            return Nothing.NO_WEIGHT
        if found := _RANGE.fullmatch(weight):
            return _RANGES[found[1]]
        read = Weight(_weight(weight), stable=not status[0] & _MOTION)
        unit = weight.strip(" +-.0123456789")
        return read if self._width.believes(len(weight), unit, read.grams) else Nothing.NO_WEIGHT


def _fault(status: bytes) -> Fault | None:
    first, second = status[0], status[1]
    for bit, name in ((_RAM, "RAM"), (_EEPROM, "EEPROM")):
        if first & bit:
            return Fault(f"device_error: {name}")
    for bit, name in ((_ROM, "ROM"), (_CALIBRATION, "calibration")):
        if second & bit:
            return Fault(f"device_error: {name}")
    if second & _OVER:
        return Fault("overload")
    return Fault("underload") if second & _UNDER else None


def _weight(text: str) -> float:
    if found := _TOGETHER.fullmatch(text):
        pounds, ounces = grams(found[1], "lb"), grams(found[2], "oz")
        return pounds - ounces if "-" in found[1] else pounds + ounces
    if found := _WEIGHT.fullmatch(text):
        return grams(found[1], found[2])
    raise ProtocolError(f"{text[:40]!r} is no weight of an NCI scale")
