"""What a round may take: checked where a serial line is known, measured where it is not."""

import asyncio
import logging

import pytest
from pydantic import ValidationError

from edge.readers.modbus_scale.config import ModbusScaleConfig
from edge.readers.modbus_scale.pace import STEADY, Pace
from edge.readers.modbus_scale.reader import ModbusScale

TCP = {"driver": "modbus_scale", "url": "tcp://192.0.2.30", "profile": "laumas", "units": [1, 2, 3, 4]}


def test_the_line_behind_a_gateway_is_held_against_poll_s() -> None:
    assert ModbusScaleConfig.model_validate(TCP | {"poll_s": 0.05}).least_round_s is None
    with pytest.raises(ValidationError, match=r"4 units at 9600 baud take 0\.17 s a round, more than 0\.1 s"):
        ModbusScaleConfig.model_validate(TCP | {"poll_s": 0.1, "line_baud": 9600})
    slow = ModbusScaleConfig.model_validate(TCP | {"line_baud": 4800})
    assert slow.round_s > 0.3, "left out, it is as long as the line needs"


def test_a_serial_line_says_its_speed_in_its_url() -> None:
    serial = TCP | {"url": "serial:/dev/ttyUSB0?baud=9600", "line_baud": 9600}
    with pytest.raises(ValidationError, match="line_baud: is of a line behind tcp"):
        ModbusScaleConfig.model_validate(serial)


def test_rounds_that_are_too_long_are_said_once_and_when_it_is_over(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    pace = Pace("aisle-1", 0.1)
    for seconds in [
        *[0.3] * (STEADY - 1),
        0.05,
        *[0.3, 0.25] * STEADY,
        *[0.05] * (STEADY - 1),
        0.3,
        *[0.05] * STEADY,
    ]:
        pace.took(seconds)

    assert [(record.levelname, record.getMessage()) for record in caplog.records] == [
        (
            "WARNING",
            "aisle-1: asking every unit once takes 0.25 s or more, longer than poll_s = 0.1: "
            "cells are weighed that seldom; write poll_s = 0.28, or put fewer units behind one address",
        ),
        ("INFO", "aisle-1: rounds take no longer than 0.1 s any more"),
    ]


async def test_what_a_reader_asks_by_tcp_is_measured(caplog: pytest.LogCaptureFixture) -> None:
    """A gateway that takes 30 ms for each answer, asked each 20 ms."""

    over = asyncio.Event()

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while head := await reader.read(260):
            transaction, unit, count = head[:2], head[6:7], int.from_bytes(head[10:12])
            await asyncio.sleep(0.03)
            registers = bytes(2 * count)
            body = unit + b"\x03" + bytes([len(registers)]) + registers
            writer.write(transaction + b"\0\0" + len(body).to_bytes(2) + body)
        writer.close()
        await writer.wait_closed()
        over.set()

    server = await asyncio.start_server(answer, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    told = {"url": f"tcp://127.0.0.1:{port}", "units": [1], "poll_s": 0.02}
    config = ModbusScaleConfig.model_validate(TCP | told)
    async with ModbusScale(config, "aisle-1", lambda: 0).open() as reads:
        async for _ in reads:
            if "longer than poll_s = 0.02" in caplog.text:
                break
    server.close()
    await over.wait()
    assert "asking every unit once takes 0.0" in caplog.text
