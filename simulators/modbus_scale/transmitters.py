"""Weight transmitters: what their cells feel in, registers out.

Sources: the makers' register lists: Laumas TLU manual (40001 to 40014), Eagle EI-4000 manual (firmware 6.60), Baykon
MX08 technical manual 2.5 (command set 1), Dini Argeo DGT4X technical manual (single scale and multiscale). What
Laumas' register 40014 says of division and unit, and which word of Eagle's floats is first, is assumed.
"""

import struct
from collections.abc import Callable
from dataclasses import dataclass, field
from enum import StrEnum

KINDS = ("laumas", "eagle", "baykon", "dini", "dini_4")
CHANNELS = {"eagle": 4, "dini_4": 4}  # one of the others
REST_READINGS = 5
REST_GRAMS = 1.0


class State(StrEnum):
    FINE = "fine"
    OVER = "over"
    UNDER = "under"
    BROKEN = "broken"  # the cell's cable


@dataclass
class Channel:
    """One load cell: what it feels, and whether it rests."""

    weigh: Callable[[], float]
    state: State = State.FINE
    _recent: list[float] = field(default_factory=list)

    def measure(self) -> tuple[float, bool]:
        grams = self.weigh()
        self._recent = [*self._recent[-REST_READINGS + 1 :], grams]
        rests = len(self._recent) == REST_READINGS and max(self._recent) - min(self._recent) <= REST_GRAMS
        return grams, rests


@dataclass
class Transmitter:
    """One device at one address.

    Attributes:
        answers: whether it is there at all.
        refuses: the exception that it answers with, 0 for none.
        late_s: how long it takes to answer.
        written: questions that would have written something; it keeps them, and refuses.
    """

    kind: str
    unit: int
    channels: list[Channel]
    serial: int = 4711
    division_grams: float = 0.1
    answers: bool = True
    refuses: int = 0
    late_s: float = 0.0
    asked: int = 0
    written: list[bytes] = field(default_factory=list)

    @property
    def function(self) -> int:
        return 4 if self.kind == "dini" else 3

    def registers(self) -> dict[int, int]:
        """All that can be read, by address, as of now."""
        makers: dict[str, Callable[[], dict[int, int]]] = {
            "laumas": self._laumas,
            "eagle": self._eagle,
            "baykon": self._baykon,
            "dini": self._dini,
            "dini_4": self._dini_4,
        }
        return makers[self.kind]()

    def _divisions(self, grams: float) -> int:
        return round(grams / self.division_grams)

    def _laumas(self) -> dict[int, int]:
        channel = self.channels[0]
        grams, rests = channel.measure()
        weight = self._divisions(grams)
        status = (
            (channel.state is State.BROKEN) << 0
            | (channel.state is State.OVER) << 2
            | (weight < 0) << 7
            | (weight < 0) << 8
            | rests << 11
        )
        size = abs(weight)
        gross = [size >> 16, size & 0xFFFF]  # and net, for there is no tare
        division = 1 << 8 | 9  # grams, 0.1
        return dict(enumerate([104, 7, 2024, self.serial, 0, 0, status, *gross, *gross, 0, 0, division]))

    def _eagle(self) -> dict[int, int]:
        found: dict[int, int] = {}
        for i, channel in enumerate(self.channels):
            grams, _ = channel.measure()
            kg = grams / 1000 if channel.state is State.FINE else float("nan")
            for base, value in ((0x1000, kg / 0.45359237), (0x2000, kg)):
                words = struct.unpack(">HH", struct.pack(">f", value))
                found |= {base + 2 * i: words[0], base + 2 * i + 1: words[1]}
        return found

    def _baykon(self) -> dict[int, int]:
        channel = self.channels[0]
        grams, rests = channel.measure()
        weight = self._divisions(grams) & 0xFFFFFFFF
        code = {State.FINE: 0, State.OVER: 2, State.UNDER: 3, State.BROKEN: 1}[channel.state]
        status = (code == 0) << 1 | (not rests) << 2 | code << 13
        high, low = weight >> 16, weight & 0xFFFF
        return {0: high, 1: low, 2: status, 3: 0, 4: 0, 5: high, 6: low, 7: status}

    def _dini(self) -> dict[int, int]:
        channel = self.channels[0]
        grams, rests = channel.measure()
        weight = self._divisions(grams)
        status = (weight < 0) << 0 | (weight < 0) << 1 | rests << 2
        status |= (channel.state is State.UNDER) << 3 | (channel.state in (State.OVER, State.BROKEN)) << 4
        size = abs(weight)
        return dict(enumerate([size >> 16, size & 0xFFFF, size >> 16, size & 0xFFFF, status, 0, 0]))

    def _dini_4(self) -> dict[int, int]:
        found: dict[int, int] = {}
        for i, channel in enumerate(self.channels):
            grams, rests = channel.measure()
            weight = self._divisions(grams)
            status = (weight < 0) << 0 | rests << 1
            status |= (channel.state is State.UNDER) << 2 | (channel.state in (State.OVER, State.BROKEN)) << 3
            at = 201 + 3 * i
            found |= {at: status, at + 1: abs(weight) >> 16, at + 2: abs(weight) & 0xFFFF}
        return found
