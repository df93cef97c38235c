"""Cells that do not weigh: a device says so, sends nothing, or shows one and the same weight again and again.

A bay rests on all of its cells. Where one of them does not weigh, what the others show is no weight of the bay: nothing
is counted until all of them weigh again, and what changed meanwhile is held against the last rest.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from edge.aggregator.bay import BayWatch
from edge.aggregator.channels import GAP_PERIODS, WINDOW_MS, Bools, Channels, Floats, Ints, Rows
from edge.aggregator.moments import Stamp
from edge.aggregator.said import blind
from wire.events import Event

BLIND_MS = 3_000  # a foot on the shelf overloads a cell for a moment, and nobody need look
OFFLINE_MS = 10_000  # a gap so long leaves it open when things happened …
OFFLINE_PERIODS = 5  # … for devices that weigh often
# A cell that was never heard while others of its shelf were: scales on batteries publish once a minute.
NEVER_HEARD_MS = 120_000
STANDS_MS = 1_500  # drivers say a fault that lasts once a second: until then, what else comes of the cell is no weight
NOT_A_NUMBER = "not_a_number"  # a line that was garbled: the next one may be good
LOOK_MS = 1_000  # faults are looked for so often
FROZEN_FLICKER = 0.7  # a cell whose values are seldom the same …
STUCK = 100  # … shows no weight when so many are
LONG_AGO_MS = -(10**15)


@dataclass(slots=True)
class _Fault:
    words: str
    since_ms: int
    since_us: int
    said: bool = False


class Blindness:
    """Of all cells of a site, by channel. `stirred`, by bay, is set where one is to settle anew."""

    def __init__(
        self, bays: Sequence[BayWatch], rows: Sequence[slice], channels: Channels, stirred: Bools
    ) -> None:
        self._bays, self._rows, self._channels, self._stirred = bays, rows, channels, stirred
        self._starts: Ints = np.array([row.start for row in rows], np.int64)
        self._of_bay: Ints = np.repeat(np.arange(len(rows)), [row.stop - row.start for row in rows])
        names = [bay.shelf for bay in bays]
        first = [n for n, name in enumerate(names) if n == 0 or name != names[n - 1]]
        self._shelves = [names[n] for n in first]
        self._shelf_starts = self._starts[first]
        self._shelf_sizes = np.diff(np.append(self._shelf_starts, channels.count))
        self._faults: dict[int, _Fault] = {}
        self._told_ms: Ints = np.full(
            channels.count, LONG_AGO_MS, np.int64
        )  # last told of a fault that stands
        self._told_last_ms = LONG_AGO_MS
        self._looked_ms = 0
        self._from_ms: Ints = np.zeros(len(first), np.int64)  # silence of a shelf's cells counts from here on

    # Which cells weigh

    def weigh(self, now_ms: int, active: Ints) -> Bools:
        """The bays of which something has come now, and all cells weigh. `active`: the channels that have come."""
        channels, count = self._channels, self._channels.count
        stands = now_ms - self._told_last_ms < STANDS_MS
        if len(active) == count and not stands:
            return np.ones(len(self._rows), np.bool_)
        here = np.zeros(count, np.bool_)
        here[active] = True
        since_ms = np.maximum.reduceat(channels.since_ms, self._starts)
        weigh = self._heard(now_ms, slice(None)) & (channels.at_ms >= since_ms[self._of_bay])
        if stands:
            weigh &= now_ms - self._told_ms >= STANDS_MS
        found: Bools = np.logical_and.reduceat(weigh, self._starts)
        return found & np.logical_or.reduceat(here, self._starts)

    def _heard(self, now_ms: int, rows: Rows) -> Bools:
        """The channels that have come lately, each by its own pace: in turn, and some more often than others."""
        channels = self._channels
        patience: Floats = np.maximum(WINDOW_MS, GAP_PERIODS * channels.period_ms[rows])
        found: Bools = now_ms - channels.at_ms[rows] <= patience
        return found

    def whole(self, bay: int) -> bool:
        """Whether no cell of a bay was missing when one of them was heard last, or has not shown its rest yet."""
        channels, row = self._channels, self._rows[bay]
        at_ms = channels.at_ms[row]
        now_ms = int(at_ms.max())
        weigh = self._heard(now_ms, row) & (at_ms >= channels.since_ms[row].max())
        return bool((weigh & (now_ms - self._told_ms[row] >= STANDS_MS)).all())

    # Which do not

    def fault(self, channel: int, fault: str, at_ms: int, at_us: int, stamp: Stamp) -> list[Event]:
        """A device tells that a cell cannot weigh at this time."""
        if fault != NOT_A_NUMBER:
            self._told_ms[channel] = self._told_last_ms = at_ms
            self._stirred[self._of_bay[channel]] = True
        found = self._faults.setdefault(channel, _Fault(f"cell {self._cell(channel)}: {fault}", at_ms, at_us))
        return self._say(channel, at_ms, at_us, stamp) if at_ms - found.since_ms >= BLIND_MS else []

    def look(self, now_ms: int, stamp: Stamp) -> list[Event]:
        """Look, now and then, for cells that show one weight for ever, or none though their shelf weighs."""
        if now_ms - self._looked_ms < LOOK_MS:
            return []
        channels = self._channels
        silent = self._silent(now_ms)
        stuck = (channels.same >= STUCK) & (channels.flicker > FROZEN_FLICKER)
        self._looked_ms = now_ms
        self._forget(now_ms, silent | stuck)
        events: list[Event] = []
        for channel in np.flatnonzero(silent | stuck).tolist():
            now_us, at_ms = now_ms * 1000 + self._offset_us(channel), now_ms
            words = f"cell {self._cell(channel)} shows one and the same weight"
            if silent[channel]:
                never = channels.seen[channel] == 0
                words = f"cell {self._cell(channel)} " + ("was not heard at all" if never else "is silent")
                at_ms = int(max(channels.at_ms[channel], self._from_of(channel)))
            self._stirred[self._of_bay[channel]] = True
            fault = self._faults.setdefault(channel, _Fault(words, at_ms, now_us - 1000 * (now_ms - at_ms)))
            if now_ms - fault.since_ms >= BLIND_MS:
                events += self._say(channel, now_ms, now_us, stamp)
        return events

    def _silent(self, now_ms: int) -> Bools:
        """The channels that have been silent for long, beside others of their shelf that have not."""
        channels = self._channels
        known_ms = np.maximum(OFFLINE_MS, OFFLINE_PERIODS * channels.period_ms)
        long_ms = np.where(channels.seen > 0, known_ms, NEVER_HEARD_MS)
        gone = now_ms - channels.at_ms > long_ms
        asleep = np.logical_and.reduceat(gone, self._shelf_starts)
        # What was away as a whole comes back cell by cell.
        asleep |= (self._from_ms == 0) | (now_ms - self._looked_ms > OFFLINE_MS)
        self._from_ms[asleep] = now_ms
        silent: Bools = gone & (now_ms - np.repeat(self._from_ms, self._shelf_sizes) > long_ms)
        return silent

    def _forget(self, now_ms: int, wrong: Bools) -> None:
        """What was not said, and is no more so."""
        channels = self._channels
        for channel in [channel for channel, fault in self._faults.items() if not fault.said]:
            weighs = channels.rest[channel] and self._heard(now_ms, slice(channel, channel + 1)).all()
            if weighs and not wrong[channel] and now_ms - self._told_ms[channel] >= STANDS_MS:
                del self._faults[channel]

    def _say(self, channel: int, at_ms: int, at_us: int, stamp: Stamp) -> list[Event]:
        fault = self._faults[channel]
        if fault.said:
            return []
        number = int(self._of_bay[channel])
        fault.said = self._stirred[number] = True
        bay = self._bays[number]
        bay.interrupted()
        bay.conditions.blind = _words(self._said(number))
        return bay.state(at_ms, at_us, stamp)

    def over(self, bay: int, at_ms: int, at_us: int, stamp: Stamp) -> list[Event]:
        """All cells of a bay weigh, and have come to rest."""
        if not self._faults:
            return []
        said = list(self._said(bay))
        for channel in range(self._rows[bay].start, self._rows[bay].stop):
            self._faults.pop(channel, None)
        if not said:
            return []
        watch = self._bays[bay]
        watch.conditions.blind = ""
        since_us = min(fault.since_us for fault in said)
        words = f"bay {watch.bay.name}: {_words(said)}"
        return [blind(watch.shelf, since_us, at_us, words, at_ms, stamp)]

    def down(self, shelf: str) -> None:
        """Its device is gone, which is another thing than a cell that is silent."""
        self._from_ms[self._shelves.index(shelf)] = 0

    def _said(self, bay: int) -> Iterator[_Fault]:
        for channel in range(self._rows[bay].start, self._rows[bay].stop):
            if (fault := self._faults.get(channel)) and fault.said:
                yield fault

    def _cell(self, channel: int) -> int:
        number = int(self._of_bay[channel])
        cell: int = self._bays[number].bay.cells[channel - self._rows[number].start]
        return cell

    def _from_of(self, channel: int) -> int:
        return int(self._from_ms[np.searchsorted(self._shelf_starts, channel, side="right") - 1])

    def _offset_us(self, channel: int) -> int:
        """Of its shelf, as a cell that was never heard has none."""
        place = int(np.searchsorted(self._shelf_starts, channel, side="right")) - 1
        start = int(self._shelf_starts[place])
        return int(self._channels.offset_us[start : start + int(self._shelf_sizes[place])].max())


def _words(faults: Iterator[_Fault] | Sequence[_Fault]) -> str:
    return "; ".join(fault.words for fault in faults)
