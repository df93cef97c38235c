"""The uplink over real brokers: everything said arrives once, whatever the broker and the link do."""

import asyncio
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support import servers
from tests.support.agents import running, write_config
from tests.support.servers import Server
from tests.support.tcp_faults import faulty_link
from tests.support.uplinks import Ingest, Node, ingest, node, until

pytestmark = pytest.mark.timeout(60)


@pytest.fixture(params=["nats", "mosquitto"])
def broker(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Server]:
    folder = tmp_path / "broker"
    folder.mkdir()
    with (servers.nats if request.param == "nats" else servers.mosquitto)(folder) as server:
        yield server


def complete(cloud: Ingest, edge: Node) -> bool:
    return cloud.ledger.has(edge.run) == set(range(1, edge.store.last_seq + 1))


async def test_everything_arrives_and_settles(broker: Server, tmp_path: Path) -> None:
    async with ingest(broker.port) as cloud, node(tmp_path / "edge.db", broker.port) as edge:
        for _ in range(20):
            await edge.say(130)
        await edge.all_acknowledged()
        assert complete(cloud, edge)
        assert cloud.ledger.conflicts == []
        assert edge.store.last_seq == 2601
        await until(lambda: bool(cloud.telemetry), "telemetry")
        assert "online" in cloud.statuses
        assert edge.faults() == ""
        assert await edge.thread.run(edge.store.counts) == edge.store.counts()
        await until(lambda: edge.store.counts().waiting == 0, "the store to know it too")


async def test_mqtt_5_works_too(mosquitto: Server, tmp_path: Path) -> None:
    async with ingest(mosquitto.port) as cloud, node(tmp_path / "edge.db", mosquitto.port, version=5) as edge:
        await edge.say(700)
        await edge.all_acknowledged()
        assert complete(cloud, edge)


async def test_a_broker_killed_in_the_middle_loses_nothing(broker: Server, tmp_path: Path) -> None:
    async with ingest(broker.port) as cloud, node(tmp_path / "edge.db", broker.port) as edge:
        for n in range(30):
            await edge.say(100)
            if n in (5, 15):
                await asyncio.to_thread(broker.kill)
            if n in (10, 20):
                await asyncio.to_thread(broker.start)
        await edge.all_acknowledged(40)
        assert complete(cloud, edge)
        assert cloud.ledger.conflicts == []


async def test_a_broker_that_lost_its_disk_loses_nothing(nats: Server, tmp_path: Path) -> None:
    async with ingest(nats.port) as cloud, node(tmp_path / "edge.db", nats.port) as edge:
        await edge.say(1000)
        await asyncio.to_thread(nats.kill)
        shutil.rmtree(nats.folder / "jetstream")
        await edge.say(1000)
        await asyncio.to_thread(nats.start)
        await edge.all_acknowledged(40)
        assert complete(cloud, edge)


async def test_a_slow_link_that_is_reset_and_cut_loses_nothing(broker: Server, tmp_path: Path) -> None:
    async with (
        faulty_link(broker.port) as link,
        ingest(broker.port) as cloud,
        node(tmp_path / "edge.db", link.port) as edge,
    ):
        link.latency_s = 0.02
        for n in range(6):
            await edge.say(200)
            link.cut_after = link.passed + 20_000 * (n + 1)
            await asyncio.sleep(0.3)
            if n % 2:
                link.reset()
        link.latency_s, link.cut_after = 0.0, None
        await edge.all_acknowledged(40)
        assert complete(cloud, edge)
        assert cloud.ledger.conflicts == []


async def test_a_link_that_goes_silent_is_left_and_made_anew(mosquitto: Server, tmp_path: Path) -> None:
    async with (
        faulty_link(mosquitto.port) as link,
        ingest(mosquitto.port) as cloud,
        node(tmp_path / "edge.db", link.port) as edge,
    ):
        await edge.say(10)
        await edge.all_acknowledged()
        link.silent = True
        await edge.say(10)
        await until(lambda: edge.uplink.trouble is not None, "the edge to notice", 15)
        await until(lambda: "no acknowledgement for 1 s" in edge.faults(), "the fault to be named")
        link.reset()
        link.silent = False
        await edge.all_acknowledged(40)
        assert complete(cloud, edge)


async def test_an_edge_that_dies_leaves_its_last_will_and_one_that_stops_says_so(
    broker: Server, tmp_path: Path
) -> None:
    async with faulty_link(broker.port) as link, ingest(broker.port) as cloud:
        async with node(tmp_path / "edge.db", link.port) as edge:
            await edge.say(1)
            await edge.all_acknowledged()
            link.reset()
            await until(lambda: cloud.statuses[-1:] == ["offline"] or cloud.statuses[-2:] == ["offline", "online"],
                        "the last will")  # fmt: skip
            await until(lambda: cloud.statuses[-1] == "online", "the edge to be back")
        await until(lambda: cloud.statuses[-1] == "offline", "the end to be said")


async def test_a_broker_that_refuses_us_is_a_fault_with_its_words(tmp_path: Path) -> None:
    (tmp_path / "nobody").write_text("")
    (tmp_path / "nobody").chmod(0o600)
    folder = tmp_path / "broker"
    folder.mkdir()
    # The later word counts: nobody may connect without a password, and nobody has one.
    extra = f"allow_anonymous false\npassword_file {tmp_path / 'nobody'}"
    with servers.mosquitto(folder, extra=extra) as broker:
        async with node(tmp_path / "edge.db", broker.port) as edge:
            await until(lambda: "ot authori" in (edge.uplink.trouble or ""), "the refusal to be told")


async def test_tls_is_spoken_and_a_stranger_is_not_believed(tmp_path: Path) -> None:
    key, certificate = tmp_path / "key.pem", tmp_path / "cert.pem"
    made = [servers.program("openssl"), "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "1",
            "-subj", "/CN=127.0.0.1", "-addext", "subjectAltName=IP:127.0.0.1",
            "-keyout", str(key), "-out", str(certificate)]  # fmt: skip
    await asyncio.to_thread(subprocess.run, made, check=True, capture_output=True)
    folder = tmp_path / "broker"
    folder.mkdir()
    with servers.mosquitto(folder, extra=f"certfile {certificate}\nkeyfile {key}") as broker:
        config = write_config(tmp_path, broker.port)
        config.write_text(config.read_text().replace("mqtt://", "mqtts://"))
        with running("run", config, log=tmp_path / "edge.log") as agent:
            await asyncio.to_thread(agent.wait_for, "certificate verify failed")
        trusting = {"SSL_CERT_FILE": str(certificate)}
        with running("run", config, log=tmp_path / "trusting.log", environment=trusting) as agent:
            await asyncio.to_thread(agent.wait_for, "connected to the broker")


async def test_ending_while_it_connects_leaves_no_socket_and_no_task(tmp_path: Path) -> None:
    came, gone = asyncio.Event(), asyncio.Event()

    async def silent(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Takes the connection, never answers, and sees when it ends."""
        came.set()
        while await reader.read(1000):
            pass
        gone.set()
        writer.close()

    async with await asyncio.start_server(silent, "127.0.0.1", 0) as server:
        async with node(tmp_path / "edge.db", server.sockets[0].getsockname()[1]):
            await came.wait()
        async with asyncio.timeout(2):
            await gone.wait()
    await until(lambda: asyncio.all_tasks() == {asyncio.current_task()}, "the client's own task ends")
