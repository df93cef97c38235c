"""Asking edges over HTTP, the page of a bay, and the codes that open it."""

import re
from typing import Any

import httpx
import pytest

from cloud.ledger.database import Database
from cloud.web.app import create_app
from tests.support.answering import answering
from tests.support.console import Console, console_app, real_time
from tests.support.scene import BOTTLE, CAN, OIL, TISSUES, Scene
from wire.commands import (
    Assign,
    AssignedItem,
    Calibrate,
    Confirm,
    ItemCount,
    Outcome,
    ReadLevels,
    Reload,
    ServiceBegin,
    ServiceEnd,
    Step,
    Zero,
)

SHELF = "/api/v1/edges/store-042/shelves/aisle-1"


async def _bay(served: Console, name: str = "A1") -> int:
    shelves = (await served.client.get("/api/v1/shelves")).json()["shelves"]
    [found] = [bay["location_id"] for shelf in shelves for bay in shelf["bays"] if bay["bay"] == name]
    return int(found)


@pytest.mark.parametrize(
    "path, body, order",
    [
        (
            "service",
            {"minutes": 15, "reason": "cleaning"},
            ServiceBegin(shelf="aisle-1", bay="A1", timeout_s=900, reason="cleaning"),
        ),
        ("service", None, ServiceBegin(shelf="aisle-1", bay="A1", timeout_s=1800)),
        ("service/end", None, ServiceEnd(shelf="aisle-1", bay="A1")),
        ("zero", None, Zero(shelf="aisle-1", bay="A1")),
        ("levels", None, ReadLevels(shelf="aisle-1")),
        (
            "confirm",
            {"counts": [{"gtin": CAN, "units": 25}]},
            Confirm(shelf="aisle-1", bay="A1", counts=(ItemCount(gtin=CAN, units=25),)),
        ),
        (
            "assign",
            {"items": [{"gtin": BOTTLE, "unit_grams": 1035.5}], "capacity": 12, "low": 3},
            Assign(
                shelf="aisle-1",
                bay="A1",
                items=(AssignedItem(gtin=BOTTLE, unit_grams=1035.5),),
                capacity=12,
                low=3,
            ),
        ),
    ],
)
async def test_a_bay_is_asked(served: Console, path: str, body: dict[str, Any] | None, order: object) -> None:
    here = await _bay(served)
    async with answering(served.scene.database, lambda _: (Outcome.DONE, "as asked")) as asked:
        answer = await served.client.post(f"/api/v1/bays/{here}/{path}", json=body and body | {"by": "floor"})
        assert answer.status_code == 202, answer.text
        told = answer.json()
        assert (told["state"], told["by"]) == ("asked", "floor" if body else "console")
        while told["state"] == "asked":
            told = (await served.client.get(f"/api/v1/commands/{told['id']}")).json()
    assert (told["state"], told["words"]) == ("done", "as asked")
    assert [command.order for command in asked] == [order]
    log = (await served.client.get("/api/v1/commands")).json()["commands"]
    assert [each["id"] for each in log] == [told["id"]]


async def test_what_is_planned_of_an_item_is_not_lost_by_assigning_it_again(served: Console) -> None:
    here = await _bay(served)
    stand = {"gtin": CAN, "capacity": 24, "unit_grams": 331.5, "unit_cv": 0.02, "unit_tare_grams": 18}
    assert (await served.client.put(f"/api/v1/bays/{here}/plan", json={"items": [stand]})).status_code == 200
    async with answering(served.scene.database, lambda _: (Outcome.DONE, "")) as asked:
        told = (
            await served.client.post(f"/api/v1/bays/{here}/assign", json={"items": [{"gtin": CAN}]})
        ).json()
        while told["state"] == "asked":
            told = (await served.client.get(f"/api/v1/commands/{told['id']}")).json()
    assert [command.order for command in asked] == [
        Assign(
            shelf="aisle-1", bay="A1",
            items=(AssignedItem(gtin=CAN, unit_grams=331.5, unit_cv=0.02, unit_tare_grams=18.0),),
        )
    ]  # fmt: skip


