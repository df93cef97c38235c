"""A reader takes turns with its antennas and reads, in each turn, some of the tags that answer.

All antennas of one reader share its capacity: a tag of a load of a hundred is read as seldom as real ones are, because
the others want to be read too. Which tags win a turn is chance, so the gaps between reads of one are geometric.
"""

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from simulators.doors.motion import Way
from simulators.doors.radio import HALF_READ_DBM, NOISE_DB, Aerial, Floats, Place, chance, levels

Ints = NDArray[np.int64]
CHUNK_S = 5.0  # the space is looked at anew so often where nothing moves in it
NEAR_M = 4.5  # what moves this near to the sill stands in somebody's way
LISTENS_M = 7.5  # beyond, nothing is read


@dataclass(frozen=True, slots=True)
class Group:
    """Tags that are moved together: a load, a pallet at rest, or, without tags, a person.

    `ahead` and `aside` say where each tag is, metres from the middle of the group, and `gain_db` how well each antenna
    sees it: (tags, antennas). `shades` are times (from, to, dB) in which somebody stands before it.
    """

    name: str
    epcs: tuple[str, ...]
    way: Way
    from_s: float  # before and after, it is not there
    to_s: float
    ahead: Floats
    aside: Floats
    gain_db: Floats
    lets_through: float = 1.0  # the amplitude, one way, that passes it
    kind: str = "load"
    shades: tuple[tuple[float, float, float], ...] = ()

    def shade_db(self, at_s: float) -> float:
        return sum(db for begin, end, db in self.shades if begin <= at_s < end)


@dataclass(frozen=True, slots=True)
class Reader:
    """One reader's antennas, its pace, and whether it stops while nothing is before it."""

    gate: str
    aerials: tuple[Aerial, ...]
    reads_per_s: float  # of all antennas together
    turn_s: float = 0.06  # per antenna, as published recordings of four antennas show
    # A tag that was read keeps silent for so long (EPC Gen2 session 1: 0.5 to 5 s, each chip its own); 0 is session 0.
    silent_s: tuple[float, float] = (0.0, 0.0)
    off: tuple[tuple[int, float, float], ...] = ()  # antenna number, from, to: not connected


class Reads(NamedTuple):
    """Columns: one row a read."""

    at_s: Floats
    antenna: Ints
    tag: Ints  # index into the epcs given
    rssi_dbm: Floats


