"""The page of one bay, and the codes that open it on a phone."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from urllib.parse import quote, urlsplit
from zoneinfo import ZoneInfo

import segno
from fastapi import APIRouter, Request
from fastapi.responses import HTMLResponse
from markupsafe import Markup

from cloud.ledger.database import Database
from cloud.web.guard import is_loopback, may_write
from cloud.web.pages import NOT_STORED
from cloud.web.questions.bay import bay_page
from cloud.web.questions.shelf_levels import shelf_levels
from cloud.web.render import Renderer
from cloud.web.site_choice import SiteName, choose

NAMED = 2  # items on a label: more leave no room for what it is for


@dataclass(frozen=True, slots=True)
class Code:
    """What is printed for one bay. `more`: how many items there are beside those named."""

    place: str
    edge: str
    shelf: str
    bay: str
    items: list[str]
    more: int
    url: str
    svg: Markup


def bays_router(
    database: Database, renderer: Renderer, now: Callable[[], datetime], address: str | None
) -> APIRouter:
    router = APIRouter(include_in_schema=False)

    @router.get("/bay/{edge}/{shelf}/{bay}")
    def bay(request: Request, edge: str, shelf: str, bay: str) -> HTMLResponse:
        with database.read() as connection:
            page = bay_page(connection, edge, shelf, bay)
        if page is None:
            text = f"No site has a bay {bay!r} on shelf {shelf!r} of edge {edge!r}. It may have been renamed."
            return HTMLResponse(renderer.message("There is no such bay", text), 404)
        html = renderer.view(
            "bay.html", ZoneInfo(page.site.time_zone), now(), page=page, may_write=may_write(request)
        )
        return HTMLResponse(html, headers=NOT_STORED)

    @router.get("/codes")
    def codes(
        request: Request, site: SiteName = None, shelf: str | None = None, bay: str | None = None
    ) -> HTMLResponse:
        """To be printed: of all bays of a site, of one shelf, or of one bay."""
        base = (address or str(request.base_url)).rstrip("/")
        with database.read() as connection:
            chosen = choose(connection, site)
            found = [
                _code(base, there.edge, there.shelf, one.bay, one.place, [stand.item for stand in one.stands])
                for there in shelf_levels(connection, chosen.id)
                for one in there.bays
                if shelf in (None, there.shelf) and bay in (None, one.bay)
            ]
        html = renderer.view(
            "codes.html", ZoneInfo(chosen.time_zone), now(), codes=found, site=chosen, base=base,
            only_here=is_loopback(urlsplit(base).hostname or ""),
        )  # fmt: skip
        return HTMLResponse(html, headers=NOT_STORED)

    return router


def _code(base: str, edge: str, shelf: str, bay: str, place: str, items: list[str]) -> Code:
    url = f"{base}/bay/{quote(edge)}/{quote(shelf)}/{quote(bay)}"
    # Level Q survives a quarter of the code scratched or dirty (ISO/IEC 18004), as labels on shelves are.
    svg = segno.make(url, error="q", micro=False).svg_inline(border=4, omitsize=True)
    return Code(place, edge, shelf, bay, items[:NAMED], len(items[NAMED:]), url, Markup(svg))
