"""The events that the agent says of itself, stamped as every event is."""

from collections.abc import Mapping
from datetime import datetime
from typing import TypedDict

from edge.clock import Clock, moment
from edge.store.held import Range
from edge.store.store import Started
from wire.events import Blind, DeviceDown, DeviceUp, Missing, RunStarted, Watermark
from wire.events import Clock as Wall


class Stamp(TypedDict):
    at: datetime
    clock: Wall
    boot: str
    mono_ms: int


class Stamps:
    """`wall` says whether the wall clock is synchronised; whoever knows sets it."""

    def __init__(self, clock: Clock, boot: str) -> None:
        self.wall = Wall.NOT_SYNCED
        self.boot = boot
        self._clock = clock

    def _now(self) -> Stamp:
        return Stamp(
            at=moment(self._clock.now_us()), clock=self.wall, boot=self.boot, mono_ms=self._clock.now_ms()
        )

    def run_started(self, before: Started, versions: Mapping[str, str], config_hash: str) -> RunStarted:
        return RunStarted(
            **self._now(),
            previous_run=before.previous_run,
            previous_last_seq=before.previous_last_seq,
            versions=dict(versions),
            config_hash=config_hash,
        )

    def device_up(self, device: str, detail: str) -> DeviceUp:
        return DeviceUp(**self._now(), device=device, detail=detail)

    def device_down(self, device: str, reason: str) -> DeviceDown:
        return DeviceDown(**self._now(), device=device, reason=reason)

    def blind(self, device: str, from_us: int, reason: str) -> Blind:
        now = self._now()
        return Blind(**now, device=device, from_at=moment(from_us), to_at=now["at"], reason=reason)

    def missing(self, run: str, span: Range, reason: str) -> Missing:
        return Missing(**self._now(), run=run, from_seq=span[0], to_seq=span[1], reason=reason)

    def watermark(self, complete_to_us: int) -> Watermark:
        return Watermark(**self._now(), complete_to=moment(complete_to_us))
