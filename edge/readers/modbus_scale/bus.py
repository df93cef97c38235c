"""One bus: a question at a time, and the silence around it."""

import asyncio

from edge.errors import ReaderError
from edge.readers.modbus_scale.budget import Line
from edge.readers.modbus_scale.protocol import Answer, Request, RtuAnswers, TcpAnswers
from edge.readers.modbus_scale.registers import Query
from edge.readers.streams import Stream

_TRANSACTIONS = 0x10000


class Silent(ReaderError):
    """One unit has not answered in time; the bus itself is up."""


class Bus:
    """`line` is the serial line's speed, None by TCP. Framing is RTU's or TCP's own."""

    def __init__(self, stream: Stream, *, rtu: bool, line: Line | None, timeout_s: float) -> None:
        self._stream = stream
        self._answers: RtuAnswers | TcpAnswers = RtuAnswers() if rtu else TcpAnswers()
        self._rtu = rtu
        self._line = line
        self._timeout_s = timeout_s
        self._transaction = 0
        self._loop = asyncio.get_running_loop()
        self._quiet_s = 0.0  # from when on the line has been quiet for long enough

    async def ask(self, unit: int, function: int, query: Query) -> Answer:
        """Ask one unit for some registers.

        Raises:
            Silent: no answer in time. One that comes later is not taken for the next one's.
            ReaderLost: hung up.
            ProtocolError: what comes is no Modbus.
        """
        self._transaction = (self._transaction + 1) % _TRANSACTIONS or 1
        request = Request(unit, function, query, self._transaction)
        if (wait_s := self._quiet_s - self._loop.time()) > 0:
            await asyncio.sleep(wait_s)
        await self._take_what_is_there()
        self._answers.expect(request)
        self._stream.write(request.rtu() if self._rtu else request.tcp())
        try:
            return await self._answer(request)
        finally:
            self._quiet_s = self._loop.time() + (self._line.gap_s if self._line else 0.0)

    async def _answer(self, request: Request) -> Answer:
        on_the_wire_s = self._line.wire_s(request.query) if self._line else 0.0
        give_up_s = self._loop.time() + self._timeout_s + on_the_wire_s
        while True:
            if (answer := self._answers.answer()) is not None:
                return answer
            if (left_s := give_up_s - self._loop.time()) <= 0:
                raise Silent(f"unit {request.unit} does not answer")
            self._answers.receive(await self._stream.read(left_s))

    async def _take_what_is_there(self) -> None:
        """What came since the last answer belongs to no question of ours, unless it is late, and by TCP numbered."""
        while data := await self._stream.read(0.0):
            self._answers.receive(data)