@pytest.mark.parametrize(
    "path, body, order",
    [
        (
            f"{SHELF}/calibrate",
            {"step": "span", "cell": 0, "mass_grams": 2000},
            Calibrate(shelf="aisle-1", step=Step.SPAN, cell=0, mass_grams=2000.0),
        ),
        (f"{SHELF}/calibrate", {"step": "keep"}, Calibrate(shelf="aisle-1", step=Step.KEEP)),
        (f"{SHELF}/service", {"minutes": 60}, ServiceBegin(shelf="aisle-1", timeout_s=3600)),
        (f"{SHELF}/service/end", None, ServiceEnd(shelf="aisle-1")),
        ("/api/v1/edges/store-042/reload", None, Reload()),
    ],
)
async def test_a_shelf_and_an_edge_are_asked(
    served: Console, path: str, body: dict[str, Any] | None, order: object
) -> None:
    async with answering(served.scene.database, lambda _: (Outcome.DONE, "")) as asked:
        told = (await served.client.post(path, json=body)).json()
        while told["state"] == "asked":
            told = (await served.client.get(f"/api/v1/commands/{told['id']}")).json()
    assert [command.order for command in asked] == [order]


@pytest.mark.parametrize(
    "path, body, status, says",
    [
        ("bays/999/zero", None, 404, "there is no bay 999"),
        ("bays/A1/service", {"minutes": 0}, 422, "minutes: Input should be greater"),
        ("bays/A1/service", {"hours": 1}, 422, "hours: Extra inputs are not permitted"),
        ("bays/A1/confirm", {"counts": [{"gtin": "0" * 14, "units": 1}]}, 422, "no item has the GTIN 0000"),
        ("bays/A1/confirm", {"counts": []}, 422, "at least 1 item"),
        ("bays/A1/assign", {"items": [{"gtin": CAN}]}, 422, "say what one weighs, in grams"),
        (
            "edges/store-042/shelves/aisle-9/calibrate",
            {"step": "zero", "cell": 0},
            422,
            "has no shelf 'aisle-9'",
        ),
        ("edges/store-042/shelves/aisle-1/calibrate", {"step": "polish"}, 422, "'zero', 'span'"),
        ("edges/store-000/reload", None, 422, "no site has an edge 'store-000'"),
    ],
)
async def test_what_cannot_be_asked_is_said(
    served: Console, path: str, body: dict[str, Any] | None, status: int, says: str
) -> None:
    path = path.replace("bays/A1", f"bays/{await _bay(served)}")
    answer = await served.client.post(f"/api/v1/{path}", json=body)
    assert (answer.status_code, says in answer.json()["detail"]) == (status, True), answer.text
    assert (await served.client.get("/api/v1/commands")).json()["commands"] == []


async def test_another_machine_and_another_page_may_ask_nothing(database: Database, scene: Scene) -> None:
    async def post(client: str, **headers: str) -> httpx.Response:
        transport = httpx.ASGITransport(console_app(database), client=(client, 4711))
        async with httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1:8000") as http:
            return await http.post("/api/v1/edges/store-042/reload", headers=headers)

    assert (await post("192.0.2.7")).status_code == 403
    assert (await post("127.0.0.1", origin="http://evil.example")).status_code == 403
    assert (await post("127.0.0.1")).status_code == 202


async def test_every_way_of_asking_is_guarded(served: Console) -> None:
    """An address that writes and was forgotten would be open to all."""
    paths = served.app.openapi()["paths"]
    writing = [path for path, methods in paths.items() if "post" in methods]
    assert len(writing) >= 10
    transport = httpx.ASGITransport(served.app, client=("192.0.2.7", 4711))
    async with httpx.AsyncClient(transport=transport, base_url=served.url) as http:
        for path in writing:
            filled = re.sub(r"\{(\w+)\}", lambda found: "1" if found[1].endswith("id") else "aisle-1", path)
            answer = await http.post(filled, json={"step": "zero", "counts": [], "items": []})
            assert answer.status_code == 403, path


async def test_the_page_of_a_bay_shows_what_stands_there(served: Console) -> None:
    page = (await served.client.get("/bay/store-042/aisle-1/A1")).text
    assert "Begin service" in page
    assert "Tomatoes, chopped, 330 g can" in page
    assert "From here you can look, but not change anything." not in page
    missing = await served.client.get("/bay/store-042/aisle-1/A9")
    assert missing.status_code == 404
    assert "no such bay" in missing.text


