"""Carries out what flow.py decides, over MQTT: one fresh client a connection, so that none of them remembers anything.

The broker's acknowledgement of a publication (PUBACK) only shows that the connection lives. What is settled, the
ledger's own acknowledgement says.
"""

import asyncio
import contextlib
import logging
import ssl
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import NoReturn, Protocol

import aiomqtt

from edge.errors import StoreFull
from edge.mqtt import GOODBYE_S, Client, opened, refusals
from edge.store.store import Store
from edge.store.thread import StoreThread
from edge.uplink.flow import Flow, Lost, Outcome, Settled, Trust
from edge.uplink.run import Lane, Send
from wire import codec
from wire.errors import DecodeError
from wire.events import Event
from wire.messages import Presence, Telemetry
from wire.topics import Kind, topic

log = logging.getLogger(__name__)

# A broker that is gone without a word is noticed after this, because each publication waits for its PUBACK.
TIMEOUT_S = 5.0
KEEPALIVE_S = (
    15  # and when nothing is published, after one and a half of these (MQTT 3.1.1, section 3.1.2.10)
)
FIRST_BACKOFF_S, LONGEST_BACKOFF_S = 0.5, 30.0  # an edge is back within half a minute of its broker
TELEMETRY_S = 1.0
RETRY_STORE_S = 1.0


@dataclass(frozen=True, slots=True)
class Broker:
    """Where to, and as whom. `version` is 3 (3.1.1) or 5."""

    host: str
    port: int
    tls: bool
    version: int
    username: str | None = None
    password: str | None = None


class Commands(Protocol):
    """Who carries out what the cloud asks."""

    def offer(self, payload: bytes) -> None:
        """Take what came on the command topic."""

    async def reply(self) -> bytes:
        """The next reply to publish; it stays the next until `published`."""

    def published(self, reply: bytes) -> None: ...


