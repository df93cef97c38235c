"""What a door's antennas hear of tags that pass, turn round, or stand about. Pure.

Metres along the way through the door, 0 at the sill, negative outside; seconds; dBm. A tag's strength is a bell
per antenna: the loss of distance both ways (40 log10 d) and the antenna's beam. Whether it is read in a round of
the reader is chance, so the gaps between reads are geometric. The figures are set so that a tag gives 3 to 50
reads a pass, with 2 to 3 s between the sides, as published recordings of two real doors show.
"""

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from random import Random
from typing import NamedTuple

from simulators.scenario import GateSite

ANTENNA_AT_M = 1.5  # from the sill, each side
LATERAL_M = 1.2  # from the middle of the way
REACH_M = 4.0  # beyond this nothing is read
CLOSEST_DBM = -46.0  # of an average tag right before an antenna
BEAM_DB = 3.0  # lost at BEAM_M off the antenna's axis, growing with the square
BEAM_M = 1.5
FADING_DB = 1.5  # from one read to the next
HALF_READ_DBM = -68.0  # half of what can be read is read
ROUND_S = 0.04  # a reader's inventory round on one antenna
MOST_PER_ROUND = 12  # tags read in a round: 300 reads/s, within what reader mode tables say
WEAKEST_DBM = -80
STRAY_DBM = (-75, -65)
CHANNEL_S = 4.0  # a reader's stay on a channel under ETSI EN 302 208
CHANNELS = 4


class Sighting(NamedTuple):
    """One read of one tag. `at_s` counts from the world's beginning; `channel` from 1."""

    at_s: float
    antenna: int
    epc: str
    rssi_dbm: int
    channel: int


@dataclass(frozen=True, slots=True)
class Mover:
    """A tag on its way: `place(at_s)` is where it is."""

    epc: str
    place: Callable[[float], float]
    lateral_m: float
    gain_db: float  # how well it is turned to the antennas
    share: float  # of the rounds in which it answers at all


def strength(gate: GateSite, antenna: int, place_m: float, lateral_m: float) -> float:
    """What an antenna makes of an average tag there, in dBm."""
    along = abs(place_m - (-ANTENNA_AT_M if antenna in gate.outside else ANTENNA_AT_M))
    side = gate.outside if antenna in gate.outside else gate.inside
    across = LATERAL_M + (lateral_m if side.index(antenna) % 2 == 0 else -lateral_m)
    loss = 40.0 * math.log10(math.hypot(along, across) / LATERAL_M)
    return CLOSEST_DBM - loss - BEAM_DB * (along / BEAM_M) ** 2


def passing(
    gate: GateSite, movers: list[Mover], from_s: float, to_s: float, rng: Random
) -> Iterator[Sighting]:
    """Yield the reads of a load, in order of time."""
    rounds = int((to_s - from_s) / ROUND_S)
    antennas = gate.antennas
    for number in range(rounds):
        at_s = from_s + number * ROUND_S
        antenna = antennas[number % len(antennas)]
        heard = [read for mover in movers if (read := _hear(gate, mover, antenna, at_s, rng)) is not None]
        if len(heard) > MOST_PER_ROUND:
            heard = rng.sample(heard, MOST_PER_ROUND)
        for place, read in enumerate(heard):
            yield read._replace(at_s=at_s + ROUND_S * place / len(heard))


def _hear(gate: GateSite, mover: Mover, antenna: int, at_s: float, rng: Random) -> Sighting | None:
    place_m = mover.place(at_s)
    if abs(place_m) > REACH_M:
        return None
    rssi = strength(gate, antenna, place_m, mover.lateral_m) + mover.gain_db + rng.gauss(0.0, FADING_DB)
    chance = mover.share / (1.0 + math.exp((HALF_READ_DBM - rssi) / 2.0))
    if rssi < WEAKEST_DBM or rng.random() > chance:
        return None
    return Sighting(at_s, antenna, mover.epc, round(rssi), channel(at_s))


def channel(at_s: float) -> int:
    return 1 + int(at_s / CHANNEL_S) % CHANNELS


def standing(gate: GateSite, epc: str, *, inside: bool, from_s: float, rng: Random) -> Iterator[Sighting]:
    """Yield the reads of a tag that stands near the door, for ever: weak, even, now and then from across."""
    near, far = (gate.inside, gate.outside) if inside else (gate.outside, gate.inside)
    level = {antenna: rng.uniform(-73.0, -67.0) for antenna in near}
    rate = rng.uniform(3.5, 6.0)  # reads a second
    at_s = from_s
    while True:
        at_s += rng.expovariate(rate)
        if rng.random() < 0.06:
            antenna, rssi = rng.choice(far), rng.gauss(-74.0, 1.0)
        else:
            antenna = rng.choice(near)
            rssi = rng.gauss(level[antenna], 1.5)
        weakest, strongest = STRAY_DBM
        yield Sighting(at_s, antenna, epc, max(weakest, min(strongest, round(rssi))), channel(at_s))
