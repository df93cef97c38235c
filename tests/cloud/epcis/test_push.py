"""Pushing to a repository on a real port: what it is given, and through which troubles, on SQLite."""

import logging
from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select

from cloud.epcis import outbox
from cloud.epcis.capture import Repository as Client
from cloud.epcis.export import export
from cloud.epcis.ledger import sites_named
from cloud.epcis.manner import Manner
from cloud.epcis.outbox import State
from cloud.epcis.push import EpcisPush
from cloud.ingest.retry import retry
from cloud.ledger.tables import cursors, epcis_events, incidents, sites
from cloud.masterdata.load import load
from tests.support.epcis_repository import Repository, repository
from tests.support.ledger import CASE_TAG, ITEMS, Cloud, at, crossing, new_ledger, passage, write_master
from wire.events import Direction

MANNER = Manner("https://stock.example")


class Clock:
    def __init__(self) -> None:
        self.now = at(3600)

    def __call__(self) -> datetime:
        return self.now

    def wait(self, seconds: float) -> None:
        self.now += timedelta(seconds=seconds)


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def cloud(tmp_path: Path) -> Iterator[Cloud]:
    database = new_ledger(f"sqlite:///{tmp_path / 'ledger.db'}")
    yield Cloud(database, write_master(tmp_path / "master"))
    database.close()


@pytest.fixture
def remote() -> Iterator[tuple[Repository, str]]:
    with repository() as made:
        yield made


_CLIENTS: list[Client] = []


@pytest.fixture(autouse=True)
def _close_clients() -> Iterator[None]:
    yield
    while _CLIENTS:
        _CLIENTS.pop().close()


def pushing(
    cloud: Cloud, url: str, clock: Clock, *, token: str = "", since: datetime | None = None
) -> EpcisPush:
    client = Client(url, token)
    _CLIENTS.append(client)
    return EpcisPush(cloud.database, client, MANNER, since=since, now=clock)


def loads(cloud: Cloud, *seconds: int) -> None:
    """A load a second given, each of one case of its own."""
    for second in seconds:
        name = f"p{second}"
        epc = f"3074257BF7194E40{second:08X}"
        cloud.book(crossing(epc, seconds=second, passage=name), passage(name, second + 2))


def booked(cloud: Cloud, clock: Clock) -> set[str]:
    """The ids of all that the ledger has to tell."""
    with cloud.database.read() as connection:
        ids = list(sites_named(connection).values())
        return {event["eventID"] for event in export(connection, ids, MANNER, now=clock())}


def states(cloud: Cloud) -> dict[str, int]:
    with cloud.database.read() as connection:
        return {state: count for state, count in outbox.counts(connection).items() if count}


def open_incidents(cloud: Cloud) -> list[tuple[str, Any]]:
    with cloud.database.read() as connection:
        rows = connection.execute(select(incidents).where(incidents.c.closed_at.is_(None))).all()
    return [(row.subject, row.details) for row in rows if row.kind == outbox.INCIDENT]


def test_what_is_booked_is_told_once(cloud: Cloud, clock: Clock, remote: tuple[Repository, str]) -> None:
    there, url = remote
    there.token = "secret"
    loads(cloud, 1, 2, 3)
    push = pushing(cloud, url, clock, token="secret")
    push.step()
    assert set(there.events) == booked(cloud, clock)
    assert (len(there.posts), states(cloud), push.trouble) == (1, {"taken": 3}, "")
    assert there.posts[0]["type"] == "EPCISDocument"
    assert there.headers[0]["GS1-EPCIS-Version"] == "2.0.0"
    push.step()
    pushing(cloud, url, clock, token="secret").step()  # after a restart
    assert len(there.posts) == 1
    loads(cloud, 4)
    push.step()
    assert [len(post["epcisBody"]["eventList"]) for post in there.posts] == [3, 1]


def test_more_than_a_document_holds_goes_in_several(
    cloud: Cloud, clock: Clock, remote: tuple[Repository, str]
) -> None:
    there, url = remote
    loads(cloud, *range(1, outbox.AT_ONCE + 8))
    pushing(cloud, url, clock).step()
    assert [len(post["epcisBody"]["eventList"]) for post in there.posts] == [outbox.AT_ONCE, 7]


def test_an_outage_loses_nothing_and_doubles_nothing(cloud: Cloud, clock: Clock) -> None:
    with repository() as (there, url):
        loads(cloud, 1)
        push = pushing(cloud, url, clock)
        push.step()
    port = int(url.split(":")[2].split("/")[0])
    for second in (2, 3, 4):
        loads(cloud, second)
        push.step()
        assert "ConnectError" in push.trouble
        clock.wait(120)
    with repository(port, there):
        push.step()
    assert set(there.events) == booked(cloud, clock)
    assert [len(post["epcisBody"]["eventList"]) for post in there.posts] == [1, 3]
    assert push.trouble == ""


