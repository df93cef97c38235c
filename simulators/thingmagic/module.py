"""The module itself: obeys commands and streams what it sees. No I/O; time is told to it.

It forgets its settings when it is switched off, holds nothing for a client that is away, and cannot know whether there
is one: once told to read it streams until it is told to stop.
"""

from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

from simulators.thingmagic.frames import Command, Ears, Sight, answer, tag_stream

# tmr_status.h
OK, WRONG_COUNT, UNKNOWN, TOO_HIGH, INVALID, TOO_LOW = 0, 0x0100, 0x0101, 0x0103, 0x0105, 0x0106
BAD_REGION, NO_TAGS, NO_PROTOCOL, RADIO_OFF = 0x010B, 0x0400, 0x0401, 0x0405
TOO_HOT, RETURN_LOSS = 0x0504, 0x0505

BOOT_LOADER, APPLICATION = 0x11, 0x12  # what runs; the two lowest bits tell (serial_reader.c, TMR_SR_boot)
VERSION = bytes.fromhex("12120000 18000001 20200101 01150103 00000010")  # hardware 18h: an M6e
MOST_DBM, LEAST_DBM = 31.5, 5.0  # an M6e's data sheet
ETSI_KHZ = (865_700, 866_300, 866_900, 867_500)  # ETSI EN 302 208, high power channels
FILTER_MS = (
    5000  # as delivered, a tag that was said is not said again for so long. Assumed: by EPC and antenna
)
MOST_UNSENT = 2000  # frames; a module has no memory for more


@dataclass
class Settings:
    """What is lost without power."""

    region: int = 0
    protocol: int = 0
    antennas: list[int] = field(default_factory=lambda: [1])
    filters: bool = True
    power: int = 3000
    session: int = 0


@dataclass(frozen=True, slots=True)
class _Search:
    head: bytes  # option and search flags, which each answer repeats
    flags: int
    lasts_ms: int


