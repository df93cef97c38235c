"""Takes commands as they come from the broker, and hands out the replies.

A command is carried out once. Its reply is made durable together with what it did, so that a copy, before or after a
restart, is answered as the first was. What is stale, or not for this edge, is refused.
"""

import asyncio
import logging
from collections import deque
from collections.abc import Awaitable, Callable, Sequence
from datetime import timedelta
from hashlib import sha256
from typing import NoReturn, Protocol

from edge.aggregator.orders import Order, OrderError
from edge.clock import Clock, moment
from edge.commands.translate import done_in_words, orders, shelf_named
from edge.config import EdgeConfig
from edge.engine import Engine
from edge.errors import ConfigError
from edge.stamps import Stamps
from edge.store.commands import Handled
from edge.store.store import Store
from edge.store.thread import StoreThread
from wire import codec
from wire.commands import (
    MAX_EXPIRY_S,
    Calibrate,
    Command,
    Outcome,
    ReadLevels,
    Reload,
    Reply,
)
from wire.errors import CommandError
from wire.events import Clock as Wall
from wire.messages import Level

log = logging.getLogger(__name__)

WAITING = 100  # commands that wait here; more are dropped, and sent again by the cloud
REPLIES = 100  # that wait for a connection; older ones are dropped, and asked for again
MOST_LEVELS = 1000  # in one reply
WORDS = 500


class Calibrating(Protocol):
    """Carries out the steps of calibrating a shelf."""

    async def step(self, order: Calibrate) -> tuple[Sequence[Order], str]:
        """What to order now, and what was found, in words.

        Raises:
            OrderError: the step does not fit, or what was weighed makes no sense.
        """


class Desk:
    """Feed it with `offer`, run `run`, take what to publish from `reply`.

    Args:
        reload: goes on with the configuration as it is now, once the reply is under way; returns what it found. Raises
            ConfigError.
    """

    def __init__(
        self,
        config: EdgeConfig,
        engine: Engine,
        store: Store,
        thread: StoreThread,
        clock: Clock,
        stamps: Stamps,
        *,
        calibrating: Calibrating,
        levels: Callable[[], list[Level]],
        reload: Callable[[], Awaitable[str]],
    ) -> None:
        self._config = config
        self._engine = engine
        self._store = store
        self._thread = thread
        self._clock = clock
        self._stamps = stamps
        self._calibrating = calibrating
        self._levels = levels
        self._reload = reload
        self._commands: asyncio.Queue[bytes] = asyncio.Queue(WAITING)
        self._replies: deque[bytes] = deque(maxlen=REPLIES)
        self._replied = asyncio.Event()

    def offer(self, payload: bytes) -> None:
        """Take what came on the command topic."""
        try:
            self._commands.put_nowait(payload)
        except asyncio.QueueFull:
            log.warning("more than %d commands wait: one is dropped", WAITING)

    async def reply(self) -> bytes:
        """The next reply to publish; it stays the next until `published`."""
        while not self._replies:
            self._replied.clear()
            await self._replied.wait()
        return self._replies[0]

    def published(self, reply: bytes) -> None:
        if self._replies and self._replies[0] is reply:
            self._replies.popleft()

    async def run(self) -> NoReturn:
        """Until cancelled."""
        while True:
            reply = await self._answer(await self._commands.get())
            if reply is not None:
                self._replies.append(reply)
                self._replied.set()

    async def _answer(self, payload: bytes) -> bytes | None:
        try:
            command = codec.decode_command(payload)
        except CommandError as error:
            log.warning("not a command: %s", error)
            if error.command is None:
                return None
            return self._reply(error.command, Outcome.REFUSED, f"this agent does not understand it: {error}")
        if command.edge != self._config.edge:
            return self._reply(
                command.id, Outcome.REFUSED, f"it is for {command.edge!r}; this is {self._config.edge!r}"
            )
        asked = sha256(codec.encode_command(command)).digest()
        before = await self._thread.run(self._store.handled, command.id)
        if before is not None:
            if before.asked == asked:
                return before.reply
            return self._reply(command.id, Outcome.REFUSED, "another command had this id")
        if late := self._out_of_time(command):
            log.warning("command %s is refused: %s", command.id, late)
            return self._reply(command.id, Outcome.STALE, late)
        log.info("command %s by %s: %s", command.id, command.by or "somebody", command.order)
        return await self._carry_out(command, asked)

    def _out_of_time(self, command: Command) -> str | None:
        now = moment(self._clock.now_us())
        doubt = "" if self._stamps.wall is Wall.SYNCED else ", whose clock is not synchronised"
        if now >= command.expires_at:
            return (
                f"it came at {now:%Y-%m-%d %H:%M:%S} UTC by the clock of this edge{doubt}; "
                f"it was to be done by {command.expires_at:%Y-%m-%d %H:%M:%S}"
            )
        if command.expires_at - now > timedelta(seconds=MAX_EXPIRY_S):
            return f"it expires more than a day ahead by the clock of this edge{doubt}"
        return None

    async def _carry_out(self, command: Command, asked: bytes) -> bytes:
        levels: tuple[Level, ...] = ()
        carried: Sequence[Order] = ()
        outcome, words = Outcome.DONE, ""
        try:
            match command.order:
                case ReadLevels():
                    levels, words = self._read_levels(command.order)
                case Reload():
                    words = await self._reload()
                case Calibrate():
                    carried, words = await self._calibrating.step(command.order)
                case order:
                    carried = orders(order, self._config, self._clock.now_ms())
                    words = done_in_words(order)
        except (OrderError, ConfigError) as error:
            outcome, words, carried = Outcome.REFUSED, str(error), ()

        def told(refused: OrderError | None) -> Handled:
            if refused is not None:
                reply = self._reply(command.id, Outcome.REFUSED, str(refused))
            else:
                reply = self._reply(command.id, outcome, words, levels)
            expires_us = round(command.expires_at.timestamp() * 1e6)
            return Handled(command.id, asked, reply, expires_us)

        return (await self._engine.order(carried, told)).reply

    def _read_levels(self, order: ReadLevels) -> tuple[tuple[Level, ...], str]:
        if order.shelf is not None:
            shelf_named(self._config, order.shelf)
        found = [level for level in self._levels() if order.shelf in (None, level.shelf)]
        bays = len({(level.shelf, level.bay) for level in found})
        words = f"{bays} bays weigh" if found else "no bay weighs now"
        if len(found) > MOST_LEVELS:
            words += f"; the first {MOST_LEVELS} levels of {len(found)}"
        return tuple(found[:MOST_LEVELS]), words

    def _reply(self, command: str, outcome: Outcome, words: str, levels: tuple[Level, ...] = ()) -> bytes:
        if outcome is not Outcome.DONE:
            log.info("command %s: %s: %s", command, outcome.value, words)
        return codec.encode_reply(
            Reply(
                id=command,
                edge=self._config.edge,
                at=moment(self._clock.now_us()),
                outcome=outcome,
                words=words[:WORDS],
                levels=levels,
            )
        )
