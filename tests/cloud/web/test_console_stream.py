"""The event stream: what changed comes by itself, at once and only that; it resumes; it ends when the server stops."""

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from pathlib import Path

import httpx
import pytest
from sqlalchemy import update

from cloud.errors import ConfigError
from cloud.ledger.database import Database
from cloud.ledger.tables import edges
from cloud.web.live import BEAT_S
from cloud.web.questions.revision import Revision, revision_of
from cloud.web.render import PARTS, changed_parts
from cloud.web.server import serving
from tests.support.console import Console, Sent, console, console_app, empty_ledger, events
from tests.support.scene import BOTTLE, CAN, NOON, TAG, Scene, busy


@asynccontextmanager
async def _stream(
    served: Console, last_id: str = "", site: str = "store-042"
) -> AsyncIterator[AsyncIterator[Sent]]:
    headers = {"Last-Event-ID": last_id} if last_id else {}
    async with served.client.stream("GET", f"/events?site={site}", headers=headers) as response:
        assert response.status_code == 200
        assert response.headers["content-type"].startswith("text/event-stream")
        yield events(response)


async def _until(sent: AsyncIterator[Sent], text: str) -> Sent:
    async for one in sent:
        if text in one.data:
            return one
    raise AssertionError(f"the stream ended without {text!r}")


async def test_a_new_page_gets_every_part(served: Console) -> None:
    async with _stream(served) as sent:
        first = await _until(sent, "hx-partial")
    for part in PARTS:
        assert f'hx-target="#{part}"' in first.data


async def test_a_committed_pick_is_sent_at_once_with_its_position(served: Console) -> None:
    position = served.scene.move(CAN, "opening", "A1", 20, kind="opening")
    async with _stream(served) as sent:
        first = await _until(sent, 'data-on-hand="20"')
        assert first.id.endswith(f"-{position}")
        began = time.monotonic()
        position = served.scene.move(CAN, "A1", "basket", 1)
        update = await _until(sent, 'data-on-hand="19"')
        assert time.monotonic() - began < 1.0
        assert update.id.endswith(f"-{position}")
        assert 'hx-target="#health"' not in update.data


async def test_a_movement_that_shows_nowhere_still_moves_the_position_on(served: Console) -> None:
    async with _stream(served) as sent:
        await _until(sent, "hx-partial")
        position = served.scene.move(CAN, "supplier", "backroom", 40, kind="receipt")
        async with asyncio.timeout(BEAT_S / 2):  # by itself, not with the next beat
            async for one in sent:
                if one.id.endswith(f"-{position}"):
                    return
    raise AssertionError("the stream ended without the position")


async def test_a_page_that_comes_back_gets_only_what_it_missed(served: Console) -> None:
    async with _stream(served) as staying:  # keeps the site watched, as another open page would
        first = await _until(staying, "hx-partial")
        served.scene.alert("A1", CAN, "A1: 3 of 24 left.")
        async with _stream(served, first.id) as sent:
            missed = await _until(sent, "A1: 3 of 24 left.")
        assert 'hx-target="#shelves"' not in missed.data
        newest = await _until(staying, "A1: 3 of 24 left.")
        async with _stream(served, newest.id) as sent:
            assert (await anext(sent)).event == "beat"


async def test_an_open_alert_follows_what_is_booked(served: Console) -> None:
    served.scene.move(CAN, "opening", "A1", 3, kind="opening")
    served.scene.alert("A1", CAN, "A1: 3 of 24 left.")
    async with _stream(served) as sent:
        first = await _until(sent, "A1: 3 of 24 left.")
        assert "· now" not in first.data
        served.scene.move(CAN, "opening", "A1", 3, kind="opening")
        after = await _until(sent, "· now 6")
    assert 'hx-target="#alerts"' in after.data


@pytest.mark.parametrize("strange", ["otherproc-5-3", "x", "-", "99999999999999999999", "é-²-1"])
async def test_an_id_of_another_process_gets_everything(served: Console, strange: str) -> None:
    async with served.client.stream(
        "GET", "/events", headers=[(b"last-event-id", strange.encode())]
    ) as response:
        first = await _until(events(response), "hx-partial")
    assert 'hx-target="#doors"' in first.data


async def test_a_page_that_leaves_is_no_longer_counted(served: Console) -> None:
    async with _stream(served) as sent:
        await _until(sent, "hx-partial")
        assert "stockbeat_console_clients 1.0" in (await served.client.get("/metrics")).text
    async with asyncio.timeout(5):
        while "stockbeat_console_clients 0.0" not in (await served.client.get("/metrics")).text:
            pass


async def test_many_pages_see_the_same(served: Console) -> None:
    async with _stream(served) as one, _stream(served) as two, _stream(served) as three:
        for sent in (one, two, three):
            await _until(sent, "hx-partial")
        served.scene.load("dock-1", {TAG.format(1): ("in", "received", 0.99)})
        ids = {(await _until(sent, 'data-gate="dock-1"')).id for sent in (one, two, three)}
    assert len(ids) == 1


