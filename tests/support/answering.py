"""An edge that answers what is asked of it, without a broker between."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

from cloud.commands.post import Post
from cloud.ledger.database import Database
from tests.support.console import real_time
from wire.codec import decode_command, encode_reply
from wire.commands import Command, Outcome, Reply
from wire.messages import Level

Answer = tuple[Outcome, str]


@asynccontextmanager
async def answering(
    database: Database, answer: Callable[[Command], Answer], levels: tuple[Level, ...] = ()
) -> AsyncIterator[list[Command]]:
    """Every command is answered within a tenth of a second; yields what was asked so far."""
    post = Post(database, real_time, lambda: None)
    asked: list[Command] = []

    async def work() -> None:
        while True:
            for edge, line in await asyncio.to_thread(post.due):
                command = decode_command(line)
                asked.append(command)
                outcome, words = answer(command)
                reply = Reply(
                    id=command.id, edge=edge, at=real_time(), outcome=outcome, words=words, levels=levels
                )
                await asyncio.to_thread(post.arrived, edge, encode_reply(reply))
            await asyncio.sleep(0.05)

    task = asyncio.create_task(work())
    try:
        yield asked
    finally:
        task.cancel()
        await asyncio.wait([task])