@pytest.mark.parametrize("status", [500, 502, 503, 401, 403, 404, 408, 429, 301])
def test_what_is_no_fault_of_the_document_is_tried_for_ever(
    cloud: Cloud, clock: Clock, remote: tuple[Repository, str], status: int, caplog: pytest.LogCaptureFixture
) -> None:
    there, url = remote
    there.answers = [(status, {})] * 12
    loads(cloud, 1)
    push = pushing(cloud, url, clock)
    for _ in range(12):
        assert push.step() <= 5  # news is looked for meanwhile
        assert str(status) in push.trouble
        clock.wait(61)
    assert states(cloud) == {"due": 1}
    push.step()
    assert set(there.events) == booked(cloud, clock)
    assert len(there.posts) == 13
    said = [record for record in caplog.records if record.levelno >= logging.WARNING]
    assert len(said) == 1  # once, not twelve times


def test_it_waits_longer_each_time_and_as_long_as_it_is_asked_to(
    cloud: Cloud, clock: Clock, remote: tuple[Repository, str]
) -> None:
    there, url = remote
    loads(cloud, 1)
    push = pushing(cloud, url, clock)
    there.answers = [(500, {})] * 6 + [(503, {"Retry-After": "7"})]
    tried = []
    for second in range(80):
        before = len(there.posts)
        push.step()
        if len(there.posts) > before:
            tried.append(second)
        clock.wait(1)
    assert tried == [0, 1, 3, 7, 15, 31, 63, 70]


def test_a_refused_event_is_set_aside_and_shown_and_the_others_go_on(
    cloud: Cloud, clock: Clock, remote: tuple[Repository, str]
) -> None:
    there, url = remote
    loads(cloud, 1, 2, 3)
    bad = min(booked(cloud, clock))
    there.bad = {bad}
    push = pushing(cloud, url, clock)
    push.step()
    assert set(there.events) == booked(cloud, clock) - {bad}
    assert states(cloud) == {"taken": 2, "refused": 1}
    (incident,) = open_incidents(cloud)
    assert incident[0] == bad
    assert "400" in incident[1]["why"]
    assert incident[1]["gate"] == "dock-1"
    loads(cloud, 4)
    push.step()
    assert set(there.events) == booked(cloud, clock) - {bad}

    there.bad = set()  # somebody has put right what was wrong over there
    with cloud.database.write() as connection:
        assert outbox.again(connection, clock()) == 1
    push.step()
    assert set(there.events) == booked(cloud, clock)
    assert open_incidents(cloud) == []


@pytest.mark.parametrize("status", [400, 413, 415, 422])
def test_one_that_is_refused_alone_is_not_asked_about_again(
    cloud: Cloud, clock: Clock, remote: tuple[Repository, str], status: int
) -> None:
    there, url = remote
    there.answers = [(status, {})]
    loads(cloud, 1)
    push = pushing(cloud, url, clock)
    push.step()
    push.step()
    assert (len(there.posts), states(cloud)) == (1, {"refused": 1})


def test_what_is_there_already_is_taken(cloud: Cloud, clock: Clock, remote: tuple[Repository, str]) -> None:
    there, url = remote
    there.answers = [(409, {})]
    loads(cloud, 1)
    pushing(cloud, url, clock).step()
    assert states(cloud) == {"taken": 1}


def test_a_lost_answer_sends_the_same_again_under_the_same_id(
    cloud: Cloud, clock: Clock, remote: tuple[Repository, str]
) -> None:
    there, url = remote
    there.drop_after_taking = True
    loads(cloud, 1, 2)
    push = pushing(cloud, url, clock)
    push.step()
    assert "RemoteProtocolError" in push.trouble
    there.drop_after_taking = False
    loads(cloud, 3)
    clock.wait(5)
    push.step()
    assert len(there.events) == 3
    assert set(there.events) == booked(cloud, clock)


def test_a_capture_job_is_asked_until_it_has_ended(
    cloud: Cloud, clock: Clock, remote: tuple[Repository, str]
) -> None:
    there, url = remote
    there.jobs, there.polls_until_done = True, 2
    loads(cloud, 1)
    push = pushing(cloud, url, clock)
    push.step()
    assert states(cloud) == {"handed": 1}
    push.step()
    assert states(cloud) == {"handed": 1}
    pushing(cloud, url, clock).step()  # a restart does not forget it
    assert (states(cloud), len(there.posts)) == ({"taken": 1}, 1)


