"""A shelf that people work at: simulated scale, agent, broker and cloud as processes, asked from the command line."""

import asyncio
import json
import os
import signal
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import aiomqtt
import pytest

from tests.support.agents import Running, running
from tests.support.ledger import CAN, EDGE, write_master
from tests.support.servers import Server, free_port
from tests.support.weighed import Scale, simulated
from wire import codec
from wire.commands import Command, Order, Outcome, Reload, Reply, Zero
from wire.topics import Kind, topic

pytestmark = pytest.mark.timeout(240)

COFFEE = "09506000211008"
AGENT = """
edge = "store-042"
[uplink]
url = "mqtt://127.0.0.1:{broker}"
[clock]
trust = true
[[shelves]]
name = "aisle-1"
reader = {{ url = "{scale}", {reader} }}
bays = [ {{ name = "A1", cell = 0, capacity = 24, items = [ {{ gtin = "{can}", unit_grams = 330.0 }} ] }} ]
"""
SITES = """
[[site]]
name = "store-042"
time_zone = "Europe/Paris"
edges = ["store-042"]
places = ["yard", "backroom"]
bays = [ { edge = "store-042", shelf = "aisle-1", bay = "A1", backroom = "backroom", capacity = { "09506000134352" = 24 } } ]
"""  # noqa: E501 - TOML's inline tables keep to one line
OPENING = f"site,place,gtin,quantity\nstore-042,A1,{CAN},4\nstore-042,backroom,{CAN},40\n"


def until(holds: Callable[[], bool], what: str, within_s: float = 40.0) -> None:
    deadline = time.monotonic() + within_s
    while not holds():
        assert time.monotonic() < deadline, f"{what}: not within {within_s:.0f} s"
        time.sleep(0.1)


class Shop:
    """All of it, with cans on the plate."""

    def __init__(self, folder: Path, broker: Server, scale: Scale, stack: ExitStack, reader: str) -> None:
        self.folder, self.broker, self.scale = folder, broker, scale
        self._stack = stack
        self.web = free_port()
        self.address = f"http://127.0.0.1:{self.web}"
        (folder / "cloud.toml").write_text(
            f'[ledger]\nurl = "sqlite:///{folder}/ledger.db"\n[broker]\nurl = "mqtt://127.0.0.1:{broker.port}"\n'
            f'[web]\nlisten = "127.0.0.1:{self.web}"\n',
            "utf-8",
        )
        self.config = folder / "edge.toml"
        self.config.write_text(
            AGENT.format(broker=broker.port, scale=scale.url, can=CAN, reader=reader), "utf-8"
        )
        master = write_master(folder / "master", sites=SITES, opening=OPENING, rules="")
        self._cloud("load", str(master))
        log = (folder / "cloud.log").open("ab")
        stack.callback(log.close)
        cloud = subprocess.Popen(
            [sys.executable, "-m", "cloud", "run", "--config", str(folder / "cloud.toml")],
            stdout=log,
            stderr=log,
        )
        stack.callback(cloud.wait)
        stack.callback(cloud.terminate)
        self.agent = self.start_agent()
        until(lambda: self._answers() and self.grams() is not None, "the bay is weighed")

    def start_agent(self) -> Running:
        return self._stack.enter_context(running("run", self.config, log=self.folder / "edge.log"))

    def _cloud(self, *words: str) -> None:
        done = subprocess.run(
            [sys.executable, "-m", "cloud", *words, "--config", str(self.folder / "cloud.toml")],
            capture_output=True, text=True, check=False,
        )  # fmt: skip
        assert done.returncode == 0, done.stderr

    def _answers(self) -> bool:
        try:
            self.get("health")
        except OSError:
            return False
        return True

    def get(self, path: str) -> Any:
        with urllib.request.urlopen(f"{self.address}/api/v1/{path}", timeout=5) as answer:
            return json.load(answer)

    def post(self, path: str, body: dict[str, object]) -> Any:
        request = urllib.request.Request(
            f"{self.address}/api/v1/{path}", json.dumps(body).encode(), {"Content-Type": "application/json"}
        )
        with urllib.request.urlopen(request, timeout=5) as answer:
            return json.load(answer)

    @property
    def bay(self) -> dict[str, Any]:
        [shelf] = self.get("shelves")["shelves"]
        [bay] = shelf["bays"]
        found: dict[str, Any] = bay
        return found

    def units(self) -> int | None:
        """As the scale says, at rest."""
        weight = self.bay["weight"]
        return int(weight["units"]) if weight and weight["stable"] and weight["units"] is not None else None

    def grams(self) -> float | None:
        weight = self.bay["weight"]
        return float(weight["grams"]) if weight and weight["stable"] else None

    def weighs(self, grams: float) -> bool:
        now = self.grams()
        return now is not None and abs(now - grams) < 3

    def condition(self) -> str:
        return str((self.bay["condition"] or {"state": "ok"})["state"])

    def booked(self, gtin: str = CAN) -> int:
        return sum(row["quantity"] for row in self.get(f"balances?location=A1&gtin={gtin}")["balances"])

    def position(self) -> int:
        return int(self.get("movements")["head"])

    def shelves(self, *words: str) -> str:
        """`stockbeat shelves …`, which must end well."""
        done = self.asked(*words)
        assert done.returncode == 0, done.stderr + self.agent.said()
        return done.stdout

    def asked(self, *words: str) -> "subprocess.CompletedProcess[str]":
        return subprocess.run(
            [sys.executable, "-m", "stockbeat", "shelves", *words],
            capture_output=True, text=True, check=False, timeout=90,
            env={**os.environ, "STOCKBEAT_CLOUD": self.address},
        )  # fmt: skip


