"""Modbus without I/O and without a clock: requests to bytes, bytes to answers, registers to weights.

Source: MODBUS Application Protocol 1.1b3 (functions 3 and 4, exceptions) and MODBUS over Serial Line 1.02 (RTU frames).
Requests, checksums and the bodies of answers are pymodbus'. Finding an answer between noise is done here: its framer
throws away all that has come when the first thing that looks like a frame is none, and whatever follows a good one.
Only reading functions exist here, so nothing can be written to a device.
"""

import math
import struct
from collections.abc import Mapping
from dataclasses import dataclass

from pymodbus.framer import FramerRTU, FramerSocket
from pymodbus.pdu import DecodePDU, ExceptionResponse
from pymodbus.pdu.register_message import (
    ReadHoldingRegistersRequest,
    ReadHoldingRegistersResponse,
    ReadInputRegistersRequest,
    ReadInputRegistersResponse,
)

from edge.errors import ProtocolError
from edge.readers.masses import GRAMS
from edge.readers.modbus_scale.registers import Field, Query, RegisterMap

_MBAP = struct.Struct(">HHHB")  # transaction, protocol (0), length from here on, unit
_LONGEST = 260  # a frame by TCP: MODBUS Messaging on TCP/IP 1.0b, section 4.1
_MOST_UNREAD = 4096  # of noise, then the oldest is dropped

EXCEPTIONS = {
    1: "illegal function",
    2: "illegal data address",
    3: "illegal data value",
    4: "device failure",
    5: "accepted, and not done yet",
    6: "busy",
    10: "the gateway has no way to it",
    11: "does not answer the gateway",
}


class _Answers(DecodePDU):
    """What may come back, and nothing else that looks like it."""

    def __init__(self) -> None:
        super().__init__(is_server=False)
        self.pdu_table = {
            3: (ReadHoldingRegistersRequest, ReadHoldingRegistersResponse),
            4: (ReadInputRegistersRequest, ReadInputRegistersResponse),
        }
        self.pdu_sub_table = {}


_ANSWERS = _Answers()
_RTU = FramerRTU(_ANSWERS)
_TCP = FramerSocket(_ANSWERS)


@dataclass(frozen=True, slots=True)
class Registers:
    """What was asked for: the value of each address."""

    values: Mapping[int, int]


@dataclass(frozen=True, slots=True)
class Refusal:
    """The device answers, and does not tell: an exception code."""

    code: int

    def __str__(self) -> str:
        return EXCEPTIONS.get(self.code, f"exception {self.code}")


Answer = Registers | Refusal


@dataclass(frozen=True, slots=True)
class Request:
    """One question to one unit. `transaction` is told by TCP alone."""

    unit: int
    function: int
    query: Query
    transaction: int = 0

    def _message(self) -> ReadHoldingRegistersRequest:
        kind = ReadHoldingRegistersRequest if self.function == 3 else ReadInputRegistersRequest
        return kind(
            dev_id=self.unit,
            transaction_id=self.transaction,
            address=self.query.address,
            count=self.query.count,
        )

    def rtu(self) -> bytes:
        return _RTU.buildFrame(self._message())

    def tcp(self) -> bytes:
        return _TCP.buildFrame(self._message())

    def read(self, pdu: bytes) -> Answer:
        """The body of an answer. Raises ProtocolError."""
        said = _ANSWERS.decode(pdu) if len(pdu) > 1 and pdu[0] & 0x7F == self.function else None
        if isinstance(said, ExceptionResponse):
            return Refusal(said.exception_code)
        if said is None or len(pdu) != 2 + 2 * self.query.count or len(said.registers) != self.query.count:
            raise ProtocolError(
                f"unit {self.unit} answers a question for {self.query.count} registers with {pdu[:20].hex(' ')}"
            )
        return Registers({self.query.address + i: value for i, value in enumerate(said.registers)})


class RtuAnswers:
    """Finds the answer to one request at a time on a serial line.

    A late answer of another unit, the echo of an adapter that hears itself, and noise around or before the answer are
    passed over: it is what has the unit, the function, the length and the checksum that it must have.
    """

    def __init__(self) -> None:
        self._buffer = bytearray()
        self._request: Request | None = None

    def expect(self, request: Request) -> None:
        """Forget what has come, and look for this one's answer."""
        self._buffer.clear()
        self._request = request

    def receive(self, data: bytes) -> None:
        """Take bytes as they came off the wire, in any pieces."""
        self._buffer += data
        if len(self._buffer) > _MOST_UNREAD:
            del self._buffer[:-_MOST_UNREAD]

    def answer(self) -> Answer | None:
        """The answer, once it is whole; then nothing until the next is expected."""
        request = self._request
        if request is None:
            return None
        for start in range(len(self._buffer) - 4):
            if self._buffer[start] != request.unit or not (size := self._size(start, request)):
                continue
            frame = bytes(self._buffer[start : start + size])
            if len(frame) == size and FramerRTU.check_CRC(frame[:-2], int.from_bytes(frame[-2:], "big")):
                self._request = None
                return request.read(frame[1:-2])
        return None

    def _size(self, start: int, request: Request) -> int:
        """How long the answer is that may begin here; 0 if none may."""
        function, length = self._buffer[start + 1 : start + 3]
        if function == request.function and length == 2 * request.query.count:
            return 5 + length
        return 5 if function == request.function | 0x80 else 0


