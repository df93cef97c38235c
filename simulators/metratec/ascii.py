"""The ASCII generation: command lines in, lines out.

Source: the commands, answers and the parser of rounds in metraTec's rfid-sdk-python; the two checksums there (COF 4F5E,
WAK 5E70) are CRC-16 with the reversed polynomial 8408h over the command and its space. What the library leaves open is
marked as assumed.
"""

from collections.abc import Callable
from random import Random

from simulators.metratec.air import Air, Seen

END = b"\r"
LONGEST = 256
REGIONS = ("ETS", "ISR", "FCC")
POWER = range(-2, 28)  # assumed
FAULTS = ("CER", "FLE", "TOE", "PDE", "RXE", "HBE 01")


class AsciiReader:
    """A PulsarMX with a multiplexer. Its antennas count from 0, ours from 1. `faulty` is the share of rounds in which
    a tag answers that cannot be read."""

    def __init__(
        self,
        antennas: tuple[int, ...],
        rng: Random,
        *,
        faulty: float = 0.0,
        checksums: bool = False,
        asleep: bool = False,
    ) -> None:
        self.air = Air(antennas, antennas[:1])
        self.told: list[
            tuple[str, int, int]
        ] = []  # EPC, antenna and strength of every round that was put on the line
        self._rng = rng
        self._faulty = faulty
        self._checksums = checksums
        self._asleep = asleep
        self._buffer = bytearray()
        self._on = {"EPC": False, "TRS": False, "ARP": False}
        self._commands_of_input: set[str] = set()
        self._beat_s = 0
        self._beat_due_ms: float | None = None
        self._events: list[bytes] = []

    # The client's side.

    def receive(self, data: bytes) -> list[bytes]:
        """Take bytes as they came; returns the lines to answer at once."""
        self._buffer += data
        answers: list[bytes] = []
        while (end := self._buffer.find(b"\r")) >= 0:
            line = bytes(self._buffer[:end]).strip(b"\n ").decode("ascii", "replace")
            del self._buffer[: end + 1]
            if line and (answer := self._obey(line)):
                answers += [words.encode() + END for words in answer.split("\r")]
        if len(self._buffer) > LONGEST:
            self._buffer.clear()
        return answers

    def _obey(self, line: str) -> str:
        if self._asleep:
            self._asleep = not line.startswith("WAK")
            return "" if self._asleep else "GMO"
        if self._checksums:
            if line != "COF 4F5E":
                return "CCE"
            self._checksums = False
            return "OK!"
        if line == "BRK":
            was = self.air.reading
            self.air.stop()
            return "BRA" if was else "NCM"
        if self.air.reading:
            return ""  # assumed: in continuous mode it hears BRK alone
        return self._command(*line.split(" "))

    def _command(self, name: str, *words: str) -> str:
        commands: dict[str, Callable[..., str]] = {
            "HWR": lambda: "PULSAR_MX       0100",
            "RFW": lambda: "PULSAR_MX       0315",
            "WAK": lambda: "DNS",
            "VBL": lambda level: "OK!",
            "EOF": lambda: "OK!",
            "STD": lambda region: "OK!" if region in REGIONS else "UPA",
            "CFG": self._configure,
            "SET": self._set,
            "SAP": self._antennas,
            "SEC": self._input_command,
            "HBT": self._heartbeat,
            "CNR": self._start,
        }
        if name not in commands:
            return "UCO"
        try:
            return commands[name](*words)
        except (TypeError, ValueError):
            return "UPA"

    def _configure(self, name: str, value: str = "") -> str:
        return "UPA" if name != "PWR" else "OK!" if int(value) in POWER else "NOR"

    def _set(self, name: str, value: str) -> str:
        if name not in ("EPC", "TRS"):
            return "UPA"
        self._on[name] = value == "ON"
        return "OK!"

    def _antennas(self, name: str, value: str) -> str:
        if name == "ARP":
            self._on["ARP"] = value == "ON"
            return "OK!"
        number = int(value)
        if name == "MAN" and number + 1 in self.air.antennas:
            self.air.sequence = (number + 1,)
        elif name == "AUT" and 1 <= number <= len(self.air.antennas):
            self.air.sequence = self.air.antennas[:number]
        else:
            return "NOR"
        return "OK!"

    def _input_command(self, name: str, number: str, *rest: str) -> str:
        if number not in ("0", "1"):
            return "NOR"
        self._commands_of_input.add(number)
        return "OK!"

    def _heartbeat(self, seconds: str) -> str:
        self._beat_s = int(seconds)
        return "OK!"

    def _start(self, what: str, *how: str) -> str:
        if what != "INV":
            return "UPA"
        self.air.start()
        return ""

    # The world's side.

    def input(self, number: int, *, on: bool) -> None:
        """Our inputs 1 and 2 are its 0 and 1."""
        if str(number - 1) in self._commands_of_input:
            self._events.append(f"IN{number - 1} {'HI!' if on else 'LOW'}".encode())

    def power_cycle(self) -> None:
        """Off and on: it says so, reads no more, and has forgotten how it was set."""
        self.__init__(self.air.antennas, self._rng, faulty=self._faulty)  # type: ignore[misc]  # the same, as new
        self._events.append(b"SRT")

    def tick(self, mono_ms: float) -> list[list[bytes]]:
        """Time has passed; returns the messages that are due, each as its lines."""
        events, self._events = self._events, []
        due = [[event + END] for event in events]
        due += [[b"HBT" + END]] if self._beat(mono_ms) else []
        return due + [self._round(antenna, seen) for antenna, seen in self.air.rounds(mono_ms)]

    def _beat(self, mono_ms: float) -> bool:
        if not self._beat_s:
            self._beat_due_ms = None
            return False
        if self._beat_due_ms is not None and mono_ms < self._beat_due_ms:
            return False
        self._beat_due_ms = mono_ms + self._beat_s * 1000
        return True

    def _round(self, antenna: int, seen: list[Seen]) -> list[bytes]:
        if antenna not in self.air.connected:
            seen = []  # this generation does not notice. Assumed
        said: list[str] = []
        for each in seen:
            said += [each.epc] * (1 + self._on["EPC"]) + [str(each.rssi_dbm)] * self._on["TRS"]
        if self._rng.random() < self._faulty:
            said += [self._rng.choice(FAULTS)] + ["0" * 24] * self._on["EPC"] + ["-70"] * self._on["TRS"]
        if self._on["ARP"]:
            said.append(f"ARP {antenna - 1:02d}")
        said.append(f"IVF {len(seen):02d}")
        self.told += [(each.epc, antenna, each.rssi_dbm) for each in seen]
        return [line.encode() + END for line in said]
