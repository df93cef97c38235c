"""The HTTP API over a real server: answers, cursors, and refusals that say what would be right."""

from typing import Any

import jsonschema
import pytest

from tests.support.console import Console
from tests.support.scene import BOTTLE, CAN, busy

API = "/api/v1"
LISTS = ["balances", "movements", "shelves", "loads", "alerts", "tasks", "incidents", "health"]


async def _get(served: Console, path: str) -> Any:
    answer = await served.client.get(f"{API}/{path}")
    assert answer.status_code == 200, answer.text
    return answer.json()


async def test_balances_are_told_with_the_position_they_hold_at(served: Console) -> None:
    served.scene.move(CAN, "opening", "A1", 20, kind="opening")
    served.scene.move(CAN, "A1", "basket", 2)
    answer = await _get(served, "balances?site=store-042")
    assert (answer["site"], answer["position"]) == ("store-042", 2)
    rows = {(row["location"], row["gtin"]): row["quantity"] for row in answer["balances"]}
    assert rows == {("A1", CAN): 18, ("basket", CAN): 2, ("opening", CAN): -20}
    narrowed = await _get(served, f"balances?location=A1&gtin={CAN}")
    assert [row["quantity"] for row in narrowed["balances"]] == [18]
    assert (await _get(served, f"balances?gtin={BOTTLE}"))["balances"] == []


async def test_movements_are_followed_by_position_without_gap_or_repeat(served: Console) -> None:
    for _ in range(7):
        served.scene.move(CAN, "supplier", "backroom", 1, kind="receipt")
    seen: list[int] = []
    after = 0
    while (page := await _get(served, f"movements?after={after}&limit=3"))["movements"]:
        assert page["head"] == 7
        seen += [row["position"] for row in page["movements"]]
        after = page["next"]
    assert seen == [1, 2, 3, 4, 5, 6, 7]
    assert (await _get(served, "movements?after=7"))["next"] == 7
    row = (await _get(served, "movements?after=6"))["movements"][0]
    assert (row["src"], row["dst"], row["quantity"], row["kind"]) == ("supplier", "backroom", 1, "receipt")
    assert row["event_at"].endswith("Z")


async def test_alerts_tasks_and_incidents_are_listed_by_state(served: Console) -> None:
    scene = served.scene
    first, second = scene.alert("A1", CAN, "low"), scene.alert("A2", BOTTLE, "was low", cleared_at=scene.now)
    task, incident = scene.task("recount", "A1"), scene.incident("negative_stock", "A1")
    assert [row["id"] for row in (await _get(served, "alerts"))["alerts"]] == [first]
    assert [row["id"] for row in (await _get(served, "alerts?state=cleared"))["alerts"]] == [second]
    both = await _get(served, "alerts?state=all&limit=1")
    assert [row["id"] for row in both["alerts"]] == [first]
    rest = await _get(served, f"alerts?state=all&after={both['next']}")
    assert [row["id"] for row in rest["alerts"]] == [second]
    assert [row["id"] for row in (await _get(served, "tasks"))["tasks"]] == [task]
    assert (await _get(served, "tasks?state=closed"))["tasks"] == []
    assert [row["id"] for row in (await _get(served, "incidents?state=all"))["incidents"]] == [incident]


async def test_an_alert_is_acknowledged_once_and_the_first_stands(served: Console) -> None:
    number = served.scene.alert("A1", CAN, "low")
    first = await served.client.post(f"{API}/alerts/{number}/acknowledge", json={"by": "floor"})
    again = await served.client.post(f"{API}/alerts/{number}/acknowledge", json={"by": "office"})
    assert (first.status_code, again.status_code) == (200, 200)
    assert first.json()["acknowledged_by"] == again.json()["acknowledged_by"] == "floor"
    assert first.json()["acknowledged_at"] == again.json()["acknowledged_at"]
    assert (await _get(served, "alerts"))["alerts"][0]["acknowledged_by"] == "floor"


async def test_an_acknowledgement_without_a_name_is_the_consoles(served: Console) -> None:
    number = served.scene.alert("A1", CAN, "low")
    answer = await served.client.post(f"{API}/alerts/{number}/acknowledge")
    assert answer.json()["acknowledged_by"] == "console"


@pytest.mark.parametrize(
    "path, status, says",
    [
        ("balances?site=nowhere", 404, "there is no site 'nowhere'; there is store-042"),
        ("balances?site=", 422, "site: String should match pattern"),
        ("balances?site=%00", 422, "site: String should match pattern"),
        ("balances?location=A%00", 422, "location: String should match pattern"),
        ("balances?gtin=123", 422, "gtin: String should match pattern"),
        ("movements?after=-1", 422, "after: Input should be greater than or equal to 0"),
        ("movements?after=99999999999999999999", 422, "after: Input should be less than or equal to"),
        ("movements?after=x", 422, "after: Input should be a valid integer"),
        ("movements?limit=0", 422, "limit: Input should be greater than or equal to 1"),
        ("movements?limit=1001", 422, "limit: Input should be less than or equal to 1000"),
        ("alerts?state=closed", 422, "state: Input should be 'open', 'cleared' or 'all'"),
        ("tasks?state=cleared", 422, "state: Input should be 'open', 'closed' or 'all'"),
        ("loads?limit=101", 422, "limit: Input should be less than or equal to 100"),
        ("health?site=nowhere", 404, "there is no site 'nowhere'"),
        ("nothing", 404, "Not Found"),
    ],
)
async def test_a_wrong_question_is_told_what_would_be_right(
    served: Console, path: str, status: int, says: str
) -> None:
    answer = await served.client.get(f"{API}/{path}")
    assert answer.status_code == status
    assert answer.json()["detail"].startswith(says)


