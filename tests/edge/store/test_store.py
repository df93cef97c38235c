import os
import sqlite3
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest

from edge.errors import StoreError, StoreFull
from edge.reads import TagRead, Trigger
from edge.store import lock, meta, outbox, schema
from edge.store.commands import KEEP_US, Handled
from edge.store.held import Trusted
from edge.store.journal import Timed, between
from edge.store.schema import open_to_read
from edge.store.store import Cycle, Started, Store
from wire import codec
from wire.events import Clock, DeviceUp, Missing, RunStarted

AT = datetime(2026, 11, 22, 9, tzinfo=UTC)
DAY_US = 86_400_000_000


class Time:
    def __init__(self) -> None:
        self.us = 1_795_338_000_000_000

    def __call__(self) -> int:
        return self.us


@pytest.fixture
def time() -> Time:
    return Time()


@pytest.fixture
def store(tmp_path: Path, time: Time) -> Iterator[Store]:
    made = Store(tmp_path / "edge.db", "store-042", now_us=time)
    made.start_run(run_started)
    yield made
    made.close()


def run_started(before: Started) -> RunStarted:
    return RunStarted(
        at=AT, clock=Clock.SYNCED, boot="b", mono_ms=1, versions={"stockbeat": "0.1.0"}, config_hash="sha256:0",
        previous_run=before.previous_run, previous_last_seq=before.previous_last_seq,
    )  # fmt: skip


def up(device: str = "dock-1") -> DeviceUp:
    return DeviceUp(at=AT, clock=Clock.SYNCED, boot="b", mono_ms=1, device=device)


def read(n: int) -> Timed:
    return n, TagRead(
        at_us=1000 * n, gate="dock-1", antenna=1, epc="3074257BF7194E4000001A85", rssi_dbm=-55.5
    )


def said(store: Store, count: int = 1) -> None:
    store.commit(Cycle(said=[up() for _ in range(count)], steady_ms=5))


def again(store: Store, time: Time) -> Store:
    store.close()
    return Store(store.path, store.edge, now_us=time)


def test_a_run_begins_with_who_came_before(store: Store, time: Time) -> None:
    first_run = store.run
    said(store, 2)
    second = again(store, time)
    second.start_run(run_started)
    assert second.run != first_run
    assert len(second.run) == 32
    ((seq, line),) = second.lines(second.run, [1])
    started = codec.decode(line).event
    assert isinstance(started, RunStarted)
    assert (seq, started.previous_run, started.previous_last_seq) == (1, first_run, 3)
    assert [(held.run, held.held_from, held.last) for held in second.held()] == [
        (first_run, 1, 3),
        (second.run, 1, 1),
    ]
    second.close()


def test_what_is_sent_again_is_the_same_to_the_byte(store: Store, time: Time) -> None:
    said(store, 3)
    run, lines = store.run, store.lines(store.run, [1, 2, 4])
    assert [seq for seq, _ in lines] == [1, 2, 4]
    second = again(store, time)
    assert second.lines(run, [1, 2, 4]) == lines
    assert codec.decode(lines[-1][1]).key == ("store-042", run, 4)
    second.close()


def test_events_state_and_position_are_saved_together_and_the_journal_goes_on_behind_them(
    store: Store, time: Time
) -> None:
    trigger = (7, Trigger(at_us=7000, gate="dock-1", input=1, on=True))
    first = store.commit(Cycle(reads=[read(1), read(2), trigger], steady_ms=5))
    second = store.commit(
        Cycle(said=[up()], state={"gate:dock-1": b"one"}, position=first, reads=[read(3)], steady_ms=6)
    )
    third = store.commit(Cycle(reads=[read(4)], steady_ms=7))
    store = again(store, time)
    assert store.states() == {"gate:dock-1": b"one"}
    assert store.tail() == [(second, [read(3)]), (third, [read(4)])]
    assert store.tail(0)[0] == (first, [read(1), read(2), trigger])
    assert store.steady_ms() == 7
    store.close()


def test_positions_are_never_given_twice(store: Store, time: Time) -> None:
    last = store.commit(Cycle(reads=[read(1)], steady_ms=1))
    store.commit(Cycle(state={}, position=last, steady_ms=1))
    store.make_room()
    assert store.tail(0) == []
    store = again(store, time)
    assert store.commit(Cycle(reads=[read(2)], steady_ms=2)) > last
    store.close()


def test_the_journal_is_a_ring_that_keeps_what_is_not_aggregated(tmp_path: Path, time: Time) -> None:
    ring = Store(tmp_path / "ring.db", "store-042", now_us=time, journal_bytes=2_000)
    first = ring.commit(Cycle(reads=[read(n) for n in range(30)], steady_ms=1))
    last = first
    for n in range(10):
        last = ring.commit(Cycle(reads=[read(n) for n in range(n, n + 30)], steady_ms=1))
    assert ring.tail(0)[0][0] == first  # nothing of it is aggregated yet
    assert ring.journal_bytes > 20_000
    ring.commit(Cycle(position=last, steady_ms=1))  # aggregated, but the state that says so is not saved
    ring.commit(Cycle(reads=[read(1)], steady_ms=1))
    assert ring.tail(0)[0][0] == first
    ring.commit(Cycle(state={}, position=last, steady_ms=1))
    left = ring.tail(0)
    assert len(left) < 3
    assert ring.journal_bytes == sum(
        size for (size,) in ring.connection.execute("SELECT length(batch) FROM journal")
    )
    assert ring.journal_bytes <= 2_000
    ring.close()


