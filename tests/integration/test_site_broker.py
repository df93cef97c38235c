"""The broker that an agent runs for its site's devices: a real nats-server, its users, its end and its return."""

import asyncio
import os
import signal
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path

import aiomqtt
import pytest

from edge.broker import SiteBroker
from edge.config import BrokerConfig
from edge.errors import ConfigError
from edge.readers import build
from edge.readers.surroundings import Surroundings
from edge.readers.zebra_iotc.config import ZebraIotcConfig
from simulators.publish import Broker
from simulators.zebra_iotc.device import Look
from simulators.zebra_iotc.serve import Served
from tests.support.iot import a_radio
from tests.support.servers import free_port
from tests.support.supervised import now_us, watching

pytestmark = pytest.mark.timeout(60)


@asynccontextmanager
async def running(config: BrokerConfig, folder: Path) -> AsyncIterator[SiteBroker]:
    broker = SiteBroker(config, folder)
    await broker.start()
    watch = asyncio.create_task(broker.watch())
    try:
        yield broker
    finally:
        watch.cancel()
        with suppress(asyncio.CancelledError):
            await watch


def alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


async def test_it_listens_and_ends_with_whoever_ran_it(tmp_path: Path) -> None:
    config = BrokerConfig(listen=f"127.0.0.1:{free_port()}")
    async with running(config, tmp_path / "broker") as broker:
        pid = broker.pid
        assert pid is not None
        async with aiomqtt.Client("127.0.0.1", config.address[1]) as client:
            await client.publish("a/b", b"x", qos=1)
    assert not alive(pid)


async def test_only_its_users_may_in_and_their_passwords_are_kept_from_others(tmp_path: Path) -> None:
    users = tmp_path / "users.toml"
    users.write_text('agent = "a \\" # $x"\n"dock-1" = "d"\n')
    config = BrokerConfig(listen=f"0.0.0.0:{free_port()}", users_file=users)
    async with running(config, tmp_path / "broker"):
        for name, password in (("agent", 'a " # $x'), ("dock-1", "d")):
            async with aiomqtt.Client("127.0.0.1", config.address[1], username=name, password=password):
                pass
        for wrong in ({}, {"username": "agent", "password": "d"}):
            with pytest.raises(aiomqtt.MqttError):
                async with aiomqtt.Client("127.0.0.1", config.address[1], **wrong):  # type: ignore[arg-type]  # text
                    pass
        assert (tmp_path / "broker" / "nats.conf").stat().st_mode & 0o077 == 0


async def test_it_is_started_again_and_readers_lose_nothing_by_its_end(tmp_path: Path) -> None:
    config = BrokerConfig(listen=f"127.0.0.1:{free_port()}")
    port = config.address[1]
    reader = build(
        ZebraIotcConfig(driver="zebra_iotc", url=f"mqtt://127.0.0.1:{port}?topic=door/#"),
        "dock-1", now_us, Surroundings(edge="store-042", environment={}),
    )  # fmt: skip
    served = Served(Look(), now_us, broker=Broker("127.0.0.1", port), topic="door")
    async with (
        running(config, tmp_path / "broker") as broker,
        watching(reader) as site,
        a_radio(served) as radio,
    ):
        await site.until(lambda: site.ups == 1 and served.reading)
        radio.sees(50)
        await asyncio.sleep(0.05)
        assert broker.pid
        os.kill(broker.pid, signal.SIGKILL)
        radio.sees(50)
        await site.until(lambda: bool(site.reasons))
        radio.sees(50)
        await site.until(lambda: not radio.missing(site))
        await asyncio.sleep(3.5)  # what was not settled comes again now
    radio.holds(site)


async def test_why_it_does_not_start_is_said(tmp_path: Path) -> None:
    async with running(BrokerConfig(listen=f"127.0.0.1:{free_port()}"), tmp_path / "one") as one:
        second = SiteBroker(BrokerConfig(listen=one.url.removeprefix("mqtt://")), tmp_path / "two")
        with pytest.raises(ConfigError, match=r"broker.listen: 127.0.0.1:[0-9]+: Address already in use"):
            await second.start()


async def test_a_users_file_that_is_none_is_said_to_be(tmp_path: Path) -> None:
    users = tmp_path / "users.toml"
    users.write_text('agent = ""\n')
    broker = SiteBroker(BrokerConfig(users_file=users), tmp_path / "broker")
    with pytest.raises(ConfigError, match="write a line for each"):
        await broker.start()
