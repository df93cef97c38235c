"""Asks an Impinj reader over its web server how it is, and sets its inventory going.

Source: the REST interface as its users describe it: GET /api/v1/status and /system, POST
/api/v1/profiles/inventory/presets/{id}/start and /profiles/stop, answered 204, and 409 while something else runs.
"""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

from edge.errors import ReaderRefused
from edge.readers.http import Web, browsing
from edge.readers.impinj_iot.config import ImpinjIotConfig
from edge.readers.said import microseconds, text
from edge.readers.surroundings import Surroundings

API = "/api/v1"
STREAM = f"{API}/data/stream"
ENVIRONMENT = "STOCKBEAT_IMPINJ"  # what the names of the reader's own credentials begin with
_NOT_FOUND = 404


@dataclass(frozen=True, slots=True)
class Status:
    """How the reader is. `stamp_us` is its own clock."""

    running: bool
    preset: str
    stamp_us: int | None
    words: str


@asynccontextmanager
async def reader_web(config: ImpinjIotConfig, surroundings: Surroundings) -> AsyncIterator[Web]:
    """The reader's own web server. Raises ReaderRefused when the credentials cannot be read."""
    assert config.web is not None, "the configuration was checked for it"
    file = config.credentials_file if config.streams else config.control_file
    user, password = surroundings.login(file, ENVIRONMENT)
    async with browsing(
        config.web, user, password, fingerprint=config.tls_fingerprint, verify=config.verify
    ) as web:
        yield web


async def status(web: Web) -> Status:
    """Raises ReaderError as `Web.ask`, and ReaderRefused when there is no such interface."""
    code, told = await web.ask("GET", f"{API}/status")
    if code != 200 or not isinstance(told, dict):
        raise ReaderRefused(
            f"{API}/status answers {code}: no Impinj IoT device interface; is the reader set to it, not to LLRP?"
        )
    active = told.get("activePreset")
    preset = text(active.get("id")) if isinstance(active, dict) else ""
    said = text(told.get("status"))
    return Status(said == "running", preset, microseconds(told.get("time")), said or "?")


async def describe(web: Web) -> str:
    """Model and serial number, for people; empty where the reader does not say."""
    code, told = await web.ask("GET", f"{API}/system")
    if code != 200 or not isinstance(told, dict):
        return ""
    names = [text(told.get(key)) for key in ("manufacturer", "productModel", "serialNumber")]
    return " ".join(name for name in names if name)


async def clear(web: Web, preset: str) -> None:
    """Stop whatever runs and is not this preset."""
    now = await status(web)
    if now.running and now.preset != preset:
        await web.ask("POST", f"{API}/profiles/stop", {})


async def start(web: Web, preset: str) -> bool:
    """See that the inventory runs with this preset; True when it had to be started.

    Raises:
        ReaderRefused: the reader has no such preset, or does not start it.
    """
    now = await status(web)
    if now.running and now.preset == preset:
        return False
    code, told = await web.ask("POST", f"{API}/profiles/inventory/presets/{preset}/start", {})
    if code == _NOT_FOUND:
        _, known = await web.ask("GET", f"{API}/profiles/inventory/presets")
        names = ", ".join(text(each) for each in known[:10]) if isinstance(known, list) else "none"
        raise ReaderRefused(f"the reader has no inventory preset {preset!r}; it has {names}")
    if code not in (200, 204):
        why = text(told.get("message"), 300) if isinstance(told, dict) else ""
        raise ReaderRefused(f"the reader does not start the preset {preset!r}: {code} {why}".rstrip())
    return True