def test_a_job_that_fails_later_is_a_refusal(
    cloud: Cloud, clock: Clock, remote: tuple[Repository, str]
) -> None:
    there, url = remote
    there.jobs = True
    loads(cloud, 1, 2, 3)
    bad = min(booked(cloud, clock))
    there.bad = {bad}
    push = pushing(cloud, url, clock)
    for _ in range(3):
        push.step()
    assert set(there.events) == booked(cloud, clock) - {bad}
    assert states(cloud) == {"taken": 2, "refused": 1}
    ((subject, details),) = open_incidents(cloud)
    assert (subject, bad in details["why"]) == (bad, True)


@pytest.mark.parametrize("status, state", [(404, "taken"), (405, "taken"), (403, "taken"), (500, "handed")])
def test_a_repository_that_does_not_tell_of_its_jobs(
    cloud: Cloud, clock: Clock, remote: tuple[Repository, str], status: int, state: str
) -> None:
    there, url = remote
    there.jobs, there.job_answer = True, status
    loads(cloud, 1)
    push = pushing(cloud, url, clock)
    push.step()
    assert states(cloud) == {state: 1}
    loads(cloud, 2)
    push.step()  # handing over goes on all the same
    assert len(there.events) == 2


def test_what_was_before_the_first_day_is_not_told(
    cloud: Cloud, clock: Clock, remote: tuple[Repository, str]
) -> None:
    there, url = remote
    loads(cloud, 1, 100)
    pushing(cloud, url, clock, since=at(50)).step()
    assert [event["stockbeat:passage"] for event in there.events.values()] == ["p100"]


def test_a_passage_still_under_way_holds_nobody_up_for_long(
    cloud: Cloud, clock: Clock, remote: tuple[Repository, str]
) -> None:
    there, url = remote
    cloud.book(crossing(CASE_TAG, seconds=1, passage="open"))
    loads(cloud, 2)
    push = pushing(cloud, url, clock)
    push.step()
    assert there.events == {}
    clock.wait(61)
    push.step()
    assert len(there.events) == 2
    cloud.book(passage("open", 70))
    loads(cloud, 80)
    push.step()
    assert len(there.events) == 3  # its end changes nothing of what was told


def test_cursor_and_events_are_one_transaction(cloud: Cloud, clock: Clock) -> None:
    """What a crash between making and sending leaves: events due, and a cursor that stands behind them."""
    loads(cloud, 1, 2)
    push = pushing(cloud, "http://127.0.0.1:9/capture", clock)
    push.step()
    with cloud.database.read() as connection:
        cursor = connection.scalar(select(cursors.c.position).where(cursors.c.name == outbox.CURSOR))
        assert cursor == connection.scalar(select(sites.c.head).where(sites.c.name == "store-042"))
        assert connection.scalars(select(epcis_events.c.state)).all() == [State.DUE, State.DUE]


def test_what_was_taken_long_ago_is_forgotten(
    cloud: Cloud, clock: Clock, remote: tuple[Repository, str]
) -> None:
    there, url = remote
    loads(cloud, 1)
    push = pushing(cloud, url, clock)
    push.step()
    clock.wait(31 * 86400)
    loads(cloud, 2)
    push.step()
    assert states(cloud) == {"taken": 1}
    assert len(there.posts) == 2


def test_a_job_elsewhere_is_not_asked_with_our_token(
    cloud: Cloud, clock: Clock, remote: tuple[Repository, str]
) -> None:
    there, url = remote
    there.answers = [(202, {"Location": "http://elsewhere.example/capture/1"})]
    loads(cloud, 1)
    pushing(cloud, url, clock, token="secret").step()
    assert states(cloud) == {"taken": 1}


def test_both_ways_of_a_tag_are_told_in_their_order(
    cloud: Cloud, clock: Clock, remote: tuple[Repository, str]
) -> None:
    there, url = remote
    cloud.book(crossing(seconds=1), passage("dock-1-1"))
    cloud.book(crossing(seconds=9, outcome=Direction.OUT), passage("dock-1-9", 12))
    pushing(cloud, url, clock).step()
    assert [event["bizStep"] for event in there.events.values()] == ["receiving", "shipping"]


def test_a_tag_identified_after_its_passage_was_told_is_told_by_itself(
    cloud: Cloud, clock: Clock, remote: tuple[Repository, str], tmp_path: Path
) -> None:
    there, url = remote
    late = "AD0200000000000000000001"
    cloud.book(crossing(CASE_TAG, passage="p"), crossing(late, passage="p"), passage("p"))
    push = pushing(cloud, url, clock)
    push.step()
    items = ITEMS + "09506000522135,Honey,each,490,C,AD02\n"
    load(cloud.database, write_master(tmp_path / "more", items=items), at(10))
    assert retry(cloud.database, at(20)).identified == 1
    push.step()
    assert [event["epcList"] for event in there.events.values()] == [
        ["https://id.gs1.org/01/80614141123458/21/6789"],
        [f"urn:epc:raw:96.x{late}"],
    ]
    assert [len(post["epcisBody"]["eventList"]) for post in there.posts] == [1, 1]
