"""The dialogue with whoever stands at the shelf: what to put where, and what was found.

With nobody to ask, it waits until the scale shows that a step was done: hands full of weights press no keys.
"""

import re
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass

from edge.calibrate.measure import NonsenseError
from edge.calibrate.session import Session

LOOK_S = 0.1
REST_S = 15.0  # a plate that somebody has just let go of is at rest long before
PATIENCE_S = 120.0  # for the next mass, where nobody is asked
MASS = re.compile(r"(\d+(?:[.,]\d+)?)\s*(g|kg)?", re.IGNORECASE)
MOST_GRAMS = 1e6

Ask = Callable[[str], Awaitable[str]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """Masses in grams; None: ask, or leave that step out where nobody is asked."""

    cells: Sequence[int]
    mass: float | None = None
    check_mass: float | None = None
    crosstalk: bool = True


def mass_of(text: str) -> float | None:
    """Grams of a mass as people write it; None of nothing. Raises NonsenseError."""
    if not text.strip():
        return None
    found = MASS.fullmatch(text.strip())
    grams = (
        float(found[1].replace(",", ".")) * (1000 if (found[2] or "g").lower() == "kg" else 1) if found else 0
    )
    if not 0 < grams <= MOST_GRAMS:
        raise NonsenseError(f"write a mass as 2000, 2000 g or 2 kg, not {text.strip()!r}")
    return grams


class Dialogue:
    """`ask` is None where nobody is to be asked; `now_s` counts seconds."""

    def __init__(
        self,
        session: Session,
        *,
        say: Callable[[str], None],
        ask: Ask | None,
        sleep: Callable[[float], Awaitable[None]],
        now_s: Callable[[], float],
    ) -> None:
        self._session = session
        self._say = say
        self._ask = ask
        self._sleep = sleep
        self._now_s = now_s

    async def run(self, plan: Plan) -> None:
        """Go through the steps. Raises NonsenseError: what was weighed makes no sense, and nobody wants another try."""
        await self._zero(plan.cells)
        await self._masses(plan)
        await self._sure()

    async def _masses(self, plan: Plan) -> None:
        mass = plan.mass
        if mass is None and self._ask is not None:
            mass = await self._mass("How much does your known mass weigh? (Enter: zero only) ")
        if mass is None:
            return
        if len(plan.cells) < len(self._session.ear.cells) or len(plan.cells) == 1:
            plan = Plan(cells=plan.cells, mass=mass, check_mass=plan.check_mass, crosstalk=False)
        for cell in plan.cells:
            await self._span(cell, mass)
            await self._check(cell, plan.check_mass)
        if plan.crosstalk:
            for words in self._session.crosstalk_of_spans():
                self._say(words)

    async def _sure(self) -> None:
        """What is odd needs a yes, or a second mass. Raises NonsenseError: there is none."""
        for words in self._session.doubts():
            if self._ask is None:
                raise NonsenseError(
                    f"{words}. Prove it with another mass (--check-mass), or answer without --yes"
                )
            self._say(words + ".")
            if not (await self._ask("Is it right so? (y: yes, Enter: no) ")).strip().lower().startswith("y"):
                raise NonsenseError("nothing is kept: begin again, with the right mass and an empty plate")

    async def _zero(self, cells: Sequence[int]) -> None:
        which = "the plate" if len(cells) == 1 else "all plates"
        await self._step(
            f"Empty {which} of cells {', '.join(map(str, cells))}, and take your hands off.",
            cells,
            lambda: True,
            lambda: "\n".join(self._session.zero(cell) for cell in cells),
        )

    async def _span(self, cell: int, mass: float) -> None:
        await self._step(
            f"Put {mass:g} g in the middle of the plate of cell {cell}, and nothing on the others.",
            self._session.ear.cells,
            lambda: self._session.felt(cell),
            lambda: self._session.span(cell, mass),
        )

    async def _check(self, cell: int, mass: float | None) -> None:
        if mass is None and self._ask is not None:
            mass = await self._mass("Another mass to check it with? (Enter: none) ")
        if mass is None:
            return
        grams = mass
        await self._step(
            f"Put {grams:g} g in its place.",
            [cell],
            lambda: self._session.felt(cell, beside=self._session.under_span(cell)),
            lambda: self._session.check(cell, grams),
        )

    async def _step(
        self, words: str, cells: Sequence[int], done: Callable[[], bool], take: Callable[[], str]
    ) -> None:
        """`done` tells, where nobody is asked, whether it was; `take` measures."""
        while True:
            try:
                await self._wait(words, cells, done)
                self._say(take())
                return
            except NonsenseError as error:
                if self._ask is None:
                    raise
                self._say(f"That makes no sense. {error}")
                if (await self._ask("Try again? (Enter: yes, n: no) ")).strip().lower().startswith("n"):
                    raise

    async def _wait(self, words: str, cells: Sequence[int], done: Callable[[], bool]) -> None:
        ear = self._session.ear
        if self._ask is not None:
            await self._ask(f"{words} Then press Enter. ")
            ear.begin()
        else:
            self._say(words)
        until_s = self._now_s() + (REST_S if self._ask is not None else PATIENCE_S)
        ready = done if self._ask is None else lambda: True
        while self._now_s() < until_s:
            if all(ear.rest(cell) for cell in cells) and ready():
                return
            await self._sleep(LOOK_S)
        if self._ask is None and all(ear.rest(cell) for cell in cells):
            raise NonsenseError(f"nothing changed on the plate within {PATIENCE_S:g} s: {words}")

    async def _mass(self, question: str) -> float | None:
        assert self._ask is not None
        while True:
            try:
                return mass_of(await self._ask(question))
            except NonsenseError as error:
                self._say(str(error))
