"""What a person should do about a scale, from what it weighed in some seconds. Pure: values in, words out."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from enum import Enum, auto
from itertools import pairwise
from statistics import fmean, median

from msgspec import structs

from edge.reads import Read, Scale, WeightFault, WeightSample
from edge.remedies import NOT_ANSWERING, Finding, Grade

# A platform at rest moves by a division or two, 0.1 to 5 g on scales for shelves.
RESTLESS_GRAMS = 20.0
# What an empty platform says with the temperature and its noise.
EMPTY_GRAMS = 2.0
# So few weights say nothing about rest: whoever tries a scale may be putting something on it.
FEW = 5
# A hand is in a shelf for a second or two; slower scales see what was taken and not when.
SLOW_PER_S = 2.0
# What publishes weighs as often as its board lets it. Once a second is what we ask of it; Tasmota's shortest period is
# 10 s, between which it speaks when the weight has changed. Slower ones are counted by too late.
SLOW_PUBLISHED_PER_S = 1 / 11.0
# A single weight that lies as far off those around it as nothing on a shelf moves and returns between two weights.
STRAY_GRAMS = 20.0
STRAY_STEPS = 10.0  # and so many times what one weight mostly differs by from the next
AROUND = 2  # weights on each side that agree with each other
# Weights around a stray lie this near together: slower scales may have been touched for that long and no longer.
STRAY_US = 1_000_000


class Pace(Enum):
    """What sets how often a scale weighs."""

    LINE = auto()  # its menu, and the speed of its line
    PUBLISHED = auto()  # the board that publishes
    ON_CHANGE = auto()  # the load: a still one is not told again


@dataclass
class Cell:
    grams: list[float] = field(default_factory=list)
    stable: list[bool | None] = field(default_factory=list)
    at_us: list[int] = field(default_factory=list)
    faults: Counter[str] = field(default_factory=Counter)

    @property
    def range_grams(self) -> float:
        return max(self.sound) - min(self.sound)

    @property
    def apart_grams(self) -> float:
        """What one weight mostly differs by from the next."""
        return median(abs(b - a) for a, b in pairwise(self.grams)) if len(self.grams) > 1 else 0.0

    @property
    def _far_grams(self) -> float:
        return max(STRAY_GRAMS, STRAY_STEPS * self.apart_grams)

    @property
    def mean_grams(self) -> float:
        """Of what it mostly says: neither garbled lines nor what lay there for a while shift it."""
        middle, far = median(self.grams), self._far_grams
        return fmean(each for each in self.grams if abs(each - middle) <= far)

    @property
    def strays(self) -> list[int]:
        """Which weights are far off those before and behind, that agree: no load comes and goes so fast."""
        far, found = self._far_grams, []
        for i in range(AROUND, len(self.grams) - AROUND):
            around = self.grams[i - AROUND : i] + self.grams[i + 1 : i + 1 + AROUND]
            still = max(around) - min(around) < far / 2
            quick = self.at_us[i + AROUND] - self.at_us[i - AROUND] <= STRAY_US
            if still and quick and abs(self.grams[i] - median(around)) > far:
                found.append(i)
        return found

    @property
    def sound(self) -> list[float]:
        """The weights without the strays."""
        strays = set(self.strays)
        return [grams for i, grams in enumerate(self.grams) if i not in strays]

    @property
    def per_s(self) -> float | None:
        """Weights a second; None where they are too few to tell."""
        lasted_us = self.at_us[-1] - self.at_us[0] if self.at_us else 0
        return (len(self.at_us) - 1) * 1e6 / lasted_us if lasted_us >= 1_000_000 else None

    @property
    def never_stable(self) -> bool:
        return bool(self.stable) and not any(self.stable) and None not in self.stable


@dataclass
class Weighed:
    """What came of a scale.

    `expected`: the cells that the configuration's bays name; empty where there is none. `factors`: factor and offset of
    each cell that is calibrated, as in its shelf's file.
    """

    expected: tuple[int, ...] = ()
    factors: Mapping[int, tuple[float, float]] = field(default_factory=dict)
    pace: Pace = Pace.LINE
    cells: dict[int, Cell] = field(default_factory=dict)
    scales: list[Scale] = field(default_factory=list)

    def in_grams(self, read: Read) -> Read:
        """A weight as the calibration makes it of what the device says; anything else as it is."""
        if isinstance(read, WeightSample) and (known := self.factors.get(read.cell)):
            factor, offset_grams = known
            return structs.replace(read, grams=factor * read.grams + offset_grams)
        return read

    def take(self, read: WeightSample | WeightFault | Scale) -> None:
        match read:
            case WeightSample():
                cell = self.cells.setdefault(read.cell, Cell())
                cell.grams.append(read.grams)
                cell.stable.append(read.stable)
                cell.at_us.append(read.at_us)
            case WeightFault():
                self.cells.setdefault(read.cell, Cell()).faults[read.fault] += 1
            case Scale():
                self.scales.append(read)

    @property
    def total(self) -> int:
        return sum(len(cell.grams) for cell in self.cells.values())


def findings(weighed: Weighed, seconds: float) -> Iterator[Finding]:
    """Everything worth saying; nothing where all is fine."""
    for number, cell in sorted(weighed.cells.items()):
        for fault, times in cell.faults.most_common():
            yield Finding(
                Grade.FINDING, f"cell {number} could not weigh, said {times} times: {fault}", _cure(fault)
            )
    if not weighed.total:
        if not any(cell.faults for cell in weighed.cells.values()):
            yield Finding(Grade.FINDING, f"no weight in {seconds:g} s",
                          "does the display show one? has it finished starting, and is it at rest?")  # fmt: skip
        return
    for number in weighed.expected:
        if number not in weighed.cells:
            yield Finding(Grade.FINDING, f"cell {number} says nothing while others do",
                          "is it wired, and numbered as in the configuration?")  # fmt: skip
    if weighed.expected and (strange := sorted(set(weighed.cells) - set(weighed.expected))):
        yield Finding(Grade.FINDING, f"cell {', '.join(map(str, strange))} weighs, and no bay stands on it",
                      "give it a bay, or leave it: its weights are passed over")  # fmt: skip
    for number, cell in sorted(weighed.cells.items()):
        if cell.grams:
            yield from _cell(number, cell)
            yield from _slow(number, cell, weighed.pace)


def _cell(number: int, cell: Cell) -> Iterator[Finding]:
    name = f"cell {number}: "
    if strays := cell.strays:
        single = "1 single weight is" if len(strays) == 1 else f"{len(strays)} single weights are"
        stray, rest = cell.grams[strays[0]], median(cell.grams)
        yield Finding(Grade.FINDING, f"{name}{single} far off the rest, as {stray:.1f} g among {rest:.1f} g",
                      "a garbled line or a loose wire: see to plugs and cables, keep them from motors and mains, and "
                      "use a checksum, or even parity (?framing=7E1), where the device has one")  # fmt: skip
    if max(cell.grams) < -EMPTY_GRAMS:
        yield Finding(Grade.FINDING, f"{name}the weight is below zero ({cell.grams[-1]:g} g)",
                      "zero the empty scale on the scale itself, before goods are put on; a board that sends counts is "
                      "calibrated instead")  # fmt: skip
    if cell.never_stable and cell.range_grams > RESTLESS_GRAMS:
        yield Finding(Grade.FINDING, f"{name}never at rest: it moves by {cell.range_grams:.1f} g",
                      "level it, keep it from draughts and from touching its neighbours")  # fmt: skip
    elif cell.never_stable and len(cell.grams) >= FEW:
        yield Finding(Grade.FINDING, f"{name}never called stable, though it moves by only {cell.range_grams:.1f} g",
                      "widen the stability range (motion band) in the scale's menu")  # fmt: skip


def _slow(number: int, cell: Cell, pace: Pace) -> Iterator[Finding]:
    enough = {Pace.LINE: SLOW_PER_S, Pace.PUBLISHED: SLOW_PUBLISHED_PER_S, Pace.ON_CHANGE: 0.0}[pace]
    if cell.per_s is None or cell.per_s >= enough:
        return
    if pace is Pace.PUBLISHED:
        yield Finding(Grade.FINDING, f"cell {number}: is weighed only every {1 / cell.per_s:.0f} s",
                      "have it publish every second (ESPHome: `update_interval: 1s`; Tasmota: "
                      "`Backlog TelePeriod 10; Sensor34 8 1; Sensor34 9 1`)")  # fmt: skip
    else:
        yield Finding(Grade.FINDING, f"cell {number}: only {cell.per_s:.1f} weights a second",
                      "have it send faster, at best ten a second; raise its speed (baud) if need be")  # fmt: skip


def _cure(fault: str) -> str:
    """What to do about a fault, by its words."""
    if fault.endswith("does not answer"):
        return NOT_ANSWERING
    if "converter does not answer" in fault:
        return "is DOUT or SCK loose between converter and board, or the converter without its supply?"
    if "net" in fault:
        return "clear the tare at the scale's keys, and lock them"
    match fault:
        case "overload":
            return (
                "take the load off; if it is empty, its capacity is set wrong or the cell's cable is broken"
            )
        case "underload":
            return "put the platform on; if it is, zero the empty scale at its keys, or check which way the cell is up"
        case "saturated" | "not_a_number":
            return "check the cable of the load cell, wire by wire"
        case _:
            return "look at its display and in its manual for this error"


def table(weighed: Weighed) -> list[str]:
    """One line a cell."""
    lines = [f"serial number {scale.serial}" for scale in weighed.scales if scale.serial]
    for number, cell in sorted(weighed.cells.items()):
        if cell.grams:
            rest = "" if None in cell.stable else f"\t{sum(map(bool, cell.stable))} at rest"
            lines.append(
                f"cell {number}\t{len(cell.grams)} weights{rest}\tmean {cell.mean_grams:.1f} g"
                f"\t{min(cell.grams):.1f} to {max(cell.grams):.1f} g"
                f"\tmostly {cell.apart_grams:.2g} g from one to the next"
            )
        else:
            lines.append(f"cell {number}\tno weight")
    return lines


def fine(weighed: Weighed) -> str:
    """What to say when nothing is to be seen to."""
    cells = [cell for cell in weighed.cells.values() if cell.grams]
    rates: Sequence[float] = [cell.per_s for cell in cells if cell.per_s is not None]
    rate = f", {min(rates):.1f} a second" if rates else ""
    rest = sum(sum(map(bool, cell.stable)) for cell in cells)
    low, high = min(min(cell.grams) for cell in cells), max(max(cell.grams) for cell in cells)
    of = "1 cell" if len(cells) == 1 else f"{len(cells)} cells"
    return f"{weighed.total} weights of {of}{rate}, {rest} of them at rest, {low:g} to {high:g} g"
