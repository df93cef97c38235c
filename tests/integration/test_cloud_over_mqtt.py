"""The cloud as a process: broker in, acknowledgements out, SIGTERM, and one writer for a SQLite ledger."""

import asyncio
import json
import os
import signal
import subprocess
import sys
import time
import urllib.request
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path
from typing import Any

import aiomqtt
import pytest
from click.testing import CliRunner, Result

from cloud.cli import cloud as cli
from tests.support.ledger import CAN, EDGE, RUN, Cloud, change, crossing, new_ledger, write_master
from tests.support.servers import Server, free_port
from wire.codec import decode_ack, join
from wire.messages import Ack
from wire.topics import Kind, topic

pytestmark = pytest.mark.timeout(120)
STARTS_S = 60.0  # importing the program alone takes seconds where others use the processor


class Running:
    """`python -m cloud run`, and what it answers."""

    def __init__(self, folder: Path, broker: Server, *, version: int, ledger: str) -> None:
        self.folder = folder
        self.web = free_port()
        self.config = folder / "cloud.toml"
        self.config.write_text(
            f'[ledger]\nurl = "{ledger}"\n[broker]\nurl = "mqtt://127.0.0.1:{broker.port}"\n'
            f'mqtt_version = {version}\n[web]\nlisten = "127.0.0.1:{self.web}"\n',
            "utf-8",
        )
        self.process: subprocess.Popen[bytes] | None = None

    def command(self, *words: str) -> Result:
        """A command given beside the running process. A process of its own would spend seconds on importing."""
        result = CliRunner().invoke(cli, [*words, "--config", str(self.config)])
        assert result.exception is None or isinstance(result.exception, SystemExit), result.exc_info
        return result

    def start(self) -> None:
        with (self.folder / "cloud.log").open("ab") as log:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "cloud", "run", "--config", str(self.config)], stdout=log, stderr=log
            )
        self.wait_for("listening to mqtt")

    def wait_for(self, said: str) -> None:
        deadline = time.monotonic() + STARTS_S
        log = self.folder / "cloud.log"
        while said not in (log.read_text("utf-8") if log.exists() else ""):
            assert self.process is not None
            assert self.process.poll() is None, log.read_text("utf-8")
            assert time.monotonic() < deadline, log.read_text("utf-8")
            time.sleep(0.05)

    def stop(self, how: signal.Signals = signal.SIGTERM) -> tuple[int, float]:
        """The exit code, and the seconds it took."""
        assert self.process is not None
        began = time.monotonic()
        self.process.send_signal(how)
        code = self.process.wait(20)
        return code, time.monotonic() - began

    def get(self, path: str) -> Any:
        return json.loads(self.text(path))

    def text(self, path: str) -> str:
        with urllib.request.urlopen(f"http://127.0.0.1:{self.web}{path}", timeout=5) as answer:
            return str(answer.read().decode("utf-8"))


@contextmanager
def _cloud(folder: Path, broker: Server, *, version: int = 3, ledger: str = "") -> Iterator[Running]:
    running = Running(folder, broker, version=version, ledger=ledger or f"sqlite:///{folder / 'ledger.db'}")
    loaded = running.command("load", str(write_master(folder / "master")))
    assert loaded.exit_code == 0, loaded.stderr
    running.start()
    try:
        yield running
    finally:
        if running.process is not None and running.process.poll() is None:
            running.process.kill()
            running.process.wait()


class Edge:
    """What an edge's uplink does on the broker, by hand."""

    def __init__(self, client: aiomqtt.Client) -> None:
        self.client = client

    async def send(self, lines: list[bytes]) -> None:
        await self.client.publish(topic(EDGE, Kind.EVENTS), join(lines), qos=1)

    async def ack(self, through: int) -> Ack:
        """Wait until the ledger has settled so much of the run."""
        async with asyncio.timeout(20):
            async for message in self.client.messages:
                assert isinstance(message.payload, bytes)
                assert not message.retain
                ack = decode_ack(message.payload)
                if ack.run == RUN and ack.through >= through:
                    return ack
        raise AssertionError("the connection ended")


@asynccontextmanager
async def _edge(broker: Server, version: int = 3) -> AsyncIterator[Edge]:
    protocol = aiomqtt.ProtocolVersion.V5 if version == 5 else aiomqtt.ProtocolVersion.V311
    async with aiomqtt.Client("127.0.0.1", broker.port, protocol=protocol) as client:
        await client.subscribe(topic(EDGE, Kind.ACK), qos=1)
        yield Edge(client)


@pytest.fixture(params=["nats 3.1.1", "mosquitto 5"])
def broker(request: pytest.FixtureRequest) -> tuple[Server, int]:
    name, version = str(request.param).split()
    return request.getfixturevalue(name), 5 if version == "5" else 3


