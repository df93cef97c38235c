"""Reads of tags at a door, from a simple picture of one: power falls off as a bell around each side's antenna."""

from collections.abc import Iterable, Sequence
from itertools import pairwise
from random import Random

from edge.reads import TagRead

START_US = 1_763_802_000_000_000  # 2025-11-22T09:00:00Z
SIDES_M = {"outside": -1.5, "inside": 1.5}
PEAK_DBM = -52.0
FALL_DB_M2 = 4.0  # lost with the square of the distance from the antenna
WEAKEST_DBM = -72.0


def epc(number: int) -> str:
    return f"3074257BF7194E40{number:08X}"


def walk(
    tag: str,
    points: Sequence[tuple[float, float]],
    *,
    seed: int = 0,
    hz: float = 12.0,
    gate: str = "dock-1",
    antennas: tuple[int, ...] = (1, 2),
) -> list[TagRead]:
    """Reads of a tag that goes straight from place to place: `points` are (seconds, metres), 0 m at the sill.

    The first half of `antennas` look outside.
    """
    rng = Random(f"{tag}/{seed}")
    reads, second = [], points[0][0]
    while second < points[-1][0]:
        antenna = rng.choice(antennas)
        side = "outside" if antennas.index(antenna) < len(antennas) / 2 else "inside"
        away = _place(points, second) - SIDES_M[side]
        power = PEAK_DBM - FALL_DB_M2 * away * away + rng.gauss(0.0, 1.5)
        if power > WEAKEST_DBM:
            reads.append(_read(gate, antenna, tag, second, power))
        second += rng.expovariate(hz)
    return reads


def stand(
    tag: str,
    from_s: float,
    to_s: float,
    *,
    antenna: int = 1,
    hz: float = 3.0,
    dbm: float = -69.0,
    gate: str = "dock-1",
    seed: int = 0,
) -> list[TagRead]:
    rng = Random(f"{tag}/stand/{seed}")
    reads, second = [], from_s + rng.expovariate(hz)
    while second < to_s:
        reads.append(_read(gate, antenna, tag, second, dbm + rng.gauss(0.0, 1.0)))
        second += rng.expovariate(hz)
    return reads


def going_in(at_s: float) -> list[tuple[float, float]]:
    """Through the door at 1.2 m/s, over the sill at `at_s`."""
    return [(at_s - 3.3, -4.0), (at_s + 3.3, 4.0)]


def going_out(at_s: float) -> list[tuple[float, float]]:
    return [(at_s - 3.3, 4.0), (at_s + 3.3, -4.0)]


def turning(at_s: float) -> list[tuple[float, float]]:
    """Up to the outside antennas, a moment there, and back."""
    return [(at_s - 2.5, -4.5), (at_s - 0.5, -2.0), (at_s + 0.5, -2.0), (at_s + 2.5, -4.5)]


def merged(*streams: Iterable[TagRead]) -> list[TagRead]:
    return sorted((read for stream in streams for read in stream), key=lambda read: read.at_us)


def _place(points: Sequence[tuple[float, float]], second: float) -> float:
    for (t0, x0), (t1, x1) in pairwise(points):
        if second <= t1:
            return x0 + (x1 - x0) * (second - t0) / (t1 - t0)
    return points[-1][1]


def _read(gate: str, antenna: int, tag: str, second: float, power: float) -> TagRead:
    return TagRead(
        at_us=START_US + round(second * 1e6), gate=gate, antenna=antenna, epc=tag, rssi_dbm=round(power, 1)
    )