@contextmanager
def opened(
    folder: Path, broker: Server, kind: str = "sics", reader: str = 'driver = "sics"'
) -> Iterator[Shop]:
    """With four cans on the plate."""
    with ExitStack() as stack:
        scale = stack.enter_context(simulated(kind, folder / "scale", "--grams", "1320"))
        yield Shop(folder, broker, scale, stack, reader)


def command(order: Order, name: str, *, good_for_s: float = 60.0) -> bytes:
    now = datetime.now(UTC)
    until_at = now + timedelta(seconds=good_for_s)
    return codec.encode_command(
        Command(id=name, edge=EDGE, issued_at=now, expires_at=until_at, by="test", order=order)
    )


def say(shop: Shop, *payloads: bytes) -> list[Reply]:
    """Straight to the agent, past the cloud; its answers."""
    return asyncio.run(_say(shop.broker.port, list(payloads)))


async def _say(port: int, payloads: list[bytes]) -> list[Reply]:
    found: list[Reply] = []
    async with aiomqtt.Client("127.0.0.1", port) as client:
        await client.subscribe(topic(EDGE, Kind.REPLY), qos=1)
        for payload in payloads:
            await client.publish(topic(EDGE, Kind.COMMAND), payload, qos=1)
        async with asyncio.timeout(20):
            async for message in client.messages:
                assert isinstance(message.payload, bytes)
                found.append(codec.decode_reply(message.payload))
                if len(found) == len(payloads):
                    break
    return found


def test_nothing_that_is_done_in_service_is_booked_and_the_bay_goes_on_afterwards(
    mosquitto: Server, tmp_path: Path
) -> None:
    with opened(tmp_path, mosquitto) as shop:
        shop.scale.put(-330)
        until(lambda: shop.booked() == 3, "one can is taken")
        before = shop.position()

        assert "in service for 5 min at the most" in shop.shelves("service", "aisle-1/A1", "--minutes", "5")
        until(lambda: shop.condition() == "service", "the bay is in service")
        for grams in (-660, 1650, -330, 330):  # somebody faces up, and adds three cans meanwhile
            shop.scale.put(grams)
            time.sleep(2.5)
        assert "in service" in shop.shelves("show", "A1")
        assert shop.position() == before

        shop.shelves("service", "A1", "--end")
        until(lambda: shop.condition() != "service" and shop.units() == 6, "the bay is weighed anew")
        assert (shop.position(), shop.booked()) == (before, 3)

        shop.scale.put(-330)
        until(lambda: shop.booked() == 2, "picks are booked again")
        shop.shelves("confirm", "A1", f"{CAN}=5")
        until(lambda: shop.booked() == 5, "a person's count is booked")
        log = shop.get("commands")["commands"]
        assert [(each["kind"], each["state"]) for each in log if each["by"] == "command line"] == [
            ("confirm", "done"),
            ("service_end", "done"),
            ("service_begin", "done"),
        ]


def test_service_ends_by_itself(mosquitto: Server, tmp_path: Path) -> None:
    with opened(tmp_path, mosquitto) as shop:
        shop.post(f"bays/{shop.bay['location_id']}/service", {"minutes": 0.2})
        until(lambda: shop.condition() == "service", "the bay is in service")
        shop.scale.put(-660)
        until(lambda: shop.condition() != "service", "it ends by itself", 30.0)
        until(lambda: shop.units() == 2, "the bay is weighed anew")
        assert shop.booked() == 4
        shop.scale.put(-330)
        until(lambda: shop.booked() == 3, "picks are booked again")


