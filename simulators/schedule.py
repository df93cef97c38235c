"""Everything that will happen in a world, from its scenario and seed alone: the same seed, the same world.

Streams are lazy, so that a world of a day needs no more memory than one of a minute.
"""

import heapq
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import takewhile
from random import Random

from simulators.docks import Visit, strays, visits
from simulators.people import ShelfAction, actions, opening_units
from simulators.radio import Sighting, standing
from simulators.scenario import GateSite, Scenario, Shelf

LEAD_S = 3.0  # nothing moves at first: whoever weighs must have seen what stands there
DOOR_LEAD_S = 8.0  # and whoever watches a door, which tags stand there and do not move


@dataclass(frozen=True, slots=True, kw_only=True)
class Schedule:
    """The plan of one run. Times in seconds since the world began; nothing moves after `lasts_s - quiet_s`."""

    scenario: Scenario
    seed: int
    lasts_s: float
    quiet_s: float
    pace: float = 1.0  # more is busier; what must be at rest between two actions stays

    @property
    def quiet_from_s(self) -> float:
        return self.lasts_s - self.quiet_s

    def visits(self, gate: GateSite) -> Iterator[Visit]:
        return visits(
            gate, self.scenario.docks, self.seed, start_s=DOOR_LEAD_S, end_s=self.quiet_from_s, pace=self.pace
        )

    def strays(self, gate: GateSite) -> tuple[tuple[str, bool], ...]:
        return strays(gate, self.scenario.docks, self.seed)

    def stray_reads(self, gate: GateSite) -> Iterator[Sighting]:
        """The reads of the tags that stand near a door, until the end, in order of time."""
        streams = [
            standing(gate, epc, inside=inside, from_s=0.0, rng=Random(f"{self.seed}/{epc}"))
            for epc, inside in self.strays(gate)
        ]
        return takewhile(lambda read: read.at_s < self.lasts_s, heapq.merge(*streams))

    def actions(self) -> Iterator[ShelfAction]:
        """What is done at all shelves, in order of the first touch."""
        bays = [
            actions(
                shelf,
                self.scenario.shop,
                self.seed,
                start_s=LEAD_S,
                end_s=self.quiet_from_s,
                pace=self.pace,
            )
            for shelf in self.scenario.shelves
        ]
        return heapq.merge(*bays, key=lambda action: action.from_s)

    def opening(self, shelf: Shelf) -> dict[str, list[float]]:
        return opening_units(shelf, self.seed)
