"""Toledo continuous: blocks of 17 bytes, or 18 with a checksum, sent again and again.

Sources: METTLER TOLEDO IND445 and KERN FTC user manuals, section 5.2, "Output format in TOLEDO Continuous mode";
Rockwell Automation 57C428 manual, appendix D (checksum); Cardinal 225 manual, "Continuous output formats" (the short
form without the tare).
"""

from edge.errors import ProtocolError
from edge.readers.ascii_scale.protocol.answers import Answer, Fault, Nothing, Weight
from edge.readers.frame_buffer import FrameBuffer
from edge.readers.masses import GRAMS, number

STX, CR = 0x02, 0x0D
_WHOLE, _SHORT = 17, 11  # STX, three status bytes, weight and tare of six digits, CR; without the tare
_FIXED = 0x20  # bit 5 of each status byte is one
_POINT = 0x07  # SWA: 2 is no decimal, 3 one; 1 and 0 are tens and hundreds
_NET, _NEGATIVE, _OUT_OF_RANGE, _MOTION, _KILOGRAMS, _STARTING = 0x01, 0x02, 0x04, 0x08, 0x10, 0x40  # SWB
_UNIT, _EXPANDED = 0x07, 0x10  # SWC
_UNITS = {1: "g", 2: "t", 3: "oz", 4: "ozt", 5: "dwt"}


class Toledo(FrameBuffer[bytes]):
    """Attributes: checksum: whether the indicator sends one; what does not fit it is noise."""

    def __init__(self, *, checksum: bool) -> None:
        super().__init__(STX)
        self._extra = int(checksum)

    def _size(self, at: int) -> int | None:
        have = len(self._buffer) - at
        if not all(byte & _FIXED and byte < 0x80 for byte in self._buffer[at + 1 : at + 4]):
            return 0
        if have < _SHORT:
            return None
        size = _SHORT
        if self._buffer[at + _SHORT - 1] != CR:
            if have < _WHOLE:
                return None
            if self._buffer[at + _WHOLE - 1] != CR:
                return 0
            size = _WHOLE
        size += self._extra
        if have < size:
            return None
        if self._extra and sum(self._buffer[at : at + size]) & 0x7F:
            return 0
        return size

    def _frame(self, whole: bytes) -> bytes:
        return whole

    def parse(self, frame: bytes) -> Answer:
        """Raises ProtocolError: as Dialect. Without a checksum the digits are all there is to judge by."""
        if len(frame) < _SHORT:
            raise ProtocolError(f"{len(frame)} bytes are too few for Toledo's continuous format: {frame!r}")
        a, b, c = frame[1:4]
        if b & _STARTING:
            return Fault("device_error: it has started and not found its zero")
        if b & _OUT_OF_RANGE:
            return Fault("underload" if b & _NEGATIVE else "overload")
        if c & _EXPANDED:
            return Fault("device_error: it shows ten times finer digits than it weighs; switch that off")
        weight = _digits(frame[4:10])
        if weight is None:
            return Nothing.NO_WEIGHT
        if b & _NEGATIVE:
            weight = f"-{weight}"
        factor = GRAMS[_unit(b, c)]
        power = f"e{2 - (a & _POINT)}"
        shown = number(weight, power)
        tare = 0.0
        if b & _NET and len(frame) >= _WHOLE:
            tare = number(_digits(frame[10:16]) or "0", power)
        net = bool(b & _NET) and len(frame) < _WHOLE
        return Weight(round((shown + tare) * factor, 6), stable=not b & _MOTION, net=net)


def _digits(field: bytes) -> str | None:
    """Six digits, blanks for leading zeros; None when all are blank. Raises ProtocolError."""
    text = field.decode("latin-1").lstrip(" ")
    if text and not (text.isascii() and text.isdigit()):
        raise ProtocolError(f"{field!r} are no six digits")
    return text or None


def _unit(b: int, c: int) -> str:
    if (which := c & _UNIT) == 0:
        return "kg" if b & _KILOGRAMS else "lb"
    if which not in _UNITS:
        raise ProtocolError(
            f"the indicator shows unit number {which}, which is none known; set it to kg, g or lb"
        )
    return _UNITS[which]
