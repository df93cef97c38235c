"""Impinj's IoT device interface: JSON events, from MQTT, a webhook or the HTTP data stream. No I/O and no clock.

Source: events of R700 readers as published by their users, see tests/captures/impinj_iot. On MQTT a payload is one
event or an array of them; on the HTTP stream each line is one, and an empty line keeps the connection alive.
"""

import base64
import binascii
from collections.abc import Iterator

from edge.errors import ProtocolError
from edge.readers.said import (
    MOST_WORDS,
    Garbled,
    Input,
    Object,
    Said,
    Seen,
    State,
    degrees,
    hexadecimal,
    microseconds,
    number,
    objects,
    text,
    whole,
)

# An event with every field on is under 1 kB. A line longer than this is no event stream.
MAX_LINE = 64 * 1024

_TRANSITIONS = {"high-to-low": False, "low-to-high": True}
_URL_SAFE = str.maketrans("-_", "+/")
# A field that counts the reads of an aggregated report: no capture shows which of these it is called. Assumed.
_COUNTS = ("tagReportCount", "count", "reads")


class Lines:
    """Cuts the HTTP data stream into payloads; what keeps the connection alive is passed over."""

    def __init__(self) -> None:
        self._buffer = bytearray()

    def receive(self, data: bytes) -> None:
        """Take bytes as they came, in any pieces."""
        self._buffer += data

    def lines(self) -> Iterator[bytes]:
        """Yield each line now complete, without its end.

        Raises:
            ProtocolError: there is no line end where one should be.
        """
        while (end := self._buffer.find(b"\n", 0, MAX_LINE + 1)) >= 0:
            line = bytes(self._buffer[:end]).strip()
            del self._buffer[: end + 1]
            if line:
                yield line
        if len(self._buffer) > MAX_LINE:
            raise ProtocolError(
                f"no line end in {len(self._buffer)} bytes beginning {bytes(self._buffer[:20])!r}"
            )


def parse(payload: bytes) -> list[Said]:
    """Everything that one payload says.

    Raises:
        ProtocolError: it is not JSON.
    """
    return [_event(value) for value in objects(payload)]


def _event(value: object) -> Said:
    if not isinstance(value, dict):
        return Garbled(f"no event: {str(value)[:40]!r}")
    reader, stamp = text(value.get("hostname")), text(value.get("timestamp"))
    stamp_us = microseconds(stamp)
    if isinstance(tag := value.get("tagInventoryEvent"), dict):
        return _tag(tag, reader, stamp, stamp_us)
    if isinstance(gpi := value.get("gpiTransitionEvent"), dict):
        return _input(gpi, reader, stamp, stamp_us)
    if isinstance(status := value.get("inventoryStatusEvent"), dict):
        said = text(status.get("inventoryStatus"))
        running = {"running": True, "idle": False}.get(said)
        return State(reader=reader, stamp_us=stamp_us, running=running, words=f"inventory is {said or '?'}")
    if kind := text(value.get("eventType")):
        return State(reader=reader, stamp_us=stamp_us, words=_words(kind, value))
    return Garbled(f"no event: keys {', '.join(sorted(map(str, value)))[:60]!r}")


def _words(kind: str, value: Object) -> str:
    """Of an event that is not used by itself: its kind and what plain values are in it."""
    body = value.get(f"{kind}Event")
    told = body if isinstance(body, dict) else {}
    plain = [
        f"{key} {each}"
        for key, each in told.items()
        if isinstance(each, str | int | float) and text(str(key)) and text(str(each))
    ]
    return f"{kind}: {', '.join(plain)}"[:MOST_WORDS] if plain else kind


def _tag(tag: Object, reader: str, stamp: str, stamp_us: int | None) -> Said:
    if (epc := _bytes(tag, "epc")) is None:
        return Garbled(f"a tag without an EPC: {tag.get('epcHex', tag.get('epc'))!r:.60}")
    rssi, khz = number(tag.get("peakRssiCdbm"), -20_000, 5_000), number(tag.get("frequency"), 1, 1e7)
    counts = (count for key in _COUNTS if (count := whole(tag.get(key), 1, 1_000_000)) is not None)
    return Seen(
        reader=reader,
        stamp=stamp,
        stamp_us=stamp_us,
        seen_us=microseconds(tag.get("lastSeenTime")),
        epc=epc,
        antenna=whole(tag.get("antennaPort"), 0, 65_535) or 0,
        rssi_dbm=None if rssi is None else rssi / 100,
        tid=_bytes(tag, "tid"),
        phase_deg=degrees(tag.get("phaseAngle")),
        channel_mhz=None if khz is None else khz / 1000,
        count=next(counts, 1),
    )


def _input(gpi: Object, reader: str, stamp: str, stamp_us: int | None) -> Said:
    port, on = whole(gpi.get("gpi"), 0, 65_535), _TRANSITIONS.get(text(gpi.get("transition")))
    if port is None or on is None:
        return Garbled(f"no change of an input: {dict(gpi)!r:.60}")
    return Input(reader=reader, stamp=stamp, stamp_us=stamp_us, input=port, on=on)


def _bytes(tag: Object, key: str) -> str | None:
    """`epcHex` where it is switched on, else `epc`, which is base64 in either alphabet, with its padding or without."""
    if (told := hexadecimal(tag.get(f"{key}Hex"))) is not None:
        return told
    coded = tag.get(key)
    if not isinstance(coded, str) or not 2 <= len(coded) <= 84:  # 62 bytes, the longest EPC there can be
        return None
    plain = coded.rstrip("=").translate(_URL_SAFE)
    try:
        return base64.b64decode(plain + "=" * (-len(plain) % 4), validate=True).hex().upper() or None
    except (binascii.Error, ValueError):
        return None
