"""What people do at a shelf: each deed begins at `at_s` and, where not said otherwise, moves it on to its end."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from simulators.shelves import people
from simulators.shelves.goods import Goods
from simulators.shelves.people import Line
from simulators.shelves.stage import Stage


@dataclass(slots=True, kw_only=True)
class Making(Stage):
    """A stage, and those who act on it."""

    def take(self, bay: str, units: Mapping[str, int], *, lift_s: float | None = None, share: float | None = None,
             kind: str = "pick") -> float:  # fmt: skip
        """Take some units in one move; returns what they weighed."""
        grams = sum(self.out(bay, gtin, n) for gtin, n in units.items())
        line = people.takes(self.at_s, grams, self.rng, lift_s)
        self.press(bay, line, share=share, tremble=0.02 * grams + 1.0)
        self.say(bay, kind, self.at_s, line[-1][0], {g: -n for g, n in units.items()}, -grams)
        self.at_s = line[-1][0]
        return grams

    def put(self, bay: str, goods: Goods, number: int = 1, *, weights: Sequence[float] = (), set_s: float | None = None,
            share: float | None = None, kind: str = "put") -> float:  # fmt: skip
        grams = self.into(bay, goods, number, weights)
        line = people.puts(self.at_s, grams, self.rng, set_s)
        self.press(bay, line, share=share, tremble=0.02 * grams + 1.0)
        self.say(bay, kind, self.at_s, line[-1][0], {goods.gtin: len(weights) or number}, grams)
        self.at_s = line[-1][0]
        return grams

    def swap(self, bay: str, out: Goods, into: Goods, between_s: float) -> None:
        away, added = self.out(bay, out.gtin), self.into(bay, into)
        line = people.swaps(self.at_s, away, added, self.rng, between_s)
        self.press(bay, line, tremble=0.02 * away + 1.0)
        units = {out.gtin: -1, into.gtin: 1} if out is not into else {}
        self.say(bay, "swap", self.at_s, line[-1][0], units, added - away)
        self.at_s = line[-1][0]

    def lean(self, bay: str, lasts_s: float, grams: float, kind: str = "lean") -> tuple[float, float]:
        """Somebody's weight, which goes again; time does not go on, so that other things can happen meanwhile."""
        line = people.rests(self.at_s, lasts_s, grams, self.rng)
        self.press(bay, line, tremble=0.03 * grams)
        self.say(bay, kind, line[0][0], line[-1][0], {}, 0.0)
        return line[0][0], line[-1][0]

    def thing(self, bay: str, grams: float, lasts_s: float | None) -> float:
        """Something that is no goods is put down, and stays or is taken away later; returns when all is over."""
        line = people.stands(self.at_s, lasts_s, grams, self.rng)
        self.press(bay, line, tremble=2.0)
        down = len(people.puts(0.0, 1.0, np.random.default_rng(0)))
        self.say(bay, "thing put", line[0][0], line[down - 1][0], {}, grams, grams, stays=lasts_s is None)
        if lasts_s is not None:
            self.say(bay, "thing taken", line[down][0], line[-1][0], {}, -grams, -grams)
        return line[-1][0]

    def blend(self, shares: Mapping[str, float], line: Line) -> None:
        """Something presses on several bays at once, in shares."""
        for bay, share in shares.items():
            for cell in self.places[bay].cells:
                self.loads[cell].add(line, share / len(self.places[bay].cells))

    def unseen(
        self, bay: str, at_s: float, until_s: float, units: Mapping[str, int], kind: str, *, hidden: bool = False
    ) -> None:  # fmt: skip
        """Units come or go at a time when nothing weighs; what can be told of it can be told from `until_s` on."""
        here = {each.gtin: each for each in self.places[bay].kinds}
        grams = sum(self.into(bay, here[g], n) if n > 0 else -self.out(bay, g, -n) for g, n in units.items())
        self.press(bay, [(at_s, 0.0), (at_s + 0.5, grams)])
        self.say(bay, kind, at_s, until_s, units, grams, seen=False, hidden=hidden)
