"""The reader's web server: HTTP/1.1 by hand, with its REST interface and its data stream.

Source: the interface as users of R700 readers describe it. Assumed: with nobody listening to the stream, what is seen
is told to nobody; while a listener does not take what is sent, the reader waits, and goes on with what it saw before.
"""

import asyncio
import base64
import contextlib
import json
from collections import deque
from collections.abc import Callable
from typing import Any

from simulators.errors import LinkDown
from simulators.impinj_iot.device import Device
from simulators.link import Link, until_one_ends

KEEP_ALIVE_S = 1.0  # assumed: users see empty lines now and then
MOST_HELD = 50_000
MOST_HEAD = 64 * 1024
API = "/api/v1"
REASONS = {200: "OK", 204: "No Content", 401: "Unauthorized", 404: "Not Found", 409: "Conflict"}


class Listener:
    """One client of the stream."""

    def __init__(self) -> None:
        self.held: deque[bytes] = deque(maxlen=MOST_HELD)
        self.news = asyncio.Event()

    def take(self, event: bytes) -> None:
        self.held.append(event)
        self.news.set()


class Web:
    """`login` is "user:password"; `now` gives the reader's own time as it says it."""

    def __init__(
        self, now: Callable[[], str], *, presets: tuple[str, ...] = ("default",), login: str | None = None
    ) -> None:
        self.presets = presets
        self.active: str | None = None
        self.device: Device | None = None
        self._now = now
        self._listeners: set[Listener] = set()
        self._login = None if login is None else "Basic " + base64.b64encode(login.encode()).decode()

    @property
    def reading(self) -> bool:
        return bool(self._listeners) and self.active is not None

    def tell(self, event: bytes) -> None:
        for listener in self._listeners:
            listener.take(event)

    def run(self, preset: str | None) -> None:
        """Start the inventory with a preset, or stop it."""
        assert self.device is not None
        self.active = preset
        self.device.run_inventory(on=preset is not None)

    async def session(self, link: Link) -> None:
        """Serve one connection until it or the line goes. Raises LinkDown."""
        unread = bytearray()
        while True:
            method, path, login = await _request(link, unread)
            if self._login is not None and login != self._login:
                await _answer(link, 401, {"message": "unauthorized"})
            elif (method, path) == ("GET", f"{API}/data/stream"):
                await self._stream(link)
                return
            else:
                await _answer(link, *self._obey(method, path))

    def _obey(self, method: str, path: str) -> tuple[int, Any]:
        parts = path.removeprefix(API).strip("/").split("/")
        match method, parts:
            case "GET", ["status"]:
                active = {"activePreset": {"id": self.active, "profile": "inventory"}} if self.active else {}
                return 200, {"status": "running" if self.active else "idle", "time": self._now()} | active
            case "GET", ["system"]:
                return 200, {"manufacturer": "Simulated", "productModel": "R700", "serialNumber": "000000"}
            case "GET", ["profiles", "inventory", "presets"]:
                return 200, list(self.presets)
            case "POST", ["profiles", "inventory", "presets", preset, "start"]:
                if preset not in self.presets:
                    return 404, {"message": f"no preset {preset}"}
                if self.active is not None:
                    return 409, {"message": f"{self.active} is running"}
                self.run(preset)
                return 204, None
            case "POST", ["profiles", "stop"]:
                self.run(None)
                return 204, None
            case _:
                return 404, {"message": f"no {path}"}

    async def _stream(self, link: Link) -> None:
        listener = Listener()
        self._listeners.add(listener)
        try:
            head = "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n"
            await link.send(head.encode())
            await until_one_ends(_until_gone(link), _feed(link, listener))
        finally:
            self._listeners.discard(listener)


async def _feed(link: Link, listener: Listener) -> None:
    while True:
        if not listener.held:
            listener.news.clear()
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(KEEP_ALIVE_S):
                    await listener.news.wait()
        line = (listener.held.popleft() if listener.held else b"") + b"\r\n"
        await link.send(b"%x\r\n%b\r\n" % (len(line), line))


async def _until_gone(link: Link) -> None:
    while True:
        await link.receive()


async def _request(link: Link, unread: bytearray) -> tuple[str, str, str]:
    """One request: method, path, and what it says in Authorization. Raises LinkDown."""
    while (end := unread.find(b"\r\n\r\n")) < 0:
        if len(unread) > MOST_HEAD:
            raise LinkDown("no request")
        unread += await link.receive()
    first, *fields = unread[:end].decode("latin-1").split("\r\n")
    named = {key.lower(): value.strip() for key, _, value in (field.partition(":") for field in fields)}
    del unread[: end + 4]
    length = int(named.get("content-length", "0"))
    while len(unread) < length:
        unread += await link.receive()
    del unread[:length]
    method, path, *_ = [*first.split(" "), "", ""]
    return method, path, named.get("authorization", "")


async def _answer(link: Link, status: int, body: Any) -> None:
    data = b"" if body is None else json.dumps(body).encode()
    kind = "" if body is None else "Content-Type: application/json\r\n"
    head = f"HTTP/1.1 {status} {REASONS[status]}\r\n{kind}Content-Length: {len(data)}\r\n\r\n"
    await link.send(head.encode() + data)
