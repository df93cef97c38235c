"""The AT generation: command lines in, lines out.

Source: the commands, answers and events in the comments of metraTec's rfid-sdk-python and rfid-sdk-dotnet; what those
leave open is marked as assumed.
"""

from collections.abc import Callable

from simulators.metratec.air import Air, Seen

END = b"\r\n"  # of an answer or an event; lines within one end with CR alone
LONGEST = 256  # nobody sends a longer command
REGIONS = ("ETSI_LOWER", "ETSI_HIGH", "FCC")
POWER = range(31)  # dBm: rfid-sdk-c-uhf, device_type/pulsar_lr.h
INPUTS = (1, 2)


class AtReader:
    """A PulsarLR. `tid_of` gives a tag's TID for its EPC."""

    def __init__(self, antennas: tuple[int, ...], tid_of: Callable[[str], str]) -> None:
        self.air = Air(antennas, antennas[:1])
        self.told: list[
            tuple[str, int, int]
        ] = []  # EPC, antenna and strength of every round that was put on the line
        self._tid_of = tid_of
        self._buffer = bytearray()
        self._settings = {"INVS": "0,1,0,0,0,ALL,A,-100", "REG": "ETSI_LOWER", "ANT": str(antennas[0])}
        self._settings |= {
            "PWR": ",".join("27" for _ in antennas),
            "MUX": str(len(antennas)),
            "HBT": "0",
            "IEV": "0",
        }
        self._prefix = "+CINV"
        self._echo = False
        self._inputs = dict.fromkeys(INPUTS, False)
        self._events: list[str] = []
        self._beat_due_ms: float | None = None

    # The client's side.

    def receive(self, data: bytes) -> list[bytes]:
        """Take bytes as they came; returns what to answer at once."""
        self._buffer += data
        answers: list[bytes] = []
        while (end := self._buffer.find(b"\r")) >= 0:
            line = bytes(self._buffer[:end]).strip(b"\n ")
            del self._buffer[: end + 1]
            if line:
                answers += self._obey(line.decode("ascii", "replace"))
        if len(self._buffer) > LONGEST:
            self._buffer.clear()
        return answers

    def _obey(self, line: str) -> list[bytes]:
        echo = [line.encode("ascii", "replace") + END] if self._echo else []
        if line == "AT":
            return [*echo, b"OK" + END]
        if line in ("ATE0", "ATE1"):
            self._echo = line == "ATE1"
            return [*echo, b"OK" + END]
        if line == "ATI":
            return [
                *echo,
                _lines("+SW: PULSAR_LR 0107", "+HW: PULSAR_LR 0100", "+SERIAL: 2020090817420000"),
                b"OK" + END,
            ]
        if not line.startswith("AT+"):
            return [*echo, b"ERROR" + END]
        name, mark, value = line[3:].partition("=")
        return [*echo, *self._command(name, value if mark else None)]

    def _command(self, name: str, value: str | None) -> list[bytes]:
        if name in ("CINV", "CMINV"):
            return self._start(name)
        if name in ("BINV", "BINVR"):
            running = self.air.reading and name == "BINV"
            if running:
                self.air.stop()
            return (
                [b"OK" + END] if running else [_lines(f"+{name}: <Inventory is not running>"), b"ERROR" + END]
            )
        if name == "IN?":
            states = (f"+IN: {number},{'HIGH' if on else 'LOW'}" for number, on in self._inputs.items())
            return [_lines(*states), b"OK" + END]
        if name.endswith("?") and name[:-1] in self._settings:
            return [_lines(f"+{name[:-1]}: {self._settings[name[:-1]]}"), b"OK" + END]
        if value is None or name not in self._settings:
            return [b"ERROR" + END]
        if self.air.reading:
            return [_lines(f"+{name}: <Inventory is running>"), b"ERROR" + END]  # assumed
        taken = self._taken(name, value)
        if taken is None:
            return [_lines(f"+{name}: <Parameter out of range>"), b"ERROR" + END]
        self._settings[name] = taken
        return [b"OK" + END]

    def _taken(self, name: str, value: str) -> str | None:
        """A setting as it is kept; None where it is refused."""
        parts = value.split(",")
        numbers = [int(part) for part in parts if part.lstrip("-").isdecimal()]
        match name:
            case "REG":
                return value if value in REGIONS else None
            case "PWR":
                if len(numbers) != len(parts) or any(number not in POWER for number in numbers):
                    return None
                return ",".join(map(str, numbers * len(self.air.antennas) if len(numbers) == 1 else numbers))
            case "ANT":
                return value if numbers and numbers[0] in self.air.antennas else None
            case "MUX":
                if len(numbers) == 1:
                    numbers = list(range(1, numbers[0] + 1))
                return (
                    ",".join(map(str, numbers))
                    if numbers and set(numbers) <= set(self.air.antennas)
                    else None
                )
            case "INVS":
                return value if len(parts) == len(self._settings["INVS"].split(",")) else None
            case _:
                return value if len(numbers) == 1 else None

    def _start(self, name: str) -> list[bytes]:
        if self.air.reading:
            return [_lines(f"+{name}: <Inventory is running>"), b"ERROR" + END]
        wanted = self._settings["MUX" if name == "CMINV" else "ANT"]
        self.air.sequence = tuple(int(part) for part in wanted.split(","))
        if name == "CMINV" and len(self.air.sequence) == 1:
            self.air.sequence = self.air.antennas[: self.air.sequence[0]]
        self._prefix = f"+{name}"
        self.air.start()
        return [b"OK" + END]

    # The world's side.

    def input(self, number: int, *, on: bool) -> None:
        self._inputs[number] = on
        if self._settings["IEV"] == "1":
            self._events.append(f"+IEV: {number},{'HIGH' if on else 'LOW'}")

    def power_cycle(self) -> None:
        """Off and on: it reads no more, and has forgotten how it was set."""
        self.__init__(self.air.antennas, self._tid_of)  # type: ignore[misc]  # the same device, as new

    def tick(self, mono_ms: float) -> list[list[bytes]]:
        """Time has passed; returns the messages that are due, each as its lines."""
        events, self._events = self._events, []
        due = [[event.encode() + END] for event in events]
        due += [[b"+HBT" + END]] if self._beat(mono_ms) else []
        return due + [self._round(antenna, seen) for antenna, seen in self.air.rounds(mono_ms)]

    def _beat(self, mono_ms: float) -> bool:
        period_ms = int(self._settings["HBT"]) * 1000
        if not period_ms:
            self._beat_due_ms = None
            return False
        if self._beat_due_ms is not None and mono_ms < self._beat_due_ms:
            return False
        self._beat_due_ms = mono_ms + period_ms
        return True

    def _round(self, antenna: int, seen: list[Seen]) -> list[bytes]:
        if antenna not in self.air.connected:
            said = ["<Antenna Error>"]
        else:
            said = [self._tag(each) for each in seen] or ["<NO TAGS FOUND>"]
            self.told += [(each.epc, antenna, each.rssi_dbm) for each in seen]
        said.append(f"<ROUND FINISHED, ANT={antenna}>")
        lines = [f"{self._prefix}: {words}".encode() for words in said]
        return [*(line + b"\r" for line in lines[:-1]), lines[-1] + END]

    def _tag(self, seen: Seen) -> str:
        settings = self._settings["INVS"].split(",")
        fields = [seen.epc]
        if settings[2] == "1":
            fields.append(self._tid_of(seen.epc))
        if settings[1] == "1":
            fields.append(str(seen.rssi_dbm))
        return ",".join(fields)


def _lines(*lines: str) -> bytes:
    return b"\r".join(line.encode() for line in lines) + END
