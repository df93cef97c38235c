"""The supervisor, with a reader that does what its script says, and a sleep that takes no time."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

import pytest

from edge.errors import ProtocolError, ReaderError, ReaderLost, ReaderRefused, StoreError
from edge.reads import Read, WeightSample
from edge.supervise import Backoff, supervise

SAMPLE = WeightSample(at_us=1, shelf="aisle-1", cell=0, grams=1.0)
STEADY = Backoff(first_s=1.0, longest_lost_s=8.0, longest_refused_s=60.0, jitter=lambda: 1.0)


class Done(BaseException):
    """Ends a supervision that would never end."""


@dataclass
class Scripted:
    """Each connection takes the next of `script`: an error is raised on opening; a list is read, its errors raised."""

    script: list[Exception | list[Sequence[Read] | Exception]]
    name: str = "aisle-1"
    detail: str = "made up"
    clock_offset_ms: float | None = None

    @asynccontextmanager
    async def open(self) -> AsyncIterator[AsyncIterator[Sequence[Read]]]:
        if not self.script:
            raise Done
        connection = self.script.pop(0)
        if isinstance(connection, Exception):
            raise connection
        yield self._batches(connection)

    async def _batches(self, connection: list[Sequence[Read] | Exception]) -> AsyncIterator[Sequence[Read]]:
        for each in connection:
            if isinstance(each, Exception):
                raise each
            yield each


@dataclass
class Agent:
    """What the supervisor told."""

    told: list[object] = field(default_factory=list)
    slept: list[float] = field(default_factory=list)

    async def emit(self, reads: Sequence[Read]) -> None:
        self.told.append(list(reads))

    def up(self, name: str, detail: str) -> None:
        self.told.append(("up", name, detail))

    def down(self, name: str, reason: str) -> None:
        self.told.append(("down", name, reason))

    async def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)


async def run(reader: Scripted, agent: Agent, backoff: Backoff = STEADY) -> None:
    with pytest.raises(Done):
        await supervise(reader, agent.emit, up=agent.up, down=agent.down, backoff=backoff, sleep=agent.sleep)


LOST = ReaderLost("unplugged")
UP, DOWN = ("up", "aisle-1", "made up"), ("down", "aisle-1", "unplugged")


async def test_tells_what_was_read_and_reconnects() -> None:
    agent = Agent()
    await run(Scripted([[[SAMPLE], [SAMPLE, SAMPLE], LOST], [[SAMPLE], LOST]]), agent)
    assert agent.told == [UP, [SAMPLE], [SAMPLE, SAMPLE], DOWN, UP, [SAMPLE], DOWN]
    assert agent.slept == [1.0, 1.0]


async def test_an_outage_is_said_once_and_tried_less_and_less_often(caplog: pytest.LogCaptureFixture) -> None:
    agent = Agent()
    await run(Scripted([LOST, LOST, LOST, LOST, LOST, [[SAMPLE], LOST]]), agent)
    assert agent.told == [DOWN, UP, [SAMPLE], DOWN]
    assert agent.slept == [1.0, 2.0, 4.0, 8.0, 8.0, 1.0]
    said = [(record.levelname, record.getMessage()) for record in caplog.records if record.levelno > 10]
    assert said == [
        ("WARNING", "aisle-1: unplugged"),
        ("INFO", "aisle-1: reading (made up)"),
        ("WARNING", "aisle-1: unplugged"),
    ]


async def test_a_refusal_is_tried_soon_at_first_and_slowly_at_last() -> None:
    agent = Agent()
    await run(Scripted([ReaderRefused("busy")] * 8), agent)
    assert agent.slept == [1.0, 2.0, 4.0, 8.0, 16.0, 32.0, 60.0, 60.0]
    assert agent.told == [("down", "aisle-1", "busy")]


async def test_opening_and_failing_at_once_is_no_success() -> None:
    agent = Agent()
    await run(Scripted([[LOST], [LOST], [LOST]]), agent)
    assert agent.slept == [1.0, 2.0, 4.0]


@pytest.mark.parametrize("error", [ProtocolError("garbage"), ReaderError("whatever"), ReaderLost("gone")])
async def test_every_readers_error_is_waited_out(error: ReaderError) -> None:
    agent = Agent()
    await run(Scripted([[[SAMPLE], error]]), agent)
    assert agent.told == [UP, [SAMPLE], ("down", "aisle-1", str(error))]


async def test_a_bug_in_a_driver_is_said_and_waited_out(caplog: pytest.LogCaptureFixture) -> None:
    agent = Agent()
    await run(Scripted([[[SAMPLE], ZeroDivisionError("oops")], [[SAMPLE], LOST]]), agent)
    assert ("down", "aisle-1", "the driver failed: ZeroDivisionError('oops')") in agent.told
    assert agent.told[-2:] == [[SAMPLE], DOWN]
    assert any(record.exc_info for record in caplog.records)


async def test_a_driver_that_stops_by_itself_is_a_failure() -> None:
    agent = Agent()
    await run(Scripted([[[SAMPLE]]]), agent)
    assert agent.told[-1] == ("down", "aisle-1", "the driver stopped by itself")


@pytest.mark.parametrize("error", [StoreError("disk full"), ZeroDivisionError("a bug in the agent")])
async def test_reads_that_cannot_be_kept_end_it(error: Exception) -> None:
    agent = Agent()

    async def emit(reads: Sequence[Read]) -> None:
        raise error

    with pytest.raises(type(error), match=str(error)):
        await supervise(
            Scripted([[[SAMPLE]]]), emit, up=agent.up, down=agent.down, backoff=STEADY, sleep=agent.sleep
        )


async def test_cancelling_ends_it() -> None:
    agent, waiting = Agent(), asyncio.Event()

    async def emit(reads: Sequence[Read]) -> None:
        waiting.set()
        await asyncio.Event().wait()

    task = asyncio.create_task(
        supervise(
            Scripted([[[SAMPLE]]]), emit, up=agent.up, down=agent.down, backoff=STEADY, sleep=agent.sleep
        )
    )
    await waiting.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert agent.slept == []


def test_jitter_is_between_half_and_all_of_the_wait_and_no_wait_overflows() -> None:
    least = Backoff(first_s=1.0, jitter=lambda: 0.0)
    assert least.delay_s(1, refused=False) == 0.5
    assert least.delay_s(3, refused=False) == 2.0
    assert least.delay_s(1_000_000, refused=True) == 30.0
