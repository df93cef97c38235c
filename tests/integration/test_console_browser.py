"""The console as people see it: Debian's Chromium, on a phone and on a desk."""

import asyncio
import time
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest
from playwright.async_api import expect

from cloud.ledger.database import Database
from cloud.web.server import serving
from tests.support.browser import DESK, PHONE, Visit, browser_page
from tests.support.console import Console, console, console_app, empty_ledger
from tests.support.scene import CAN, TAG, Scene, busy

pytestmark = pytest.mark.timeout(60)
LIVE = "#link[data-state=live]"


class Wire:
    """A TCP proxy before a console; while it is cut, what comes from either side is lost and nobody is told."""

    def __init__(self, port: int) -> None:
        self._behind = port
        self._tasks: set[asyncio.Task[None]] = set()
        self.cut = False

    async def __aenter__(self) -> "Wire":
        self._server = await asyncio.start_server(self._join, "127.0.0.1", 0)
        self.port: int = self._server.sockets[0].getsockname()[1]
        return self

    async def __aexit__(self, *_: object) -> None:
        self._server.close()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def _join(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        there_reader, there_writer = await asyncio.open_connection("127.0.0.1", self._behind)
        for source, goal in ((reader, there_writer), (there_reader, writer)):
            self._tasks.add(asyncio.create_task(self._pass(source, goal)))

    async def _pass(self, source: asyncio.StreamReader, goal: asyncio.StreamWriter) -> None:
        try:
            while data := await source.read(65536):
                if not self.cut:
                    goal.write(data)
        except ConnectionError:
            return  # one side went, and so does the other
        finally:
            goal.close()


@pytest.fixture
def database(tmp_path: Path) -> Iterator[Database]:
    made = empty_ledger(tmp_path)
    yield made
    made.close()


@pytest.fixture
async def served(database: Database) -> AsyncIterator[Console]:
    async with console(database) as made:
        made.scene.lay_out()
        yield made


@pytest.fixture(params=[DESK, PHONE], ids=["desk", "phone"])
async def visit(request: pytest.FixtureRequest) -> AsyncIterator[Visit]:
    async with browser_page(request.param) as made:
        yield made


async def test_the_page_changes_by_itself_when_something_is_committed(served: Console, visit: Visit) -> None:
    scene, page = served.scene, visit.page
    scene.rules()
    scene.move(CAN, "opening", "A1", 20, kind="opening")
    await page.goto(served.url)
    await page.wait_for_selector(LIVE)
    await expect(page.locator("[data-bay=A1] .stand")).to_have_attribute("data-on-hand", "20")

    began = time.monotonic()
    scene.move(CAN, "A1", "basket", 17)
    await page.wait_for_selector('[data-bay=A1] [data-on-hand="3"]')
    assert time.monotonic() - began < 1.5  # and far less on a quiet machine: see the benchmark

    scene.alert("A1", CAN, "A1: 3 of 24 left. Refill 21: the backroom has 40.")
    await expect(page.locator("#open-alerts")).to_contain_text("A1: 3 of 24 left.")
    await expect(page.locator("[data-bay=A1]")).to_contain_text("Low")
    await expect(page).to_have_title("(1) store-042 – Stockbeat")

    scene.load("dock-1", {TAG.format(n): ("in", "received", 0.98) for n in range(5)}, strays=2)
    load = page.locator("#loads > li").first
    await expect(load.locator(".line")).to_have_attribute("data-tags", "5")
    await expect(load).to_contain_text("98\u202f% sure")

    scene.device("aisle-1", "down", "unplugged")
    await expect(page.locator("[data-device=aisle-1]")).to_contain_text("unplugged")
    await expect(page.locator("[data-bay=A1]")).to_contain_text("Scale down")
    assert visit.said == []
    assert visit.outside == []


async def test_an_alert_is_acknowledged_by_name_and_stays_so_on_a_reload(
    served: Console, visit: Visit
) -> None:
    page = visit.page
    number = served.scene.alert("A1", CAN, "A1: 3 of 24 left.")
    await page.goto(served.url)
    await page.get_by_label("You are").fill("Shift lead")
    await page.get_by_role("button", name="Acknowledge: A1: 3 of 24 left.").click()
    alert = page.locator(f"#alert-{number}")
    await expect(alert).to_have_attribute("data-acknowledged", "yes")
    await expect(alert).to_contain_text("Acknowledged by Shift lead")
    await expect(page.get_by_role("button", name="Acknowledge")).to_have_count(0)
    await page.reload()
    await expect(page.locator(f"#alert-{number}")).to_contain_text("Acknowledged by Shift lead")
    await expect(page.get_by_label("You are")).to_have_value("Shift lead")
    assert visit.said == []


async def test_a_name_being_typed_and_an_open_list_survive_what_comes_in(
    served: Console, visit: Visit
) -> None:
    scene, page = served.scene, visit.page
    scene.alert("A2", CAN, "A2: was low", cleared_at=scene.now)
    await page.goto(served.url)
    await page.wait_for_selector(LIVE)
    await page.locator("#cleared-alerts summary").click()
    await page.get_by_label("You are").press_sequentially("Shift")
    scene.alert("A1", CAN, "A1: 3 of 24 left.")
    await expect(page.locator("#open-alerts")).to_contain_text("A1: 3 of 24 left.")
    await page.keyboard.type(" lead")
    await expect(page.get_by_label("You are")).to_have_value("Shift lead")
    await expect(page.locator("#cleared-alerts li")).to_be_visible()
    assert visit.said == []


async def test_a_refused_acknowledgement_is_said_where_the_button_is(served: Console, visit: Visit) -> None:
    page = visit.page
    served.scene.alert("A1", CAN, "A1: 3 of 24 left.")
    await page.goto(served.url)
    with served.scene.database.write() as connection:
        connection.exec_driver_sql("ALTER TABLE alerts RENAME TO away")
    await page.get_by_role("button", name="Acknowledge").click()
    await expect(page.get_by_role("alert")).to_contain_text("Not acknowledged: the ledger cannot be read")
    await expect(page.get_by_role("button", name="Acknowledge")).to_be_enabled()
    await expect(page.locator("#link")).to_contain_text("The ledger cannot be read")


async def test_a_lost_connection_is_shown_and_the_page_catches_up_afterwards(
    database: Database, visit: Visit
) -> None:
    """The console ends and comes back at the same address; what was committed meanwhile is shown."""
    scene = Scene(database)
    scene.lay_out()
    scene.move(CAN, "opening", "A1", 20, kind="opening")
    page = visit.page
    async with serving(console_app(database), "127.0.0.1", 0) as url:
        await page.goto(url)
        await page.wait_for_selector(LIVE)
    await expect(page.locator("#link")).to_contain_text("Connection lost – figures of")
    await expect(page.locator("[data-bay=A1] .stand")).to_have_attribute("data-on-hand", "20")
    scene.move(CAN, "A1", "basket", 5)
    async with serving(console_app(database), "127.0.0.1", int(url.rpartition(":")[2])):
        await page.wait_for_selector('[data-bay=A1] [data-on-hand="15"]', timeout=15_000)
        await page.wait_for_selector(LIVE)


async def test_a_connection_that_died_without_a_word_is_noticed(served: Console) -> None:
    """As when a phone leaves the Wi-Fi: the socket stays open and nothing comes."""
    async with Wire(int(served.url.rpartition(":")[2])) as wire, browser_page() as visit:
        await visit.page.goto(f"http://127.0.0.1:{wire.port}")
        await visit.page.wait_for_selector(LIVE)
        wire.cut = True
        await visit.page.wait_for_selector("#link[data-state=lost]", timeout=25_000)
        wire.cut = False
        await visit.page.wait_for_selector(LIVE, timeout=15_000)


async def test_a_stream_that_never_opened_is_tried_again(served: Console) -> None:
    async with browser_page() as visit:
        await visit.page.route("**/events*", lambda route: route.abort("connectionrefused"))
        await visit.page.goto(served.url)
        await visit.page.wait_for_selector("#link[data-state=lost]")
        await visit.page.unroute("**/events*")
        await visit.page.wait_for_selector(LIVE, timeout=25_000)


async def test_a_page_without_a_site_says_what_to_do_and_goes_on_by_itself(
    database: Database, visit: Visit
) -> None:
    page = visit.page
    async with console(database) as served:
        await page.goto(served.url)
        await expect(page.get_by_role("heading", name="Nothing is set up yet")).to_be_visible()
        await expect(page.locator("main")).to_contain_text("stockbeat cloud load DIR")
        served.scene.lay_out()
        await page.wait_for_selector(LIVE, timeout=10_000)
        await expect(page.locator("#doors")).to_contain_text("Nothing has gone through a door yet.")
        await expect(page.locator("#alerts")).to_contain_text("No alerts.")
        await expect(page.locator("#health")).to_contain_text("Start the agent at the site")
    assert visit.said == []


async def test_sites_are_chosen_between(served: Console, visit: Visit) -> None:
    served.scene.lay_out("store-043", "store-043")
    served.scene.alert("A1", CAN, "A1: 3 of 24 left.")
    page = visit.page
    await page.goto(served.url)
    await expect(page.locator("#open-alerts li")).to_have_count(1)
    await page.get_by_label("Site").select_option("store-043")
    await page.wait_for_url("**/?site=store-043")
    await page.wait_for_selector(LIVE)
    await expect(page.locator("#open-alerts li")).to_have_count(0)
    assert visit.said == []


@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
@pytest.mark.parametrize("size", [DESK, PHONE], ids=["desk", "phone"])
async def test_nothing_overflows_and_every_text_can_be_read(
    served: Console, size: tuple[int, int], dark: bool
) -> None:
    """Measured in the browser, by the WCAG 2.2 contrast formula (4.5 for text; 1.4.3)."""
    busy(served.scene)
    async with browser_page(size, dark=dark) as visit:
        await visit.page.goto(served.url)
        await visit.page.wait_for_selector(LIVE)
        await visit.page.evaluate(GROWN)
        assert await visit.page.evaluate("document.documentElement.scrollWidth") <= size[0]
        assert await visit.page.evaluate(FAINT) == []
        small = await visit.page.evaluate(
            "[...document.querySelectorAll('button')].map(b => b.getBoundingClientRect().height).filter(h => h < 44)"
        )
        assert small == []
        assert visit.said == []


# Bars grow to their places: until none does. What repeats for ever is an animation, and not waited for.
GROWN = """Promise.all(document.getAnimations()
  .filter(one => one instanceof CSSTransition).map(one => one.finished)).then(() => null)"""
# Every element with text of its own whose colour stands out too little from the first opaque ground behind it.
FAINT = """() => {
  const parts = colour => colour.match(/[\\d.]+/g).map(Number);
  const linear = v => v <= 0.03928 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4;
  const light = ([r, g, b]) => 0.2126 * linear(r / 255) + 0.7152 * linear(g / 255) + 0.0722 * linear(b / 255);
  const ground = element => {
    for (; element; element = element.parentElement) {
      const colour = parts(getComputedStyle(element).backgroundColor);
      if (colour.length < 4 || colour[3] === 1) return colour;
    }
    return [255, 255, 255];
  };
  const contrast = element => {
    const both = [light(parts(getComputedStyle(element).color)), light(ground(element))];
    return (Math.max(...both) + 0.05) / (Math.min(...both) + 0.05);
  };
  return [...document.body.querySelectorAll("*")]
    .filter(element => [...element.childNodes].some(node => node.nodeType === 3 && node.data.trim()))
    .filter(element => element.getClientRects().length && !element.closest("select, .unseen, .skip"))
    .filter(element => contrast(element) < 4.5)
    .map(element => element.className + ": " + element.textContent.trim().slice(0, 30));
}"""
