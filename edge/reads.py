"""What devices yield: one value a raw read. Made tens of thousands of times a second, so msgspec, not pydantic.

`at_us` is microseconds since 1970 in UTC: the moment of the read by the device's clock, corrected to ours, where the
device has one, and the moment of arrival where it has not. A driver's times are those of the clock that it was given,
which in a running agent is the steady one (edge/clock.py); from the journal on they are the wall's.
"""

import msgspec
from msgspec.structs import replace


class TagRead(msgspec.Struct, frozen=True, gc=False, kw_only=True, tag="tag"):
    """One read of one tag by one antenna. `epc` and `tid` are upper-case hexadecimal."""

    at_us: int
    gate: str
    antenna: int
    epc: str
    rssi_dbm: float
    tid: str | None = None
    phase_deg: float | None = None
    channel_mhz: float | None = None
    count: int = 1  # reads that the device itself merged into this one


class WeightSample(msgspec.Struct, frozen=True, gc=False, kw_only=True, tag="weight"):
    """Gross weight on one cell, neither zeroed nor rounded. `stable` is the scale's own opinion, where it has one."""

    at_us: int
    shelf: str
    cell: int
    grams: float
    stable: bool | None = None


class Scale(msgspec.Struct, frozen=True, gc=False, kw_only=True, tag="scale"):
    """Who weighs from now on: said by a driver when it connects, and when it changes; never by one that cannot tell.

    `cells` are those that this is said of, None for all of the shelf's. `serial` names the device or board, and
    `calibration` changes with every calibration (a counter, a date, slope and offset); each "" where it is not known.
    """

    at_us: int
    shelf: str
    cells: tuple[int, ...] | None = None
    serial: str = ""
    calibration: str = ""


class WeightFault(msgspec.Struct, frozen=True, gc=False, kw_only=True, tag="weight_fault"):
    """A cell cannot weigh now.

    `fault` is "overload", "underload", "saturated", "not_a_number", or "device_error: " and what the device says.
    """

    at_us: int
    shelf: str
    cell: int
    fault: str


class Trigger(msgspec.Struct, frozen=True, gc=False, kw_only=True, tag="trigger"):
    """An input of a gate changed: a photo-eye or a button."""

    at_us: int
    gate: str
    input: int
    on: bool


class Antenna(msgspec.Struct, frozen=True, gc=False, kw_only=True, tag="antenna"):
    """The reader noticed that an antenna was disconnected, or connected again."""

    at_us: int
    gate: str
    antenna: int
    connected: bool


class Lost(msgspec.Struct, frozen=True, gc=False, kw_only=True, tag="lost"):
    """What a device saw between two times will never come: its buffer overflowed, or numbered reports are missing."""

    at_us: int
    device: str  # the gate or shelf
    from_us: int
    to_us: int
    reason: str


GateRead = TagRead | Trigger | Antenna | Lost  # what is journalled; a shelf's `Lost` too
# Not journalled: a shelf compares what it weighs next with what it knew, and a driver says again who weighs.
ShelfRead = WeightSample | Scale | WeightFault
Read = GateRead | ShelfRead
TimedRead = tuple[
    int, Read
]  # the agent's steady clock at a read, in milliseconds, and the read on the wall's


def device_of(read: Read) -> str:
    """The gate or shelf that a read is of."""
    match read:
        case WeightSample() | Scale() | WeightFault():
            return read.shelf
        case Lost():
            return read.device
        case _:
            return read.gate


def later(read: Read, us: int) -> Read:
    """The same, at a time so much later."""
    if us == 0:
        return read
    if isinstance(read, Lost):
        return replace(read, at_us=read.at_us + us, from_us=read.from_us + us, to_us=read.to_us + us)
    return replace(read, at_us=read.at_us + us)