class Module:
    """`regions` are those it was sold for; `ports` are its antenna connectors.

    `stops_late`: told to stop, it ends its search first, and neither streams nor answers until then. Assumed: the
    maker's programs wait so long for the answer.
    """

    def __init__(
        self,
        ports: tuple[int, ...] = (1, 2, 3, 4),
        regions: tuple[int, ...] = (2, 8),
        *,
        boot_loader: bool = False,
        stops_late: bool = False,
    ) -> None:
        self.ports = ports
        self.off: set[int] = set()  # ports whose antenna is off
        self.hot = False
        self.settings = Settings()
        self._regions = regions
        self._program = BOOT_LOADER if boot_loader else APPLICATION
        self._ears = Ears()
        self._stops_late = stops_late
        self._stopping = False
        self._search: _Search | None = None
        self._began_ms = 0.0
        self._mono_ms = 0.0
        self._said: dict[tuple[bytes, int], float] = {}
        self._unsent: deque[bytes] = deque(maxlen=MOST_UNSENT)
        self._orders: dict[int, Callable[[bytes], tuple[int, bytes]]] = {
            0x03: lambda data: (OK, VERSION),
            0x04: self._boot,
            0x0C: lambda data: (OK, bytes([self._program])),
            0x2F: self._read_for_ever,
            0x61: self._get_antennas,
            0x67: lambda data: (OK, bytes([self.settings.region])),
            0x91: self._set_antennas,
            0x92: self._set_power,
            0x93: self._set_protocol,
            0x97: self._set_region,
            0x9A: self._set_parameter,
            0x9B: self._set_gen2,
        }

    # The client's side.

    @property
    def reading(self) -> bool:
        return self._search is not None

    def receive(self, data: bytes) -> Iterator[bytes]:
        """Take bytes as they came; yields the answers."""
        for command in self._ears.hear(data):
            if self._stopping:
                continue
            if self._stops_late and self._search is not None and command.data == b"\x00\x00\x02":
                self._stopping = True
                continue
            yield self._obey(command)

    def outgoing(self) -> Iterator[bytes]:
        """What streams; each frame is forgotten as it is taken."""
        while self._unsent:
            yield self._unsent.popleft()

    def nobody_listens(self) -> None:
        """What would stream goes out on a line that ends nowhere."""
        self._unsent.clear()

    # The world's side.

    def sighted(self, epc: bytes, antenna: int, rssi_dbm: int, channel: int, at_us: int) -> None:
        """The radio has read a tag; `at_us` is not used, as the module has no clock but the time that is told."""
        search = self._search
        if (
            search is None
            or self._stopping
            or self.hot
            or antenna in self.off
            or antenna not in self.settings.antennas
        ):
            return
        key = (epc, antenna)
        if self.settings.filters and self._mono_ms - self._said.get(key, -FILTER_MS) < FILTER_MS:
            return
        self._said[key] = self._mono_ms
        khz = ETSI_KHZ[(channel - 1) % len(ETSI_KHZ)]
        ms = max(0, round(self._mono_ms - self._began_ms))
        sight = Sight(epc, antenna, rssi_dbm, khz, (sum(epc) + ms) % 180, ms)
        self._unsent.append(tag_stream(search.head, search.flags, sight))

    def tick(self, mono_ms: float) -> None:
        """Time has passed: `mono_ms` is a steady clock. A search that has lasted its time begins anew, with a word."""
        self._mono_ms = mono_ms
        search = self._search
        if search is None or mono_ms - self._began_ms < search.lasts_ms:
            return
        if self._stopping:
            self._stopping, self._search = False, None
            self._unsent.append(answer(0x2F, b"\x02"))
            return
        # The next begins at once, so that nothing is lost between; never more than one is made good.
        self._began_ms = max(self._began_ms + search.lasts_ms, mono_ms - search.lasts_ms)
        status = NO_TAGS
        if self.hot:
            status = TOO_HOT
        elif self.off & set(self.settings.antennas):
            status = RETURN_LOSS
        self._unsent.append(answer(0x22, status=status))

    def power_cycle(self) -> None:
        """Switched off and on: it does nothing until it is told everything again."""
        self.settings = Settings()
        self._search = None
        self._said.clear()
        self._unsent.clear()
        self._ears = Ears()

    # Orders: each takes a command's data and returns a status and the answer's data.

    def _obey(self, command: Command) -> bytes:
        order = self._orders.get(command.opcode)
        in_boot_loader = self._program == BOOT_LOADER and command.opcode not in (0x03, 0x04, 0x0C)
        if order is None or in_boot_loader:
            return answer(command.opcode, status=UNKNOWN)
        try:
            status, data = order(command.data)
        except IndexError:
            status, data = WRONG_COUNT, b""
        return answer(command.opcode, data, status)

    def _boot(self, data: bytes) -> tuple[int, bytes]:
        if self._program == APPLICATION:
            return UNKNOWN, b""
        self._program = APPLICATION
        return OK, VERSION

    def _read_for_ever(self, data: bytes) -> tuple[int, bytes]:
        if data[2] == 2:
            self._search = None
            self._unsent.clear()
            return OK, b"\x02"
        # 0000 01 22 0000 05 <length> 22 <option> <search flags> <milliseconds> <metadata flags>
        if (
            data[:7] != bytes.fromhex("00000122000005")
            or len(data) != 8 + 8
            or data[7] != 7
            or data[8] != 0x22
        ):
            return INVALID, b""
        if not self.settings.region:
            return RADIO_OFF, b""
        if self.settings.protocol != 5:
            return NO_PROTOCOL, b""
        lasts_ms, flags = int.from_bytes(data[12:14], "big"), int.from_bytes(data[14:16], "big")
        self._search = _Search(data[9:12], flags, lasts_ms)
        self._began_ms = self._mono_ms
        return OK, b"\x01"

    def _get_antennas(self, data: bytes) -> tuple[int, bytes]:
        if data[0] != 5:
            return INVALID, b""
        return OK, b"\x05" + b"".join(bytes([port, port not in self.off]) for port in self.ports)

    def _set_antennas(self, data: bytes) -> tuple[int, bytes]:
        if data[0] == 2 and len(data) % 2:
            ports = list(data[1::2])
            if not set(ports) <= set(self.ports) or data[1::2] != data[2::2]:
                return INVALID, b""
            self.settings.antennas = ports
            return OK, b""
        if data[0] == 4 and len(data) % 7 == 1:
            powers = [int.from_bytes(data[at + 1 : at + 3], "big") for at in range(1, len(data), 7)]
            return max((self._allows(power) for power in powers), default=OK), b""
        return INVALID, b""

    def _set_power(self, data: bytes) -> tuple[int, bytes]:
        power = int.from_bytes(data[:2], "big", signed=True)
        if (status := self._allows(power)) == OK:
            self.settings.power = power
        return status, b""

    def _allows(self, centi_dbm: int) -> int:
        if centi_dbm > MOST_DBM * 100:
            return TOO_HIGH
        return TOO_LOW if centi_dbm < LEAST_DBM * 100 else OK

    def _set_protocol(self, data: bytes) -> tuple[int, bytes]:
        self.settings.protocol = data[1]
        return OK, b""

    def _set_region(self, data: bytes) -> tuple[int, bytes]:
        if data[0] not in self._regions:
            return BAD_REGION, b""
        self.settings.region = data[0]
        return OK, b""

    def _set_parameter(self, data: bytes) -> tuple[int, bytes]:
        if data[:2] != b"\x01\x0c":
            return INVALID, b""
        self.settings.filters = data[2] == 1
        return OK, b""

    def _set_gen2(self, data: bytes) -> tuple[int, bytes]:
        if data[0] != 5 or data[1] not in (0x00, 0x12):
            return INVALID, b""
        if data[1] == 0x00:
            self.settings.session = data[2]
        return OK, b""
