"""Events from bytes to the ledger, as the booking thread does it, on SQLite."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import select

from cloud.ingest.lines import Delivery
from cloud.ingest.order import PATIENCE
from cloud.ingest.retry import retry
from cloud.ledger.tables import (
    agents,
    conflicts,
    devices,
    edges,
    envelopes,
    incidents,
    levels,
    movements,
    rule_states,
    runs,
    tasks,
)
from cloud.ledger.verify import verify
from cloud.masterdata.load import load
from tests.support.ledger import (
    CAN,
    CASE,
    CASE_TAG,
    EDGE,
    ITEMS,
    RUN,
    SITES,
    Cloud,
    at,
    change,
    crossing,
    new_ledger,
    write_master,
)
from tests.support.said import EVENTS, TELEMETRY
from wire.codec import encode_telemetry
from wire.events import Blind, Clock, Direction, Missing, RunStarted

GOLDEN = Path(__file__).parents[2] / "wire" / "golden" / "v1"
EARLIER = "f" * 32


@pytest.fixture
def cloud(tmp_path: Path) -> Iterator[Cloud]:
    database = new_ledger(f"sqlite:///{tmp_path / 'ledger.db'}")
    yield Cloud(database, write_master(tmp_path / "master"))
    with database.read() as connection:
        assert verify(connection) == []
    database.close()


def _states(cloud: Cloud) -> dict[int, tuple[str, str]]:
    with cloud.database.read() as connection:
        rows = connection.execute(select(envelopes).order_by(envelopes.c.seq))
        return {row.seq: (row.state, row.reason) for row in rows}


def _incidents(cloud: Cloud) -> list[str]:
    with cloud.database.read() as connection:
        return list(connection.scalars(select(incidents.c.kind).order_by(incidents.c.id)))


def _progress(cloud: Cloud, run: str = RUN) -> tuple[int, list[list[int]]]:
    with cloud.database.read() as connection:
        row = connection.execute(select(runs).where(runs.c.run == run)).one()
        return row.through, row.ranges


async def _acks(cloud: Cloud) -> dict[str, tuple[int, tuple[tuple[int, int], ...]]]:
    return {ack.run: (ack.through, ack.ranges) for _, ack in await cloud.acks.take()}


def test_one_pallet_tag_and_one_pick_all_the_way(cloud: Cloud) -> None:
    started = EVENTS["run_started"]
    cloud.book(started, crossing(seconds=2.7), change(-1, seconds=301.9))

    with cloud.database.read() as connection:
        rows = connection.execute(
            select(movements).where(movements.c.kind != "opening").order_by(movements.c.position)
        ).all()
        receipt, pick = rows
        assert (receipt.position, pick.position) == (3, 4)
        assert (receipt.kind, receipt.quantity, receipt.event_at) == ("receipt", 1, at(2.7))
        assert (pick.kind, pick.quantity, pick.event_at) == ("pick", 1, at(301.9))
        assert (receipt.source, pick.source) == (f"event:{EDGE}:{RUN}:2", f"event:{EDGE}:{RUN}:3")
        assert receipt.recorded_at == pick.recorded_at == cloud.now
        assert receipt.evidence["epc"] == CASE_TAG
        assert pick.evidence["grams"] == -329.3
        rule = connection.execute(select(rule_states).where(rule_states.c.location_id == pick.src_id)).one()
        assert (rule.rule, rule.state, rule.since, rule.value) == ("bay-low", "pending", at(301.9), 3)
    assert cloud.stock(CASE) == {"supplier": -1, "backroom": 1}
    assert cloud.stock(CAN) == {"opening": -44, "A1": 3, "basket": 1, "backroom": 40}


async def test_everything_is_acknowledged_and_duplicates_again(cloud: Cloud) -> None:
    lines = cloud.book(crossing(), change(-1))
    assert await _acks(cloud) == {RUN: (2, ())}

    again = Cloud(cloud.database)
    again.deliver(lines)

    assert await _acks(again) == {RUN: (2, ())}
    assert (again.ingest.counts.events, again.ingest.counts.duplicates) == (0, 2)
    assert cloud.stock(CAN)["A1"] == 3


async def test_what_comes_out_of_order_is_acknowledged_as_ranges(cloud: Cloud) -> None:
    lines = cloud.lines([crossing(f"3074257BF7194E4000{n:06X}", seconds=n) for n in range(1, 7)])
    cloud.deliver(lines[3:5])
    assert await _acks(cloud) == {RUN: (0, ((4, 5),))}
    cloud.deliver([lines[0], lines[1], lines[5]])
    assert _progress(cloud) == (2, [[4, 6]])


def test_what_cannot_be_read_harms_nothing_else(cloud: Cloud) -> None:
    good = cloud.lines([crossing(), change(-1)])
    foreign = cloud.lines([change(-1, seconds=400)], edge="store-007")
    broken = json.dumps(
        {"v": 1, "edge": EDGE, "run": RUN, "seq": 9, "event": {"type": "shelf_change"}}
    ).encode()
    unknown = json.dumps({"v": 1, "edge": EDGE, "run": RUN, "seq": 10, "event": {"type": "scent"}}).encode()

    cloud.deliver([good[0], b"{nonsense", *foreign, broken, unknown, good[1]])

    states = _states(cloud)
    assert [states[seq][0] for seq in (1, 2, 9, 10)] == ["booked", "booked", "parked", "unbooked"]
    assert "at" in states[9][1]
    assert "scent" in states[10][1]
    counts = cloud.ingest.counts
    assert (counts.unreadable, counts.foreign, counts.parked, counts.events) == (1, 1, 1, 4)
    assert _progress(cloud) == (2, [[9, 10]])


def test_a_payload_longer_than_allowed_is_counted(cloud: Cloud) -> None:
    cloud.ingest.book([Delivery(EDGE, b"x" * 300_000, cloud.now)])
    assert cloud.ingest.counts.unreadable == 1


def test_the_same_key_with_other_bytes_is_kept_with_an_incident(cloud: Cloud) -> None:
    first = cloud.lines([change(-1)])[0]
    other = first.replace(b'"units":-1', b'"units":-2')
    cloud.deliver([first, other])
    cloud.deliver([other])

    with cloud.database.read() as connection:
        assert list(connection.scalars(select(conflicts.c.line))) == [other]
        assert connection.scalar(select(envelopes.c.line)) == first
    assert _incidents(cloud) == ["conflicting_event"]
    assert cloud.stock(CAN)["A1"] == 3


def test_what_cannot_be_booked_is_parked_and_the_rest_goes_on(cloud: Cloud) -> None:
    cloud.book(
        crossing(gate="dock-9"),
        change(-1, bay="Z9"),
        change(None, item=None),
        change(-1, item="09506000999990"),
        change(-1),
    )

    states = _states(cloud)
    assert [states[seq][0] for seq in range(1, 6)] == ["parked"] * 4 + ["booked"]
    assert "no site has a gate 'dock-9'" in states[1][1]
    assert "no site has a bay 'Z9'" in states[2][1]
    assert "'ok' says item and units" in states[3][1]
    assert "no item has the GTIN 09506000999990" in states[4][1]
    assert _progress(cloud) == (5, [])
    assert cloud.stock(CAN)["A1"] == 3


def test_an_error_that_shows_only_in_the_database_parks_its_event_alone(cloud: Cloud) -> None:
    with cloud.database.write() as connection:
        connection.exec_driver_sql(
            "CREATE TRIGGER planted BEFORE INSERT ON movements WHEN NEW.quantity = 3"
            " BEGIN SELECT RAISE(ABORT, 'three is refused'); END"
        )
    cloud.book(change(-1, seconds=1), change(-3, seconds=2), Missing(
        at=at(3), clock=Clock.SYNCED, boot="boot-1", mono_ms=3000, run=EARLIER, from_seq=1, to_seq=4, reason="lost"
    ), change(1, seconds=4))  # fmt: skip

    assert [state for state, _ in _states(cloud).values()] == ["booked", "parked", "booked", "booked"]
    assert "three is refused" in _states(cloud)[2][1]
    assert cloud.stock(CAN)["A1"] == 4
    assert _progress(cloud, EARLIER) == (4, [])


def test_an_edge_nobody_enrolled_waits_for_a_person(cloud: Cloud, tmp_path: Path) -> None:
    cloud.book(EVENTS["run_started"], crossing(), edge="store-100")
    assert [state for state, _ in _states(cloud).values()] == ["booked", "parked"]
    assert "'store-100' is enrolled at no site" in _states(cloud)[2][1]

    more = """