def test_settled_events_stay_for_a_while_and_the_last_of_a_run_for_long(store: Store, time: Time) -> None:
    run = store.run
    said(store, 9)
    store.settle(run, [(1, 4), (7, 8)], through=4)
    assert store.trim(7 * DAY_US) == {}
    time.us += 8 * DAY_US
    store.settle(run, [(1, 4)], through=4)  # said again: it is no younger for it
    assert store.trim(7 * DAY_US) == {run: 5}  # 7 and 8 have a gap before them
    store.settle(run, [(5, 6), (9, 10)], through=10)
    assert store.trim(7 * DAY_US) == {}
    time.us += 8 * DAY_US
    assert store.trim(7 * DAY_US) == {run: 10}
    assert store.trim(7 * DAY_US) == {}
    assert [held.settled for held in store.held()] == [((1, 10),)]
    second = again(store, time)
    second.start_run(run_started)
    time.us += 82 * DAY_US
    second.trim(7 * DAY_US)
    assert run in [held.run for held in second.held()]
    time.us += 91 * DAY_US
    second.trim(7 * DAY_US)
    assert [held.run for held in second.held()] == [second.run]
    second.close()


def test_what_is_not_acknowledged_is_never_trimmed(store: Store, time: Time) -> None:
    said(store, 5)
    time.us += 1000 * DAY_US
    assert store.trim(0) == {}
    while store.make_room() is not None:
        pass
    assert store.counts().waiting == 6
    assert store.counts().oldest_us == 1_795_338_000_000_000


def test_another_generation_unsettles_everything(store: Store) -> None:
    said(store, 3)
    assert store.trusted() is None
    store.trust(Trusted("ledger-1", 1), forget=False)
    store.settle(store.run, [(1, 3)], through=3)
    store.trust(Trusted("ledger-1", 2), forget=True)
    assert store.trusted() == Trusted("ledger-1", 2)
    (held,) = store.held()
    assert (held.settled, held.probe) == ((), True)
    assert store.counts().waiting == 4
    store.settle(store.run, [(1, 2)], through=2)
    (held,) = store.held()
    assert (held.settled, held.probe) == (((1, 2),), False)


def test_quarantine_and_its_declaration_come_together(store: Store) -> None:
    said(store, 3)
    missing = Missing(
        at=AT, clock=Clock.SYNCED, boot="b", mono_ms=1, run=store.run, from_seq=2, to_seq=2, reason="x"
    )
    store.declare(missing, store.run, (2, 2), "x", quarantine=True)
    (held,) = store.held()
    assert (held.quarantined, held.declared, held.last) == ((2,), ((2, 2),), 5)
    assert (store.counts().waiting, store.counts().quarantined) == (4, 1)
    ((_, line),) = store.lines(store.run, [5])
    assert isinstance(codec.decode(line).event, Missing)


def test_an_event_that_breaks_the_contract_is_counted_and_harms_no_other(store: Store) -> None:
    store.commit(Cycle(said=[up("dock-1"), up("no name at all"), up("dock-2")], steady_ms=1))
    assert store.refused == 1
    assert store.last_seq == 3
    devices = [codec.decode(line).event for _, line in store.lines(store.run, [2, 3])]
    assert [event.device for event in devices if isinstance(event, DeviceUp)] == ["dock-1", "dock-2"]


def test_a_run_that_cannot_begin_leaves_nothing_behind(store: Store) -> None:
    before = store.held()
    with pytest.raises(ValueError, match="config_hash"):
        store.start_run(lambda before: replace(run_started(before), config_hash=""))
    assert store.held() == before
    said(store)
    assert store.last_seq == 2


def test_a_full_disk_loses_nothing_that_was_committed_and_takes_the_same_later(store: Store) -> None:
    pages = store.connection.execute("PRAGMA page_count").fetchone()[0]
    store.connection.execute(f"PRAGMA max_page_count = {pages + 4}")
    cycle = Cycle(said=[up() for _ in range(20)], reads=[read(n) for n in range(50)], steady_ms=9)
    committed = 0

    def fill() -> None:
        nonlocal committed
        while True:
            store.commit(cycle)
            committed += 1

    with pytest.raises(StoreFull, match=r"edge\.db: database or disk is full"):
        fill()
    assert store.last_seq == 1 + 20 * committed
    assert len(store.lines(store.run, range(1, store.last_seq + 100))) == store.last_seq
    assert sum(len(reads) for _, reads in store.tail(0)) == 50 * committed
    store.connection.execute(f"PRAGMA max_page_count = {pages + 400}")
    store.commit(cycle)
    assert len(store.lines(store.run, range(1, 10_000))) == store.last_seq == 1 + 20 * (committed + 1)


