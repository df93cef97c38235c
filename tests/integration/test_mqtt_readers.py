"""Readers that publish MQTT, over real brokers: nothing that was published is lost, doubled, changed or misdated."""

import asyncio
from collections.abc import Iterator
from pathlib import Path

import aiomqtt
import pytest

from edge.readers.surroundings import Surroundings
from edge.reads import Lost, Trigger
from simulators import trouble
from simulators.impinj_iot import device as impinj
from simulators.impinj_iot.serve import Served as Impinj
from simulators.publish import Broker
from simulators.zebra_iotc.serve import Served as Zebra
from tests.support.iot import a_radio
from tests.support.published import DRIVERS, a_door, read, simulated
from tests.support.servers import Server, mosquitto, nats
from tests.support.supervised import now_us, watching
from tests.support.tcp_faults import faulty_link

pytestmark = pytest.mark.timeout(60)

KEPT = "persistence true\npersistence_location {}/"  # written when it is stopped


@pytest.fixture(params=["mosquitto", "nats"])
def broker(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Server]:
    if request.param == "nats":
        # Without, what was on its way when a connection broke is sent again after 30 s.
        with nats(tmp_path, mqtt='ack_wait: "2s"') as server:
            yield server
    else:
        with mosquitto(tmp_path, extra=KEPT.format(tmp_path)) as server:
            yield server


@pytest.mark.parametrize("driver", DRIVERS)
async def test_each_read_comes_once_as_it_was_seen(driver: str, broker: Server) -> None:
    async with a_door(driver, broker.port) as (radio, site):
        for _ in range(20):
            radio.sees(20)
            await asyncio.sleep(0.01)
        await site.until(lambda: not radio.missing(site))
    radio.holds(site)
    assert site.reasons == []
    late = radio.lateness_us(site)
    assert all(-2_000 <= each <= 200_000 for each in late), (min(late), max(late))


@pytest.mark.parametrize("driver", DRIVERS)
async def test_a_broker_that_restarts_loses_and_doubles_nothing(driver: str, broker: Server) -> None:
    async with a_door(driver, broker.port) as (radio, site):
        for _ in range(3):
            radio.sees(50)
            await asyncio.sleep(0.05)
            await asyncio.to_thread(broker.stop)
            radio.sees(50)
            await asyncio.to_thread(broker.start)
            radio.sees(50)
            ups = site.ups
            await site.until(lambda ups=ups: site.ups > ups or not radio.missing(site))  # type: ignore[misc]  # bound
        await site.until(lambda: not radio.missing(site))
        await asyncio.sleep(0.5)  # what comes twice comes now
    radio.holds(site)
    assert len(site.reasons) >= 2


@pytest.mark.parametrize("driver", DRIVERS)
async def test_links_that_break_on_both_legs_lose_and_double_nothing(driver: str, broker: Server) -> None:
    async with (
        faulty_link(broker.port) as near,
        faulty_link(broker.port) as far,
        a_door(driver, near.port, far.port) as (radio, site),
    ):
        for i in range(8):
            radio.sees(40)
            await asyncio.sleep(0.02)
            (near if i % 2 else far).reset()
            radio.sees(40)
            await asyncio.sleep(0.15)
        await site.until(lambda: not radio.missing(site))
        await asyncio.sleep(0.5)
    radio.holds(site)
    assert site.reasons


async def test_a_broker_that_hangs_is_noticed_and_nothing_is_lost(broker: Server) -> None:
    async with (
        faulty_link(broker.port) as near,
        a_door("impinj_iot", near.port, broker.port) as (radio, site),
    ):
        radio.sees(10)
        await site.until(lambda: not radio.missing(site))
        near.silent = True
        radio.sees(20)
        await site.until(lambda: bool(site.reasons))
        near.silent = False
        near.reset()
        await site.until(lambda: not radio.missing(site))
    radio.holds(site)


@pytest.mark.parametrize("driver", DRIVERS)
async def test_what_is_published_while_the_agent_is_away_is_read_later_at_its_own_time(
    driver: str, broker: Server
) -> None:
    async with a_radio(simulated(driver, broker.port)) as radio:
        async with watching(read(driver, broker.port)) as site:
            await site.until(lambda: site.ups == 1 and radio.served.reading)
            radio.sees(50)
            await site.until(lambda: not radio.missing(site))
        radio.sees(100)
        await asyncio.sleep(1.5)
        radio.sees(100)
        async with watching(read(driver, broker.port)) as again:  # an agent that has started anew
            await again.until(lambda: len(again.tags()) >= 200)
            radio.sees(50)
            await again.until(lambda: len(again.tags()) >= 250)
    radio.holds(site, again)
    late = radio.lateness_us(site, again)
    assert all(-2_000 <= each <= 200_000 for each in late), (min(late), max(late))


