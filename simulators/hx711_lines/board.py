"""A microcontroller with HX711 converters: what lies on its cells in, lines of text out. No I/O: a reading is its
clock.

Sources: the printed output of the examples of bogde/HX711 and olkal/HX711_ADC, SparkFun OpenScale's firmware 1.2, and
HX711's data sheet (24 bits, saturated at 7FFFFFh and 800000h; all ones where it is not connected). That a board tares
when it starts is what most of these programs do. The size of a reading's noise is assumed.
"""

from dataclasses import dataclass, field
from enum import StrEnum
from random import Random

MOST, LEAST = 0x7FFFFF, -0x800000
MIDDLE = 0x800000  # zero, where a library turns the sign bit over
END = "\r\n"
NOISE_COUNTS = 20.0  # at gain 128 and 10 readings a second, on a board that is laid out well. Assumed
BOOT_READINGS = 10  # silent for so many after a reset: boot loader and start of the converter


class Style(StrEnum):
    GRAMS = "grams"  # Serial.println(scale.get_units(), 2)
    LABELLED = "labelled"  # olkal/HX711_ADC's examples
    COUNTS = "counts"  # Serial.println(scale.read())
    OPENSCALE = "openscale"


BANNERS = {
    Style.GRAMS: ("HX711 Demo", "Initializing the scale", ""),
    Style.LABELLED: ("", "Starting...", "Startup is complete"),
    Style.COUNTS: ("",),
    Style.OPENSCALE: (
        "OpenScale by SparkFun Electronics",
        "Firmware version: 1.2",
        "Minimum time between reports: 105",
        "Press x to bring up settings",
        "Readings:",
    ),
}


class State(StrEnum):
    """What can be wrong with a cell."""

    FINE = "fine"
    OVER = "over"
    UNDER = "under"
    UNPLUGGED = "unplugged"


@dataclass
class Cell:
    """One converter and its load cell."""

    counts_per_gram: float = 420.0
    zero_counts: float = 84_000.0
    state: State = State.FINE

    def counts(self, grams: float, rng: Random) -> int:
        match self.state:
            case State.OVER:
                return MOST
            case State.UNDER:
                return LEAST
            case State.UNPLUGGED:
                return -1
        counts = round(self.zero_counts + grams * self.counts_per_gram + rng.gauss(0.0, NOISE_COUNTS))
        return min(MOST, max(LEAST, counts))


@dataclass
class Board:
    """What is on the port. `tares`: whether its program makes what lies there zero when it starts."""

    cells: list[Cell]
    style: Style
    rng: Random
    tares: bool = False
    _tare_counts: list[float] = field(default_factory=list)
    _silent: int = 0  # readings until it is up
    _started: bool = False
    _millis: int = 0

    def reset(self) -> None:
        """As a port does that is opened, or a power cut."""
        self._started, self._silent, self._millis = False, BOOT_READINGS, 0

    def reading(self, grams: list[float], every_ms: int) -> str:
        """What it sends with its next reading; may be several lines, or nothing while it starts."""
        self._millis += every_ms
        if self._silent:
            self._silent -= 1
            return ""
        counts = [cell.counts(load, self.rng) for cell, load in zip(self.cells, grams, strict=True)]
        said = ""
        if not self._started:
            self._started = True
            said = "".join(line + END for line in BANNERS[self.style])
            self._tare_counts = [
                float(count) if self.tares else cell.zero_counts
                for cell, count in zip(self.cells, counts, strict=True)
            ]
        return said + self._line(counts) + END

    def _line(self, counts: list[int]) -> str:
        if self.style is Style.COUNTS:
            return ",".join(map(str, counts))
        weights = [
            "nan" if cell.state is State.UNPLUGGED else f"{(count - tare) / cell.counts_per_gram:.2f}"
            for cell, count, tare in zip(self.cells, counts, self._tare_counts, strict=True)
        ]
        if self.style is Style.LABELLED:
            return f"Load_cell output val: {weights[0]}"
        if self.style is Style.OPENSCALE:
            kg = (counts[0] - self._tare_counts[0]) / self.cells[0].counts_per_gram / 1000
            return f"{self._millis},{kg:.4f},kg,{counts[0] + MIDDLE},22.75,"
        return ",".join(weights)
