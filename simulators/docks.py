"""Loads at one dock door: what comes, what leaves, who turns round, and when. Pure.

Loads never overlap at a door. Every load that comes carries tags nobody has seen; a load that leaves is one
that came earlier by the same door.
"""

from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from enum import StrEnum
from random import Random

from simulators.epc import sgtin_96, sscc_96
from simulators.radio import REACH_M, Mover, Sighting, passing
from simulators.scenario import Docks, GateSite

HALF_LENGTH_M = 0.5  # of a load along its way
SPEED_M_S = (1.1, 1.4)  # a pallet truck pushed by hand
STAYS_S = 10.0  # a load leaves no sooner after it came
TURNS_AT_M = (
    -2.1,
    -1.8,
)  # of those that turn round: well before the sill, beyond what the inner antennas hear
TURNS_FOR_S = (0.5, 2.0)
PASSER_TAGS = (8, 16)
LEAST_READS_A_SIDE = 4  # a crossing that gives fewer reads on a side cannot be told from a turning round
PATIENCE_S = 2.0  # nobody waits longer than this beyond the least gap, at pace 1


class Way(StrEnum):
    IN = "in"
    OUT = "out"
    TURNED_BACK = "turned_back"


@dataclass(frozen=True, slots=True)
class Visit:
    """One load at one door. `moments` says when each of its tags crossed the sill, or turned round before it."""

    gate: str
    load: str
    way: Way
    enters_s: float
    leaves_s: float
    moments: tuple[tuple[float, str], ...]
    sightings: tuple[Sighting, ...]

    @property
    def epcs(self) -> tuple[str, ...]:
        return tuple(epc for _, epc in self.moments)


class _Labels:
    """Prints tags: serials start at a number of the seed's own and count on, so no EPC comes twice in a run."""

    def __init__(self, gate: GateSite, docks: Docks, seed: int) -> None:
        self._docks = docks
        self._rng = Random(f"{seed}/{gate.name}/labels")
        # Each door has a range of 2**24 serials to itself.
        self._serial = self._rng.randrange(1 << 13) << 24
        digits = 16 - len(docks.pallet.company_prefix)
        self._pallet = self._rng.randrange(10 ** (digits - 1))

    def load(self, tags: int) -> tuple[str, ...]:
        cargo = self._rng.choice(self._docks.cargo)
        return (self._next_pallet(), *(self._next(cargo.gtin) for _ in range(tags - 1)))

    def strays(self, number: int) -> tuple[str, ...]:
        return tuple(self._next(self._rng.choice(self._docks.cargo).gtin) for _ in range(number))

    def _next(self, gtin: str) -> str:
        cargo = next(each for each in self._docks.cargo if each.gtin == gtin)
        self._serial += 1
        return sgtin_96(
            gtin, company_prefix=cargo.company_prefix, serial=self._serial, filter_value=cargo.filter
        )

    def _next_pallet(self) -> str:
        self._pallet += 1
        pallet = self._docks.pallet
        return sscc_96(company_prefix=pallet.company_prefix, extension=pallet.extension, serial=self._pallet)


def strays(gate: GateSite, docks: Docks, seed: int) -> tuple[tuple[str, bool], ...]:
    """The tags that stand near a door all the time, and whether each stands inside."""
    labels = _Labels(gate, docks, seed)
    outside = [(epc, False) for epc in labels.strays(gate.strays_outside)]
    return (*outside, *((epc, True) for epc in labels.strays(gate.strays_inside)))


def visits(
    gate: GateSite, docks: Docks, seed: int, *, start_s: float, end_s: float, pace: float
) -> Iterator[Visit]:
    """Yield the loads of one door in order; the last has left the field by `end_s`."""
    rng = Random(f"{seed}/{gate.name}")
    labels = _Labels(gate, docks, seed)
    labels.strays(gate.strays_outside + gate.strays_inside)  # those serials are taken
    came: deque[Visit] = deque(maxlen=4)
    since_turn = 1
    number = 0
    at_s = start_s + rng.uniform(0.0, 2.0)
    while True:
        number += 1
        way, leaving = _choose(came, since_turn, at_s, rng)
        if way is Way.OUT and leaving is not None:
            epcs = leaving.epcs
        else:
            least, most = PASSER_TAGS if way is Way.TURNED_BACK else (docks.least_tags, docks.most_tags)
            epcs = labels.load(rng.randint(least, most))
        visit = _visit(gate, f"{gate.name}-L{number}", way, epcs, at_s, rng)
        if visit.leaves_s > end_s:
            return
        yield visit
        since_turn = 0 if way is Way.TURNED_BACK else since_turn + 1
        if way is Way.IN:
            came.append(visit)
        elif leaving is not None:
            came.remove(leaving)
        wait_s = min(rng.expovariate(1.0), PATIENCE_S)
        at_s = visit.leaves_s + docks.gap_s + wait_s / pace


