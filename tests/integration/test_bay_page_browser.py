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


async def test_twelve_labels_fit_on_a_sheet_and_none_is_cut(shown: Console) -> None:
    async with browser_page((718, 1047)) as visit:  # A4 without its margins of 10 mm, at 96 pixels an inch
        await visit.page.goto(shown.url + "/codes")
        await visit.page.evaluate(
            "() => { const all = document.querySelector('.codes');"
            " document.querySelector('.holds').textContent = 'Something with a name of many words '.repeat(9);"
            " for (const one of [...all.children]) for (let n = 0; n < 3; n++) all.append(one.cloneNode(true)); }"
        )
        sheets = await visit.page.pdf(prefer_css_page_size=True)
        await visit.page.emulate_media(media="print")
        labels = visit.page.locator(".code")
        assert await labels.count() == 24
        cut = "some => some.filter((one) => one.scrollHeight > one.clientHeight + 1).length"
        assert await labels.evaluate_all(cut) == 0
        await expect(visit.page.locator("header")).to_be_hidden()
        await expect(visit.page.locator("#only-here")).to_be_hidden()
    assert sheets.count(b"/Type /Page\n") == 2
    assert b"/MediaBox [0 0 594.9" in sheets


async def test_a_label_says_where_its_bay_is_and_what_it_is_for(shown: Console) -> None:
    async with browser_page() as visit:
        await visit.page.goto(shown.url + "/codes?shelf=aisle-5")
        label = visit.page.locator(".code")
        await expect(label.locator(".where")).to_have_text("store-042 · shelf aisle-5 · bay A5")
        await expect(label.locator(".holds")).to_have_text(["Olive oil, 0.75 l", "Tissues, box of 100"])
        await expect(label.locator(".purpose")).to_contain_text("Scan before you clean")
        await expect(visit.page.locator("#only-here")).to_contain_text("they will not work")


async def test_a_phone_that_may_only_look_is_told_what_to_do_instead(shown: Console) -> None:
    there = shown.url.replace("127.0.0.1", "stock.example") + PAGE
    async with browser_page(PHONE, knows="stock.example") as visit:
        await visit.page.goto(there)
        said = visit.page.locator("#lookonly")
        await expect(said).to_contain_text("From here you can look, but not change anything.")
        await expect(said).to_contain_text("press Begin service")
        assert await visit.page.locator("form, button").count() == 0
        shown.scene.condition("A1", "service")
        await expect(visit.page.locator("#state .badge")).to_have_text("In service", timeout=8000)
        await expect(said).to_contain_text("press End service")
        assert [line for line in visit.said if line.startswith("exception")] == []
