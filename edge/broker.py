"""The broker that the agent runs for its site's devices: a child process, watched, restarted, ended by its own id."""

import asyncio
import contextlib
import ctypes
import logging
import signal
import socket
import subprocess
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import NoReturn

from edge import nats
from edge.config import BrokerConfig
from edge.errors import ConfigError

log = logging.getLogger(__name__)

START_S = 10.0  # it answers within 0.1 s on an idle machine
STOP_S = 3.0  # it ends within 0.1 s of being asked
LOOK_S = 0.5
FIRST_BACKOFF_S, LONGEST_BACKOFF_S = 0.5, 15.0
PR_SET_PDEATHSIG = 1  # linux/prctl.h
_LIBC = ctypes.CDLL(None, use_errno=True)


class SiteBroker:
    """`folder`: where it keeps its messages, configuration and log."""

    def __init__(
        self, config: BrokerConfig, folder: Path, *, sleep: Callable[[float], Awaitable[None]] = asyncio.sleep
    ) -> None:
        self._config = config
        self._folder = folder
        self._sleep = sleep
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def pid(self) -> int | None:
        """Of the process that runs now."""
        return self._process.pid if self._process and self._process.poll() is None else None

    @property
    def url(self) -> str:
        host, port = self._config.address
        return f"mqtt://{host}:{port}"

    async def start(self) -> None:
        """Start it, and wait until it answers.

        Raises:
            ConfigError: it is not installed, its users cannot be read, or it does not start: its own words say why.
        """
        host, port = self._config.address
        await asyncio.to_thread(_must_be_free, host, port)
        listen = nats.Listen(port, host, self._config.users(), self._config.store_mb)
        try:
            words = await asyncio.to_thread(nats.command, self._folder, listen)
            self._process = self._spawn(words)
        except OSError as error:
            raise ConfigError(f"broker: {error}") from error
        try:
            async with asyncio.timeout(START_S):
                while not await self._answers(host, port):
                    if self._process.poll() is not None:
                        raise ConfigError(f"broker: does not start: {self._last_words()}")
                    await asyncio.sleep(0.05)
        except TimeoutError:
            await self.stop()
            raise ConfigError(f"broker: does not answer on {self.url}: {self._last_words()}") from None
        log.info("the site's broker listens on %s", self.url)

    async def watch(self) -> NoReturn:
        """Start it again whenever it ends, until cancelled; then it is stopped."""
        failures = 0
        try:
            while True:
                assert self._process is not None, "it was started"
                if self._process.poll() is None:
                    await self._sleep(LOOK_S)
                    continue
                log.warning("the site's broker ended by itself: %s", self._last_words())
                await self._sleep(min(FIRST_BACKOFF_S * 2.0 ** min(failures, 10), LONGEST_BACKOFF_S))
                failures += 1
                try:
                    await self.start()
                    failures = 0
                except ConfigError as error:
                    log.warning("%s", error)
        finally:
            await self.stop()

    async def stop(self) -> None:
        """Ask it to end; insist after STOP_S."""
        process = self._process
        if process is None or process.poll() is not None:
            return
        process.send_signal(signal.SIGTERM)
        try:
            await asyncio.to_thread(process.wait, STOP_S)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()

    def _spawn(self, words: list[str]) -> "subprocess.Popen[bytes]":
        with (self._folder / "broker.log").open("wb") as said:  # of this start only
            return subprocess.Popen(
                words, stdin=subprocess.DEVNULL, stdout=said, stderr=said,
                start_new_session=True,  # Ctrl-C is for the agent, which stops its devices first
                preexec_fn=_end_with_parent,
            )  # fmt: skip

    async def _answers(self, host: str, port: int) -> bool:
        # A listener on every address is asked on loopback.
        at = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(host, host)
        try:
            _, writer = await asyncio.open_connection(at, port)
        except OSError:
            return False
        writer.close()
        with contextlib.suppress(OSError):
            await writer.wait_closed()
        return self._process is not None and self._process.poll() is None

    def _last_words(self) -> str:
        try:
            lines = (self._folder / "broker.log").read_text("utf-8", "replace").strip().splitlines()
        except OSError:
            return "it said nothing"
        errors = [line for line in lines if "[FTL]" in line or "[ERR]" in line]
        return (errors or lines or ["it said nothing"])[-1][-300:]


def _must_be_free(host: str, port: int) -> None:
    """Whoever listens there already would answer in the broker's place. Raises ConfigError."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family) as probe:
        probe.setsockopt(
            socket.SOL_SOCKET, socket.SO_REUSEADDR, 1
        )  # connections that have just ended are no hindrance
        try:
            probe.bind((host, port))
        except OSError as error:
            raise ConfigError(f"broker.listen: {host}:{port}: {error.strerror or error}") from error


def _end_with_parent() -> None:
    """Have the kernel end the broker when the agent is killed, so that the next one finds the port free.

    It watches the thread that made the child (prctl(2)): hence none but the main one may.
    """
    _LIBC.prctl(PR_SET_PDEATHSIG, signal.SIGTERM)
