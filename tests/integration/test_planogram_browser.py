"""The planogram as people use it: Debian's Chromium, at a desk and on a phone; and the shelves that show it."""

import asyncio
import os
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest
from playwright.async_api import Page, expect

from cloud.ledger.database import Database
from tests.support.browser import DESK, PHONE, browser_page
from tests.support.console import Console, console, empty_ledger
from tests.support.scene import BOTTLE, CAN, busy

pytestmark = pytest.mark.timeout(60)


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
        made.scene.fill("A1", CAN, "low", 3, 24, ago_s=90, seq=501)
        made.scene.fill("A2", BOTTLE, "out", 0, 12, ago_s=20, seq=502)
        yield made


async def keep(page: Page, name: str) -> None:
    """A picture for whoever changes the page: STOCKBEAT_PICTURES names the folder."""
    if folder := os.environ.get("STOCKBEAT_PICTURES"):
        await page.screenshot(path=Path(folder) / f"{name}.png", full_page=True)


async def test_a_bay_is_planned_at_a_desk(shown: Console) -> None:
    async with browser_page(DESK) as visit:
        page = visit.page
        await page.goto(shown.url + "/planogram")
        bay = page.locator("tbody[data-bay='A1']")
        await expect(bay).to_contain_text("as its own file says")
        await keep(page, "planogram")
        await page.get_by_label("You are").fill("manager")
        await bay.get_by_role("button", name="Edit A1").click()
        slot = bay.locator("[data-slot]").first
        await slot.get_by_label("Fits").fill("20")
        await slot.get_by_label("Side by side").fill("4")
        await slot.get_by_label("Low below").fill("25")
        await bay.get_by_role("button", name="Save A1").click()
        await expect(bay.get_by_role("alert")).to_contain_text(
            "Nothing was changed. item 1, low: 25 is more than the 20 that fit; write a number up to the capacity"
        )
        await keep(page, "planogram-refused")
        await slot.get_by_label("Low below").fill("6")
        await bay.get_by_role("button", name="Save A1").click()
        await expect(page.locator("#answer")).to_have_text("A1 is planned anew")
        await expect(bay.locator("tr").first).to_contain_text("20")
        await expect(bay).to_have_attribute("data-edge-has", "waiting")
        await bay.get_by_role("button", name="Edit A1").click()
        await bay.get_by_role("button", name="Who changed it?").click()
        await expect(bay.locator(".past li")).to_contain_text("manager (console)")
        await keep(page, "planogram-history")
        errors = [said for said in visit.said if "422" not in said]  # the refusal, as the browser notes it
        assert (errors, visit.outside) == ([], [])


async def test_a_file_is_taken_or_refused_whole(shown: Console, tmp_path: Path) -> None:
    async with browser_page(DESK) as visit:
        page = visit.page
        await page.goto(shown.url + "/planogram")
        async with page.expect_download() as started:
            await page.get_by_role("link", name="planogram.csv").click()
        taken = await (await started.value).path()
        written = await asyncio.to_thread(taken.read_text, "utf-8")
        assert written.startswith("site,edge,shelf,bay,gtin,capacity,facings,low")

        file = tmp_path / "plan.csv"
        file.write_text(written.replace(f",{CAN},24,", f",{CAN},none,"), "utf-8")
        form = page.locator("#import")
        await form.locator("input[type=file]").set_input_files(file)
        await form.get_by_role("button", name="Import").click()
        await expect(form.get_by_role("alert")).to_contain_text(
            "plan.csv line 2, column capacity: input should be"
        )
        file.write_text(written.replace(f",{CAN},24,", f",{CAN},30,"), "utf-8")
        await form.locator("input[type=file]").set_input_files(file)
        await form.get_by_role("button", name="Import").click()
        await expect(page.locator("#answer")).to_have_text("plan.csv: 6 bays, 1 of them changed")
        await expect(page.locator("tbody[data-bay='A1']")).to_contain_text("30")


async def test_on_a_phone_the_table_scrolls_and_the_page_does_not(shown: Console) -> None:
    async with browser_page(PHONE, dark=True) as visit:
        await visit.page.goto(shown.url + "/planogram")
        await keep(visit.page, "planogram-phone")
        assert await visit.page.evaluate("document.documentElement.scrollWidth") <= PHONE[0]
        assert visit.said == []


async def test_the_shelves_show_how_full_they_are_and_what_ran_out(shown: Console) -> None:
    async with browser_page(DESK) as visit:
        page = visit.page
        await page.goto(shown.url)
        await expect(page.locator("[data-bay='A2']")).to_contain_text("Out of stock")
        await expect(page.locator("[data-bay='A1'] .filled")).to_contain_text("full")
        events = page.locator("#shelf-events li")
        await expect(events).to_have_count(2)
        await expect(events.first).to_contain_text("Out of stock A2")
        await expect(page.locator("#tile-shelves")).to_contain_text("1 empty")
        await keep(page, "console")
        shown.scene.fill("A2", BOTTLE, "full", 12, 12, seq=503)
        await expect(events.first).to_contain_text("Full")
        await expect(page.locator("[data-bay='A2']")).not_to_contain_text("Out of stock")
        assert (visit.said, visit.outside) == ([], [])
