"""The console over PostgreSQL: the same questions get the same answers as over SQLite."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from cloud.web.questions.revision import revision_of
from tests.support.console import Console, console, empty_ledger, events, filled_in
from tests.support.scene import CAN, Scene, busy
from tests.support.servers import Postgres

pytestmark = pytest.mark.timeout(60)
QUESTIONS = [
    "sites",
    "balances",
    "movements?after=3&limit=5",
    "shelves",
    "shelf-events",
    "planogram",
    "loads",
    "alerts?state=all",
    "tasks",
    "incidents",
]


@pytest.fixture
async def served(postgres: Postgres) -> AsyncIterator[Console]:
    database = filled_in(postgres.url())
    async with console(database) as made:
        made.scene.lay_out()
        yield made
    database.close()


async def test_both_engines_answer_alike(served: Console, tmp_path: Path) -> None:
    lite = empty_ledger(tmp_path)
    async with console(lite) as other:
        other.scene.lay_out()
        other.scene.now = served.scene.now
        for scene in (served.scene, other.scene):
            busy(scene)
        for question in QUESTIONS:
            assert await _asked(served.client, question) == await _asked(other.client, question), question
        on_postgres = await _asked(served.client, "health")
        assert on_postgres["sites"] == (await _asked(other.client, "health"))["sites"]
        assert (await served.client.get("/metrics")).text == (await other.client.get("/metrics")).text
    lite.close()


async def test_a_commit_reaches_the_stream_and_an_acknowledgement_the_ledger(served: Console) -> None:
    scene = served.scene
    async with served.client.stream("GET", "/events") as response:
        sent = events(response)
        async for one in sent:
            if "hx-partial" in one.data:
                break
        number = scene.alert("A1", CAN, "A1: 3 of 24 left.")
        async for one in sent:
            if "A1: 3 of 24 left." in one.data:
                break
        answer = await served.client.post(f"/api/v1/alerts/{number}/acknowledge", json={"by": "floor"})
        assert answer.json()["acknowledged_by"] == "floor"
        async for one in sent:
            if "Acknowledged by floor" in one.data:
                return
    raise AssertionError("the stream ended without the acknowledgement")


def test_a_revision_tells_a_commit_and_nothing_else(postgres: Postgres) -> None:
    database = filled_in(postgres.url())
    scene = Scene(database)
    scene.lay_out()
    seen = []
    for step in (lambda: None, lambda: None, lambda: scene.move(CAN, "supplier", "backroom", 1)):
        step()
        with database.read() as connection:
            seen.append(revision_of(connection, 1))
    assert seen[0] == seen[1] != seen[2]
    database.close()


async def _asked(client: httpx.AsyncClient, question: str) -> Any:
    answer = await client.get(f"/api/v1/{question}")
    assert answer.status_code == 200, answer.text
    return answer.json()
