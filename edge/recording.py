"""Recordings: raw reads as JSON Lines, one object a line, the first of them the heading.

    {"type":"recording","version":1,"edge":"store-042"}
    {"type":"tag","at":"2026-11-22T09:00:00.123456Z","gate":"dock-1","antenna":2,"epc":"3074…","rssi_dbm":-61.5}
    {"type":"weight","at":"…","shelf":"aisle-1","cell":3,"grams":1234.5}
    {"type":"scale","at":"…","shelf":"aisle-1","cells":[3],"serial":"1127","calibration":"2026-10-02"}
    {"type":"weight_fault","at":"…","shelf":"aisle-1","cell":3,"fault":"overload"}
    {"type":"trigger","at":"…","gate":"dock-1","input":1,"on":true}
    {"type":"antenna","at":"…","gate":"dock-1","antenna":2,"connected":false}
    {"type":"lost","at":"…","device":"dock-1","from":"…","to":"…","reason":"the reader's buffer overflowed"}

`at` is the wall clock's time, which dates what is said. Each line may also have `mono_ms`, the steady clock's in
milliseconds (edge/clock.py), by which durations are measured and reads ordered; all lines of a recording have it, or
none has, and then the wall clock counts for both.

Unknown keys are passed over and lines of unknown types are counted, so that an old program reads a newer recording.
Anything else that is wrong is an error: a recording is evidence, and half of one proves little.
"""

from collections.abc import Iterable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Annotated

import msgspec
from msgspec import Meta

from edge.errors import RecordingError
from edge.reads import Antenna, Lost, Read, Scale, TagRead, TimedRead, Trigger, WeightFault, WeightSample

VERSION = 1
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
LATEST = datetime(2200, 1, 1, tzinfo=UTC)  # the wire carries no later time
MICROSECOND = timedelta(microseconds=1)

