"""How well a bay's weight is known, and how little of it is no load that was placed. Grams throughout."""

from math import hypot

from edge.aggregator.place import Rest

# Below this share of the lightest unit, and below 2 g in any case, a difference is drift, creep or dust.
DEAD_SHARE = 0.35
DEAD_GRAMS = 2.0
DUST_SHARE = 0.08
DUST_OF_LOAD = 0.0015  # hysteresis and creep of a cell after a load, or a hand, has gone
DEAD_SIGMAS, BESIDE_SIGMAS = 3.5, 3.0
PRESSED, MOST_PRESSED = 0.0005, 10_000.0  # of what pressed on it meanwhile, creep leaves so much, one sigma
OFF_GRAMS, OFF_SHARE = 3.0, 0.001  # zero and span may have moved so far while nobody weighed, one sigma


def noise(rest: Rest, *, offline: bool) -> float:
    """Of the difference to the last rest, one standard deviation. `offline`: nobody weighed between."""
    own = hypot(rest.noise, OFF_GRAMS, OFF_SHARE * rest.grams) if offline else rest.noise
    return hypot(own, rest.beside.spread, PRESSED * min(rest.peak, MOST_PRESSED))


def dead(lightest: float, moved: float, sigma: float) -> float:
    """Differences below this are no load that was placed. `moved`: what lay there, or was put and taken between."""
    dust = max(DUST_SHARE * lightest, DUST_OF_LOAD * moved)
    return max(min(dust, DEAD_SHARE * lightest), DEAD_GRAMS, DEAD_SIGMAS * sigma)


def dead_at(rest: Rest, lightest: float, *, offline: bool) -> float:
    """The same of a rest, held against the one before."""
    found = dead(lightest, max(abs(rest.grams), rest.peak), rest.noise)
    found = max(found, BESIDE_SIGMAS * rest.beside.spread)
    if not offline:
        return found
    return max(found, min(3.0 * noise(rest, offline=True), DEAD_SHARE * lightest))
