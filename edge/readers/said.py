"""What a device that publishes says, whatever its make: the common tongue of the drivers that take JSON. Pure.

Each driver's protocol turns payloads into these; `published.py` turns these into reads. Beside them the few careful
steps that all of them need, for a payload may hold anything: each gives None for what is not there or not sane.
"""

import re
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec

from edge.errors import ProtocolError

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)
# Gen2's PC word counts at most 31 words of EPC (GS1 EPC Gen2 2.1, 6.3.2.1.2.2); a TID read is no longer in practice.
MOST_HEX = 4 * 31
_HEX = re.compile(r"(?:[0-9A-Fa-f]{2}){1,62}", re.ASCII)
MOST_WORDS = 200  # of a device's own words in a log line

Object = Mapping[str, Any]


class Seen(msgspec.Struct, frozen=True, gc=False, kw_only=True):
    """One tag, seen once, or `count` times since it was last told of.

    Attributes:
        reader: the name the device gives itself; empty when it does not.
        stamp: the event's time as written, which tells one event from another; empty when there is none.
        stamp_us: the event's time, by the device's clock.
        seen_us: when the tag was last seen, by the device's clock, where that is told beside the event's time.
        antenna: 0 when it is not told.
        number: the device's own number of this event, counting up.
    """

    reader: str
    stamp: str
    stamp_us: int | None
    epc: str
    antenna: int
    seen_us: int | None = None
    rssi_dbm: float | None = None
    tid: str | None = None
    phase_deg: float | None = None
    channel_mhz: float | None = None
    count: int = 1
    number: int | None = None


class Input(msgspec.Struct, frozen=True, gc=False, kw_only=True):
    """An input changed."""

    reader: str
    stamp: str
    stamp_us: int | None
    input: int
    on: bool


class State(msgspec.Struct, frozen=True, gc=False, kw_only=True):
    """The device is alive, and says something of itself.

    Attributes:
        running: whether it inventories; None when this does not say so.
        beat: this comes at regular intervals, so its absence means something.
        words: fit for a log; empty when there is nothing worth one.
    """

    reader: str
    stamp_us: int | None
    running: bool | None = None
    beat: bool = False
    words: str = ""


class Garbled(msgspec.Struct, frozen=True, gc=False):
    """A part of a payload that is not understood; `words` say which."""

    words: str


Said = Seen | Input | State | Garbled


def objects(payload: bytes) -> list[Any]:
    """The JSON values of a payload: an array's elements, or the one that it is. None for an empty one.

    Raises:
        ProtocolError: it is not JSON.
    """
    if not payload.strip():
        return []
    try:
        value = msgspec.json.decode(payload)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise ProtocolError(f"not JSON ({error}): {payload[:60]!r}") from None
    return value if isinstance(value, list) else [value]


def text(value: object, most: int = 100) -> str:
    """A short printable string; empty for anything else."""
    if not isinstance(value, str) or len(value) > most or not value.isprintable():
        return ""
    return value


def whole(value: object, least: int, most: int) -> int | None:
    """A whole number in these bounds; a float that is one is taken too."""
    if isinstance(value, bool) or not isinstance(value, int | float) or not least <= value <= most:
        return None
    return int(value) if value == int(value) else None


def number(value: object, least: float, most: float) -> float | None:
    if isinstance(value, bool) or not isinstance(value, int | float) or not least <= value <= most:
        return None
    return float(value)


def hexadecimal(value: object) -> str | None:
    """Whole bytes in hexadecimal digits, upper case, no longer than an EPC can be."""
    return value.upper() if isinstance(value, str) and _HEX.fullmatch(value) else None


def microseconds(value: object) -> int | None:
    """An ISO 8601 time as microseconds since 1970: with nanoseconds, and offsets with a colon or without.

    A time without an offset is taken for UTC.
    """
    if not isinstance(value, str) or not 19 <= len(value) <= 40:
        return None
    try:
        at = datetime.fromisoformat(value)
        return ((at if at.tzinfo else at.replace(tzinfo=UTC)) - _EPOCH) // _MICROSECOND
    except (ValueError, OverflowError):
        return None


def degrees(value: object) -> float | None:
    """A phase angle, told from -180 to 180 or from 0 to 360, as 0 up to 360."""
    told = number(value, -360.0, 360.0)
    return None if told is None else told % 360.0 % 360.0  # twice: a tiny negative one rounds up to 360
