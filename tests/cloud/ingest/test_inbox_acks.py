import asyncio
import threading

from cloud.ingest.acks import Acks
from cloud.ingest.inbox import Inbox
from cloud.ingest.lines import Delivery
from tests.support.ledger import at
from wire.messages import Ack


def _delivery(text: str, edge: str = "store-042") -> Delivery:
    return Delivery(edge, text.encode(), at(0))


def _ack(through: int, run: str = "a" * 32) -> Ack:
    return Ack(ledger="l", generation=1, run=run, through=through)


def test_what_does_not_fit_is_dropped_and_counted() -> None:
    inbox = Inbox(max_bytes=10)
    assert [inbox.offer(_delivery("x" * 4)) for _ in range(3)] == [True, True, False]
    assert inbox.dropped == 1
    assert len(inbox.take(100, 0).deliveries) == 2
    assert inbox.offer(_delivery("x" * 10))


def test_as_much_is_taken_as_is_asked_for_but_at_least_one() -> None:
    inbox = Inbox()
    for text in ("aaaa", "bb", "cccc"):
        inbox.offer(_delivery(text))
    assert [one.payload for one in inbox.take(6, 0).deliveries] == [b"aaaa", b"bb"]
    assert [one.payload for one in inbox.take(1, 0).deliveries] == [b"cccc"]
    assert not inbox.take(1, 0)


def test_only_the_newest_telemetry_of_an_edge_waits() -> None:
    inbox = Inbox()
    inbox.telemetry(_delivery("old"))
    inbox.telemetry(_delivery("other", "store-007"))
    inbox.telemetry(_delivery("new"))
    inbox.presence(_delivery("online"))
    taken = inbox.take(1, 0)
    assert [one.payload for one in taken.telemetry] == [b"new", b"other"]
    assert [one.payload for one in taken.presence] == [b"online"]


def test_a_waiting_thread_is_woken_by_what_comes_and_by_closing() -> None:
    inbox = Inbox()
    taken: list[int] = []

    def take_twice() -> None:
        taken.append(len(inbox.take(1, 5).deliveries))
        taken.append(len(inbox.take(1, 5).deliveries))

    thread = threading.Thread(target=take_twice)
    thread.start()
    inbox.offer(_delivery("x"))
    inbox.close()
    thread.join(4)
    assert taken == [1, 0]


async def test_a_run_is_told_its_newest_state_at_most_twice_a_second() -> None:
    clock = [100.0]
    acks = Acks(lambda: clock[0])
    acks.put("store-042", _ack(1))
    acks.put("store-042", _ack(2))
    acks.put("store-042", _ack(7, "b" * 32))
    assert [(edge, ack.through) for edge, ack in await acks.take()] == [("store-042", 2), ("store-042", 7)]

    acks.put("store-042", _ack(3))
    waiting = asyncio.create_task(acks.take())
    await asyncio.sleep(0)
    assert not waiting.done()
    clock[0] += 0.5
    acks.put("store-042", _ack(4))
    assert [ack.through for _, ack in await waiting] == [4]


async def test_one_that_could_not_be_told_is_told_again_unless_newer_is_known() -> None:
    clock = [0.0]
    acks = Acks(lambda: clock[0])
    acks.put("store-042", _ack(1))
    ((edge, ack),) = await acks.take()
    acks.put("store-042", _ack(2))
    acks.again(edge, ack)
    clock[0] += 1
    assert [told.through for _, told in await acks.take()] == [2]


async def test_a_thread_wakes_the_task_that_tells() -> None:
    acks = Acks(lambda: 0.0)
    waiting = asyncio.create_task(acks.take())
    await asyncio.sleep(0)
    thread = threading.Thread(target=acks.put, args=("store-042", _ack(1)))
    thread.start()
    assert len(await asyncio.wait_for(waiting, 5)) == 1
    thread.join()
