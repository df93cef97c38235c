"""The driver of transmitters against pymodbus' own server, by TCP and on a serial line: a peer that is not ours."""

import asyncio
import os
import struct
import tty
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager

import pytest
from pymodbus import FramerType
from pymodbus.constants import ExcCodes
from pymodbus.server import ModbusSerialServer, ModbusTcpServer
from pymodbus.simulator import DataType, SimData, SimDevice

from edge.readers.modbus_scale.config import ModbusScaleConfig
from edge.readers.modbus_scale.reader import ModbusScale
from edge.reads import WeightFault, WeightSample
from tests.support.servers import free_port, wait_for_port
from tests.support.supervised import Site, now_us, watching

pytestmark = pytest.mark.timeout(120)


class Scale:
    """A transmitter with Baykon's registers whose weight grows by a gram each time that it is asked for."""

    def __init__(self, unit: int) -> None:
        self.unit = unit
        self.grams = 1000 * unit
        self.functions: set[int] = set()

    def device(self) -> SimDevice:
        registers = SimData(0, count=16, values=0, datatype=DataType.REGISTERS)
        return SimDevice(self.unit, simdata=[registers], action=self._asked)

    async def _asked(
        self, function: int, start: int, address: int, count: int, registers: list[int], written: object
    ) -> ExcCodes | None:
        self.functions.add(function)
        if written is None:
            self.grams += 1
            high, low = struct.unpack(">HH", struct.pack(">i", self.grams))
            for at, value in ((2, 0b010), (5, high), (6, low)):
                registers[at - start] = value
        return None


@asynccontextmanager
async def by_tcp(scales: list[Scale]) -> AsyncIterator[str]:
    port = free_port()
    server = ModbusTcpServer([scale.device() for scale in scales], address=("127.0.0.1", port))
    serving = asyncio.ensure_future(server.serve_forever())
    await asyncio.to_thread(wait_for_port, port)
    try:
        yield f"tcp://127.0.0.1:{port}"
    finally:
        await server.shutdown()  # type: ignore[no-untyped-call]  # pymodbus has left it so
        await asyncio.gather(serving, return_exceptions=True)


@asynccontextmanager
async def on_a_bus(scales: list[Scale]) -> AsyncIterator[str]:
    """Two ptys with their far ends joined: a cable between two ports."""
    ends = [os.openpty() for _ in range(2)]
    for master, slave in ends:
        tty.setraw(slave)
        os.set_blocking(master, False)
    loop = asyncio.get_running_loop()

    def joins(here: int, there: int) -> Callable[[], None]:
        return lambda: None if not (data := os.read(here, 4096)) else void(os.write(there, data))

    (first, near), (second, far) = ends
    loop.add_reader(first, joins(first, second))
    loop.add_reader(second, joins(second, first))
    server = ModbusSerialServer(
        [scale.device() for scale in scales], framer=FramerType.RTU, port=os.ttyname(far), baudrate=115200,
        ignore_missing_devices=True,
    )  # fmt: skip
    serving = asyncio.ensure_future(server.serve_forever())
    try:
        yield f"serial:{os.ttyname(near)}?baud=115200"
    finally:
        await server.shutdown()  # type: ignore[no-untyped-call]  # pymodbus has left it so
        await asyncio.gather(serving, return_exceptions=True)
        for master, slave in ends:
            loop.remove_reader(master)
            os.close(master)
            os.close(slave)


def void(_: object) -> None:
    return None


def scale(url: str, units: list[int]) -> ModbusScale:
    config = ModbusScaleConfig.model_validate(
        {"driver": "modbus_scale", "url": url, "profile": "baykon", "units": units, "unit": "g", "decimals": 0,
         "poll_s": 0.05}
    )  # fmt: skip
    return ModbusScale(config, "aisle-1", now_us)


def grams(site: Site, cell: int) -> list[float]:
    return [read.grams for read in site.reads if isinstance(read, WeightSample) and read.cell == cell]


@pytest.mark.parametrize("link", [by_tcp, on_a_bus])
async def test_weights_are_read_from_pymodbus_in_order_and_none_twice(
    link: Callable[[list[Scale]], AbstractAsyncContextManager[str]],
) -> None:
    scales = [Scale(1), Scale(2)]
    async with link(scales) as url, watching(scale(url, [1, 2])) as site:
        await site.until(lambda: len(grams(site, 1)) >= 50)
    for cell, each in enumerate(scales):
        got = grams(site, cell)
        assert got == [float(1000 * each.unit + 1 + i) for i in range(len(got))]
        assert each.functions == {3}
    assert site.reasons == []


async def test_a_unit_that_pymodbus_does_not_have_is_away_and_the_other_goes_on() -> None:
    """On a bus it is silent; by TCP this server answers for it, with exception 4."""
    for link in (by_tcp, on_a_bus):
        async with link([Scale(1)]) as url, watching(scale(url, [1, 9])) as site:
            await site.until(lambda site=site: any(isinstance(read, WeightFault) for read in site.reads))  # type: ignore[misc]  # bound now
            before = len(grams(site, 0))
            await site.until(lambda site=site, before=before: len(grams(site, 0)) >= before + 10)  # type: ignore[misc]  # bound now
        assert {read.fault for read in site.reads if isinstance(read, WeightFault)} <= {
            "device_error: does not answer",
            "device_error: device failure",
        }
        assert site.reasons == []
