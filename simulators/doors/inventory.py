"""A reader takes turns with its antennas and reads, in each turn, some of the tags that answer.

All antennas of one reader share its capacity: a tag of a load of a hundred is read as seldom as real ones are, because
the others want to be read too. Which tags win a turn is chance, so the gaps between reads of one are geometric.
"""

import math
from collections import deque
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from simulators.doors.motion import Way
from simulators.doors.radio import HALF_READ_DBM, NOISE_DB, Aerial, Floats, Ints, Place, chance, levels

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


class _Still(NamedTuple):
    """The tags that rest in view, all in one: where they are, how well each antenna sees them."""

    key: tuple[tuple[int, int], ...]
    groups: list[Group]
    sizes: list[int]
    numbers: Ints
    x: Floats
    y: Floats
    gain_db: Floats


class Hearing:
    """Reads one reader's part of a world, chunk by chunk of time."""

    def __init__(
        self, reader: Reader, first: int, room: Place, groups: Sequence[Group], rng: np.random.Generator
    ) -> None:
        """`first` is the number of the reader's first antenna in the room."""
        self.reader, self._first, self._room, self._rng = reader, first, room, rng
        self._coming = deque(sorted(groups, key=lambda group: group.from_s))
        self._present: list[Group] = []
        self._still = _Still((), [], [], np.empty(0, np.int64), np.empty(0), np.empty(0), np.empty((0, 0)))
        self._numbers: dict[str, int] = {}
        for group in groups:
            for epc in group.epcs:
                self._numbers.setdefault(epc, len(self._numbers))
        self._silent_s = rng.uniform(*reader.silent_s, len(self._numbers))  # of each tag after a read
        self._until_s = np.full(len(self._numbers), -np.inf)  # when it will answer again

    @property
    def epcs(self) -> list[str]:
        return list(self._numbers)

    def chunks(self, from_s: float, to_s: float) -> Iterator[Reads]:
        """Yield what is read, in order of time, all of a chunk at once."""
        turns = max(len(self.reader.aerials), round(CHUNK_S / self.reader.turn_s))
        lasts = turns * self.reader.turn_s
        for number in range(math.ceil((to_s - from_s) / lasts)):
            reads = self._chunk(from_s + number * lasts, turns, number * turns)
            if len(reads.at_s):
                yield reads

    def _chunk(self, begin: float, turns: int, turn: int) -> Reads:
        starts: Floats = begin + self.reader.turn_s * np.arange(turns, dtype=np.float64)
        whose = (turn + np.arange(turns)) % len(self.reader.aerials)
        still, moving = self._in_view(begin, begin + turns * self.reader.turn_s)
        bodies = [(g, self._body(g, starts)) for g in moving if self._in_the_way(g, starts)]
        parts = [self._power_still(still, starts, whose, [body for _, body in bodies])]
        parts += [
            self._power(g, starts, whose, [b for o, b in bodies if o is not g]) for g in moving if g.epcs
        ]
        power = np.concatenate(parts, axis=1)
        numbers = np.concatenate([still.numbers, *(self._number(g) for g in moving if g.epcs)])
        for antenna, off_s, on_s in self.reader.off:
            there = np.array([a.number for a in self.reader.aerials])[whose]
            power[(there == antenna) & (starts >= off_s) & (starts < on_s)] = -200.0
        answering = self._rng.random(power.shape, np.float32) < chance(power)
        self._compete(answering, power, starts, numbers)
        return self._reads(answering, power, starts, whose, numbers)

    def _in_view(self, begin: float, end: float) -> tuple[_Still, list[Group]]:
        """What rests throughout a chunk, and everything else that is there. A load at rest in a doorway moves: it is
        in the way of others."""
        while self._coming and self._coming[0].from_s < end:
            self._present.append(self._coming.popleft())
        self._present = [group for group in self._present if group.to_s > begin]
        still, moving = [], []
        for group in self._present:
            whole = group.from_s <= begin and group.to_s >= end and group.lets_through == 1.0
            if whole and not group.way.moves_between(begin, end):
                still.append(group)
            elif self._heard(group, np.linspace(begin, end, 6)):
                moving.append(group)
        key = tuple((id(group), group.way.knot(begin)) for group in still)
        if key != self._still.key:
            self._still = self._look(key, still, begin)
        return self._still, moving

    def _look(self, key: tuple[tuple[int, int], ...], groups: list[Group], at_s: float) -> _Still:
        groups = [group for group in groups if group.epcs and self._heard(group, np.array([at_s]))]
        places = [group.way.at(np.array([at_s])) for group in groups]
        return _Still(
            key, groups, [len(group.epcs) for group in groups],
            np.array([number for group in groups for number in self._number(group)], dtype=np.int64),
            np.concatenate([np.empty(0), *(x + g.aside for g, (x, _) in zip(groups, places, strict=True))]),
            np.concatenate([np.empty(0), *(y + g.ahead for g, (_, y) in zip(groups, places, strict=True))]),
            np.concatenate([np.empty((0, len(self._room.x))), *(group.gain_db for group in groups)]),
        )  # fmt: skip

    def _number(self, group: Group) -> Ints:
        return np.array([self._numbers[epc] for epc in group.epcs], dtype=np.int64)

    def _heard(self, group: Group, times: Floats) -> bool:
        x, y = group.way.at(times)
        return any(bool(np.any(np.hypot(x - a.x, y - a.y) < LISTENS_M)) for a in self.reader.aerials)

    def _in_the_way(self, group: Group, starts: Floats) -> bool:
        x, y = group.way.at(starts[::8])
        middle = sum(a.x for a in self.reader.aerials) / len(self.reader.aerials)
        return group.lets_through < 1.0 and bool(np.any(np.hypot(x - middle, y) < NEAR_M))

    def _body(self, group: Group, starts: Floats) -> Floats:
        x, y = group.way.at(starts)
        there = (starts >= group.from_s) & (starts < group.to_s)
        return np.stack([x, y, np.where(there, group.lets_through, 1.0)], axis=1)

    def _power_still(self, still: _Still, starts: Floats, whose: Ints, bodies: Sequence[Floats]) -> Floats:
        """(turns, tags) dBm; with nobody about, a chunk is looked at once."""
        shade = np.repeat([group.shade_db(float(starts[0])) for group in still.groups], still.sizes)
        gain = still.gain_db[:, self._first : self._first + len(self.reader.aerials)].T - shade
        if bodies:
            heard = levels(
                self._room, whose + self._first, still.x[None], still.y[None], starts[:, None], bodies
            )
            heard += gain[whose]
            return heard
        once = self._first + np.arange(len(self.reader.aerials))
        heard = levels(self._room, once, still.x[None], still.y[None], starts[:1, None]) + gain
        power: Floats = heard[whose]
        return power

    def _power(self, group: Group, starts: Floats, whose: Ints, bodies: Sequence[Floats]) -> Floats:
        """(turns, tags) dBm of a group on its way."""
        x, y = group.way.at(starts)
        heard = levels(
            self._room, whose + self._first, x[:, None] + group.aside, y[:, None] + group.ahead, starts[:, None],
            bodies,
        )  # fmt: skip
        power = heard + group.gain_db.T[whose + self._first] - group.shade_db(float(starts[0]))
        power[(starts < group.from_s) | (starts >= group.to_s)] = -200.0
        return power

    def _compete(self, answering: NDArray[np.bool_], power: Floats, starts: Floats, numbers: Ints) -> None:
        """Leave whom a turn has time for; of two that answer at once, the stronger is heard a little oftener."""
        room = self.reader.reads_per_s * self.reader.turn_s
        most = np.floor(room + self._rng.random(len(starts))).astype(np.int64)
        counts = answering.sum(axis=1)
        silent = self._silent_s[numbers]
        rows = np.flatnonzero(counts if silent.any() else counts > most)
        until = self._until_s[numbers]
        for row in rows:
            here = answering[row]
            here &= until <= starts[row]
            if np.count_nonzero(here) > most[row]:
                tags = np.flatnonzero(here)
                keys = self._rng.exponential(size=len(tags)) * np.exp(
                    (HALF_READ_DBM - power[row, tags]) / 30.0
                )
                here[tags[np.argsort(keys)[most[row] :]]] = False
            until[here] = starts[row] + silent[here]
        self._until_s[numbers] = until

    def _reads(
        self, answering: NDArray[np.bool_], power: Floats, starts: Floats, whose: Ints, numbers: Ints
    ) -> Reads:
        rows, tags = np.nonzero(answering)
        at_s = starts[rows] + self.reader.turn_s * self._rng.random(len(rows))
        order = np.argsort(at_s, kind="stable")
        rows, tags = rows[order], tags[order]
        antennas = np.array([a.number for a in self.reader.aerials])
        rssi = power[rows, tags] + self._rng.normal(0.0, NOISE_DB, len(rows))
        return Reads(at_s[order], antennas[whose[rows]], numbers[tags], np.round(rssi * 2) / 2)
