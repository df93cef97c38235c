"""A shelf whose scale publishes, planned in the console: board, broker, agent and cloud, all of them real processes."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import Any

import pytest

from simulators.mqtt_scale.serve import Served
from simulators.publish import Broker
from tests.support.agents import running
from tests.support.console_cloud import cloud
from tests.support.ledger import CAN
from tests.support.servers import mosquitto
from tests.support.supervised import now_us

pytestmark = pytest.mark.timeout(240)

AGENT = """
edge = "store-042"
[uplink]
url = "mqtt://127.0.0.1:{port}"
[clock]
trust = true
[[shelves]]
name = "aisle-1"
bays = [ {{ name = "A1", cell = 0, capacity = 24, items = [ {{ gtin = "{can}", unit_grams = 330.0 }} ] }} ]
[shelves.reader]
driver = "mqtt_scale"
url = "mqtt://127.0.0.1:{port}?topic={topic}"
format = "esphome"
unit = "kg"
"""
SITES = """
[[site]]
name = "store-042"
time_zone = "Europe/Paris"
edges = ["store-042"]
places = ["yard", "backroom"]
[[site.bays]]
edge = "store-042"
shelf = "aisle-1"
bay = "A1"
backroom = "backroom"
capacity = { "09506000134352" = 24 }
"""
OPENING = f"site,place,gtin,quantity\nstore-042,A1,{CAN},10\nstore-042,backroom,{CAN},40\n"


@asynccontextmanager
async def published(board: Served) -> AsyncIterator[None]:
    task = asyncio.create_task(board.run())
    try:
        yield
    finally:
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task


def stand(shelves: Any) -> Any:
    return shelves["shelves"][0]["bays"][0]["stands"][0]


def has(units: int) -> Callable[[Any], bool]:
    return lambda said: bool(stand(said)["on_hand"] == units)


async def test_what_is_planned_reaches_the_shelf_and_what_runs_low_the_console(tmp_path: Path) -> None:
    with mosquitto(tmp_path) as broker:
        at = Broker("127.0.0.1", broker.port)
        board = Served("esphome", now_us, broker=at, name="a1", grams=[3300.0], every_s=0.1)
        config = tmp_path / "edge.toml"
        config.write_text(AGENT.format(port=broker.port, can=CAN, topic=board.topics[0]), "utf-8")
        async with (
            published(board),
            cloud(tmp_path, broker.port, sites=SITES, opening=OPENING, rules="") as asked,
        ):
            with running("run", config, log=tmp_path / "edge.log"):
                await asked.until(
                    "shelves",
                    lambda said: said["shelves"][0]["bays"][0]["weight"] is not None,
                    "the bay is weighed",
                )
                [bay] = (await asyncio.to_thread(asked.get, "planogram"))["bays"]
                item = {"gtin": CAN, "capacity": 20, "facings": 4, "low": 9}
                await asyncio.to_thread(
                    asked.send, "PUT", f"bays/{bay['location_id']}/plan", {"by": "manager", "items": [item]}
                )
                await asked.until(
                    "planogram", lambda said: said["bays"][0]["edge_has"] == "yes", "the agent has the plan"
                )
                [command] = (await asyncio.to_thread(asked.get, "commands"))["commands"]
                assert (command["kind"], command["state"], command["by"]) == (
                    "assign",
                    "done",
                    "the planogram",
                )

                await asyncio.sleep(3)  # the bay rests
                board.grams[0] -= 660.0
                await asked.until(
                    "shelves", lambda said: stand(said)["on_hand"] == 8, "two picked are booked"
                )
                events = await asked.until(
                    "shelf-events", lambda said: said["events"], "it is low, by the plan"
                )
                assert (events["events"][0]["state"], events["events"][0]["capacity"]) == ("low", 20)
                for left in (6, 4, 2, 0):
                    await asyncio.sleep(1.5)
                    board.grams[0] -= 660.0
                    await asked.until("shelves", has(left), "two more are booked")
                events = await asked.until(
                    "shelf-events", lambda said: said["events"][0]["state"] == "out", "it has run out"
                )
                assert (await asyncio.to_thread(asked.get, "incidents"))["incidents"] == []
