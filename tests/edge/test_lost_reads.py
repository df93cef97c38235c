"""What a device lost, and what the agent's own absence cost, is said as a time in which nothing was seen."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from pathlib import Path

import pytest

from edge.aggregator.aggregator import Aggregator
from edge.aggregator.gate import Gate, Side
from edge.config import EdgeConfig
from edge.devices import LEAST_BLIND_US
from edge.reads import Antenna, Lost, Read, TagRead, later
from edge.recording import heading, line
from edge.replay import replay
from tests.support.agent_parts import Parts, Portal, aggregator
from tests.support.doors import START_US, epc, going_in, walk
from wire import codec
from wire.events import Blind, DeviceUp, Direction, Event, Passage, TagMovement


def lost(from_s: float, to_s: float, at_s: float, device: str = "dock-1") -> Lost:
    from_us, to_us, at_us = (START_US + round(second * 1e6) for second in (from_s, to_s, at_s))
    return Lost(at_us=at_us, device=device, from_us=from_us, to_us=to_us, reason="the buffer overflowed")


def events(*reads: Read) -> list[Event]:
    made = aggregator()
    for name in ("dock-1", "aisle-1"):
        made.device_up(name, START_US // 1000, START_US)
    said: list[Event] = []
    for read in reads:
        said += made.observe(read, read.at_us // 1000)
    return said + made.advance(START_US // 1000 + 40_000, START_US + 40_000_000)


def blinds(said: list[Event]) -> list[tuple[str, float, float, str]]:
    return [
        (
            event.device,
            event.from_at.timestamp() - START_US / 1e6,
            event.to_at.timestamp() - START_US / 1e6,
            event.reason,
        )
        for event in said
        if isinstance(event, Blind)
    ]


@pytest.mark.parametrize("device", ["dock-1", "aisle-1"])
def test_what_a_device_lost_is_said(device: str) -> None:
    assert blinds(events(lost(1.0, 2.5, 3.0, device))) == [(device, 1.0, 2.5, "the buffer overflowed")]


def test_what_a_device_that_is_not_configured_lost_is_passed_over() -> None:
    assert events(lost(1.0, 2.5, 3.0, "dock-9")) == []


@pytest.mark.parametrize(("at_s", "healthy"), [(1.0, True), (5.0, False), (30.0, True)])
def test_a_passage_of_which_reads_were_lost_was_not_seen_with_a_healthy_reader(
    at_s: float, healthy: bool
) -> None:
    reads: list[Read] = [*walk(epc(1), going_in(5.0)), lost(at_s - 0.2, at_s, at_s)]
    reads.sort(key=lambda read: read.at_us)
    (passage,) = (event for event in events(*reads) if isinstance(event, Passage))
    assert passage.healthy is healthy
    assert passage.ins == 1


async def test_antennas_and_losses_are_journalled_and_recorded(tmp_path: Path) -> None:
    parts = Parts(tmp_path)
    came: list[Read] = [
        Antenna(at_us=START_US, gate="dock-1", antenna=2, connected=False),
        lost(0.5, 0.7, 1.0),
    ]
    await parts.engine.take(came)
    await parts.engine.cycle()
    journalled = [read for _, batch in parts.store.tail(0) for _, read in batch]
    assert journalled == came
    await parts.close()


def test_a_replay_says_them_too() -> None:
    config = EdgeConfig.model_validate(
        {"edge": "store-042", "gates": [{"name": "dock-1", "antennas": {1: "outside", 2: "inside"}}]}
    )
    lines = [heading("store-042"), line(lost(1.0, 2.5, 3.0))]
    (said,) = replay(config, lines)
    assert b'"type":"blind"' in said
    assert b"the buffer overflowed" in said


class HoldingPortal(Portal):
    held = True


async def come_back_after(parts: Parts, away_us: int) -> list[Blind]:
    await parts.connect()
    parts.devices.down("dock-1", "the link broke")
    parts.clock.set(parts.clock.now_us() + away_us)
    parts.devices.up("dock-1", "firmware 1")
    said = await parts.said()
    assert sum(isinstance(event, DeviceUp) for event in said) == 2
    await parts.close()
    return [event for event in said if isinstance(event, Blind)]


async def test_a_device_that_holds_nothing_was_blind_while_it_was_away(tmp_path: Path) -> None:
    (said,) = await come_back_after(Parts(tmp_path), 60_000_000)
    assert (said.to_at - said.from_at).total_seconds() == 60.0
    assert said.reason == "away: the link broke"


async def test_too_short_an_absence_to_hide_a_load_is_not_said(tmp_path: Path) -> None:
    assert await come_back_after(Parts(tmp_path), LEAST_BLIND_US - 1) == []


async def test_a_reader_that_held_its_reports_was_not_blind(tmp_path: Path) -> None:
    parts = Parts(tmp_path)
    parts.portal = HoldingPortal()
    assert await come_back_after(parts, 60_000_000) == []


class BeatingPortal(HoldingPortal):
    """Says that it is alive, and has nothing to tell by itself."""

    beats = True

    async def _reads(self) -> AsyncIterator[Sequence[Read]]:
        yield []
        await asyncio.Event().wait()


async def moved(parts: Parts) -> list[Direction]:
    await parts.engine.cycle()
    await parts.engine.cycle()
    lines = parts.store.lines(parts.store.run, range(2, parts.store.last_seq + 1))
    return outcomes(
        [event for _, line in lines if isinstance(event := codec.decode(line).event, TagMovement)]
    )


async def test_while_a_reader_tells_what_it_held_its_gate_waits_however_slowly_that_comes(
    tmp_path: Path,
) -> None:
    parts = Parts(tmp_path)
    parts.portal = BeatingPortal()
    parts.reading = asyncio.create_task(parts.devices.run([parts.portal]))
    await asyncio.sleep(0)
    while not parts.portal.opened:  # noqa: ASYNC110 - a portal tells its test nothing
        await asyncio.sleep(0.001)
    parts.clock.set(START_US + 100_000_000)
    held = walk(epc(1), going_in(5.0))
    for part in (held[: len(held) // 2], held[len(held) // 2 :]):
        assert await moved(parts) == []
        await parts.devices.emit("dock-1", part)
        parts.seconds += 0.9
        parts.clock.set(parts.clock.now_us() + 900_000)
        await parts.devices.emit("dock-1", [])  # a sign of life between does not say that all is told
    assert await moved(parts) == []
    parts.seconds += 0.2
    await parts.devices.emit("dock-1", [])
    assert await moved(parts) == [Direction.IN]
    await parts.close()


async def test_what_a_stop_of_the_agent_cost_is_said_when_the_device_is_first_here_again(
    tmp_path: Path,
) -> None:
    parts = Parts(tmp_path, seen_us=START_US - 300_000_000)
    await parts.connect()
    (said,) = [event for event in await parts.said() if isinstance(event, Blind)]
    assert (said.to_at - said.from_at).total_seconds() == 300.0
    assert "the agent did not run" in said.reason
    await parts.close()


def half_a_load(aggregator: Aggregator) -> list[TagRead]:
    """Observes the reads of a load up to the sill; returns those that come behind."""
    reads = walk(epc(1), going_in(5.0))
    aggregator.device_up("dock-1", START_US // 1000, START_US)
    for read in reads:
        if read.at_us < START_US + 5_000_000:
            assert aggregator.observe(read, read.at_us // 1000) == []
    return [read for read in reads if read.at_us >= START_US + 5_000_000]


def outcomes(said: list[Event]) -> list[Direction]:
    return [event.outcome for event in said if isinstance(event, TagMovement)]


def test_the_silence_of_a_link_is_not_that_of_a_load_that_has_left() -> None:
    made = aggregator()
    late = half_a_load(made)
    made.device_heard("dock-1", START_US // 1000 + 5_000)
    assert made.advance(START_US // 1000 + 60_000, START_US + 60_000_000) == []
    said = [event for read in late for event in made.observe(read, read.at_us // 1000)]
    made.device_heard("dock-1", START_US // 1000 + 61_000)
    said += made.advance(START_US // 1000 + 61_000, START_US + 61_000_000)
    assert outcomes(said) == [Direction.IN]


def test_another_gate_does_not_wait_for_it() -> None:
    sides = {1: Side.OUTSIDE, 2: Side.INSIDE}
    made = Aggregator([Gate(name=name, antennas=sides) for name in ("dock-1", "dock-2")], [], boot="b")
    half_a_load(made)
    made.device_down("dock-1", START_US // 1000 + 5_000, START_US + 5_000_000, "unplugged")
    made.device_up("dock-2", START_US // 1000, START_US)
    said: list[Event] = []
    for read in walk(epc(2), going_in(8.0), gate="dock-2"):
        said += made.advance(read.at_us // 1000, read.at_us)
        said += made.observe(read, read.at_us // 1000)
    last_ms = START_US // 1000 + 10_200
    for at_ms in range(last_ms, last_ms + 5_000, 100):
        said += made.advance(at_ms, at_ms * 1000)
    assert outcomes(said) == [Direction.IN]


def test_what_a_reader_held_for_longer_than_its_passage_was_never_makes_it_wrong() -> None:
    made = aggregator()
    late = half_a_load(made)
    down_ms = START_US // 1000 + 5_000
    made.device_down("dock-1", down_ms, down_ms * 1000, "unplugged")
    said = made.advance(down_ms + 119_000, 0)
    assert said == []
    said += made.advance(down_ms + 125_000, 0)
    assert not any(event.healthy for event in said if isinstance(event, Passage))
    made.device_up("dock-1", down_ms + 200_000, 0)
    for read in late:
        said += made.observe(read, read.at_us // 1000)
    said += made.advance(down_ms + 260_000, 0)
    found = outcomes(said)
    assert Direction.OUT not in found
    assert found.count(Direction.IN) <= 1


async def test_before_its_first_connection_ever_nobody_expected_it_to_see(tmp_path: Path) -> None:
    parts = Parts(tmp_path, seen_us=None)
    parts.clock.set(START_US + 60_000_000)
    await parts.connect()
    assert not any(isinstance(event, Blind) for event in await parts.said())
    await parts.close()


def test_a_read_moved_in_time_keeps_all_else() -> None:
    read = walk(epc(1), going_in(5.0))[0]
    assert isinstance(read, TagRead)
    moved = later(read, 5)
    assert isinstance(moved, TagRead)
    assert (moved.at_us, moved.epc, moved.rssi_dbm) == (read.at_us + 5, read.epc, read.rssi_dbm)
    gap = lost(1.0, 2.0, 3.0)
    assert later(gap, 7) == Lost(
        at_us=gap.at_us + 7,
        device=gap.device,
        from_us=gap.from_us + 7,
        to_us=gap.to_us + 7,
        reason=gap.reason,
    )
