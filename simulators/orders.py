"""What somebody says on standard input to a simulated device, line by line."""

import asyncio
import contextlib
import os
from collections.abc import Callable

STDIN = 0


def listen(ordered: Callable[[str], None]) -> None:
    """Have this called with each line, without its end, where standard input is something that can be waited for."""
    loop, waiting = asyncio.get_running_loop(), bytearray()

    def take() -> None:
        # Not through sys.stdin, which would keep all but the first of lines that come together.
        data = os.read(STDIN, 4096)
        waiting.extend(data)
        if not data:
            loop.remove_reader(STDIN)
            if waiting:
                waiting.extend(b"\n")
        *lines, rest = waiting.split(b"\n")
        waiting[:] = rest
        for line in lines:
            ordered(line.decode("utf-8", "replace").strip())

    with contextlib.suppress(OSError):  # a plain file cannot: nobody types into one; nor can none
        loop.add_reader(STDIN, take)