class Uplink:
    """Sends what the store holds, for as long as the agent runs.

    Args:
        missing: makes the event that says a range of a run will not come.
        telemetry: the newest state, or None while there is to be none.
        commands: who is handed them; without, none are asked for.
        now: seconds of a steady clock. `chance`: 0 to 1, so that many edges do not come back in step.
    """

    def __init__(
        self,
        broker: Broker,
        store: Store,
        thread: StoreThread,
        flow: Flow,
        *,
        missing: Callable[[str, tuple[int, int], str], Event],
        telemetry: Callable[[], Telemetry | None],
        now: Callable[[], float],
        chance: Callable[[], float],
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
        commands: Commands | None = None,
    ) -> None:
        self._broker = broker
        self._store = store
        self._thread = thread
        self._flow = flow
        self._missing = missing
        self._telemetry = telemetry
        self._now = now
        self._chance = chance
        self._sleep = sleep
        self._commands = commands
        self._wake = asyncio.Event()
        self.trouble: str | None = None  # why there is no connection, once that is known
        self.deaf = False  # the broker does not let us hear commands

    def wake(self) -> None:
        """The outbox has grown."""
        self._flow.appended(self._store.last_seq, self._now())
        self._wake.set()

    async def trust(self, ledger: str) -> None:
        """A person says which ledger counts."""
        await self._apply(self._flow.trust(ledger, self._now()))
        self._wake.set()

    async def run(self) -> NoReturn:
        """Connect, send, and connect again, until cancelled.

        Raises:
            StoreError: what the ledger said cannot be kept.
        """
        failures = 0
        self._flow.begin(self._now())
        while True:
            began = self._now()
            try:
                # In a task of its own: up to Python 3.12 a TaskGroup that fails leaves its task marked as being
                # cancelled, and below that mark must mean that we are to end.
                await asyncio.create_task(self._connection())
            except* (aiomqtt.MqttError, OSError) as errors:
                reason = str(_first(errors)) or "the broker closed the connection"
                level = logging.WARNING if self.trouble is None or not failures else logging.DEBUG
                log.log(level, "broker %s:%d: %s", self._broker.host, self._broker.port, reason)
                self.trouble = reason
            if (task := asyncio.current_task()) and task.cancelling():
                raise asyncio.CancelledError  # the broken connection's own error must not hide that we were to end
            self._flow.disconnected()
            if self._now() - began > LONGEST_BACKOFF_S:
                failures = 0  # it had worked
            wait_s = min(FIRST_BACKOFF_S * 2.0 ** min(failures, 10), LONGEST_BACKOFF_S)
            failures += 1
            await self._sleep(wait_s * (0.5 + self._chance() / 2))

    async def _connection(self) -> None:
        status = topic(self._store.edge, Kind.STATUS)
        async with opened(
            self._client(aiomqtt.Will(status, Presence.OFFLINE.value, qos=1, retain=True))
        ) as client:
            if refusals(await client.subscribe(topic(self._store.edge, Kind.ACK), qos=1)):
                raise aiomqtt.MqttError("the broker refuses our subscription to acknowledgements")
            await self._ask_for_commands(client)
            await client.publish(status, Presence.ONLINE.value, qos=1, retain=True)
            log.info("connected to the broker %s:%d", self._broker.host, self._broker.port)
            self.trouble = None
            self._flow.connected(self._now())
            try:
                async with asyncio.TaskGroup() as tasks:
                    tasks.create_task(self._receive(client))
                    tasks.create_task(self._send(client))
                    tasks.create_task(self._tell(client))
                    if self._commands is not None:
                        tasks.create_task(self._reply(client, self._commands))
            except asyncio.CancelledError:
                client.timeout = GOODBYE_S
                # A clean end sends no last will: say it, if the broker still listens.
                with contextlib.suppress(aiomqtt.MqttError):
                    await client.publish(status, Presence.OFFLINE.value, qos=1, retain=True)
                raise

    def _client(self, will: aiomqtt.Will) -> Client:
        five = self._broker.version == 5
        return Client(
            self._broker.host,
            self._broker.port,
            # The same for every connection: a broker that has not noticed the end of the last one ends it now, and
            # publishes its last will before what we say, not after it.
            identifier=f"stockbeat-edge-{self._store.edge}",
            username=self._broker.username,
            password=self._broker.password,
            protocol=aiomqtt.ProtocolVersion.V5 if five else aiomqtt.ProtocolVersion.V311,
            clean_session=None if five else True,
            will=will,
            timeout=TIMEOUT_S,
            keepalive=KEEPALIVE_S,
            tls_context=ssl.create_default_context() if self._broker.tls else None,
        )

    async def _ask_for_commands(self, client: Client) -> None:
        """Events go up whether or not the broker lets commands come down."""
        if self._commands is None:
            return
        deaf = bool(refusals(await client.subscribe(topic(self._store.edge, Kind.COMMAND), qos=1)))
        if deaf and not self.deaf:
            log.warning("the broker refuses our subscription to commands: none will be carried out")
        self.deaf = deaf

    async def _reply(self, client: Client, commands: Commands) -> None:
        while True:
            reply = await commands.reply()
            await client.publish(topic(self._store.edge, Kind.REPLY), reply, qos=1)
            commands.published(reply)

    async def _receive(self, client: Client) -> None:
        commands = topic(self._store.edge, Kind.COMMAND)
        async for message in client.messages:
            payload = message.payload
            if not isinstance(payload, bytes):
                continue
            if self._commands is not None and message.topic.value == commands:
                if message.retain:
                    log.warning("a retained command is passed over: whoever sent it, it is of the past")
                else:
                    self._commands.offer(payload)
                continue
            try:
                ack = codec.decode_ack(payload)
            except DecodeError as error:
                log.warning("not an acknowledgement: %s", error)
                continue
            await self._apply(self._flow.receive(ack, self._now()))
            self._wake.set()

    async def _send(self, client: Client) -> None:
        async with asyncio.TaskGroup() as publications:
            while True:
                self._wake.clear()
                await self._apply(self._flow.tick(self._now()))
                while send := self._flow.next(self._now()):
                    payload = await self._take(send)
                    if payload:
                        # Not one after the other: on a slow link each would wait for the PUBACK of the last.
                        publish = client.publish(topic(self._store.edge, Kind.EVENTS), payload, qos=1)
                        publications.create_task(publish)
                await self._rest()

    async def _take(self, send: Send) -> bytes:
        """Read a batch from the store and tell the flow what of it goes out."""
        lines = await self._thread.run(self._store.lines, send.run, send.seqs)
        found = {seq for seq, _ in lines}
        batch = next(codec.batches(line for _, line in lines), [])
        sent = tuple(seq for seq, _ in lines[: len(batch)])
        until = sent[-1] if len(batch) < len(lines) else send.seqs[-1]
        absent = [seq for seq in send.seqs if seq <= until and seq not in found]
        self._flow.sent(send, sent, self._now(), absent)
        if send.lane is not Lane.MAIN:
            log.debug("%s of run %s: %s", send.lane.value, send.run, sent)
        return codec.join(batch)

    async def _rest(self) -> None:
        """Wait until something happened, or until the flow wants to be asked again."""
        wake_at = self._flow.wake_at(self._now())
        if wake_at is None:
            await self._wake.wait()
            return
        try:
            async with asyncio.timeout(max(wake_at - self._now(), 0.0)):
                await self._wake.wait()
        except TimeoutError:
            pass

    async def _tell(self, client: Client) -> None:
        while True:
            if telemetry := self._telemetry():
                payload = codec.encode_telemetry(telemetry)
                await client.publish(topic(self._store.edge, Kind.TELEMETRY), payload, qos=0)
            await self._sleep(TELEMETRY_S)

    async def _apply(self, outcomes: Sequence[Outcome]) -> None:
        """Make durable what the flow found, in order."""
        for outcome in outcomes:
            while True:
                try:
                    await self._keep(outcome)
                    break
                except StoreFull:
                    await self._sleep(RETRY_STORE_S)

    async def _keep(self, outcome: Outcome) -> None:
        match outcome:
            case Settled():
                await self._thread.run(self._store.settle, outcome.run, outcome.ranges, outcome.through)
            case Trust():
                log.info("ledger %s, generation %d, is trusted", outcome.whom.ledger, outcome.whom.generation)
                await self._thread.run(self._store.trust, outcome.whom, forget=outcome.forget)
            case Lost():
                log.error("run %s, events %d to %d: %s", outcome.run, *outcome.span, outcome.reason)
                event = self._missing(outcome.run, outcome.span, outcome.reason)
                quarantine = outcome.quarantine
                await self._thread.run(
                    self._store.declare,
                    event,
                    outcome.run,
                    outcome.span,
                    outcome.reason,
                    quarantine=quarantine,
                )
                self.wake()


def _first(errors: BaseException) -> BaseException:
    while isinstance(errors, BaseExceptionGroup):
        errors = errors.exceptions[0]
    return errors
