"""What the antennas of doors hear of tags in the space around them: waves in a plane, not curves fitted to a detector.

Metres: `x` across the doors, `y` along the way through them (0 at the sill, negative outside); seconds; dBm. A tag's
answer travels the way of the reader's wave back, so the reader receives the square of the field at the tag: the direct
wave, weakened by the antenna's pattern and by what stands in its way, and a few echoes from walls, each a plane wave
of fixed direction. As a tag moves, these interfere: fades are a fraction of a wavelength apart, and a tag at rest may
be in one for hours. The figures are set so that a door reads as two published sets of recordings show: 12 tags of a
load some 20 to 50 times each at 60 reads/s, 100 tags of one 3 to 5 times at the same rate, 2 to 4 s between the middles
of the two sides' reads at walking pace, goods at rest at -65 to -77 dBm with half of all reads and more, a twentieth to
a quarter of an approaching load's reads from the antennas of the other side.
"""

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

WAVELENGTH_M = 0.345  # 868 MHz
AT_ONE_METRE_DBM = -45.0  # received from an average tag on the axis of a 6 dBi panel, 30 dBm fed in
PATTERN = 3.2  # the cosine's power, one way: half power 36 degrees off the axis, as panels' data sheets say
BEHIND = 0.3  # amplitude behind a panel and beside it, to that before it; assumed, floor and posts included
ECHOES = 5
ECHO = 0.11  # amplitude of one near the antenna, where the direct wave at one metre has 1; assumed
WANDER_RAD = 0.9  # by which an echo's phase comes and goes as things are moved about the place; assumed
HALF_READ_DBM = -71.0  # a tag so weak answers every second time; chips wake at about -18 dBm at the tag
SOFTNESS_DB = 1.3
NOISE_DB = 0.8  # of one report
LEAST_DBM = -78.0  # nothing weaker is reported
BODY_M = 0.55  # half a pallet: closer than this to the direct way, it stands in it
BODY_LOSS = 0.3  # of the amplitude, one way: 10 dB


@dataclass(frozen=True, slots=True)
class Aerial:
    """One antenna: where it hangs, which way it faces in the plane, and whose it is."""

    gate: str
    number: int
    side: str  # outside or inside
    x: float
    y: float
    faces_deg: float  # 0 is along +x, 90 along +y (inwards)
    gain_db: float = 0.0


@dataclass(frozen=True, slots=True)
class Place:
    """The antennas of a place, and the echoes that each hears: how strong, whence, and how slowly they wander."""

    x: Floats  # (antennas, 1), as all of the next four
    y: Floats
    faces_x: Floats
    faces_y: Floats
    gain_db: Floats
    amplitude: Floats  # (echoes, antennas, 1), as all of the rest
    kx: Floats
    ky: Floats
    phase: Floats
    period_s: Floats


def place(aerials: Sequence[Aerial], rng: np.random.Generator) -> Place:
    shape = (ECHOES, len(aerials), 1)
    angle = rng.uniform(0.0, 2 * math.pi, shape)
    k = 2 * math.pi / WAVELENGTH_M

    def column(values: Iterable[float]) -> Floats:
        return np.array(list(values), dtype=np.float64)[:, None]

    return Place(
        x=column(a.x for a in aerials), y=column(a.y for a in aerials),
        faces_x=column(math.cos(math.radians(a.faces_deg)) for a in aerials),
        faces_y=column(math.sin(math.radians(a.faces_deg)) for a in aerials),
        gain_db=column(a.gain_db for a in aerials),
        amplitude=ECHO * rng.uniform(0.5, 1.4, shape), kx=k * np.cos(angle), ky=k * np.sin(angle),
        phase=rng.uniform(0.0, 2 * math.pi, shape), period_s=rng.uniform(120.0, 1500.0, shape),
    )  # fmt: skip


def levels(
    there: Place, who: Ints, x: Floats, y: Floats, at_s: Floats, bodies: Sequence[Floats] = ()
) -> Floats:
    """The power, dBm, that antennas receive from average tags, (times, tags): one antenna at a time, `who`.

    Args:
        x, y: where the tags are, (times, tags) or (1, tags).
        at_s: (times, 1).
        bodies: loads and people in the way, each (times, 3): x, y, and the amplitude that they let through.
    """
    dx, dy = x - there.x[who], y - there.y[who]
    away = np.maximum(np.hypot(dx, dy), 0.4)
    cosine = (dx * there.faces_x[who] + dy * there.faces_y[who]) / away
    direct = np.maximum(np.maximum(cosine, 0.0) ** (PATTERN / 2), BEHIND) / away
    for body in bodies:
        direct = direct * _let_through(
            body[:, 0:1] - there.x[who], body[:, 1:2] - there.y[who], body, dx, dy, away
        )
    wander = WANDER_RAD * np.sin(2 * math.pi * at_s / there.period_s[:, who])
    phase = there.kx[:, who] * x + there.ky[:, who] * y + (there.phase[:, who] + wander)
    echoes = there.amplitude[:, who] / (1.0 + 0.5 * away)
    phase_direct = -2 * math.pi / WAVELENGTH_M * away
    real = direct * np.cos(phase_direct) + (echoes * np.cos(phase)).sum(axis=0)
    imaginary = direct * np.sin(phase_direct) + (echoes * np.sin(phase)).sum(axis=0)
    power: Floats = 20.0 * np.log10(real * real + imaginary * imaginary + 1e-12)
    return power + (AT_ONE_METRE_DBM + there.gain_db[who])


def _let_through(bx: Floats, by: Floats, body: Floats, dx: Floats, dy: Floats, away: Floats) -> Floats:
    """The amplitude that passes a body at (bx, by) of the antenna: all, unless it stands well before the tag."""
    along = (bx * dx + by * dy) / away
    across = np.abs(bx * dy - by * dx) / away
    between = (along > 0.0) & (along < away - BODY_M) & (across < BODY_M)
    passed: Floats = np.where(between, body[:, 2:3], 1.0)
    return passed


def chance(power_dbm: Floats) -> Floats:
    """How probable it is that a tag of such a power answers a round."""
    answers: Floats = 1.0 / (1.0 + np.exp((HALF_READ_DBM - power_dbm) / SOFTNESS_DB))
    return np.where(power_dbm < LEAST_DBM, 0.0, answers)
