"""The link to a device that publishes MQTT: a subscription at a broker. The one place in the readers that knows MQTT.

Each gate has a connection and a session of its own. With QoS 1 the broker keeps for the session what the device
publishes while the agent is away, and each message until it is settled: that is, until its reads were taken. See
docs/decisions/devices-on-mqtt.md.
"""

import asyncio
import contextlib
import logging
import ssl
from collections import deque
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import aiomqtt
from paho.mqtt.client import MQTTMessage

from edge.errors import ReaderLost, ReaderRefused
from edge.mqtt import Client, opened, refusals
from edge.readers.mqtt_urls import MqttUrl, matches

log = logging.getLogger(__name__)

TIMEOUT_S = 5.0  # for the broker's answer to anything
# A broker that is gone without a word is noticed within two of these: a ping that was not answered.
KEEPALIVE_S = 5
# A message of 500 events with every field on is under 512 KiB; nats-server takes at most 1 MiB as it is set.
MOST_BYTES = 1024 * 1024
# Messages waiting to be asked for that nobody would send again (QoS 0). Those of QoS 1 the broker holds back itself.
MOST_WAITING = 10_000


@dataclass(frozen=True, slots=True)
class Message:
    topic: str
    payload: bytes
    retained: bool
    qos: int
    mid: int


@dataclass(frozen=True, slots=True)
class Login:
    """As whom, and how it is known that the broker is the right one; `ca_file` in place of the system's own."""

    username: str | None = None
    password: str | None = None
    ca_file: Path | None = None


class Subscription:
    """One connection. Made by `subscribed`; used from the event loop's own thread."""

    def __init__(self, client: Client, url: MqttUrl, name: str) -> None:
        self.resumed = False  # whether the broker had kept our session
        self.dropped = 0  # messages that came faster than they were asked for
        self._client = client
        self._url = url
        self._name = name
        self._inbox: deque[Message] = deque()
        self._news = asyncio.Event()
        paho = client._client
        # paho acknowledges by itself what it hands on, and aiomqtt forgets what it has queued when the connection
        # breaks: both would lose what nobody has taken yet.
        paho.manual_ack_set(True)
        paho.on_message = self._came
        answered = paho.on_connect
        assert answered is not None

        def connected(client: Any, data: Any, flags: Any, code: Any, properties: Any) -> None:
            self.resumed = bool(flags.session_present)
            answered(client, data, flags, code, properties)  # type: ignore[call-arg]  # the second version's

        paho.on_connect = connected

    def watch(self) -> None:
        """The connection is made: wake whoever waits when it breaks."""
        self._client._disconnected.add_done_callback(lambda _: self._news.set())

    async def receive(self, within_s: float) -> list[Message]:
        """What has come since last asked; empty after `within_s` seconds of silence.

        Raises:
            ReaderLost: the connection broke, and everything before was handed out.
        """
        if not self._inbox:
            self._news.clear()
            self._must_be_connected()
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(within_s):
                    await self._news.wait()
            if not self._inbox:
                self._must_be_connected()
        messages = list(self._inbox)
        self._inbox.clear()
        return messages

    def settle(self, messages: list[Message]) -> None:
        """These were taken: the broker need not send them again."""
        for message in messages:
            if message.qos:
                self._client._client.ack(message.mid, message.qos)

    def _came(self, client: Any, data: Any, message: MQTTMessage) -> None:
        came = Message(message.topic, bytes(message.payload), message.retain, message.qos, message.mid)
        if not matches(self._url.topics, came.topic):
            self.settle([came])  # the session still has a topic of an earlier configuration
        elif len(came.payload) > MOST_BYTES:
            log.warning(
                "%s: passed over a message of %d bytes on %s", self._name, len(came.payload), came.topic
            )
            self.settle([came])
        elif not came.qos and len(self._inbox) >= MOST_WAITING:
            self.dropped += 1
        else:
            self._inbox.append(came)
            self._news.set()

    def _must_be_connected(self) -> None:
        ended = self._client._disconnected
        if ended.done():
            error = ended.exception()
            raise ReaderLost(f"{self._url}: the broker closed the connection{f' ({error})' if error else ''}")


@asynccontextmanager
async def subscribed(
    url: MqttUrl, login: Login, *, session: str | None, name: str
) -> AsyncIterator[Subscription]:
    """Connect and subscribe to the URL's topics.

    Args:
        session: the name under which the broker keeps what comes while we are away; None keeps nothing.

    Raises:
        ReaderRefused: the broker does not know us, or lets us not have a topic.
        ReaderLost: it does not answer.
    """
    client = Client(
        url.host,
        url.port,
        identifier=session,
        username=login.username,
        password=login.password,
        protocol=aiomqtt.ProtocolVersion.V311,  # every broker speaks it, nats-server nothing newer
        clean_session=session is None,
        timeout=TIMEOUT_S,
        keepalive=KEEPALIVE_S,
        tls_context=await asyncio.to_thread(_tls, login.ca_file) if url.tls else None,
    )
    subscription = Subscription(client, url, name)
    try:
        async with opened(client):
            subscription.watch()
            denied = refusals(await client.subscribe([(topic, 1) for topic in url.topics]))
            if denied:
                topics = ", ".join(url.topics[i] for i in denied)
                raise ReaderRefused(f"{url}: the broker lets {login.username or 'nobody'} not read {topics}")
            yield subscription
    except aiomqtt.exceptions.MqttConnectError as error:
        raise ReaderRefused(f"{url}: the broker refuses us: {error}") from error
    except aiomqtt.MqttError as error:
        if "certificate" in str(error).lower():
            raise ReaderRefused(f"{url}: {error}; name its authority's certificate in ca_file") from error
        raise ReaderLost(f"{url}: {error}") from error


def _tls(ca_file: Path | None) -> ssl.SSLContext:
    try:
        return ssl.create_default_context(cafile=ca_file)
    except OSError as error:
        raise ReaderRefused(f"{ca_file}: {error}") from error