@pytest.mark.parametrize("name", ["slow", "hang-up:0.2", "duplicate:0.1", "garbage:0.1"])
@pytest.mark.parametrize("driver", DRIVERS)
async def test_whatever_the_device_does_to_its_messages(driver: str, name: str, tmp_path: Path) -> None:
    with mosquitto(tmp_path) as broker:
        async with watching(read(driver, broker.port)) as site:
            await site.until(lambda: site.ups == 1)
            served = simulated(driver, broker.port)
            assert served.publisher is not None
            served.publisher.trouble = trouble.maker(name, 7)
            async with a_radio(served) as radio:
                await site.until(lambda: radio.served.reading)
                for _ in range(20 if name != "slow" else 2):
                    radio.sees(5)
                    await asyncio.sleep(0.03)
                await site.until(lambda: not radio.missing(site))
                await asyncio.sleep(0.2)
    radio.holds(site)
    assert site.reasons == []  # the broker is there all the time


@pytest.mark.parametrize("driver", DRIVERS)
async def test_a_clock_that_is_ahead_is_corrected_at_once(driver: str, tmp_path: Path) -> None:
    with mosquitto(tmp_path) as broker:
        reader = read(driver, broker.port)
        async with watching(reader) as site:
            await site.until(lambda: site.ups == 1)
            async with a_radio(
                simulated(driver, broker.port, ahead_us=7_000_000), ahead_us=7_000_000
            ) as radio:
                await site.until(lambda: radio.served.reading)
                radio.sees(100)
                await site.until(lambda: not radio.missing(site))
    assert reader.clock_offset_ms is not None
    assert 6_500 <= reader.clock_offset_ms <= 7_001
    late = radio.lateness_us(site)
    assert all(-2_000 <= each <= 500_000 for each in late), (min(late), max(late))


async def test_a_clock_that_is_an_hour_behind_is_known_after_some_seconds(tmp_path: Path) -> None:
    behind_us = -3_600_000_000
    with mosquitto(tmp_path) as broker:
        reader = read("impinj_iot", broker.port)
        async with watching(reader) as site:
            await site.until(lambda: site.ups == 1)
            async with a_radio(
                simulated("impinj_iot", broker.port, ahead_us=behind_us), ahead_us=behind_us
            ) as radio:
                await site.until(lambda: radio.served.reading)
                for _ in range(60):
                    radio.sees(1)
                    await asyncio.sleep(0.1)
                first = len(site.tags())
                radio.sees(50)
                await site.until(lambda: not radio.missing(site))
    assert reader.clock_offset_ms is not None
    assert -3_600_100 <= reader.clock_offset_ms <= -3_599_900
    assert all(-100_000 <= late <= 100_000 for late in radio.lateness_us(site)[first + 1 :])


@pytest.mark.parametrize("driver", DRIVERS)
async def test_reports_that_sum_up_count_what_they_sum_up(driver: str, tmp_path: Path) -> None:
    with mosquitto(tmp_path) as broker:
        async with watching(read(driver, broker.port)) as site:
            await site.until(lambda: site.ups == 1)
            served = simulated(driver, broker.port, report_every_s=0.3)
            async with a_radio(served):
                await site.until(lambda: served.reading)
                for _ in range(25):
                    served.sighted(bytes.fromhex("3074257BF7194E4000001A85"), 2, -50, 1, now_us())
                    await asyncio.sleep(0.02)
                await site.until(lambda: sum(tag.count for tag in site.tags()) >= 25)
    assert sum(tag.count for tag in site.tags()) == 25
    assert len(site.tags()) <= 4


RETAINED = (
    b'{"timestamp":"2026-11-22T09:00:00.120000001Z","hostname":"impinj-14-2f-f4","eventType":"tagInventory",'
    b'"tagInventoryEvent":{"epcHex":"3074257BF7194E40000000FF","antennaPort":1,"peakRssiCdbm":-5500}}'
)


async def test_retained_messages_are_no_reads(tmp_path: Path) -> None:
    with mosquitto(tmp_path) as broker:
        async with aiomqtt.Client("127.0.0.1", broker.port) as other:
            await other.publish("door/1/tags", RETAINED, qos=1, retain=True)
        async with a_door("impinj_iot", broker.port) as (radio, site):
            radio.sees(10)
            await site.until(lambda: not radio.missing(site))
    radio.holds(site)


async def test_numbers_that_never_come_are_said_to_be_lost(tmp_path: Path) -> None:
    with mosquitto(tmp_path) as broker:
        async with a_door("zebra_iotc", broker.port) as (radio, site):
            served = radio.served
            assert isinstance(served, Zebra)
            radio.sees(5)
            served.device.swallow(3)
            await asyncio.sleep(0.05)
            radio.sees(5)
            await site.until(lambda: any(isinstance(each, Lost) for each in site.reads))
            served.device.restart()
            await asyncio.sleep(0.05)
            radio.sees(5)
            await site.until(lambda: not radio.missing(site))
            await asyncio.sleep(2.5)
    (lost,) = [each for each in site.reads if isinstance(each, Lost)]
    assert lost.device == "dock-1"
    assert lost.reason.startswith("3 of the reader's numbered events")
    tags = sorted(tag.at_us for tag in site.tags())
    assert tags[4] - 1_000 <= lost.from_us <= lost.to_us <= tags[5] + 1_000
    radio.holds(site)


