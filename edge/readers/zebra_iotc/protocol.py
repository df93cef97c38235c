"""Zebra's IoT Connector: JSON from its data and management interfaces. No I/O and no clock.

Source: messages of FX and FXR readers as published by their users, see tests/captures/zebra_iotc. A payload is one
message or an array of them. Of a tag only `idHex` is certain: what else is told depends on the reader's `tagMetaData`.
"""

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

_LEVELS = {"HIGH": True, "LOW": False}
_MOST_NUMBER = 2**63  # eventNum counts up from the reader's start


def parse(payload: bytes) -> list[Said]:
    """Everything that one payload says.

    Raises:
        ProtocolError: it is not JSON.
    """
    return [_message(value) for value in objects(payload)]


def _message(value: object) -> Said:
    if not isinstance(value, dict):
        return Garbled(f"no message: {str(value)[:40]!r}")
    inner = value.get("data")
    data = inner if isinstance(inner, dict) else {}
    # Told where tagMetaData has HOSTNAME; no capture shows it. Assumed.
    reader = text(data.get("hostName")) or text(value.get("hostName"))
    stamp = text(value.get("timestamp")) or text(data.get("timestamp"))
    stamp_us = microseconds(stamp)
    if "idHex" in data:
        return _tag(data, reader, stamp, stamp_us)
    kind = text(value.get("type"))
    if kind.upper() == "GPI":
        return _input(value if "pin" in value else data, reader, stamp, stamp_us)
    if kind.lower() == "heartbeat":
        return State(reader=reader, stamp_us=stamp_us, beat=True)
    if kind:
        said = text(data.get("message")) or text(data.get("description")) or text(value.get("component"))
        return State(reader=reader, stamp_us=stamp_us, words=f"{kind}: {said}"[:MOST_WORDS] if said else kind)
    return Garbled(f"no message: keys {', '.join(sorted(map(str, value)))[:60]!r}")


def _tag(data: Object, reader: str, stamp: str, stamp_us: int | None) -> Said:
    if (epc := hexadecimal(data["idHex"])) is None:
        return Garbled(f"a tag without an EPC: {data['idHex']!r:.60}")
    rssi = number(data.get("peakRssi"), -200, 50)
    return Seen(
        reader=reader,
        stamp=stamp,
        stamp_us=stamp_us,
        epc=epc,
        antenna=whole(data.get("antenna"), 0, 65_535) or 0,
        # The overhead readers of the ATR line say `rssi`.
        rssi_dbm=number(data.get("rssi"), -200, 50) if rssi is None else rssi,
        tid=hexadecimal(data.get("TID")),
        phase_deg=degrees(data.get("phase")),
        channel_mhz=number(data.get("channel"), 1, 10_000),
        count=whole(data.get("reads"), 1, 1_000_000) or 1,
        number=whole(data.get("eventNum"), 0, _MOST_NUMBER),
    )


def _input(data: Object, reader: str, stamp: str, stamp_us: int | None) -> Said:
    pin, on = whole(data.get("pin"), 0, 65_535), _LEVELS.get(text(data.get("state")).upper())
    if pin is None or on is None:
        return Garbled(f"no change of an input: {dict(data)!r:.60}")
    return Input(reader=reader, stamp=stamp, stamp_us=stamp_us, input=pin, on=on)
