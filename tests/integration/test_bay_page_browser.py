"""The page of a bay as people use it: Debian's Chromium, on a phone; and the sheet of codes."""

from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest
from playwright.async_api import expect

from cloud.ledger.database import Database
from tests.support.answering import answering
from tests.support.browser import DESK, PHONE, browser_page
from tests.support.console import Console, console, empty_ledger
from tests.support.scene import CAN, busy
from wire.commands import Assign, Command, Confirm, ItemCount, Outcome, ServiceBegin
from wire.messages import Level

pytestmark = pytest.mark.timeout(60)
PAGE = "/bay/store-042/aisle-1/A1"


@pytest.fixture
def database(tmp_path: Path) -> Iterator[Database]:
    made = empty_ledger(tmp_path)
    yield made
    made.close()


@pytest.fixture
async def shown(database: Database) -> AsyncIterator[Console]:
    """The middle of a day."""
    async with console(database) as made:
        made.scene.lay_out()
        busy(made.scene)
        yield made


async def test_service_is_one_tap_on_a_phone(shown: Console) -> None:
    scene = shown.scene

    def carried_out(command: Command) -> tuple[Outcome, str]:
        scene.condition("A1", "service" if isinstance(command.order, ServiceBegin) else "ok")
        return Outcome.DONE, "as asked"

    async with browser_page(PHONE) as visit, answering(scene.database, carried_out) as asked:
        await visit.page.goto(shown.url + PAGE)
        await expect(visit.page.locator("#state")).to_contain_text("Counting")
        await visit.page.get_by_label("You are").fill("floor")
        await visit.page.get_by_role("button", name="Begin service").click()
        await expect(visit.page.locator("#answer")).to_have_text("as asked")
        await expect(visit.page.locator("#state")).to_contain_text("In service")
        await expect(visit.page.locator("#log li")).to_contain_text("floor")
        await visit.page.get_by_role("button", name="End service").click()
        await expect(visit.page.get_by_role("button", name="Begin service")).to_be_visible()
        assert await visit.page.evaluate("document.documentElement.scrollWidth") <= PHONE[0]
        assert [command.order.type for command in asked] == ["service_begin", "service_end"]
        assert (visit.said, visit.outside) == ([], [])


async def test_a_person_says_what_stands_there_and_what_is_to(shown: Console) -> None:
    answers = {"confirm": (Outcome.DONE, "confirmed"), "assign": (Outcome.REFUSED, "it moves")}
    async with (
        browser_page(PHONE) as visit,
        answering(shown.scene.database, lambda command: answers[command.order.type]) as asked,
    ):
        await visit.page.goto(shown.url + PAGE)
        await visit.page.get_by_text("Say what stands there").click()
        await visit.page.get_by_role("spinbutton", name="Tomatoes, chopped").fill("25")
        await visit.page.get_by_role("button", name="This stands there").click()
        await expect(visit.page.locator("#answer")).to_have_text("confirmed")
        await expect(visit.page.locator("#state .amount strong")).to_have_text("25")
        await visit.page.get_by_text("Put something else here").click()
        await visit.page.get_by_label("one weighs").first.fill("331.5")
        await visit.page.get_by_label("Fits").fill("30")
        await visit.page.get_by_role("button", name="From now on").click()
        await expect(visit.page.locator("#answer")).to_have_text("Not done: it moves")
    assert asked[0].order == Confirm(shelf="aisle-1", bay="A1", counts=(ItemCount(gtin=CAN, units=25),))
    assert isinstance(asked[1].order, Assign)
    assert (asked[1].order.capacity, [item.gtin for item in asked[1].order.items]) == (30, [CAN])
    assert asked[1].order.items[0].unit_grams == 331.5


async def test_a_shelf_is_weighed_again_and_calibrated_step_by_step(shown: Console) -> None:
    level = Level(shelf="aisle-1", bay="A1", grams=991.2, item=CAN, units=3, stable=True)
    async with (
        browser_page(PHONE) as visit,
        answering(shown.scene.database, lambda _: (Outcome.DONE, "well"), (level,)) as asked,
    ):
        await visit.page.goto(shown.url + PAGE)
        await visit.page.get_by_text("Weigh again").first.click()
        await visit.page.get_by_role("button", name="Weigh again").click()
        await expect(visit.page.locator("#answer")).to_have_text("well · A1: 991 g, 3 units")
        await visit.page.get_by_text("Calibrate the scale").click()
        await visit.page.get_by_label("known mass").fill("2000")
        for name in ("1 The plate is empty", "2 The mass is on it", "Keep it"):
            await visit.page.get_by_role("button", name=name).click()
            await expect(visit.page.locator("#answer")).to_contain_text("well")
    steps = [command.order for command in asked[1:]]
    assert [(step.step.value, step.cell, step.mass_grams) for step in steps] == [  # type: ignore[union-attr]
        ("zero", 0, None),
        ("span", 0, 2000.0),
        ("keep", None, None),
    ]


async def test_the_codes_are_drawn_and_fit_a_desk_and_a_phone(shown: Console) -> None:
    for size in (DESK, PHONE):
        async with browser_page(size) as visit:
            await visit.page.goto(shown.url + "/codes")
            await expect(visit.page.locator(".code svg")).to_have_count(6)
            assert await visit.page.evaluate("document.documentElement.scrollWidth") <= size[0]
            assert (visit.said, visit.outside) == ([], [])