[[site]]
name = "store-100"
time_zone = "Europe/Paris"
edges = ["store-100"]
places = ["yard", "backroom"]
gates = [ { edge = "store-100", gate = "dock-1", outside = "yard", inside = "backroom" } ]
"""
    load(cloud.database, write_master(tmp_path / "more", sites=SITES + more), cloud.now)
    retried = retry(cloud.database, cloud.now)

    assert (retried.booked, retried.parked) == (1, {})
    assert cloud.stock(CASE, "store-100") == {"supplier": -1, "backroom": 1}
    assert retry(cloud.database, cloud.now).booked == 0


def test_a_time_from_the_future_or_unsynced_is_booked_at_receipt_and_flagged(cloud: Cloud) -> None:
    cloud.book(crossing(seconds=7200), change(-1))
    cloud.book(crossing("3074257BF7194E4000001A86", seconds=1, clock=Clock.NOT_SYNCED))

    with cloud.database.read() as connection:
        query = select(movements.c.event_at, movements.c.evidence).where(movements.c.kind == "receipt")
        future, unsynced = connection.execute(query.order_by(movements.c.position)).all()
    assert future.event_at == unsynced.event_at == cloud.now
    assert future.evidence["booked_at_receipt"] == "from the future"
    assert future.evidence["said_at"] == at(7200).isoformat()
    assert unsynced.evidence["booked_at_receipt"] == "clock not synchronised"


def test_missing_is_stepped_over_with_an_incident_once(cloud: Cloud) -> None:
    cloud.book(change(-1, seconds=1), change(-1, seconds=2), run=EARLIER)
    missing = Missing(
        at=at(9), clock=Clock.SYNCED, boot="b", mono_ms=9000, run=EARLIER, from_seq=2, to_seq=7, reason="disk"
    )
    cloud.book(missing)
    cloud.book(missing)

    assert _progress(cloud, EARLIER) == (7, [])
    assert _incidents(cloud) == ["missing_events"]


def _started(previous: str | None, last: int | None) -> RunStarted:
    return RunStarted(
        at=at(0), clock=Clock.SYNCED, boot="b", mono_ms=0, previous_run=previous, previous_last_seq=last,
        versions={"stockbeat": "0.1.0"}, config_hash="x",
    )  # fmt: skip


def test_a_run_that_follows_properly_is_no_incident(cloud: Cloud) -> None:
    cloud.book(_started(None, None), change(-1), run=EARLIER)
    cloud.book(_started(EARLIER, 2))
    cloud.book(_started(RUN, 5), run="e" * 32)  # what it still holds of RUN comes later
    assert _incidents(cloud) == []


@pytest.mark.parametrize(
    "started, kind", [(_started(None, None), "lost_outbox"), (_started(EARLIER, 1), "restored_edge")]
)
def test_a_lost_outbox_and_an_old_image_are_seen(cloud: Cloud, started: RunStarted, kind: str) -> None:
    cloud.book(_started(None, None), change(-1), run=EARLIER)
    cloud.book(started)
    assert _incidents(cloud) == [kind]


def test_two_runs_that_follow_the_same_one_are_seen(cloud: Cloud) -> None:
    cloud.book(_started(None, None), run=EARLIER)
    cloud.book(_started(EARLIER, 1), run="e" * 32)
    cloud.book(_started(EARLIER, 1))
    assert _incidents(cloud) == ["restored_edge"]


def test_golden_lines_of_version_1_are_never_parked_when_the_site_knows_their_things(
    cloud: Cloud, tmp_path: Path
) -> None:
    bottle = "09506000134369,Bottle,each,505,A,\n"
    load(cloud.database, write_master(tmp_path / "more", items=ITEMS + bottle), cloud.now)
    lines = [path.read_bytes().strip() for path in sorted(GOLDEN.glob("*.json"))]
    events = [line for line in lines if b'"event"' in line]
    assert len(events) >= 11
    cloud.deliver(events)
    cloud.now += PATIENCE  # the golden run follows one that was never delivered
    cloud.ingest.release()
    assert {state for state, _ in _states(cloud).values()} == {"booked"}


def test_telemetry_and_presence_show_the_newest_and_book_nothing(cloud: Cloud) -> None:
    cloud.now = at(60)
    up, down = EVENTS["device_up"], EVENTS["device_down"]
    cloud.book(down, up, EVENTS["watermark"])  # the later one came first
    cloud.ingest.newest(
        [Delivery(EDGE, encode_telemetry(TELEMETRY), cloud.now), Delivery(EDGE, b"{", cloud.now)],
        [Delivery(EDGE, b"online", cloud.now), Delivery("store-007", b"asleep", cloud.now)],
    )

    with cloud.database.read() as connection:
        shown = {row.device: (row.state, row.detail) for row in connection.execute(select(devices))}
        edge = connection.execute(select(edges).where(edges.c.edge == EDGE)).one()
        level = connection.execute(select(levels)).one()
        assert connection.execute(select(agents.c.health)).scalar_one()["events_held"] == 3
        kinds = set(connection.scalars(select(movements.c.kind)))
    assert shown == {
        "dock-1": ("up", "firmware 5.12"),
        "aisle-1": ("down", "/dev/ttyUSB0: the device closed the connection"),
    }
    assert (edge.presence, edge.complete_to) == ("online", at(38))
    assert (level.units, level.grams) == (3, 991.2)
    assert kinds == {"opening"}
    assert cloud.ingest.counts.unreadable == 2


def test_a_device_that_could_not_see_is_one_incident_from_first_to_last_and_books_nothing(
    cloud: Cloud,
) -> None:
    before = cloud.stock(CAN)
    cloud.book(blind(20.0, 30.0, "antenna 3 is disconnected"), blind(9.0, 12.0, "unplugged"))
    cloud.book(blind(30.0, 45.0, "antenna 3 sees again"))
    with cloud.database.read() as connection:
        (row,) = connection.execute(select(incidents)).all()
    assert (row.kind, row.subject) == ("blind", f"{EDGE}/aisle-1")
    assert (row.details["from"], row.details["to"]) == (at(9.0).isoformat(), at(45.0).isoformat())
    assert row.details["why"] == "antenna 3 sees again"
    assert [span["why"] for span in row.details["spans"]] == [
        "antenna 3 is disconnected",
        "unplugged",
        "antenna 3 sees again",
    ]
    assert cloud.stock(CAN) == before


def blind(from_s: float, to_s: float, reason: str) -> Blind:
    return Blind(
        at=at(to_s), clock=Clock.SYNCED, boot="b", mono_ms=1, device="aisle-1", from_at=at(from_s),
        to_at=at(to_s), reason=reason,
    )  # fmt: skip


def test_negative_stock_is_booked_and_told_once_while_it_lasts(cloud: Cloud) -> None:
    cloud.book(change(-5, seconds=1), change(-1, seconds=2))
    assert cloud.stock(CAN)["A1"] == -2
    cloud.book(change(3, seconds=3))

    with cloud.database.read() as connection:
        rows = connection.execute(select(incidents)).all()
    assert [(row.kind, row.subject) for row in rows] == [("negative_stock", f"store-042/A1/{CAN}")]
    assert rows[0].closed_at is not None


def test_tasks_of_undecided_tags_go_by_load(cloud: Cloud) -> None:
    cloud.book(
        crossing(outcome=Direction.UNDECIDED, confidence=0.5, passage="p1"),
        crossing("3074257BF7194E4000001A86", confidence=0.8, passage="p1", seconds=3),
        crossing("3074257BF7194E4000001A87", outcome=Direction.TURNED_BACK, passage="p1", seconds=3),
    )
    with cloud.database.read() as connection:
        task = connection.execute(select(tasks)).one()
    assert (task.kind, task.subject) == ("undecided", f"{EDGE}/p1")
    assert [(tag["epc"][-2:], tag["confidence"]) for tag in task.details["tags"]] == [
        ("85", 0.5),
        ("86", 0.8),
    ]
    assert cloud.stock(CASE) == {}
