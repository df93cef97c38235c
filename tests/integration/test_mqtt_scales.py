"""Scales that publish, over real brokers: every weight in grams and at its time, and nothing old taken for new."""

import asyncio
import json
import subprocess
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, suppress
from itertools import pairwise
from pathlib import Path

import aiomqtt
import pytest

from edge.readers import build
from edge.readers.mqtt_scale.config import MqttScaleConfig
from edge.readers.mqtt_scale.reader import MqttScale
from edge.readers.reader import Reader
from edge.readers.surroundings import Surroundings
from edge.reads import Scale, WeightFault, WeightSample
from simulators import trouble
from simulators.mqtt_scale.board import EspHome, PlainJson
from simulators.mqtt_scale.serve import Served
from simulators.publish import Broker
from tests.support.servers import Server, mosquitto, nats
from tests.support.supervised import Site, now_us, watching
from tests.support.tcp_faults import faulty_link

pytestmark = pytest.mark.timeout(60)

AGENT = Surroundings(edge="store-042", environment={})
FORMATS = ["tasmota", "esphome", "home_assistant", "senml", "json"]
MAC = "urn:dev:mac:0024befffe804ff1"
SETTINGS: dict[str, dict[str, object]] = {
    "tasmota": {},
    "esphome": {"unit": "kg"},
    "home_assistant": {"unit": "g"},
    "senml": {"cells": [{"cell": cell, "name": f"{MAC}:a{cell + 1}"} for cell in range(2)]},
    "json": {
        "cells": [{"cell": cell, "value": f"scales[{cell}].w"} for cell in range(2)],
        "unit_at": "unit", "time_at": "at", "stable_at": "scales[0].rest", "status": ["shelf/status"],
    },
}  # fmt: skip
EMPTY_COUNT, COUNTS_PER_GRAM = 217_937, 420


@pytest.fixture(params=["mosquitto", "nats"])
def broker(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Server]:
    with (nats if request.param == "nats" else mosquitto)(tmp_path) as server:
        yield server


def board(format: str, port: int, grams: list[float], *, every_s: float | None = None) -> Served:
    return Served(
        format, now_us, broker=Broker("127.0.0.1", port), name="shelf", grams=grams, every_s=every_s
    )


def read(format: str, port: int, served: Served, /, **settings: object) -> Reader:
    topics = "&".join(f"topic={topic}" for topic in dict.fromkeys(served.topics))
    written = {"driver": "mqtt_scale", "url": f"mqtt://127.0.0.1:{port}?{topics}", "format": format}
    config = MqttScaleConfig.model_validate(written | SETTINGS[format] | settings)
    return build(config, "aisle-1", now_us, AGENT)


@asynccontextmanager
async def running(served: Served) -> AsyncIterator[Served]:
    task = asyncio.create_task(served.run())
    try:
        yield served
    finally:
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task


def samples(site: Site, cell: int = 0) -> list[WeightSample]:
    return [each for each in site.reads if isinstance(each, WeightSample) and each.cell == cell]


def faults(site: Site, cell: int = 0) -> list[str]:
    return [each.fault for each in site.reads if isinstance(each, WeightFault) and each.cell == cell]


def shows(site: Site, *grams: float, within: float = 1.5) -> bool:
    """Whether the last weight of each cell is this."""
    last = [samples(site, cell) for cell in range(len(grams))]
    return all(
        each and abs(each[-1].grams - right) <= within for each, right in zip(last, grams, strict=True)
    )


def gross(format: str, *grams: float) -> list[float]:
    """What a cell shows: Tasmota's WeightRaw is not tared."""
    offset = int(EMPTY_COUNT / COUNTS_PER_GRAM) if format == "tasmota" else 0.0
    return [each + offset for each in grams]


