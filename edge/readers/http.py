"""The link to a device that is asked over HTTP, and that streams over it. Where httpx's errors become ours."""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Annotated, Any
from urllib.parse import urlsplit

import httpx
from pydantic import AfterValidator

from edge.errors import ProtocolError, ReaderLost, ReaderRefused
from edge.readers import tls

TIMEOUT_S = 10.0  # a reader's web server is slow while its radio is set up
MOST_ANSWER = 1024 * 1024
# Pieces of a stream that wait to be taken. Beyond it nothing is read from the socket, so that the device has to wait.
MOST_WAITING = 64


def web_address(url: str) -> str:
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError as error:
        raise ValueError(f"{url!r} is no URL ({error}); write https://192.0.2.30") from None
    if "@" in parts.netloc:
        raise ValueError("holds a user name or password; put them in a file or in the environment")
    if parts.scheme not in ("http", "https") or not parts.hostname or port == 0:
        raise ValueError(f"{url!r} is no web address; write https://192.0.2.30")
    if parts.path not in ("", "/") or parts.query or parts.fragment:
        raise ValueError(f"{url!r}: write only https://host or https://host:port")
    return url


HttpUrl = Annotated[str, AfterValidator(web_address)]


class Web:
    """One device's web server. Made by `browsing`."""

    def __init__(self, client: httpx.AsyncClient, where: str) -> None:
        self._client = client
        self._where = where

    async def ask(self, method: str, path: str, body: object = None) -> tuple[int, Any]:
        """The status of the answer and its JSON; None where it has none.

        Raises:
            ReaderRefused: it does not let us in.
            ReaderLost: it does not answer.
            ProtocolError: what it answers is no JSON.
        """
        try:
            async with self._client.stream(method, path, json=body) as answer:
                self._let_in(answer.status_code, path)
                data = bytearray()
                async for piece in answer.aiter_bytes():
                    data += piece
                    if len(data) > MOST_ANSWER:
                        raise ProtocolError(
                            f"{self._where}{path}: an answer of more than {MOST_ANSWER} bytes"
                        )
                if not data.strip():
                    return answer.status_code, None
                return answer.status_code, _json(
                    httpx.Response(200, content=bytes(data)), f"{self._where}{path}"
                )
        except httpx.HTTPError as error:
            raise self._failed(error) from error

    @asynccontextmanager
    async def stream(self, path: str) -> AsyncIterator["Stream"]:
        """What the device sends for as long as it is listened to.

        Raises:
            ReaderRefused, ReaderLost: as `ask`.
        """
        endless = httpx.Timeout(TIMEOUT_S, read=None)  # it is quiet while there is nothing to tell
        try:
            async with self._client.stream("GET", path, timeout=endless) as answer:
                self._let_in(answer.status_code, path)
                if answer.status_code != httpx.codes.OK:
                    raise ReaderRefused(f"{self._where}{path}: answers {answer.status_code}, not 200")
                stream = Stream(answer, self._where)
                try:
                    yield stream
                finally:
                    await stream.close()
        except httpx.HTTPError as error:
            raise self._failed(error) from error

    def _let_in(self, status: int, path: str) -> None:
        if status in (httpx.codes.UNAUTHORIZED, httpx.codes.FORBIDDEN):
            raise ReaderRefused(
                f"{self._where}{path}: {status}, the reader does not accept our user and password"
            )

    def _failed(self, error: httpx.HTTPError) -> ReaderLost | ReaderRefused:
        words = str(error) or type(error).__name__
        if "certificate" in words.lower():
            return ReaderRefused(
                f"{self._where}: {words}; a reader's own certificate is believed by tls_fingerprint, which pins it"
            )
        return ReaderLost(f"{self._where}: {words}")


class Stream:
    """An answer that goes on, read by a task of its own: httpx ends a stream of which one read has timed out."""

    def __init__(self, answer: httpx.Response, where: str) -> None:
        self._pieces: asyncio.Queue[bytes] = asyncio.Queue(MOST_WAITING)
        self._where = where
        self._task = asyncio.create_task(self._pump(answer))

    async def _pump(self, answer: httpx.Response) -> None:
        async for piece in answer.aiter_bytes():
            await self._pieces.put(piece)

    async def read(self, within_s: float) -> bytes:
        """What has come, at least one byte; empty after `within_s` seconds of silence.

        Raises:
            ReaderLost: the stream has ended, and everything before was handed out.
        """
        with contextlib.suppress(asyncio.QueueEmpty):
            return self._pieces.get_nowait()
        getting = asyncio.create_task(self._pieces.get())
        try:
            await asyncio.wait((getting, self._task), timeout=within_s, return_when=asyncio.FIRST_COMPLETED)
            if getting.done():
                return getting.result()
        finally:
            if not getting.done():
                getting.cancel()
        if self._task.done():
            error = self._task.exception()
            raise ReaderLost(f"{self._where}: the stream has ended{f' ({error})' if error else ''}")
        return b""

    async def close(self) -> None:
        self._task.cancel()
        await asyncio.wait([self._task])
        if not self._task.cancelled():
            self._task.exception()  # told, or of no interest any more


@asynccontextmanager
async def browsing(
    address: str, username: str | None, password: str | None, *, fingerprint: str | None, verify: bool
) -> AsyncIterator[Web]:
    """Talk to the web server at `address`. Nothing of the environment (proxies, netrc) is taken into account."""
    secure = await asyncio.to_thread(tls.context, fingerprint, verify=verify)
    login = httpx.BasicAuth(username, password or "") if username is not None else None
    async with httpx.AsyncClient(
        base_url=address, auth=login, verify=secure, timeout=TIMEOUT_S, trust_env=False
    ) as client:
        yield Web(client, address.rstrip("/"))


def _json(answer: httpx.Response, where: str) -> Any:
    try:
        return answer.json()
    except (ValueError, RecursionError) as error:
        raise ProtocolError(f"{where}: the answer is not JSON ({error})") from error
