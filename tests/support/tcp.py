"""A TCP server inside a test, which leaves nothing behind."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

Handler = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


@asynccontextmanager
async def serving(handler: Handler) -> AsyncIterator[int]:
    """Serve on a free port of 127.0.0.1, and say which; ends when each connection's handler has."""
    tasks = set[asyncio.Task[None]]()
    writers = list[asyncio.StreamWriter]()

    async def serve(incoming: asyncio.StreamReader, outgoing: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task
        tasks.add(task)
        writers.append(outgoing)
        try:
            await handler(incoming, outgoing)
        except (asyncio.IncompleteReadError, ConnectionError):
            pass  # the client left
        finally:
            outgoing.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    try:
        yield server.sockets[0].getsockname()[1]
    finally:
        server.close()
        for writer in writers:
            writer.close()
        await asyncio.gather(*tasks)
        for writer in writers:
            try:
                await writer.wait_closed()
            except ConnectionError:
                continue