@pytest.mark.parametrize("format", FORMATS)
async def test_each_format_weighs_in_grams_and_follows_a_pick(format: str, broker: Server) -> None:
    served = board(format, broker.port, [2310.0, 505.0], every_s=1.0 if format == "tasmota" else None)
    async with running(served), watching(read(format, broker.port, served)) as site:
        await site.until(lambda: shows(site, *gross(format, 2310.0, 505.0)))
        served.grams[0] -= 330.0
        at_us = now_us()
        await site.until(lambda: shows(site, *gross(format, 1980.0, 505.0)))
    assert site.ups == 1
    assert site.reasons == []
    assert faults(site) == []
    picked = [each for each in samples(site) if each.grams < gross(format, 2100.0)[0]]
    assert 0 <= picked[0].at_us - at_us < 3_000_000
    assert all(each.at_us <= now_us() for each in samples(site))
    if format in ("senml", "json"):
        assert True in {each.stable for each in samples(site)}


async def test_absraw_is_finer_and_says_how_it_was_calibrated(broker: Server) -> None:
    served = board("tasmota", broker.port, [-12.3], every_s=0.5)
    reader = read(
        "tasmota", broker.port, served, grams_per_count=1 / COUNTS_PER_GRAM, zero_count=float(EMPTY_COUNT)
    )
    async with running(served), watching(reader) as site:
        await site.until(lambda: len(samples(site)) >= 2)
    assert all(abs(each.grams + 12.3) < 0.3 for each in samples(site))
    (scale,) = [each for each in site.reads if isinstance(each, Scale)]
    assert (scale.cells, scale.calibration) == ((0,), f"{1 / 420!r} g a count from 217937.0")


@pytest.mark.parametrize("format", ["tasmota", "esphome", "senml"])
async def test_through_a_broker_that_restarts(format: str, broker: Server) -> None:
    served = board(format, broker.port, [2310.0, 505.0], every_s=0.3)
    async with running(served), watching(read(format, broker.port, served)) as site:
        for left in (1980.0, 1650.0):
            await site.until(lambda: len(samples(site)) > 2)
            before = site.ups
            await asyncio.to_thread(broker.stop)
            served.grams[0] = left  # taken while nobody could say so
            await asyncio.to_thread(broker.start)
            await site.until(lambda before=before: site.ups > before)  # type: ignore[misc]  # bound
            await site.until(lambda left=left: shows(site, *gross(format, left, 505.0)))  # type: ignore[misc]  # bound
    assert site.reasons
    assert [each.at_us for each in samples(site)] == sorted(each.at_us for each in samples(site))


async def test_links_that_break_bring_no_old_weight_back(broker: Server) -> None:
    async with faulty_link(broker.port) as near, faulty_link(broker.port) as far:
        served = board("senml", far.port, [3300.0, 505.0], every_s=0.2)
        async with running(served), watching(read("senml", near.port, served)) as site:
            await site.until(lambda: shows(site, 3300.0, 505.0))
            for i in range(6):
                served.grams[0] -= 330.0
                (near if i % 2 else far).reset()
                await asyncio.sleep(0.4)
            await site.until(lambda: shows(site, 1320.0, 505.0))
    grams = [each.grams for each in samples(site)]
    assert all(later <= earlier + 2.0 for earlier, later in pairwise(grams)), "it went up again"


@pytest.mark.parametrize("format", FORMATS)
async def test_a_retained_weight_is_no_news(format: str, tmp_path: Path) -> None:
    old = {
        "tasmota": b'{"Time":"2026-11-22T09:00:00","HX711":{"Weight":9.9,"WeightRaw":9999,"AbsRaw":1}}',
        "esphome": b"9.999",
        "home_assistant": b"9999.0",
        "senml": json.dumps([{"n": f"{MAC}:a1", "u": "kg", "v": 9.999}]).encode(),
        "json": b'{"at":"2026-11-22T09:00:00Z","unit":"g","scales":[{"w":9999,"rest":true},{"w":9999,"rest":true}]}',
    }[format]
    with mosquitto(tmp_path) as server:
        served = board(format, server.port, [2310.0, 505.0], every_s=0.3)
        async with aiomqtt.Client("127.0.0.1", server.port) as other:
            for topic in served.topics:
                await other.publish(topic, old, qos=1, retain=True)
        async with watching(read(format, server.port, served)) as site:
            await asyncio.sleep(1.0)
            assert site.reads == []
            assert site.ups == (0 if format in ("tasmota", "esphome") else 1)
            async with running(served):
                await site.until(lambda: shows(site, *gross(format, 2310.0, 505.0)))
    assert max(each.grams for each in samples(site)) < 4000.0


