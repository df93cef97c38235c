"""The module itself: obeys commands, and says each round which tags it read or that there were none. No I/O.

Source: "M100 & QM100 firmware command manual" (M5Stack, Unit-RFID-UHF-Protocol-EN), chapters 1 to 4; its examples are
this module's bytes. It forgets its settings when it is switched off, and holds nothing for a client that is away.
"""

from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass

HEADS = {"bb": (0xBB, 0x7E), "aa": (0xAA, 0xDD)}
INVENTORY_FAIL, COMMAND_ERROR = 0x15, 0x17
ERROR = 0xFF
ROUND_MS = 30.0  # assumed: a round of reading takes some tens of milliseconds
MOST_CENTI_DBM = 2600  # of the "M100 26dBm" that the manual's example says it is
POWER_STEP = 50
HARDWARE, SOFTWARE, MAKER = b"M100 26dBm V1.0", b"V2.3.5", b"simulated"
MOST_UNSENT = 2000


@dataclass
class Settings:
    """What is lost without power."""

    region: int = 1  # China 900 MHz, as delivered
    power: int = 2000
    query: int = 0x1020
    select_mode: int = 0x02


def checksum(body: bytes) -> int:
    total = 0
    for byte in body:
        total = (total + byte) % 256
    return total


def tag_crc(data: bytes) -> int:
    """What a tag sends behind its PC and EPC: Gen2, annex F."""
    crc = 0xFFFF
    for byte in data:
        for bit in range(7, -1, -1):
            top = (crc >> 15) ^ (byte >> bit & 1)
            crc = (crc << 1 & 0xFFFF) ^ (0x1021 if top else 0)
    return crc ^ 0xFFFF


class Module:
    """`framing` is "bb" or "aa"; `regions` are those it was sold for. `says_none`: rounds without tags have a word."""

    def __init__(
        self, framing: str = "bb", regions: tuple[int, ...] = (1, 2, 3, 4, 6), *, says_none: bool = True
    ) -> None:
        self.settings = Settings()
        self.antenna_off = False
        self._head, self._tail = HEADS[framing]
        self._regions = regions
        self._says_none = says_none
        self._heard = b""
        self._rounds = 0  # yet to do
        self._next_ms = 0.0
        self._mono_ms = 0.0
        self._round: list[bytes] = []  # the tags of the present round
        self._unsent: deque[bytes] = deque(maxlen=MOST_UNSENT)
        self._orders: dict[int, Callable[[bytes], bytes | None]] = {
            0x03: self._information,
            0x07: self._set_region,
            0x08: lambda params: bytes([self.settings.region]),
            0x0D: lambda params: self.settings.query.to_bytes(2, "big"),
            0x0E: self._set_query,
            0x12: self._set_select_mode,
            0x28: self._stop,
            0xB6: self._set_power,
            0xB7: lambda params: self.settings.power.to_bytes(2, "big"),
        }

    # The client's side.

    @property
    def reading(self) -> bool:
        return self._rounds > 0

    def receive(self, data: bytes) -> Iterator[bytes]:
        """Take bytes as they came; yields the answers. Assumed: what is damaged is passed over without a word."""
        self._heard += data
        while (start := self._heard.find(self._head)) >= 0 and len(self._heard) >= start + 7:
            size = 7 + int.from_bytes(self._heard[start + 3 : start + 5], "big")
            frame = self._heard[start : start + size]
            if size <= 7 + 255 and len(frame) < size:
                return
            if (
                size > 7 + 255
                or frame[-1] != self._tail
                or checksum(frame[1:-2]) != frame[-2]
                or frame[1] != 0
            ):
                self._heard = self._heard[start + 1 :]
                continue
            self._heard = self._heard[start + size :]
            yield from self._obey(frame[2], frame[5:-2])

    def outgoing(self) -> Iterator[bytes]:
        """What is said of rounds; each frame is forgotten as it is taken."""
        while self._unsent:
            yield self._unsent.popleft()

    def nobody_listens(self) -> None:
        """What would be said goes out on a line that ends nowhere."""
        self._unsent.clear()

    # The world's side.

    def sighted(self, epc: bytes, antenna: int, rssi_dbm: int, channel: int, at_us: int) -> None:
        """The radio has read a tag. The module has one antenna, and says neither it nor the time."""
        if not self._rounds or self.antenna_off or self.settings.select_mode == 0x00:
            return
        sent = (len(epc) // 2 << 11).to_bytes(2, "big") + epc
        params = bytes([rssi_dbm & 0xFF]) + sent + tag_crc(sent).to_bytes(2, "big")
        self._round.append(self._frame(2, 0x22, params))

    def tick(self, mono_ms: float) -> None:
        """Time has passed: `mono_ms` is a steady clock."""
        self._mono_ms = mono_ms
        if not self._rounds or mono_ms < self._next_ms:
            return
        self._next_ms = mono_ms + ROUND_MS
        self._rounds -= 1
        if self._round:
            self._unsent.extend(self._round)
        elif self._says_none:
            self._unsent.append(self._frame(1, ERROR, bytes([INVENTORY_FAIL])))
        self._round = []

    def power_cycle(self) -> None:
        """Switched off and on: it does nothing until it is told everything again."""
        self.settings = Settings()
        self._rounds = 0
        self._round = []
        self._unsent.clear()
        self._heard = b""

    def _frame(self, kind: int, number: int, params: bytes) -> bytes:
        body = bytes([kind, number]) + len(params).to_bytes(2, "big") + params
        return bytes([self._head]) + body + bytes([checksum(body), self._tail])

    # Orders: each takes a command's parameters and returns the answer's, or None where it is wrong.

    def _obey(self, number: int, params: bytes) -> Iterator[bytes]:
        if number in (0x22, 0x27):
            self._rounds = 1 if number == 0x22 else int.from_bytes(params[1:3], "big")
            self._next_ms = self._mono_ms + ROUND_MS
            return
        order = self._orders.get(number)
        said = None if order is None else order(params)
        if said is None:
            yield self._frame(1, ERROR, bytes([COMMAND_ERROR]))
        elif number == 0x28:
            yield from self.outgoing()  # what was read comes before the word that it stopped
            yield self._frame(1, number, said)
        else:
            # The manual answers "set Select mode" under another command's number.
            yield self._frame(1, 0x0C if number == 0x12 else number, said)

    def _information(self, params: bytes) -> bytes | None:
        words = {b"\x00": HARDWARE, b"\x01": SOFTWARE, b"\x02": MAKER}
        return params + words[params] if params in words else None

    def _set_region(self, params: bytes) -> bytes | None:
        if len(params) != 1 or params[0] not in self._regions:
            return None
        self.settings.region = params[0]
        return b"\x00"

    def _set_query(self, params: bytes) -> bytes | None:
        if len(params) != 2:
            return None
        self.settings.query = int.from_bytes(params, "big")
        return b"\x00"

    def _set_select_mode(self, params: bytes) -> bytes | None:
        if params not in (b"\x00", b"\x01", b"\x02"):
            return None
        self.settings.select_mode = params[0]
        return b"\x00"

    def _set_power(self, params: bytes) -> bytes | None:
        centi_dbm = int.from_bytes(params, "big")
        if len(params) != 2 or centi_dbm > MOST_CENTI_DBM:
            return None
        self.settings.power = round(centi_dbm / POWER_STEP) * POWER_STEP
        return b"\x00"

    def _stop(self, params: bytes) -> bytes:
        self._rounds = 0
        self._unsent.extend(self._round)
        self._round = []
        return b"\x00"
