"""The agent's cycle on a real store: a crash between any two of them neither repeats nor forgets."""

from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from edge.clock import PlayedClock
from edge.engine import MOST_READS, PENDING, Engine
from edge.reads import Read, WeightSample
from edge.store.store import Cycle, Store
from edge.store.thread import StoreThread
from tests.support.agent_parts import aggregator, started
from tests.support.doors import START_US, epc, going_in, going_out, merged, turning, walk
from tests.support.scales import samples
from wire import codec
from wire.events import Clock, DeviceUp, Event, ShelfChange, TagMovement

AT = datetime(2026, 11, 22, 9, tzinfo=UTC)
LOADS = merged(
    *(walk(epc(n), going_in(5.0 + n / 5)) for n in range(4)),
    *(walk(epc(10 + n), going_out(40.0 + n / 5)) for n in range(4)),
    walk(epc(20), turning(75.0)),
)
AFTER_US = 120_000_000


class Site:
    """One start of an agent without devices and uplink; its time is set by hand."""

    def __init__(self, path: Path, full: Callable[["Site"], None] | None = None) -> None:
        self.store = Store(path, "store-042", now_us=lambda: 1)
        self.store.start_run(started)
        self.thread = StoreThread()
        self.clock = PlayedClock(START_US)
        self.said = 0
        self.aggregator = aggregator()
        self._full = full
        self.engine = Engine(
            self.store, self.thread, self.aggregator, self.clock, said=self._was_said, full=self._make_room
        )

    def _was_said(self) -> None:
        self.said += 1

    async def _make_room(self) -> None:
        assert self._full
        self._full(self)

    async def begin(self) -> None:
        await self.engine.recover()
        for name in ("dock-1", "aisle-1"):
            self.aggregator.device_up(name, self.clock.now_ms(), self.clock.now_us())

    async def feed(self, reads: Sequence[Read]) -> None:
        await self.engine.take(reads)
        self.clock.set(reads[-1].at_us)
        await self.engine.cycle()

    def journalled(self) -> int:
        return sum(len(reads) for _, reads in self.store.tail(0, limit=10_000))

    def events(self) -> list[Event]:
        """Everything in the outbox, of all runs, but what begins them."""
        lines = self.store.connection.execute("SELECT line FROM outbox ORDER BY id").fetchall()
        events = [codec.decode(line).event for (line,) in lines]
        return [event for event in events if isinstance(event, TagMovement | ShelfChange)]

    def crash(self) -> None:
        """What is in memory is gone."""
        self.thread.close()
        self.store.close()


@asynccontextmanager
async def site(path: Path) -> AsyncIterator[Site]:
    made = Site(path)
    try:
        await made.begin()
        yield made
    finally:
        made.crash()


async def whole(path: Path, reads: Sequence[Read]) -> list[Event]:
    async with site(path) as made:
        for at in range(0, len(reads), 25):
            await made.feed(reads[at : at + 25])
        made.clock.set(reads[-1].at_us + AFTER_US)
        await made.engine.cycle()
        await made.engine.finish()
        return made.events()


@settings(max_examples=12, deadline=None)
@given(st.sets(st.integers(1, len(LOADS) - 1), min_size=1, max_size=4), st.integers(1, 60))
@pytest.mark.timeout(60)
async def test_crashes_between_cycles_neither_repeat_nor_forget(
    tmp_path_factory: pytest.TempPathFactory, crashes: set[int], step: int
) -> None:
    folder = tmp_path_factory.mktemp("engine")
    expected = await whole(folder / "whole.db", LOADS)
    assert len(expected) == 9
    path = folder / "crashed.db"
    for crash in [*sorted(crashes), len(LOADS)]:
        async with site(path) as made:
            done = made.journalled()
            for at in range(done, crash, step):
                await made.feed(LOADS[at : min(at + step, crash)])
            if crash == len(LOADS):
                made.clock.set(LOADS[-1].at_us + AFTER_US)
                await made.engine.cycle()
                await made.engine.finish()
                events = made.events()
    assert [as_said(event) for event in events] == [as_said(event) for event in expected]


def as_said(event: Event) -> Event:
    return replace(event, boot="")


async def test_reads_are_durable_before_they_are_aggregated_and_events_after(tmp_path: Path) -> None:
    async with site(tmp_path / "edge.db") as made:
        crossing = [read for read in LOADS if read.at_us < START_US + 20_000_000]
        await made.feed(crossing)
        assert made.journalled() == len(crossing)
        assert made.events() == []
        made.clock.set(START_US + 60_000_000)
        await made.engine.cycle()
        assert made.events() == []  # decided, and not said before it is durable
        said = made.said
        await made.engine.cycle()
        assert len(made.events()) > 0
        assert made.said == said + 1


