"""Weights that no goods explain, but a scale that is not what it was: another unit, zeroed, saturated, exchanged."""

from dataclasses import dataclass

# A scale that is set to another unit shows the same number with another name (or was read as if it had not).
UNITS = {1000.0: "kilograms", 453.59237: "pounds", 28.349523: "ounces"}
UNIT_SHARE = 0.004  # a display in pounds has two or three decimals
LEAST_GRAMS = 100.0  # before the change; of less, a thousandth is nothing
ZERO_GRAMS = 1.5
ZERO_SHARE = 0.003  # of what lay there: of a scale set to kilograms too
SUDDEN_MS = 2_500
MANY_UNITS = 6  # nobody takes so many at a grasp
BELOW_GRAMS, BELOW_UNITS = 20.0, 0.35
FAR_TOO_MUCH = 3.0
SPARE_GRAMS = 20_000.0  # what people put on a shelf that is no goods


@dataclass(frozen=True, slots=True)
class Expected:
    """What a bay may weigh: empty, full (None where not known), its lightest unit (0 where it has none)."""

    empty_grams: float
    full_grams: float | None
    unit_grams: float


@dataclass(frozen=True, slots=True)
class Suspicion:
    """`mute`: not even differences of weight mean anything now."""

    words: str
    mute: bool


def suspicion(
    before: float, after: float, noise: float, took_ms: int, expected: Expected
) -> Suspicion | None:
    """Why the scale should be looked at, after its gross weight changed; None where it need not."""
    if abs(before) > LEAST_GRAMS and (words := _other_unit(before, after, noise)):
        return Suspicion(words, mute=True)
    unit, empty = expected.unit_grams, expected.empty_grams
    if after < empty - max(BELOW_GRAMS, BELOW_UNITS * unit, 5 * noise):
        return Suspicion(
            f"it weighs {after:.0f} g, less than when empty ({empty:.0f} g): was it zeroed or exchanged?",
            mute=False,
        )
    many = unit > 0 and before - empty > MANY_UNITS * unit
    if many and abs(after) < max(ZERO_GRAMS, 3 * noise, ZERO_SHARE * before) and took_ms < SUDDEN_MS:
        return Suspicion(f"it went from {before:.0f} g to zero at once: was it zeroed?", mute=False)
    full = expected.full_grams
    if full is not None and after > FAR_TOO_MUCH * full + SPARE_GRAMS:
        kilograms = f"{after / 1000:.1f} kg"
        return Suspicion(f"it weighs {kilograms}, far more than fits on it: does its cell fail?", mute=True)
    return None


def _other_unit(before: float, after: float, noise: float) -> str | None:
    for factor, name in UNITS.items():
        slack = UNIT_SHARE * abs(before) / factor + 2 * noise
        if abs(after - before / factor) < slack < abs(before / factor) / 2:
            return f"its weight went from {before:.0f} to {after:.2f}: is it set to {name}?"
        if abs(after / factor - before) < UNIT_SHARE * abs(before) + 2 * noise:
            return f"its weight went from {before:.1f} to {after:.0f}: was it set to {name} before?"
    return None
