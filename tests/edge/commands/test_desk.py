"""Commands at the edge: carried out once, answered the same way again, refused when late or strange."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from edge.aggregator.orders import Order, OrderError
from edge.build import aggregator_of
from edge.clock import PlayedClock
from edge.commands.desk import Desk
from edge.config import EdgeConfig
from edge.engine import Engine
from edge.errors import ConfigError
from edge.stamps import Stamps
from edge.store.store import Store
from edge.store.thread import StoreThread
from tests.support.agent_parts import started
from wire import codec
from wire.commands import (
    Calibrate,
    Command,
    Outcome,
    ReadLevels,
    Reload,
    Reply,
    ServiceBegin,
    Step,
    Zero,
)
from wire.commands import Order as Asked
from wire.events import Clock

NOW = datetime(2026, 11, 22, 9, tzinfo=UTC)
NOW_US = round(NOW.timestamp() * 1e6)
CAN = {"gtin": "09506000134352", "unit_grams": 330.0}
CONFIG = EdgeConfig.model_validate(
    {
        "edge": "store-042",
        "shelves": [
            {
                "name": "aisle-1",
                "bays": [
                    {"name": "A1", "cell": 0, "capacity": 24, "items": [CAN]},
                    {"name": "A2", "cell": 1, "capacity": 24, "items": [CAN]},
                ],
            }
        ],
    }
)


class Steps:
    """Stands where the calibrator does: says what it was asked, or refuses."""

    def __init__(self) -> None:
        self.asked: list[Calibrate] = []

    async def step(self, order: Calibrate) -> tuple[Sequence[Order], str]:
        self.asked.append(order)
        if order.cell is None:
            raise OrderError("say which cell")
        return (), f"cell {order.cell} measured"


class Site:
    """A desk on a real store."""

    def __init__(self, folder: Path) -> None:
        self.store = Store(folder / "edge.db", "store-042", now_us=lambda: self.clock.now_us())
        self.clock = PlayedClock(NOW_US)
        self.thread = StoreThread()
        self.stamps = Stamps(self.clock, "b")
        self.stamps.wall = Clock.SYNCED
        self.aggregator = aggregator_of(CONFIG, boot="b")
        self.engine = Engine(
            self.store, self.thread, self.aggregator, self.clock, said=lambda: None, full=self._never_full
        )
        self.steps = Steps()
        self.reloads = 0
        self.wrong = ""
        self.desk = Desk(
            CONFIG, self.engine, self.store, self.thread, self.clock, self.stamps,
            calibrating=self.steps, levels=self.aggregator.levels, reload=self._reload,
        )  # fmt: skip

    async def _never_full(self) -> None:
        raise AssertionError("the disk is not full")

    async def _reload(self) -> str:
        if self.wrong:
            raise ConfigError(self.wrong)
        self.reloads += 1
        return "beginning anew"

    async def ask(self, command: Command | bytes) -> Reply:
        self.desk.offer(command if isinstance(command, bytes) else codec.encode_command(command))
        reply = await self.desk.reply()
        self.desk.published(reply)
        return codec.decode_reply(reply)


@asynccontextmanager
async def site(folder: Path) -> AsyncIterator[Site]:
    made = Site(folder)
    made.store.start_run(started)
    await made.engine.recover()
    working = asyncio.create_task(made.engine.run())
    desk = asyncio.create_task(made.desk.run())
    try:
        yield made
    finally:
        desk.cancel()
        made.engine.stop()
        await asyncio.wait([working, desk])
        await made.thread.run(made.store.close)
        made.thread.close()
    await working


def command(order: Asked, name: str = "c-1", *, seconds: float = 60) -> Command:
    return Command(
        id=name, edge="store-042", issued_at=NOW, expires_at=NOW + timedelta(seconds=seconds), by="manager",
        order=order,
    )  # fmt: skip


async def test_a_command_is_carried_out_and_a_copy_is_answered_alike(tmp_path: Path) -> None:
    async with site(tmp_path) as here:
        first = await here.ask(command(Reload()))
        assert (first.outcome, first.words, first.id) == (Outcome.DONE, "beginning anew", "c-1")
        here.clock.set(NOW_US + 5_000_000)
        assert await here.ask(command(Reload())) == first
        assert here.reloads == 1


async def test_a_copy_is_known_after_a_restart_even_when_it_is_late(tmp_path: Path) -> None:
    async with site(tmp_path) as here:
        first = await here.ask(command(Reload()))
    async with site(tmp_path) as here:
        assert await here.ask(command(Reload())) == first
        here.clock.set(NOW_US + 61_000_000)
        assert await here.ask(command(Reload())) == first
        assert here.reloads == 0


async def test_what_was_refused_stays_refused(tmp_path: Path) -> None:
    async with site(tmp_path) as here:
        here.wrong = "edge.toml: gates[1].antennas: none looks inside"
        first = await here.ask(command(Reload()))
        assert (first.outcome, first.words) == (Outcome.REFUSED, here.wrong)
        here.wrong = ""
        assert await here.ask(command(Reload())) == first
        assert here.reloads == 0


async def test_another_command_under_a_known_id_is_refused(tmp_path: Path) -> None:
    async with site(tmp_path) as here:
        await here.ask(command(Reload()))
        other = await here.ask(command(ReadLevels()))
        assert (other.outcome, other.words) == (Outcome.REFUSED, "another command had this id")


async def test_a_stale_command_is_refused_by_the_clock_of_the_edge(tmp_path: Path) -> None:
    async with site(tmp_path) as here:
        here.clock.set(NOW_US + 60_000_000)
        late = await here.ask(command(Reload()))
        assert late.outcome is Outcome.STALE
        assert late.words == (
            "it came at 2026-11-22 09:01:00 UTC by the clock of this edge; it was to be done by 2026-11-22 09:01:00"
        )
        here.stamps.wall = Clock.NOT_SYNCED
        assert "not synchronised" in (await here.ask(command(Reload(), "c-2"))).words
        assert here.reloads == 0


async def test_a_command_that_is_good_for_days_is_refused(tmp_path: Path) -> None:
    async with site(tmp_path) as here:
        answer = await here.ask(command(Reload(), seconds=86_401))
        assert answer.outcome is Outcome.STALE
        assert "more than a day ahead" in answer.words


async def test_what_is_for_another_edge_or_not_understood_is_refused_in_words(tmp_path: Path) -> None:
    async with site(tmp_path) as here:
        other = await here.ask(replace(command(Reload()), edge="store-043"))
        assert (other.outcome, other.words) == (Outcome.REFUSED, "it is for 'store-043'; this is 'store-042'")
        newer = codec.encode_command(command(Reload())).replace(b'"reload"', b'"polish"')
        strange = await here.ask(newer)
        assert strange.outcome is Outcome.REFUSED
        assert strange.words.startswith("this agent does not understand it: order: Input tag 'polish'")


async def test_noise_is_not_answered(tmp_path: Path) -> None:
    async with site(tmp_path) as here:
        here.desk.offer(b"{")
        assert (await here.ask(command(ReadLevels()))).words == "no bay weighs now"


@pytest.mark.parametrize(
    "order, words",
    [
        (Zero(shelf="aisle-9", bay="A1"), "there is no shelf 'aisle-9' here; there is aisle-1"),
        (Zero(shelf="aisle-1", bay="A9"), "shelf 'aisle-1' has no bay 'A9'; it has A1, A2"),
        (ReadLevels(shelf="aisle-9"), "there is no shelf 'aisle-9' here; there is aisle-1"),
        (Calibrate(shelf="aisle-1", step=Step.ZERO), "say which cell"),
    ],
)
async def test_what_does_not_fit_is_refused_in_words(tmp_path: Path, order: Asked, words: str) -> None:
    async with site(tmp_path) as here:
        answer = await here.ask(command(order))
        assert (answer.outcome, answer.words) == (Outcome.REFUSED, words)


async def test_calibrating_is_handed_on(tmp_path: Path) -> None:
    async with site(tmp_path) as here:
        asked = Calibrate(shelf="aisle-1", step=Step.SPAN, cell=1, mass_grams=2000.0)
        assert (await here.ask(command(asked))).words == "cell 1 measured"
        assert here.steps.asked == [asked]


async def test_service_of_a_whole_shelf_says_for_how_long(tmp_path: Path) -> None:
    async with site(tmp_path) as here:
        answer = await here.ask(command(ServiceBegin(shelf="aisle-1", timeout_s=1800)))
        assert answer.outcome is Outcome.DONE
        assert answer.words.startswith("aisle-1: in service for 30 min at the most")


async def test_more_commands_than_can_wait_are_dropped(tmp_path: Path) -> None:
    made = Site(tmp_path)
    try:
        for number in range(200):
            made.desk.offer(codec.encode_command(command(ReadLevels(), f"c-{number}")))
        assert made.desk._commands.qsize() == 100
    finally:
        made.store.close()
        made.thread.close()
