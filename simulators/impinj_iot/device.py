"""The reader itself: what its events look like, whatever carries them. No I/O; time is told to it.

Source: events of R700 readers as their users published them. What an aggregated report calls its count is assumed.
"""

import base64
import json
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any, Literal

Form = Literal["hex", "base64", "url-safe"]
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
CHANNELS_KHZ = (865_700, 866_300, 866_900, 867_500)  # the four of EN 302 208's lower band


@dataclass(frozen=True, slots=True)
class Sighting:
    epc: bytes
    antenna: int
    rssi_dbm: int
    channel: int
    at_us: int


@dataclass(slots=True)
class Look:
    """How a reader is set up to tell.

    Attributes:
        form: of the EPC.
        report_every_s: 0 tells each read; more sums up, a tag and antenna at a time.
    """

    hostname: str
    form: Form = "hex"
    report_every_s: float = 0.0


class Device:
    """`now_us` is the reader's own clock, right or wrong; `tell` takes one event as JSON."""

    def __init__(self, look: Look, now_us: Callable[[], int], tell: Callable[[bytes], None]) -> None:
        self.look = look
        self.inventorying = True
        self.told: list[Sighting] = []  # each read that became an event, or part of one
        self._now_us = now_us
        self._tell = tell
        self._gathered: dict[tuple[bytes, int], tuple[Sighting, int]] = {}
        self._since_us: int | None = None

    def sighted(self, epc: bytes, antenna: int, rssi_dbm: int, channel: int, at_us: int) -> None:
        """The radio has read a tag."""
        if not self.inventorying:
            return
        seen = Sighting(epc, antenna, rssi_dbm, channel, at_us)
        self.told.append(seen)
        if not self.look.report_every_s:
            self._tell(self._event("tagInventory", self._tag(seen, 1), at_us))
            return
        before, count = self._gathered.get((epc, antenna), (seen, 0))
        best = max(before.rssi_dbm, rssi_dbm)
        self._gathered[epc, antenna] = replace(seen, rssi_dbm=best), count + 1
        if self._since_us is None:
            self._since_us = at_us

    def tick(self) -> None:
        """Time has passed: tell what was gathered, once its time has come."""
        now_us = self._now_us()
        if self._since_us is None or now_us - self._since_us < self.look.report_every_s * 1e6:
            return
        for seen, count in self._gathered.values():
            self._tell(self._event("tagInventory", self._tag(seen, count), now_us))
        self._gathered.clear()
        self._since_us = None

    def input(self, port: int, *, on: bool) -> None:
        change = "low-to-high" if on else "high-to-low"
        self._tell(self._event("gpiTransition", {"gpi": port, "transition": change}, self._now_us()))

    def run_inventory(self, *, on: bool) -> None:
        """Start or stop, and tell so."""
        if on != self.inventorying:
            self.inventorying = on
            status = {"inventoryStatus": "running" if on else "idle"}
            self._tell(self._event("inventoryStatus", status, self._now_us()))

    def _tag(self, seen: Sighting, count: int) -> dict[str, Any]:
        body: dict[str, Any] = _epc(seen.epc, self.look.form)
        body |= {
            "antennaPort": seen.antenna,
            "antennaName": f"Antenna {seen.antenna}",
            "peakRssiCdbm": 100 * seen.rssi_dbm,
            "frequency": CHANNELS_KHZ[(seen.channel - 1) % len(CHANNELS_KHZ)],
            "transmitPowerCdbm": 3000,
            "lastSeenTime": _time(seen.at_us),
            "phaseAngle": seen.at_us // 7 % 36_000 / 100,
        }
        return body | ({"tagReportCount": count} if count > 1 else {})

    def _event(self, kind: str, body: dict[str, Any], at_us: int) -> bytes:
        event = {
            # Nanoseconds, of which the last three are made up: the clock here counts microseconds.
            "timestamp": _time(at_us)[:-1] + f"{at_us % 1000:03d}Z",
            "hostname": self.look.hostname,
            "eventType": kind,
            f"{kind}Event": body,
        }
        return json.dumps(event, separators=(",", ":")).encode()


def _epc(epc: bytes, form: Form) -> dict[str, Any]:
    if form == "hex":
        return {"epc": base64.b64encode(epc).decode(), "epcHex": epc.hex().upper()}
    encode = base64.b64encode if form == "base64" else base64.urlsafe_b64encode
    return {"epc": encode(epc).decode()}


def _time(at_us: int) -> str:
    return (EPOCH + timedelta(microseconds=at_us)).isoformat(timespec="microseconds").replace("+00:00", "Z")
