"""Cells that do not weigh: a device says so, sends nothing, or shows one and the same weight again and again."""

from dataclasses import dataclass

from edge.aggregator.bay import BayWatch
from edge.aggregator.moments import Stamp
from edge.aggregator.said import blind
from wire.events import Event

BLIND_MS = 3_000  # a foot on the shelf overloads a cell for a moment, and nobody need look


@dataclass(slots=True)
class _Fault:
    words: str
    since_ms: int
    since_us: int
    said: bool = False


class Blindness:
    """Of all bays of a site, by number."""

    def __init__(self, bays: list[BayWatch]) -> None:
        self._bays = bays
        self._faults: dict[int, _Fault] = {}

    def __contains__(self, bay: int) -> bool:
        return bay in self._faults

    def fault(self, bay: int, words: str, at_ms: int, at_us: int, stamp: Stamp) -> list[Event]:
        """A cell of a bay does not weigh at this time."""
        fault = self._faults.setdefault(bay, _Fault(words, at_ms, at_us))
        watch = self._bays[bay]
        if fault.said or at_ms - fault.since_ms < BLIND_MS:
            return []
        fault.said = True
        watch.conditions.blind = fault.words
        return watch.state(at_ms, at_us, stamp)

    def over(self, bay: int, at_ms: int, at_us: int, stamp: Stamp) -> list[Event]:
        """It weighs, and has come to rest."""
        fault = self._faults.pop(bay, None)
        if fault is None or not fault.said:
            return []
        watch = self._bays[bay]
        watch.conditions.blind = ""
        words = f"bay {watch.bay.name}: {fault.words}"
        return [blind(watch.shelf, fault.since_us, at_us, words, at_ms, stamp)]
