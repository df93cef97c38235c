"""What an edge said is booked as if it had come in order, whatever the pipe lost, doubled or reordered."""

import itertools
import tempfile
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import select

from cloud.ingest.order import PATIENCE
from cloud.ledger.tables import envelopes
from tests.support.ledger import CAN, RUN, Cloud, at, change, crossing, new_ledger, write_master
from wire.events import Clock, Event, RunStarted

EARLIER = "f" * 32


@pytest.fixture
def cloud(tmp_path: Path) -> Iterator[Cloud]:
    database = new_ledger(f"sqlite:///{tmp_path / 'ledger.db'}")
    yield Cloud(database, write_master(tmp_path / "master"))
    database.close()


def states(cloud: Cloud) -> list[str]:
    with cloud.database.read() as connection:
        return list(connection.scalars(select(envelopes.c.state).order_by(envelopes.c.run, envelopes.c.seq)))


def started(previous: str | None, last: int | None) -> RunStarted:
    return RunStarted(
        at=at(0), clock=Clock.SYNCED, boot="b", mono_ms=0, previous_run=previous, previous_last_seq=last,
        versions={"stockbeat": "0.1.0"}, config_hash="x",
    )  # fmt: skip


# Two are taken; the bay is low for longer than the rule's 30 s; two are added, which is therefore a refill.
TAKEN, ADDED = change(-2, seconds=10), change(+2, seconds=60)
REFILLED = {"A1": 4, "backroom": 38, "basket": 2, "opening": -44}


async def test_a_change_waits_for_what_was_said_before_it_and_is_booked_as_if_it_had_come_in_order(
    cloud: Cloud,
) -> None:
    taken, added = cloud.lines([TAKEN, ADDED])
    cloud.deliver([added])
    assert states(cloud) == ["waiting"]
    assert [(ack.through, ack.ranges) for _, ack in await cloud.acks.take()] == [(0, ((2, 2),))]  # it is safe
    cloud.deliver([taken])
    assert states(cloud) == ["booked", "booked"]
    assert cloud.stock(CAN) == REFILLED


def test_a_change_waits_for_the_rest_of_the_run_before(cloud: Cloud) -> None:
    start, taken = cloud.lines([started(None, None), TAKEN], run=EARLIER)
    cloud.deliver([start])
    cloud.book(started(EARLIER, 2), ADDED)
    assert states(cloud) == ["booked", "waiting", "booked"]
    cloud.deliver([taken])
    cloud.ingest.release()
    assert cloud.stock(CAN) == REFILLED


def test_what_never_comes_is_waited_for_once(cloud: Cloud) -> None:
    _, second, third = cloud.lines([TAKEN, change(-1, seconds=20), change(-1, seconds=21)])
    cloud.deliver([second])
    cloud.now += PATIENCE - timedelta(seconds=1)
    cloud.ingest.release()
    assert states(cloud) == ["waiting"]
    cloud.now += timedelta(seconds=1)
    cloud.ingest.release()
    cloud.deliver([third])
    assert states(cloud) == ["booked", "booked"]
    assert cloud.stock(CAN)["A1"] == 2


def test_a_run_that_the_ledger_never_heard_of_is_not_waited_for(cloud: Cloud) -> None:
    cloud.book(started(EARLIER, 900), TAKEN)
    assert states(cloud) == ["booked", "booked"]


def test_tags_do_not_wait(cloud: Cloud) -> None:
    _, second = cloud.lines([TAKEN, crossing()])
    cloud.deliver([second])
    assert states(cloud) == ["booked"]


def test_runs_that_name_each_other_end_no_loop(cloud: Cloud) -> None:
    cloud.book(started(RUN, 9), run=EARLIER)
    cloud.book(started(EARLIER, 9), TAKEN)
    cloud.now += PATIENCE
    cloud.ingest.release()
    cloud.ingest.release()
    assert "waiting" not in states(cloud)


STORY: tuple[Event, ...] = (
    change(-2, seconds=10),
    change(+1, seconds=15),
    change(-2, seconds=20),
    change(+2, seconds=60),
    change(-1, seconds=70),
    change(+6, seconds=110),
    change(-1, seconds=120),
    change(+1, seconds=125),
)


@pytest.mark.timeout(90)  # each example makes a ledger of its own
@settings(max_examples=20, deadline=None)
@given(order=st.permutations(range(len(STORY) + 2)), cuts=st.sets(st.integers(1, 9)), turn=st.integers(1, 7))
def test_any_order_of_delivery_books_the_same(order: list[int], cuts: set[int], turn: int) -> None:
    with tempfile.TemporaryDirectory() as folder:
        database = new_ledger(f"sqlite:///{folder}/ledger.db")
        cloud = Cloud(database, write_master(Path(folder) / "master"))
        first = cloud.lines([started(None, None), *STORY[:turn]], run=EARLIER)
        lines = [*first, *cloud.lines([started(EARLIER, len(first)), *STORY[turn:]])]
        marks = [0, *sorted(cuts), len(lines)]
        # The earlier run's start is there: a run that the ledger never heard of is not waited for.
        cloud.deliver(first[:1])
        for begin, end in itertools.pairwise(marks):
            if batch := [lines[n] for n in order[begin:end]]:
                cloud.deliver(batch)
        cloud.ingest.release()
        assert set(states(cloud)) == {"booked"}
        assert cloud.stock(CAN) == {"A1": 8, "backroom": 32, "basket": 4, "opening": -44}
        database.close()
