"""A shelf before anything happens: its scale, its room, its bays and goods; and what makes a world of it at the end."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace

import numpy as np

from simulators.shelves import cell as cells
from simulators.shelves import device as devices
from simulators.shelves import goods as kinds
from simulators.shelves.cell import Cell, Climate
from simulators.shelves.device import Device, Epoch
from simulators.shelves.force import Load, Plate, Shake
from simulators.shelves.goods import Goods
from simulators.shelves.people import Line
from simulators.shelves.site import Place, configuration
from simulators.shelves.world import Happened, Sign, Spoil, World

LADEN = 0.55  # of what a cell can carry, when its bay is full
CONFIRMED, CONFIRM_S = 0.5, 5.0  # in half of the worlds a person has counted what stands there, and said so
QUIET_END_S = 22.0  # what was held back is said by then
SETTLE_S = 8.0  # nothing happens before
KINDS = ("board-10", "board-80", "legal", "slow")
ODDS = (0.4, 0.3, 0.22, 0.08)
NOISE_GRAMS = 0.1  # of a 10 kg cell at 10/s, by the converter's sheet; boards are one to forty times as noisy
# No figure was found for a shop's shelf, so these are wide: resonance, damping over critical, the plate's own weight.
HERTZ, DAMPING, PLATE_GRAMS = (7.0, 16.0), (0.04, 0.15), (300.0, 2500.0)
DIVISIONS = {3_000.0: 1.0, 6_000.0: 2.0, 15_000.0: 5.0, 30_000.0: 10.0}  # 3000 parts, as shop scales have


@dataclass(slots=True, kw_only=True)
class Stage:
    """`full`: grams that a cell can carry; `device`: one of KINDS, or drawn."""

    name: str
    seed: int
    full: float | None = None
    device_kind: str | None = None
    cells_of_bay: int = 1
    hiss: float | None = None  # grams of white noise a sample, or drawn
    rng: np.random.Generator = field(init=False)
    device: Device = field(init=False)
    noise: float = field(init=False)
    at_s: float = SETTLE_S
    places: dict[str, Place] = field(default_factory=dict)
    loads: dict[int, Load] = field(default_factory=dict)
    happened: list[Happened] = field(default_factory=list)
    signs: list[Sign] = field(default_factory=list)
    crosstalk: dict[tuple[int, int], float] = field(default_factory=dict)
    known: dict[tuple[int, int], float] = field(default_factory=dict)
    spoils: dict[int, list[Spoil]] = field(default_factory=dict)
    clock_steps: list[tuple[float, float]] = field(default_factory=list)
    climate: Climate = field(init=False)
    off: list[tuple[float, float]] = field(default_factory=list)
    cells: dict[int, list[Cell]] = field(default_factory=dict)  # one a time between switching off
    opening: dict[str, dict[str, int]] = field(default_factory=dict)
    batch: float = 0.0
    _numbers: int = 0

    def __post_init__(self) -> None:
        self.rng = rng = np.random.default_rng([self.seed, *self.name.encode()])
        kind = self.device_kind or str(rng.choice(KINDS, p=ODDS))
        self.full = float(self.full or rng.choice((3_000.0, 6_000.0, 6_000.0, 15_000.0)))
        poor = float(np.exp(rng.uniform(0.0, np.log(40.0))))
        self.noise = self.hiss or min(2.0, NOISE_GRAMS * self.full / 10_000.0 * poor)
        if kind == "legal":
            self.noise = 0.1
            self.device = devices.legal(rng, DIVISIONS.get(self.full, self.full / 3_000.0))
        elif kind == "slow":
            self.device = devices.slow(rng)
        else:
            self.device = devices.board(rng, 10.0 if kind == "board-10" else 80.0)
            self.noise *= 1.8 if kind == "board-80" and not self.hiss else 1.0
        self.climate = Climate(
            mean_k=float(rng.normal(0.0, 3.0)), swing_k=float(rng.uniform(0.2, 2.0)),
            swing_s=float(rng.uniform(1.0, 8.0)) * 3600.0, phase=float(rng.uniform(0.0, 6.3)),
            cycle_k=float(rng.uniform(0.0, 0.4)), cycle_s=float(rng.uniform(500.0, 1500.0)),
        )  # fmt: skip

    @property
    def least_grams(self) -> float:
        """Nobody keeps goods on a scale that cannot tell one from none."""
        return max(5.0 * self.device.division, 14.0 * self.noise)

    def goods(
        self, grams: float | None = None, cv: float | None = None, room: int = 8, least: float = 0.0
    ) -> Goods:
        """A kind of goods of which a cell can carry `room` units; no lighter than the scale is fit for, and `least`."""
        self._numbers += 1
        most = LADEN * (self.full or 0.0) / room
        least = min(max(self.least_grams, least), 0.8 * most)
        while True:
            made = kinds.goods(
                self.rng, 10 * self.seed % 90_000 + self._numbers, grams=grams, cv=cv, least=least
            )
            if grams is not None or made.grams <= most:
                return made

    def bay(
        self, *goods: Goods, capacity: int | None = None, filled: float | None = None,
        cells: Sequence[int] | None = None,
    ) -> str:  # fmt: skip
        """A bay of such goods on cells of its own (or these), filled to a share; returns its name."""
        assert self.full is not None
        heaviest = max(kind.grams + kind.tray_grams for kind in goods)
        fits = int(LADEN * self.full * self.cells_of_bay / heaviest)
        most = capacity or int(np.clip(fits, 3, self.rng.integers(10, 25)))
        if most * heaviest > 0.8 * self.full * self.cells_of_bay:
            raise ValueError(f"{most} units of {heaviest:.0f} g are too much for {self.full:.0f} g")
        on = tuple(cells or range(len(self.loads), len(self.loads) + self.cells_of_bay))
        tare = float(self.rng.uniform(0.0, 0.08)) * self.full
        share = float(self.rng.uniform(0.45, 0.85)) if filled is None else filled
        number = max(1, round(share * most))
        units: dict[str, list[float]] = {}
        for i, kind in enumerate(goods):
            here = number // len(goods) + (i < number % len(goods))
            units[kind.gtin] = [kind.unit(self.rng) for _ in range(here)]
        name = f"A{len(self.places) + 1}"
        if any(place.cells == on for place in self.places.values()):
            raise ValueError(f"cells {on} carry a bay already")
        place = Place(name=name, cells=on, kinds=goods, capacity=most, tare_grams=tare, units=units)
        self.places[name], self.opening[name] = place, place.counts()
        for cell in on:
            if cell not in self.loads:
                self.loads[cell] = Load()
                self.cells[cell] = [cells_drawn(self)]
            self.loads[cell].at_first += place.grams() / len(on)
        return name

    def wait(self, low: float = 4.0, high: float = 9.0) -> None:
        self.at_s += float(self.rng.uniform(low, high))

    def press(self, bay: str, line: Line, *, share: float | None = None, tremble: float = 0.0) -> None:
        """Something presses on a bay, on its cells in equal parts or on the first with this share."""
        on = self.places[bay].cells
        shares = [1.0 / len(on)] * len(on)
        if share is not None and len(on) > 1:
            shares = [share, *[(1.0 - share) / (len(on) - 1)] * (len(on) - 1)]
        for cell, part in zip(on, shares, strict=True):
            self.loads[cell].add(line, part)
            if tremble:
                self.shake([cell], line[0][0], line[-1][0], tremble * part, 0.8, 7.0)

    def shake(
        self, on: Sequence[int], from_s: float, to_s: float, grams: float, low: float, high: float
    ) -> None:
        for cell in on:
            size = grams * float(self.rng.uniform(0.7, 1.3)) if len(on) > 1 else grams
            self.loads[cell].shakes.append(
                Shake(from_s, to_s, size, low, high, int(self.rng.integers(1 << 30)))
            )

    def out(self, bay: str, gtin: str, number: int = 1) -> float:
        """Units leave the book of a bay; returns their weight."""
        units = self.places[bay].units.get(gtin, [])
        if len(units) < number:
            raise ValueError(f"{bay} has {len(units)} units of {gtin}, so {number} cannot be taken")
        return sum(units.pop(int(self.rng.integers(len(units)))) for _ in range(number))

    def into(self, bay: str, kind: Goods, number: int = 1, weights: Sequence[float] = ()) -> float:
        added = list(weights) or [kind.unit(self.rng, self.batch) for _ in range(number)]
        self.places[bay].units.setdefault(kind.gtin, []).extend(added)
        return sum(added)

    def say(
        self, bay: str, kind: str, from_s: float, to_s: float, units: Mapping[str, int], grams: float,
        foreign: float = 0.0, seen: bool = True, stays: bool = False, hidden: bool = False,
    ) -> None:  # fmt: skip
        one = Happened(from_s, to_s, bay, kind, dict(units), grams, foreign, seen, stays, hidden)
        self.happened.append(one)

    def heard(self, at_s: float, scale: tuple[str, str]) -> None:
        """The scale says its serial and calibration."""
        self.signs.append(Sign(at_s, "scale", words=scale))

    def power(
        self, off_s: float, *, restart: bool = False, scale: tuple[str, str] | None = None,
        cell: Callable[[Cell], Cell] | None = None,
    ) -> None:  # fmt: skip
        """Switched off now, on again after so long; `scale`: serial and calibration that are heard then.

        `cell` makes another of each cell: a sensor was exchanged, or calibrated anew.
        """
        on_s = self.at_s + off_s
        self.off.append((self.at_s, on_s))
        self.signs.append(Sign(self.at_s, "down"))
        if restart:
            self.signs.append(Sign(on_s - 0.2, "restart"))
        self.signs.append(Sign(on_s, "up"))
        if scale:
            self.signs.append(Sign(on_s, "scale", words=scale))
        for found in self.cells.values():
            one = cell(found[-1]) if cell else found[-1]
            found.append(replace(one, warm_grams=float(self.rng.normal(0.0, 0.00007)) * one.full_grams,
                                 warm_s=float(self.rng.uniform(60.0, 600.0))))  # fmt: skip
        self.at_s = on_s

    def world(self, lasts_s: float = 0.0) -> World:
        """Everything, until so long after the last deed."""
        to_s = self.at_s + (lasts_s or QUIET_END_S)
        if self.rng.random() < CONFIRMED:
            told = [Sign(CONFIRM_S, "confirm", words=(name,), counts=n) for name, n in self.opening.items()]
            self.signs.extend(told)
        ends = [off_s for off_s, _ in self.off] + [to_s]
        begins = [0.0] + [on_s for _, on_s in self.off]
        rng = self.rng
        return World(
            name=self.name, seed=self.seed, to_s=to_s, places=tuple(self.places.values()), opening=self.opening,
            closing={name: place.counts() for name, place in self.places.items()}, happened=self.happened,
            signs=[Sign(0.0, "up"), *sorted(self.signs, key=lambda sign: sign.at_s)], device=self.device,
            plate=Plate(*(float(rng.uniform(a, b)) for a, b in (HERTZ, DAMPING, PLATE_GRAMS))),
            climate=self.climate, loads=self.loads, crosstalk=self.crosstalk, known=self.known, spoils=self.spoils,
            epochs={c: tuple(Epoch(from_s=a, to_s=b, cell=one) for a, b, one in zip(begins, ends, made, strict=True))
                    for c, made in self.cells.items()},
            configuration=configuration(list(self.places.values()), self.known), clock_steps=self.clock_steps,
        )  # fmt: skip


def cells_drawn(stage: Stage) -> Cell:
    assert stage.full is not None
    return cells.drawn(stage.rng, stage.full, stage.noise)
