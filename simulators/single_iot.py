"""One reader by itself that publishes or streams JSON, with tags standing before it."""

import asyncio
import heapq
from collections.abc import Callable
from contextlib import AsyncExitStack
from random import Random

from simulators.impinj_iot.device import Look as ImpinjLook
from simulators.impinj_iot.serve import Served as ImpinjServed
from simulators.link import tcp
from simulators.publish import Broker, must_suit_messages
from simulators.radio import standing
from simulators.scenario import GateSite
from simulators.single import standing_tags
from simulators.trouble import maker
from simulators.zebra_iotc.device import Look as ZebraLook
from simulators.zebra_iotc.serve import Served as ZebraServed

MAKES = ("impinj_iot", "zebra_iotc")


async def reader(
    make: str,
    *,
    listen: tuple[str, int],
    broker: str,
    topic: str,
    report_every_s: float,
    clock_offset_s: float,
    tags: int,
    trouble: str,
    seed: int,
    now_us: Callable[[], int],
    say: Callable[[str], None],
) -> None:
    """Run one reader until cancelled; `say` is told its URL. Without a broker an Impinj streams over HTTP.

    Raises:
        ScenarioError: what is asked for does not go together.
    """

    def clock_us() -> int:
        return now_us() + round(clock_offset_s * 1e6)

    served = _served(make, broker, topic, report_every_s, clock_us)
    site = GateSite(name="reader", outside=(1, 2), inside=(3, 4))
    loop = asyncio.get_running_loop()
    began_s = loop.time()
    streams = [
        standing(site, epc, inside=bool(place % 2), from_s=0.0, rng=Random(f"{seed}/{epc}"))
        for place, epc in enumerate(standing_tags(tags))
    ]
    async with AsyncExitStack() as lines, asyncio.TaskGroup() as tasks:
        if served.publisher is not None:
            must_suit_messages(trouble)
            served.publisher.trouble = maker(trouble, seed)
            say(f"{served.publisher.broker.url}?topic={topic}/#")
        elif isinstance(served, ImpinjServed):
            host, port = await lines.enter_async_context(
                tcp(served.web.session, maker(trouble, seed), *listen)
            )
            say(f"http://{host}:{port}")
        tasks.create_task(served.run())
        for read in heapq.merge(*streams):
            if (early_s := began_s + read.at_s - loop.time()) > 0:
                await asyncio.sleep(early_s)
            served.sighted(bytes.fromhex(read.epc), read.antenna, read.rssi_dbm, read.channel, clock_us())


def _served(
    make: str, broker: str, topic: str, report_every_s: float, clock_us: Callable[[], int]
) -> ImpinjServed | ZebraServed:
    at = Broker.at(broker) if broker or make == "zebra_iotc" else None
    if make == "zebra_iotc":
        assert at is not None, "Broker.at raises"
        return ZebraServed(ZebraLook(report_every_s=report_every_s), clock_us, broker=at, topic=topic)
    look = ImpinjLook("impinj-simulated", report_every_s=report_every_s)
    return ImpinjServed(look, clock_us, broker=at, topic=f"{topic}/tags")
