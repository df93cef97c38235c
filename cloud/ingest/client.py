"""The MQTT client that ingest uses: aiomqtt's, which ends when it is told to."""

import asyncio
from collections.abc import Awaitable
from types import TracebackType
from typing import TypeVar

import aiomqtt

T = TypeVar("T")


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
