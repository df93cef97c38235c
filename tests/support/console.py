"""A console served on loopback over a scene's ledger, and a client for it."""

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import httpx
from fastapi import FastAPI
from prometheus_client import CollectorRegistry

from cloud.ledger import tables
from cloud.ledger.database import Database
from cloud.web.app import create_app
from cloud.web.server import serving
from tests.support.scene import Scene


def empty_ledger(folder: Path) -> Database:
    return filled_in(f"sqlite:///{folder / 'ledger.db'}")


def filled_in(url: str) -> Database:
    """Tables, and nothing in them."""
    database = Database(url)
    with database.write() as connection:
        tables.metadata.create_all(connection)
    return database


def real_time() -> datetime:
    return datetime.now(UTC)


def console_app(database: Database) -> FastAPI:
    return create_app(database, now=real_time, registry=CollectorRegistry())


@dataclass
class Console:
    url: str
    scene: Scene
    app: FastAPI
    client: httpx.AsyncClient


@asynccontextmanager
async def console(database: Database) -> AsyncIterator[Console]:
    """A console over the ledger; the scene's clock is set to now."""
    app = console_app(database)
    async with serving(app, "127.0.0.1", 0) as url, httpx.AsyncClient(base_url=url, timeout=8) as client:
        yield Console(url, Scene(database, real_time()), app, client)


@dataclass
class Sent:
    """One server-sent event."""

    event: str = ""
    data: str = ""
    id: str = ""

    @property
    def beat(self) -> dict[str, str]:
        found: dict[str, str] = json.loads(self.data)
        return found


async def events(response: httpx.Response) -> AsyncIterator[Sent]:
    """Read as a browser does (WHATWG HTML, section 9.2.6): lines of fields, an empty one ends an event."""
    sent = Sent()
    async for line in response.aiter_lines():
        if not line:
            yield sent
            sent = Sent()
        name, _, value = line.partition(":")
        if name == "data":
            sent.data += ("\n" if sent.data else "") + value.removeprefix(" ")
        elif name in ("event", "id"):
            setattr(sent, name, value.removeprefix(" "))
