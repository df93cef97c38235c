"""Goods: how much a unit weighs, how much units differ, and what the shop noted of it.

Mean weights and spreads are drawn as those of 79 kinds of convenience goods were, 292 units weighed (Ruiz et al.,
"AIM3S", BuildSys 2019, product_info.json): 15 to 1124 g with a median of 91 g; a spread (standard deviation over mean)
of 1.30 % in the median, 2.83 % at three quarters, 4.64 % at nine tenths, 18 % at most; more than 3 % for one in four.
"""

from dataclasses import dataclass, replace

import numpy as np

from simulators.epc import check_digit

MEDIAN_GRAMS, SPREAD_GRAMS, GRAMS = 91.0, 0.95, (15.0, 1124.0)  # log-normal, cut
MEDIAN_CV, SPREAD_CV, CV = 0.013, 1.08, (0.001, 0.18)
WEIGHED = (6, 12)  # units that a shop weighs before it notes a weight
LEAST_CV = 0.002  # nobody notes less
TRAY_CV = 0.012  # of injection-moulded trays and hangers of one make; assumed


@dataclass(frozen=True, slots=True)
class Goods:
    """A kind of goods. What is noted is all that a shelf is told."""

    gtin: str
    grams: float
    cv: float
    noted_grams: float
    noted_cv: float
    tray_grams: float = 0.0  # of what comes and goes with each unit

    @property
    def noted_gross(self) -> float:
        """What the shop expects of a unit on the scale."""
        return self.noted_grams + self.tray_grams

    def unit(self, rng: np.random.Generator, batch: float = 0.0) -> float:
        """One unit's weight, its tray included; `batch` is how much heavier all of its delivery are."""
        own = max(0.3 * self.grams, self.grams * (1.0 + batch) * (1.0 + self.cv * float(rng.normal())))
        return own + self.tray_grams * (1.0 + TRAY_CV * float(rng.normal())) if self.tray_grams else own


def spread(rng: np.random.Generator) -> float:
    return float(np.clip(MEDIAN_CV * np.exp(SPREAD_CV * rng.normal()), *CV))


def mean_grams(rng: np.random.Generator, least: float = 0.0) -> float:
    while True:
        grams = float(MEDIAN_GRAMS * np.exp(SPREAD_GRAMS * rng.normal()))
        if max(GRAMS[0], least) <= grams <= GRAMS[1]:
            return grams


def goods(
    rng: np.random.Generator, number: int, *, grams: float | None = None, cv: float | None = None, least: float = 0.0
) -> Goods:  # fmt: skip
    """A kind of goods, the `number`th of its world: weighed by the shop, as shops do, a few units once."""
    mean = mean_grams(rng, least) if grams is None else grams
    each = spread(rng) if cv is None else cv
    body = f"09506000{number:05d}"
    made = Goods(body + check_digit(body), mean, each, mean, each)
    weighed = [made.unit(rng) for _ in range(int(rng.integers(*WEIGHED)))]
    noted = float(np.mean(weighed))
    noted_cv = max(LEAST_CV, float(np.std(weighed, ddof=1)) / noted)
    return replace(made, noted_grams=round(noted, 2), noted_cv=round(noted_cv, 4))
