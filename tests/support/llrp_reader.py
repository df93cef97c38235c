"""A reader's side of LLRP on a real TCP port, in literal bytes: it answers what it is told to answer."""

import asyncio
import struct
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from tests.support.tcp import serving

OK = bytes.fromhex("011F 0008 0000 0000")
NOW = bytes.fromhex("0006442AB0747000")  # 1763800000000000 us


def message(type: int, id: int, body: bytes) -> bytes:
    return struct.pack("!HII", 1 << 10 | type, 10 + len(body), id) + body


def notification(*params: bytes, stamp: bytes = b"\x00\x80\x00\x0c" + NOW) -> bytes:
    inside = stamp + b"".join(params)
    return message(63, 0, b"\x00\xf6" + struct.pack("!H", 4 + len(inside)) + inside)


def report(*tags: bytes) -> bytes:
    return message(61, 0, b"".join(tags))


def tag(epc: str, at: int, antenna: int = 1, rssi: int = 0xC9) -> bytes:
    """TagReportData with an EPC-96, antenna, strength and last seen."""
    return bytes.fromhex(f"00F0 001F 8D {epc} 81 {antenna:04X} 86 {rssi:02X} 84 {at:016X}")


@dataclass
class FakeReader:
    """What the reader is like. `heard` lists the types of the requests it got, over all connections."""

    attempt: int = 0  # in the connection event
    refuses: dict[int, int] = field(default_factory=dict)  # request -> LLRP status
    mute: set[int] = field(default_factory=set)  # requests it never answers
    answers_holding: bool = True  # some answer ENABLE_EVENTS_AND_REPORTS, which has no answer, with an error
    starts_by_itself: bool = True
    stamp: bytes = b"\x00\x80\x00\x0c" + NOW
    rospecs: dict[int, int] = field(default_factory=dict)  # number -> state
    newest: int | None = None  # LLRP version; None: 1.0.1, which does not know the question
    extensions: int = 0  # status of its answer to IMPINJ_ENABLE_EXTENSIONS
    config: bytes = b""  # what it answers to GET_READER_CONFIG
    held: list[bytes] = field(default_factory=list)  # told when events and reports may come
    slow: set[int] = field(default_factory=set)  # requests whose answer comes by itself, a moment later
    before: dict[int, bytes] = field(default_factory=dict)  # told just before answering a request
    capabilities: bytes = bytes.fromhex(
        "0089 001E 0004 4000 0000651A 001E886A 0004 352E3134 008D 0008 0002 0000"  # Impinj, 2 inputs
        "008E 001C 48 01 0000 00000001 00000020 00000001 000005E4 00000008"  # can hold
    )
    heard: list[int] = field(default_factory=list)
    versions: list[int] = field(default_factory=list)  # of each request
    bodies: dict[int, bytes] = field(default_factory=dict)
    port: int = 0
    _news: asyncio.Event = field(default_factory=asyncio.Event)
    _writer: asyncio.StreamWriter | None = None

    @property
    def url(self) -> str:
        return f"tcp://127.0.0.1:{self.port}"

    def send(self, data: bytes) -> None:
        assert self._writer
        self._writer.write(data)

    async def hears(self, type: int) -> None:
        """Wait for a request of this type."""
        while type not in self.heard:
            self._news.clear()
            await self._news.wait()

    def hang_up(self) -> None:
        assert self._writer
        self._writer.close()

    @asynccontextmanager
    async def listening(self) -> AsyncIterator["FakeReader"]:
        async with serving(self._serve) as self.port:
            yield self

    async def _serve(self, incoming: asyncio.StreamReader, outgoing: asyncio.StreamWriter) -> None:
        self._writer = outgoing
        outgoing.write(notification(b"\x01\x00\x00\x06" + struct.pack("!H", self.attempt), stamp=self.stamp))
        while True:
            head, length, id = struct.unpack("!HII", await incoming.readexactly(10))
            self.versions.append(head >> 10)
            self._answer(head & 0x3FF, id, await incoming.readexactly(length - 10))

    def _answer(self, type: int, id: int, body: bytes) -> None:
        self.heard.append(type)
        self._news.set()
        self.bodies[type] = body
        if early := self.before.pop(type, None):
            self.send(early)
        if type in self.mute or type in (60, 72):
            return
        if type == 46 and self.newest is None:
            self.send(message(100, id, self._status(110)))
            return
        if type == 1023:
            self.send(message(1023, id, bytes.fromhex("0000651A 16") + self._status(self.extensions)))
            return
        if type == 64:
            for each in self.held:
                self.send(each)
            self.held.clear()
            if not self.answers_holding:
                self.send(message(100, id, self._status(109)))
            return
        answer = 4 if type == 14 else type + 10
        code = self.refuses.get(type, 0) or self._do(type, body)
        told = (
            {1: self.capabilities, 2: self.config, 26: self._rospecs()}.get(type, b"") if code == 0 else b""
        )
        before = bytes([1, self.newest or 1]) if type == 46 else b""
        said = message(answer, id, before + self._status(code) + told)
        if type in self.slow:
            asyncio.get_running_loop().call_later(0.02, self.send, said)
        else:
            self.send(said)
        if type == 14:
            self.hang_up()

    def _do(self, type: int, body: bytes) -> int:
        number = int.from_bytes(body[4:8] if type == 20 else body[:4], "big")
        match type:
            case 20:
                self.rospecs[number] = 0
            case 21 if number in self.rospecs:
                del self.rospecs[number]
                self.held.clear()  # and with it what it had read: nothing says that it must be kept
            case 24:
                self.rospecs[number] = 2 if self.starts_by_itself else 1
            case 22 if self.rospecs.get(number) == 2:
                return 101  # it runs already
            case 22:
                self.rospecs[number] = 2
            case 21:
                return 100  # there is none of this number, and 0 is not taken for all
        return 0

    def _rospecs(self) -> bytes:
        return b"".join(
            bytes.fromhex("00B1 000A") + struct.pack("!IBB", id, 0, state)
            for id, state in self.rospecs.items()
        )

    @staticmethod
    def _status(code: int) -> bytes:
        text = b"" if code == 0 else b"no"
        return b"\x01\x1f" + struct.pack("!HHH", 8 + len(text), code, len(text)) + text
