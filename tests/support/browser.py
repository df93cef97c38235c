"""Debian's Chromium, driven by Playwright: one page, what it said and whom it asked."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from urllib.parse import urlsplit

from playwright.async_api import ConsoleMessage, Page, Request, async_playwright

from tests.support.servers import program

DESK, PHONE = (1440, 900), (390, 844)


@dataclass
class Visit:
    page: Page
    said: list[str] = field(default_factory=list)  # errors and warnings in the browser's console
    asked: list[str] = field(default_factory=list)  # every URL that was requested

    @property
    def outside(self) -> list[str]:
        return [url for url in self.asked if urlsplit(url).hostname != "127.0.0.1"]


@asynccontextmanager
async def browser_page(
    size: tuple[int, int] = DESK, *, dark: bool = False, knows: str | None = None
) -> AsyncIterator[Visit]:
    """A fresh page in a fresh browser. It waits at most 5 s for anything. `knows`: a name that is this machine's."""
    async with async_playwright() as playwright:
        args = ["--no-sandbox", *([f"--host-resolver-rules=MAP {knows} 127.0.0.1"] if knows else [])]
        browser = await playwright.chromium.launch(executable_path=program("chromium"), args=args)
        try:
            page = await browser.new_page(
                viewport={"width": size[0], "height": size[1]}, color_scheme="dark" if dark else "light"
            )
            page.set_default_timeout(5000)
            visit = Visit(page)

            def note(message: ConsoleMessage) -> None:
                if message.type in ("error", "warning"):
                    visit.said.append(f"{message.type}: {message.text}")

            def ask(request: Request) -> None:
                visit.asked.append(request.url)

            page.on("console", note)
            page.on("pageerror", lambda error: visit.said.append(f"exception: {error}"))
            page.on("request", ask)
            yield visit
        finally:
            await browser.close()
