"""The dialogue: asked and answered, and by itself when nobody is there to ask."""

from collections.abc import Callable
from datetime import UTC, datetime

import pytest

from edge.calibrate.dialogue import Dialogue, Plan, mass_of
from edge.calibrate.measure import NonsenseError
from edge.calibrate.session import Ear, Session
from edge.weighing import CellSection, Made, Weighing
from tests.support.plates import Plates

Hand = Callable[[str], str]  # hears what is asked, moves masses, answers


class Stage:
    """Time passes only while the dialogue sleeps, and the cells speak meanwhile."""

    def __init__(
        self, plates: Plates, hand: Hand | None, cells: int = 2, known: Weighing | None = None
    ) -> None:
        self.plates = plates
        self.hand = hand
        self.said: list[str] = []
        self.ear = Ear("aisle-1", range(cells))
        self.session = Session(self.ear, known)
        self.dialogue = Dialogue(
            self.session,
            say=self.say,
            ask=self.ask if hand else None,
            sleep=self.sleep,
            now_s=lambda: plates.second,
        )

    def say(self, words: str) -> None:
        self.said.append(words)

    async def ask(self, question: str) -> str:
        assert self.hand is not None
        self.said.append(question)
        return self.hand(question)

    async def sleep(self, seconds: float) -> None:
        for _ in range(max(round(seconds * 10), 1)):
            self.ear.hear(self.plates.step())


def _factors(stage: Stage) -> list[float]:
    return [round(stage.session._cells[cell].section.factor, 2) for cell in stage.ear.cells]


async def test_a_person_is_led_through_all_cells() -> None:
    plates = Plates(counts_per_gram=420.5, zero=8000.0, share=0.02)

    def hand(question: str) -> str:
        if "How much" in question:
            return "2 kg"
        if "Another mass" in question:
            return ""
        for cell in range(2):
            if f"Put 2000 g in the middle of the plate of cell {cell}" in question:
                plates.grams = [2000.0 if each == cell else 0.0 for each in range(2)]
        return ""

    stage = Stage(plates, hand)
    await stage.dialogue.run(Plan(cells=[0, 1]))
    assert _factors(stage) == [pytest.approx(1 / 420.5, abs=0.01)] * 2
    assert any("cell 1 shows 2.0%" in words for words in stage.said)


async def test_nonsense_is_said_and_tried_again() -> None:
    plates = Plates()
    tries: list[str] = []

    def hand(question: str) -> str:
        if "How much" in question:
            return "two" if question not in stage.said[:-1] else "2000"
        if "plate of cell 0" in question:
            tries.append(question)
            plates.grams[0] = 2000.0 if len(tries) > 1 else 0.0  # forgotten the first time
        return ""

    stage = Stage(plates, hand)
    await stage.dialogue.run(Plan(cells=[0]))
    assert len(tries) == 2
    assert any(
        words.startswith("That makes no sense. cell 0: the reading changed by") for words in stage.said
    )
    assert "write a mass as 2000, 2000 g or 2 kg, not 'two'" in stage.said
    assert _factors(stage)[0] == 1.0


async def test_a_person_may_give_up() -> None:
    stage = Stage(Plates(), lambda question: {"How": "2000", "Try": "n"}.get(question[:3], ""))
    with pytest.raises(NonsenseError, match="is the mass on the plate"):
        await stage.dialogue.run(Plan(cells=[0]))


async def test_zero_alone_is_enough() -> None:
    stage = Stage(Plates(zero=12.0), lambda question: "")
    await stage.dialogue.run(Plan(cells=[0, 1]))
    assert stage.session.measured == [0, 1]


async def test_with_nobody_to_ask_the_scale_shows_what_was_done() -> None:
    plates = Plates(cells=1)

    class Alone(Stage):
        async def sleep(self, seconds: float) -> None:
            await super().sleep(seconds)
            second = self.plates.second
            self.plates.grams[0] = 0.0 if second < 10 else 2000.0 if second < 20 else 1000.0

    stage = Alone(plates, None, cells=1)
    await stage.dialogue.run(Plan(cells=[0], mass=2000.0, check_mass=1000.0))
    assert any(words.startswith("cell 0: 1000 g come out as") for words in stage.said)
    assert 20 < plates.second < 30


async def test_with_nobody_to_ask_it_does_not_wait_for_ever() -> None:
    stage = Stage(Plates(cells=1), None, cells=1)
    with pytest.raises(NonsenseError, match="nothing changed on the plate within 120 s"):
        await stage.dialogue.run(Plan(cells=[0], mass=2000.0))


@pytest.mark.parametrize(
    "text, grams", [("2000", 2000.0), ("2 kg", 2000.0), ("0,5KG", 500.0), ("12.5 g", 12.5), ("", None)]
)
def test_masses_are_read_as_people_write_them(text: str, grams: float | None) -> None:
    assert mass_of(text) == grams


@pytest.mark.parametrize("text", ["two", "-5", "0", "5 lb", "1e9", "nan", "2 kg 5"])
def test_what_is_no_mass_is_said(text: str) -> None:
    with pytest.raises(NonsenseError, match="write a mass as 2000"):
        mass_of(text)


@pytest.mark.parametrize("answer", ["y", "", None])
async def test_a_wrong_mass_needs_a_yes(answer: str | None) -> None:
    plates = Plates()
    made = Made(at=datetime(2026, 11, 22, 9, tzinfo=UTC))
    known = Weighing(version=1, shelf="aisle-1", made=made, cells=(CellSection(cell=0, factor=1.0),))

    def hand(question: str) -> str:
        if "Put 2400 g" in question:
            plates.grams[0] = 2000.0
        return answer or "" if "right so" in question else ""

    stage = Stage(plates, hand if answer is not None else None, cells=1, known=known)
    if answer is None:
        say = stage.say

        def said(words: str) -> None:
            say(words)
            if "Put 2400 g" in words:
                plates.grams[0] = 2000.0

        stage.dialogue._say = said
    plan = Plan(cells=[0], mass=2400.0)
    if answer == "y":
        await stage.dialogue.run(plan)
        assert any("the mass was 2000 g, and not 2400 g" in words for words in stage.said)
        return
    with pytest.raises(
        NonsenseError, match="nothing is kept" if answer == "" else "Prove it with another mass"
    ):
        await stage.dialogue.run(plan)
