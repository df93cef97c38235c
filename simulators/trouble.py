"""What can be wrong with a line, whatever device speaks on it. Pure: bytes and time in, what to do out.

A trouble belongs to a link, not to a device, so every simulated device can have every one of them. A new one is
made for each connection; `after_s` counts from its beginning.
"""

from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass
from random import Random
from typing import Protocol


@dataclass(frozen=True, slots=True)
class Send:
    data: bytes


@dataclass(frozen=True, slots=True)
class Wait:
    seconds: float


@dataclass(frozen=True, slots=True)
class HangUp:
    """Close the line as if the plug were pulled."""


Step = Send | Wait | HangUp


class Trouble(Protocol):
    def outgoing(self, data: bytes, at_s: float) -> list[Step]:
        """What becomes of one message that the device sends `at_s` after the connection began."""
        ...


class Nothing:
    """A line as it should be."""

    def outgoing(self, data: bytes, at_s: float) -> list[Step]:
        return [Send(data)]


class Drip:
    """One byte at a time: the worst that a UART, or TCP, can do."""

    def outgoing(self, data: bytes, at_s: float) -> list[Step]:
        return [step for byte in data for step in (Send(bytes([byte])), Wait(0.0))]


@dataclass
class Slow:
    """Each message is late by as long as `delay_s`, the next ones behind it."""

    rng: Random
    delay_s: float = 0.3

    def outgoing(self, data: bytes, at_s: float) -> list[Step]:
        return [Wait(self.rng.uniform(0.0, self.delay_s)), Send(data)]


@dataclass
class _NowAndThen(ABC):
    """From `after_s` on, once in so many seconds, something befalls a message."""

    after_s: float
    rng: Random

    def __post_init__(self) -> None:
        self._next_s = self.after_s

    def outgoing(self, data: bytes, at_s: float) -> list[Step]:
        if at_s < self._next_s or not data:
            return [Send(data)]
        self._next_s = at_s + self.after_s
        return [Send(arrives) for arrives in self.befalls(data)]

    @abstractmethod
    def befalls(self, data: bytes) -> list[bytes]:
        """What arrives instead of it."""


class Garbage(_NowAndThen):
    """Some bytes of noise come before it."""

    def befalls(self, data: bytes) -> list[bytes]:
        return [self.rng.randbytes(self.rng.randint(1, 40)), data]


class Flip(_NowAndThen):
    """One bit of it is wrong."""

    def befalls(self, data: bytes) -> list[bytes]:
        broken = bytearray(data)
        broken[self.rng.randrange(len(broken))] ^= 1 << self.rng.randrange(8)
        return [bytes(broken)]


class Drop(_NowAndThen):
    """It does not arrive."""

    def befalls(self, data: bytes) -> list[bytes]:
        return []


class Bite(_NowAndThen):
    """It loses one to five bytes: a receiver that was too slow."""

    def befalls(self, data: bytes) -> list[bytes]:
        at = self.rng.randrange(len(data))
        return [data[:at] + data[at + self.rng.randint(1, 5) :]]


@dataclass
class HalfFrame:
    """After `after_s` half a message, then silence, the line staying up."""

    after_s: float
    _silent: bool = False

    def outgoing(self, data: bytes, at_s: float) -> list[Step]:
        if self._silent:
            return []
        if at_s < self.after_s:
            return [Send(data)]
        self._silent = True
        return [Send(data[: len(data) // 2])]


@dataclass
class Silence:
    """After `after_s` nothing more, the line staying up: a dead device behind a live converter."""

    after_s: float

    def outgoing(self, data: bytes, at_s: float) -> list[Step]:
        return [Send(data)] if at_s < self.after_s else []


@dataclass
class Cut:
    """After `after_s` the line goes down, in the middle of a message."""

    after_s: float

    def outgoing(self, data: bytes, at_s: float) -> list[Step]:
        return [Send(data)] if at_s < self.after_s else [Send(data[: len(data) // 2]), HangUp()]


@dataclass
class Duplicate:
    """From `after_s` on every message comes twice."""

    after_s: float

    def outgoing(self, data: bytes, at_s: float) -> list[Step]:
        return [Send(data)] if at_s < self.after_s else [Send(data), Send(data)]


@dataclass
class Glue:
    """Messages arrive several at once, `after_s` of them together: a converter that waits for a full packet."""

    after_s: float

    def __post_init__(self) -> None:
        self._held = bytearray()
        self._since_s = 0.0

    def outgoing(self, data: bytes, at_s: float) -> list[Step]:
        self._held += data
        if at_s - self._since_s < self.after_s:
            return []
        together, self._held, self._since_s = bytes(self._held), bytearray(), at_s
        return [Send(together)]


DEFAULT_AFTER_S = 5.0

TROUBLES: dict[str, Callable[[float, Random], Trouble]] = {
    "none": lambda after_s, rng: Nothing(),
    "drip": lambda after_s, rng: Drip(),
    "slow": lambda after_s, rng: Slow(rng),
    "garbage": Garbage,
    "flip": Flip,
    "drop": Drop,
    "bite": Bite,
    "half-frame": lambda after_s, rng: HalfFrame(after_s),
    "silence": lambda after_s, rng: Silence(after_s),
    "hang-up": lambda after_s, rng: Cut(after_s),
    "duplicate": lambda after_s, rng: Duplicate(after_s),
    "glue": lambda after_s, rng: Glue(after_s),
}

# What can be wrong with a device itself, its line being as it should be: for the simulators that know how.
FAULTS: dict[str, str] = {
    "power-cycle": "switched off and on again after so many seconds: it forgets what it was told and held",
    "clock-2000": "its clock says 2000-01-01, for ever",
    "clock-set": "its clock says 2000-01-01, and is set right after so many seconds",
    "clock-back": "its clock is set an hour back after so many seconds",
    "taken": "another client is connected for so many seconds",
    "leaves": "closes its client's connection, with a word, once in so many seconds",
    "antenna-off": "the cable of its first antenna is off every other so many seconds",
    "overflow": "its buffer holds only a hundred reads",
}


def parse(words: str, *, faults: bool = False) -> tuple[str, float]:
    """Read NAME or NAME:SECONDS.

    Raises:
        ValueError: there is no such trouble, or the seconds are not a number above zero.
    """
    name, _, seconds = words.partition(":")
    known = {**TROUBLES, **FAULTS} if faults else {**TROUBLES}
    if name not in known:
        raise ValueError(f"no trouble is called {name!r}; there are {', '.join(known)}")
    after_s = float(seconds) if seconds else DEFAULT_AFTER_S
    if not after_s > 0:
        raise ValueError(f"{words!r}: the seconds must be above zero")
    return name, after_s


def maker(words: str, seed: int) -> Callable[[], Trouble]:
    """What makes this trouble anew for each connection. Raises ValueError as `parse` does."""
    name, after_s = parse(words)
    rng = Random(seed)
    return lambda: TROUBLES[name](after_s, rng)
