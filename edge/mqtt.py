"""What every MQTT client of ours needs: to leave nothing behind, and to notice what a broker denies."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Awaitable, Sequence
from typing import TypeVar

import aiomqtt
from paho.mqtt.reasoncodes import ReasonCode

T = TypeVar("T")

GOODBYE_S = 0.5  # the agent promises to stop within 2 s, whatever the broker does


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


@contextlib.asynccontextmanager
async def opened(client: Client) -> AsyncIterator[Client]:
    """Connected inside; afterwards its socket and task are gone, also when connecting failed or was cancelled.

    A client that is left to itself half connected closes its socket when it is collected, after its loop has ended.
    """
    entering = asyncio.create_task(client.__aenter__())
    try:
        await asyncio.shield(entering)
    except BaseException:
        client.timeout = GOODBYE_S
        await asyncio.wait([entering], timeout=GOODBYE_S)  # it connects in a thread, which no cancelling ends
        if entering.done() and entering.exception() is None:
            with contextlib.suppress(aiomqtt.MqttError):
                await client.__aexit__(None, None, None)
        else:
            await _close_half_open(client)
            entering.cancel()
            await asyncio.wait([entering])
        raise
    try:
        yield client
    finally:
        client.timeout = min(client.timeout, GOODBYE_S)
        # What went wrong inside, a cancelling above all, must not be hidden by a farewell that nobody answers.
        with contextlib.suppress(aiomqtt.MqttError):
            await client.__aexit__(None, None, None)


async def _close_half_open(client: Client) -> None:
    """aiomqtt ends only what it began wholly: below it, paho closes its socket once the farewell is written."""
    paho = client._client
    paho.disconnect()
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(GOODBYE_S):
            while paho.socket() is not None:  # noqa: ASYNC110 - paho wakes nobody of ours
                await asyncio.sleep(0.01)


def refusals(codes: Sequence[int | ReasonCode]) -> list[int]:
    """Which of the topics asked for the broker refuses, by their places.

    MQTT 3.1.1, section 3.9.3: 0x80 is failure; MQTT 5, section 3.9.3: all from 0x80 on are. Mosquitto with an access
    list grants every subscription and sends nothing: that shows as silence only.
    """
    return [i for i, code in enumerate(codes) if (code if isinstance(code, int) else code.value) >= 0x80]