class TcpAnswers:
    """Finds the answer to one request at a time on a TCP connection, by its transaction."""

    def __init__(self) -> None:
        self._buffer = bytearray()
        self._request: Request | None = None

    def expect(self, request: Request) -> None:
        """Look for this one's answer; those to earlier ones are passed over."""
        self._request = request

    def receive(self, data: bytes) -> None:
        """Take bytes as they came, in any pieces."""
        self._buffer += data

    def answer(self) -> Answer | None:
        """The answer, once it is whole; then nothing until the next is expected.

        Raises:
            ProtocolError: what comes is not Modbus TCP; nothing can be found again in it.
        """
        while len(self._buffer) >= _MBAP.size:
            transaction, protocol, length, unit = _MBAP.unpack_from(self._buffer)
            if protocol or not 3 <= length <= _LONGEST - 6:
                raise ProtocolError(
                    f'{bytes(self._buffer[:8]).hex(" ")} is no Modbus TCP; a serial server wants framing = "rtu"'
                )
            if len(self._buffer) < 6 + length:
                return None
            pdu = bytes(self._buffer[_MBAP.size : 6 + length])
            del self._buffer[: 6 + length]
            request = self._request
            if request and transaction == request.transaction and unit == request.unit:
                self._request = None
                return request.read(pdu)
        return None


@dataclass(frozen=True, slots=True)
class Weight:
    grams: float
    stable: bool | None


@dataclass(frozen=True, slots=True)
class NoWeight:
    """The cell cannot weigh: what `edge.reads.WeightFault` calls it."""

    fault: str


def weigh(of: RegisterMap, values: Mapping[int, int]) -> Weight | NoWeight:
    """One channel's weight.

    Args:
        of: the map of this channel.
        values: by address, at least those that the map names.
    """
    for each in of.faults:
        if values[each.address] >> each.bit & 1 == each.when:
            if each.fault.startswith("device_error") and (said := _meaning(of.fault_in, values)):
                return NoWeight(said)
            return NoWeight(each.fault)
    if fault := _meaning(of.fault_in, values):
        return NoWeight(fault)
    number = _number(of, values)
    if not math.isfinite(number):
        return NoWeight("not_a_number")
    scale = _scale(of, values)
    if isinstance(scale, NoWeight):
        return scale
    decimals, grams = scale
    stable = None if of.stable is None else values[of.stable.address] >> of.stable.bit & 1 == of.stable.when
    return Weight(number / 10**decimals * grams, stable)


def _number(of: RegisterMap, values: Mapping[int, int]) -> float:
    words = [values[of.address + i] for i in range(of.size)]
    if of.words == "low_first":
        words.reverse()
    data = struct.pack(f">{of.size}H", *words)
    code = {"int16": ">h", "uint16": ">H", "int32": ">i", "uint32": ">I", "float32": ">f"}[of.format]
    number = float(struct.unpack(code, data)[0])
    if of.negative and values[of.negative.address] >> of.negative.bit & 1 == of.negative.when:
        return -number
    return number


def _scale(of: RegisterMap, values: Mapping[int, int]) -> tuple[int, float] | NoWeight:
    """How many digits are behind the point, and the grams of the unit."""
    decimals = of.decimals or 0
    if of.decimals is None and of.decimals_in is not None:
        said = (
            _meaning(of.decimals_in, values) if of.decimals_in.means else str(_code(of.decimals_in, values))
        )
        if not said or int(said) > 9:
            return NoWeight(
                f"device_error: says {_code(of.decimals_in, values)} decimals, which its map does not know"
            )
        decimals = int(said)
    unit: str = of.unit or "g"
    if of.unit is None and of.unit_in is not None:
        unit = _meaning(of.unit_in, values)
        if unit not in GRAMS:
            code = _code(of.unit_in, values)
            return NoWeight(f"device_error: weighs in unit {code}, which is no mass; set it to kg or g")
    return decimals, GRAMS[unit]


def _code(of: Field, values: Mapping[int, int]) -> int:
    return values[of.address] >> of.first_bit & (1 << of.bits) - 1


def _meaning(of: Field | None, values: Mapping[int, int]) -> str:
    return of.means.get(_code(of, values), "") if of else ""


def told(addresses: tuple[int, ...], values: Mapping[int, int]) -> str:
    """What identifies a device or its calibration, as words; empty where its map names nothing."""
    return "-".join(str(values[address]) for address in addresses)
