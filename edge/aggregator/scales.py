"""All cells of a site: samples in, changes out. Columns are folded once a block; bays are asked when they changed.

Only samples move time here, and what was waited for is decided at the time that it is due, so that nothing depends on
how often `advance` is called.
"""

from collections.abc import Iterator, Sequence
from functools import partial
from math import sqrt

import numpy as np

from edge.aggregator.accuracy import dead
from edge.aggregator.across import belong
from edge.aggregator.bay import BayWatch
from edge.aggregator.blindness import (
    FROZEN_FLICKER,
    NOT_A_NUMBER,
    Blindness,
)
from edge.aggregator.channels import (
    BLOCK_MS,
    CONFIRM_MS,
    LEAST_RANGE_GRAMS,
    LEAST_TICKS,
    Bools,
    Channels,
    Floats,
    Ints,
    medians,
    starts_of,
)
from edge.aggregator.correction import Correction
from edge.aggregator.doubting import gather
from edge.aggregator.goods import Goods
from edge.aggregator.inflow import NEVER, Inflow
from edge.aggregator.levels import levels_of
from edge.aggregator.moments import Stamp
from edge.aggregator.neighbours import DEFER_MS, Neighbours
from edge.aggregator.ordering import carry_out
from edge.aggregator.orders import Assign, Order, OrderError, Serve
from edge.aggregator.place import NOTHING_BESIDE, Rest
from edge.aggregator.shelf import Shelf, ShelfWatch
from edge.aggregator.taken import TakenLately
from edge.reads import Scale, WeightFault, WeightSample
from wire.events import Event
from wire.messages import Level

IDLE_MS = 2_000  # without newer samples, what waits is folded after so long
AHEAD_MS = 60_000  # beyond what is known of the time, a sample's time is wrong
# The anchor follows by half of the difference each second, but never faster than this: drift of a 10 kg cell that warms
# by 10 K in an hour is 0.0014 g/s, and nobody puts down goods that slowly.
FOLLOW_SHARE_S, FOLLOW_GRAMS_S = 0.5, 0.05
DRIFT_SAVE_MS = 60_000  # the anchors' drift is worth saving so often
# When more than this share of a shelf of so many cells moves at once, all of it waits so long.
SHAKEN_SHARE, SHAKEN_CELLS, SHAKEN_MS = 0.5, 3, 1_000
FROZEN = 7  # so many same values of a cell whose values are seldom the same show no rest
THAW_MS = 1_000  # until none of them is in the window any more
ROUNDED = 0.41  # of a division: two weights rounded to it differ by that much from the truth, one sigma
MOST_DIVISION = 20.0  # grams; values that differ by more are loads
STIRRED_MS = 600_000  # a bay that has moved for longer (a fan, a pump) makes nobody wait
LEAST_NOISE = 0.3  # grams, of a difference of two rests
CALM_SHARE = 0.03  # of the lightest unit: means of a trembling scale that are so close count as one
FEW = 32  # samples that are quicker taken one by one


