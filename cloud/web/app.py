"""Puts the web side together: console, event stream, API, metrics."""

import asyncio
import logging
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from datetime import datetime
from typing import Any

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse, Response
from fastapi.staticfiles import StaticFiles
from prometheus_client import CONTENT_TYPE_LATEST, REGISTRY, CollectorRegistry, generate_latest
from sqlalchemy.exc import SQLAlchemyError

from cloud.ledger.database import Database
from cloud.web import api, asks, words
from cloud.web.bays import bays_router
from cloud.web.guard import SecurityHeaders
from cloud.web.live import Live
from cloud.web.metrics import LedgerCollector
from cloud.web.pages import ledger_unreadable, pages_router
from cloud.web.planning import planning_router
from cloud.web.render import FOLDER, Renderer
from cloud.web.stream import stream_router

log = logging.getLogger(__name__)


def create_app(
    database: Database,
    *,
    now: Callable[[], datetime],
    registry: CollectorRegistry = REGISTRY,
    address: str | None = None,
) -> FastAPI:
    """The whole web side of one ledger. `registry` holds what else /metrics tells, besides the ledger's state.

    `address` is where phones reach it, for the codes on bays; without, the one that they are asked for at.

    Serve it with `cloud.web.server.serving`, which ends open streams before it stops.
    """
    renderer = Renderer()
    live = Live(database, renderer, now)
    # The interactive documentation that FastAPI ships loads scripts from another host.
    app = FastAPI(
        title="Stockbeat", version="1", openapi_url="/api/v1/openapi.json", docs_url=None, redoc_url=None,
        lifespan=_watching(live),
    )  # fmt: skip
    app.state.database, app.state.now, app.state.live = database, now, live
    app.include_router(api.router)
    app.include_router(asks.router)
    app.include_router(pages_router(database, renderer, now))
    app.include_router(bays_router(database, renderer, now, address))
    app.include_router(planning_router(database, renderer, now))
    app.include_router(stream_router(database, live))
    app.mount("/static", StaticFiles(directory=FOLDER / "static"), name="static")
    app.add_middleware(SecurityHeaders)
    _say_errors(app, renderer)

    ledger_metrics = CollectorRegistry(auto_describe=False)
    ledger_metrics.register(LedgerCollector(database, lambda: live.clients))

    @app.get("/metrics", include_in_schema=False)
    def metrics() -> Response:
        text = generate_latest(registry) + generate_latest(ledger_metrics)
        return Response(text, headers={"Content-Type": CONTENT_TYPE_LATEST})

    return app


def _watching(live: Live) -> Callable[[FastAPI], Any]:
    @asynccontextmanager
    async def lifespan(_app: FastAPI) -> AsyncIterator[None]:
        task = asyncio.create_task(live.run())
        try:
            yield
        finally:
            live.close()
            task.cancel()
            with suppress(asyncio.CancelledError):
                await task

    return lifespan


def _say_errors(app: FastAPI, renderer: Renderer) -> None:
    """One shape for every refusal: {"detail": a sentence}; and a page where a person asked for one."""

    @app.exception_handler(RequestValidationError)
    def unprocessable(_request: Request, error: RequestValidationError) -> JSONResponse:
        problems = [f"{'.'.join(map(str, each['loc'][1:]))}: {each['msg']}" for each in error.errors()]
        return JSONResponse({"detail": "; ".join(problems)}, 422)

    @app.exception_handler(SQLAlchemyError)
    def unreadable(request: Request, error: SQLAlchemyError) -> Response:
        reason = words.first_line(error)
        log.error("%s %s: the ledger cannot be read: %s", request.method, request.url.path, reason)
        if request.url.path == "/":
            return ledger_unreadable(renderer, reason)
        return JSONResponse({"detail": f"the ledger cannot be read: {reason}"}, 503)
