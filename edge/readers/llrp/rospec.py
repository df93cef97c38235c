"""Our ROSpec for a plan. Pure. Its number is derived from its content: other content, another number."""

import zlib

from edge.readers.llrp.air import Antenna, Plan
from edge.readers.llrp.protocol.commands import (
    add_rospec,
    antenna_configuration,
    inventory_command,
    rf_control,
    rf_transmitter,
    singulation_control,
)
from edge.readers.llrp.protocol.impinj import content_selector, search_mode

_ALL = 0  # in place of a ROSpec's number


def number_of(plan: Plan) -> int:
    """Never 0, which means all."""
    return zlib.crc32(body_of(plan, _ALL)) & 0x7FFF_FFFF or 1


def body_of(plan: Plan, number: int) -> bytes:
    """The body of its ADD_ROSPEC."""
    told = b"".join(_told(antenna) for antenna in plan.told)
    selector = content_selector(tid=plan.tid) if plan.extensions else b""
    return add_rospec(number, plan.antennas, told, selector)


def _told(antenna: Antenna) -> bytes:
    settings = []
    if (air := antenna.transmit) is not None:
        settings.append(rf_transmitter(air.hop_table, air.channel, air.power))
    controls = []
    if (air := antenna.control) is not None:
        controls.append(rf_control(air.mode, air.tari_ns))
    if (air := antenna.singulation) is not None:
        controls.append(singulation_control(air.session, air.population, air.transit_ms))
    if antenna.search is not None:
        controls.append(search_mode(antenna.search))
    if controls:
        settings.append(inventory_command(*controls))
    return antenna_configuration(antenna.number, *settings)
