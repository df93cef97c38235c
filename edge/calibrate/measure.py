"""What a cell says while nothing moves, and what follows from known masses on it. Pure; in the device's own figures.

A device may say grams, or counts of a converter: so whether it is at rest is judged against its own noise, never
against so many grams.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from math import sqrt
from statistics import fmean, median

from edge.errors import EdgeError

FEWEST = 8  # samples: of fewer, noise says nothing
# Halves of a rest may differ by so many standard errors. Creep right after a load is put down is more than that.
REST_SIGMAS = 6.0
FELT = 20.0  # a mass is felt when the reading changes by so many times its noise
SHARP = 500.0  # and is large enough to calibrate with from here on: noise then costs 0.2 % at most
CHECK_SHARE = 0.005  # a second mass must come out right to half a percent, or
CHECK_GRAMS = 2.0  # to this, whichever is more
NEAR_ONE = 1.25  # a scale that says grams is not further off than this
TINY_GRAMS = 50.0  # nobody calibrates a shelf with less: a thousand times that may have been meant
# Units that a scale may speak of instead of grams. Boards that send counts send many a gram, never so few.
UNITS = {1000.0: "kilograms", 453.592: "pounds", 28.3495: "ounces"}
UNIT_SHARE = 0.1
MOST_SHARED = (
    0.2  # of a load that a neighbour's cell may show; more is a plate that touches, or a mass on both
)
LEAST_SHARED = 0.001  # below, it is nothing


# A cell calibrated anew weighs by the factor it did: spans drift by a thousandth. One of another make is another
# matter, and somebody knows of it. Cells of one shelf are of one make, and differ by a tenth.
SPAN_MOVED, SPAN_APART = 0.03, 0.5
ZERO_MOVED = 100.0  # grams; drift is a tenth of that, and a carton that was left on the plate is more


class NonsenseError(EdgeError):
    """What was weighed makes no sense. Says what was seen and what to do; nothing has changed."""


@dataclass(frozen=True, slots=True)
class Rest:
    """What a cell says at rest: mean and noise (one standard deviation of a sample)."""

    mean: float
    noise: float


def rest_of(samples: Sequence[float]) -> Rest | None:
    """None while it moves, or when there are too few samples."""
    if len(samples) < FEWEST:
        return None
    steps = [abs(b - a) for a, b in pairwise(samples)]
    moved = sorted(step for step in steps if step)
    grain = moved[0] if moved else 0.0  # what the last digit, or the noise, is worth at least
    # Of the median step, so that one spike does not pass for noise: of normal noise it is 0.954 times sigma.
    noise = median(steps) / 0.954
    middle = median(samples)
    within = [each for each in samples if abs(each - middle) <= max(REST_SIGMAS * noise, grain)]
    if len(within) < max(FEWEST, round(0.9 * len(samples))):
        return None
    half = len(within) // 2
    apart = abs(fmean(within[:half]) - fmean(within[half:]))
    if apart > max(REST_SIGMAS * noise * sqrt(2 / half), grain):
        return None
    return Rest(fmean(within), max(noise, grain / sqrt(12)))


@dataclass(frozen=True, slots=True)
class Span:
    """Grams are `factor` times what the device says above its zero. `remark` is what a person should look at."""

    factor: float
    remark: str = ""


def span(cell: int, zero: Rest, loaded: Rest, mass_grams: float) -> Span:
    """Raises NonsenseError."""
    change, noise = loaded.mean - zero.mean, max(zero.noise, loaded.noise)
    if abs(change) < FELT * noise or change == 0:
        raise NonsenseError(
            f"cell {cell}: the reading changed by {change:.6g} only, and swings by {noise:.3g} by itself: "
            f"is the mass on the plate of cell {cell}, and on nothing else?"
        )
    factor = mass_grams / change
    if abs(change) < SHARP * noise:
        enough = SHARP * noise * abs(factor)
        raise NonsenseError(
            f"cell {cell}: {mass_grams:g} g is too little for a cell that swings by {noise * abs(factor):.2g} g: "
            f"take {_round_up(enough):g} g or more, or look for what shakes it"
        )
    size = abs(factor)
    if not 1 / NEAR_ONE <= size <= NEAR_ONE:
        if mass_grams < TINY_GRAMS and abs(size * 1000 - 1) < UNIT_SHARE:
            raise NonsenseError(
                f"cell {cell}: the scale says {change:.6g} for {mass_grams:g} g: was the mass given in kilograms? "
                "Give it in grams, or write kg behind it"
            )
        for times, unit in UNITS.items():
            if abs(size / times - 1) < UNIT_SHARE:
                raise NonsenseError(
                    f"cell {cell}: the scale says {change:.6g} for {mass_grams:g} g: it seems to speak of {unit}; "
                    "set its unit in the configuration of its reader first"
                )
        return Span(
            factor,
            f"the scale said {change:.6g} for {mass_grams:g} g: right for a board that sends counts; "
            "of a scale that shows grams, check the mass",
        )
    if factor < 0:
        raise NonsenseError(
            f"cell {cell}: the reading fell by {-change:.6g} under {mass_grams:g} g: the cell is upside down, or its "
            "two signal wires are swapped"
        )
    return Span(factor)


def check(cell: int, zero: Rest, factor: float, loaded: Rest, mass_grams: float) -> float:
    """What comes out for a second known mass. Raises NonsenseError: it is not that mass."""
    grams = factor * (loaded.mean - zero.mean)
    allowed = max(CHECK_SHARE * mass_grams, CHECK_GRAMS, 3 * loaded.noise * abs(factor))
    if abs(grams - mass_grams) > allowed:
        raise NonsenseError(
            f"cell {cell}: {mass_grams:g} g come out as {grams:.1f} g, more than {allowed:.1f} g off: one of the two "
            "masses is not what it is said to be, or the plate touches something; begin again with zero"
        )
    return grams


def span_doubt(
    cell: int, factor: float, before: float | None, others: Sequence[float], mass_grams: float
) -> str:
    """What to ask about a span: it is far from the one `before`, or from those of the `others`; "" where it is not."""
    if before:
        times = factor / before
        if abs(times - 1) <= SPAN_MOVED:
            return ""
        return (
            f"cell {cell}: by this, all weighs {times:.3g} times what it did by the calibration before. Right if its "
            f"sensor or board was exchanged; if not, the mass was {mass_grams / times:.4g} g, and not {mass_grams:g} g"
        )
    if not others:
        return ""
    times = factor / median(others)
    if 1 / (1 + SPAN_APART) <= times <= 1 + SPAN_APART:
        return ""
    return (
        f"cell {cell}: its factor is {times:.3g} times that of the other cells. Right if it is of another make; if "
        f"not, the mass was {mass_grams / times:.4g} g, and not {mass_grams:g} g"
    )


def zero_doubt(cell: int, moved_grams: float) -> str:
    """What to ask about a zero that is so far from the one before; "" where it is near."""
    if abs(moved_grams) <= ZERO_MOVED:
        return ""
    return (
        f"cell {cell}: empty, it weighs {moved_grams:+.0f} g beside the zero of the calibration before: is nothing on "
        "its plate that was not there then, and nothing gone?"
    )


def shares(loaded: int, grams: dict[int, float], noise: dict[int, float]) -> dict[tuple[int, int], float]:
    """Of a load on one cell, what the others show: {(loaded, shown on): share}, nothing for what is not felt.

    `grams` and `noise` by cell, above zero, `loaded` itself among them. Raises NonsenseError.
    """
    here = grams[loaded]
    if here < FELT * noise[loaded] or here <= 0:
        raise NonsenseError(
            f"cell {loaded}: {here:.1f} g lie on it; put a mass on its plate, and nothing on the others"
        )
    found = {}
    for cell, there in grams.items():
        if cell == loaded:
            continue
        share = there / here
        if abs(share) > MOST_SHARED:
            raise NonsenseError(
                f"cell {cell} shows {there:.1f} g of {here:.1f} g on cell {loaded}: the plates touch, something lies "
                f"on cell {cell} too, or the two cells are taken for each other"
            )
        if abs(share) >= LEAST_SHARED and abs(there) > 3 * noise[cell]:
            found[loaded, cell] = round(share, 5)
    return found


def _round_up(grams: float) -> float:
    """To a mass that exists: 1, 2 or 5 times a power of ten."""
    size = 1.0
    while size < grams:
        for step in (2.0, 2.5, 2.0):
            size *= step
            if size >= grams:
                break
    return size
