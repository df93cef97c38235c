"""Brokers between a reader and its driver: those that forget, refuse, speak TLS, and what is too large for us."""

import asyncio
import gc
import subprocess
from collections.abc import Iterator
from pathlib import Path

import aiomqtt
import pytest

from edge.readers.reader import Holding
from tests.support.published import a_door, read
from tests.support.servers import Server, mosquitto, nats
from tests.support.supervised import watching

pytestmark = pytest.mark.timeout(60)


async def test_whether_the_broker_had_kept_our_session_is_known(tmp_path: Path) -> None:
    with mosquitto(tmp_path) as broker:  # keeps nothing on disk
        reader = read("impinj_iot", broker.port)
        assert isinstance(reader, Holding)
        async with watching(reader) as site:
            await site.until(lambda: site.ups == 1)
            assert not reader.held  # there was none
        async with watching(reader) as site:
            await site.until(lambda: site.ups == 1)
            assert reader.held
            await asyncio.to_thread(broker.restart)
            await site.until(lambda: site.ups == 2)
            assert not reader.held


async def test_a_wrong_password_is_refused_with_words(tmp_path: Path) -> None:
    users = tmp_path / "users"
    users.write_text("nobody:$6$x$x\n")
    with mosquitto(tmp_path, extra=f"password_file {users}\nallow_anonymous false") as broker:
        async with watching(read("impinj_iot", broker.port)) as site:
            await site.until(lambda: bool(site.reasons))
    assert "refuses us" in site.reasons[0]
    assert site.ups == 0


@pytest.fixture
def stingy(tmp_path: Path) -> Iterator[Server]:
    """A broker that lets its one user read other topics only."""
    (tmp_path / "login.toml").write_text('username = "dock"\npassword = "d"\n')
    with nats(tmp_path) as broker:
        broker.stop()
        users = '{ user: "dock", password: "d", permissions: { subscribe: "other.>", publish: ">" } }'
        with (tmp_path / "nats.conf").open("a") as config:
            config.write(f"\nauthorization {{ users: [ {users} ] }}\n")
        broker.start()
        yield broker


async def test_a_subscription_that_is_refused_is_said_to_be(stingy: Server) -> None:
    reader = read("impinj_iot", stingy.port, credentials_file=stingy.folder / "login.toml")
    async with watching(reader) as site:
        await site.until(lambda: bool(site.reasons))
    assert "lets dock not read door/1/#" in site.reasons[0]


async def test_messages_too_large_are_passed_over(tmp_path: Path) -> None:
    with mosquitto(tmp_path) as broker:
        async with a_door("impinj_iot", broker.port) as (radio, site):
            async with aiomqtt.Client("127.0.0.1", broker.port) as other:
                await other.publish("door/1/tags", b"[" + b" " * (1024 * 1024) + b"]", qos=1)
            radio.sees(10)
            await site.until(lambda: not radio.missing(site))
    radio.holds(site)


@pytest.fixture
def certified(tmp_path: Path) -> Iterator[Server]:
    """A broker that speaks TLS, with a certificate of its own making in cert.pem."""
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-subj", "/CN=broker", "-days", "1",
         "-addext", "subjectAltName=IP:127.0.0.1",
         "-keyout", tmp_path / "key.pem", "-out", tmp_path / "cert.pem"],
        check=True, capture_output=True,
    )  # fmt: skip
    with mosquitto(tmp_path, extra=f"certfile {tmp_path}/cert.pem\nkeyfile {tmp_path}/key.pem") as server:
        yield server


# paho leaves the socket of a certificate that it does not believe to the garbage collector.
@pytest.mark.filterwarnings("ignore:unclosed <ssl.SSLSocket:ResourceWarning")
async def test_a_broker_is_believed_by_the_certificate_that_ca_file_names(certified: Server) -> None:
    url = f"mqtts://127.0.0.1:{certified.port}?topic=door/1/#"
    async with watching(read("zebra_iotc", certified.port, url=url)) as stranger:
        await stranger.until(lambda: bool(stranger.reasons))
    assert "ca_file" in stranger.reasons[0]
    gc.collect()
    reader = read("zebra_iotc", certified.port, url=url, ca_file=certified.folder / "cert.pem")
    async with watching(reader) as site:
        await site.until(lambda: site.ups == 1)
