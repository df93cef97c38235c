"""MQTT topics: built and parsed here and nowhere else.

| topic                         | direction | QoS | retained |
|-------------------------------|-----------|-----|----------|
| stockbeat/v1/<edge>/events    | up        | 1   | no       |
| stockbeat/v1/<edge>/telemetry | up        | 0   | no       |
| stockbeat/v1/<edge>/status    | up        | 1   | yes      |
| stockbeat/v1/<edge>/ack       | down      | 1   | no       |
| stockbeat/v1/<edge>/command   | down      | 1   | no       |
| stockbeat/v1/<edge>/reply     | up        | 1   | no       |
"""

import re
from enum import StrEnum

ROOT = "stockbeat/v1"


class Kind(StrEnum):
    EVENTS = "events"
    TELEMETRY = "telemetry"
    STATUS = "status"
    ACK = "ack"
    COMMAND = "command"
    REPLY = "reply"


_TOPIC = re.compile(rf"{ROOT}/([a-z0-9-]{{1,40}})/({'|'.join(Kind)})")


def topic(edge: str, kind: Kind) -> str:
    return f"{ROOT}/{edge}/{kind}"


def every_edge(kind: Kind) -> str:
    """The subscription to one kind of message from all edges."""
    return f"{ROOT}/+/{kind}"


def parse(text: str) -> tuple[str, Kind] | None:
    """The edge and kind a topic names; None when it is not one of ours."""
    match = _TOPIC.fullmatch(text)
    return (match[1], Kind(match[2])) if match else None
