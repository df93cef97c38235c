"""What a reader says that it can do. Source: LLRP 1.1, sections 17.2.3 and 17.3.1.1."""

import struct
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from edge.errors import ProtocolError
from edge.readers.llrp.protocol.params import IMPINJ, Param, long_params, unpack, words

_DEVICE = struct.Struct("!HHIIH")
_U8 = struct.Struct("!B")
_U16 = struct.Struct("!H")
_POWER = struct.Struct("!Hh")
_HOP_TABLE = struct.Struct("!BBH")
_MODE = struct.Struct("!IBBBBIIIII")

# Manufacturers by IANA private enterprise number.
_MAKERS = {161: "Motorola", 10642: "Zebra", IMPINJ: "Impinj", 24213: "CAEN"}


@dataclass(frozen=True, slots=True)
class Mode:
    """One way to talk to tags. Taris in nanoseconds."""

    least_tari_ns: int
    most_tari_ns: int


@dataclass(frozen=True, slots=True)
class Capabilities:
    """Empty where the reader did not say."""

    maker: int = 0
    detail: str = ""  # maker, model and firmware, in words
    antennas: int = 0  # the highest number
    has_utc: bool = False
    gpis: int = 0
    holds: bool = False  # can keep reports while no client is connected
    hops: bool = False
    tables_khz: dict[int, tuple[int, ...]] = field(default_factory=dict)  # by number of hop table; 0 if fixed
    powers_centi_dbm: dict[int, int] = field(default_factory=dict)  # by index
    modes: dict[int, Mode] = field(default_factory=dict)  # by index

    @property
    def impinj(self) -> bool:
        return self.maker == IMPINJ

    @property
    def frequencies_khz(self) -> tuple[int, ...]:
        """By channel, which counts from 1: where there are several tables, nothing says which is in use."""
        return next(iter(self.tables_khz.values()), ())


def capabilities(body: bytes) -> Capabilities:
    """What a GET_READER_CAPABILITIES_RESPONSE says, as far as we use it. Raises ProtocolError."""
    told: dict[str, Any] = {}
    for param in long_params(body, 0, len(body)):
        match param.type:
            case 137:
                told |= _device(body, param)
            case 142:  # LLRPCapabilities
                told["holds"] = bool(unpack(_U8, body, param)[0] & 0x08)  # SupportsEventAndReportHolding
            case 143:  # RegulatoryCapabilities: country, standard, then the bands
                for band in long_params(body, param.start + 4, param.end):
                    if band.type == 144 and "tables_khz" not in told:
                        told |= _band(body, band)
    return Capabilities(**told)


def _device(body: bytes, param: Param) -> dict[str, Any]:
    """GeneralDeviceCapabilities."""
    antennas, flags, maker, model, size = unpack(_DEVICE, body, param)
    firmware = words(body, param.start + _DEVICE.size, size, param.end)
    gpis = 0
    for inner in long_params(body, param.start + _DEVICE.size + size, param.end):
        if inner.type == 141:  # GPIOCapabilities
            (gpis,) = unpack(_U16, body, inner)
    return {
        "maker": maker,
        "detail": f"{_MAKERS.get(maker, f'unknown maker (number {maker})')} model {model}, firmware {firmware}",
        "antennas": antennas,
        "has_utc": bool(flags & 0x4000),
        "gpis": gpis,
    }


def _band(body: bytes, band: Param) -> dict[str, Any]:
    """UHFBandCapabilities: powers, frequencies and modes."""
    powers, modes = {}, {}
    told: dict[str, Any] = {"tables_khz": {}}
    for param in long_params(body, band.start, band.end):
        match param.type:
            case 145:
                index, centi_dbm = unpack(_POWER, body, param)
                powers[index] = centi_dbm
            case 146:  # FrequencyInformation
                told["hops"] = bool(unpack(_U8, body, param)[0] & 0x80)
                told["tables_khz"] = dict(_tables(body, param))
            case 328:
                for entry in long_params(body, param.start, param.end):
                    if entry.type == 329:
                        index, *_, least, most, _ = unpack(_MODE, body, entry)
                        modes[index] = Mode(least, most)
    return told | {"powers_centi_dbm": powers, "modes": modes}


def _tables(body: bytes, information: Param) -> Iterator[tuple[int, tuple[int, ...]]]:
    """Frequencies in kHz by the number of their table; a fixed table has none."""
    for table in long_params(body, information.start + 1, information.end):
        if table.type == 147:
            number, _, count = unpack(_HOP_TABLE, body, table)
            at = table.start + _HOP_TABLE.size
        elif table.type == 148:
            number, (count,) = 0, unpack(_U16, body, table)
            at = table.start + _U16.size
        else:
            continue
        if at + 4 * count > table.end:
            raise ProtocolError(f"LLRP table of {count} frequencies in {table.end - at} bytes")
        yield number, struct.unpack_from(f"!{count}I", body, at)
