"""A simulated reader that publishes to a broker, and our driver that reads it there."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from edge.readers import build
from edge.readers.impinj_iot.config import ImpinjIotConfig
from edge.readers.reader import Reader
from edge.readers.surroundings import Surroundings
from edge.readers.zebra_iotc.config import ZebraIotcConfig
from simulators.impinj_iot import device as impinj
from simulators.impinj_iot.serve import Served as Impinj
from simulators.publish import Broker
from simulators.zebra_iotc import device as zebra
from simulators.zebra_iotc.serve import Served as Zebra
from tests.support.iot import Radio, a_radio
from tests.support.supervised import Site, now_us, watching

AGENT = Surroundings(edge="store-042", environment={})
DRIVERS = ["impinj_iot", "zebra_iotc"]


def simulated(driver: str, port: int, *, ahead_us: int = 0, report_every_s: float = 0.0) -> Impinj | Zebra:
    def clock_us() -> int:
        return now_us() + ahead_us

    at = Broker("127.0.0.1", port)
    if driver == "impinj_iot":
        look = impinj.Look("impinj-14-2f-f4", report_every_s=report_every_s)
        return Impinj(look, clock_us, broker=at, topic="door/1/tags")
    return Zebra(
        zebra.Look(heartbeat_s=1.0, report_every_s=report_every_s), clock_us, broker=at, topic="door/1"
    )


def read(
    driver: str, port: int, *, agent: Surroundings = AGENT, name: str = "dock-1", **settings: object
) -> Reader:
    url = f"mqtt://127.0.0.1:{port}?topic=door/1/#"
    kind = ImpinjIotConfig if driver == "impinj_iot" else ZebraIotcConfig
    return build(kind.model_validate({"driver": driver, "url": url} | settings), name, now_us, agent)


@asynccontextmanager
async def a_door(driver: str, port: int, device_port: int = 0) -> AsyncIterator[tuple[Radio, Site]]:
    async with (
        watching(read(driver, port)) as site,
        a_radio(simulated(driver, device_port or port)) as radio,
    ):
        await site.until(lambda: site.ups == 1 and radio.served.reading)
        yield radio, site
