"""The planogram over HTTP: what is planned, changed, refused, exported and taken back, and by whom."""

from typing import Any

import httpx
import pytest

from cloud.ledger.database import Database
from tests.support.console import Console, console_app
from tests.support.scene import BOTTLE, CAN, OIL, TISSUES, Scene

API = "/api/v1"


async def bay(served: Console, place: str) -> Any:
    answer = await served.client.get(f"{API}/planogram")
    assert answer.status_code == 200, answer.text
    return next(each for each in answer.json()["bays"] if each["place"] == place)


async def change(served: Console, place: str, *items: dict[str, Any], by: str = "manager") -> httpx.Response:
    here = (await bay(served, place))["location_id"]
    return await served.client.put(f"{API}/bays/{here}/plan", json={"by": by, "items": list(items)})


async def test_every_bay_is_told_with_what_it_is_meant_to_hold(served: Console) -> None:
    found = await bay(served, "A5")
    assert (found["shelf"], found["bay"], found["edge_has"]) == ("aisle-5", "A5", "")
    assert [(each["gtin"], each["capacity"], each["facings"]) for each in found["items"]] == [
        (OIL, 12, None), (TISSUES, 8, None),
    ]  # fmt: skip


async def test_a_bay_is_planned_anew_with_a_history(served: Console) -> None:
    answer = await change(
        served,
        "A1",
        {"gtin": CAN, "capacity": 30, "facings": "3", "low": 6, "unit_grams": 331.5, "unit_cv": "0.02"},
    )
    assert answer.status_code == 200, answer.text
    assert answer.json() == await bay(served, "A1")
    found = await bay(served, "A1")
    assert found["items"][0] | {"item": "", "usual": 0} == {
        "gtin": CAN, "item": "", "capacity": 30, "facings": 3, "low": 6, "unit_grams": 331.5, "unit_tare_grams": None,
        "unit_cv": 0.02, "usual": 0,
    }  # fmt: skip
    assert found["edge_has"] == "waiting"
    await change(served, "A1", by="clerk")
    past = (await served.client.get(f"{API}/bays/{found['location_id']}/plan/history")).json()
    assert [(each["version"], each["by"], each["source"], each["after"]) for each in past] == [
        (2, "clerk", "console", []),
        (
            1,
            "manager",
            "console",
            [{"gtin": CAN, "capacity": 30, "facings": 3, "low": 6, "unit_grams": 331.5, "unit_cv": 0.02}],
        ),
    ]
    shelves = (await served.client.get(f"{API}/shelves")).json()["shelves"]
    assert shelves[0]["bays"][0]["stands"] == []


@pytest.mark.parametrize(
    "items, words",
    [
        ([{"gtin": CAN}], "item 1, capacity: is needed"),
        ([{"gtin": CAN, "capacity": 4, "low": 5}], "item 1, low: 5 is more than the 4 that fit"),
        ([{"gtin": CAN, "capacity": 4, "colour": "red"}], "item 1, colour: is no setting here"),
        ([{"gtin": "123", "capacity": 4}], "item 1, gtin: write a GTIN of 8, 12, 13 or 14 digits, not '123'"),
        (
            [{"gtin": CAN, "capacity": 4}, {"gtin": CAN, "capacity": 5}],
            "stands there 2 times; name each item once",
        ),
        (
            [{"gtin": "09506000999999", "capacity": 4}],
            "no item has the GTIN 09506000999999; add it to items.csv",
        ),
        ([{"gtin": CAN, "capacity": 4}] * 9, "items: "),
    ],
)
async def test_what_is_wrong_is_named_and_changes_nothing(
    served: Console, items: list[dict[str, Any]], words: str
) -> None:
    before = await bay(served, "A1")
    answer = await change(served, "A1", *items)
    assert answer.status_code == 422
    assert words in answer.json()["detail"]
    assert await bay(served, "A1") == before


