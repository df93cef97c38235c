"""Unplugging, power-cycling and wrong clocks at a dock door: nothing lost, nothing twice, nothing wrong."""

import asyncio
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

import pytest

from edge.reads import TagRead
from tests.support.dock_faults import Agent, agent, dock
from tests.support.doors import epc, going_in, going_out, merged, walk
from wire.events import Clock, Direction, TagMovement

# Of what keeps time with a door, one at a time. Each plays a load or three, of some ten seconds.
pytestmark = [pytest.mark.timeout(120), pytest.mark.xdist_group("doors")]

# A gate that is switched on takes some seconds to learn what stands around it, before anything can be told to come.
LEARNING_S = 6.0
AT_S = 3.5  # when a load is over the sill, from its first read on


def load(first: int, *, out: bool = False, antennas: tuple[int, ...] = (1, 2)) -> list[TagRead]:
    """Five cases on a pallet that goes through the door in seven seconds."""
    way = going_out if out else going_in
    return merged(*(walk(epc(first + n), way(AT_S + n / 10), antennas=antennas) for n in range(5)))


def tags(first: int) -> set[str]:
    return {epc(first + n) for n in range(5)}


def told(movements: Sequence[TagMovement]) -> Counter[tuple[str, Direction]]:
    return Counter((movement.epc, movement.outcome) for movement in movements)


def once(first: int, way: Direction) -> Counter[tuple[str, Direction]]:
    return Counter((tag, way) for tag in tags(first))


def lived(movements: Sequence[TagMovement]) -> set[tuple[object, ...]]:
    return {(m.epc, m.outcome, m.confidence, m.mono_ms, m.at) for m in movements}


def on_time(movements: Sequence[TagMovement], began_s: float, ended_s: float, off_s: float = 0.0) -> bool:
    return all(
        began_s + off_s - 0.5 <= movement.at.timestamp() <= ended_s + off_s + 0.5 for movement in movements
    )


async def learn(made: Agent, *, wall: bool = False) -> None:
    await made.start(wall=wall)
    await asyncio.sleep(LEARNING_S)


async def test_a_reader_unplugged_in_the_middle_of_a_load_tells_the_rest_later_at_its_own_time(
    tmp_path: Path,
) -> None:
    async with dock() as door, agent(tmp_path, door) as made:
        await learn(made)
        going = asyncio.create_task(door.play(load(0)))
        await asyncio.sleep(2.5)
        door.unplug()
        span = await going
        await asyncio.sleep(2.0)
        assert made.movements() == []  # half a load is not decided upon
        door.plug()
        await made.connected(2)
        movements = await made.decided(5)
        assert told(movements) == once(0, Direction.IN)
        assert on_time(movements, *span)
        assert made.blinds() == []  # what it saw meanwhile it has told
        span = await door.play(load(10, out=True))
        movements = await made.decided(10)
        assert told(movements) == once(0, Direction.IN) + once(10, Direction.OUT)
        assert made.passages()[-1].healthy


async def test_a_link_that_stalls_in_the_middle_of_a_load_without_a_word_delays_what_is_said_of_it(
    tmp_path: Path,
) -> None:
    async with dock() as door, agent(tmp_path, door) as made:
        await learn(made)
        going = asyncio.create_task(door.play(load(0)))
        await asyncio.sleep(5.0)
        door.line.silent = True
        span = await going
        await asyncio.sleep(3.0)
        assert made.movements() == []
        door.line.silent = False
        movements = await made.decided(5, within_s=5.0)
        assert told(movements) == once(0, Direction.IN)
        assert on_time(movements, *span)
        assert made.log.count("dock-1: reading") == 1  # nobody had to reconnect
        assert made.passages()[-1].healthy


@pytest.mark.parametrize("after_s", [2.6, 3.0, 3.3, 3.6])
async def test_a_reader_that_lost_its_power_in_the_middle_of_a_load_was_blind_and_the_next_load_is_right(
    tmp_path: Path, after_s: float
) -> None:
    async with dock() as door, agent(tmp_path, door) as made:
        await learn(made)
        going = asyncio.create_task(door.play(load(0)))
        await asyncio.sleep(after_s)
        door.power_off()
        off_s = (await going)[1]
        door.power_on()  # knows no ROSpec, and believes that it is the year 2000
        await made.connected(2)
        await asyncio.sleep(2.0)
        span = await door.play(load(10))
        await made.decided(10)  # of the first load somebody is asked
        movements = [movement for movement in made.movements() if movement.epc in tags(10)]
        assert told(movements) == once(10, Direction.IN)
        assert on_time(movements, *span)
        half = told([movement for movement in made.movements() if movement.epc in tags(0)])
        assert half.keys() == {(tag, Direction.UNDECIDED) for tag in tags(0)} or half == once(0, Direction.IN)
        (blind,) = made.blinds()
        assert (blind.device, blind.reason[:6]) == ("dock-1", "away: ")
        assert off_s - 6.0 <= blind.from_at.timestamp() <= off_s <= blind.to_at.timestamp() <= off_s + 6.0
        assert made.passages()[-1].healthy