_At = Annotated[datetime, Meta(tz=True)]
_Name = Annotated[str, Meta(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]{0,39}$")]
_Hex = Annotated[str, Meta(pattern=r"^(?:[0-9A-Fa-f]{4}){1,32}$")]
_Small = Annotated[int, Meta(ge=0, le=65_535)]
_Words = Annotated[str, Meta(max_length=500)]
_Level = Annotated[
    float, Meta(ge=-200, le=100)
]  # dBm: beyond, it is no power that a reader could have measured
_Steady = Annotated[int, Meta(ge=0, le=round(LATEST.timestamp()) * 1000)]


class _Heading(msgspec.Struct, tag_field="type", tag="recording"):
    version: int
    edge: Annotated[str, Meta(pattern=r"^[a-z0-9-]{1,40}$")]


class _Tag(msgspec.Struct, tag_field="type", tag="tag", omit_defaults=True, kw_only=True, gc=False):
    at: _At
    gate: _Name
    antenna: _Small
    epc: _Hex
    rssi_dbm: _Level
    tid: _Hex | None = None
    phase_deg: Annotated[float, Meta(ge=-360, le=360)] | None = None
    channel_mhz: Annotated[float, Meta(ge=0, le=10_000)] | None = None
    count: Annotated[int, Meta(ge=1)] = 1
    mono_ms: _Steady | None = None


class _Weight(msgspec.Struct, tag_field="type", tag="weight", omit_defaults=True, kw_only=True, gc=False):
    at: _At
    shelf: _Name
    cell: _Small
    grams: Annotated[float, Meta(ge=-1e8, le=1e8)]
    stable: bool | None = None
    mono_ms: _Steady | None = None


class _Scale(msgspec.Struct, tag_field="type", tag="scale", omit_defaults=True, kw_only=True, gc=False):
    at: _At
    shelf: _Name
    cells: tuple[_Small, ...] | None = None
    serial: _Words = ""
    calibration: _Words = ""
    mono_ms: _Steady | None = None


class _WeightFault(
    msgspec.Struct, tag_field="type", tag="weight_fault", omit_defaults=True, kw_only=True, gc=False
):
    at: _At
    shelf: _Name
    cell: _Small
    fault: _Words
    mono_ms: _Steady | None = None


class _Trigger(msgspec.Struct, tag_field="type", tag="trigger", omit_defaults=True, kw_only=True, gc=False):
    at: _At
    gate: _Name
    input: _Small
    on: bool
    mono_ms: _Steady | None = None


class _Antenna(msgspec.Struct, tag_field="type", tag="antenna", omit_defaults=True, kw_only=True, gc=False):
    at: _At
    gate: _Name
    antenna: _Small
    connected: bool
    mono_ms: _Steady | None = None


class _Lost(msgspec.Struct, tag_field="type", tag="lost", omit_defaults=True, kw_only=True, gc=False):
    at: _At
    device: _Name
    from_: _At = msgspec.field(name="from")
    to: _At
    reason: _Words
    mono_ms: _Steady | None = None


_Line = _Tag | _Weight | _Scale | _WeightFault | _Trigger | _Antenna | _Lost


class _Kind(msgspec.Struct):
    type: str


_HEADING = msgspec.json.Decoder(_Heading)
_LINE: msgspec.json.Decoder[_Line] = msgspec.json.Decoder(_Line)
_KIND = msgspec.json.Decoder(_Kind)
_KNOWN = ("tag", "weight", "scale", "weight_fault", "trigger", "antenna", "lost")
_ENCODER = msgspec.json.Encoder()


class Recording:
    """Reads a recording from lines, one at a time, however long it is. Iterate once.

    Raises:
        RecordingError: at once if the first line is no heading of a version known here; while iterating at a line that
            cannot be read. The text names the line and what would be right.
    """

    def __init__(self, lines: Iterable[bytes]) -> None:
        self._lines = iter(lines)
        self.edge = _heading(next(self._lines, b"")).edge
        self.number = 1  # of the line read last
        self.skipped = 0  # lines of types unknown here, so far
        self.steady: bool | None = None  # whether lines have the steady clock's time; None until one was read

    def __iter__(self) -> Iterator[Read]:
        return (read for _, read in self.timed())

    def timed(self) -> Iterator[TimedRead]:
        """Each read with the steady clock at it; with the wall clock's time in its place where the lines have none."""
        for line in self._lines:
            self.number += 1
            if not line.strip():
                continue
            said = _said(self.number, line)
            if said is None:
                self.skipped += 1
                continue
            self._alike(said.mono_ms is not None)
            read = _read(self.number, said)
            yield (read.at_us // 1000 if said.mono_ms is None else said.mono_ms), read

    def _alike(self, steady: bool) -> None:
        if self.steady is None:
            self.steady = steady
        elif self.steady is not steady:
            has, had = ("has", "have none") if steady else ("has no", "have it")
            raise RecordingError(
                f"line {self.number}: {has} mono_ms, and the lines before {had}; all have it, or none has"
            )


def heading(edge: str) -> bytes:
    """The first line of a recording, with its newline."""
    return _ENCODER.encode(_Heading(VERSION, edge)) + b"\n"


def line(read: Read, mono_ms: int | None = None) -> bytes:
    """One read as a line of a recording, with its newline; `mono_ms`: the steady clock at it."""
    at = EPOCH + read.at_us * MICROSECOND
    match read:
        case TagRead():
            said: _Line = _Tag(
                at=at, gate=read.gate, antenna=read.antenna, epc=read.epc, rssi_dbm=read.rssi_dbm,
                tid=read.tid, phase_deg=read.phase_deg, channel_mhz=read.channel_mhz, count=read.count,
                mono_ms=mono_ms,
            )  # fmt: skip
        case WeightSample():
            said = _Weight(
                at=at, shelf=read.shelf, cell=read.cell, grams=read.grams, stable=read.stable, mono_ms=mono_ms
            )
        case Scale():
            said = _Scale(
                at=at, shelf=read.shelf, cells=read.cells, serial=read.serial, calibration=read.calibration,
                mono_ms=mono_ms,
            )  # fmt: skip
        case WeightFault():
            said = _WeightFault(at=at, shelf=read.shelf, cell=read.cell, fault=read.fault, mono_ms=mono_ms)
        case Trigger():
            said = _Trigger(at=at, gate=read.gate, input=read.input, on=read.on, mono_ms=mono_ms)
        case Antenna():
            said = _Antenna(
                at=at, gate=read.gate, antenna=read.antenna, connected=read.connected, mono_ms=mono_ms
            )
        case Lost():
            said = _Lost(
                at=at, device=read.device, from_=EPOCH + read.from_us * MICROSECOND,
                to=EPOCH + read.to_us * MICROSECOND, reason=read.reason, mono_ms=mono_ms,
            )  # fmt: skip
    return _ENCODER.encode(said) + b"\n"


def _heading(first: bytes) -> _Heading:
    try:
        found = _HEADING.decode(first)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise RecordingError(
            "line 1: this is no recording: one is JSON Lines, as `stockbeat edge record` writes them, and begins with "
            f'{{"type":"recording","version":1,"edge":"store-042"}}, not {first[:80]!r} ({error})'
        ) from None
    if found.version != VERSION:
        raise RecordingError(f"line 1: version {found.version}; this program reads version {VERSION}")
    return found


def _said(number: int, text: bytes) -> _Line | None:
    """None of a line of a type that is unknown here."""
    try:
        return _LINE.decode(text)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        if _is_of_unknown_type(text):
            return None
        raise RecordingError(f"line {number}: {error}, in {text[:120]!r}") from None


def _read(number: int, said: _Line) -> Read:
    at_us = _us(number, "at", said.at)
    match said:
        case _Weight():
            return WeightSample(
                at_us=at_us, shelf=said.shelf, cell=said.cell, grams=said.grams, stable=said.stable
            )
        case _Scale():
            return Scale(
                at_us=at_us,
                shelf=said.shelf,
                cells=said.cells,
                serial=said.serial,
                calibration=said.calibration,
            )
        case _WeightFault():
            return WeightFault(at_us=at_us, shelf=said.shelf, cell=said.cell, fault=said.fault)
        case _Trigger():
            return Trigger(at_us=at_us, gate=said.gate, input=said.input, on=said.on)
        case _Antenna():
            return Antenna(at_us=at_us, gate=said.gate, antenna=said.antenna, connected=said.connected)
        case _Lost():
            from_us, to_us = _us(number, "from", said.from_), _us(number, "to", said.to)
            return Lost(at_us=at_us, device=said.device, from_us=from_us, to_us=to_us, reason=said.reason)
        case _:
            return TagRead(
                at_us=at_us, gate=said.gate, antenna=said.antenna, epc=said.epc.upper(), rssi_dbm=said.rssi_dbm,
                tid=said.tid.upper() if said.tid else None, phase_deg=said.phase_deg,
                channel_mhz=said.channel_mhz, count=said.count,
            )  # fmt: skip


def _us(number: int, key: str, at: datetime) -> int:
    if not EPOCH <= at < LATEST:
        raise RecordingError(f"line {number}: {key} {at.isoformat()}; it must be between 1970 and 2200")
    return (at - EPOCH) // MICROSECOND


def _is_of_unknown_type(text: bytes) -> bool:
    try:
        return _KIND.decode(text).type not in (*_KNOWN, "recording")
    except (msgspec.DecodeError, UnicodeDecodeError):
        return False
