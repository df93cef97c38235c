import time
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from edge import health, trust
from edge.keeper import Keeper
from edge.store.held import Trusted
from edge.uplink.uplink import Broker, Uplink
from tests.support.agent_parts import Parts
from tests.support.doors import START_US
from wire import codec
from wire.events import Clock, Watermark

BEHIND_US = 90_000_000


class Ended(Exception):
    """The keeper has looked so often."""


class Kept(Parts):
    """An agent whose uplink is not connected, looked after for some seconds of its own time."""

    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        self.troubles: list[str] = []
        self.undecided_us: int | None = None
        self.uplink = Uplink(
            Broker("127.0.0.1", 1, False, 3), self.store, self.thread, self.flow, missing=self.stamps.missing,
            telemetry=lambda: None, now=lambda: self.seconds, chance=lambda: 0.0,
        )  # fmt: skip
        self.keeper = Keeper(
            self.store, self.thread, self.engine, self.devices, self.disk, self.flow, self.uplink, self.clock,
            self.stamps, version="0.1.0", behind_us=BEHIND_US,
            undecided_us=lambda: self.undecided_us, levels=list, troubles=lambda: self.troubles,
            now_s=lambda: self.seconds, sleep=self._sleep,
        )  # fmt: skip
        self.until_s = 0.0

    async def _sleep(self, seconds: float) -> None:
        self.seconds += seconds
        self.clock.set(self.clock.now_us() + round(seconds * 1e6))
        if self.seconds >= self.until_s:
            raise Ended

    async def keep(self, until_s: float) -> None:
        self.until_s = until_s
        with pytest.raises(Ended):
            await self.keeper.run()


@pytest.fixture
async def kept(tmp_path: Path) -> AsyncIterator[Kept]:
    made = Kept(tmp_path)
    yield made
    await made.close()


async def watermarks(kept: Kept) -> list[Watermark]:
    await kept.engine.finish()
    lines = kept.store.lines(kept.store.run, range(2, kept.store.last_seq + 1))
    events = [codec.decode(line).event for _, line in lines]
    return [event for event in events if isinstance(event, Watermark)]


async def test_a_watermark_comes_every_ten_seconds_while_the_clock_is_right(kept: Kept) -> None:
    await kept.keep(30.5)
    assert await watermarks(kept) == []
    kept.stamps.wall = Clock.SYNCED
    kept.seconds = 5.0
    kept.devices.up("dock-1", "")
    kept.seconds = 0.0
    kept.clock.set(START_US + 100_000_000)
    await kept.keep(30.5)
    first, second, third = await watermarks(kept)
    # The reader had come five seconds ago: it could still hand over what it held since before the start.
    assert first.complete_to.timestamp() == pytest.approx((START_US - 1 - BEHIND_US) / 1e6, abs=0.01)
    assert second.complete_to.timestamp() == pytest.approx(
        (START_US + 120_000_000 - BEHIND_US) / 1e6, abs=0.01
    )
    assert (third.complete_to - second.complete_to).total_seconds() == 10


async def test_a_watermark_waits_for_a_gate_that_has_not_decided(kept: Kept) -> None:
    """A load may stand in a door for minutes; what is said of it then is dated when it crossed."""
    kept.stamps.wall = Clock.SYNCED
    kept.devices.up("dock-1", "")
    kept.undecided_us = START_US - 60_000_000
    kept.clock.set(START_US + 100_000_000)
    await kept.keep(30.5)

    assert [mark.complete_to.timestamp() for mark in await watermarks(kept)][1:] == [START_US / 1e6 - 60] * 2


async def test_its_health_says_what_is_wrong(kept: Kept) -> None:
    assert kept.keeper.telemetry() is None
    kept.uplink.trouble = "[Errno 111] Connection refused"
    await kept.keep(1)
    said = kept.keeper.telemetry()
    assert said
    assert said.agent.run == kept.store.run
    assert said.agent.events_held == 1
    assert said.agent.disk_free_bytes > 0
    assert [fault.partition(":")[0] for fault in said.agent.faults] == [
        "no connection to the broker",
        "the wall clock is not synchronised",
    ]
    written = health.read(kept.store.path)
    assert written
    assert written[0] == said


SECOND = "2" * 32


async def test_a_persons_word_is_taken_once(kept: Kept) -> None:
    kept.store.trust(Trusted("first", 3), forget=False)
    trust.ask(kept.store.path, SECOND)
    await kept.keep(1)
    assert kept.store.trusted() == Trusted(SECOND, 0)
    assert trust.asked(kept.store.path) is None


async def test_looking_is_cheap(kept: Kept) -> None:
    began = time.monotonic()
    await kept.keep(50)
    assert time.monotonic() - began < 2.0
