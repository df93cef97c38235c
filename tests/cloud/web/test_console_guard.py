"""Who may acknowledge: this machine, from our own page."""

import httpx
import pytest

from cloud.ledger.database import Database
from cloud.web.guard import HEADERS
from tests.support.console import Console, console_app
from tests.support.scene import CAN, Scene

CHEERFUL = {"by": "floor"}


def _alert(scene: Scene) -> str:
    return f"/api/v1/alerts/{scene.alert('A1', CAN, 'A1: 3 of 24 left.')}/acknowledge"


async def _post(
    database: Database, path: str, *, client: str = "127.0.0.1", host: str = "127.0.0.1:8000", **headers: str
) -> httpx.Response:
    """Straight into the application, so that the client's address can be any."""
    transport = httpx.ASGITransport(console_app(database), client=(client, 4711))
    sent = {name.replace("_", "-"): value for name, value in headers.items()}
    async with httpx.AsyncClient(transport=transport, base_url=f"http://{host}") as http:
        return await http.post(path, json=CHEERFUL, headers=sent)


@pytest.mark.parametrize(
    "client, host",
    [
        ("127.0.0.1", "127.0.0.1:8000"),
        ("127.0.0.5", "localhost:8000"),
        ("::1", "[::1]:8000"),
        ("::ffff:127.0.0.1", "127.0.0.1"),
    ],
)
async def test_this_machine_may(database: Database, scene: Scene, client: str, host: str) -> None:
    answer = await _post(database, _alert(scene), client=client, host=host, origin=f"http://{host}")
    assert (answer.status_code, answer.json()["acknowledged_by"]) == (200, "floor")


@pytest.mark.parametrize("client", ["192.0.2.7", "2001:db8::7", "::ffff:192.0.2.7", "testclient"])
async def test_another_machine_may_not(database: Database, scene: Scene, client: str) -> None:
    answer = await _post(database, _alert(scene), client=client)
    assert answer.status_code == 403
    assert answer.json()["detail"] == f"only from the machine that runs the console, not from {client}"
    assert _unacknowledged(scene)


@pytest.mark.parametrize(
    "origin",
    [
        "http://evil.example",
        "http://127.0.0.1:9000",
        "http://127.0.0.1",
        "null",
        "http://127.0.0.1:8000.evil",
    ],
)
async def test_a_page_of_another_origin_may_not(database: Database, scene: Scene, origin: str) -> None:
    answer = await _post(database, _alert(scene), origin=origin)
    assert answer.status_code == 403
    assert origin in answer.json()["detail"]
    assert _unacknowledged(scene)


async def test_a_name_that_was_made_to_resolve_to_us_may_not(database: Database, scene: Scene) -> None:
    """DNS rebinding: Origin and Host agree, and the client is this machine's own browser."""
    answer = await _post(database, _alert(scene), host="evil.example:8000", origin="http://evil.example:8000")
    assert answer.status_code == 403
    assert "evil.example" in answer.json()["detail"]
    assert _unacknowledged(scene)


@pytest.mark.parametrize(
    "said, status", [("same-origin", 200), ("none", 200), ("cross-site", 403), ("same-site", 403)]
)
async def test_what_the_browser_says_of_the_asker_counts(
    database: Database, scene: Scene, said: str, status: int
) -> None:
    answer = await _post(database, _alert(scene), sec_fetch_site=said)
    assert answer.status_code == status


async def test_a_proxy_on_this_machine_does_not_lend_its_address(served: Console) -> None:
    """uvicorn believes a loopback proxy's X-Forwarded-For, so the client behind it is judged."""
    answer = await served.client.post(_alert(served.scene), headers={"X-Forwarded-For": "192.0.2.7"})
    assert answer.status_code == 403
    assert "192.0.2.7" in answer.json()["detail"]


@pytest.mark.parametrize(
    "path", ["/", "/static/console.js", "/api/v1/alerts", "/api/v1/alerts?limit=0", "/nowhere"]
)
async def test_every_answer_tells_the_browser_what_to_allow(served: Console, path: str) -> None:
    answer = await served.client.get(path)
    assert {name: answer.headers.get(name) for name in HEADERS} == HEADERS
    assert answer.headers["Content-Security-Policy"].startswith("default-src 'self';")


def _unacknowledged(scene: Scene) -> bool:
    with scene.database.read() as connection:
        return (
            connection.exec_driver_sql("SELECT count(*) FROM alerts WHERE acknowledged_at IS NULL").scalar()
            == 1
        )