@pytest.mark.parametrize(
    "number, body, status, says",
    [
        ("4711", {}, 404, "there is no alert 4711"),
        ("0", {}, 422, "alert_id: Input should be greater than or equal to 1"),
        ("99999999999999999999", {}, 422, "alert_id: Input should be less than or equal to"),
        ("one", {}, 422, "alert_id: Input should be a valid integer"),
        ("1", {"by": ""}, 422, "by: String should have at least 1 character"),
        ("1", {"by": "x" * 81}, 422, "by: String should have at most 80 characters"),
        ("1", {"by": "a\nb"}, 422, "by: String should match pattern"),
        ("1", {"name": "floor"}, 422, "name: Extra inputs are not permitted"),
        ("1", ["floor"], 422, "Input should be a valid dictionary"),
    ],
)
async def test_a_wrong_acknowledgement_is_refused(
    served: Console, number: str, body: Any, status: int, says: str
) -> None:
    answer = await served.client.post(f"{API}/alerts/{number}/acknowledge", json=body)
    assert answer.status_code == status
    assert says in answer.json()["detail"]


async def test_reading_does_not_acknowledge(served: Console) -> None:
    assert (await served.client.get(f"{API}/alerts/1/acknowledge")).status_code == 405


async def test_with_several_sites_it_must_be_said_which(served: Console) -> None:
    served.scene.lay_out("store-043", "store-043")
    answer = await served.client.get(f"{API}/balances")
    assert answer.status_code == 422
    assert (
        answer.json()["detail"] == "there are several sites: say ?site=, which is one of store-042, store-043"
    )
    assert (await _get(served, "balances?site=store-043"))["site"] == "store-043"
    assert [site["name"] for site in await _get(served, "sites")] == ["store-042", "store-043"]
    assert len((await _get(served, "health"))["sites"]) == 2


async def test_one_site_does_not_see_another(served: Console) -> None:
    served.scene.lay_out("store-043", "store-043")
    busy(served.scene)
    for name in ("balances", "movements", "loads", "alerts", "tasks", "incidents"):
        assert (await _get(served, f"{name}?site=store-043"))[name] == [], name
        assert (await _get(served, f"{name}?site=store-042"))[name] != [], name


async def test_health_is_degraded_while_a_device_is_down(served: Console) -> None:
    served.scene.presence("online")
    served.scene.device("dock-1")
    assert (await _get(served, "health"))["status"] == "ok"
    served.scene.device("dock-1", "down", "unplugged")
    answer = await _get(served, "health")
    assert answer["status"] == "degraded"
    assert answer["sites"][0]["edges"][0]["devices"][0]["detail"] == "unplugged"


async def test_without_a_site_it_says_how_to_get_one(served: Console) -> None:
    with served.scene.database.write() as connection:
        for table in ("bay_items", "bays", "gates", "edges", "locations", "sites"):
            connection.exec_driver_sql(f"DELETE FROM {table}")
    answer = await served.client.get(f"{API}/movements")
    assert (answer.status_code, answer.json()["detail"]) == (
        404,
        "there is no site yet: load master data with 'stockbeat cloud load DIR'",
    )
    assert (await _get(served, "health"))["status"] == "ok"


async def test_every_answer_is_what_the_api_describes(served: Console) -> None:
    busy(served.scene)
    described = await _get(served, "openapi.json")
    for name in LISTS:
        content = described["paths"][f"{API}/{name}"]["get"]["responses"]["200"]["content"]
        schema = {"components": described["components"], **content["application/json"]["schema"]}
        jsonschema.validate(await _get(served, name), schema)


async def test_metrics_tell_the_state_of_the_sites(served: Console) -> None:
    busy(served.scene)
    text = (await served.client.get("/metrics")).text
    for line in (
        'stockbeat_open_alerts{site="store-042"} 2.0',
        'stockbeat_edge_online{edge="store-042",site="store-042"} 1.0',
        'stockbeat_edge_events_held{edge="store-042",site="store-042"} 2.0',
        'stockbeat_device_up{device="aisle-6",edge="store-042",site="store-042"} 0.0',
        'stockbeat_device_up{device="dock-1",edge="store-042",site="store-042"} 1.0',
        "stockbeat_console_clients 0.0",
    ):
        assert line in text


async def test_a_ledger_that_cannot_be_read_is_said_so(served: Console) -> None:
    with served.scene.database.write() as connection:
        connection.exec_driver_sql("ALTER TABLE sites RENAME TO elsewhere")
    for path in (f"{API}/health", f"{API}/balances"):
        answer = await served.client.get(path)
        assert answer.status_code == 503
        assert answer.json()["detail"].startswith("the ledger cannot be read: ")
    page = await served.client.get("/")
    assert page.status_code == 503
    assert "The ledger cannot be read" in page.text
