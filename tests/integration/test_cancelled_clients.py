"""A task that waits for a broker ends when it is cancelled, also when the broker's answer comes in that very moment."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any, TypeAlias

import aiomqtt
import pytest

from cloud.ingest import client as cloud
from edge import mqtt as edge
from simulators import publish as simulated
from tests.support.servers import Server

Client: TypeAlias = edge.Client | cloud.Client | simulated.Client
CLIENTS: list[type[Client]] = [edge.Client, cloud.Client, simulated.Client]


async def subscribe(client: Client) -> None:
    await client.subscribe("some/topic", qos=1)


async def publish(client: Client) -> None:
    await client.publish("some/topic", b"", qos=1)


async def leave(client: Client) -> None:
    await client.__aexit__(None, None, None)


@pytest.mark.parametrize(
    "answer, ask", [("on_subscribe", subscribe), ("on_publish", publish), ("on_disconnect", leave)]
)
@pytest.mark.parametrize("kind", CLIENTS, ids=["edge", "cloud", "simulators"])
async def test_a_cancelling_is_not_forgotten_when_the_answer_comes(
    kind: type[Client], answer: str, ask: Callable[[Client], Awaitable[None]], mosquitto: Server
) -> None:
    async with kind("127.0.0.1", mosquitto.port) as client:
        went_on = False

        async def asks() -> None:
            nonlocal went_on
            await ask(client)
            went_on = True

        asking = asyncio.create_task(asks())
        hear = getattr(client._client, answer)

        def heard(*said: Any) -> None:
            hear(*said)
            asking.cancel()

        setattr(client._client, answer, heard)
        await asyncio.wait([asking])
    assert asking.cancelled()
    assert not went_on


@pytest.mark.parametrize("kind", CLIENTS, ids=["edge", "cloud", "simulators"])
async def test_an_answer_that_does_not_come_is_an_error(kind: type[Client], mosquitto: Server) -> None:
    async with kind("127.0.0.1", mosquitto.port, timeout=5) as client:
        mosquitto.pause()
        try:
            with pytest.raises(aiomqtt.MqttError, match="timed out"):
                await client.subscribe("some/topic", qos=1, timeout=0.05)
        finally:
            mosquitto.resume()


@pytest.mark.parametrize("kind", [cloud.Client, simulated.Client], ids=["cloud", "simulators"])
async def test_a_farewell_that_nobody_answers_hides_no_cancelling(
    kind: type[Client], mosquitto: Server
) -> None:
    ready = asyncio.Event()

    async def stays() -> None:
        async with kind("127.0.0.1", mosquitto.port, timeout=0.2) as client:
            mosquitto.pause()
            client._client.publish("some/topic", bytes(50_000_000))  # the farewell waits behind it
            ready.set()
            await asyncio.Event().wait()

    staying = asyncio.create_task(stays())
    try:
        await ready.wait()
        staying.cancel()
        await asyncio.wait([staying])
    finally:
        mosquitto.resume()
    assert staying.cancelled()
