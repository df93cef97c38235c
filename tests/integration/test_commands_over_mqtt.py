"""Commands and replies over real brokers: they come through, survive a lost broker, and are never of the past."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import aiomqtt
import pytest

from tests.support.servers import Server
from tests.support.uplinks import node, until
from wire.topics import Kind, topic

pytestmark = pytest.mark.timeout(60)
EDGE = "store-042"


class Desk:
    """Answers each command with what it said."""

    def __init__(self) -> None:
        self.asked: list[bytes] = []
        self._replies: asyncio.Queue[bytes] = asyncio.Queue()
        self._next: bytes | None = None

    def offer(self, payload: bytes) -> None:
        self.asked.append(payload)
        self._replies.put_nowait(b"heard " + payload)

    async def reply(self) -> bytes:
        if self._next is None:
            self._next = await self._replies.get()
        return self._next

    def published(self, reply: bytes) -> None:
        self._next = None


class Cloud:
    def __init__(self, client: aiomqtt.Client) -> None:
        self._client = client
        self.heard: list[bytes] = []

    async def say(self, payload: bytes, *, retain: bool = False) -> None:
        await self._client.publish(topic(EDGE, Kind.COMMAND), payload, qos=1, retain=retain)

    async def listen(self) -> None:
        async for message in self._client.messages:
            assert isinstance(message.payload, bytes)
            self.heard.append(message.payload)


@asynccontextmanager
async def cloud(port: int) -> AsyncIterator[Cloud]:
    async with aiomqtt.Client("127.0.0.1", port) as client:
        await client.subscribe(topic(EDGE, Kind.REPLY), qos=1)
        made = Cloud(client)
        listening = asyncio.create_task(made.listen())
        yield made
        listening.cancel()
        await asyncio.wait([listening])


@pytest.fixture(params=["mosquitto", "nats"])
def broker(request: pytest.FixtureRequest) -> Server:
    found: Server = request.getfixturevalue(request.param)
    return found


async def test_commands_come_down_and_replies_go_up(broker: Server, tmp_path: Path) -> None:
    desk = Desk()
    async with cloud(broker.port) as here, node(tmp_path / "edge.db", broker.port, commands=desk) as edge:
        await until(lambda: edge.uplink.trouble is None and edge.flow.waiting >= 0, "a connection")
        await _until_heard(here, b"one", desk)
        await until(lambda: b"heard one" in here.heard, "the reply")
        assert not edge.uplink.deaf


async def _until_heard(here: Cloud, payload: bytes, desk: Desk) -> None:
    """Nothing is kept for an edge that is not there: it is sent until it is."""
    for _ in range(100):
        await here.say(payload)
        await asyncio.sleep(0.1)
        if payload in desk.asked:
            return
    raise AssertionError("the edge hears no commands")


async def test_a_reply_that_could_not_leave_goes_when_the_broker_is_back(
    broker: Server, tmp_path: Path
) -> None:
    desk = Desk()
    async with node(tmp_path / "edge.db", broker.port, commands=desk) as edge:
        async with cloud(broker.port) as here:
            await _until_heard(here, b"one", desk)
        await asyncio.to_thread(broker.kill)
        await until(lambda: edge.uplink.trouble is not None, "the loss to be noticed")
        desk.offer(b"late")
        await asyncio.to_thread(broker.start)
        async with cloud(broker.port) as here:
            await until(lambda: edge.uplink.trouble is None, "the connection")
            # The reply left before this client could ask for it, or comes now: what counts is that it left.
            await until(lambda: desk._next is None and desk._replies.empty(), "the reply to leave")


async def test_a_retained_command_is_of_the_past(broker: Server, tmp_path: Path) -> None:
    desk = Desk()
    async with cloud(broker.port) as here:
        await here.say(b"of yesterday", retain=True)
        async with node(tmp_path / "edge.db", broker.port, commands=desk):
            await _until_heard(here, b"of now", desk)
            assert b"of yesterday" not in desk.asked
