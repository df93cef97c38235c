"""An indicator that writes lines of text: bytes in, bytes out. No I/O; its update is its clock."""

from simulators.ascii_scale.dialects import GRAMS, MANNERS, Shown
from simulators.sics.indicator import Indicator

LONGEST_LINE = 80  # nobody sends a longer question; what is longer is noise


class Scale:
    """What is on an indicator's serial port.

    Args:
        streams: it is set to write by itself; otherwise it is asked.
        address: its two digits in RS-485 mode (dini): it answers what begins with them, and says them.
    """

    def __init__(
        self, indicator: Indicator, dialect: str, *, unit: str = "g", streams: bool = True, address: str = ""
    ) -> None:
        self.indicator = indicator
        self.unit = unit
        self.asked = False  # whether anybody has ever sent anything
        self._manner = MANNERS[dialect]
        self._streams = streams
        self._address = address.encode("ascii")
        self._buffer = bytearray()

    def receive(self, data: bytes) -> list[bytes]:
        """Take bytes as they came; returns what to answer at once."""
        self.asked = True
        self._buffer += data
        answers: list[bytes] = []
        while (end := self._buffer.find(self._manner.end)) >= 0:
            line = bytes(self._buffer[:end]).strip(b"\r\n")
            del self._buffer[: end + 1]
            answers += self._line(line)
        if len(self._buffer) > LONGEST_LINE:
            self._buffer.clear()
        return answers

    def update(self, grams: float) -> list[bytes]:
        """The cell's next value has come; returns what is due with it."""
        self.indicator.update(grams)
        return [self._address + self._manner.sends(self._shown())] if self._streams else []

    def say(self, word: str) -> str | None:
        """What somebody does at its keys, as `unit kg`, `tare`; returns what is wrong with it."""
        match word.split():
            case ["unit", unit] if unit in GRAMS:
                self.unit = unit
            case ["tare"]:
                self.indicator.tare()
            case ["clear"]:
                self.indicator.reset()
            case ["stream" | "quiet" as how]:
                self._streams = how == "stream"
            case _:
                return f"{word!r} is none of unit {'|'.join(GRAMS)}, tare, clear, stream, quiet"
        return None

    def _line(self, line: bytes) -> list[bytes]:
        if not line.startswith(self._address):
            return []  # another's, on the same wires
        question = line[len(self._address) :]
        if question and question == self._manner.starts:
            self._streams = True
            return []
        if answer := self._manner.answers.get(question):
            return [self._address + answer(self._shown())]
        return [self._address + self._manner.unknown] if self._manner.unknown else []

    def _shown(self) -> Shown:
        return Shown(
            self.indicator.net_grams, self.indicator.at_rest, self.indicator.range, self.unit,
            self.indicator.tare_grams,
        )  # fmt: skip