@pytest.mark.parametrize(
    "condition, badge",
    [("uncertain", "Uncertain"), ("needs_check", "Scale needs a check"), ("blind", "Cannot weigh")],
)
async def test_how_a_bay_counts_is_shown_with_its_reason(served: Console, condition: str, badge: str) -> None:
    served.scene.condition("A2", condition, "cell 1 is odd")
    for path in ("/", "/bay/store-042/aisle-2/A2"):
        page = (await served.client.get(path)).text
        assert f">{badge}</span>" in page
        assert re.search(r'<p class="[^"]*remark"[^>]*>cell 1 is odd</p>', page)


async def test_a_bay_of_which_nobody_has_said_anything_is_not_shown_as_counting(served: Console) -> None:
    assert (await served.client.get("/")).text.count(">Not heard yet</span>") == 6
    page = (await served.client.get("/bay/store-042/aisle-1/A1")).text
    assert ">Not heard yet</span>" in page
    assert ">Counting</span>" not in page
    served.scene.condition("A1", "ok")
    assert (await served.client.get("/")).text.count(">Not heard yet</span>") == 5
    assert ">Counting</span>" in (await served.client.get("/bay/store-042/aisle-1/A1")).text


async def test_where_scale_and_ledger_differ_both_are_shown_and_below_zero_is_said(served: Console) -> None:
    served.scene.move(CAN, "A1", "basket", 4)
    served.scene.condition("A1", "ok")
    served.scene.level("A1", 990.0, 3)
    both = "The scale says 3 × Tomatoes, chopped, 330 g can, the ledger −4."
    shown = {"/": "The scale says 3 now (990 g), the ledger −4.", "/bay/store-042/aisle-1/A1": both}
    for path, words in shown.items():
        page = (await served.client.get(path)).text
        assert words in page
        assert (
            "The ledger is below zero: more was taken than it knew of. Count, and say what stands there."
            in page
        )
    served.scene.level("A1", 990.0, 3, stable=False)
    served.scene.move(CAN, "supplier", "A1", 4)
    for path in ("/", "/bay/store-042/aisle-1/A1"):
        page = (await served.client.get(path)).text
        assert "the ledger" not in page
        assert "below zero" not in page


async def test_of_a_bay_with_several_kinds_the_scale_s_units_of_each_are_shown(served: Console) -> None:
    served.scene.level("A5", 9000.0, None)
    served.scene.item_levels("A5", **{f"_{OIL}": 0, f"_{TISSUES}": 3})  # the ledger has none of either
    page = (await served.client.get("/")).text
    assert "The scale says 3 × Tissues, box of 100 now, the ledger 0." in page
    assert "× Olive oil" not in page
    assert "0 × Olive oil, 0.75 l, 3 × Tissues, box of 100" in (
        await served.client.get("/bay/store-042/aisle-5/A5")
    ).text  # fmt: skip


async def test_from_a_phone_the_page_says_that_it_can_only_look(database: Database, scene: Scene) -> None:
    transport = httpx.ASGITransport(console_app(database), client=("192.0.2.7", 4711))
    async with httpx.AsyncClient(transport=transport, base_url="http://192.0.2.1:8000") as http:
        page = (await http.get("/bay/store-042/aisle-1/A1")).text
    assert "From here you can look, but not change anything." in page


async def test_codes_open_the_pages_of_bays_where_phones_reach_them(database: Database, scene: Scene) -> None:
    app = create_app(database, now=real_time, address="https://stock.example/")
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://127.0.0.1") as http:
        page = (await http.get("/codes")).text
        one = (await http.get("/codes?shelf=aisle-1&bay=A1")).text
    urls = re.findall(r'data-url="([^"]+)"', page)
    assert len(urls) == 6
    assert "https://stock.example/bay/store-042/aisle-1/A1" in urls
    assert re.findall(r'data-url="([^"]+)"', one) == ["https://stock.example/bay/store-042/aisle-1/A1"]
    assert one.count("<svg") == 1