def _choose(came: deque[Visit], since_turn: int, at_s: float, rng: Random) -> tuple[Way, Visit | None]:
    """What the next load does; a load that leaves is the one that came first. Two of three loads go through."""
    leaving = next((visit for visit in came if visit.leaves_s + STAYS_S <= at_s), None)
    if leaving is not None and rng.random() < 0.6:
        return Way.OUT, leaving
    if since_turn >= 2 and rng.random() < 0.5:
        return Way.TURNED_BACK, None
    return Way.IN, None


def _visit(gate: GateSite, load: str, way: Way, epcs: tuple[str, ...], enters_s: float, rng: Random) -> Visit:
    path, moment, leaves_s = _path(way, enters_s, rng)
    movers, moments = [], []
    for epc in epcs:
        behind_m = rng.uniform(-HALF_LENGTH_M, HALF_LENGTH_M)
        movers.append(
            Mover(
                epc=epc,
                place=_behind(path, behind_m),
                lateral_m=rng.uniform(-0.4, 0.4),
                gain_db=max(-4.0, min(4.0, rng.gauss(0.0, 2.0))),
                share=rng.uniform(0.08, 0.4),
            )
        )
        moments.append((moment(behind_m), epc))
    sightings = _sightings(gate, way, movers, enters_s, leaves_s, rng)
    return Visit(gate.name, load, way, enters_s, leaves_s, tuple(sorted(moments)), sightings)


def _path(
    way: Way, enters_s: float, rng: Random
) -> tuple[Callable[[float], float], Callable[[float], float], float]:
    """Where the load's middle is at a time; when a tag so far ahead of it crosses or turns; when all is over."""
    speed = rng.uniform(*SPEED_M_S)
    far_m = REACH_M + HALF_LENGTH_M
    if way is not Way.TURNED_BACK:
        sign = 1.0 if way is Way.IN else -1.0
        leaves_s = enters_s + 2 * far_m / speed
        return (
            lambda at_s: sign * (speed * (at_s - enters_s) - far_m),
            lambda ahead_m: enters_s + (far_m - sign * ahead_m) / speed,
            leaves_s,
        )
    turn_m = rng.uniform(*TURNS_AT_M)
    there_s = enters_s + (turn_m + far_m) / speed
    back_s = there_s + rng.uniform(*TURNS_FOR_S)

    def place(at_s: float) -> float:
        if at_s < there_s:
            return speed * (at_s - enters_s) - far_m
        return turn_m - max(0.0, speed * (at_s - back_s))

    return place, lambda ahead_m: back_s, back_s + (turn_m + far_m) / speed


def _behind(path: Callable[[float], float], ahead_m: float) -> Callable[[float], float]:
    return lambda at_s: path(at_s) + ahead_m


def _sightings(
    gate: GateSite, way: Way, movers: list[Mover], from_s: float, to_s: float, rng: Random
) -> tuple[Sighting, ...]:
    """The load's reads; a load of which some tag was hardly read is read again, with tags better turned."""
    while True:
        reads = tuple(passing(gate, movers, from_s, to_s, rng))
        weak = _hardly_read(gate, way, movers, reads)
        if not weak:
            return reads
        movers = [
            Mover(m.epc, m.place, m.lateral_m, max(m.gain_db, 0.0), min(1.0, m.share * 1.5))
            if m.epc in weak
            else m
            for m in movers
        ]


def _hardly_read(gate: GateSite, way: Way, movers: list[Mover], reads: tuple[Sighting, ...]) -> set[str]:
    sides = (gate.outside,) if way is Way.TURNED_BACK else (gate.outside, gate.inside)
    weak = set()
    for side in sides:
        count = {mover.epc: 0 for mover in movers}
        for read in reads:
            if read.antenna in side:
                count[read.epc] += 1
        weak |= {epc for epc, seen in count.items() if seen < LEAST_READS_A_SIDE}
    return weak