async def test_a_reader_whose_heartbeat_stops_is_down_until_it_speaks_again(tmp_path: Path) -> None:
    with mosquitto(tmp_path) as broker:
        reader = read("zebra_iotc", broker.port)
        async with watching(reader) as site:
            async with a_radio(simulated("zebra_iotc", broker.port)) as radio:
                await site.until(lambda: site.ups == 1 and radio.served.reading)
                await asyncio.sleep(2.5)  # two heartbeats and more
            await site.until(lambda: bool(site.reasons))
            assert "nothing on door/1/#" in site.reasons[0]
            await asyncio.sleep(1.0)
            assert site.ups == 1, "a broker that answers is no reader"
            async with a_radio(simulated("zebra_iotc", broker.port)) as radio:
                await site.until(lambda: site.ups == 2)
                radio.sees(5)
                await site.until(lambda: not radio.missing(site))
    radio.holds(site)


@pytest.mark.parametrize("driver", DRIVERS)
async def test_a_visitor_takes_nothing_from_the_agent_and_leaves_nothing_behind(
    driver: str, broker: Server
) -> None:
    async with a_door(driver, broker.port) as (radio, site):
        async with watching(read(driver, broker.port, agent=Surroundings(environment={}))) as visitor:
            await visitor.until(lambda: visitor.ups == 1)
            radio.sees(20)
            await visitor.until(lambda: not radio.missing(visitor))
        radio.sees(20)
        await site.until(lambda: not radio.missing(site))
        async with watching(read(driver, broker.port, agent=Surroundings(environment={}))) as visitor:
            await visitor.until(lambda: visitor.ups == 1)
            await asyncio.sleep(0.3)
            assert visitor.tags() == []
    radio.holds(site)
    assert site.reasons == []


async def test_readers_on_one_topic_are_told_apart_by_name(broker: Server) -> None:
    at = Broker("127.0.0.1", broker.port)
    one = Impinj(impinj.Look("impinj-1"), now_us, broker=at, topic="door/1/tags")
    two = Impinj(impinj.Look("impinj-2"), now_us, broker=at, topic="door/1/tags")
    async with (
        watching(read("impinj_iot", broker.port, name="dock-1", reader="impinj-1")) as first,
        watching(read("impinj_iot", broker.port, name="dock-2", reader="impinj-2")) as second,
        a_radio(one) as left,
        a_radio(two) as right,
    ):
        await first.until(lambda: first.ups == second.ups == 1 and one.reading and two.reading)
        left.sees(30)
        right.sees(20)
        await first.until(lambda: len(first.tags()) == 30 and len(second.tags()) == 20)
    left.holds(first)
    right.holds(second)
    assert {tag.gate for tag in first.tags()} == {"dock-1"}


async def test_a_reader_that_is_given_another_name_goes_on(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    with mosquitto(tmp_path) as broker:
        async with a_door("impinj_iot", broker.port) as (radio, site):
            assert isinstance(radio.served, Impinj)
            radio.sees(10)
            radio.served.device.look.hostname = "impinj-renamed"
            radio.sees(10)
            await site.until(lambda: not radio.missing(site))
    radio.holds(site)
    assert caplog.text.count("publish on one topic") == 1


@pytest.mark.parametrize("driver", DRIVERS)
async def test_inputs_are_triggers(driver: str, tmp_path: Path) -> None:
    with mosquitto(tmp_path) as broker:
        async with a_door(driver, broker.port) as (radio, site):
            served = radio.served
            assert isinstance(served, Impinj | Zebra)
            for on in (True, False):
                served.device.input(1, on=on)
            await site.until(lambda: len([each for each in site.reads if isinstance(each, Trigger)]) == 2)
    assert [(each.input, each.on) for each in site.reads if isinstance(each, Trigger)] == [
        (1, True),
        (1, False),
    ]


async def test_a_topic_of_an_earlier_configuration_is_not_read(broker: Server) -> None:
    served = simulated("impinj_iot", broker.port)
    async with a_radio(served) as radio:
        async with watching(read("impinj_iot", broker.port)) as site:
            await site.until(lambda: site.ups == 1 and served.reading)
        elsewhere = f"mqtt://127.0.0.1:{broker.port}?topic=door/2/tags"
        async with watching(read("impinj_iot", broker.port, url=elsewhere)) as site:
            await site.until(lambda: site.ups == 1)
            radio.sees(10)  # the session still has door/1/#
            assert served.publisher is not None
            await site.until(lambda: not served.publisher.waiting)  # type: ignore[union-attr]  # as above
            await asyncio.sleep(0.3)
    assert site.reads == []