@pytest.mark.parametrize("name", ["slow", "hang-up:0.5", "duplicate:0.1", "garbage:0.2"])
async def test_whatever_the_network_does_to_its_messages(name: str, tmp_path: Path) -> None:
    with mosquitto(tmp_path) as server:
        served = board("json", server.port, [2310.0, 505.0])
        served.publisher.trouble = trouble.maker(name, 7)
        async with running(served), watching(read("json", server.port, served)) as site:
            await site.until(lambda: len(samples(site)) > 8)
            served.grams[0] = 1980.0
            await site.until(lambda: shows(site, 1980.0, 505.0))
    assert site.reasons == []
    stamps = [each.at_us for each in samples(site)]
    assert stamps == sorted(set(stamps)), "taken twice, or in another order"


async def test_a_cell_that_is_not_a_number_is_a_fault_and_its_neighbour_weighs_on(broker: Server) -> None:
    served = board("esphome", broker.port, [2310.0, 505.0], every_s=0.3)
    (node,) = served.boards
    assert isinstance(node, EspHome)
    async with running(served), watching(read("esphome", broker.port, served)) as site:
        await site.until(lambda: shows(site, 2310.0, 505.0))
        for words in ("nan", "unavailable"):
            node.unavailable(1, words)
        await site.until(lambda: len(faults(site, 1)) == 2)
        await site.until(lambda: shows(site, 2310.0, 505.0))
    assert faults(site, 1) == ["not_a_number", "device_error: the state is unavailable"]
    assert faults(site, 0) == []
    assert site.reasons == []


async def test_a_unit_that_flips_is_said_and_not_weighed(tmp_path: Path) -> None:
    """Here the messages do not tell the unit, so that nothing but the number shows it."""
    with mosquitto(tmp_path) as server:
        served = board("json", server.port, [2310.0, 505.0])
        (maker,) = served.boards
        assert isinstance(maker, PlainJson)
        reader = read("json", server.port, served, unit_at=None, unit="kg")
        async with running(served), watching(reader) as site:
            await site.until(lambda: shows(site, 2310.0, 505.0))
            maker.unit = "g"
            await site.until(lambda: len(faults(site)) > 8)
            maker.unit = "kg"
            served.grams[0] = 1980.0
            await site.until(lambda: shows(site, 1980.0, 505.0))
    assert all("was its unit changed?" in each for each in faults(site))
    assert max(each.grams for each in samples(site)) < 3000.0


async def test_a_unit_that_the_messages_tell_may_change(tmp_path: Path) -> None:
    with mosquitto(tmp_path) as server:
        served = board("json", server.port, [2310.0, 505.0])
        (maker,) = served.boards
        assert isinstance(maker, PlainJson)
        async with running(served), watching(read("json", server.port, served)) as site:
            await site.until(lambda: shows(site, 2310.0, 505.0))
            maker.unit = "g"
            seen = len(samples(site))
            await site.until(lambda: len(samples(site)) > seen + 5)
    assert faults(site) == []
    assert all(abs(each.grams - 2310.0) < 1.0 for each in samples(site))


async def test_a_device_that_says_it_is_offline_is_lost_and_back_when_it_weighs(broker: Server) -> None:
    served = board("tasmota", broker.port, [2310.0], every_s=0.3)
    async with (
        aiomqtt.Client("127.0.0.1", broker.port) as other,
        watching(read("tasmota", broker.port, served)) as site,
        running(served),
    ):
        await site.until(lambda: site.ups == 1 and len(samples(site)) > 1)
        served.off = True
        await other.publish("tele/shelf-0/LWT", "Offline", qos=1, retain=True)
        await site.until(lambda: bool(site.reasons))
        assert "tele/shelf-0/LWT says that the scale is offline" in site.reasons[0]
        await asyncio.sleep(0.5)
        assert site.ups == 1, "a broker that answers is no scale"
        served.off = False
        await other.publish("tele/shelf-0/LWT", "Online", qos=1, retain=True)
        await site.until(lambda: site.ups == 2)


