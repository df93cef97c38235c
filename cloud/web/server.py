"""Serves the web side inside a larger program, and stops it in good time although pages hold streams open."""

import asyncio
import socket
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager

import uvicorn
from fastapi import FastAPI

from cloud.errors import ConfigError
from cloud.web.live import Live

STOP_S = 2  # what still runs after so long is cut off; a stream that was told to end takes milliseconds
BACKLOG = 256  # connections waiting to be taken: a shop's worth of browsers that all come back at once


class _Server(uvicorn.Server):
    """Leaves signals alone: they belong to the program around it."""

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield


@asynccontextmanager
async def serving(app: FastAPI, host: str, port: int) -> AsyncIterator[str]:
    """Serve what `cloud.web.app.create_app` made while the block runs; gives its URL. Port 0 takes a free one.

    Raises:
        ConfigError: nothing can listen at that address.
    """
    live: Live = app.state.live
    with _listening(host, port) as sock:
        server = _Server(
            uvicorn.Config(app, log_config=None, access_log=False, timeout_graceful_shutdown=STOP_S)
        )
        task = asyncio.create_task(server.serve(sockets=[sock]))
        try:
            shown = f"[{host}]" if ":" in host else host
            yield f"http://{shown}:{sock.getsockname()[1]}"
        finally:
            live.close()
            server.should_exit = True
            await task


@contextmanager
def _listening(host: str, port: int) -> Iterator[socket.socket]:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family, socket.SOCK_STREAM) as sock:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)  # a restart must not wait for TIME_WAIT
        try:
            sock.bind((host, port))
            sock.listen(BACKLOG)
        except OSError as error:
            raise ConfigError(f"web.listen: cannot listen at {host}:{port}: {error.strerror}") from error
        sock.setblocking(False)
        yield sock
