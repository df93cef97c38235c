"""A shelf's plates in memory: what lies on each, and samples of it as cells give them, with noise and crosstalk."""

from random import Random

from edge.calibrate.session import Ear
from edge.reads import ShelfRead, WeightSample

HZ = 10


class Plates:
    """A cell says `counts_per_gram` times the grams on it, plus `zero`, plus `share` of its neighbours' grams."""

    def __init__(
        self,
        cells: int = 2,
        *,
        counts_per_gram: float = 1.0,
        zero: float = 0.0,
        share: float = 0.0,
        noise: float = 0.1,
    ) -> None:
        self.grams = [0.0] * cells
        self.second = 0.0
        self.drift_per_s = 0.0
        self._gain, self._zero, self._share, self._noise = counts_per_gram, zero, share, noise
        self._rng = Random(7)

    def step(self) -> list[ShelfRead]:
        """The samples of the next tenth of a second."""
        self.second += 1 / HZ
        return [
            WeightSample(at_us=round(self.second * 1e6), shelf="aisle-1", cell=cell, grams=self._says(cell))
            for cell in range(len(self.grams))
        ]

    def _says(self, cell: int) -> float:
        others = sum(grams for other, grams in enumerate(self.grams) if other != cell)
        felt = self.grams[cell] + self._share * others + self._rng.gauss(0.0, self._noise)
        return self._gain * (felt + self.drift_per_s * self.second) + self._zero

    def rest(self, ear: Ear, seconds: float = 2.5) -> None:
        """So long nothing moves."""
        ear.begin()
        for _ in range(round(seconds * HZ)):
            ear.hear(self.step())