def test_a_killed_agent_keeps_what_was_assigned_and_what_it_has_answered(
    mosquitto: Server, tmp_path: Path
) -> None:
    with opened(tmp_path, mosquitto) as shop:
        shop.scale.put(-1320 + 1560)  # three packets of coffee instead
        said = shop.shelves("assign", "A1", COFFEE, "--capacity", "12")
        assert COFFEE in said
        once = command(Zero(shelf="aisle-1", bay="A9"), "c-once")
        [first] = say(shop, once)
        shop.agent.stop(signal.SIGKILL)
        shop.agent = shop.start_agent()
        until(lambda: shop.agent.said().count("connected to the broker") == 2, "the agent is back")
        assert say(shop, once) == [first]
        until(lambda: f"{COFFEE}" in _levels(shop), "the bay still holds coffee")
        until(lambda: shop.units() == 3, "and counts it")
        shop.scale.put(-520)
        until(lambda: shop.booked(COFFEE) == -1, "a packet is taken")


def test_a_shelf_is_calibrated_while_its_agent_runs_and_stays_so(mosquitto: Server, tmp_path: Path) -> None:
    """The board sends 420 counts a gram; whoever set it up believed in 350."""
    board = 'driver = "hx711_lines", columns = ["counts"], counts_per_gram = [350.0], zero_counts = [84000.0]'
    with opened(tmp_path, mosquitto, "hx711", board) as shop:
        assert shop.weighs(1320 * 420 / 350)
        before = shop.position()
        shop.shelves("service", "A1")
        until(lambda: shop.condition() == "service", "nothing is booked meanwhile")
        shop.scale.put(-1320, 0)
        time.sleep(3)
        _calibrate(shop, step="zero", cell=0)
        shop.scale.put(2000, 0)
        time.sleep(3)
        assert "factor 0.83" in _calibrate(shop, step="span", cell=0, mass_grams=2000)
        shop.scale.put(-1000, 0)
        time.sleep(3)
        assert "1000 g come out as " in _calibrate(shop, step="check", cell=0, mass_grams=1000)
        shop.scale.put(320, 0)
        time.sleep(3)
        assert "are kept" in _calibrate(shop, step="keep")
        until(lambda: shop.weighs(1320), "a gram is a gram")
        until(lambda: shop.condition() == "needs_check", "what was counted by the wrong grams is doubted")
        shop.shelves("confirm", "A1", f"{CAN}=4")
        until(lambda: shop.condition() == "ok" and shop.units() == 4, "a person has counted")
        shop.agent.stop(signal.SIGKILL)
        shop.agent = shop.start_agent()
        until(lambda: shop.agent.said().count("connected to the broker") == 2, "the agent is back")
        time.sleep(5)
        until(lambda: shop.weighs(1320) and shop.units() == 4, "it still is")
        assert shop.position() == before
        shop.scale.put(-330, 0)
        until(lambda: shop.booked() == 3, "a can is taken")


def _calibrate(shop: Shop, **step: object) -> str:
    """One step, as the page asks for it; what was found."""
    asked = shop.post(f"edges/{EDGE}/shelves/aisle-1/calibrate", step)
    deadline = time.monotonic() + 60
    while asked["state"] == "asked":
        assert time.monotonic() < deadline
        time.sleep(0.2)
        asked = shop.get(f"commands/{asked['id']}")
    assert asked["state"] == "done", asked
    return str(asked["words"])


def _levels(shop: Shop) -> str:
    status = subprocess.run(
        [sys.executable, "-m", "edge", "status", str(shop.config)], capture_output=True, text=True, check=True
    )
    health = (shop.folder / "store-042.db.health.json").read_text("utf-8")
    return status.stdout + health


def test_what_comes_late_or_twice_is_not_done(mosquitto: Server, tmp_path: Path) -> None:
    with opened(tmp_path, mosquitto) as shop:
        [late] = say(shop, command(Reload(), "c-late", good_for_s=-1.0))
        assert late.outcome is Outcome.STALE
        twice = command(Reload(), "c-twice")
        replies = say(shop, twice, twice)
        assert replies[0] == replies[1]
        assert replies[0].words.startswith("edge.toml is right: 0 gates and 1 shelves")
        until(lambda: shop.agent.said().count("connected to the broker") == 2, "the agent has begun anew")
        until(lambda: shop.units() == 4, "and weighs")
        shop.config.write_text(shop.config.read_text("utf-8").replace("cell = 0", "cell = -1"), "utf-8")
        [wrong] = say(shop, command(Reload(), "c-wrong"))
        assert wrong.outcome is Outcome.REFUSED
        assert "shelves[1].bays[1].cell" in wrong.words
        refused = shop.asked("zero", "A9")
        assert (refused.returncode, "there is no bay 'A9'; there is aisle-1/A1" in refused.stderr) == (
            1,
            True,
        )
        shop.agent.stop()
        unheard = shop.asked("zero", "A1")
        assert unheard.returncode == 1
        assert "expired: store-042 did not answer" in unheard.stderr