async def test_one_of_two_boards_that_is_offline_is_a_fault_of_its_cell(broker: Server) -> None:
    served = board("tasmota", broker.port, [2310.0, 505.0], every_s=0.3)
    async with (
        aiomqtt.Client("127.0.0.1", broker.port) as other,
        running(served),
        watching(read("tasmota", broker.port, served)) as site,
    ):
        await site.until(lambda: len(samples(site, 1)) > 1)
        await other.publish("tele/shelf-1/LWT", "Offline", qos=1, retain=True)
        await site.until(lambda: bool(faults(site, 1)))
    assert faults(site, 1)[0] == "device_error: the scale says that it is offline"
    assert faults(site, 0) == []
    assert site.reasons == []


async def test_silence_is_noticed_and_what_came_instead_is_told(tmp_path: Path) -> None:
    with mosquitto(tmp_path) as server:
        served = board("senml", server.port, [2310.0, 505.0], every_s=0.2)
        async with (
            aiomqtt.Client("127.0.0.1", server.port) as other,
            watching(read("senml", server.port, served, silent_s=1.5)) as site,
        ):
            async with running(served):
                await site.until(lambda: site.ups == 1 and len(samples(site)) > 2)
            await site.until(lambda: bool(site.reasons))
            assert "no weight on shelf for" in site.reasons[0]
            await other.publish("shelf", b"1.5 kg")
            async with running(served):
                await site.until(lambda: site.ups == 2)


async def test_messages_of_another_format_are_named_as_the_reason(tmp_path: Path) -> None:
    with mosquitto(tmp_path) as server:
        served = board("esphome", server.port, [2310.0, 505.0], every_s=0.2)
        async with running(served), watching(read("esphome", server.port, served, format="senml", silent_s=1.0,
                                                  unit=None)) as site:  # fmt: skip
            await site.until(lambda: bool(site.reasons))
    assert "only what is not understood: cell" in site.reasons[0]
    assert "no SenML pack, which is an array of records" in site.reasons[0]
    assert site.ups == 0


async def test_a_scale_that_speaks_once_a_minute_is_warned_of(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    s = [1000.0]
    with mosquitto(tmp_path) as server:
        config = MqttScaleConfig(
            driver="mqtt_scale",
            url=f"mqtt://127.0.0.1:{server.port}?topic=a/sensor/w/state",
            format="esphome",
            unit="kg",
        )
        reader = MqttScale(config, "aisle-1", now_us, AGENT, clock=lambda: s[0])
        async with aiomqtt.Client("127.0.0.1", server.port) as other, watching(reader) as site:
            await asyncio.sleep(0.3)
            for i in range(5):
                await other.publish("a/sensor/w/state", f"{2.31 + i / 1000:.3f}", qos=1)
                await site.until(lambda i=i: len(samples(site)) > i)  # type: ignore[misc]  # bound
                s[0] += 60.0
    (warning,) = [
        each.getMessage() for each in caplog.records if "is weighed only every" in each.getMessage()
    ]
    assert "cell 0 is weighed only every 60 s" in warning
    assert "update_interval: 1s" in warning


async def test_a_broker_that_refuses_or_is_not_there_is_named(tmp_path: Path) -> None:
    users = tmp_path / "users"
    words = ["mosquitto_passwd", "-b", "-c", str(users), "agent", "right"]
    await asyncio.to_thread(subprocess.run, words, check=True)
    users.chmod(0o600)
    (tmp_path / "login.toml").write_text('username = "agent"\npassword = "wrong"\n')
    (tmp_path / "login.toml").chmod(0o600)
    with mosquitto(tmp_path, extra=f"password_file {users}") as server:
        served = board("senml", server.port, [1.0])
        reader = read("senml", server.port, served, credentials_file=tmp_path / "login.toml")
        async with watching(reader) as site:
            await site.until(lambda: bool(site.reasons))
        async with watching(read("senml", server.port + 1, served)) as gone:
            await gone.until(lambda: bool(gone.reasons))
    assert "the broker refuses us" in site.reasons[0]
    assert f"mqtt://127.0.0.1:{server.port + 1}" in gone.reasons[0]
