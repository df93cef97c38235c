"""The reader at a gate: which device a scenario's `driver` means, and on what line it speaks."""

from collections.abc import Callable, Coroutine
from dataclasses import dataclass
from typing import Protocol

from simulators.errors import LinkDown, ScenarioError
from simulators.impinj_iot.device import Look as ImpinjLook
from simulators.impinj_iot.serve import Served as ImpinjServed
from simulators.link import Link, Session
from simulators.llrp.about import About
from simulators.llrp.reader import Reader as LlrpReader
from simulators.llrp.serve import Served as LlrpServed
from simulators.m100.module import Module as M100Module
from simulators.metratec.serve import BAUD as METRATEC_BAUD
from simulators.metratec.serve import Served as MetratecServed
from simulators.metratec.single import device as metratec_device
from simulators.module_line import Served as ModuleServed
from simulators.publish import Broker, Publisher
from simulators.scenario import GateSite
from simulators.thingmagic.module import Module as ThingmagicModule
from simulators.zebra_iotc.device import Look as ZebraLook
from simulators.zebra_iotc.serve import Served as ZebraServed


class Radio(Protocol):
    """A reader as the world sees it."""

    @property
    def reading(self) -> bool:
        """Whether somebody has told it to read."""

    def sighted(self, epc: bytes, antenna: int, rssi_dbm: int, channel: int, at_us: int) -> None:
        """The radio has read a tag; what comes of it is the reader's business. `at_us` is by the reader's clock."""


@dataclass(frozen=True, slots=True)
class GateReader:
    """A reader with what serves a connection to it and what keeps its time.

    `baud` is the speed of its serial line; None for a reader on the network. `scheme` is of its URL there.
    `published` is where a reader publishes that takes no connection, and how.
    """

    radio: Radio
    session: Session
    run: Callable[[], Coroutine[None, None, None]]
    baud: int | None = None
    scheme: str = "tcp"
    published: tuple[str, Publisher] | None = None


def _llrp(site: GateSite, number: int, now_us: Callable[[], int]) -> GateReader:
    # Locally administered, so nobody's device: IEEE 802, second bit of the first byte.
    about = About(tuple(sorted(site.antennas)), bytes([0x02, 0, 0, 0, 0, number + 1]))
    served = LlrpServed(LlrpReader(about, now_us), site.name)
    return GateReader(served.reader, served.session, served.run)


def _metratec(site: GateSite, number: int, generation: str) -> GateReader:
    """The ASCII generation is on a serial line, the AT generation on the network; neither has a clock."""
    served = MetratecServed(metratec_device(generation, tuple(sorted(site.antennas)), number))
    return GateReader(served, served.session, served.run, METRATEC_BAUD if generation == "ascii" else None)


async def _takes_no_connection(link: Link) -> None:
    raise LinkDown("a reader that publishes takes no connection")


def _impinj_iot(site: GateSite, number: int, now_us: Callable[[], int]) -> GateReader:
    """Publishes where the gate names a broker, else streams over HTTP."""
    broker = Broker.at(site.broker) if site.broker else None
    look = ImpinjLook(f"impinj-{number + 1:02d}")
    served = ImpinjServed(look, now_us, broker=broker, topic=f"{site.name}/tags")
    if broker is None or served.publisher is None:
        return GateReader(served, served.web.session, served.run, scheme="http")
    url = f"{broker.url}?topic={served.topic}"
    return GateReader(served, served.web.session, served.run, published=(url, served.publisher))


def _zebra_iotc(site: GateSite, number: int, now_us: Callable[[], int]) -> GateReader:
    if not site.broker:
        raise ScenarioError(
            f'{site.name}: a zebra_iotc reader publishes: broker = "mqtt://127.0.0.1:1883" is needed'
        )
    broker = Broker.at(site.broker)
    served = ZebraServed(ZebraLook(), now_us, broker=broker, topic=site.name)
    url = f"{broker.url}?topic={site.name}/tags&topic={site.name}/management"
    return GateReader(served, _takes_no_connection, served.run, published=(url, served.publisher))


MODULE_BAUD = 115200  # of serial modules, as delivered


def _thingmagic(site: GateSite, number: int, now_us: Callable[[], int]) -> GateReader:
    module = ThingmagicModule(tuple(sorted(site.antennas)))
    served = ModuleServed(module)
    return GateReader(module, served.session, served.run, MODULE_BAUD)


class _FirstAntenna:
    """A module with one antenna at a gate of several: it hears what that one hears."""

    def __init__(self, module: M100Module, antenna: int) -> None:
        self._module = module
        self._antenna = antenna

    @property
    def reading(self) -> bool:
        return self._module.reading

    def sighted(self, epc: bytes, antenna: int, rssi_dbm: int, channel: int, at_us: int) -> None:
        if antenna == self._antenna:
            self._module.sighted(epc, antenna, rssi_dbm, channel, at_us)


def _m100(site: GateSite, number: int, now_us: Callable[[], int]) -> GateReader:
    module = M100Module()
    served = ModuleServed(module)
    return GateReader(_FirstAntenna(module, min(site.antennas)), served.session, served.run, MODULE_BAUD)


# What a scenario's gate may name as its `driver`.
READERS: dict[str, Callable[[GateSite, int, Callable[[], int]], GateReader]] = {
    "impinj_iot": _impinj_iot,
    "llrp": _llrp,
    "m100": _m100,
    "metratec": lambda site, number, now_us: _metratec(site, number, "at"),
    "metratec-ascii": lambda site, number, now_us: _metratec(site, number, "ascii"),
    "thingmagic": _thingmagic,
    "zebra_iotc": _zebra_iotc,
}


def gate_reader(site: GateSite, number: int, now_us: Callable[[], int]) -> GateReader:
    """The reader of a scenario's gate, the `number`-th from 0. `now_us` is its own clock, right or wrong.

    Raises:
        ScenarioError: there is no such driver.
    """
    if site.driver not in READERS:
        known = ", ".join(READERS)
        raise ScenarioError(f"{site.name}: no reader's driver is called {site.driver!r}; there are {known}")
    return READERS[site.driver](site, number, now_us)
