"""MT-SICS: command lines in, answer lines out. No I/O; the scale's update is its clock.

Source: the MT-SICS commands of levels 0 to 2 as public manuals of several makers list them: S, SI, SIR, SR, Z, ZI,
T, TI, TA, TAC, @, I0 to I4, and the errors ES, ET, EL. What no manual says is marked as assumed.
"""

from collections import deque
from collections.abc import Callable

from simulators.sics.indicator import Indicator, Range

END = b"\r\n"
WAIT_UPDATES = 50  # for rest, then "I": 5 s at ten updates a second. Assumed; makers let one choose
SR_SHARE = 0.125  # SR without a preset: a change of 12.5 % of the last value at rest ...
SR_DIVISIONS = 30  # ... and at least so many divisions
LONGEST_LINE = 80  # nobody sends a longer command; what is longer is noise
NUMBER_SHAPE = 10  # characters of a weight value, right-aligned
UNITS = {"g": (1.0, 1), "kg": (1000.0, 4)}  # grams, and decimals: the same division in both

COMMANDS = {
    0: ("@", "I0", "I1", "I2", "I3", "I4", "S", "SI", "SIR", "Z", "ZI"),
    1: ("SR", "T", "TA", "TAC", "TI"),
}


class Scale:
    """What answers on a scale's serial port.

    Args:
        unknown: commands that this one does not know: small scales know no SIR.
    """

    def __init__(
        self, indicator: Indicator, serial_number: str, *, unit: str = "g", unknown: tuple[str, ...] = ()
    ) -> None:
        self.indicator = indicator
        self.serial_number = serial_number
        self.unit = unit
        self._unknown = unknown
        self.asked = False  # whether anybody has ever sent a command
        self._buffer = bytearray()
        self._queue: deque[str] = deque()
        self._say: list[str] = []  # what it says by itself with the next value
        self._waiting: tuple[str, int] | None = None  # a command that waits for rest, and for how long yet
        self._repeating = False
        self._changes: tuple[float, bool, float] | None = None  # SR: last rest, moving now, threshold

    def receive(self, data: bytes) -> list[bytes]:
        """Take bytes as they came; returns the lines to answer at once, ends included."""
        if self.indicator.starting:
            return []
        self._buffer += data
        answers: list[bytes] = []
        while (end := self._buffer.find(b"\n")) >= 0:
            line = bytes(self._buffer[:end]).rstrip(b"\r")
            del self._buffer[: end + 1]
            answers += self._line(line)
        if len(self._buffer) > LONGEST_LINE:
            self._buffer.clear()
            answers.append(b"ET" + END)
        return answers

    def update(self, grams: float) -> list[bytes]:
        """The cell's next value has come; returns the lines that are due with it."""
        self.indicator.update(grams)
        if self.indicator.starting:
            return []
        lines, self._say = self._say, []
        if self._waiting is not None:
            lines += self._wait()
        while self._waiting is None and self._queue:
            lines += self._obey(self._queue.popleft())
        if self._repeating:
            lines.append(self._weight("S"))
        if self._changes is not None:
            lines += self._changed()
        return [line.encode() + END for line in lines]

    def say(self, word: str) -> str | None:
        """What somebody does at its keys: `unit kg`, `tare`, `power-cycle`; returns what is wrong with it."""
        match word.split():
            case ["unit", unit] if unit in UNITS:
                self.unit = unit
            case ["tare"]:
                self.indicator.tare()
            case ["power-cycle"]:
                self.indicator.power_on()
                self._say.append(self._reset())
            case _:
                return f"{word!r} is none of unit {'|'.join(UNITS)}, tare, power-cycle"
        return None

    def _line(self, line: bytes) -> list[bytes]:
        self.asked = True
        if not line.isascii() or not all(32 <= byte < 127 for byte in line):
            return [b"ET" + END]
        words = line.decode()
        if words == "@":  # also what ends a wait
            return [self._reset().encode() + END]
        if self._waiting is not None:
            self._queue.append(words)
            return []
        return [answer.encode() + END for answer in self._obey(words)]

    def _obey(self, words: str) -> list[str]:
        name, _, rest = words.partition(" ")
        if name in self._unknown:
            return ["ES"]
        simple: dict[str, Callable[[], list[str]]] = {
            "SI": lambda: self._once(self._weight("S")),
            "SIR": self._repeat,
            "ZI": self._zero_now,
            "TI": self._tare_now,
            "TAC": self._clear_tare,
            "I0": _list_commands,
            "I1": lambda: ['I1 A "01" "2.30" "2.22" "" ""'],
            "I2": lambda: [f'I2 A "Simulated scale {self.indicator.max_grams:.1f} g"'],
            "I3": lambda: ['I3 A "1.00"'],
            "I4": lambda: [f'I4 A "{self.serial_number}"'],
        }
        if name in ("S", "Z", "T") and not rest:
            self._stop_sending()
            self._waiting = (name, WAIT_UPDATES)
            return self._wait(first=True)
        if name == "SR":
            return self._send_changes(rest)
        if name == "TA":
            return self._tare_value(rest)
        if name in simple and not rest:
            return simple[name]()
        return ["EL"] if name in simple or name in ("S", "Z", "T") else ["ES"]

    def _wait(self, *, first: bool = False) -> list[str]:
        """A command that waits for rest: its answer once there is rest, an "I" when that takes too long."""
        assert self._waiting is not None, "called while a command waits"
        name, left = self._waiting
        where = self.indicator.range
        if where is not Range.WITHIN:
            self._waiting = None
            return [f"{name} {where}"]
        if self.indicator.at_rest:
            self._waiting = None
            return [self._at_rest(name)]
        left -= 0 if first else 1
        self._waiting = (name, left) if left > 0 else None
        return [] if left > 0 else [f"{name} I"]

    def _at_rest(self, name: str) -> str:
        if name == "Z":
            refused = self.indicator.zero()
            return f"Z {refused}" if refused else "Z A"
        if name == "T":
            self.indicator.tare()
            return f"T S {self._value(self.indicator.tare_grams)}"
        return self._weight("S")

    def _weight(self, name: str) -> str:
        if (where := self.indicator.range) is not Range.WITHIN:
            return f"{name} {where}"
        return f"{name} {self._rest_letter} {self._value(self.indicator.net_grams)}"

    @property
    def _rest_letter(self) -> str:
        return "S" if self.indicator.at_rest else "D"

    def _once(self, answer: str) -> list[str]:
        self._stop_sending()
        return [answer]

    def _repeat(self) -> list[str]:
        self._stop_sending()
        self._repeating = True
        return []

    def _stop_sending(self) -> None:
        """Assumed of S, SI and SR, as manuals say of SIR: they cancel what was sent again and again."""
        self._repeating = False
        self._changes = None

    def _send_changes(self, rest: str) -> list[str]:
        """SR: the present value, then each change beyond a threshold twice: moving, and at rest."""
        self._stop_sending()
        division = self.indicator.division_grams
        if rest:
            threshold = _grams(rest)
            if threshold is None or threshold < division:
                return ["S L"]
        else:
            threshold = max(SR_SHARE * abs(self.indicator.net_grams), SR_DIVISIONS * division)
        self._changes = (self.indicator.net_grams, not self.indicator.at_rest, threshold)
        return [self._weight("S")]

    def _changed(self) -> list[str]:
        assert self._changes is not None, "called while SR is on"
        last, moving, threshold = self._changes
        now = self.indicator.net_grams
        if moving:
            if not self.indicator.at_rest:
                return []
            self._changes = (now, False, threshold)
            return [self._weight("S")]
        if abs(now - last) < threshold:
            return []
        self._changes = (last, True, threshold)
        return [self._weight("S")]

    def _zero_now(self) -> list[str]:
        letter = self._rest_letter
        refused = self.indicator.zero()
        return [f"ZI {refused}"] if refused else [f"ZI {letter}"]

    def _tare_now(self) -> list[str]:
        if (where := self.indicator.range) is not Range.WITHIN:
            return [f"TI {where}"]
        letter = self._rest_letter
        self.indicator.tare()
        return [f"TI {letter} {self._value(self.indicator.tare_grams)}"]

    def _clear_tare(self) -> list[str]:
        self.indicator.tare_grams = 0.0
        return ["TAC A"]

    def _tare_value(self, rest: str) -> list[str]:
        if rest:
            grams = _grams(rest)
            if grams is None or not 0 <= grams <= self.indicator.max_grams:
                return ["TA L"]
            self.indicator.tare_grams = grams
        return [f"TA A {self._value(self.indicator.tare_grams)}"]

    def _value(self, grams: float) -> str:
        factor, decimals = UNITS[self.unit]
        return f"{grams / factor + 0.0:{NUMBER_SHAPE}.{decimals}f} {self.unit}"

    def _reset(self) -> str:
        self._stop_sending()
        self._waiting = None
        self._queue.clear()
        self.indicator.reset()
        return f'I4 A "{self.serial_number}"'


def _list_commands() -> list[str]:
    lines = [f'I0 B {level} "{name}"' for level, names in COMMANDS.items() for name in names]
    lines[-1] = lines[-1].replace("I0 B", "I0 A")
    return lines


def _grams(words: str) -> float | None:
    """Read a preset such as "12.5 g"; None when it is none. This scale takes presets in grams."""
    number, _, unit = words.partition(" ")
    if unit != "g":
        return None
    try:
        grams = float(number)
    except ValueError:
        return None
    return grams if abs(grams) < 1e9 else None