async def test_events_are_booked_acknowledged_and_shown(tmp_path: Path, broker: tuple[Server, int]) -> None:
    server, version = broker
    lines = Cloud(new_ledger(f"sqlite:///{tmp_path / 'other.db'}")).lines([crossing(), change(-1)])
    with _cloud(tmp_path, server, version=version) as cloud:
        async with _edge(server, version) as edge:
            await edge.client.publish(topic(EDGE, Kind.STATUS), "online", qos=1, retain=True)
            await edge.send(lines)
            first = await edge.ack(2)
            await edge.send(lines)
            assert await edge.ack(2) == first  # duplicates are acknowledged again
        assert (first.generation, first.ranges) == (1, ())
        health = cloud.get("/api/v1/health")
        metrics = cloud.text("/metrics")
        code, took_s = cloud.stop()

    presence = {edge["edge"]: edge["presence"] for site in health["sites"] for edge in site["edges"]}
    assert presence == {EDGE: "online", "store-007": "unknown"}
    assert "stockbeat_ingest_duplicates_total 2.0" in metrics
    assert "stockbeat_broker_connected 1.0" in metrics
    assert (code, took_s < 3.0) == (0, True)


async def test_the_broker_may_go_and_come_back(tmp_path: Path, mosquitto: Server) -> None:
    lines = Cloud(new_ledger(f"sqlite:///{tmp_path / 'other.db'}")).lines([crossing(), change(-1)])
    with _cloud(tmp_path, mosquitto) as cloud:
        mosquitto.kill()
        cloud.wait_for("trying again")
        (tmp_path / "cloud.log").write_text("", "utf-8")
        mosquitto.start()
        cloud.wait_for("listening to mqtt")
        async with _edge(mosquitto) as edge:
            await edge.send(lines)
            assert (await edge.ack(2)).through == 2
        assert cloud.stop()[0] == 0


async def test_what_was_acknowledged_survives_a_kill(tmp_path: Path, mosquitto: Server) -> None:
    lines = Cloud(new_ledger(f"sqlite:///{tmp_path / 'other.db'}")).lines([change(-1, n) for n in range(40)])
    with _cloud(tmp_path, mosquitto) as cloud:
        async with _edge(mosquitto) as edge:
            await edge.send(lines[:20])
            acked = await edge.ack(20)
            await edge.send(lines[20:])
            cloud.stop(signal.SIGKILL)
            assert cloud.command("verify").stdout == "the ledger is sound\n"
            (tmp_path / "cloud.log").write_text("", "utf-8")
            cloud.start()
            await edge.send(lines)
            again = await edge.ack(40)
        assert (again.ledger, again.generation) == (acked.ledger, acked.generation)
        balances = {
            (row["location"], row["gtin"]): row["quantity"]
            for row in cloud.get(f"/api/v1/balances?site={EDGE}")["balances"]
        }
        assert balances["basket", CAN] == 40
        cloud.stop()


def test_a_sqlite_ledger_has_one_writer(tmp_path: Path, mosquitto: Server) -> None:
    with _cloud(tmp_path, mosquitto) as cloud:
        for words in (["load", str(tmp_path / "master")], ["rebuild"], ["restored"], ["retry"], ["run"]):
            refused = cloud.command(*words)
            assert refused.exit_code == 1, words
            assert "is being written by another process" in refused.stderr
            stock = cloud.command("stock", "--site", EDGE)
        assert f"store-042  A1        {CAN}  Can          4" in stock.stdout
        nowhere = cloud.command("stock", "--site", "nosite")
        assert nowhere.exit_code == 1
        assert "there is no site 'nosite'; there is store-007, store-042" in nowhere.stderr
        assert cloud.command("verify").exit_code == 0
        assert cloud.stop()[0] == 0
        assert "generation 2" in cloud.command("restored").stdout
    assert os.path.exists(tmp_path / "ledger.db")


def test_a_ledger_that_cannot_be_opened_is_said_in_a_sentence(tmp_path: Path, mosquitto: Server) -> None:
    nowhere = Running(tmp_path, mosquitto, version=3, ledger=f"sqlite:///{tmp_path}/no/ledger.db")
    for words in (["verify"], ["rebuild"]):
        refused = nowhere.command(*words)
        assert refused.exit_code == 1
    unreachable = f"postgresql+psycopg://nobody@127.0.0.1:{free_port()}/ledger"
    refused = Running(tmp_path, mosquitto, version=3, ledger=unreachable).command("verify")
    assert "the ledger cannot be opened" in refused.stderr