@dataclass
class Hearing:
    """Reads one reader's part of a world, chunk by chunk of time."""

    reader: Reader
    first: int  # the number of its first antenna in the room
    room: Place
    groups: Sequence[Group]
    rng: np.random.Generator
    _numbers: dict[str, int] = field(default_factory=dict)
    _silent_s: Floats = field(init=False)  # of each tag after a read
    _until_s: Floats = field(init=False)  # when it will answer again

    def __post_init__(self) -> None:
        for group in self.groups:
            for epc in group.epcs:
                self._numbers.setdefault(epc, len(self._numbers))
        self._silent_s = self.rng.uniform(*self.reader.silent_s, len(self._numbers))
        self._until_s = np.full(len(self._numbers), -np.inf)

    @property
    def epcs(self) -> list[str]:
        return list(self._numbers)

    def chunks(self, from_s: float, to_s: float) -> Iterator[Reads]:
        """Yield what is read, in order of time, all of a chunk at once."""
        turns = max(len(self.reader.aerials), round(CHUNK_S / self.reader.turn_s))
        lasts = turns * self.reader.turn_s
        for number in range(math.ceil((to_s - from_s) / lasts)):
            begin = from_s + number * lasts
            reads = self._chunk(begin, turns, number * turns)
            if len(reads.at_s):
                yield reads

    def _chunk(self, begin: float, turns: int, turn: int) -> Reads:
        starts: Floats = begin + self.reader.turn_s * np.arange(turns, dtype=np.float64)
        whose = (turn + np.arange(turns)) % len(self.reader.aerials)
        end = begin + turns * self.reader.turn_s
        here = [g for g in self.groups if g.from_s < end and g.to_s > begin and self._heard(g, begin, end)]
        near = [g for g in here if g.lets_through < 1.0 and self._in_the_way(g, begin, end)]
        tagged = [g for g in here if g.epcs]
        if not tagged:
            return Reads(np.empty(0), np.empty(0, np.int64), np.empty(0, np.int64), np.empty(0))
        bodies = [(g, self._body(g, starts)) for g in near]
        power = np.concatenate([self._power(g, starts, whose, bodies) for g in tagged], axis=1)
        numbers = np.array([self._numbers[epc] for g in tagged for epc in g.epcs])
        answering = self.rng.random(power.shape, np.float32) < chance(power)
        self._compete(answering, power, starts, numbers)
        return self._reads(answering, power, starts, whose, numbers)

    def _heard(self, group: Group, begin: float, end: float) -> bool:
        times = np.linspace(begin, end, 6)
        x, y = group.way.at(times)
        return any(bool(np.any(np.hypot(x - a.x, y - a.y) < LISTENS_M)) for a in self.reader.aerials)

    def _in_the_way(self, group: Group, begin: float, end: float) -> bool:
        x, y = group.way.at(np.linspace(begin, end, 6))
        middle = sum(a.x for a in self.reader.aerials) / len(self.reader.aerials)
        return bool(np.any(np.hypot(x - middle, y) < NEAR_M))

    def _body(self, group: Group, starts: Floats) -> Floats:
        x, y = group.way.at(starts)
        return np.stack([x, y, np.full_like(x, group.lets_through)], axis=1)

    def _power(
        self, group: Group, starts: Floats, whose: Ints, bodies: Sequence[tuple[Group, Floats]]
    ) -> Floats:
        """(turns, tags) dBm; 5 s at rest with nobody about are looked at once."""
        others = [(g, body) for g, body in bodies if g is not group]
        resting = not others and not group.way.moves_between(float(starts[0]), float(starts[-1]))
        resting &= group.from_s <= starts[0] and group.to_s >= starts[-1]
        at = starts[:1] if resting else starts
        x, y = group.way.at(at)
        result = np.full((len(starts), len(group.epcs)), -200.0)
        for place, aerial in enumerate(self.reader.aerials):
            turns = np.flatnonzero(whose == place)
            rows = np.zeros(1, np.int64) if resting else turns
            power = levels(
                aerial, self.first + place, self.room, x[rows, None] + group.aside, y[rows, None] + group.ahead,
                at[rows, None], [body[rows] for _, body in others],
            )  # fmt: skip
            result[turns] = power + group.gain_db[:, self.first + place]
        result -= group.shade_db(float(starts[0]))
        if not resting:
            result[(starts < group.from_s) | (starts >= group.to_s)] = -200.0
        for antenna, off_s, on_s in self.reader.off:
            numbers = np.array([a.number for a in self.reader.aerials])
            result[(numbers[whose] == antenna) & (starts >= off_s) & (starts < on_s)] = -200.0
        return result

    def _compete(self, answering: NDArray[np.bool_], power: Floats, starts: Floats, numbers: Ints) -> None:
        """Leave whom a turn has time for; of two that answer at once, the stronger is heard a little oftener."""
        room = self.reader.reads_per_s * self.reader.turn_s
        most = np.floor(room + self.rng.random(len(starts))).astype(np.int64)
        counts = answering.sum(axis=1)
        silent = self._silent_s[numbers]
        rows = np.flatnonzero(counts if silent.any() else counts > most)
        until = self._until_s[numbers]
        for row in rows:
            here = answering[row]
            here &= until <= starts[row]
            if np.count_nonzero(here) > most[row]:
                tags = np.flatnonzero(here)
                keys = self.rng.exponential(size=len(tags)) * np.exp(
                    (HALF_READ_DBM - power[row, tags]) / 30.0
                )
                here[tags[np.argsort(keys)[most[row] :]]] = False
            until[here] = starts[row] + silent[here]
        self._until_s[numbers] = until

    def _reads(
        self, answering: NDArray[np.bool_], power: Floats, starts: Floats, whose: Ints, numbers: Ints
    ) -> Reads:
        rows, tags = np.nonzero(answering)
        at_s = starts[rows] + self.reader.turn_s * self.rng.random(len(rows))
        order = np.argsort(at_s, kind="stable")
        rows, tags = rows[order], tags[order]
        antennas = np.array([a.number for a in self.reader.aerials])
        rssi = power[rows, tags] + self.rng.normal(0.0, NOISE_DB, len(rows))
        return Reads(at_s[order], antennas[whose[rows]], numbers[tags], np.round(rssi * 2) / 2)