def test_making_room_gives_pages_back_to_the_disk(store: Store) -> None:
    position = store.commit(Cycle(reads=[read(n) for n in range(20_000)], steady_ms=1))
    said(store, 2000)
    store.settle(store.run, [(1, 2001)], through=2001)
    store.commit(Cycle(state={}, position=position, steady_ms=1))
    assert store.journal_bytes > 1_000_000
    while store.make_room() is not None:
        pass
    on_disk = sum(path.stat().st_size for path in store.path.parent.glob("edge.db*"))
    assert on_disk < 200_000
    assert store.journal_bytes == 0
    assert store.counts().waiting == 0


def test_a_store_has_one_agent_and_one_edge(store: Store, time: Time, tmp_path: Path) -> None:
    assert lock.holder(store.path) == os.getpid()
    with pytest.raises(StoreError, match=rf"in use by process {os.getpid()}"):
        Store(store.path, "store-042", now_us=time)
    store.close()
    assert lock.holder(store.path) is None
    with pytest.raises(StoreError, match="belongs to the edge 'store-042', not 'store-043'"):
        Store(store.path, "store-043", now_us=time)
    Store(store.path, "store-042", now_us=time).close()


def test_a_newer_file_is_refused(store: Store, time: Time) -> None:
    store.connection.execute("PRAGMA user_version = 3")
    store.close()
    with pytest.raises(StoreError, match=r"newer program \(store version 3, this one knows 2\)"):
        Store(store.path, "store-042", now_us=time)
    with pytest.raises(StoreError, match="newer program"):
        open_to_read(store.path)


def test_a_file_that_is_not_ours_is_refused_and_left_alone(tmp_path: Path, time: Time) -> None:
    path = tmp_path / "other.db"
    connection = sqlite3.connect(path)
    connection.execute("CREATE TABLE t (a)")
    connection.close()
    before = path.read_bytes()
    with pytest.raises(StoreError, match="not the store of an edge"):
        Store(path, "store-042", now_us=time)
    assert path.read_bytes() == before
    path.write_text("no database")
    with pytest.raises(StoreError, match="not a database"):
        Store(path, "store-042", now_us=time)


def test_a_folder_that_is_not_there_is_said(tmp_path: Path, time: Time) -> None:
    with pytest.raises(StoreError, match=str(tmp_path / "none")):
        Store(tmp_path / "none" / "edge.db", "store-042", now_us=time)


def test_others_can_look_while_an_agent_writes(store: Store) -> None:
    store.commit(Cycle(reads=[read(n) for n in range(10)], steady_ms=1))
    store.trust(Trusted("ledger-1", 3), forget=False)
    looking = open_to_read(store.path)
    assert [ms for ms, _ in between(looking, 3000, 5000)] == [3, 4, 5]
    assert outbox.counts(looking).waiting == 1
    assert meta.trusted(looking) == Trusted("ledger-1", 3)
    said(store)
    assert outbox.counts(looking).waiting == 2
    with pytest.raises(sqlite3.OperationalError, match="readonly"):
        looking.execute("DELETE FROM outbox")
    looking.close()


def test_every_commit_reaches_the_disk(store: Store) -> None:
    assert store.connection.execute("PRAGMA synchronous").fetchone()[0] == 2  # FULL
    assert store.connection.execute("PRAGMA journal_mode").fetchone()[0] == "wal"
    assert store.connection.execute("PRAGMA auto_vacuum").fetchone()[0] == 2  # incremental
    assert store.connection.execute("PRAGMA user_version").fetchone()[0] == schema.VERSION


def test_a_store_of_the_first_version_is_brought_up_to_date(store: Store, time: Time) -> None:
    store.connection.executescript("DROP TABLE commands; PRAGMA user_version = 1;")
    store.close()
    again = Store(store.path, "store-042", now_us=time)
    assert again.handled("c-1") is None
    assert again.connection.execute("PRAGMA user_version").fetchone()[0] == schema.VERSION
    again.close()


def test_what_became_of_a_command_is_kept_until_it_is_long_expired(store: Store, time: Time) -> None:
    first = Handled("c-1", b"asked", b"done", expires_us=time() + 60_000_000)
    store.commit(Cycle(steady_ms=1, handled=[first]))
    store.commit(Cycle(steady_ms=2, handled=[Handled("c-1", b"other", b"refused", first.expires_us)]))
    assert store.handled("c-1") == first
    time.us += KEEP_US + 120_000_000
    store.commit(Cycle(steady_ms=3, handled=[Handled("c-2", b"asked", b"done", expires_us=time())]))
    assert store.handled("c-1") is None
    assert store.handled("c-2") is not None
