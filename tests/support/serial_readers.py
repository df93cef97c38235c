"""A simulated reader on a pty or behind TCP, tags before it, and what of it went out whole."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from random import Random
from time import time_ns
from typing import Protocol

from edge.readers.reader import Reader
from edge.reads import Read, TagRead
from edge.supervise import Backoff, supervise
from simulators.link import Session, pty, tcp
from simulators.trouble import TROUBLES, Send, Step, Trouble


class Radio(Protocol):
    def sighted(self, epc: bytes, antenna: int, rssi_dbm: int, channel: int, at_us: int) -> None: ...


class Served(Protocol):
    @property
    def session(self) -> Session: ...

    async def run(self) -> None: ...


def now_us() -> int:
    return time_ns() // 1000


@dataclass
class Wire:
    """What went out on each connection: what the device sent, and what the line made of it."""

    sent: list[bytes] = field(default_factory=list)
    came: bytearray = field(default_factory=bytearray)

    def whole(self) -> list[bytes]:
        """The messages that went out whole, in order."""
        found, at = [], 0
        for message in self.sent:
            if (place := self.came.find(message, at)) >= 0:
                found.append(message)
                at = place + len(message)
        return found


class Recorded:
    """A trouble, and a note of what it does."""

    def __init__(self, trouble: Trouble, wires: list[Wire]) -> None:
        self._trouble = trouble
        self._wire = Wire()
        wires.append(self._wire)

    def outgoing(self, data: bytes, at_s: float) -> list[Step]:
        steps = self._trouble.outgoing(data, at_s)
        self._wire.sent.append(data)
        for step in steps:
            if isinstance(step, Send):
                self._wire.came += step.data
        return steps


@asynccontextmanager
async def on_a_line(
    served: Served, folder: Path | None, trouble: Callable[[], Trouble]
) -> AsyncIterator[str]:
    """Serve on a pty in the folder, or by TCP without one; yields the URL."""
    async with AsyncExitStack() as stack:
        tasks = [asyncio.ensure_future(served.run())]
        if folder is None:
            host, port = await stack.enter_async_context(tcp(served.session, trouble))
            url = f"tcp://{host}:{port}"
        else:
            ready = asyncio.Event()
            tasks.append(asyncio.ensure_future(pty(served.session, trouble, folder / "tty", ready)))
            await ready.wait()
            url = f"serial:{folder / 'tty'}"
        try:
            yield url
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)


class Stall:
    """From `after_s` on nothing for 0.8 s, then all of it at once, as TCP does when a packet was lost."""

    LASTS_S = 0.8

    def __init__(self, after_s: float) -> None:
        self._after_s = after_s
        self._held = b""

    def outgoing(self, data: bytes, at_s: float) -> list[Step]:
        if self._after_s <= at_s < self._after_s + self.LASTS_S:
            self._held += data
            return []
        data, self._held = self._held + data, b""
        return [Send(data)]


def troubled(name: str, after_s: float, rng: Random) -> Trouble:
    return Stall(after_s) if name == "stall" else TROUBLES[name](after_s, rng)


@dataclass
class Seen:
    """One run: what the driver read, and, connection by connection, the messages that left the device whole."""

    reads: list[Read]
    whole: list[list[bytes]]
    downs: list[str]
    sighted: list[tuple[str, int, int]]  # EPC, antenna, when
    on_tcp: bool

    @property
    def tags(self) -> list[TagRead]:
        return [read for read in self.reads if isinstance(read, TagRead)]

    def hold(
        self,
        tag_in: Callable[[bytes], tuple[str, int] | None],
        answers: Callable[[bytes], bool],
        within_us: int = 400_000,
    ) -> None:
        """Every tag that left the device whole was read, once, in order, by its antenna, at its time; and no other.

        `tag_in` finds EPC and antenna in a message, None where it has no tag. What a device streams to a
        pty before it first `answers` may have gone to a port that nobody had open yet, and need not have been read.
        """
        got = iter([(read.epc, read.antenna) for read in self.tags])
        one = next(got, None)
        for messages in self.whole:
            heard = self.on_tcp
            for message in messages:
                tag = tag_in(message)
                if tag is None:
                    heard = heard or answers(message)
                elif tag == one:
                    one = next(got, None)
                else:
                    assert not heard, f"{tag} was sent, and {one} is what was read next"
        assert one is None, f"{one} was read, and never sent"
        when = {epc: at for epc, _, at in self.sighted}
        late = [(read.epc, read.at_us - when[read.epc]) for read in self.tags]
        assert not [each for each in late if abs(each[1]) > within_us]


async def run(
    served: Served,
    radio: Radio,
    make: Callable[[str], Reader],
    *,
    folder: Path | None,
    trouble: str = "none",
    after_s: float = 0.5,
    lasts_s: float = 3.0,
    at_least: int = 0,
    until: Callable[[Sequence[Read]], bool] | None = None,
    meanwhile: Callable[[], Awaitable[None]] | None = None,
) -> Seen:
    """Let tags pass before a supervised driver for a while: a read each 10 ms, each of another EPC, by two antennas.

    It lasts longer where a busy machine has not had `at_least` so many tags read by then.
    """
    wires: list[Wire] = []
    rng = Random(1)
    seen = Seen([], [], [], [], on_tcp=folder is None)

    async def emit(reads: Sequence[Read]) -> None:
        seen.reads += reads

    async def tags() -> None:
        number = 0
        while True:
            number += 1
            epc = bytes.fromhex("3074257BF7194E40") + number.to_bytes(4, "big")
            # FF, BB and 7E are in many of them, as they may be in any data.
            epc = (
                epc[:4]
                + bytes([(0xFF, 0xBB, 0x7E, 0xAA, 0xDD)[number % 5]]) * (number % 4)
                + epc[4 + number % 4 :]
            )
            at_us = now_us()
            radio.sighted(epc, number % 2 + 1, -50 - number % 20, 1, at_us)
            seen.sighted.append((epc.hex().upper(), number % 2 + 1, at_us))
            await asyncio.sleep(0.01)

    async with on_a_line(served, folder, lambda: Recorded(troubled(trouble, after_s, rng), wires)) as url:
        watching = asyncio.ensure_future(
            supervise(
                make(url),
                emit,
                up=lambda name, detail: None,
                down=lambda name, reason: seen.downs.append(reason),
                backoff=Backoff(first_s=0.05, longest_lost_s=0.2, longest_refused_s=0.2),
            )
        )
        passing = asyncio.ensure_future(tags())
        if meanwhile:
            await meanwhile()
        deadline = asyncio.get_running_loop().time() + lasts_s
        while (asyncio.get_running_loop().time() < deadline or len(seen.tags) < at_least) and not (
            until and until(seen.reads)
        ):
            await asyncio.sleep(0.02)
            if watching.done():
                watching.result()
        passing.cancel()
        await asyncio.sleep(0.5)  # what is on its way arrives
        watching.cancel()
        with suppress(asyncio.CancelledError):
            await watching
        seen.whole = [wire.whole() for wire in wires]
    return seen
