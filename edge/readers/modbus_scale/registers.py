"""Where a transmitter keeps its weight, as data: a map of its registers, and the queries that read them. Pure.

There is no standard map. Addresses are those on the wire, from 0 on: a manual's 40008 (or 30008) is address 7.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from typing import Annotated, Literal

from annotated_types import Ge, Le, Len

Address = Annotated[int, Ge(0), Le(65_535)]
BitNumber = Annotated[int, Ge(0), Le(15)]
Unit = Literal["mg", "g", "kg", "t", "lb", "oz"]
Format = Literal["int16", "uint16", "int32", "uint32", "float32"]

MOST_REGISTERS = 125  # one answer: Modbus Application Protocol 1.1b3, section 6.3
_FAULT = re.compile(r"overload|underload|saturated|not_a_number|device_error: .{1,60}")
_STRICT = {"extra": "forbid"}  # for whoever validates: a misspelt key must not be passed over


@dataclass(frozen=True, slots=True)
class Bit:
    """A bit of a status register; `when` is its value while what it stands for is so."""

    __pydantic_config__ = _STRICT
    address: Address
    bit: BitNumber
    when: Literal[0, 1] = 1


@dataclass(frozen=True, slots=True)
class FaultBit:
    """A bit that says that there is no weight, and why, in the words of `edge.reads.WeightFault`."""

    __pydantic_config__ = _STRICT
    address: Address
    bit: BitNumber
    fault: str
    when: Literal[0, 1] = 1

    def __post_init__(self) -> None:
        _known_fault(self.fault)


@dataclass(frozen=True, slots=True)
class Field:
    """A number in some bits of a register, and what it means; without `means`, the number itself."""

    __pydantic_config__ = _STRICT
    address: Address
    first_bit: BitNumber = 0
    bits: Annotated[int, Ge(1), Le(16)] = 16
    means: dict[int, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class RegisterMap:
    """What a transmitter says where.

    Attributes:
        function: 3 reads holding registers, 4 input registers.
        address: of the first channel's gross weight.
        words: which of a weight's two registers comes first.
        negative: the sign, where the weight itself has none.
        decimals, decimals_in: how many digits of the weight are behind the point: always, or as a register says.
        unit, unit_in: the weight's unit: always, or as a register says.
        faults: bits that say that there is no weight. The first that is so counts.
        fault_in: a code that says it; its `means` are faults, codes without one are none.
        serial, calibration: registers that tell one device from another, and one calibration from the next.
        channels: how many load cells it weighs apart, each `channel_step` registers behind the one before.
        most_registers: that it hands out at once.
    """

    __pydantic_config__ = _STRICT
    address: Address
    format: Format
    function: Literal[3, 4] = 3
    words: Literal["high_first", "low_first"] = "high_first"
    negative: Bit | None = None
    decimals: Annotated[int, Ge(0), Le(9)] | None = None
    decimals_in: Field | None = None
    unit: Unit | None = None
    unit_in: Field | None = None
    stable: Bit | None = None
    faults: tuple[FaultBit, ...] = ()
    fault_in: Field | None = None
    serial: Annotated[tuple[Address, ...], Len(0, 16)] = ()
    calibration: Annotated[tuple[Address, ...], Len(0, 16)] = ()
    channels: Annotated[int, Ge(1), Le(64)] = 1
    channel_step: Annotated[int, Ge(0), Le(1000)] = 0
    most_registers: Annotated[int, Ge(1), Le(MOST_REGISTERS)] = 32

    def __post_init__(self) -> None:
        if self.negative and not self.format.startswith("uint"):
            raise ValueError(
                f"negative: a weight that is {self.format} has its own sign; use uint16 or uint32, or leave it out"
            )
        if self.channels > 1 and not self.channel_step:
            raise ValueError(
                f"channel_step: is needed for {self.channels} channels; how many registers lie between them?"
            )
        if self.fault_in:
            for fault in self.fault_in.means.values():
                _known_fault(fault)
        if self.decimals_in and not all(
            digits.isdecimal() and int(digits) <= 9 for digits in self.decimals_in.means.values()
        ):
            raise ValueError('decimals_in: means numbers of digits, 0 to 9, as { 0 = "0", 7 = "1" }')
        _, last = self.span(0)
        if last >= 65_536 or self.channel(self.channels - 1).span(0)[1] >= 65_536:
            raise ValueError("address: registers end at 65535")
        if (size := last - self.span(0)[0] + 1) > self.most_registers:
            raise ValueError(
                f"weight and status lie {size} registers apart, and {self.most_registers} are read at once "
                "(most_registers): read apart they would be of two moments"
            )

    @property
    def size(self) -> int:
        """Registers of a weight."""
        return 1 if self.format.endswith("16") else 2

    def channel(self, number: int) -> "RegisterMap":
        """The map of one channel, from 0 on: what moves along with it is moved."""
        if not (by := number * self.channel_step):
            return self
        return replace(
            self, channels=1, address=self.address + by,
            negative=self.negative and replace(self.negative, address=self.negative.address + by),
            stable=self.stable and replace(self.stable, address=self.stable.address + by),
            faults=tuple(replace(each, address=each.address + by) for each in self.faults),
            fault_in=self.fault_in and replace(self.fault_in, address=self.fault_in.address + by),
        )  # fmt: skip

    def span(self, number: int) -> tuple[int, int]:
        """The first and last address that a weighing of this channel needs."""
        here = self.channel(number)
        status = [each.address for each in (here.negative, here.stable, *here.faults, here.fault_in) if each]
        places = [here.address, here.address + here.size - 1, *status]
        return min(places), max(places)


@dataclass(frozen=True, slots=True)
class Query:
    """Registers that are read at once: for these channels, or, without any, about the device."""

    address: int
    count: int
    channels: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class Queries:
    weights: tuple[Query, ...]
    about: tuple[Query, ...]


def queries(of: RegisterMap) -> Queries:
    """As few as the device allows. What says decimals and unit is read with the weight where it lies near enough."""
    slow = {each.address for each in (of.decimals_in, of.unit_in) if each}
    weights = list(_weights(of))
    if slow and len(weights) == 1:
        first = min(weights[0].address, *slow)
        count = max(weights[0].address + weights[0].count - 1, *slow) - first + 1
        if count <= of.most_registers:
            weights, slow = [replace(weights[0], address=first, count=count)], set()
    return Queries(tuple(weights), tuple(_runs(slow | {*of.serial, *of.calibration}, of.most_registers)))


def _weights(of: RegisterMap) -> Iterator[Query]:
    channels: list[int] = []
    first = last = 0
    for channel in range(of.channels):
        begin, end = of.span(channel)
        if channels and max(last, end) - first >= of.most_registers:
            yield Query(first, last - first + 1, tuple(channels))
            channels = []
        if not channels:
            first = last = begin
        channels.append(channel)
        first, last = min(first, begin), max(last, end)
    yield Query(first, last - first + 1, tuple(channels))


def _runs(addresses: set[int], most: int) -> Iterator[Query]:
    """Neighbours together; what lies between others is not asked for, as a device may refuse it."""
    run: list[int] = []
    for address in sorted(addresses):
        if run and (address != run[-1] + 1 or len(run) == most):
            yield Query(run[0], len(run))
            run = []
        run.append(address)
    if run:
        yield Query(run[0], len(run))


def _known_fault(fault: str) -> None:
    if not _FAULT.fullmatch(fault):
        raise ValueError(
            f'{fault!r} is no fault; write "overload", "underload", "saturated", "not_a_number", '
            'or "device_error: " and a few words'
        )
