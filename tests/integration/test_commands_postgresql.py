"""Commands on PostgreSQL, where several processes send and answer at once."""

import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import func, select

from cloud.commands.ask import ask
from cloud.commands.post import Post
from cloud.ledger.tables import movements
from cloud.ledger.verify import verify
from tests.support.ledger import CAN, EDGE, Cloud, new_ledger, write_master
from tests.support.servers import Postgres
from wire.codec import decode_command, encode_reply
from wire.commands import Confirm, ItemCount, Outcome, Reply, Zero


@pytest.fixture
def cloud(postgres: Postgres, tmp_path: Path) -> Iterator[Cloud]:
    database = new_ledger(postgres.url())
    yield Cloud(database, write_master(tmp_path / "master"))
    with database.read() as connection:
        assert verify(connection) == []
    database.close()


def _post(cloud: Cloud) -> Post:
    return Post(cloud.database, lambda: cloud.now, lambda: None)


def _at_once(work: list[threading.Thread]) -> None:
    for thread in work:
        thread.start()
    for thread in work:
        thread.join(20)


def test_each_command_is_sent_by_one_process(cloud: Cloud) -> None:
    with cloud.database.write() as connection:
        for _ in range(60):
            ask(connection, EDGE, Zero(shelf="aisle-1", bay="A1"), by="manager", now=cloud.now)
    sent: list[str] = []
    _at_once(
        [
            threading.Thread(
                target=lambda: sent.extend(decode_command(line).id for _, line in _post(cloud).due())
            )
            for _ in range(4)
        ]
    )
    sent += [decode_command(line).id for _, line in _post(cloud).due()]
    assert len(sent) == len(set(sent)) == 60


def test_an_answer_that_two_processes_hear_is_booked_once(cloud: Cloud) -> None:
    order = Confirm(shelf="aisle-1", bay="A1", counts=(ItemCount(gtin=CAN, units=9),))
    with cloud.database.write() as connection:
        command = ask(connection, EDGE, order, by="manager", now=cloud.now).id
    reply = encode_reply(Reply(id=command, edge=EDGE, at=cloud.now, outcome=Outcome.DONE, words="counted"))
    _at_once([threading.Thread(target=_post(cloud).arrived, args=(EDGE, reply)) for _ in range(4)])
    assert cloud.stock(CAN)["A1"] == 9
    with cloud.database.read() as connection:
        counted = select(func.count()).select_from(movements).where(movements.c.kind == "count")
        assert connection.scalar(counted) == 1