async def test_a_bay_that_is_not_there(served: Console) -> None:
    for answer in (
        await served.client.put(f"{API}/bays/9999/plan", json={"items": []}),
        await served.client.get(f"{API}/bays/9999/plan/history"),
    ):
        assert answer.status_code == 404
        assert "there is no bay 9999" in answer.json()["detail"]


@pytest.mark.parametrize("kind", ["csv", "toml"])
async def test_a_file_goes_out_and_comes_back_as_it_was(served: Console, kind: str) -> None:
    await change(served, "A2", {"gtin": BOTTLE, "capacity": 12, "low": 3})
    out = await served.client.get(f"{API}/planogram.{kind}")
    assert out.headers["content-disposition"] == f'attachment; filename="planogram-store-042.{kind}"'
    headers = {"Content-Type": "text/plain"}
    same = await served.client.post(f"{API}/planogram.{kind}", content=out.content, headers=headers)
    assert (same.status_code, same.json()) == (200, {"bays": 6, "changed": 0})
    await change(served, "A2", {"gtin": BOTTLE, "capacity": 10})
    back = await served.client.post(
        f"{API}/planogram.{kind}?by=manager&name=week-48.{kind}",
        content=b"\xef\xbb\xbf" + out.content,
        headers=headers,
    )
    assert back.json() == {"bays": 6, "changed": 1}
    here = await bay(served, "A2")
    assert (here["items"][0]["capacity"], here["items"][0]["low"]) == (12, 3)
    past = (await served.client.get(f"{API}/bays/{here['location_id']}/plan/history?")).json()
    assert (past[0]["by"], past[0]["source"]) == ("manager", f"week-48.{kind}")


async def test_a_file_that_is_wrong_is_refused_whole(served: Console) -> None:
    text = f"shelf,bay,gtin,capacity\naisle-1,A1,{CAN},30\naisle-1,Z9,{CAN},30\n"
    answer = await served.client.post(
        f"{API}/planogram.csv", content=text, headers={"Content-Type": "text/plain"}
    )
    assert answer.status_code == 422
    assert answer.json()["detail"].startswith(
        "planogram.csv line 3: the ledger has no bay Z9 of shelf aisle-1"
    )
    assert (await bay(served, "A1"))["items"][0]["capacity"] == 24


async def test_another_machine_and_another_page_may_change_nothing(database: Database, scene: Scene) -> None:
    for client, headers in (("192.0.2.7", {}), ("127.0.0.1", {"Origin": "http://elsewhere.example"})):
        transport = httpx.ASGITransport(app=console_app(database), client=(client, 5000))
        async with httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1") as away:
            put = await away.put(f"{API}/bays/1/plan", json={"items": []}, headers=headers)
            post = await away.post(f"{API}/planogram.csv", content="shelf,bay,gtin\n", headers=headers)
            page = await away.get("/planogram", headers=headers)
        assert (put.status_code, post.status_code, page.status_code) == (403, 403, 200)
        assert "Edit" not in page.text
        assert "only the machine that runs this console may change anything" in page.text


async def test_shelf_events_are_told_newest_first(served: Console) -> None:
    served.scene.fill("A1", CAN, "low", 3, 24, ago_s=60, seq=1)
    served.scene.fill("A1", CAN, "out", 0, 24, ago_s=30, seq=2)
    served.scene.fill("A1", CAN, "unknown", None, 24, ago_s=10, seq=3)
    events = (await served.client.get(f"{API}/shelf-events?limit=5")).json()["events"]
    assert [(each["place"], each["state"], each["units"], each["fraction"]) for each in events] == [
        ("A1", "out", 0, 0.0), ("A1", "low", 3, 0.125),
    ]  # fmt: skip
    shelves = (await served.client.get(f"{API}/shelves")).json()["shelves"]
    assert shelves[0]["bays"][0]["stands"][0]["fill"] == "unknown"
