"""Two other ways to read a shelf, on the same samples, with the same bays and noted weights.

*One second*: the difference to a second ago, over the unit weight, rounded: what everybody tries first.

*AIM3S*: the rule of C. Ruiz, J. Falcao, S. Pan, H. Y. Noh and P. Zhang, "AIM3S: Autonomous Inventory Monitoring through
Multi-Modal Sensing for Cashier-Less Convenience Stores", BuildSys 2019, as its authors describe it and implemented anew
from that. At 60 samples a second, a shelf is active once the variance over 60 samples of the mean over 60 samples has
been above 500 g² for more than 30 of them, and quiet again after more than 30 below. The weights 30 samples outside
are compared; more than 10 g count. An item's score is the overlap of two normal distributions, with at least 1 g of
deviation. Theirs goes on to weigh position and cameras in, which a shelf alone has not got.
"""

from collections.abc import Sequence
from itertools import groupby
from math import erfc, sqrt

import numpy as np
import numpy.typing as npt

from benchmarks.shelf_play import Answer, Told
from simulators.shelves.goods import Goods
from simulators.shelves.site import Place
from simulators.shelves.world import World

HERTZ = 60.0
WINDOW = 60
ACTIVE_GRAMS2 = 500.0
RUN = 30
LEAST_GRAMS = 10.0
PLATE_GRAMS = 1.0
Floats = npt.NDArray[np.float64]


def one_second(world: World) -> Told:
    return _told(world, [answer for place in world.places for answer in _seconds(world, place)])


def aim3s(world: World) -> Told:
    return _told(world, [answer for place in world.places for answer in _active(world, place)])


def weights(world: World, place: Place) -> tuple[Floats, Floats]:
    """A bay's weight 60 times a second, each cell's last sample held; and the times."""
    times = np.arange(world.signs[0].at_s + 2.0, world.to_s, 1.0 / HERTZ)
    whole = np.zeros_like(times)
    for cell in place.cells:
        one = world.samples[cell]
        last = np.searchsorted(one.come_s, times, side="right") - 1
        whole += one.grams[np.maximum(last, 0)]
    return times, whole


def _seconds(world: World, place: Place) -> list[Answer]:
    times, grams = weights(world, place)
    at, every = times[:: int(HERTZ)], grams[:: int(HERTZ)]
    found = []
    for k, change in enumerate(np.diff(every).tolist()):
        kind, n = min(
            ((kind, round(change / kind.noted_gross)) for kind in place.kinds),
            key=lambda each: abs(change - each[1] * each[0].noted_gross),
        )
        if n:
            found.append(_answer(place, float(at[k]), float(at[k + 1]), {kind.gtin: n}))
    return found


def _active(world: World, place: Place) -> list[Answer]:
    times, grams = weights(world, place)
    smooth = _moving(grams, WINDOW)
    variance = np.maximum(_moving(smooth**2, WINDOW) - _moving(smooth, WINDOW) ** 2, 0.0)
    found = []
    for first, last in _stretches(variance > ACTIVE_GRAMS2):
        before, after = max(0, first - RUN), min(len(times) - 1, last + RUN)
        change = float(smooth[after] - smooth[before])
        if abs(change) > LEAST_GRAMS:
            units = _best(change, place.kinds)
            found.append(_answer(place, float(times[before]), float(times[last]), units, float(times[after])))
    return found


def _moving(values: Floats, over: int) -> Floats:
    """The mean of so many values around each."""
    centred = values - values[0]  # lest the squares of kilograms drown what differs
    sums = np.concatenate([[0.0], np.cumsum(centred)])
    middle = np.arange(len(values))
    low, high = np.maximum(middle - over // 2, 0), np.minimum(middle + over // 2, len(values))
    return np.asarray((sums[high] - sums[low]) / (high - low) + values[0], np.float64)


def _stretches(above: npt.NDArray[np.bool_]) -> list[tuple[int, int]]:
    """Where it was above for more than RUN samples, until it was below for more than RUN."""
    found: list[tuple[int, int]] = []
    first: int | None = None
    place = 0
    for high, group in groupby(above.tolist()):
        length = len(list(group))
        if high and first is None and length > RUN:
            first = place
        elif not high and first is not None and length > RUN:
            found.append((first, place))
            first = None
        place += length
    return found


def _best(change: float, kinds: Sequence[Goods]) -> dict[str, int]:
    scored = []
    for kind in kinds:
        nearest = abs(change) / kind.noted_gross
        for n in {max(1, int(nearest)), max(1, int(nearest) + 1)}:
            spread = max(PLATE_GRAMS, sqrt(n) * kind.noted_cv * kind.noted_grams)
            # Two normal distributions of about the same width overlap by so much.
            apart = abs(abs(change) - n * kind.noted_gross) / (spread + PLATE_GRAMS)
            scored.append((erfc(apart / sqrt(2.0)), -apart, kind.gtin, n))
    _, _, gtin, n = max(scored)
    return {gtin: n if change > 0 else -n}


def _answer(
    place: Place, from_s: float, to_s: float, units: dict[str, int], decided_s: float | None = None
) -> Answer:
    return Answer(from_s, to_s, to_s if decided_s is None else decided_s, place.name, units, True, 1.0)


def _told(world: World, answers: list[Answer]) -> Told:
    levels: dict[str, dict[str, int | None]] = {bay: dict(counts) for bay, counts in world.opening.items()}
    for answer in answers:
        for gtin, n in (answer.units or {}).items():
            levels[answer.bay][gtin] = (levels[answer.bay].get(gtin) or 0) + n
    return Told(answers, levels)