async def test_sites_do_not_mix(served: Console) -> None:
    served.scene.lay_out("store-043", "store-043")
    async with _stream(served) as here, _stream(served, site="store-043") as there:
        await _until(here, "hx-partial")
        first = await _until(there, "hx-partial")
        served.scene.alert("A1", CAN, "A1: only here")
        await _until(here, "A1: only here")
        assert "only here" not in first.data
        with served.scene.database.write() as connection:
            connection.execute(
                update(edges).where(edges.c.edge == "store-043").values(presence="offline", presence_at=NOON)
            )
        async for one in there:
            assert "only here" not in one.data
            if 'data-presence="offline"' in one.data:
                return
    raise AssertionError("the stream ended without its own news")


async def test_a_stream_of_an_unknown_site_is_refused(served: Console) -> None:
    answer = await served.client.get("/events?site=nowhere")
    assert (answer.status_code, answer.json()["detail"]) == (
        404,
        "there is no site 'nowhere'; there is store-042",
    )


async def test_a_ledger_in_trouble_is_told_and_so_is_its_recovery(served: Console) -> None:
    async with _stream(served) as sent:
        await _until(sent, "hx-partial")
        with served.scene.database.write() as connection:
            connection.exec_driver_sql("ALTER TABLE alerts RENAME TO away")
        trouble = await _until(sent, "cannot be read")
        assert trouble.event == "beat"
        with served.scene.database.write() as connection:
            connection.exec_driver_sql("ALTER TABLE away RENAME TO alerts")
        async for one in sent:
            if one.event == "beat" and not one.beat["trouble"]:
                return
    raise AssertionError("the stream ended in trouble")


async def test_open_streams_do_not_hold_up_the_end(tmp_path: Path) -> None:
    database = empty_ledger(tmp_path)
    Scene(database).lay_out()
    async with httpx.AsyncClient(timeout=8) as client:
        async with serving(console_app(database), "127.0.0.1", 0) as url:
            shown = asyncio.Barrier(6)
            tasks = [asyncio.create_task(_read_to_the_end(client, f"{url}/events", shown)) for _ in range(5)]
            async with asyncio.timeout(5):
                await shown.wait()
            began = time.monotonic()
        assert time.monotonic() - began < 2.0
        assert (
            await asyncio.gather(*tasks) == [True] * 5
        )  # each ended as HTTP says, not by a broken connection
    database.close()


async def _read_to_the_end(client: httpx.AsyncClient, url: str, shown: asyncio.Barrier) -> bool:
    """Arrives at `shown` with its first part; true where the stream then ends well."""
    async with client.stream("GET", url) as response:
        lines = response.aiter_lines()
        while "hx-partial" not in await anext(lines):
            pass
        await shown.wait()
        async for _ in lines:
            pass
    return True


async def test_an_address_in_use_is_an_error_with_that_address(served: Console, database: Database) -> None:
    port = int(served.url.rpartition(":")[2])
    with pytest.raises(
        ConfigError, match=f"web.listen: cannot listen at 127.0.0.1:{port}: Address already in use"
    ):
        async with serving(console_app(database), "127.0.0.1", port):
            pass


async def test_two_consoles_in_one_program_do_not_disturb_each_other(tmp_path: Path, served: Console) -> None:
    (tmp_path / "other").mkdir()
    other = empty_ledger(tmp_path / "other")
    async with console(other):
        pass
    other.close()
    async with _stream(served) as sent:
        await _until(sent, "hx-partial")


def test_only_the_parts_that_show_a_change_are_rendered_again(scene: Scene) -> None:
    busy(scene)
    seen: list[Revision | None] = [None]

    def stale() -> list[str]:
        with scene.database.read() as connection:
            seen.append(revision_of(connection, 1))
        return changed_parts(seen[-2], seen[-1] or pytest.fail("unreachable"))

    assert stale() == list(PARTS)
    assert stale() == []
    scene.task("recount", "A9")
    assert stale() == ["summary", "work"]
    scene.agent(events_held=9)
    assert stale() == []  # at the same time: only what is newer is news
    scene.now += timedelta(seconds=1)
    scene.agent(events_held=9)
    assert stale() == ["summary", "shelves", "health"]
    scene.level("A1", 1.5, 0)
    assert stale() == ["shelves"]
    scene.move(CAN, "A1", "basket", 1)
    assert stale() == ["summary", "alerts", "shelves", "doors"]
    scene.alert("A2", BOTTLE, "low")
    assert stale() == ["summary", "alerts", "shelves"]
    scene.load("dock-1", {TAG.format(0x9999): ("in", "received", 0.99)})
    assert stale() == ["summary", "shelves", "feed", "doors", "work", "health"]
