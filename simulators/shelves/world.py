"""One shelf for a while: what it sends, what else is heard of it, and what really happened. Seconds from its beginning.

A row is (second, shelf, cell, grams, stable); rows come in the order in which they arrive, so that late ones stand
after younger ones. A sign is anything else that an agent would hear: a device that goes and comes, who weighs, a fault.
"""

import heapq
import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import cached_property
from operator import itemgetter

import numpy as np

from simulators.shelves.cell import Climate
from simulators.shelves.device import Device, Epoch, Samples, sampled
from simulators.shelves.force import Load, Plate
from simulators.shelves.site import EDGE, SHELF, Place

BEGAN = datetime(2026, 3, 2, 8, 0, tzinfo=UTC)
Row = tuple[float, str, int, float, bool | None]
Spoil = Callable[[Samples, np.random.Generator], Samples]


@dataclass(frozen=True, slots=True)
class Sign:
    """`what`: up, down, restart (of the agent), scale (`words`: serial and calibration of who weighs), fault (`words`:
    what is wrong with `cell`); and what people order: confirm (`words`: a bay, with its `counts`), serve, resume,
    calibrate (`words`: the factor and the offset in grams of `cell`).
    """

    at_s: float
    what: str
    cell: int | None = None
    words: tuple[str, ...] = ()
    counts: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Happened:
    """Something done at a bay, from the first touch until the hand is gone.

    `units` by GTIN is what it changed. `foreign` grams were put there (or taken away) that are no goods, and which
    `stays` if nobody takes them away again. `seen` is false while nothing weighs, and `hidden` true of what no weight
    can tell. `kind` says what it was, in a word or two.
    """

    from_s: float
    to_s: float
    bay: str
    kind: str
    units: Mapping[str, int]
    grams: float
    foreign: float = 0.0
    seen: bool = True
    stays: bool = False
    hidden: bool = False


@dataclass(kw_only=True)
class World:
    name: str
    seed: int
    to_s: float
    places: tuple[Place, ...]  # as they are at the end
    opening: dict[str, dict[str, int]]  # by bay and GTIN
    closing: dict[str, dict[str, int]]
    happened: list[Happened]
    signs: list[Sign]
    device: Device
    plate: Plate
    climate: Climate
    loads: dict[int, Load]
    epochs: dict[int, tuple[Epoch, ...]]
    crosstalk: dict[tuple[int, int], float]  # by (loaded cell, cell that feels it), as it is
    known: dict[tuple[int, int], float]  # and as the shop measured and configured it
    configuration: str
    spoils: dict[int, list[Spoil]] = field(default_factory=dict)
    clock_steps: list[tuple[float, float]] = field(default_factory=list)  # wall clock: at, by seconds

    @cached_property
    def samples(self) -> dict[int, Samples]:
        found = {}
        for cell, load in self.loads.items():
            rng = np.random.default_rng([self.seed, 7, cell])
            others = tuple((self.loads[a], share) for (a, b), share in self.crosstalk.items() if b == cell)
            one = sampled(self.device, self.epochs[cell], load, others, self.plate, self.climate, rng)
            for spoil in self.spoils.get(cell, []):
                one = spoil(one, rng)
            found[cell] = one
        return found

    def rows(self) -> Iterator[Row]:
        """Every sample, in the order of arrival."""
        every = []
        for cell, one in self.samples.items():
            told = [None if flag < 0 else bool(flag) for flag in one.stable.tolist()]
            grams = np.round(one.grams, 3).tolist()
            order = np.argsort(one.come_s, kind="stable").tolist()
            come, at = one.come_s.tolist(), one.at_s.tolist()
            every.append([(come[i], (at[i], SHELF, cell, grams[i], told[i])) for i in order])
        return (row for _, row in heapq.merge(*every, key=itemgetter(0)))

    def wall_s(self, at_s: float) -> float:
        """What the wall clock shows, as seconds from the beginning."""
        return at_s + sum(by for from_s, by in self.clock_steps if at_s >= from_s)

    def truth(self) -> list[dict[str, object]]:
        """The happenings, and what stood there first and last, for a file."""
        said: list[dict[str, object]] = [{"type": "start", "at": stamp(0.0), "shelves": self.opening}]
        for each in sorted(self.happened, key=lambda one: one.to_s):
            said.append({"type": "shelf", "from": stamp(each.from_s), "at": stamp(each.to_s), "bay": each.bay,
                         "action": each.kind, "units": dict(each.units), "grams": round(each.grams, 2),
                         "foreign_grams": round(each.foreign, 2)})  # fmt: skip
        return [*said, {"type": "end", "at": stamp(self.to_s), "shelves": self.closing}]

    def lines(self) -> Iterator[bytes]:
        """The world as a recording; it knows no devices that come and go."""
        yield _line({"type": "recording", "version": 1, "edge": EDGE})
        for at_s, shelf, cell, grams, stable in self.rows():
            said = {
                "type": "weight",
                "at": stamp(self.wall_s(at_s)),
                "shelf": shelf,
                "cell": cell,
                "grams": grams,
            }
            yield _line(said if stable is None else said | {"stable": stable})


def stamp(at_s: float) -> str:
    at = BEGAN + timedelta(microseconds=round(at_s * 1e6))
    return at.isoformat(timespec="microseconds").replace("+00:00", "Z")


def _line(said: Mapping[str, object]) -> bytes:
    return json.dumps(said, separators=(",", ":")).encode() + b"\n"
