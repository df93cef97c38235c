"""Weights that no goods explain, but a scale that is not what it was: another unit, zeroed, saturated, exchanged."""

from dataclasses import dataclass

from edge.aggregator.place import Bay

# A scale that is set to another unit shows the same number with another name (or was read as if it had not).
UNITS = {1000.0: "kilograms", 453.59237: "pounds", 28.349523: "ounces"}
UNIT_SHARE = 0.004  # a display in pounds has two or three decimals
LEAST_GRAMS = 100.0  # before the change; of less, a thousandth is nothing
ZERO_GRAMS = 1.5
ZERO_SHARE = 0.003  # of what lay there: of a scale set to kilograms too
SUDDEN_MS = 2_500
MANY_UNITS = 6  # nobody takes so many at a grasp
MANY_UNSEEN = (
    1.5  # while nobody weighed, the last unit may have gone, but scales that start set themselves to zero
)
TRAY_ZEROS = 4.0  # a tray that weighs so many times what passes for zero is never zero
BELOW_GRAMS, BELOW_UNITS = 20.0, 0.35
FAR_TOO_MUCH = 3.0
SPARE_GRAMS = 20_000.0  # what people put on a shelf that is no goods


@dataclass(frozen=True, slots=True)
class Expected:
    """What a bay may weigh: empty, full (None where not known), its lightest unit (0 where it has none)."""

    empty_grams: float
    full_grams: float | None
    unit_grams: float


def expected(bay: Bay) -> Expected:
    """What a bay may weigh by its plan."""
    units = [item.gross_grams for item in bay.items]
    full = bay.tare_grams + bay.capacity * max(units) if bay.capacity and units else None
    return Expected(bay.tare_grams, full, min(units, default=0.0))


@dataclass(frozen=True, slots=True)
class Suspicion:
    """`mute`: not even differences of weight mean anything now. `exact`: nor do units that bring it back near. `told`:
    it may be no fault of the scale, so that the change is said, in grams."""

    words: str
    mute: bool
    exact: bool = False
    told: bool = False


def suspicion(
    before: float, after: float, noise: float, took_ms: int | None, expected: Expected
) -> Suspicion | None:
    """Why the scale should be looked at, after its gross weight changed; None where it need not.

    `took_ms`: how long it changed; None where nobody weighed meanwhile.
    """
    if abs(before) > LEAST_GRAMS and (words := _other_unit(before, after, noise)):
        return Suspicion(words, mute=True)
    if _below(after, noise, expected):
        empty = expected.empty_grams
        return Suspicion(
            f"it weighs {round(after)} g, less than when empty ({empty:.0f} g): was it zeroed or exchanged?",
            mute=False,
        )
    if words := _zeroed(before, after, noise, took_ms, expected):
        return Suspicion(words, mute=False)
    return _too_much(after, expected)


def senseless(grams: float, noise: float, expected: Expected) -> Suspicion | None:
    """Why a bay that begins with this weight should be looked at; None where it need not."""
    if _below(grams, noise, expected):
        words = (
            f"it weighs {round(grams)} g, and should weigh {expected.empty_grams:.0f} g when empty: is its tray "
            "missing, or was it zeroed with goods on it? Put the tray back or zero it empty, then count what stands "
            "there"
        )
        return Suspicion(words, mute=False)
    return _too_much(grams, expected)


def _below(grams: float, noise: float, expected: Expected) -> bool:
    return grams < expected.empty_grams - max(BELOW_GRAMS, BELOW_UNITS * expected.unit_grams, 5 * noise)


def _too_much(grams: float, expected: Expected) -> Suspicion | None:
    full = expected.full_grams
    if full is None or grams <= FAR_TOO_MUCH * full + SPARE_GRAMS:
        return None
    kilograms = f"{grams / 1000:.1f} kg"
    return Suspicion(f"it weighs {kilograms}, far more than fits on it: does its cell fail?", mute=True)


def _zeroed(before: float, after: float, noise: float, took_ms: int | None, expected: Expected) -> str | None:
    empty, there = expected.empty_grams, before - expected.empty_grams
    zero = max(ZERO_GRAMS, 3 * noise)
    if abs(after) < zero and empty > TRAY_ZEROS * zero and abs(before) > zero:
        return f"it went to zero, though it weighs {empty:.0f} g when empty: was it zeroed or exchanged?"
    if took_ms is not None and took_ms >= SUDDEN_MS:
        return None
    many = MANY_UNSEEN if took_ms is None else MANY_UNITS
    gone = abs(after) < max(zero, ZERO_SHARE * before)
    if gone and expected.unit_grams > 0 and there > many * expected.unit_grams:
        return f"it went from {before:.0f} g to zero at once: was it zeroed?"
    return None


def _other_unit(before: float, after: float, noise: float) -> str | None:
    for factor, name in UNITS.items():
        slack = UNIT_SHARE * abs(before) / factor + 2 * noise
        if abs(after - before / factor) < slack < abs(before / factor) / 2:
            return f"its weight went from {before:.0f} to {after:.2f}: is it set to {name}?"
        if abs(after / factor - before) < UNIT_SHARE * abs(before) + 2 * noise:
            return f"its weight went from {before:.1f} to {after:.0f}: was it set to {name} before?"
    return None
