"""The link to the broker: fills the inbox, sends the acknowledgements, and comes back for ever when it breaks."""

import asyncio
import logging
import ssl
from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Protocol
from urllib.parse import urlsplit

import aiomqtt
from sqlalchemy.exc import SQLAlchemyError

from cloud.config import BrokerConfig, Credentials
from cloud.ingest.acks import Acks
from cloud.ingest.client import Client
from cloud.ingest.inbox import Inbox
from cloud.ingest.lines import Delivery
from wire.codec import encode_ack
from wire.topics import Kind, every_edge, parse, topic

log = logging.getLogger(__name__)

PORTS = {"mqtt": 1883, "mqtts": 8883}  # IANA
TIMEOUT_S = 5.0  # aiomqtt's own 10 s would leave a dead broker unnoticed for as long
KEEPALIVE_S = 15
RETRY_FIRST_S, RETRY_MOST_S = 0.5, 15.0
# Waiting between the client and the inbox. The inbox is what bounds memory; this only bounds what comes before it
# while the event loop is busy, and what is dropped here is sent again too.
QUEUED = 2000


ASK_S = 0.2  # how often it is asked whether commands are due
ANSWERS = (
    1000  # that wait to be looked at; beyond, they are dropped: the edge answers again when it is asked again
)


class Post(Protocol):
    """Commands to edges and their replies. Blocks: called in a thread."""

    def due(self) -> Sequence[tuple[str, bytes]]:
        """Edges, and what to send each of them now."""

    def arrived(self, edge: str, payload: bytes) -> None:
        """A reply of an edge has come."""


class Link:
    """One connection at a time, each with a fresh client and a clean session: the edges' outboxes own redelivery."""

    def __init__(
        self,
        config: BrokerConfig,
        credentials: Credentials | None,
        inbox: Inbox,
        acks: Acks,
        now: Callable[[], datetime],
        post: Post | None = None,
    ) -> None:
        """`post`: whose commands are sent; without, none are."""
        self._post = post
        self._answers: asyncio.Queue[tuple[str, bytes]] = asyncio.Queue(ANSWERS)
        self._config = config
        self._credentials = credentials
        self._inbox = inbox
        self._acks = acks
        self._now = now
        self.connected = False
        self._dropping = False

    async def run(self) -> None:
        """Stay connected until cancelled. A break is said once; so is the return."""
        retry_s = RETRY_FIRST_S
        said = False
        while True:
            try:
                async with self._client() as client:
                    for kind, qos in (
                        (Kind.EVENTS, 1),
                        (Kind.STATUS, 1),
                        (Kind.TELEMETRY, 0),
                        (Kind.REPLY, 1),
                    ):
                        await client.subscribe(every_edge(kind), qos=qos)
                    log.info("listening to %s", self._config.url)
                    self.connected, said, retry_s = True, False, RETRY_FIRST_S
                    await self._work(client)
            except (aiomqtt.MqttError, OSError) as error:
                level = logging.DEBUG if said else logging.WARNING
                log.log(level, "broker %s: %s; trying again", self._config.url, error)
                said = True
            finally:
                self.connected = False
            await asyncio.sleep(retry_s)
            retry_s = min(2 * retry_s, RETRY_MOST_S)

    async def _work(self, client: Client) -> None:
        """Receive and acknowledge until either breaks."""
        tasks = [asyncio.create_task(self._receive(client)), asyncio.create_task(self._tell(client))]
        if self._post is not None:
            tasks.append(asyncio.create_task(self._send_commands(client, self._post)))
            tasks.append(asyncio.create_task(self._take_answers(self._post)))
        try:
            done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
            for task in done:
                task.result()
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)

    async def _receive(self, client: Client) -> None:
        async for message in client.messages:
            self._received(str(message.topic), message.payload)

    def _received(self, name: str, payload: object) -> None:
        parsed = parse(name)
        if parsed is None or not isinstance(payload, bytes):
            return
        edge, kind = parsed
        if kind is Kind.REPLY:
            self._answered(edge, payload)
            return
        delivery = Delivery(edge, payload, self._now())
        if kind is Kind.TELEMETRY:
            self._inbox.telemetry(delivery)
        elif kind is Kind.STATUS:
            if payload:  # empty: somebody removed the retained message
                self._inbox.presence(delivery)
        elif self._inbox.offer(delivery):
            self._dropping = False
        elif not self._dropping:
            self._dropping = True
            log.warning("the inbox is full: dropping events, which the edges send again")

    def _answered(self, edge: str, payload: bytes) -> None:
        try:
            self._answers.put_nowait((edge, payload))
        except asyncio.QueueFull:
            log.warning("more than %d replies wait: one of edge %s is dropped", ANSWERS, edge)

    async def _take_answers(self, post: Post) -> None:
        while True:
            edge, payload = await self._answers.get()
            try:
                await asyncio.to_thread(post.arrived, edge, payload)
            except SQLAlchemyError as error:
                # The command is sent again, and answered again.
                log.error("the reply of edge %s cannot be kept: %s", edge, error)

    async def _send_commands(self, client: Client, post: Post) -> None:
        while True:
            try:
                due = await asyncio.to_thread(post.due)
            except SQLAlchemyError as error:
                log.error("commands cannot be read: %s", error)
                due = []
            for edge, line in due:
                await client.publish(topic(edge, Kind.COMMAND), line, qos=1)
            await asyncio.sleep(ASK_S)

    async def _tell(self, client: Client) -> None:
        while True:
            due = await self._acks.take()
            while due:
                edge, ack = due[-1]
                try:
                    await client.publish(topic(edge, Kind.ACK), encode_ack(ack), qos=1)
                except aiomqtt.MqttError:
                    for edge, ack in due:
                        self._acks.again(edge, ack)
                    raise
                due.pop()

    def _client(self) -> Client:
        parts = urlsplit(self._config.url)
        v5 = self._config.mqtt_version == 5
        return Client(
            hostname=str(parts.hostname),
            port=parts.port or PORTS[parts.scheme],
            username=self._credentials.username if self._credentials else None,
            password=self._credentials.password if self._credentials else None,
            protocol=aiomqtt.ProtocolVersion.V5 if v5 else aiomqtt.ProtocolVersion.V311,
            clean_session=None if v5 else True,  # with 5, a fresh client starts clean by itself
            timeout=TIMEOUT_S,
            keepalive=KEEPALIVE_S,
            max_queued_incoming_messages=QUEUED,
            tls_context=self._tls() if parts.scheme == "mqtts" else None,
        )

    def _tls(self) -> ssl.SSLContext:
        return ssl.create_default_context(cafile=self._config.ca_file)