async def test_weights_are_not_journalled_and_their_state_is_saved_with_what_they_say(tmp_path: Path) -> None:
    weights: list[WeightSample] = list(samples([(0.0, 1320.0), (20.0, 990.0)], 40.0))
    async with site(tmp_path / "edge.db") as made:
        for at in range(0, len(weights), 10):
            await made.feed(weights[at : at + 10])
        await made.engine.finish()
        assert made.journalled() == 0
        (change,) = made.events()
        assert isinstance(change, ShelfChange)
        assert change.units == -1
        states = made.store.states()
    async with site(tmp_path / "edge.db") as made:
        assert made.store.states() == states
        # The baseline was kept: what was taken while nobody weighed is seen.
        later = [replace_sample(sample, 60) for sample in samples([(0.0, 330.0)], 20.0)]
        for at in range(0, len(later), 10):
            await made.feed(later[at : at + 10])
        await made.engine.finish()
        change = made.events()[-1]
        assert isinstance(change, ShelfChange)
        assert (change.outcome.value, change.units) == ("offline_change", -2)


def replace_sample(sample: WeightSample, seconds: int) -> WeightSample:
    return WeightSample(
        at_us=sample.at_us + 1_000_000 * seconds, shelf=sample.shelf, cell=sample.cell, grams=sample.grams
    )


async def test_a_gate_does_not_close_while_its_reads_are_still_waiting_here(tmp_path: Path) -> None:
    pallet = merged(*(walk(epc(n), going_in(5.0 + n / 10), hz=25.0) for n in range(20)))
    assert len(pallet) > 2 * MOST_READS
    async with site(tmp_path / "edge.db") as made:
        await made.engine.take(pallet)
        made.clock.set(START_US + 60_000_000)
        for _ in range(10):
            await made.engine.cycle()
        movements = [event for event in made.events() if isinstance(event, TagMovement)]
        assert sorted(event.epc for event in movements) == [epc(n) for n in range(20)]
        assert len({event.passage for event in movements}) == 1


async def test_a_full_disk_keeps_everything_in_memory_until_there_is_room(tmp_path: Path) -> None:
    def make_room(full: Site) -> None:
        asked.append(full.engine.stuck)
        full.engine.say(DeviceUp(at=AT, clock=Clock.SYNCED, boot="b", mono_ms=1, device="dock-1"))
        if len(asked) == 3:
            full.store.connection.execute("PRAGMA max_page_count = 100000")

    asked: list[bool] = []
    made = Site(tmp_path / "edge.db", make_room)
    await made.begin()
    await made.feed(LOADS[:50])
    pages = made.store.connection.execute("PRAGMA page_count").fetchone()[0]
    made.store.connection.execute(f"PRAGMA max_page_count = {pages + 2}")
    for at in range(50, len(LOADS), 50):
        await made.feed(LOADS[at : at + 50])
    made.clock.set(LOADS[-1].at_us + AFTER_US)
    await made.engine.cycle()
    await made.engine.finish()
    assert asked == [True, True, True]
    assert not made.engine.stuck
    assert made.journalled() == len(LOADS)
    assert len(made.events()) == 9
    others = [codec.decode(line).event for _, line in made.store.lines(made.store.run, range(1, 100))]
    assert (
        len([event for event in others if isinstance(event, DeviceUp)]) == 3
    )  # said while the disk was full
    made.crash()


async def test_what_the_agent_says_of_itself_is_durable_with_the_next_cycle(tmp_path: Path) -> None:
    async with site(tmp_path / "edge.db") as made:
        made.engine.say(DeviceUp(at=AT, clock=Clock.SYNCED, boot="b", mono_ms=1, device="dock-1"))
        assert not made.engine.idle
        assert made.store.last_seq == 1
        await made.engine.cycle()
        assert made.store.last_seq == 2
        assert made.engine.idle


async def test_readers_wait_when_the_disk_is_behind(tmp_path: Path) -> None:
    async with site(tmp_path / "edge.db") as made:
        one = LOADS[0]
        task = made.engine.take([one] * (PENDING + 1))
        coroutine = task.__await__()
        assert next(coroutine) is not None  # it waits
        await made.engine.cycle()
        with pytest.raises(StopIteration):
            next(coroutine)


async def test_a_store_that_moved_on_without_reads_does_not_replay_its_journal(tmp_path: Path) -> None:
    async with site(tmp_path / "edge.db") as made:
        await made.feed(LOADS[:60])
        await made.engine.finish()
        position = made.store.position
        assert position > 0
    async with site(tmp_path / "edge.db") as made:
        weights = list(samples([(0.0, 1320.0)], 20.0))
        await made.feed(weights)
        await made.engine.finish()
        assert made.store.position == position
        assert made.store.tail() == []
        await made.thread.run(made.store.commit, Cycle(steady_ms=1))