async def test_an_agent_that_lost_its_power_in_the_middle_of_a_load_goes_on_where_it_was(
    tmp_path: Path,
) -> None:
    async with dock() as door, agent(tmp_path, door) as made:
        await learn(made)
        going = asyncio.create_task(door.play(load(0)))
        await asyncio.sleep(3.0)
        made.kill()
        await asyncio.sleep(1.5)
        await made.start()
        span = await going
        movements = await made.decided(5)
        assert told(movements) == once(0, Direction.IN)
        assert on_time(movements, *span)
        made.kill()
        await door.play(load(10, out=True))  # while nobody is there at all
        await made.start()
        assert told(await made.decided(10)) == once(0, Direction.IN) + once(10, Direction.OUT)
        assert made.blinds() == []
        await asyncio.sleep(3.0)
        assert len(made.movements()) == 10


async def test_an_agents_wall_clock_set_right_in_the_middle_of_a_load_changes_no_movement(
    tmp_path: Path,
) -> None:
    """It began seven hours behind and unsynchronised, as a machine without a battery does after a power cut."""
    async with dock() as door, agent(tmp_path, door, trust=False) as made:
        made.set_wall(-7 * 3600)
        await learn(made, wall=True)
        began_s, ended_s = await door.play(load(0))
        movements = await made.decided(5)
        assert told(movements) == once(0, Direction.IN)
        assert {movement.clock for movement in movements} == {Clock.NOT_SYNCED}
        assert on_time(movements, began_s, ended_s, -7 * 3600)
        going = asyncio.create_task(door.play(load(10, out=True)))
        await asyncio.sleep(3.0)
        made.set_wall(0)
        await going
        movements = await made.decided(10)
        assert told(movements) == once(0, Direction.IN) + once(10, Direction.OUT)
        assert {movement.clock for movement in movements} == {Clock.NOT_SYNCED}
        span = await door.play(load(20))
        movements = (await made.decided(15))[10:]
        assert told(movements) == once(20, Direction.IN)
        assert on_time(movements, *span)


@pytest.mark.parametrize("hours", [1, -1])
async def test_an_agents_wall_clock_stepped_in_the_middle_of_a_load_changes_no_movement(
    tmp_path: Path, hours: int
) -> None:
    async with dock() as door, agent(tmp_path, door) as made:
        await learn(made, wall=True)
        going = asyncio.create_task(door.play(load(0)))
        await asyncio.sleep(3.5)
        made.set_wall(hours * 3600)
        began_s, _ = await going
        movements = await made.decided(5)
        assert told(movements) == once(0, Direction.IN)
        span = await door.play(load(10, out=True))
        movements = (await made.decided(10))[5:]
        assert told(movements) == once(10, Direction.OUT)
        assert on_time(movements, *span, off_s=hours * 3600)
        assert lived(made.replayed()) == lived(made.movements())
        first, second = made.passages()
        assert first.healthy
        assert second.healthy
        # What was measured on the steady clock is as long as it was.
        assert second.mono_ms - first.mono_ms == pytest.approx((span[0] - began_s) * 1000, abs=3000)
        made.kill()
        await made.start(wall=True)
        assert made.blinds() == []


async def test_a_readers_clock_wrong_by_days_and_stepping_changes_no_movement(tmp_path: Path) -> None:
    async with dock() as door, agent(tmp_path, door) as made:
        door.clock_offset_us = -3 * 86_400_000_000
        await learn(made)
        spans = []
        for number, step_s in enumerate((3600, -7200)):
            going = asyncio.create_task(door.play(load(10 * number)))
            await asyncio.sleep(3.0)
            door.clock_offset_us += step_s * 1_000_000
            spans.append(await going)
            movements = (await made.decided(5 * number + 5))[5 * number :]
            assert told(movements) == once(10 * number, Direction.IN)
            assert on_time(movements, *spans[-1])
        assert made.blinds() == []


async def test_an_antenna_that_comes_off_is_said_and_no_load_is_wrong_for_it(tmp_path: Path) -> None:
    antennas = (1, 2, 3, 4)
    async with dock(antennas) as door, agent(tmp_path, door) as made:
        await learn(made)
        await door.play(load(0, antennas=antennas))
        assert told(await made.decided(5)) == once(0, Direction.IN)
        assert made.passages()[-1].healthy
        going = asyncio.create_task(door.play(load(10, antennas=antennas)))
        await asyncio.sleep(2.0)
        door.reader.plug_antenna(3, connected=False)
        await going
        movements = (await made.decided(10))[5:]
        assert {movement.outcome for movement in movements} <= {Direction.IN, Direction.UNDECIDED}
        assert Counter(movement.epc for movement in movements) == Counter(tags(10))
        assert not made.passages()[-1].healthy
        assert "antenna 3 is disconnected" in made.log
        door.reader.plug_antenna(3, connected=True)
        await asyncio.sleep(1.0)
        blinds = made.blinds()
        assert {blind.reason.partition(" is ")[0].partition(" sees ")[0] for blind in blinds} == {"antenna 3"}
        assert (blinds[-1].to_at - blinds[0].from_at).total_seconds() > 5.0
        await door.play(load(20, antennas=antennas))
        assert told((await made.decided(15))[10:]) == once(20, Direction.IN)
        assert made.passages()[-1].healthy
