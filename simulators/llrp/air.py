"""How an antenna is told to transmit and to talk to tags: held against what the reader can, and kept.

It is taken or refused as a reader would, and told when asked for; what the radio hears is the world's business.
"""

import struct
from collections.abc import Callable
from dataclasses import dataclass, replace

from simulators.llrp.about import CHANNELS_KHZ, MODE, TARI_NS, About
from simulators.llrp.impinj import check_search_mode
from simulators.llrp.layout import Param, Status, tlv
from simulators.llrp.parse import Found, known, parameter_error, parameters, unpack


@dataclass(frozen=True, slots=True)
class Air:
    """One antenna's settings; the defaults are how it is delivered: full power, first channel."""

    channel: int = 1
    power: int = 1
    mode: int = MODE
    tari_ns: int = 0
    session: int = 0
    population: int = 32
    transit_ms: int = 0

    def encoded(self, antenna: int) -> bytes:
        control = tlv(Param.C1G2_RF_CONTROL, struct.pack("!HH", self.mode, self.tari_ns))
        singulation = struct.pack("!BHI", self.session << 6, self.population, self.transit_ms)
        command = control + tlv(Param.C1G2_SINGULATION_CONTROL, singulation)
        return tlv(
            Param.ANTENNA_CONFIGURATION,
            struct.pack("!H", antenna)
            + tlv(Param.RF_RECEIVER, struct.pack("!H", 1))
            + tlv(Param.RF_TRANSMITTER, struct.pack("!HHH", 0, self.channel, self.power))
            + tlv(Param.C1G2_INVENTORY_COMMAND, b"\0" + command),
        )


def antenna_configuration(found: Found, about: About, now: Air, *, extended: bool) -> tuple[int, Air]:
    """Which antenna is told (0 is all), and how it is set then. Raises Refused."""
    (antenna,) = unpack("H", found.body, found.kind)
    if antenna != 0 and antenna not in about.antennas:
        raise parameter_error(found.kind, Status.OUT_OF_RANGE, f"there is no antenna {antenna}")
    inner = parameters(found.body[2:])
    allowed: set[int] = {Param.RF_RECEIVER, Param.RF_TRANSMITTER, Param.C1G2_INVENTORY_COMMAND}
    known(inner, allowed, "AntennaConfiguration")
    for each in inner:
        if each.kind == Param.RF_TRANSMITTER:
            now = _transmitter(each, about, now)
        elif each.kind == Param.C1G2_INVENTORY_COMMAND:
            now = _command(each, now, extended=extended)
    return antenna, now


def _transmitter(found: Found, about: About, now: Air) -> Air:
    _, channel, power = unpack("HHH", found.body, found.kind)
    powers = len(about.powers_centi_dbm)
    if not 1 <= power <= powers:
        raise parameter_error(
            found.kind, Status.OUT_OF_RANGE, f"TransmitPower {power}: there are 1 to {powers}"
        )
    if not 1 <= channel <= len(CHANNELS_KHZ):
        words = f"ChannelIndex {channel}: there are 1 to {len(CHANNELS_KHZ)}"
        raise parameter_error(found.kind, Status.OUT_OF_RANGE, words)
    return replace(now, channel=channel, power=power)


def _command(found: Found, now: Air, *, extended: bool) -> Air:
    inner = parameters(found.body[1:])
    standard = [each for each in inner if not (extended and each.kind == Param.CUSTOM)]
    takes: dict[int, Callable[[Found, Air], Air]] = {
        Param.C1G2_RF_CONTROL: _control,
        Param.C1G2_SINGULATION_CONTROL: _singulation,
        Param.C1G2_FILTER: lambda found, now: now,
    }
    known(standard, set(takes), "C1G2InventoryCommand")
    for each in inner:
        if each.kind == Param.CUSTOM:
            check_search_mode(each)
        else:
            now = takes[each.kind](each, now)
    return now


def _control(found: Found, now: Air) -> Air:
    mode, tari_ns = unpack("HH", found.body, found.kind)
    if mode != MODE or tari_ns not in (0, TARI_NS):
        words = f"mode {mode}, Tari {tari_ns} ns: there is {MODE} with {TARI_NS} ns"
        raise parameter_error(found.kind, Status.OUT_OF_RANGE, words)
    return replace(now, mode=mode, tari_ns=tari_ns)


def _singulation(found: Found, now: Air) -> Air:
    flags, population, transit_ms = unpack("BHI", found.body, found.kind)
    return replace(now, session=flags >> 6, population=population, transit_ms=transit_ms)
