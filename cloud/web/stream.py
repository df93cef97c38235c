"""GET /events: the changing parts of the page, as server-sent events (WHATWG HTML, section 9.2).

An unnamed event carries the parts that changed, each in an <hx-partial> that htmx morphs into place. A `beat`
carries the server's time and what is wrong, so that a page can tell silence from a dead connection.
"""

import asyncio
import json
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import aclosing
from typing import Annotated

from fastapi import APIRouter, Header
from sse_starlette.event import ServerSentEvent
from sse_starlette.sse import EventSourceResponse

from cloud.ledger.database import Database
from cloud.web.live import Live, Update
from cloud.web.questions.sites import Site
from cloud.web.site_choice import SiteName, choose

SEND_TIMEOUT_S = 20.0  # a client that takes nothing for so long is gone; it will connect anew


def stream_router(database: Database, live: Live) -> APIRouter:
    router = APIRouter()

    def chosen(name: str | None) -> Site:
        with database.read() as connection:
            return choose(connection, name)

    @router.get("/events", include_in_schema=False)
    async def events(
        site: SiteName = None, last_event_id: Annotated[str, Header()] = ""
    ) -> EventSourceResponse:
        updates = live.follow(await asyncio.to_thread(chosen, site), last_event_id)
        # Our own beat says more than the library's ping, which is therefore off.
        return EventSourceResponse(_events(updates), send_timeout=SEND_TIMEOUT_S, ping=0)

    return router


async def _events(updates: AsyncGenerator[Update]) -> AsyncIterator[ServerSentEvent]:
    async with aclosing(updates):  # at once when the client goes, not when it is collected
        async for update in updates:
            if update.parts:
                yield ServerSentEvent(_partials(update), id=update.id)
            beat = {"now": update.at.isoformat(), "trouble": update.trouble}
            yield ServerSentEvent(json.dumps(beat), event="beat", id=update.id)


def _partials(update: Update) -> str:
    return "".join(
        f'<hx-partial hx-target="#{name}" hx-swap="innerMorph">{html}</hx-partial>'
        for name, html in update.parts.items()
    )
