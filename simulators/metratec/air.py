"""The radio of a reader: tags wait at each antenna until its turn comes. No I/O; time is told to it."""

from collections import deque
from dataclasses import dataclass, field
from typing import NamedTuple

ROUND_MS = (
    50.0  # on one antenna. Assumed; "a few hundred tags per second" is what the maker says of a PulsarLR
)
MOST_WAITING = 200  # at one antenna; a reader has no memory for tags that it could not tell of


class Seen(NamedTuple):
    """One read of one tag."""

    epc: str
    rssi_dbm: int


@dataclass
class Air:
    """`antennas` are the ports that the reader has, `sequence` those that it tries in turn."""

    antennas: tuple[int, ...]
    sequence: tuple[int, ...]
    connected: set[int] = field(default_factory=set)
    reading: bool = False
    _waiting: dict[int, deque[Seen]] = field(default_factory=dict)
    _turn: int = 0
    _due_ms: float | None = None

    def __post_init__(self) -> None:
        self.connected = set(self.antennas)

    @property
    def waiting(self) -> int:
        """Reads that no round has told of yet."""
        return sum(len(each) for each in self._waiting.values())

    def start(self) -> None:
        self.reading = True
        self._turn = 0
        self._due_ms = None
        self._waiting.clear()

    def stop(self) -> None:
        self.reading = False
        self._waiting.clear()

    def sighted(self, epc: str, antenna: int, rssi_dbm: int) -> None:
        """A tag was read; counts only while the reader reads on this antenna, and its cable is plugged in."""
        if self.reading and antenna in self.sequence and antenna in self.connected:
            self._waiting.setdefault(antenna, deque(maxlen=MOST_WAITING)).append(Seen(epc, rssi_dbm))

    def rounds(self, mono_ms: float) -> list[tuple[int, list[Seen]]]:
        """The antennas whose round is over by now, with what was read on each: no tag twice in a round."""
        over: list[tuple[int, list[Seen]]] = []
        if not self.reading:
            return over
        if self._due_ms is None or mono_ms - self._due_ms > 10 * ROUND_MS:
            self._due_ms = mono_ms + ROUND_MS  # just begun, or nobody asked for long
        while mono_ms >= self._due_ms:
            antenna = self.sequence[self._turn % len(self.sequence)]
            self._turn += 1
            self._due_ms += ROUND_MS
            over.append((antenna, self._take(antenna)))
        return over

    def _take(self, antenna: int) -> list[Seen]:
        waiting = self._waiting.pop(antenna, deque())
        found: dict[str, Seen] = {}
        later: deque[Seen] = deque(maxlen=MOST_WAITING)
        for seen in waiting:
            if seen.epc in found:
                later.append(seen)  # it answers once in a round, and again in the next
            else:
                found[seen.epc] = seen
        if later:
            self._waiting[antenna] = later
        return list(found.values())
