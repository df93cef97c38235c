"""The reader itself: what its messages look like, and how they are numbered. No I/O; time is told to it.

Source: messages of FX and FXR readers as their users published them.
"""

import json
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

CHANNELS_MHZ = (865.7, 866.3, 866.9, 867.5)  # the four of EN 302 208's lower band
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Sighting:
    epc: bytes
    antenna: int
    rssi_dbm: int
    channel: int
    at_us: int


@dataclass(frozen=True, slots=True)
class Look:
    """How a reader is set up to tell.

    Attributes:
        report_every_s: 0 is custom mode, a message a read; more is inventory mode, which sums up and sends arrays.
        bare: tells of a tag nothing but its EPC and number.
        utc_offset_h: of the zone it tells times in.
        heartbeat_s: between two heartbeats; 0 is none.
        overhead: of the line that calls its strength `rssi`.
    """

    report_every_s: float = 0.0
    bare: bool = False
    utc_offset_h: float = 0.0
    heartbeat_s: float = 5.0
    overhead: bool = False


class Device:
    """`now_us` is the reader's own clock. `tag` and `manage` take a message as JSON, for their two topics."""

    def __init__(
        self,
        look: Look,
        now_us: Callable[[], int],
        tag: Callable[[bytes], None],
        manage: Callable[[bytes], None],
    ) -> None:
        self.look = look
        self.told: list[Sighting] = []  # each read that became a message, or part of one
        self.number = 0  # the last event's
        self._beats = 0
        self._now_us = now_us
        self._tag = tag
        self._manage = manage
        self._gathered: dict[tuple[bytes, int], list[Sighting]] = {}
        self._report_us: int | None = None
        self._beat_us: int | None = None

    def sighted(self, epc: bytes, antenna: int, rssi_dbm: int, channel: int, at_us: int) -> None:
        """The radio has read a tag."""
        seen = Sighting(epc, antenna, rssi_dbm, channel, at_us)
        self.told.append(seen)
        if not self.look.report_every_s:
            self._tag(_json(self._message([seen], at_us, "CUSTOM")))
            return
        self._gathered.setdefault((epc, antenna), []).append(seen)

    def tick(self) -> None:
        """Time has passed: send reports and heartbeats that are due."""
        now_us = self._now_us()
        if self._report_us is None or now_us - self._report_us >= self.look.report_every_s * 1e6:
            self._report_us = now_us
            if self._gathered:
                reports = [self._message(seen, now_us, "INVENTORY") for seen in self._gathered.values()]
                self._gathered.clear()
                self._tag(_json(reports))
        if self.look.heartbeat_s and (
            self._beat_us is None or now_us - self._beat_us >= self.look.heartbeat_s * 1e6
        ):
            self._beat_us = now_us
            self._beats += 1
            beat = {"component": "RG", "data": {"radio_control": {}}, "eventNum": self._beats}
            self._manage(_json(beat | {"timestamp": self._time(now_us), "type": "heartbeat"}))

    def input(self, pin: int, *, on: bool) -> None:
        self._manage(_json({"type": "GPI", "pin": pin, "state": "HIGH" if on else "LOW"}))

    def swallow(self, number: int) -> None:
        """Count so many events that are never sent: a reader whose own buffer was full. Assumed."""
        self.number += number

    def restart(self) -> None:
        """Switched off and on: it counts from the beginning."""
        self.number = self._beats = 0
        self._gathered.clear()

    def _message(self, seen: list[Sighting], at_us: int, kind: str) -> dict[str, Any]:
        self.number += 1
        last = seen[-1]
        data: dict[str, Any] = {"eventNum": self.number, "format": "epc", "idHex": last.epc.hex()}
        if not self.look.bare:
            data |= {
                "CRC": "518e",
                "PC": f"{len(last.epc) // 2 << 11:04x}",
                "antenna": last.antenna,
                "channel": CHANNELS_MHZ[(last.channel - 1) % len(CHANNELS_MHZ)],
                "rssi" if self.look.overhead else "peakRssi": max(each.rssi_dbm for each in seen),
                "phase": at_us // 7 % 36_000 / 100 - 180,
                "reads": len(seen),
            }
        return {"data": data, "timestamp": self._time(at_us), "type": kind}

    def _time(self, at_us: int) -> str:
        """Milliseconds, and an offset without a colon."""
        zone = timezone(timedelta(hours=self.look.utc_offset_h))
        at = (EPOCH + timedelta(microseconds=at_us)).astimezone(zone)
        return at.strftime("%Y-%m-%dT%H:%M:%S.") + f"{at.microsecond // 1000:03d}" + at.strftime("%z")


def _json(message: object) -> bytes:
    return json.dumps(message, separators=(",", ":")).encode()