class Scales:
    """All shelves. Times are of the steady clock, in milliseconds."""

    def __init__(self, shelves: Sequence[Shelf]) -> None:
        self.goods = Goods()
        self.taken = TakenLately()
        bays = [(shelf, bay) for shelf in shelves for bay in shelf.bays]
        sizes = [len(bay.cells) for _, bay in bays]
        self._channels = Channels(sum(sizes))
        self._anchors: Floats = np.zeros(sum(sizes))
        self._of_bay: Ints = np.repeat(np.arange(len(bays)), sizes)
        self._starts = starts_of(sizes) if sizes else np.zeros(0, np.int64)
        self._rows = [slice(int(at), int(at) + size) for at, size in zip(self._starts, sizes, strict=True)]
        self.bays = [
            BayWatch(shelf.name, bay, self._anchors[row], partial(self._rested_us, n), self.goods, self.taken)
            for n, ((shelf, bay), row) in enumerate(zip(bays, self._rows, strict=True))
        ]
        self._dead: Floats = np.full(len(bays), 2.0)
        self._stirred: Bools = np.ones(len(bays), np.bool_)
        self._frozen_ms: Ints = np.full(sum(sizes), -NEVER // 2, np.int64)
        self._peak: Floats = np.zeros(len(bays))
        self._rested_ms: Ints = np.zeros(len(bays), np.int64)
        self._cells: dict[tuple[str, int], int] = {}
        self.shelves: dict[str, ShelfWatch] = {}
        self._shelf_of_bay: list[str] = [shelf.name for shelf, _ in bays]
        self._blindness = Blindness(self.bays, self._rows, self._channels, self._stirred)
        self._build(shelves, sizes)
        self._inflow = Inflow(self._channels, self._cells)
        self._next_ms = NEVER  # when something that was waited for is due
        self._saved_ms = 0

    def _build(self, shelves: Sequence[Shelf], sizes: Sequence[int]) -> None:
        self._shelf_of: Ints = np.repeat(np.arange(len(shelves)), [len(shelf.bays) for shelf in shelves])
        measured = [bool(shelf.crosstalk) for shelf in shelves]
        self._neighbours = Neighbours(self._shelf_of, self._starts, sizes, measured)
        at = first = 0
        ends = []
        for shelf in shelves:
            cells = shelf.cells
            self._cells |= {(shelf.name, cell): at + n for n, cell in enumerate(cells)}
            row, bays = slice(at, at + len(cells)), slice(first, first + len(shelf.bays))
            sigma, shares = self._channels.sigma[row], self._neighbours.shares(bays)
            self.shelves[shelf.name] = ShelfWatch(shelf, self.bays[bays], sigma, shares)
            ends.append(at)
            at, first = row.stop, bays.stop
        self._shelf_starts = np.array(ends, np.int64)
        self._shelf_sizes = np.array([len(shelf.cells) for shelf in shelves], np.int64)
        self._held_ms: Ints = np.zeros(len(shelves), np.int64)
        self.rebuild()

    def restored(self) -> None:
        """Go on from what was kept of the shelves: until a cell weighs, it carries what it did."""
        self.rebuild()
        anchored = np.array([bay.anchored for bay in self.bays], np.bool_)[self._of_bay]
        self._channels.level[anchored] = self._anchors[anchored]
        every = np.ones(len(self.bays), np.bool_)
        self._neighbours.stood(np.where(anchored, self._anchors, np.nan), every)

    def rebuild(self) -> None:
        """Take over how the shelves' cells weigh."""
        self._correction = Correction(self.shelves, self._shelf_starts, self._cells, self._channels.count)

    def _rested_us(self, bay: int) -> int | None:
        """When a bay was last at rest since this start, by the wall's clock."""
        at_ms = int(self._rested_ms[bay])
        return at_ms * 1000 + int(self._channels.offset_us[self._rows[bay]].max()) if at_ms else None

    # Samples

    def observe(self, read: WeightSample, at_ms: int, stamp: Stamp) -> list[Event]:
        """Take one sample; one of a cell that is not configured is passed over."""
        until_ms = self._inflow.take(read, at_ms)
        if self._inflow.unsound:
            return self._unsound(stamp)
        return [] if until_ms is None else self._fold_until(until_ms, stamp)

    def _unsound(self, stamp: Stamp) -> list[Event]:
        """Samples that are no weights are dropped; where there is nothing else, the cell does not weigh."""
        events: list[Event] = []
        for at_ms, read in self._inflow.unsound:
            channel = self._cells[read.shelf, read.cell]
            events += self._blindness.fault(channel, NOT_A_NUMBER, at_ms, read.at_us, stamp)
        self._inflow.unsound.clear()
        return events

    def observe_all(self, at_ms: Sequence[int], reads: Sequence[WeightSample], stamp: Stamp) -> list[Event]:
        """As `observe` of each in turn, far cheaper for many."""
        events: list[Event] = []
        if len(reads) < FEW:
            for ms, read in zip(at_ms, reads, strict=True):
                events += self.observe(read, ms, stamp)
            return events
        batch, row = self._inflow.batch(at_ms, reads), 0
        while row < len(reads):
            row, until_ms = self._inflow.take_some(batch, row)
            if self._inflow.unsound:
                events += self._unsound(stamp)
            if until_ms is not None:
                events += self._fold_until(until_ms, stamp)
        return events

    def advance(self, now_ms: int, stamp: Stamp) -> list[Event]:
        self._inflow.clock_ms = now_ms + AHEAD_MS
        events = self._fold_until(now_ms - IDLE_MS, stamp)
        if now_ms - IDLE_MS >= self._next_ms:
            events += self._passed(now_ms - IDLE_MS, stamp)
        return events

    def fault(self, read: WeightFault, at_ms: int, stamp: Stamp) -> list[Event]:
        channel = self._cells.get((read.shelf, read.cell))
        if channel is None:
            return []
        events = self._fold_until(at_ms, stamp)
        return events + self._blindness.fault(channel, read.fault, at_ms, read.at_us, stamp)

    def order(self, order: Order, now_ms: int, at_us: int, stamp: Stamp) -> list[Event]:
        """Raises OrderError."""
        shelf = self.shelves.get(order.shelf)
        if shelf is None:
            there = ", ".join(self.shelves) or "none"
            raise OrderError(f"shelf {order.shelf!r} is not in the configuration; its shelves: {there}")
        events = [*self._fold_until(now_ms, stamp), *self._hurried(order, now_ms, stamp)]
        if carry_out(order, shelf, self._resting, now_ms):
            self.down(order.shelf)
            self.rebuild()
        for number, bay in enumerate(self.bays):
            if bay.shelf == order.shelf:
                self._stirred[number] |= bay.anew
                if (due_ms := bay.due_ms) is not None:
                    self._next_ms = min(self._next_ms, due_ms)
                events += bay.state(now_ms, at_us, stamp)
        return events

    def _hurried(self, order: Order, now_ms: int, stamp: Stamp) -> list[Event]:
        if not isinstance(order, Serve | Assign):
            return []
        return [
            event
            for bay, row in zip(self.bays, self._rows, strict=True)
            if (bay.shelf, bay.bay.name) == (order.shelf, order.bay)
            for event in bay.hurried(now_ms, int(self._channels.offset_us[row].max()), stamp)
        ]

    def _resting(self, bay: BayWatch) -> float | None:
        number = self.bays.index(bay)
        rests = bay.anchored and self._rests(number)
        return float(np.sum(self._channels.level[self._rows[number]])) if rests else None

    def _rests(self, bay: int) -> bool:
        return bool(self._channels.rest[self._rows[bay]].all()) and self._blindness.whole(bay)

    def scale(self, read: Scale, at_ms: int, stamp: Stamp) -> list[Event]:
        watch = self.shelves.get(read.shelf)
        if watch is None:
            return []
        events = self._fold_until(at_ms, stamp)
        return events + watch.scale(read, at_ms, stamp)

    # Blocks

    def _fold_until(self, until_ms: int, stamp: Stamp) -> list[Event]:
        events: list[Event] = []
        for block, columns, moving in self._inflow.complete(until_ms):
            at_ms = block * BLOCK_MS
            if at_ms >= self._next_ms:
                events += self._passed(at_ms, stamp)
            if moving:
                self._channels.moved_ms[moving] = at_ms
            events += self._fold(at_ms, columns, stamp)
        return events

    def _fold(self, at_ms: int, columns: Floats, stamp: Stamp) -> list[Event]:
        channels = self._channels
        channel = columns[:, 0].astype(np.int64)
        channels.offset_us[channel] = columns[:, 2].astype(np.int64)
        active, values = medians(channel, columns[:, 1], channels.count)
        values = self._correction.grams(active, values)
        self._interrupt(at_ms, active)
        channels.fold(at_ms, values, active)
        return self._look(at_ms, active, stamp)

    def _interrupt(self, at_ms: int, active: Ints) -> None:
        long = self._channels.silent(at_ms)[active]
        if long.any():
            for bay in {int(self._of_bay[channel]) for channel in active[long]}:
                self.bays[bay].interrupted()
                self._stirred[bay] = True

    def _look(self, at_ms: int, active: Ints, stamp: Stamp) -> list[Event]:
        channels, starts = self._channels, self._starts
        unsteady = ~channels.together & ~channels.calm & (channels.ticks >= LEAST_TICKS)
        self._hold_shaken(at_ms, unsteady)
        self._stirred |= np.logical_or.reduceat(unsteady, starts)
        self._frozen_ms[(channels.same >= FROZEN) & (channels.flicker > FROZEN_FLICKER)] = at_ms
        frozen = at_ms - self._frozen_ms <= THAW_MS
        at_rest = np.logical_and.reduceat(channels.rest & ~frozen, starts)
        at_rest &= self._blindness.weigh(at_ms, active)
        at_rest &= (self._held_ms <= at_ms)[self._shelf_of]
        off = channels.level - self._anchors
        sums = np.add.reduceat(off, starts)
        changed = self._stirred | (np.abs(sums) >= self._dead)
        quiet = at_rest & ~changed
        self._peak = np.where(quiet, 0.0, np.maximum(self._peak, np.abs(sums)))
        self._follow(at_ms, quiet, off)
        self._rested_ms[quiet] = at_ms
        self._neighbours.stood(channels.level, quiet)
        events: list[Event] = []
        ready = at_rest & changed
        if ready.any():
            ready &= ~self._waits_for_neighbour(at_ms, ready, at_rest, sums)
            events += self._settle_all([int(bay) for bay in np.flatnonzero(ready)], sums, at_ms, stamp)
        events += self._blindness.look(at_ms, stamp)
        if at_ms - self._saved_ms >= DRIFT_SAVE_MS:
            self._saved_ms = at_ms
            for shelf in self.shelves.values():
                shelf.drifted = True
        return events

    def _hold_shaken(self, at_ms: int, unsteady: Bools) -> None:
        shaking = np.add.reduceat(unsteady.astype(np.int64), self._shelf_starts)
        shaken = (shaking > SHAKEN_SHARE * self._shelf_sizes) & (self._shelf_sizes >= SHAKEN_CELLS)
        self._held_ms[shaken] = at_ms + SHAKEN_MS

    def _follow(self, at_ms: int, quiet: Bools, off: Floats) -> None:
        seconds = np.where(quiet, np.clip((at_ms - self._rested_ms) / 1000, 0.0, 1.0), 0.0)[self._of_bay]
        most = FOLLOW_GRAMS_S * seconds
        self._anchors += np.clip(FOLLOW_SHARE_S * seconds * off, -most, most)

    def _waits_for_neighbour(self, at_ms: int, ready: Bools, at_rest: Bools, sums: Floats) -> Bools:
        """Bays beside one that has changed and moves still: it may be one move. After a gap, all of a shelf's are."""
        moving = self._stirred & ~at_rest & (np.abs(sums) >= self._dead)
        if not moving.any():
            return moving
        since_ms = np.maximum.reduceat(self._channels.since_now_ms, self._starts)
        patient = at_ms - since_ms < CONFIRM_MS + DEFER_MS
        back = np.array([bay.offline for bay in self.bays]) & np.isin(self._shelf_of, self._shelf_of[moving])
        waits = self._neighbours.either(moving) & (np.abs(sums) >= self._dead)
        return np.asarray(ready & (waits | back) & patient, np.bool_)

    def _settle_all(self, ready: list[int], sums: Floats, at_ms: int, stamp: Stamp) -> list[Event]:
        """What was taken first, so that it is known where it may have been put."""
        rests = {bay: self._rest(bay, at_ms) for bay in ready}
        events: list[Event] = []
        gather([(self.bays[bay], rest) for bay, rest in rests.items()], self.shelves)
        for bay in ready:
            if bay + 1 in rests and self._neighbours.right[bay] == bay + 1:
                belong(self.bays[bay], rests[bay], self.bays[bay + 1], rests[bay + 1])
        for bay in sorted(ready, key=lambda bay: float(sums[bay])):
            events += self._settle(bay, rests[bay], stamp)
        return events

    def _rest(self, number: int, at_ms: int) -> Rest:
        channels, row = self._channels, self._rows[number]
        trembling = np.where(channels.calm[row], channels.trembling[row], 0.0)
        averaged = channels.sigma[row] ** 2 * 2.0 / np.maximum(1, channels.ticks[row])
        division = channels.division[row]
        rounded = ROUNDED * np.where(division <= MOST_DIVISION, division, 0.0)
        noise = sqrt(float(np.sum(averaged + trembling**2 + rounded**2)))
        rested_ms = int(self._rested_ms[number])
        since_ms = max(int(channels.since_ms[row].max()), rested_ms)
        beside = self._neighbours.beside(number, channels.level)
        begins = self.bays[number].begins
        laden = self._neighbours.laden(number, channels.level) if begins else NOTHING_BESIDE
        return Rest(
            cells=[float(grams) for grams in channels.level[row]], at_ms=at_ms, since_ms=since_ms,
            before_ms=rested_ms or since_ms, offset_us=int(channels.offset_us[row].max()),
            noise=max(LEAST_NOISE, noise),
            peak=float(self._peak[number]), beside=beside, laden=laden,
        )  # fmt: skip

    def _settle(self, number: int, rest: Rest, stamp: Stamp) -> list[Event]:
        bay, row = self.bays[number], self._rows[number]
        self._stirred[number] = False
        before = sum(bay.anchor) if bay.anchored and not bay.offline else None
        events = self._blindness.over(number, rest.at_ms, rest.us(rest.at_ms), stamp)
        events += bay.settled(rest, stamp)
        if bay.stood and before is not None:
            self._neighbours.learn(number, rest.grams - before, rest.beside, rest.noise)
        self._rested_ms[number] = rest.at_ms
        self._peak[number] = 0.0
        self._neighbours.stood(self._channels.level, np.arange(len(self.bays)) == number)
        self._dead[number] = dead(bay.lightest, abs(rest.grams), rest.noise)
        self._channels.slack[row] = max(LEAST_RANGE_GRAMS, CALM_SHARE * bay.lightest)
        if (due_ms := bay.due_ms) is not None:
            self._next_ms = min(self._next_ms, due_ms)
        return events

    def _passed(self, now_ms: int, stamp: Stamp) -> list[Event]:
        """Say what has lasted by `now_ms`, in order of time; what moves again goes on waiting."""
        events: list[Event] = []
        self._next_ms = NEVER
        channels = self._channels
        for number, bay in enumerate(self.bays):
            due_ms = bay.due_ms
            if due_ms is None:
                continue
            row = self._rows[number]
            if due_ms <= now_ms and not self._stirred[number] and self._blindness.whole(number):
                offset_us = int(channels.offset_us[row].max())
                events += bay.passed(now_ms, offset_us, stamp, sum(bay.anchor))
                due_ms = bay.due_ms
            if due_ms is not None:
                self._next_ms = min(self._next_ms, max(due_ms, now_ms + BLOCK_MS))
        return events

    # What is told of it

    def levels(self) -> list[Level]:
        return [
            level
            for number, (bay, row) in enumerate(zip(self.bays, self._rows, strict=True))
            for level in levels_of(bay, self._channels, row, stable=self._rests(number))
        ]

    def undecided_since_us(self) -> Iterator[int]:
        """Of bays where something is provisional, or moves and has not for long: when it began, by the wall's clock."""
        now_ms = self._inflow.folded * BLOCK_MS
        for number, bay in enumerate(self.bays):
            yield from (step.from_us for step in bay.steps)
            rested_ms = int(self._rested_ms[number])
            if self._stirred[number] and rested_ms and now_ms - rested_ms < STIRRED_MS:
                yield bay.anchored_us

    def down(self, name: str) -> None:
        """Its device is gone: rest must be found anew."""
        self._blindness.down(name)
        for number, shelf in enumerate(self._shelf_of_bay):
            if shelf == name:
                self._stirred[number] = True
                self._inflow.forget(self._rows[number])
                for channel in range(self._rows[number].start, self._rows[number].stop):
                    self._channels.reset(channel)
