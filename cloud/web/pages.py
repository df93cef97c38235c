"""The console's pages, and what a browser asks for beside them."""

from collections.abc import Callable
from datetime import datetime

from fastapi import APIRouter
from fastapi.responses import FileResponse, HTMLResponse

from cloud.ledger.database import Database
from cloud.web.questions.sites import list_sites, site_named
from cloud.web.questions.snapshot import Snapshot
from cloud.web.render import FOLDER, Renderer

NOT_STORED = {"Cache-Control": "no-store"}  # going back to it must not show old figures
NO_SITE = "Nothing is set up yet"
LOAD_ONE = (
    "Describe your site, its dock doors, shelves and items in a folder, and load it with "
    "“stockbeat cloud load DIR”. This page goes on by itself."
)


def pages_router(database: Database, renderer: Renderer, now: Callable[[], datetime]) -> APIRouter:
    router = APIRouter(include_in_schema=False)

    @router.get("/")
    def console(site: str | None = None) -> HTMLResponse:
        """The page of one site: the one asked for, or the first by name."""
        with database.read() as connection:
            known = list_sites(connection)
            chosen = site_named(connection, site) if site else next(iter(known), None)
            if chosen is not None:
                page = renderer.page(Snapshot(connection, chosen, now()), [each.name for each in known])
                return HTMLResponse(page, headers=NOT_STORED)
        if not known:
            return HTMLResponse(renderer.message(NO_SITE, LOAD_ONE, retry=True), headers=NOT_STORED)
        there = "There is " + ", ".join(each.name for each in known[:20]) + "."
        return HTMLResponse(renderer.message(f"There is no site {site!r}", there), 404)

    @router.get("/favicon.ico")
    def favicon() -> FileResponse:
        """Browsers ask for this name whatever the page says; every current one takes SVG here."""
        return FileResponse(FOLDER / "static" / "favicon.svg", media_type="image/svg+xml")

    return router


def ledger_unreadable(renderer: Renderer, reason: str) -> HTMLResponse:
    text = f"The ledger cannot be read: {reason}. This page tries again by itself."
    return HTMLResponse(renderer.message("No figures just now", text, retry=True), 503, headers=NOT_STORED)
