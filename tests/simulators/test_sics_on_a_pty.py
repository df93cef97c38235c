"""The simulated scale on a real pty."""

import asyncio
import contextlib
import os
from collections.abc import AsyncIterator
from pathlib import Path

import serial

from simulators.link import PtyPort, pty
from simulators.sics.device import Scale
from simulators.sics.indicator import Indicator
from simulators.sics.serve import Served
from simulators.trouble import maker


class Port:
    """A serial port as a program opens it."""

    def __init__(self, path: Path) -> None:
        self._serial = serial.Serial(str(path), baudrate=9600, timeout=5, exclusive=True)

    def say(self, data: bytes) -> None:
        self._serial.write(data)

    async def line(self) -> bytes:
        line: bytes = await asyncio.to_thread(self._serial.readline)
        return line

    def close(self) -> None:
        self._serial.close()


@contextlib.asynccontextmanager
async def scale_on(link: Path, trouble: str = "none", grams: float = 991.2) -> AsyncIterator[Port]:
    device = Served(Scale(Indicator(15_000.0), "SIM0000001"), lambda: grams)
    ready = asyncio.Event()
    serving = asyncio.ensure_future(pty(device.session, maker(trouble, 1), link, ready))
    await ready.wait()
    port = Port(link)
    try:
        yield port
    finally:
        port.close()
        serving.cancel()
        await asyncio.gather(serving, return_exceptions=True)


async def test_answers_over_the_port(tmp_path: Path) -> None:
    async with scale_on(tmp_path / "scale") as port:
        port.say(b"@\r\n")
        assert await port.line() == b'I4 A "SIM0000001"\r\n'
        port.say(b"S\r\n")
        assert await port.line() == b"S S      991.2 g\r\n"


async def test_repeats_weights(tmp_path: Path) -> None:
    async with scale_on(tmp_path / "scale") as port:
        port.say(b"SIR\r\n")
        lines = [await port.line() for _ in range(10)]
    assert lines[-1] == b"S S      991.2 g\r\n"
    assert {line[-9:] for line in lines} == {b"991.2 g\r\n"}


async def test_byte_by_byte_is_the_same(tmp_path: Path) -> None:
    async with scale_on(tmp_path / "scale", "drip") as port:
        for byte in b"I4\r\n":
            port.say(bytes([byte]))
        assert await port.line() == b'I4 A "SIM0000001"\r\n'


async def test_the_link_outlives_the_port(tmp_path: Path) -> None:
    link = tmp_path / "scale"
    async with scale_on(link, "hang-up:0.1") as port:
        port.say(b"SIR\r\n")
        with contextlib.suppress(serial.SerialException):  # the plug is pulled
            while (await port.line()).endswith(b"\n"):
                pass
        port.close()
        async with asyncio.timeout(5):
            again = await _plugged_in(link)
        again.say(b"I4\r\n")
        assert await again.line() == b'I4 A "SIM0000001"\r\n'
        again.close()
    assert not link.is_symlink()


async def _plugged_in(link: Path) -> Port:
    """The port, once there is one again."""
    for _ in range(200):
        with contextlib.suppress(serial.SerialException):
            return Port(link)
        await asyncio.sleep(0.02)
    raise AssertionError(f"nothing was plugged in at {link}")


async def test_nobody_reads_what_was_weighed_while_nobody_looked() -> None:
    """A pty keeps what is written to it; a serial port that nobody has open does not."""
    far = PtyPort()
    for number in range(1000):
        await far.write(b"%06d\r\n" % number)
        await asyncio.sleep(0.001)  # the kernel hands it over by and by
    near = os.open(far.path, os.O_RDWR | os.O_NOCTTY | os.O_NONBLOCK)
    kept = os.read(near, 65536).split(b"\r\n")
    assert kept[-2:] == [b"000999", b""]
    assert len(kept) < 300
    assert all(len(line) == 6 for line in kept[:-1])  # whole lines only
    os.close(near)
    far.close()
