"""The agent's cycle: reads are made durable, then aggregated; what they say is made durable with the state behind it.

One transaction takes the events of the previous aggregation, the state and the journal position they belong to, and
the new reads. A restart therefore goes on from the saved state with the journal's tail, and neither repeats nor
forgets. Weight samples are not journalled: a shelf compares what it weighs next with what it knew.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass

from edge.aggregator.aggregator import Aggregator
from edge.aggregator.orders import Order, OrderError
from edge.clock import Clock
from edge.errors import StoreFull
from edge.reads import Read, Scale, ShelfRead, WeightFault, WeightSample, later
from edge.store.commands import Handled
from edge.store.journal import Timed
from edge.store.store import Cycle, Store
from edge.store.thread import StoreThread
from wire.events import Event

log = logging.getLogger(__name__)

GROUP_S = 0.010  # reads that come within it share one commit: on an SD card a commit takes 5 to 30 ms
MOST_READS = 500  # a commit; more only make it longer
TICK_S = 0.1  # how often quiet gates are looked at, and so the most a decision is noticed late
SAVE_EVERY_MS = 5_000  # state without events; a restart replays at most so much of the journal
STEADY_EVERY_MS = 10_000  # the steady clock on disk, when nothing else was to be saved
PENDING = 20_000  # reads waiting for the disk: beyond, readers wait


@dataclass(frozen=True, slots=True)
class _Errand:
    """What somebody ordered. `told` makes what is kept of it, from why it could not be done, if it could not."""

    orders: Sequence[Order]
    told: Callable[[OrderError | None], Handled]
    done: asyncio.Future[Handled]


class Engine:
    """Feed it with `take`; run `recover`, then `run` until `stop`, then `finish`.

    `said` is called after each commit that said events; `full` is awaited when the disk is full, and returns when it is
    worth trying again.
    """

    def __init__(
        self,
        store: Store,
        thread: StoreThread,
        aggregator: Aggregator,
        clock: Clock,
        *,
        said: Callable[[], None],
        full: Callable[[], Awaitable[None]],
    ) -> None:
        self._store = store
        self._thread = thread
        self._aggregator = aggregator
        self._clock = clock
        self._said = said
        self._full = full
        self._pending: list[Read] = []
        self._events: list[Event] = []
        self._errands: list[_Errand] = []
        self._handled: list[tuple[Handled, asyncio.Future[Handled]]] = []  # carried out, and not durable yet
        self.heard: Callable[[Sequence[ShelfRead]], None] = lambda reads: (
            None
        )  # who wants to know what cells say
        self._aggregated = False  # some of the events are the aggregator's: the state goes with them
        self._position = 0  # of the last journalled batch that was aggregated
        self._saved_ms = self._steady_ms = 0
        self._wake = asyncio.Event()
        self._drained = asyncio.Event()
        self._stopping = False
        self.idle = True  # all that was taken is aggregated, and all that it said is durable
        self.stuck = False  # the disk is full
        self._asked = 0  # how often something came

    async def take(self, reads: Sequence[Read]) -> None:
        """Take what a reader read, dated by the steady clock; waits while the disk is behind."""
        self._pending.extend(reads)
        self.poke()
        while len(self._pending) > PENDING:
            self._drained.clear()
            await self._drained.wait()

    def say(self, event: Event) -> None:
        """Say an event that is not the aggregator's: it is durable with the next cycle."""
        self._events.append(event)
        self.poke()

    async def order(self, orders: Sequence[Order], told: Callable[[OrderError | None], Handled]) -> Handled:
        """Carry out what was ordered; returns when it, what it says, and what `told` makes of it are durable together.

        Of several orders those before the first that does not fit are carried out.
        """
        errand = _Errand(orders, told, asyncio.get_running_loop().create_future())
        self._errands.append(errand)
        self.poke()
        return await errand.done

    def poke(self) -> None:
        """Go through a cycle soon: time has passed."""
        self.idle = False
        self._asked += 1
        self._wake.set()

    async def recover(self) -> None:
        """Go on where the last start ended: the saved state, then the journal behind it."""
        self._aggregator.restore(await self._thread.run(self._store.states))
        self._position = self._store.position
        replayed = 0
        after: int | None = None
        while batches := await self._thread.run(self._store.tail, after):
            for position, reads in batches:
                self._observe(reads)
                self._position = after = position
                replayed += len(reads)
            await self._commit((), save=True)
        if replayed:
            log.info("%d journalled reads aggregated that the last start had not", replayed)

    async def run(self) -> None:
        while not self._stopping:
            if not self._events and not self._wake.is_set():
                await self._rest()
            if self._pending and not self._events:
                await asyncio.sleep(GROUP_S)
            self._wake.clear()
            await self.cycle()

    def stop(self) -> None:
        self._stopping = True
        self._wake.set()

    async def finish(self) -> None:
        """Make everything durable that was taken; nothing may be taken any more."""
        while self._pending:
            await self.cycle()
        await self._commit((), save=True)

    async def cycle(self) -> None:
        now_ms, now_us = self._clock.now_ms(), self._clock.now_us()
        taken, self._pending = self._pending[:MOST_READS], self._pending[MOST_READS:]
        behind = bool(self._pending)
        self._drained.set()
        asked = self._asked
        ahead_us = self._clock.ahead_us()
        timed = [(self._clock.ms_of(read.at_us), later(read, ahead_us)) for read in taken]
        of_gates = [
            (ms, read) for ms, read in timed if not isinstance(read, WeightSample | Scale | WeightFault)
        ]
        await self._commit(of_gates)
        self._observe(of_gates)
        self._weigh(
            [(ms, read) for ms, read in timed if isinstance(read, WeightSample | Scale | WeightFault)]
        )
        self._carry_out(now_ms, now_us)
        if not behind:
            # Only when all reads up to `now` are in: a gate must not close on reads that are still waiting here.
            self._aggregate(self._aggregator.advance(now_ms, now_us))
        else:
            self._wake.set()
        if self._handled:
            await self._commit((), save=True)
        self.idle = asked == self._asked and not (behind or self._events or self._pending)

    async def _rest(self) -> None:
        try:
            async with asyncio.timeout(TICK_S):
                await self._wake.wait()
        except TimeoutError:
            pass

    def _observe(self, reads: Sequence[Timed]) -> None:
        self._aggregate(self._aggregator.observe_all(reads))

    def _carry_out(self, now_ms: int, now_us: int) -> None:
        errands, self._errands = self._errands, []
        for errand in errands:
            refused: OrderError | None = None
            try:
                for order in errand.orders:
                    self._aggregate(self._aggregator.order(order, now_ms, now_us))
            except OrderError as error:
                refused = error
            self._handled.append((errand.told(refused), errand.done))

    def _weigh(self, samples: Sequence[tuple[int, ShelfRead]]) -> None:
        if samples:
            self.heard([sample for _, sample in samples])
            self._aggregate(self._aggregator.observe_all(samples))

    def _aggregate(self, events: Sequence[Event]) -> None:
        if events:
            self._events += events
            self._aggregated = True

    async def _commit(self, reads: Sequence[Timed], *, save: bool = False) -> None:
        now_ms = self._clock.now_ms()
        save = save or self._aggregated or now_ms >= self._saved_ms + SAVE_EVERY_MS
        # A gate that is being read changes all the time, and its state is large: it is saved with its events, and
        # otherwise now and then. The journal covers the rest.
        state = self._aggregator.changed_state() if save else {}
        if save:
            self._saved_ms = now_ms
        if not (
            self._events or self._handled or state or reads or now_ms >= self._steady_ms + STEADY_EVERY_MS
        ):
            return
        said, handled = tuple(self._events), tuple(self._handled)
        cycle = Cycle(
            said=said,
            handled=[each for each, _ in handled],
            state=state if save else None,
            position=self._position,
            reads=reads,
            steady_ms=now_ms,
        )
        position = await self._write(cycle)
        self._steady_ms = now_ms
        # Whatever was said while the disk was writing comes with the next cycle.
        del self._events[: len(said)]
        del self._handled[: len(handled)]
        self._aggregated = False
        for each, done in handled:
            if not done.done():  # whoever asked may have gone
                done.set_result(each)
        if reads:
            self._position = position
        if said:
            self._said()

    async def _write(self, cycle: Cycle) -> int:
        while True:
            try:
                position = await self._thread.run(self._store.commit, cycle)
            except StoreFull as error:
                if not self.stuck:
                    log.error("%s", error)
                self.stuck = True
                await self._full()
            else:
                self.stuck = False
                return position
