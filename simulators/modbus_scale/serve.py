"""Puts transmitters on one bus: a serial line, or a TCP connection to a gateway or to one of them."""

import asyncio
from collections.abc import Callable

from simulators.link import Link
from simulators.modbus_scale.frames import READING, RtuFrames, TcpFrames, read
from simulators.modbus_scale.transmitters import Transmitter

MOST_REGISTERS = 32  # at once: Laumas' manual
NO_ANSWER = 11  # a gateway's: the device behind it does not answer


class Served:
    """A bus with its transmitters.

    Args:
        rtu: frames with a checksum, as on a serial line; otherwise with a header, as by TCP.
        echoes: an adapter that hears what it sends.
        gateway: answers for a device that does not.
    """

    def __init__(
        self,
        transmitters: list[Transmitter],
        *,
        rtu: bool = True,
        echoes: bool = False,
        gateway: bool = False,
    ) -> None:
        self.transmitters = {each.unit: each for each in transmitters}
        self._frames: Callable[[], RtuFrames | TcpFrames] = lambda: (
            RtuFrames(self._answer) if rtu else TcpFrames(self._answer)
        )
        self._echoes = echoes
        self._gateway = gateway

    async def session(self, link: Link) -> None:
        """Serve one line until it goes. Raises LinkDown."""
        frames = self._frames()
        late: set[asyncio.Task[None]] = set()
        try:
            while True:
                data = await link.receive()
                if self._echoes:
                    await link.send(data)
                for reply in frames.receive(data):
                    wait_s = self.transmitters[reply.unit].late_s if reply.unit in self.transmitters else 0.0
                    if not wait_s:
                        await link.send(reply.frame)
                        continue
                    task = asyncio.ensure_future(_later(link, reply.frame, wait_s))
                    late.add(task)
                    task.add_done_callback(late.discard)
        finally:
            for task in late:
                task.cancel()
            await asyncio.gather(*late, return_exceptions=True)

    def _answer(self, unit: int, question: bytes) -> bytes | None:
        device = self.transmitters.get(unit)
        if device is None or not device.answers:
            return bytes([question[0] | 0x80, NO_ANSWER]) if self._gateway else None
        device.asked += 1
        if question[0] not in READING:
            device.written.append(question)
        if device.refuses:
            return bytes([question[0] | 0x80, device.refuses])
        return read(question, device.registers().get, device.function, MOST_REGISTERS)


async def _later(link: Link, frame: bytes, wait_s: float) -> None:
    await asyncio.sleep(wait_s)
    await link.send(frame)
