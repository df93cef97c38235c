"""A device's MQTT client: keeps what it has to tell until the broker has it, again if need be.

Troubles are those of a device or its network, on whole messages: TCP under MQTT leaves no room for single wrong bytes.
"""

import asyncio
import contextlib
import logging
import socket
from collections import deque
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from types import TracebackType
from typing import TypeVar
from urllib.parse import urlsplit

import aiomqtt

from simulators.errors import ScenarioError
from simulators.trouble import HangUp, Nothing, Send, Trouble, Wait

log = logging.getLogger(__name__)
T = TypeVar("T")

RETRY_S = 0.2
TIMEOUT_S = 3.0
MOST_HELD = (
    100_000  # events that an R700 keeps while its broker is away ("eventBufferSize" of its MQTT settings)
)
TROUBLES = (
    "none",
    "slow",
    "garbage",
    "half-frame",
    "silence",
    "hang-up",
    "duplicate",
)  # that a message can have


@dataclass(frozen=True, slots=True)
class Broker:
    """Where a device publishes, and as whom."""

    host: str
    port: int
    username: str | None = None
    password: str | None = None

    @classmethod
    def at(cls, url: str) -> "Broker":
        """From mqtt://host:port. Raises ScenarioError."""
        parts = urlsplit(url)
        if parts.scheme != "mqtt" or not parts.hostname or not parts.port:
            raise ScenarioError(f"{url!r} is no broker's address; write mqtt://127.0.0.1:1883")
        return cls(parts.hostname, parts.port)

    @property
    def url(self) -> str:
        return f"mqtt://{self.host}:{self.port}"


def must_suit_messages(trouble: str) -> None:
    """Raises ScenarioError for a trouble that only a stream of bytes can have."""
    if (name := trouble.partition(":")[0]) not in TROUBLES:
        raise ScenarioError(
            f"a device that publishes has no trouble called {name!r}; it has {', '.join(TROUBLES)}"
        )


class Client(aiomqtt.Client):  # noqa: TID251 - the one that the others are to use instead
    """aiomqtt's, in which a task that is cancelled ends, also when the broker answers in that same moment.

    Up to Python 3.11 `asyncio.wait_for`, by which aiomqtt waits, then returns the answer and forgets the cancelling
    (python/cpython#86296): whoever had cancelled the task would wait for its end for ever.
    """

    async def _wait_for(self, fut: Awaitable[T], timeout: float | None) -> T:  # noqa: ASYNC109 - as aiomqtt has it
        answer = asyncio.ensure_future(fut)
        try:
            done, _ = await asyncio.wait([answer], timeout=self.timeout if timeout is None else timeout)
        finally:
            answer.cancel()  # which does nothing to one that is done
        if not done:
            raise aiomqtt.MqttError("Operation timed out")
        return answer.result()

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """A farewell that nobody answers does not hide what went wrong inside, a cancelling above all."""
        try:
            await super().__aexit__(kind, error, trace)
        except aiomqtt.MqttError:
            if error is None:
                raise


class Publisher:
    """One device's connection to a broker.

    Attributes:
        connected: whether the broker has taken it.
        told: messages that the broker acknowledged, or that a trouble swallowed.
        overflowed: messages that did not fit while the broker was away; oldest kept. Assumed.
    """

    def __init__(self, broker: Broker, name: str, *, qos: int = 1, most_held: int = MOST_HELD) -> None:
        self.broker = broker
        self.connected = False
        self.told = 0
        self.overflowed = 0
        self.trouble: Callable[[], Trouble] = Nothing
        self._name = name
        self._qos = qos
        self._most_held = most_held
        self._held: deque[tuple[str, bytes, bool]] = deque()
        self._news = asyncio.Event()

    def tell(self, topic: str, payload: bytes, *, retain: bool = False) -> None:
        """Publish as soon as may be."""
        if len(self._held) >= self._most_held:
            self.overflowed += 1
            return
        self._held.append((topic, payload, retain))
        self._news.set()

    @property
    def waiting(self) -> int:
        return len(self._held)

    async def run(self) -> None:
        """Connect, publish, connect again; until cancelled."""
        while True:
            with contextlib.suppress(aiomqtt.MqttError, OSError):
                await self._connection()
            self.connected = False
            await asyncio.sleep(RETRY_S)

    async def _connection(self) -> None:
        client = Client(
            self.broker.host, self.broker.port, identifier=self._name, username=self.broker.username,
            password=self.broker.password, clean_session=True, timeout=TIMEOUT_S, keepalive=5,
        )  # fmt: skip
        async with client:
            self.connected = True
            trouble = self.trouble()
            loop = asyncio.get_running_loop()
            began_s = loop.time()
            while True:
                while not self._held:
                    self._news.clear()
                    await self._either(client)
                topic, payload, retain = self._held[0]
                steps = trouble.outgoing(payload, loop.time() - began_s)
                if any(isinstance(step, HangUp) for step in steps):
                    _pull_the_plug(client)
                    raise aiomqtt.MqttError("a trouble hung up")
                for step in steps:
                    match step:
                        case Send(data):
                            await client.publish(topic, data, qos=self._qos, retain=retain)
                        case Wait(seconds):
                            await asyncio.sleep(seconds)
                self._held.popleft()
                self.told += 1

    async def _either(self, client: Client) -> None:
        """Wait for something to tell, or for the end of the connection. Raises MqttError."""
        news = asyncio.ensure_future(self._news.wait())
        try:
            await asyncio.wait((news, client._disconnected), return_when=asyncio.FIRST_COMPLETED)
        finally:
            news.cancel()
        if client._disconnected.done():
            raise aiomqtt.MqttError("disconnected") from client._disconnected.exception()


def _pull_the_plug(client: Client) -> None:
    """End the connection as a cut cable does: the broker is told nothing."""
    line = client._client.socket()
    if isinstance(line, socket.socket):
        with contextlib.suppress(OSError):
            line.shutdown(socket.SHUT_RDWR)
